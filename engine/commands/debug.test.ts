/** DEBUG against the real redis-server. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.integer().map(String),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
)
const score = fc.oneof(fc.integer(), fc.double({ noNaN: true })).map(String)
const key = fc.constantFrom('a', 'b', 'c', 'd')

/** Commands that make values of every type, small and large. */
const write: fc.Arbitrary<Words> = fc.oneof(
  fc.tuple(fc.constant('SET'), key, text),
  fc.tuple(fc.constant('APPEND'), key, text),
  fc.tuple(fc.constant('PEXPIRE'), key, fc.constant('9000000')),
  fc.tuple(fc.constant('SELECT'), fc.constantFrom('0', '0', '9')),
  fc.tuple(fc.constant('DEL'), key),
  fc.tuple(key, fc.array(text, { minLength: 1, maxLength: 200 })).map(([k, items]) => ['RPUSH', k, ...items]),
  fc.tuple(key, fc.array(text, { minLength: 1, maxLength: 200 })).map(([k, items]) => ['SADD', k, ...items]),
  fc
    .tuple(key, fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 200 }))
    .map(([k, pairs]) => ['HSET', k, ...pairs.flat()]),
  fc
    .tuple(key, fc.array(fc.tuple(score, text), { minLength: 1, maxLength: 200 }))
    .map(([k, pairs]) => ['ZADD', k, ...pairs.flat()]),
)

againstRedis('DEBUG', () => {
  const pair = usePair()

  test('DIGEST is that of redis-server for the same data, before and after a reload', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 30 }), async (commands) => {
        await pair().same([...commands, ['SELECT', '0'], ['DEBUG', 'DIGEST-VALUE', 'a', 'b', 'c', 'd', 'missing']])
        await pair().sameData({ reload: true })
      }),
      { numRuns: 25 },
    )
  })

  test('DIGEST tells keys, databases and expiry apart', async () => {
    const { engine, redis } = await pair().session()
    const seen = new Set<string>()
    for (const command of ['FLUSHALL', 'SET a 1', 'SET a 2', 'RENAME a b', 'EXPIRE b 1000', 'MOVE b 1']) {
      await engine.send(...command.split(' '))
      seen.add(await engine.send('DEBUG', 'DIGEST'))
    }
    expect(seen.size).toBe(6)
    engine.close()
    redis.close()
  })

  test('RELOAD takes options, and says which it does not know', async () => {
    await pair().same([
      ['SET', 'a', '1'],
      ['DEBUG', 'RELOAD', 'FOO'],
      ['DEBUG', 'RELOAD'],
      ['SET', 'a', '2'],
      ['SET', 'b', '3'],
      ['DEBUG', 'RELOAD', 'nosave', 'NOFLUSH', 'MERGE'],
      ['MGET', 'a', 'b'],
      ['DEBUG', 'RELOAD', 'NOSAVE'],
      ['MGET', 'a', 'b'],
      ['DEBUG', 'DIGEST', 'x'],
      ['DEBUG', 'DIGEST-VALUE'],
    ])
  })
})
