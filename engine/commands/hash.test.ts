import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MapReply, ReplyParser, type ReplyValue } from '../resp/reply-parser.ts'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

const MAX = '9223372036854775807'
const MIN = '-9223372036854775808'

againstRedis('hash commands answer as redis-server 7.0 does', () => {
  const pair = usePair()

  test('pipelines on one large hash or set are answered as single commands are', async () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `field:${i}`)
    const filled: Words[] = [
      ['HSET', 'big', ...names.flatMap((name) => [name, 'v'])],
      ['SADD', 'crowd', ...names],
    ]
    const some = (step: number): Words[] =>
      Array.from({ length: 40 }, (_, i) => `field:${(i * step) % 21_000}`).flatMap((name, i): Words[] => [
        i % 3 === 0 ? ['HSET', 'big', name, `new ${i}`] : ['HGET', 'big', name],
        i % 5 === 0 ? ['HDEL', 'big', name] : ['HEXISTS', 'big', name],
        i % 7 === 0 ? ['HSET', 'big', name, 'again', name, `other ${i}`] : ['HSTRLEN', 'big', name],
      ])
    const members = (step: number): Words[] =>
      Array.from({ length: 40 }, (_, i) => `field:${(i * step) % 21_000}`).flatMap((name, i): Words[] => [
        ['SISMEMBER', 'crowd', name],
        i % 2 === 0 ? ['SREM', 'crowd', name] : ['SADD', 'crowd', name],
        ['SISMEMBER', 'crowd', name],
      ])
    for (const step of [1, 7919]) await pair().same([...filled, ...some(step), ...members(step)])
  })

  test('writing and reading fields', async () => {
    await pair().same([
      ['HSET', 'h', 'a', '1', 'b', '2', 'a', '3'],
      ['HSET', 'h', 'a', '4', 'c', '5'],
      ['HMSET', 'h', 'd', 'x'],
      ['HSETNX', 'h', 'd', 'y'],
      ['HSETNX', 'h', 'e', 'y'],
      ['HSETNX', 'new', 'e', 'y'],
      ['HGET', 'h', 'a'],
      ['HGET', 'h', 'none'],
      ['HGET', 'none', 'a'],
      ['HMGET', 'h', 'a', 'none', 'b', 'a'],
      ['HMGET', 'none', 'a', 'b'],
      ...['HGETALL', 'HKEYS', 'HVALS', 'HLEN', 'TYPE'].flatMap((name) => [
        [name, 'h'],
        [name, 'none'],
      ]),
      ['HSTRLEN', 'h', 'a'],
      ['HSTRLEN', 'h', 'none'],
      ['HSTRLEN', 'none', 'a'],
      ['HEXISTS', 'h', 'a'],
      ['HEXISTS', 'h', 'none'],
      ['HEXISTS', 'none', 'a'],
      ['HDEL', 'h', 'a', 'none', 'b', 'a'],
      ['HGETALL', 'h'],
      ['HDEL', 'none', 'a'],
      ['HDEL', 'h', 'c', 'd', 'e', 'f'],
      ['EXISTS', 'h'],
      ['COPY', 'new', 'copy'],
      ['HSET', 'copy', 'e', 'other'],
      ['HGETALL', 'new'],
      ['RENAME', 'copy', 'moved'],
      ['HGETALL', 'moved'],
    ])
  })

  test('wrong arguments and wrong types', async () => {
    const commands = [
      ['HSET', 'k', 'f', 'v'],
      ['HMSET', 'k', 'f', 'v'],
      ['HSETNX', 'k', 'f', 'v'],
      ['HGET', 'k', 'f'],
      ['HMGET', 'k', 'f', 'g'],
      ['HGETALL', 'k'],
      ['HKEYS', 'k'],
      ['HVALS', 'k'],
      ['HLEN', 'k'],
      ['HSTRLEN', 'k', 'f'],
      ['HEXISTS', 'k', 'f'],
      ['HDEL', 'k', 'f'],
      ['HINCRBY', 'k', 'f', '1'],
      ['HINCRBYFLOAT', 'k', 'f', '1'],
      ['HRANDFIELD', 'k'],
      ['HRANDFIELD', 'k', '1'],
      ['HSCAN', 'k', '0'],
    ]
    await pair().same([
      ['SET', 'k', 'v'],
      ...commands,
      ...commands.map((words) => words.slice(0, -1)),
      ['HSET', 'h', 'f', 'v'],
      ['HSET', 'h', 'f', 'v', 'g'],
      ['HMSET', 'h', 'f', 'v', 'g'],
      ['GET', 'h'],
      ['APPEND', 'h', 'x'],
      ['INCR', 'h'],
      ['OBJECT', 'ENCODING', 'h'],
      ['OBJECT', 'REFCOUNT', 'h'],
    ])
  })

  test('numbers in fields', async () => {
    const amounts = ['1', '-1', MAX, MIN, '9223372036854775808', 'x', ' 1', '1.0', '']
    const floats = ['0.1', '0.2', '1e2', '-1.5e-3', '0x10', '1e17', 'inf', '-inf', 'nan', 'x', '', ' 1', '1e4000']
    await pair().same([
      ...amounts.flatMap((amount): Words[] => [
        ['HINCRBY', 'h', 'n', amount],
        ['HGET', 'h', 'n'],
      ]),
      ...floats.flatMap((amount): Words[] => [
        ['HINCRBYFLOAT', 'h', 'f', amount],
        ['HGET', 'h', 'f'],
        ['OBJECT', 'ENCODING', 'h'],
      ]),
      ['HSET', 'h', 's', 'abc', 't', '010', 'u', 'inf', 'v', ' 1', 'e', ''],
      ...['s', 't', 'u', 'v', 'e'].flatMap((field) => [
        ['HINCRBY', 'h', field, '1'],
        ['HINCRBYFLOAT', 'h', field, '1'],
      ]),
    ])
  })

  test('a hash stays a listpack up to the limits', async () => {
    const pairs = (count: number): string[] => Array.from({ length: count }, (_, i) => [`f${i}`, String(i)]).flat()
    const encoding = ['OBJECT', 'ENCODING', 'h']
    await pair().same([
      ['HSET', 'h', ...pairs(512)],
      encoding,
      ['HGETALL', 'h'],
      ['HSET', 'h', 'f0', 'x'],
      encoding,
      ['HSET', 'h', 'one more', 'x'],
      encoding,
      ['HLEN', 'h'],
      ['HDEL', 'h', 'one more', 'f1'],
      encoding,
      ...[64, 65].flatMap((size): Words[] => [
        ['DEL', 'h'],
        ['HSET', 'h', 'f', 'x'.repeat(size)],
        encoding,
        ['DEL', 'h'],
        ['HSET', 'h', 'x'.repeat(size), 'v'],
        encoding,
        ['DEL', 'h'],
        ['HSETNX', 'h', 'x'.repeat(size), 'v'],
        encoding,
        ['DEL', 'h'],
        ['HINCRBY', 'h', 'x'.repeat(size), '1'],
        encoding,
        ['HGETALL', 'h'],
      ]),
      ['CONFIG', 'SET', 'hash-max-listpack-entries', '2'],
      ['DEL', 'h'],
      ['HSET', 'h', ...pairs(2)],
      encoding,
      ['HSET', 'h', ...pairs(3)],
      encoding,
      ['CONFIG', 'SET', 'hash-max-ziplist-entries', '512'],
    ])
  })

  test('HRANDFIELD', async () => {
    await pair().same([
      ['HSET', 'h', 'a', '1'],
      ['HRANDFIELD', 'h'],
      ['HRANDFIELD', 'h', '0'],
      ['HRANDFIELD', 'h', '5'],
      ['HRANDFIELD', 'h', '-3'],
      ['HRANDFIELD', 'h', '5', 'WITHVALUES'],
      ['HRANDFIELD', 'h', '-3', 'withvalues'],
      ['HRANDFIELD', 'h', '1', 'x'],
      ['HRANDFIELD', 'h', '1', 'WITHVALUES', 'x'],
      ['HRANDFIELD', 'h', 'x'],
      ['HRANDFIELD', 'h', MIN],
      ['HRANDFIELD', 'h', MIN, 'WITHVALUES'],
      ['HRANDFIELD', 'h', MAX],
      ['HRANDFIELD', 'h', MAX, 'WITHVALUES'],
      ['HRANDFIELD', 'h', '4611686018427387903', 'WITHVALUES'],
      ['HRANDFIELD', 'h', '4611686018427387904', 'WITHVALUES'],
      ['HRANDFIELD', 'h', '-4611686018427387904', 'WITHVALUES'],
      ['HRANDFIELD', 'none'],
      ['HRANDFIELD', 'none', '3'],
      ['HRANDFIELD', 'none', '3', 'WITHVALUES'],
    ])
  })

  test('HSCAN of a small hash, and its options', async () => {
    await pair().same([
      ['HSET', 'h', 'a', '1', 'b', '2', 'ab', '3'],
      ['HSCAN', 'h', '0'],
      ['HSCAN', 'h', '0', 'COUNT', '1'],
      ['HSCAN', 'h', '0', 'MATCH', 'a*'],
      ['HSCAN', 'h', '0', 'MATCH', 'a*', 'COUNT', '100'],
      ['HSCAN', 'h', '0', 'COUNT', '0'],
      ['HSCAN', 'h', '0', 'COUNT', 'x'],
      ['HSCAN', 'h', '0', 'COUNT'],
      ['HSCAN', 'h', '0', 'TYPE', 'string'],
      ['HSCAN', 'h', 'x'],
      ['HSCAN', 'none', '0'],
      ['HSCAN', 'none', '0', 'FOO'],
      ['HSCAN', 'none', 'x'],
    ])
  })

  test('HSCAN of a large hash gives every field once, HRANDFIELD only fields of it, each once', async () => {
    const both = await pair().session()
    const { engine } = both
    const ask = async (...words: string[]): Promise<ReplyValue> => parse(await engine.send(...words))
    try {
      await ask('FLUSHALL')
      for (let i = 0; i < 1000; i++) await ask('HSET', 'h', `f${i}`, `v${i}`)
      const seen: string[] = []
      let cursor = '0'
      do {
        const [next, found] = (await ask('HSCAN', 'h', cursor, 'COUNT', '17')) as [Buffer, Buffer[]]
        cursor = String(next)
        for (let i = 0; i < found.length; i += 2) {
          seen.push(String(found[i]))
          expect(String(found[i + 1])).toBe(String(found[i]).replace('f', 'v'))
        }
      } while (cursor !== '0')
      expect(seen.length).toBe(1000)
      expect(new Set(seen).size).toBe(1000)
      for (const count of [10, 500, 999, 1000, 2000]) {
        const fields = (await ask('HRANDFIELD', 'h', String(count))) as Buffer[]
        expect(new Set(fields.map(String)).size).toBe(Math.min(count, 1000))
        for (const field of fields) expect(seen).toContain(String(field))
      }
      expect(((await ask('HRANDFIELD', 'h', '-1500')) as Buffer[]).length).toBe(1500)
    } finally {
      both.redis.close()
      both.engine.close()
    }
  })

  test('DUMP gives the same bytes while a hash is small', async () => {
    await pair().same([
      ['HSET', 'h', 'a', '1', 'b', '-300', 'c', '70000', 'd', MIN, 'e', 'text', '', ''],
      ['DUMP', 'h'],
      ['HSET', 'h', 'a', 'x'.repeat(60), 'b', 'x'.repeat(64), 'y'.repeat(63), 'z'],
      ['DUMP', 'h'],
    ])
  })

  test('any sequence of commands', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 10, maxLength: 60, size: 'max' }), async (commands) => {
        await pair().same(commands)
      }),
      { numRuns: 40 },
    )
  })
})

