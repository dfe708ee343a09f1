/**
 * `faultline bench engine`: our engine and redis-server side by side. `bench driver`: our load driver and
 * redis-benchmark. `bench micro`: single structures. Tables, and JSON. Exit status 1: a target was missed.
 */
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { caseText, tableHeading } from '../bench/bench-result.ts'
import { driverHeading, driverRowText, runDriverBench } from '../bench/driver-bench.ts'
import { runEngineBench } from '../bench/engine-bench.ts'
import { engineCases } from '../bench/engine-cases.ts'
import { runMicroBench } from '../bench/micro-bench.ts'
import { HarnessError } from '../errors.ts'
import { engineProgram, nodeCommand } from '../world/programs.ts'
import { EXIT_STATUS } from './exit-status.ts'
import { whole } from './load-options.ts'
import { checkOutputFiles, jsonText, writeOutputFile } from './output-file.ts'
import { untilSignal } from './until-signal.ts'

interface EngineBenchFlags {
  case?: string[]
  rounds?: string
  quick: boolean
  node?: string
  binary?: string
  json?: string
}

interface DriverBenchFlags {
  rounds?: string
  seconds?: string
  quick: boolean
  binary?: string
  json?: string
}

interface MicroBenchFlags {
  quick: boolean
  node?: string
  json?: string
}

const ROUNDS = 5
const QUICK = { rounds: 2, scale: 0.1 }

export function addBenchCommand(program: Command): void {
  const bench = program
    .command('bench')
    .description('measure speed and memory, always beside something to compare with')
  bench
    .command('engine')
    .description('the engine and redis-server side by side: requests, CPU, memory, stalls')
    .option('--case <name...>', `only these: ${engineCases.map(({ name }) => name).join(', ')}`)
    .option('--rounds <count>', `measured rounds of each server (default ${ROUNDS})`)
    .option('--quick', 'a tenth of the requests, two rounds: whether it works, not how fast it is', false)
    .option('--node <path>', 'the Node that runs the engine (default: the one that runs this)')
    .option('--binary <path>', 'the redis-server to compare with (default: the one on the PATH)')
    .option('--json <file>', 'also write everything as JSON')
    .action(async (flags: EngineBenchFlags) => {
      process.exitCode = await benchEngine(flags)
    })
  bench
    .command('driver')
    .description('our load driver and redis-benchmark on the same redis-server: rate, CPU, open loop')
    .option('--rounds <count>', `measured rounds of each (default ${ROUNDS})`)
    .option('--seconds <count>', 'length of each measurement (default 3)')
    .option('--quick', 'two rounds of one second: whether it works, not how fast it is', false)
    .option('--binary <path>', 'the redis-server to load (default: the one on the PATH)')
    .option('--json <file>', 'also write everything as JSON')
    .action(async (flags: DriverBenchFlags) => {
      process.exitCode = await benchDriver(flags)
    })
  bench
    .command('micro')
    .description('what single structures of the engine cost; needs the sources')
    .argument('[filter]', 'only cases whose name holds this')
    .option('--quick', 'a tenth of a second for each case instead of one', false)
    .option('--node <path>', 'the Node to run on (default: the one that runs this)')
    .option('--json <file>', 'also write everything as JSON')
    .action((filter: string | undefined, flags: MicroBenchFlags) => benchMicro(filter, flags))
}

async function benchMicro(filter: string | undefined, { quick, node, json }: MicroBenchFlags): Promise<void> {
  checkOutputFiles([json])
  const nodePath = nodeCommand(node)
  const cases = await untilSignal((signal) =>
    runMicroBench({
      root: dirname(dirname(engineProgram().args[0] as string)),
      timeMs: quick ? 100 : 1000,
      nodePath,
      signal,
      onCase: ({ name, medianNs, marginPercent }) => {
        const cost = `${medianNs.toFixed(0).padStart(9)} ns ± ${marginPercent.toFixed(1)} %`
        process.stdout.write(`${name.padEnd(62)} ${cost}\n`)
      },
      ...(filter === undefined ? {} : { filter }),
    }),
  )
  if (cases.length === 0)
    throw new HarnessError('BAD_OPTION', `No case has '${filter}' in its name: leave the filter out to see them all.`)
  writeOutputFile(json, () => jsonText(cases))
}

async function benchEngine(flags: EngineBenchFlags): Promise<number> {
  const cases = chooseCases(flags.case)
  const rounds = roundsOf(flags)
  const nodePath = nodeCommand(flags.node)
  checkOutputFiles([flags.json])
  const colour = process.stdout.isTTY === true
  process.stdout.write(tableHeading())
  const result = await untilSignal((signal) =>
    runEngineBench({
      cases,
      rounds,
      scale: flags.quick ? QUICK.scale : 1,
      signal,
      onCase: (one) => process.stdout.write(caseText(one, colour)),
      nodePath,
      ...(flags.binary === undefined ? {} : { binary: flags.binary }),
    }),
  )
  writeOutputFile(flags.json, () => jsonText(result))
  const missed = result.cases.flatMap(({ measures }) => measures).filter(({ met }) => met === false)
  return missed.length === 0 ? EXIT_STATUS.pass : EXIT_STATUS.fail
}

async function benchDriver(flags: DriverBenchFlags): Promise<number> {
  const rounds = roundsOf(flags)
  const seconds = flags.seconds === undefined ? (flags.quick ? 1 : 3) : whole('--seconds', flags.seconds, 1, 600)
  checkOutputFiles([flags.json])
  process.stdout.write(driverHeading())
  const result = await untilSignal((signal) =>
    runDriverBench({
      rounds,
      seconds,
      signal,
      onRow: (row) => process.stdout.write(driverRowText(row)),
      ...(flags.binary === undefined ? {} : { binary: flags.binary }),
    }),
  )
  for (const note of result.notes) process.stdout.write(`${note}\n`)
  writeOutputFile(flags.json, () => jsonText(result))
  return result.rows.some(({ met }) => met === false) ? EXIT_STATUS.fail : EXIT_STATUS.pass
}

function chooseCases(names: readonly string[] | undefined): typeof engineCases {
  for (const name of names ?? []) {
    if (engineCases.some((one) => one.name === name)) continue
    const known = engineCases.map((one) => one.name).join(', ')
    throw new HarnessError('BAD_OPTION', `There is no case ${name}. Cases: ${known}.`)
  }
  return names === undefined ? engineCases : engineCases.filter((one) => names.includes(one.name))
}

function roundsOf({ rounds, quick }: EngineBenchFlags): number {
  if (rounds === undefined) return quick ? QUICK.rounds : ROUNDS
  const count = Number(rounds)
  if (!Number.isInteger(count) || count < 1) {
    throw new HarnessError('BAD_OPTION', `--rounds ${rounds}: give a whole number from 1 on.`)
  }
  return count
}
