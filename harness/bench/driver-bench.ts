/**
 * `bench driver`: our load driver and redis-benchmark against the same redis-server, in turn. What is judged is the
 * ratio of requests per second at depth 1 and 16, whether an open loop holds its rate, and whether it sees the latency
 * that a closed loop sees. The CPU time per request of each generator stands beside it: on a busy machine it says more
 * than the rate, since the rate is whatever the scheduler leaves.
 *
 * Beside it also stands how busy redis-server was: the part of the time in which it ran or wanted to. Where that is all
 * of it, the server is the limit and no generator could be faster: a ratio below its target then says nothing.
 */
import { spawn } from 'node:child_process'
import { HarnessError } from '../errors.ts'
import { runLoad } from '../load/load.ts'
import { defaultLoad, type LoadSpec } from '../load/load-spec.ts'
import { schedulingOf } from '../process-usage.ts'
import { median } from '../quantile.ts'
import { redisProgram } from '../world/programs.ts'
import { parseCsv } from './redis-benchmark.ts'
import { type BenchServer, Stand } from './stand.ts'

export interface DriverRow {
  name: string
  unit: string
  /** One value a round. */
  ours: number[]
  theirs: number[]
  /** Of the medians; a difference for milliseconds. */
  comparison: number
  target: string
  met: boolean | null
}

export interface DriverBenchResult {
  schema: 'faultline-bench-driver/1'
  startedAt: string
  rounds: number
  rows: DriverRow[]
  notes: string[]
}

interface Sample {
  requestsPerSecond: number
  cpuUsPerRequest: number
  p50Ms: number
  /** Part of the time in which the server ran, or was ready to and something else ran. */
  serverBusy: number
}

export interface DriverBenchOptions {
  rounds: number
  /** Of each measurement. */
  seconds: number
  binary?: string
  signal: AbortSignal
  onRow(row: DriverRow): void
}

const KEYS = 100_000
const OPEN_RATE = 100_000
/** Above it the server is the limit: a loop that waits for replies in between never fills all of it. */
const SERVER_SATURATED = 0.9

export async function runDriverBench(options: DriverBenchOptions): Promise<DriverBenchResult> {
  const redis = redisProgram(options.binary)
  const startedAt = new Date().toISOString()
  const stand = await Stand.open({ programs: { redis, engine: redis }, signal: options.signal })
  const rows: DriverRow[] = []
  const notes: string[] = []
  const add = (row: DriverRow): void => {
    rows.push(row)
    options.onRow(row)
  }
  try {
    const server = await stand.start('redis', {})
    for (const { command, pipeline, target } of [
      { command: 'GET', pipeline: 1, target: 1.5 },
      { command: 'SET', pipeline: 1, target: 1.5 },
      { command: 'GET', pipeline: 16, target: 0.9 },
      { command: 'SET', pipeline: 16, target: 0.9 },
    ]) {
      const { ours, theirs } = await alternate(options, server, command, pipeline)
      const name = `${command} P${pipeline}`
      const rates = ratioRow(name, 'requests/s', ours, theirs, (it) => it.requestsPerSecond, target)
      const busy = median(ours.map(({ serverBusy }) => serverBusy))
      if (rates.met === false && busy >= SERVER_SATURATED) {
        rates.met = null
        const part = Math.round(busy * 100)
        notes.push(`${name}: redis-server was busy for ${part} % of our run; no generator can be much faster.`)
      }
      add(rates)
      add(ratioRow(name, 'CPU µs/request', ours, theirs, (it) => it.cpuUsPerRequest))
      add(ratioRow(name, 'server busy', ours, theirs, (it) => it.serverBusy))
    }
    await openLoop(options, server, add, notes)
    return { schema: 'faultline-bench-driver/1', startedAt, rounds: options.rounds, rows, notes }
  } finally {
    await stand.close()
  }
}

async function alternate(
  options: DriverBenchOptions,
  server: BenchServer,
  command: string,
  pipeline: number,
): Promise<{ ours: Sample[]; theirs: Sample[] }> {
  // Warm-up of both, and the size of a run that takes about as long as ours.
  await ourRun(options, server, command, pipeline, { ...options, seconds: 1 })
  const probe = await theirRun(options, server, command, pipeline, 20_000 * pipeline)
  const requests = Math.max(10_000, Math.round(probe.requestsPerSecond * options.seconds))
  const ours: Sample[] = []
  const theirs: Sample[] = []
  for (let round = 0; round < options.rounds; round++) {
    const steps = [
      async () => ours.push(await ourRun(options, server, command, pipeline, options)),
      async () => theirs.push(await theirRun(options, server, command, pipeline, requests)),
    ]
    if (round % 2 === 1) steps.reverse()
    for (const step of steps) await step()
  }
  return { ours, theirs }
}

function specOf(server: BenchServer, command: string): LoadSpec {
  const words = command === 'SET' ? ['SET', '__key__', '__data__'] : ['GET', '__key__']
  return {
    ...defaultLoad,
    target: { kind: 'server', host: server.host, port: server.port },
    commands: [{ name: command, words, weight: 1 }],
    keys: { ...defaultLoad.keys, count: KEYS },
  }
}