againstRedis('hashes in tables answer as those of redis-server 7.0, but for the order of fields', () => {
  const pair = usePair({ settings: { 'hash-max-listpack-entries': '3', 'hash-max-listpack-value': '8' } })

  test('any sequence of commands', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 10, maxLength: 60, size: 'max' }), async (commands) => {
        for (const protocol of ['2', '3'] as const) {
          const [redis, engine] = await pair().replies(commands, protocol)
          const level = (replies: Buffer[]) => commands.map((words, i) => [words, unordered(words, replies[i])])
          expect(level(engine)).toEqual(level(redis))
        }
      }),
      { numRuns: 40 },
    )
  })
})

/** The reply, sorted where the order is that of a hash function: pairs for HGETALL, elements for HKEYS and HVALS. */
function unordered(words: readonly string[], reply: Buffer | undefined): string {
  const text = (reply ?? Buffer.alloc(0)).toString('latin1')
  if (!['HGETALL', 'HKEYS', 'HVALS'].includes(words[0] as string)) return text
  const value = parse(text)
  if (value instanceof MapReply) return JSON.stringify(value.entries.map(String).sort())
  if (!Array.isArray(value)) return text
  const step = words[0] === 'HGETALL' ? 2 : 1
  const items: string[] = []
  for (let i = 0; i < value.length; i += step)
    items.push(
      value
        .slice(i, i + step)
        .map(String)
        .join(),
    )
  return JSON.stringify(items.sort())
}

