/** Random data sets in every encoding, saved by one server and loaded by the other. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { infoField, type NodeKind, type TestNode, TestNodes, until } from '../testing/nodes.ts'
import { hasRedisServer } from '../testing/redis-server.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

/** Of the run (`property-seed.ts`): samples are drawn outside of any property. */
const runSeed = fc.readConfigureGlobal()?.seed ?? Math.floor(Math.random() * 2 ** 31)

const key = fc.integer({ min: 0, max: 999 }).map((number) => `key:${number}`)
const word = fc.oneof(
  fc.integer({ min: -3_000_000_000, max: 3_000_000_000 }).map(String),
  fc.string({ maxLength: 20 }),
  fc.tuple(fc.string({ minLength: 1, maxLength: 9 }), fc.nat({ max: 40 })).map(([text, count]) => text.repeat(count)),
)
const number = fc.integer({ min: -70_000, max: 70_000 }).map(String)
const score = fc.oneof(
  number,
  number.map((text) => String(Number(text) / 7)),
  fc.constantFrom('inf', '-inf', '-0'),
  fc.double({ noNaN: true }).map(String),
  // Half of these lie right between two texts of 17 digits.
  fc.maxSafeInteger().map((whole) => String(whole / 16)),
)
/** Small and large: of each encoding. */
const some = <T>(item: fc.Arbitrary<T>) =>
  fc.oneof(fc.array(item, { minLength: 1, maxLength: 8 }), fc.array(item, { minLength: 600, maxLength: 700 }))
const value: fc.Arbitrary<readonly string[][]> = fc.oneof(
  fc.tuple(key, word).map(([name, text]) => [['SET', name, text]]),
  fc.tuple(key, word, word).map(([name, text, more]) => [
    ['SET', name, text],
    ['APPEND', name, more],
  ]),
  fc.tuple(key, some(word)).map(([name, words]) => [
    ['DEL', name],
    ['RPUSH', name, ...words],
  ]),
  fc.tuple(key, some(word)).map(([name, words]) => [
    ['DEL', name],
    ['SADD', name, ...words],
  ]),
  fc.tuple(key, some(number)).map(([name, words]) => [
    ['DEL', name],
    ['SADD', name, ...words],
  ]),
  fc.tuple(key, some(fc.tuple(word, word))).map(([name, pairs]) => [
    ['DEL', name],
    ['HSET', name, ...pairs.flat()],
  ]),
  fc.tuple(key, some(fc.tuple(score, word))).map(([name, pairs]) => [
    ['DEL', name],
    ['ZADD', name, ...pairs.flat()],
  ]),
  fc.tuple(key, some(word)).map(([name, words]) => [
    ['DEL', name],
    ['PFADD', name, ...words],
  ]),
  fc
    .tuple(key, some(word))
    .map(([name, words]) => [
      ['DEL', name],
      ...words.slice(0, 150).map((text, i) => ['XADD', name, `${i + 1}-1`, 'field', text]),
      ['XDEL', name, '2-1'],
      ['XGROUP', 'CREATE', name, 'group', '0'],
      ['XGROUP', 'CREATECONSUMER', name, 'group', 'idle'],
      ['XREADGROUP', 'GROUP', 'group', 'one', 'COUNT', '3', 'STREAMS', name, '>'],
    ]),
  fc.tuple(key, fc.integer({ min: 1000, max: 9000 })).map(([name, seconds]) => [['EXPIRE', name, `${seconds}`]]),
  fc.constantFrom('0', '1', '15').map((index) => [['SELECT', index]]),
)
const library = '#!lua name=lib\nredis.register_function("f", function() return 1 end)'

/** What DEBUG DIGEST does not cover beside what it does. */
async function contents(node: TestNode): Promise<unknown> {
  const groups: unknown[] = []
  for (const index of ['0', '1', '15']) {
    await node.send('SELECT', index)
    const streams = (await node.send('SCAN', '0', 'COUNT', '100000', 'TYPE', 'stream')) as [string, string[]]
    for (const name of streams[1].sort()) {
      groups.push(name, await node.send('XINFO', 'GROUPS', name), await node.send('XPENDING', name, 'group'))
    }
    const all = (await node.send('KEYS', '*')) as string[]
    for (const name of all.sort()) {
      // A short text that was appended to is raw, and embedded once it has been loaded.
      const encoding = String(await node.send('OBJECT', 'ENCODING', name)).replace(/raw|embstr|int/, 'text')
      groups.push(`${index} ${name} ${encoding} ${await node.send('PEXPIRETIME', name)}`)
    }
  }
  return [await node.send('DEBUG', 'DIGEST'), await node.send('FUNCTION', 'LIST', 'WITHCODE'), groups]
}

const pairs: readonly [NodeKind, NodeKind][] = [
  ['ours', 'redis'],
  ['redis', 'ours'],
  ['ours', 'ours'],
]
describe.each(pairs)('what %s has saved and %s loads', (writerKind, readerKind) => {
  // Without redis-server there is no second kind; CI must have it.
  const check = test.skipIf((writerKind === 'redis' || readerKind === 'redis') && !hasRedisServer)
  check.each([
    ['an RDB file', {}, 'allkeys-lru'],
    ['an RDB file with frequencies', {}, 'allkeys-lfu'],
    ['an append-only file with preamble', { appendonly: 'yes', 'aof-use-rdb-preamble': 'yes' }, 'noeviction'],
    ['an append-only file of commands', { appendonly: 'yes', 'aof-use-rdb-preamble': 'no' }, 'noeviction'],
  ])('is the same: %s', async (_name, log, policy) => {
    const settings = {
      dir: nodes.makeDirectory(),
      save: '',
      'enable-debug-command': 'yes',
      'maxmemory-policy': policy,
      ...log,
    }
    const writer = await nodes.start(writerKind, settings)
    await writer.send('FUNCTION', 'LOAD', library)
    const drawn = fc.sample(value, { numRuns: 60, seed: runSeed + policy.length + writerKind.length * 100 }).flat()
    // Small sorted sets, and large ones while they grow, have no -0. A log of commands names members in the order of
    // the writer's table, so that it is chance which members are there before the reader's has grown.
    const isChance = (text: string) => 'appendonly' in log && log['aof-use-rdb-preamble'] === 'no' && text === '-0'
    const commands = drawn.map((words) => words.map((text) => (isChance(text) ? '0' : text)))
    await Promise.all(commands.map((words) => writer.send(...words)))
    const wanted = await contents(writer)
    await writer.send(...('appendonly' in log ? ['BGREWRITEAOF'] : ['SAVE']))
    await until(async () => (await infoField(writer, 'persistence', 'aof_rewrite_in_progress')) === '0')
    await until(async () => (await infoField(writer, 'persistence', 'aof_rewrite_scheduled')) === '0')
    if (!('appendonly' in log) && hasRedisServer) {
      const outcome = spawnSync('redis-check-rdb', [join(writer.directory, 'dump.rdb')], { encoding: 'utf8' })
      expect(outcome.stdout).toContain('RDB looks OK!')
    }
    await writer.kill()
    const reader = await nodes.start(readerKind, settings)
    expect(await contents(reader), `FUZZ_SEED=${runSeed}`).toEqual(wanted)
  })
})
