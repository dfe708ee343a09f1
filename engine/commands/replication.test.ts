import { expect, test } from 'vitest'
import { againstRedis, usePair } from '../testing/differential.ts'

againstRedis('replication commands answer as redis-server 7.0 does', () => {
  const pair = usePair()

  test('ROLE, WAIT, REPLCONF and their refusals on a primary without replicas', async () => {
    await pair().same([
      ['ROLE'],
      ['ROLE', 'x'],
      ['WAIT', '0', '0'],
      ['WAIT', '1', '10'],
      ['WAIT', 'x', '0'],
      ['WAIT', '1', 'x'],
      ['WAIT', '1', '-1'],
      ['WAIT', '1'],
      ['MULTI'],
      ['WAIT', '1', '0'],
      ['EXEC'],
      ['REPLCONF'],
      ['REPLCONF', 'listening-port'],
      ['REPLCONF', 'listening-port', 'x'],
      ['REPLCONF', 'listening-port', '1234'],
      ['REPLCONF', 'ip-address', 'somewhere'],
      ['REPLCONF', 'ip-address', 'x'.repeat(300)],
      ['REPLCONF', 'capa', 'eof', 'capa', 'unknown'],
      ['REPLCONF', 'what', 'x'],
      ['REPLCONF', 'rdb-only', 'x'],
      ['REPLICAOF', 'NO', 'ONE'],
      ['REPLICAOF', '127.0.0.1', 'x'],
      ['REPLICAOF', '127.0.0.1', '70000'],
      ['REPLICAOF', '127.0.0.1', '-1'],
      ['SLAVEOF', 'no', 'one'],
      ['PSYNC', '?'],
      ['SYNC', 'x'],
    ])
  })

  test('a replica that wants parts of the data set must know the end mark', async () => {
    const { redis, engine } = await pair().session()
    try {
      for (const words of [
        ['REPLCONF', 'rdb-filter-only', ''],
        ['SYNC'],
        ['PSYNC', '?', '-1'],
        ['REPLCONF', 'RDB-Filter-Only', 'functions Functions'],
        ['SYNC'],
        ['REPLCONF', 'rdb-filter-only', 'functions data'],
        ['REPLCONF', 'rdb-filter-only', '"functions'],
      ]) {
        const [wanted, got] = await Promise.all([redis.send(...words), engine.send(...words)])
        expect(`${words} ${got}`).toBe(`${words} ${wanted}`)
      }
    } finally {
      redis.close()
      engine.close()
    }
  })

  test('INFO replication has the same fields in the same order', async () => {
    const names = (reply: Buffer): string[] =>
      reply
        .toString()
        .split('\r\n')
        .map((line) => line.split(':')[0] ?? '')
    const fields = async (): Promise<string[][]> => {
      const replies = await pair().replies([['INFO', 'replication']], '2')
      return replies.map(([reply]) => names(reply as Buffer))
    }
    const compare = async (): Promise<void> => {
      const [redis, engine] = await fields()
      expect(engine?.slice(1)).toEqual(redis?.slice(1))
    }
    await compare()
    const both = await pair().session()
    for (const side of [both.redis, both.engine]) await side.send('CONFIG', 'SET', 'min-replicas-to-write', '1')
    await compare()
    for (const side of [both.redis, both.engine]) {
      await side.send('CONFIG', 'SET', 'min-replicas-to-write', '0')
      // Nobody answers at port 1.
      await side.send('REPLICAOF', '127.0.0.1', '1')
    }
    const roles = [await both.redis.send('ROLE'), await both.engine.send('ROLE')]
    expect(roles[1]?.replace('connecting', 'connect')).toBe(roles[0]?.replace('connecting', 'connect'))
    const [redis, engine] = (
      await Promise.all([both.redis, both.engine].map((side) => side.send('INFO', 'replication')))
    ).map((text) => names(Buffer.from(text)).slice(1))
    expect(engine).toEqual(redis)
    for (const side of [both.redis, both.engine]) {
      await side.send('REPLICAOF', 'NO', 'ONE')
      side.close()
    }
  })
})
