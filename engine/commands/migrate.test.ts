/** MIGRATE from the engine and from redis-server to a third server: the same answers, the same keys there and here. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  freePort,
  hasRedisServer,
  type PlainReply,
  type RunningRedis,
  startEngine,
  startRedis,
} from '../testing/redis-server.ts'

// Without redis-server there is nothing to compare with; CI must have it.
describe.skipIf(!hasRedisServer)('MIGRATE', () => {
  let engine: RunningRedis
  let redis: RunningRedis
  let target: RunningRedis
  beforeAll(async () => {
    engine = await startEngine(['--save', ''])
    redis = await startRedis(['--save', ''])
    target = await startRedis(['--save', ''])
  })
  afterAll(async () => {
    await Promise.all([engine, redis, target].map((server) => server?.stop()))
  })

  const shown = (reply: PlainReply) => (reply instanceof Error ? `-${reply.message}` : reply)

  /** Runs a scene at each source with an empty target and expects the same outcome of both. */
  async function same(scene: (source: RunningRedis, port: string) => Promise<PlainReply[]>): Promise<PlainReply[]> {
    const outcomes: PlainReply[][] = []
    for (const source of [redis, engine]) {
      await target.connection.send('FLUSHALL')
      for (const key of ['a', 'b', 'c', 'd']) await source.connection.send('DEL', key)
      outcomes.push((await scene(source, `${target.port}`)).map(shown))
    }
    expect(outcomes[1]).toEqual(outcomes[0])
    return outcomes[1] as PlainReply[]
  }

  /** What is where afterwards. */
  const state = async (source: RunningRedis) => {
    const values: PlainReply[] = []
    for (const { connection } of [source, target]) {
      for (const key of ['a', 'b', 'c']) values.push(await connection.send('GET', key))
    }
    return values
  }

  test('moves a key with its time to live', async () => {
    const outcome = await same(async ({ connection }, port) => {
      await connection.send('SET', 'a', 'value', 'EX', '1000')
      const reply = await connection.send('MIGRATE', '127.0.0.1', port, 'a', '0', '5000')
      const ttl = Number(await target.connection.send('TTL', 'a'))
      return [reply, await connection.send('EXISTS', 'a'), await target.connection.send('GET', 'a'), ttl > 990 ? 1 : 0]
    })
    expect(outcome).toEqual(['OK', 0, 'value', 1])
  })

  test('moves several keys, skips the missing ones, copies when asked to', async () => {
    await same(async (source, port) => {
      const { connection } = source
      await connection.send('MSET', 'a', '1', 'b', '2')
      const copied = await connection.send('MIGRATE', '127.0.0.1', port, '', '0', '5000', 'COPY', 'KEYS', 'a', 'b', 'c')
      const before = await state(source)
      const busy = await connection.send('MIGRATE', '127.0.0.1', port, '', '0', '5000', 'KEYS', 'a', 'b')
      const replaced = await connection.send('MIGRATE', '127.0.0.1', port, '', '0', '5000', 'REPLACE', 'KEYS', 'a', 'b')
      return [copied, ...before, busy, replaced, ...(await state(source))]
    })
  })

  test('keeps what the target refuses', async () => {
    await same(async (source, port) => {
      const { connection } = source
      await connection.send('MSET', 'a', '1', 'b', '2', 'c', '3')
      await target.connection.send('SET', 'b', 'in the way')
      const some = await connection.send('MIGRATE', '127.0.0.1', port, '', '0', '5000', 'KEYS', 'a', 'b', 'c')
      const after = await state(source)
      const password = await connection.send('MIGRATE', '127.0.0.1', port, 'b', '0', '5000', 'AUTH2', 'nobody', 'x')
      const database = await connection.send('MIGRATE', '127.0.0.1', port, 'b', '99', '5000', 'REPLACE')
      return [some, ...after, password, database, ...(await state(source))]
    })
  })

  test('refuses mistakes, and says when there is nothing to move', async () => {
    const closed = `${await freePort()}`
    await same(async ({ connection }, port) => [
      await connection.send('MIGRATE', '127.0.0.1', port, 'd', '0', '5000'),
      await connection.send('MIGRATE', '127.0.0.1', port, 'd', '0', 'soon'),
      await connection.send('MIGRATE', '127.0.0.1', port, 'd', 'x', '5000'),
      await connection.send('MIGRATE', '127.0.0.1', port, 'd', '0', '5000', 'KEYS', 'd'),
      await connection.send('MIGRATE', '127.0.0.1', port, 'd', '0', '5000', 'HASTE'),
      await connection.send('MIGRATE', '127.0.0.1', port, 'd', '0', '5000', 'AUTH'),
      await connection.send('MIGRATE', '127.0.0.1', port, 'd'),
      await connection.send('SET', 'd', '1'),
      await connection.send('MIGRATE', '127.0.0.1', closed, 'd', '0', '300'),
      await connection.send('GET', 'd'),
    ])
  })

  test('shows nobody the password', async () => {
    await same(async ({ connection }, port) => {
      await connection.send('CONFIG', 'SET', 'slowlog-log-slower-than', '0')
      await connection.send('SLOWLOG', 'RESET')
      await connection.send('MIGRATE', '127.0.0.1', port, 'none', '0', '5000', 'COPY', 'AUTH', 'secret')
      await connection.send('MIGRATE', '127.0.0.1', port, 'none', '0', '5000', 'AUTH2', 'name', 'secret', 'REPLACE')
      const entries = (await connection.send('SLOWLOG', 'GET', '2')) as PlainReply[][]
      await connection.send('CONFIG', 'SET', 'slowlog-log-slower-than', '10000')
      return entries.map((entry) => (entry[3] as string[]).map((word) => (word === port ? 'port' : word)))
    })
  })

  test('is refused in a transaction, where the client cannot be parked', async () => {
    const { connection } = engine
    await connection.send('SET', 'a', '1')
    await connection.send('MULTI')
    await connection.send('MIGRATE', '127.0.0.1', `${target.port}`, 'a', '0', '1000')
    const replies = await connection.send('EXEC')
    expect(Array.isArray(replies) ? replies.map(shown) : replies).toEqual([
      '-ERR MIGRATE is not allowed inside a transaction or a script',
    ])
    expect(await connection.send('GET', 'a')).toBe('1')
  })
})