function parse(text: string): ReplyValue {
  let result: ReplyValue = null
  new ReplyParser((value) => {
    result = value
  }).feed(Buffer.from(text, 'latin1'))
  return result
}

const key = fc.constantFrom('a', 'b', 's')
const field = fc.constantFrom('f', 'g', 'h', 'i', 'j', '12', 'x'.repeat(9), '')
const value = fc.oneof(
  fc.constantFrom('', '0', '7', '-3', MAX, 'abc', '1.5', 'x'.repeat(9), 'x'.repeat(64)),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
)
const number = fc.constantFrom('0', '1', '-1', '5', MAX, MIN, 'x')
const word = (text: string) => fc.constant(text)

const anyCommand: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom('HSET', 'HMSET', 'HSETNX'), key, field, value) },
  { weight: 2, arbitrary: fc.tuple(word('HSET'), key, field, value, field, value) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('HGET', 'HEXISTS', 'HSTRLEN', 'HDEL', 'HMGET'), key, field) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('HGETALL', 'HKEYS', 'HVALS', 'HLEN', 'TYPE'), key) },
  fc.tuple(fc.constantFrom('HDEL', 'HMGET'), key, field, field),
  fc.tuple(fc.constantFrom('HINCRBY', 'HINCRBYFLOAT'), key, field, number),
  fc.tuple(word('OBJECT'), word('ENCODING'), key),
  fc.tuple(fc.constantFrom('RENAME', 'COPY'), key, key),
  fc.tuple(fc.constantFrom('DEL', 'EXISTS'), key),
  fc.tuple(word('SET'), word('s'), value),
)
