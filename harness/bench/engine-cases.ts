/**
 * The cases of `bench engine`, one row each: what runs against both servers and which figures come out, with the
 * targets that the project has set itself (relative to redis-server in the same run).
 */

import { cpuTimeOf, residentBytesOf } from '../process-usage.ts'
import type { MeasureSpec, Sample } from './comparison.ts'
import { familyCases } from './family-cases.ts'
import { Probe } from './probe.ts'
import { runTraffic, type Traffic } from './redis-benchmark.ts'
import type { BenchServer, Stand } from './stand.ts'

export interface CaseRun {
  stand: Stand
  server: BenchServer
  /** Share of the full number of requests that is asked for, in (0, 1]. */
  scale: number
  signal: AbortSignal
}

export interface EngineCase {
  name: string
  title: string
  /**
   * Cases with the same name here run one after the other on the same pair of servers. Left out: servers of its own.
   */
  shares?: string
  config?: Readonly<Record<string, string>>
  measures: readonly MeasureSpec[]
  /** Before the first round, on each server. */
  prepare?(run: CaseRun): Promise<void>
  run(run: CaseRun): Promise<Sample>
}

const CONNECTIONS = 50
const KEYS = 1_000_000
/** CPU per request of the engine ÷ that of redis-server, one request at a time; newer V8s do better. */
const CPU_TARGET = Number(process.versions.node.split('.')[0]) >= 24 ? 1.0 : 1.15

const rate = (targetRatio: number): MeasureSpec => ({ name: 'rate', unit: 'requests/s', better: 'higher', targetRatio })
const cpu = (targetRatio?: number): MeasureSpec => ({
  name: 'cpu',
  unit: 'CPU µs/request',
  better: 'lower',
  ...(targetRatio === undefined ? {} : { targetRatio }),
})
const p99: MeasureSpec = { name: 'p99', unit: 'ms p99', better: 'lower' }

/** Requests per second, and what one of them cost the server. */
async function throughput({ server, scale, signal }: CaseRun, traffic: Traffic): Promise<Sample> {
  const requests = Math.round(traffic.requests * scale)
  const before = cpuTimeOf(server.pid)
  const outcome = await runTraffic(server, { ...traffic, requests }, signal)
  const after = cpuTimeOf(server.pid)
  const cpuUs = after.userUs - before.userUs + after.systemUs - before.systemUs
  return { rate: outcome.requestsPerSecond, cpu: cpuUs / requests, p99: outcome.p99Ms }
}

function throughputCase(test: string, pipeline: number, requests: number, targetRatio: number): EngineCase {
  const random = ['get', 'set', 'incr'].includes(test)
  return {
    name: `${test.replace('_100', '')}-p${pipeline}`,
    title: `${test.toUpperCase().replace('_', ' ')}, pipeline ${pipeline}${random ? ', a million random keys' : ''}`,
    shares: 'throughput',
    measures: [rate(targetRatio), cpu(pipeline === 1 && random ? CPU_TARGET : undefined), p99],
    ...(random ? { prepare: test === 'incr' ? fillCounters : fillKeys } : {}),
    run: (run) => throughput(run, { test, requests, connections: CONNECTIONS, pipeline, keyspace: KEYS }),
  }
}

/** So that GET finds what it looks for. */
const fillKeys = (run: CaseRun): Promise<void> => fillRandomly(run, 'set', 'key:')
/** So that INCR does not create a million keys while it is measured, and double the table. */
const fillCounters = (run: CaseRun): Promise<void> => fillRandomly(run, 'incr', 'counter:')

/** Random keys until most of the million exist. */
async function fillRandomly({ server, signal }: CaseRun, test: string, prefix: string): Promise<void> {
  const keys = Array.from({ length: 100 }, (_, i) => `${prefix}${String(i).padStart(12, '0')}`)
  if (Number(await server.command('EXISTS', ...keys)) > keys.length / 2) return
  await runTraffic(server, { test, requests: 2 * KEYS, connections: CONNECTIONS, pipeline: 16, keyspace: KEYS }, signal)
}

const SLICE = 1000

/** Keys `key:000000000042` (16 bytes) with values of 3 bytes, in batches. */
async function fillInOrder(server: BenchServer, from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += SLICE) {
    const words = ['MSET']
    for (let i = first; i < Math.min(first + SLICE, to); i++) words.push(`key:${String(i).padStart(12, '0')}`, 'abc')
    await server.command(...words)
  }
}

const memoryPerKey: EngineCase = {
  name: 'memory',
  title: 'memory of a key of 16 bytes with a value of 3',
  measures: [
    { name: 'bytes', unit: 'bytes/key', better: 'lower', targetRatio: 0.7 },
    { name: 'base', unit: 'MB empty', better: 'lower', allowance: 45, targetRatio: 1 },
  ],
  async run({ stand, server: { name } }) {
    const server = await stand.startAnew(name)
    const before = residentBytesOf(server.pid)
    await fillInOrder(server, 0, KEYS)
    const after = residentBytesOf(server.pid)
    return { bytes: (after - before) / KEYS, base: before / 2 ** 20 }
  },
}

