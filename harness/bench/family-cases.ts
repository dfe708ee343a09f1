/**
 * Cases of `bench engine` for families of commands: whole values, streams, scripts, lists, bits; and how the cost of a
 * command grows with the size of its value. What is measured is CPU time of the server's process per command, in
 * nanoseconds of the scheduler, so that a few hundred commands are enough for a sample.
 */

import { cpuNanosecondsOf } from '../process-usage.ts'
import type { MeasureSpec } from './comparison.ts'
import type { CaseRun, EngineCase } from './engine-cases.ts'
import { runTraffic } from './redis-benchmark.ts'
import type { BenchServer } from './stand.ts'

const CPU_TARGET = 1.15
const BATCH = 1000
const cpu: MeasureSpec = { name: 'cpu', unit: 'CPU µs/command', better: 'lower', targetRatio: CPU_TARGET }
const growth: MeasureSpec = { name: 'growth', unit: '× from n to 64 n', better: 'lower' }

/** Runs `body`, and says what it cost the server, divided by `commands`. */
async function cpuOf({ server }: CaseRun, commands: number, body: () => Promise<unknown>): Promise<number> {
  const before = cpuNanosecondsOf(server.pid)
  await body()
  return (cpuNanosecondsOf(server.pid) - before) / commands / 1000
}

/** A member of 17 bytes. */
const member = (index: number): string => `member:${String(index).padStart(10, '0')}`

/** Sends `words` with what `element` gives for 0 … size − 1, in batches. */
async function fill(
  server: BenchServer,
  words: readonly string[],
  size: number,
  element: (index: number) => string[],
): Promise<void> {
  for (let first = 0; first < size; first += BATCH) {
    const length = Math.min(BATCH, size - first)
    await server.command(...words, ...Array.from({ length }, (_, i) => element(first + i)).flat())
  }
}

const rows = {
  set: (server: BenchServer, size: number) => fill(server, ['SADD', 'set'], size, (i) => [member(i)]),
  hash: (server: BenchServer, size: number) => fill(server, ['HSET', 'hash'], size, (i) => [member(i), `value:${i}`]),
  sortedSet: (server: BenchServer, size: number) =>
    fill(server, ['ZADD', 'sorted'], size, (i) => [String((i * 7919) % 1_000_003), member(i)]),
  list: (server: BenchServer, size: number) => fill(server, ['RPUSH', 'list'], size, (i) => [member(i)]),
}

interface CommandRow {
  name: string
  title: string
  command: readonly string[]
  requests: number
  pipeline?: number
  connections?: number
  prepare?(server: BenchServer): Promise<unknown>
}

/** The same command again and again. */
function commandCase({
  name,
  title,
  command,
  requests,
  pipeline = 1,
  connections = 5,
  prepare,
}: CommandRow): EngineCase {
  return {
    name,
    title,
    measures: [cpu],
    ...(prepare === undefined ? {} : { prepare: async ({ server }: CaseRun) => void (await prepare(server)) }),
    run: async (run) => {
      const count = Math.max(pipeline, Math.round(requests * run.scale))
      const traffic = { command, requests: count, connections, pipeline }
      return { cpu: await cpuOf(run, count, () => runTraffic(run.server, traffic, run.signal)) }
    },
  }
}

/** `make` makes a value of the size before each sample; `act` is measured, at a size and at 64 times that. */
function growthCase(
  name: string,
  title: string,
  size: number,
  make: (server: BenchServer, size: number) => Promise<unknown>,
  act: (run: CaseRun, size: number) => Promise<number>,
): EngineCase {
  return {
    name,
    title: `${title}; growth from ${size} to ${64 * size} elements`,
    measures: [cpu, growth],
    async run(run) {
      const costs: number[] = []
      for (const elements of [size, 64 * size]) {
        await run.server.command('FLUSHALL')
        await make(run.server, elements)
        costs.push(await act(run, elements))
      }
      const [small = 0, large = 0] = costs
      return { cpu: large, growth: large / small }
    },
  }
}

/** So many commands, all sent before the first is answered. */
function pipelined(run: CaseRun, count: number, words: (index: number) => string[]): Promise<number> {
  const { server } = run
  return cpuOf(run, count, () => Promise.all(Array.from({ length: count }, (_, i) => server.command(...words(i)))))
}

const WHOLE = 10_000
const TEXT_BYTES = 64 * 2 ** 20

/** Two texts of 64 MB, and one that has its first bit at its end. */
async function prepareBits(server: BenchServer): Promise<void> {
  const part = Buffer.from(Uint8Array.from({ length: 2 ** 20 }, (_, i) => Math.imul(i + 1, 2_654_435_761) >>> 24))
  for (const key of ['bits:a', 'bits:b']) {
    for (let at = 0; at < TEXT_BYTES; at += part.length) await server.command('SETRANGE', key, String(at), part)
  }
  await server.command('SETBIT', 'bits:late', String(TEXT_BYTES * 8 - 1), '1')
}

