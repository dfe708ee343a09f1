/** maxmemory against the real redis-server: who is refused, and which keys go. */
import { expect, test } from 'vitest'
import { againstRedis, type RawConnection, usePair, type Words } from '../testing/differential.ts'

/** The number behind `name:` in INFO. */
async function figure(server: RawConnection, name: string): Promise<number> {
  const info = await server.send('INFO', 'everything')
  return Number(new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1])
}

const unlimited: Words[] = [
  ['CONFIG', 'SET', 'maxmemory', '0'],
  ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
]

againstRedis('maxmemory', () => {
  const pair = usePair({ settings: { hz: '100' } })

  test('noeviction refuses what needs memory, and a whole transaction of it', async () => {
    await pair().same([
      ['SET', 'a', '1'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['SET', 'b', '1'],
      ['GET', 'a'],
      ['LPUSH', 'l', '1'],
      ['DEL', 'a'],
      ['APPEND', 'a', 'x'],
      ['EXPIRE', 'a', '10'],
      ['SET', 'b'],
      ['NOSUCH'],
      ['MULTI'],
      ['SET', 'b', '1'],
      ['EXEC'],
      ['MULTI'],
      ['GET', 'b'],
      ['EXEC'],
      ['MULTI'],
      ['UNWATCH'],
      ['DISCARD'],
      ['CONFIG', 'SET', 'maxmemory', '0'],
      ['MULTI'],
      ['SET', 'b', '1'],
      ['GET', 'b'],
      ['EXEC'],
      ['MULTI'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['SET', 'c', '1'],
      ['EXEC'],
      ['SET', 'd', '1'],
      ...unlimited,
    ])
  })

  test('scripts may go on, but not begin with a write that needs memory', async () => {
    const write = "return redis.call('SET', KEYS[1], 'x')"
    await pair().same([
      ['SET', 'a', '1'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['EVAL', write, '1', 'k'],
      ['EVAL', "return redis.call('GET', KEYS[1])", '1', 'a'],
      ['EVAL', `redis.call('DEL', KEYS[1]) ${write}`, '1', 'k'],
      ['EVAL', `#!lua\n${write}`, '1', 'k'],
      ['EVAL', `#!lua flags=allow-oom\n${write}`, '1', 'k'],
      ['EVAL', "#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])", '1', 'k'],
      ['EVAL_RO', "return redis.call('GET', KEYS[1])", '1', 'k'],
      ...unlimited,
    ])
  })

  test.each([
    'allkeys-lru',
    'allkeys-lfu',
    'allkeys-random',
    'volatile-lru',
    'volatile-lfu',
    'volatile-random',
    'volatile-ttl',
  ])('%s removes all that it may before it refuses', async (policy) => {
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
    await pair().same([
      ...keys.map((key): Words => ['SET', key, 'x']),
      ...keys.slice(0, 20).map((key): Words => ['EXPIRE', key, '1000']),
      ['SELECT', '3'],
      ['SET', 'there', 'x', 'EX', '1000'],
      ['CONFIG', 'SET', 'maxmemory-policy', policy],
      // In one go: otherwise what is left is done between commands, and the next one may run.
      ['CONFIG', 'SET', 'maxmemory-eviction-tenacity', '100'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['SET', 'new', 'x'],
      ['DBSIZE'],
      ['SELECT', '0'],
      ['DBSIZE'],
      ['EXISTS', ...keys.slice(0, 20)],
      ['EXISTS', ...keys.slice(20)],
      ...unlimited,
      ['SET', 'new', 'x'],
    ])
  })

  /**
   * Makes 1000 keys, of which the even ones should go first; then takes the memory of about 300 away. Returns how many
   * of the odd ones have survived, and how many of all.
   */
  async function survivors(
    server: RawConnection,
    policy: string,
    make: (key: string, isGood: boolean, payload: Buffer) => Words,
  ): Promise<{ good: number; all: number }> {
    for (const words of [['FLUSHALL'], ...unlimited, ['CONFIG', 'SET', 'maxmemory-policy', policy]]) {
      await server.send(...words)
    }
    await server.send('SET', 'payload', 'v'.repeat(200))
    const dump = await server.send('DUMP', 'payload')
    const payload = Buffer.from(dump.slice(dump.indexOf('\r\n') + 2, -2), 'latin1')
    await server.send('DEL', 'payload')
    const emptyBytes = await figure(server, 'used_memory')
    for (let i = 0; i < 1000; i++) {
      expect(await server.send(...make(`key:${i}`, i % 2 === 1, payload))).toBe('+OK\r\n')
    }
    const fullBytes = await figure(server, 'used_memory')
    const limit = Math.floor(fullBytes - 0.3 * (fullBytes - emptyBytes))
    await server.send('CONFIG', 'SET', 'maxmemory', String(limit))
    // What the connection itself needs goes up and down by some kilobytes.
    while ((await figure(server, 'used_memory')) > limit + 8192) await server.send('PING')
    const odd = Array.from({ length: 500 }, (_, i) => `key:${i * 2 + 1}`)
    const good = Number((await server.send('EXISTS', ...odd)).slice(1))
    const all = Number((await server.send('DBSIZE')).slice(1))
    for (const words of unlimited) await server.send(...words)
    return { good, all }
  }

  test.each<[string, (key: string, isGood: boolean, payload: Buffer) => Words]>([
    ['allkeys-lru', (key, isGood, payload) => ['RESTORE', key, '0', payload, 'IDLETIME', isGood ? '10' : '1000']],
    [
      'volatile-lru',
      (key, isGood, payload) => ['RESTORE', key, '9000000', payload, 'IDLETIME', isGood ? '10' : '1000'],
    ],
    ['allkeys-lfu', (key, isGood, payload) => ['RESTORE', key, '0', payload, 'FREQ', isGood ? '200' : '20']],
    ['volatile-ttl', (key, isGood, payload) => ['RESTORE', key, isGood ? '9000000' : '1000000', payload]],
  ])('%s spares the keys that it should, about as well as redis-server', async (policy, make) => {
    const { redis, engine } = await pair().session()
    for (const server of [redis, engine]) {
      const { good, all } = await survivors(server, policy, make)
      expect(all).toBeGreaterThan(400)
      expect(all).toBeLessThan(850)
      // Redis loses up to twenty of them while there are others; chance alone would take 150.
      expect(good).toBeGreaterThanOrEqual(Math.min(500, all) - 60)
      expect(await figure(server, 'evicted_keys')).toBeGreaterThan(0)
    }
    redis.close()
    engine.close()
  })

  test('volatile policies leave alone what does not expire, random ones spare nobody', async () => {
    const { redis, engine } = await pair().session()
    for (const server of [redis, engine]) {
      const volatile = await survivors(server, 'volatile-random', (key, isGood, payload) => [
        'RESTORE',
        key,
        isGood ? '0' : '9000000',
        payload,
      ])
      expect(volatile.good).toBe(500)
      const random = await survivors(server, 'allkeys-random', (key, _, payload) => ['RESTORE', key, '0', payload])
      expect(random.good).toBeLessThan(470)
    }
    redis.close()
    engine.close()
  })

  test('an eviction is told to whoever listens, watches or follows', async () => {
    const { redis, engine } = await pair().session()
    const others = await pair().session()
    for (const [server, listener] of [
      [redis, others.redis],
      [engine, others.engine],
    ] as const) {
      for (const words of [['FLUSHALL'], ['CONFIG', 'SET', 'notify-keyspace-events', 'Ee'], ['SET', 'k', 'v']]) {
        await server.send(...words)
      }
      await listener.send('WATCH', 'k')
      const before = await figure(server, 'evicted_keys')
      await server.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
      await server.send('CONFIG', 'SET', 'maxmemory', '1')
      await server.send('PING')
      while ((await server.send('EXISTS', 'k')) !== ':0\r\n');
      for (const words of unlimited) await server.send(...words)
      expect((await figure(server, 'evicted_keys')) - before).toBe(1)
      await listener.send('MULTI')
      await listener.send('PING')
      expect(await listener.send('EXEC')).toBe('*-1\r\n')
      await listener.send('SUBSCRIBE', '__keyevent@0__:evicted')
      await server.send('SET', 'k2', 'v')
      await server.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
      await server.send('CONFIG', 'SET', 'maxmemory', '1')
      await server.send('PING')
      expect(String((await listener.read(1))[0])).toBe(
        '*3\r\n$7\r\nmessage\r\n$22\r\n__keyevent@0__:evicted\r\n$2\r\nk2\r\n',
      )
      for (const words of unlimited) await server.send(...words)
    }
    for (const connection of [redis, engine, others.redis, others.engine]) connection.close()
  })

  test('used_memory follows what is there, INFO and MEMORY STATS have the fields of redis-server', async () => {
    const { redis, engine } = await pair().session()
    await engine.send('FLUSHALL')
    const empty = await figure(engine, 'used_memory')
    await engine.send('DEBUG', 'POPULATE', '1000', 'k', '1000')
    const full = await figure(engine, 'used_memory')
    expect(full - empty).toBeGreaterThan(1_000_000)
    expect(full - empty).toBeLessThan(1_500_000)
    expect(await figure(engine, 'used_memory_peak')).toBeGreaterThanOrEqual(full)
    await engine.send('RPUSH', 'l', ...Array.from({ length: 1000 }, () => 'x'.repeat(1000)))
    expect((await figure(engine, 'used_memory')) - full).toBeGreaterThan(900_000)
    await engine.send('FLUSHALL')
    expect(await figure(engine, 'used_memory')).toBeLessThan(empty + 100_000)
    const names = (text: string) => [...text.matchAll(/^([a-z_]+):/gm)].map(([, name]) => name)
    for (const section of ['memory', 'clients']) {
      const [theirs, ours] = await Promise.all([redis.send('INFO', section), engine.send('INFO', section)])
      expect(names(ours)).toEqual(names(theirs))
    }
    const statNames = (text: string) => [...text.matchAll(/^([a-z][a-z.0-9-]+)\r$/gm)].map(([, name]) => name)
    for (const server of [redis, engine]) await server.send('SET', 'a', 'b')
    const [theirs, ours] = await Promise.all([redis.send('MEMORY', 'STATS'), engine.send('MEMORY', 'STATS')])
    expect(statNames(ours)).toEqual(statNames(theirs))
    redis.close()
    engine.close()
  })
})
