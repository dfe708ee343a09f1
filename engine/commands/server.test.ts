import { expect, test } from 'vitest'
import { againstRedis, usePair } from '../testing/differential.ts'

againstRedis('server commands answer as redis-server 7.0 does', () => {
  const pair = usePair()

  test('DBSIZE, FLUSHDB, FLUSHALL, SWAPDB', async () => {
    await pair().same([
      ['SET', 'a', '1'],
      ['DBSIZE'],
      ['SWAPDB', '0', '1'],
      ['DBSIZE'],
      ['SELECT', '1'],
      ['GET', 'a'],
      ['SET', 'b', '2'],
      ['FLUSHDB', 'ASYNC'],
      ['DBSIZE'],
      ['FLUSHALL', 'SYNC'],
      ['FLUSHDB', 'x'],
      ['FLUSHALL', 'ASYNC', 'SYNC'],
      ['SWAPDB', 'x', '1'],
      ['SWAPDB', '1', 'x'],
      ['SWAPDB', '0', '16'],
      ['SWAPDB', '-1', '0'],
      ['SWAPDB', '0', '0'],
    ])
  })

  test('SHUTDOWN that does not shut down', async () => {
    await pair().same([
      ['SHUTDOWN', 'x'],
      ['SHUTDOWN', 'ABORT'],
      ['SHUTDOWN', 'ABORT', 'NOW'],
      ['SHUTDOWN', 'SAVE', 'NOSAVE'],
    ])
  })

  test('DEBUG', async () => {
    const types = 'string integer double bignum null array set map attrib verbatim true false nosuch'
    await pair().same([
      ...types.split(' ').map((type) => ['DEBUG', 'PROTOCOL', type]),
      ['DEBUG', 'ERROR', 'FOO bar\r\nbaz'],
      ['DEBUG', 'ERROR', 'a', 'b'],
      ['DEBUG', 'nosuch'],
      ['DEBUG', 'SET-ACTIVE-EXPIRE', '1'],
      ['DEBUG'],
    ])
  })

  test('INFO has the sections and fields of redis-server, in its order', async () => {
    const { redis, engine } = await pair().session()
    const names = async (connection: typeof redis): Promise<string[]> => {
      const text = await connection.send('INFO', 'everything')
      return text.split('\r\n').map((line) => (line.startsWith('#') ? line : (line.split(':')[0] as string)))
    }
    await redis.send('SET', 'a', '1')
    await engine.send('SET', 'a', '1')
    const [wanted, got] = [await names(redis), await names(engine)]
    redis.close()
    engine.close()
    const stable = (name: string): boolean => name !== '' && !/^[$]|^cmdstat|^errorstat|^latency/.test(name)
    const known = got.filter(stable)
    expect(known.filter((name) => !wanted.includes(name))).toEqual([])
    expect(known).toEqual(wanted.filter((name) => known.includes(name)))
  })

  test('INFO of unknown sections is empty', async () => {
    await pair().same([
      ['INFO', 'nosuch'],
      ['INFO', 'CLUSTER'],
      ['INFO', 'cluster', 'nosuch', 'modules'],
      ['INFO', 'keyspace'],
    ])
  })

  test('TIME is the time', async () => {
    const { redis, engine } = await pair().session()
    const read = async (connection: typeof redis): Promise<number> =>
      Number((await connection.send('TIME')).split('\r\n')[2])
    const [wanted, got] = await Promise.all([read(redis), read(engine)])
    redis.close()
    engine.close()
    expect(Math.abs(got - wanted)).toBeLessThanOrEqual(60)
  })

  test('MONITOR shows what runs', async () => {
    const watching = await pair().session()
    const acting = await pair().session()
    const run = async (watcher: typeof watching.redis, actor: typeof watching.redis): Promise<string[]> => {
      await watcher.send('MONITOR')
      await actor.send('SET', 'a b', '"\\\n\x01\xff')
      await actor.send('MULTI')
      await actor.send('GET', 'x')
      await actor.send('EXEC')
      await actor.send('CONFIG', 'GET', 'port')
      await actor.send('SELECT', '3')
      await actor.send('PING', 'end')
      const lines = await watcher.read(6)
      return lines.map((line) =>
        line
          .toString('latin1')
          .replace(/^\+\d+\.\d{6} /, '')
          .replace(/127\.0\.0\.1:\d+/, 'address'),
      )
    }
    const [redis, engine] = await Promise.all([run(watching.redis, acting.redis), run(watching.engine, acting.engine)])
    for (const { redis: one, engine: other } of [watching, acting]) {
      one.close()
      other.close()
    }
    expect(engine).toEqual(redis)
  })
})