const bitCases = [
  ['bitop-and', 'BITOP AND of two strings of 64 MB', ['BITOP', 'AND', 'bits:c', 'bits:a', 'bits:b']],
  ['bitop-not', 'BITOP NOT of 64 MB', ['BITOP', 'NOT', 'bits:c', 'bits:a']],
  ['bitcount', 'BITCOUNT of 64 MB', ['BITCOUNT', 'bits:a']],
  ['bitpos', 'BITPOS in 64 MB of zeros', ['BITPOS', 'bits:late', '1']],
] as const

const wholeCases = [
  ['smembers', rows.set, ['SMEMBERS', 'set']],
  ['hgetall', rows.hash, ['HGETALL', 'hash']],
  ['zrange', rows.sortedSet, ['ZRANGE', 'sorted', '0', '-1']],
  ['zrange-withscores', rows.sortedSet, ['ZRANGE', 'sorted', '0', '-1', 'WITHSCORES']],
  ['lrange', rows.list, ['LRANGE', 'list', '0', '-1']],
] as const

/** One field an entry, ids that the server gives. */
async function fillStream(server: BenchServer): Promise<void> {
  const added = Array.from({ length: WHOLE }, (_, i) => server.command('XADD', 'stream', '*', 'field', member(i)))
  await Promise.all(added)
}

const deliver: EngineCase = {
  name: 'xreadgroup',
  title: 'XREADGROUP of one new entry',
  measures: [cpu],
  async run(run) {
    await run.server.command('FLUSHALL')
    await fillStream(run.server)
    await run.server.command('XGROUP', 'CREATE', 'stream', 'group', '0')
    const words = ['XREADGROUP', 'GROUP', 'group', 'consumer', 'COUNT', '1', 'STREAMS', 'stream', '>']
    return { cpu: await pipelined(run, WHOLE, () => words) }
  },
}

const GET_SCRIPT = "return redis.call('GET', KEYS[1])"
const GET_SCRIPT_SHA = 'd3c21d0c2b9ca22f82737626a27bcaf5d288f99f'

const commandRows: readonly CommandRow[] = [
  ...[1, 16].map((pipeline) => ({
    name: `xadd-p${pipeline}`,
    title: `XADD, pipeline ${pipeline}`,
    command: ['XADD', 'stream', '*', 'field', 'value'],
    requests: 50_000 * Math.sqrt(pipeline),
    pipeline,
    connections: 50,
  })),
  {
    name: 'xrange',
    title: 'XRANGE of 100 entries',
    command: ['XRANGE', 'stream', '-', '+', 'COUNT', '100'],
    requests: 5000,
    prepare: fillStream,
  },
  {
    name: 'evalsha',
    title: 'EVALSHA of a GET, pipeline 16',
    command: ['EVALSHA', GET_SCRIPT_SHA, '1', 'key'],
    requests: 200_000,
    pipeline: 16,
    connections: 50,
    async prepare(server) {
      await server.command('SET', 'key', 'value')
      await server.command('SCRIPT', 'LOAD', GET_SCRIPT)
    },
  },
  {
    name: 'append',
    title: 'APPEND, pipeline 16',
    command: ['APPEND', 'text', '0123456789'],
    requests: 100_000,
    pipeline: 16,
  },
]

export const familyCases: readonly EngineCase[] = [
  ...wholeCases.map(([name, prepare, command]) =>
    commandCase({
      name: `${name}-whole`,
      title: `${command.join(' ')}, ${WHOLE} elements`,
      command,
      requests: 300,
      prepare: (server) => prepare(server, WHOLE),
    }),
  ),
  ...commandRows.map(commandCase),
  deliver,
  ...bitCases.map(([name, title, command]) =>
    commandCase({ name, title, command, requests: 10, connections: 1, prepare: prepareBits }),
  ),
  growthCase('spop-half', 'SPOP of half a set', 4096, rows.set, (run, size) =>
    cpuOf(run, size / 2, () => run.server.command('SPOP', 'set', String(size / 2))),
  ),
  growthCase('zadd-growth', 'ZADD of another score', 16_384, rows.sortedSet, (run, size) =>
    pipelined(run, 20_000, (i) => ['ZADD', 'sorted', String((i * 104_729) % size), member((i * 7919) % size)]),
  ),
  growthCase('lindex-growth', 'LINDEX in the middle', 16_384, rows.list, (run, size) =>
    pipelined(run, 5000, (i) => ['LINDEX', 'list', String(size / 2 + i)]),
  ),
  growthCase('linsert-growth', 'LINSERT in the middle', 2048, rows.list, (run, size) =>
    pipelined(run, 200, () => ['LINSERT', 'list', 'BEFORE', member(size / 2), 'x']),
  ),
]