const stall: EngineCase = {
  name: 'stall',
  title: 'longest answer to PING while a million keys are written',
  measures: [{ name: 'longest', unit: 'ms', better: 'lower', targetRatio: 1, targetMax: 10 }],
  async run({ server, scale, signal }) {
    await server.command('FLUSHALL')
    const probe = new Probe(server)
    const requests = Math.round(KEYS * scale)
    await runTraffic(server, { test: 'set', requests, connections: 2, pipeline: 16, keyspace: 10 * KEYS }, signal)
    return { longest: await probe.stop() }
  },
}

const logged: Readonly<Record<string, string>> = { appendonly: 'yes', 'auto-aof-rewrite-percentage': '0' }

function appendOnlyCase(fsync: 'always' | 'everysec', pipeline: number, requests: number): EngineCase {
  return {
    name: `aof-${fsync}-p${pipeline}`,
    title: `SET, pipeline ${pipeline}, append-only file, fsync ${fsync}`,
    config: { ...logged, appendfsync: fsync },
    measures: [rate(fsync === 'always' ? 0.9 : 1), cpu(), p99],
    run: (run) => throughput(run, { test: 'set', requests, connections: CONNECTIONS, pipeline, keyspace: KEYS }),
  }
}

/**
 * Writes go on in a closed loop: a slow snapshot cannot be hidden by a long queue, and shows in the slowest answers.
 */
const snapshot: EngineCase = {
  name: 'bgsave',
  title: 'SET on a few connections while a million keys are saved in the background',
  measures: [
    { name: 'p99', unit: 'ms p99', better: 'lower', targetRatio: 1, allowance: 2 },
    { name: 'longest', unit: 'ms longest', better: 'lower' },
  ],
  prepare: ({ server }) => fillInOrder(server, 0, KEYS),
  async run({ server, scale, signal }) {
    await server.command('BGSAVE')
    const requests = Math.round(60_000 * scale)
    const outcome = await runTraffic(
      server,
      { test: 'set', requests, connections: 4, pipeline: 1, keyspace: KEYS },
      signal,
    )
    while (/rdb_bgsave_in_progress:1/.test(String(await server.command('INFO', 'persistence')))) await pause(20)
    return { p99: outcome.p99Ms, longest: outcome.maxMs }
  },
}

const rdb: EngineCase = {
  name: 'rdb',
  title: 'RDB file of a million keys: SAVE, and loading at the start',
  measures: [
    { name: 'save', unit: 'keys/s saved', better: 'higher', targetRatio: 0.5 },
    { name: 'load', unit: 'keys/s loaded', better: 'higher', targetRatio: 0.5 },
  ],
  async run({ stand, server }) {
    if (Number(await server.command('DBSIZE')) < KEYS) await fillInOrder(server, 0, KEYS)
    const startedMs = performance.now()
    await server.command('SAVE')
    const saveMs = performance.now() - startedMs
    const loaded = await stand.startAnew(server.name)
    return { save: (KEYS / saveMs) * 1000, load: KEYS / loadingSeconds(loaded, 'DB loaded from disk') }
  },
}

const replay: EngineCase = {
  name: 'aof-replay',
  title: 'append-only file of a million SETs, replayed at the start',
  config: { ...logged, appendfsync: 'no' },
  measures: [{ name: 'replay', unit: 'commands/s', better: 'higher', targetRatio: 0.5 }],
  async prepare({ server, signal }) {
    const traffic = { test: 'set', requests: KEYS, connections: CONNECTIONS, pipeline: 16, keyspace: KEYS }
    await runTraffic(server, traffic, signal)
  },
  async run({ stand, server }) {
    const loaded = await stand.startAnew(server.name)
    return { replay: KEYS / loadingSeconds(loaded, 'DB loaded from append only file') }
  },
}

/** As the server says it in its log. */
function loadingSeconds(server: BenchServer, words: string): number {
  const line = server.logLines(50).findLast((text) => text.includes(words))
  return Number(/([\d.]+) seconds/.exec(line ?? '')?.[1])
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}

export const engineCases: readonly EngineCase[] = [
  throughputCase('get', 1, 200_000, 1),
  throughputCase('set', 1, 200_000, 1),
  throughputCase('incr', 1, 200_000, 1),
  throughputCase('get', 16, 2_000_000, 1),
  throughputCase('set', 16, 1_500_000, 1),
  throughputCase('incr', 16, 1_500_000, 1),
  ...(['lpush', 'hset', 'sadd', 'zadd'] as const).flatMap((test) => [
    throughputCase(test, 1, 200_000, 0.9),
    throughputCase(test, 16, 1_000_000, 0.9),
  ]),
  throughputCase('lrange_100', 1, 100_000, 0.9),
  throughputCase('mset', 1, 100_000, 0.9),
  ...familyCases,
  memoryPerKey,
  stall,
  snapshot,
  rdb,
  ...(['always', 'everysec'] as const).flatMap((fsync) => [
    appendOnlyCase(fsync, 1, 100_000),
    appendOnlyCase(fsync, 16, 1_000_000),
  ]),
  replay,
]