/** The function returned tells for which part of the time since then the server ran or wanted to. */
function watchServer({ pid }: BenchServer): () => number {
  const before = schedulingOf(pid)
  const startMs = performance.now()
  return () => {
    const { ranNs, waitedNs } = schedulingOf(pid)
    return (ranNs - before.ranNs + waitedNs - before.waitedNs) / 1e6 / (performance.now() - startMs)
  }
}

async function ourRun(
  { signal }: DriverBenchOptions,
  server: BenchServer,
  command: string,
  pipeline: number,
  { seconds }: { seconds: number },
): Promise<Sample> {
  const busy = watchServer(server)
  const result = await runLoad({ ...specOf(server, command), pipeline, durationMs: seconds * 1000 }, { signal })
  const serverBusy = busy()
  stopWhenAborted(signal)
  const cpuUs = result.driver.cpu * result.elapsedMs * 1000
  return {
    requestsPerSecond: result.requestsPerSecond,
    cpuUsPerRequest: cpuUs / Math.max(1, result.counts.ok),
    p50Ms: result.raw.p50Ms,
    serverBusy,
  }
}

/** The shell's `times` tells the CPU time of what it has run. */
function theirRun(
  { signal }: DriverBenchOptions,
  server: BenchServer,
  command: string,
  pipeline: number,
  requests: number,
): Promise<Sample> {
  const words = ['-h', server.host, '-p', String(server.port), '-t', command.toLowerCase(), '--csv']
  words.push('-c', '50', '-P', String(pipeline), '-n', String(requests), '-r', String(KEYS))
  const busy = watchServer(server)
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', 'redis-benchmark "$@" && times', 'sh', ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('latin1')
    })
    child.stderr.resume()
    child.on('error', reject)
    child.on('close', () => {
      const serverBusy = busy()
      const lines = output.trimEnd().split('\n')
      const outcome = parseCsv(lines.slice(0, -2).join('\n'))
      const cpuMs = [...(lines.at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)].reduce(
        (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
        0,
      )
      if (outcome === undefined) {
        reject(
          new HarnessError(
            'MISSING_BINARY',
            'redis-benchmark failed. Install it (Debian: apt-get install redis-tools).',
          ),
        )
      } else {
        const { requestsPerSecond, p50Ms } = outcome
        resolve({ requestsPerSecond, p50Ms, cpuUsPerRequest: (cpuMs * 1000) / requests, serverBusy })
      }
    })
  })
}

function ratioRow(
  name: string,
  unit: string,
  ours: readonly Sample[],
  theirs: readonly Sample[],
  value: (sample: Sample) => number,
  target?: number,
): DriverRow {
  const [a, b] = [ours.map(value), theirs.map(value)]
  const comparison = median(a) / median(b)
  return {
    name,
    unit,
    ours: a,
    theirs: b,
    comparison,
    target: target === undefined ? '' : `≥ ${target}`,
    met: target === undefined ? null : comparison >= target,
  }
}

/** At 100,000/s, beside a closed loop of as many connections. */
async function openLoop(
  options: DriverBenchOptions,
  server: BenchServer,
  add: (row: DriverRow) => void,
  notes: string[],
): Promise<void> {
  const spec = specOf(server, 'GET')
  const durationMs = options.seconds * 1000
  const rates: number[] = []
  const open: number[] = []
  const closed: number[] = []
  for (let round = 0; round < options.rounds; round++) {
    const held = await runLoad(
      { ...spec, durationMs, pipeline: 1024, arrivals: { kind: 'constant', ratePerSecond: OPEN_RATE } },
      { signal: options.signal },
    )
    const reference = await runLoad({ ...spec, durationMs }, { signal: options.signal })
    stopWhenAborted(options.signal)
    rates.push(held.requestsPerSecond)
    open.push(held.corrected.p50Ms)
    closed.push(reference.raw.p50Ms)
    for (const reason of held.reasons) notes.push(`Open loop, round ${round + 1}: ${reason}`)
  }
  const targets = rates.map(() => OPEN_RATE)
  const part = median(rates) / OPEN_RATE
  add({
    name: 'open loop',
    unit: 'requests/s',
    ours: rates,
    theirs: targets,
    comparison: part,
    target: '≥ 0.99',
    met: part >= 0.99,
  })
  const difference = median(open) - median(closed)
  add({
    name: 'open loop',
    unit: 'p50 − closed ms',
    ours: open,
    theirs: closed,
    comparison: difference,
    target: '≤ 0.1',
    met: difference <= 0.1,
  })
}

function stopWhenAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new HarnessError('INTERRUPTED', 'The bench was interrupted; its server was stopped.')
}

export function driverHeading(): string {
  return `${'generator'.padEnd(28)}${'ours'.padStart(14)}${'redis-benchmark'.padStart(17)}${'ratio'.padStart(9)}  target\n`
}

export function driverRowText({ name, unit, ours, theirs, comparison, target, met }: DriverRow): string {
  const mark = met === null ? '' : met ? ' ✓' : ' ✗'
  const shown = (value: number): string =>
    value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3)
  const label = `${name}, ${unit}`.padEnd(28)
  return `${label}${shown(median(ours)).padStart(14)}${shown(median(theirs)).padStart(17)}${comparison.toFixed(2).padStart(9)}  ${target}${mark}\n`
}
