/** CONFIG, SLOWLOG, LATENCY and MEMORY over the wire, on the engine and on the real redis-server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasRedisServer, type PlainReply, type RunningRedis, startEngine, startRedis } from '../testing/redis-server.ts'

/** A flat list of names and values as an object. */
function plain(list: PlainReply[]): Record<string, PlainReply> {
  return Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[String(name), list[i + 1] ?? null]] : [])))
}

// Needs Debian's redis-server as an oracle.
describe.skipIf(!hasRedisServer)('diagnostic commands', () => {
  let ours: RunningRedis
  let theirs: RunningRedis

  beforeAll(async () => {
    const renamed = ['--rename-command', 'append', '', '--rename-command', 'STRLEN', 'Length']
    // On a busy machine any command may be slow: nothing is logged until the test of the slow log.
    const options = ['--save', '', '--slowlog-log-slower-than', '-1', ...renamed]
    ours = await startEngine(options)
    theirs = await startRedis(options)
  })
  afterAll(async () => {
    await ours?.stop()
    await theirs?.stop()
  })

  /** Both replies. */
  async function both(...words: string[]): Promise<[ours: PlainReply, theirs: PlainReply]> {
    return [await ours.connection.send(...words), await theirs.connection.send(...words)]
  }

  async function same(...words: string[]): Promise<PlainReply> {
    const [mine, real] = await both(...words)
    expect(mine, words.join(' ')).toEqual(real)
    return mine
  }

  test.each([
    ['APPEND', 'a', 'b'],
    ['STRLEN', 'a'],
    ['length', 'a'],
    ['LENGTH'],
    ['COMMAND', 'INFO', 'append'],
    ['CONFIG', 'GET'],
    ['CONFIG', 'GET', 'HZ'],
    ['CONFIG', 'GET', 'nope'],
    ['CONFIG', 'SET', 'hz'],
    ['CONFIG', 'SET', 'hz', '10', 'timeout'],
    ['CONFIG', 'SET', 'nope', '1'],
    ['CONFIG', 'SET', 'dir', '/'],
    ['CONFIG', 'SET', 'port', 'x'],
    ['CONFIG', 'RESETSTAT'],
    ['CONFIG', 'REWRITE'],
    ['CONFIG', 'HELP'],
    ['CONFIG', 'FOO'],
    ['CONFIG'],
    ['SLOWLOG', 'HELP'],
    ['SLOWLOG', 'FOO'],
    ['SLOWLOG', 'GET', 'x'],
    ['SLOWLOG', 'GET', '-2'],
    ['SLOWLOG', 'GET', '1', '2'],
    ['SLOWLOG', 'LEN', 'x'],
    ['LATENCY', 'HELP'],
    ['LATENCY', 'LATEST'],
    ['LATENCY', 'DOCTOR'],
    ['LATENCY', 'HISTORY', 'nope'],
    ['LATENCY', 'GRAPH', 'nope'],
    ['LATENCY', 'RESET'],
    ['LATENCY', 'RESET', 'a', 'b'],
    ['LATENCY', 'HISTOGRAM', 'nope', 'setrange'],
    ['MEMORY', 'HELP'],
    ['MEMORY', 'PURGE'],
    ['MEMORY', 'DOCTOR'],
    ['MEMORY', 'USAGE'],
    ['MEMORY', 'USAGE', 'nope'],
    ['MEMORY', 'USAGE', 'nope', 'SAMPLES', '0'],
    ['MEMORY', 'USAGE', 'nope', 'SAMPLES'],
    ['MEMORY', 'USAGE', 'nope', 'SAMPLES', '-1'],
    ['MEMORY', 'USAGE', 'nope', 'SAMPLES', 'x'],
    ['MEMORY', 'USAGE', 'nope', 'FOO', '1'],
  ])('%s %s %s %s %s: the same answer', async (...words) => {
    await same(...words.filter((word) => word !== undefined))
  })

  test('the slow log has the same words, secrets and long ones cut alike', async () => {
    await same('CONFIG', 'SET', 'slowlog-log-slower-than', '0')
    await same('SLOWLOG', 'RESET')
    await same('SET', 'key', 'x'.repeat(200))
    await same('SET', 'key', 'y'.repeat(129))
    await same('AUTH', 'user', 'password')
    await same('CONFIG', 'SET', 'masterauth', 'secret', 'hz', '10')
    await same('MSET', ...Array.from({ length: 40 }, (_, i) => `k${i}`))
    await same('GET', 'a', 'b')
    await same('NOPE')
    const [mine, real] = await both('SLOWLOG', 'GET', '-1')
    const shape = (reply: PlainReply) =>
      (reply as PlainReply[][]).map(([id, , , words, , name]) => ({ id, words, name }))
    expect(shape(mine)).toEqual(shape(real))
    expect(shape(real).length).toBe(6)
    await same('SLOWLOG', 'LEN')
    await same('CONFIG', 'SET', 'slowlog-max-len', '2')
    await same('PING')
    await same('SLOWLOG', 'LEN')
    await same('CONFIG', 'SET', 'slowlog-log-slower-than', '-1')
    await same('SLOWLOG', 'RESET')
    await same('PING')
    expect(await same('SLOWLOG', 'LEN')).toBe(0)
  })

  test('LATENCY HISTOGRAM counts calls, of subcommands too, and INFO gives percentiles', async () => {
    await same('CONFIG', 'RESETSTAT')
    for (let i = 0; i < 10; i++) await same('GET', 'key')
    await same('CONFIG', 'GET', 'hz')
    const calls = (reply: PlainReply) =>
      Object.entries(plain(reply as PlainReply[])).map(
        ([name, part]) => [name, (part as PlainReply[]).slice(0, 2)] as const,
      )
    for (const words of [['get', 'config'], ['GET'], ['config|get', 'set']]) {
      const [mine, real] = await both('LATENCY', 'HISTOGRAM', ...words)
      // Redis counts the call of CONFIG RESETSTAT itself: it is timed after it has run. So do we.
      expect(new Map(calls(mine))).toEqual(new Map(calls(real)))
    }
    const [mine] = await both('INFO', 'latencystats')
    expect(mine).toMatch(/latency_percentiles_usec_get:p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}\r\n/)
  })

  test('MEMORY USAGE counts the value, and MEMORY STATS and MALLOC-STATS answer', async () => {
    await same('SET', 'small', 'x')
    await same('SET', 'large', 'x'.repeat(10_000))
    const small = (await ours.connection.send('MEMORY', 'USAGE', 'small')) as number
    const large = (await ours.connection.send('MEMORY', 'USAGE', 'large', 'SAMPLES', '5')) as number
    expect(small).toBeGreaterThan(0)
    expect(large).toBeGreaterThan(10_000)
    const stats = (await ours.connection.send('MEMORY', 'STATS')) as PlainReply[]
    expect(stats[stats.indexOf('keys.count') + 1]).toBeGreaterThanOrEqual(2)
    expect(stats[stats.indexOf('dataset.bytes') + 1]).toBeGreaterThan(10_000)
    expect(await ours.connection.send('MEMORY', 'MALLOC-STATS')).toMatch(/resident: \d+/)
  })
})
