import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { againstRedis, compare, type RawConnection, usePair, type Words } from '../testing/differential.ts'

againstRedis('transactions answer as redis-server 7.0 does', () => {
  const pair = usePair()

  test('MULTI, EXEC, DISCARD', async () => {
    await pair().same([
      ['EXEC'],
      ['DISCARD'],
      ['MULTI'],
      ['MULTI'],
      ['WATCH', 'a'],
      ['SET', 'a', '1'],
      ['GET', 'a'],
      ['PING'],
      ['EXEC'],
      ['MULTI'],
      ['SET', 'a', '2'],
      ['DISCARD'],
      ['GET', 'a'],
      ['MULTI'],
      ['EXEC'],
    ])
  })

  test('a command that is refused while queueing makes EXEC fail', async () => {
    await pair().same([
      ['MULTI'],
      ['SET', 'a', '1'],
      ['nosuch'],
      ['EXEC'],
      ['MULTI'],
      ['SET', 'a'],
      ['EXEC'],
      ['MULTI'],
      ['EXEC', 'x'],
      ['EXEC'],
      ['EXEC', 'outside', 'of', 'MULTI'],
      ['EXEC'],
      ['EXISTS', 'a'],
    ])
  })

  test('an error while executing does not stop the others', async () => {
    await pair().same([
      ['MULTI'],
      ['SET', 'a', 'x'],
      ['INCR', 'a'],
      ['SELECT', '99'],
      ['SET', 'b', '1'],
      ['EXEC'],
      ['MGET', 'a', 'b'],
    ])
  })

  test('subscriptions and SELECT inside of a transaction', async () => {
    await pair().same([
      ['MULTI'],
      ['SELECT', '2'],
      ['SET', 'a', '1'],
      ['EXEC'],
      ['DBSIZE'],
      ['MULTI'],
      ['RESET'],
      ['EXEC'],
    ])
  })

  test('WATCH', async () => {
    await pair().same([
      ['SET', 'a', '1'],
      ['WATCH', 'a', 'b', 'a'],
      ['SET', 'a', '2'],
      ['MULTI'],
      ['GET', 'a'],
      ['EXEC'],
      ['WATCH', 'a'],
      ['SET', 'a', '3'],
      ['UNWATCH'],
      ['MULTI'],
      ['GET', 'a'],
      ['EXEC'],
      ['WATCH', 'missing'],
      ['DEL', 'missing'],
      ['FLUSHDB'],
      ['MULTI'],
      ['EXEC'],
      ['SET', 'a', '1'],
      ['WATCH', 'a'],
      ['FLUSHALL'],
      ['MULTI'],
      ['EXEC'],
      ['SELECT', '1'],
      ['SET', 'k', 'in one'],
      ['SELECT', '0'],
      ['WATCH', 'k'],
      ['SWAPDB', '0', '1'],
      ['MULTI'],
      ['GET', 'k'],
      ['EXEC'],
      ['GET', 'k'],
      ['WATCH', 'k'],
      ['SWAPDB', '2', '3'],
      ['MULTI'],
      ['EXEC'],
    ])
  })

  const key = fc.constantFrom('a', 'b')
  const command: fc.Arbitrary<Words> = fc.oneof(
    fc.constantFrom<Words>(
      ['MULTI'],
      ['EXEC'],
      ['DISCARD'],
      ['UNWATCH'],
      ['FLUSHDB'],
      ['nosuch'],
      ['SWAPDB', '0', '1'],
    ),
    fc.tuple(fc.constantFrom('WATCH', 'GET', 'DEL', 'INCR', 'PERSIST'), key),
    fc.tuple(fc.constant('SET'), key, fc.constantFrom('1', 'x')),
  )

  test('two clients interleaved', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), command), { maxLength: 25 }), async (steps) => {
        const first = await pair().session()
        const second = await pair().session()
        const run = async (one: RawConnection, other: RawConnection): Promise<Buffer[]> => {
          await one.send('FLUSHALL')
          const replies: Buffer[] = []
          for (const [byOther, words] of steps) {
            const connection = byOther ? other : one
            connection.write(encodeRequest(words))
            replies.push(...(await connection.read(1)))
          }
          return replies
        }
        try {
          const [redis, engine] = await Promise.all([run(first.redis, second.redis), run(first.engine, second.engine)])
          const commands = steps.map(([byOther, words]) => [byOther ? '(other)' : '(one)', ...words])
          compare(commands, redis, engine, 'RESP2', [])
        } finally {
          for (const { redis, engine } of [first, second]) {
            redis.close()
            engine.close()
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  test('a watched key that expires makes EXEC fail, whether or not it was removed', async () => {
    const { redis, engine } = await pair().session()
    for (const connection of [redis, engine]) {
      await connection.send('DEBUG', 'SET-ACTIVE-EXPIRE', '0')
      await connection.send('SET', 'gone', '1', 'PX', '1')
      while ((await connection.send('PTTL', 'gone')) !== ':-2\r\n');
      await connection.send('SET', 'late', '1', 'PX', '30')
      await connection.send('WATCH', 'late')
      while ((await connection.send('PTTL', 'late')) !== ':-2\r\n');
      await connection.send('MULTI')
      expect(await connection.send('EXEC')).toBe('*-1\r\n')
      await connection.send('DEBUG', 'SET-ACTIVE-EXPIRE', '1')
      connection.close()
    }
  })
})
