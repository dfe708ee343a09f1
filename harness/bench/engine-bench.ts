/** `bench engine`: runs the cases against a stand of both servers and gathers what they show. */
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { faultlineVersion } from '../cli/version.ts'
import { engineProgram, redisProgram } from '../world/programs.ts'
import type { BenchResult, CaseResult } from './bench-result.ts'
import { compare, interleaved } from './comparison.ts'
import type { CaseRun, EngineCase } from './engine-cases.ts'
import { type Contender, Stand } from './stand.ts'

export interface EngineBenchOptions {
  cases: readonly EngineCase[]
  rounds: number
  /** Share of the full number of requests, in (0, 1]. */
  scale: number
  /** The Node that runs the engine. */
  nodePath: string
  /** The redis-server to compare with; the one on PATH when left out. */
  binary?: string
  signal: AbortSignal
  onCase(result: CaseResult): void
}

const CONTENDERS: readonly Contender[] = ['redis', 'engine']

export async function runEngineBench(options: EngineBenchOptions): Promise<BenchResult> {
  const engine = engineProgram()
  const programs = {
    engine: { ...engine, command: options.nodePath },
    redis: redisProgram(options.binary),
  }
  const nodeVersion = execFileSync(programs.engine.command, ['--version'], { encoding: 'utf8' }).trim()
  const startedAt = new Date().toISOString()
  const stand = await Stand.open({ programs, signal: options.signal })
  try {
    const cases: CaseResult[] = []
    let shared: string | undefined
    for (const one of options.cases) {
      if (one.shares === undefined || one.shares !== shared) await startPair(stand, one)
      shared = one.shares
      const result = await runCase(one, options, stand)
      options.onCase(result)
      cases.push(result)
    }
    const { rounds, scale } = options
    const versions = { node: nodeVersion, ...(await versionsOf(stand)) }
    return {
      schema: 'faultline-bench/1',
      bench: 'engine',
      startedAt,
      host: hostFacts(),
      versions,
      rounds,
      scale,
      cases,
    }
  } finally {
    await stand.close()
  }
}

async function startPair(stand: Stand, { config = {} }: EngineCase): Promise<void> {
  await stand.stopAll()
  for (const contender of CONTENDERS) await stand.start(contender, config)
}

async function runCase(one: EngineCase, options: EngineBenchOptions, stand: Stand): Promise<CaseResult> {
  const { scale, signal } = options
  const runOf = (contender: Contender): CaseRun => ({ stand, server: stand.server(contender), scale, signal })
  for (const contender of CONTENDERS) {
    await one.prepare?.(runOf(contender))
    // Warm-up: compiles the engine's code, fills caches; its figures do not count.
    await one.run(runOf(contender))
  }
  const samples = await interleaved(options.rounds, (contender) => one.run(runOf(contender)))
  return { name: one.name, title: one.title, measures: one.measures.map((spec) => compare(spec, samples)) }
}

function hostFacts(): BenchResult['host'] {
  const processors = cpus()
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    kernel: `${process.platform} ${release()}`,
  }
}

async function versionsOf(stand: Stand): Promise<Record<string, string>> {
  const field = (info: string, name: string): string => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? ''
  const info = String(await stand.server('redis').command('INFO', 'server'))
  return { faultline: faultlineVersion, redis: field(info, 'redis_version') }
}
