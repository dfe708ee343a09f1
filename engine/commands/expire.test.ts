import { expect, test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

const MAX = '9223372036854775807'
const MIN = '-9223372036854775808'

againstRedis('expiry answers as redis-server 7.0 does', () => {
  const pair = usePair()

  test('EXPIRE and its kin', async () => {
    const commands = ['EXPIRE', 'PEXPIRE', 'EXPIREAT', 'PEXPIREAT']
    const times = [
      '100000',
      '33177117420',
      '33177117420000',
      '0',
      '-1',
      'x',
      '',
      MIN,
      MAX,
      '9223372036854775',
      '-9223372036854776',
    ]
    await pair().same(
      commands.flatMap((command) =>
        times.flatMap((time): Words[] => [
          ['SET', 'k', 'v'],
          [command, 'k', time],
          ['EXISTS', 'k'],
          ['EXPIRETIME', 'none'],
          [command, 'none', time],
        ]),
      ),
    )
  })

  test('conditions', async () => {
    const conditions = [
      ['NX'],
      ['XX'],
      ['GT'],
      ['LT'],
      ['xx', 'gt'],
      ['XX', 'LT'],
      ['NX', 'XX'],
      ['NX', 'LT'],
      ['GT', 'LT'],
      ['FOO'],
    ]
    await pair().same(
      conditions.flatMap((condition): Words[] => [
        ['SET', 'k', 'v'],
        ['EXPIRE', 'k', '1000', ...condition],
        ['TTL', 'k'],
        ['EXPIRE', 'k', '500'],
        ['EXPIRE', 'k', '400', ...condition],
        ['TTL', 'k'],
        ['EXPIRE', 'k', '600', ...condition],
        ['TTL', 'k'],
        ['EXPIRE', 'none', '600', ...condition],
      ]),
    )
  })

  test('what is left, and PERSIST', async () => {
    await pair().same([
      ['SET', 'k', 'v'],
      ['TTL', 'k'],
      ['PTTL', 'k'],
      ['EXPIRETIME', 'k'],
      ['PEXPIRETIME', 'k'],
      ['PERSIST', 'k'],
      ['PEXPIREAT', 'k', '33177117420500'],
      ['EXPIRETIME', 'k'],
      ['PEXPIRETIME', 'k'],
      ['PEXPIREAT', 'k', '33177117420499'],
      ['EXPIRETIME', 'k'],
      ['PERSIST', 'k'],
      ['PERSIST', 'k'],
      ['PERSIST', 'none'],
      ['PTTL', 'none'],
      ['PEXPIREAT', 'k', MAX],
      ['PEXPIRETIME', 'k'],
      ['EXPIRETIME', 'k'],
      ['EXPIRE', 'k'],
      ['TTL'],
    ])
  })

  test('a key is gone when its time has come, touched or not', async () => {
    const { redis, engine } = await pair().session()
    try {
      for (const connection of [redis, engine]) {
        await connection.send('FLUSHALL')
        await connection.send('SET', 'other', 'v')
        for (let i = 0; i < 200; i++) await connection.send('SET', `k${i}`, 'v', 'PX', '1')
        const deadline = process.hrtime.bigint() + 10_000_000_000n
        while ((await connection.send('DBSIZE')) !== ':1\r\n' && process.hrtime.bigint() < deadline);
        expect(await connection.send('DBSIZE')).toBe(':1\r\n')
        expect(await connection.send('EXISTS', 'k1', 'other')).toBe(':1\r\n')
      }
    } finally {
      redis.close()
      engine.close()
    }
  })
})
