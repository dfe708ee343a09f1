/** What a server does to clients that are too many, too far away, too slow or too quiet. */
import net from 'node:net'
import { describe, expect, test } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { againstRedis, RawConnection, startEngine, usePair } from '../testing/differential.ts'
import type { AssembledServer } from './assembly.ts'

/** Everything that the server says until it closes the connection. */
function readToEnd(port: number, localAddress: string, send: Uint8Array = Buffer.alloc(0)): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port, localAddress })
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    socket.write(send)
  })
}

againstRedis('refusals are those of redis-server 7.0', () => {
  const pair = usePair({ settings: { maxclients: '5' } })

  test('protected mode turns away clients from elsewhere', async () => {
    const [redis, engine] = await Promise.all([
      readToEnd(pair().redisPort, '127.0.1.1'),
      readToEnd(pair().enginePort, '127.0.1.1'),
    ])
    expect(engine).toBe(redis)
    expect(engine).toMatch(/^-DENIED/)
  })

  test('one client more than maxclients', async () => {
    const { engine } = pair()
    const connections: RawConnection[] = []
    for (let i = 0; i < 5; i++) {
      const connection = await RawConnection.open(pair().enginePort)
      expect(await connection.send('PING')).toBe('+PONG\r\n')
      connections.push(connection)
    }
    expect(await readToEnd(pair().enginePort, '127.0.0.1')).toBe('-ERR max number of clients reached\r\n')
    expect(engine.stats.connectionsRejected).toBeGreaterThan(0)
    for (const connection of connections) connection.close()
  })
})

againstRedis('maxmemory-clients', () => {
  const pair = usePair({ settings: { 'maxmemory-clients': '24mb', hz: '100' } })

  test('the largest clients have to go, but for those that are exempt', async () => {
    for (const port of [pair().redisPort, pair().enginePort]) {
      const watcher = await RawConnection.open(port)
      const exempt = await RawConnection.open(port)
      const large = await RawConnection.open(port)
      const largest = await RawConnection.open(port)
      expect(await exempt.send('CLIENT', 'NO-EVICT', 'on')).toBe('+OK\r\n')
      for (const [client, bytes] of [
        [exempt, 4_500_000],
        [large, 500_000],
        [largest, 3_000_000],
      ] as const) {
        await client.send('MULTI')
        expect(await client.send('SET', 'k', Buffer.alloc(bytes))).toBe('+QUEUED\r\n')
      }
      // These are not the largest when they make the total too much.
      const others: RawConnection[] = []
      while (!largest.closed) {
        const other = await RawConnection.open(port)
        others.push(other)
        await other.send('MULTI')
        await other.send('SET', 'k', Buffer.alloc(500_000))
      }
      expect(await exempt.send('EXEC')).toBe('*1\r\n+OK\r\n')
      const evicted = Number(/evicted_clients:(\d+)/.exec(await watcher.send('INFO', 'stats'))?.[1])
      expect(evicted).toBeGreaterThan(0)
      // What Redis counts for a moment while it reads may cost another one its place.
      if (port === pair().enginePort) expect(evicted).toBe(1)
      for (const client of others) client.close()
      for (const client of [watcher, exempt, large, largest]) client.close()
    }
  })

  test('DEBUG CLIENT-EVICTION lists the sizes of clients, and says when there is no limit', async () => {
    await pair().same(
      [
        ['DEBUG', 'CLIENT-EVICTION'],
        ['CONFIG', 'SET', 'maxmemory-clients', '0'],
        ['DEBUG', 'CLIENT-EVICTION'],
        ['CONFIG', 'SET', 'maxmemory-clients', '24mb'],
      ],
      [
        {
          command: 'debug',
          pattern: /tot-mem: +\d+, clients: \d+/g,
          replace: '',
          reason: 'clients have other sizes here',
        },
      ],
    )
  })
})

async function withEngine(
  settings: Readonly<Record<string, string>>,
  run: (server: AssembledServer) => Promise<void>,
): Promise<void> {
  const server = await startEngine({ save: '', ...settings })
  try {
    await run(server)
  } finally {
    server.stop()
  }
}

describe('limits', () => {
  test('an idle client is closed after `timeout`, a subscriber is not', async () => {
    await withEngine({ timeout: '1', hz: '100' }, async (server) => {
      const subscriber = await RawConnection.open(server.port)
      await subscriber.send('SUBSCRIBE', 'a')
      expect(await readToEnd(server.port, '127.0.0.1', encodeRequest(['PING']))).toBe('+PONG\r\n')
      expect(subscriber.closed).toBe(false)
      subscriber.close()
    })
  })

  test('a client whose query buffer grows beyond the limit is closed', async () => {
    await withEngine({ 'client-query-buffer-limit': '1mb' }, async (server) => {
      const bytes = Buffer.concat([Buffer.from('*2\r\n$4\r\nECHO\r\n$3000000\r\n'), Buffer.alloc(2_000_000)])
      expect(await readToEnd(server.port, '127.0.0.1', bytes)).toBe('')
    })
  })

  test('a subscriber that does not read is closed at the hard limit of its class', async () => {
    await withEngine({ 'client-output-buffer-limit': 'pubsub 1mb 0 0' }, async (server) => {
      const socket = net.connect({ host: '127.0.0.1', port: server.port })
      socket.on('error', () => {})
      const closed = new Promise((resolve) => socket.on('close', resolve))
      socket.write(encodeRequest(['SUBSCRIBE', 'flood']))
      await new Promise((resolve) => socket.once('data', resolve))
      socket.pause()
      const publisher = await RawConnection.open(server.port)
      let receivers = ''
      for (let i = 0; i < 200 && receivers !== ':0\r\n'; i++) {
        receivers = await publisher.send('PUBLISH', 'flood', Buffer.alloc(1_000_000))
      }
      expect(receivers).toBe(':0\r\n')
      socket.resume()
      await closed
      publisher.close()
    })
  })

  test('a normal client that does not read makes the server wait, not grow, and gets everything in the end', async () => {
    await withEngine({}, async (server) => {
      const setter = await RawConnection.open(server.port)
      await setter.send('SET', 'big', Buffer.alloc(1_000_000))
      const socket = net.connect({ host: '127.0.0.1', port: server.port })
      const requests = 200
      socket.pause()
      socket.write(Buffer.concat(Array.from({ length: requests }, () => encodeRequest(['GET', 'big']))))
      for (let i = 0; i < 100; i++) await setter.send('PING')
      const waiting = [...server.clients].reduce((sum, client) => sum + client.outputBytes, 0)
      expect(waiting).toBeLessThan(80_000_000)
      let received = 0
      const done = new Promise<void>((resolve) => {
        socket.on('data', (chunk) => {
          received += chunk.length
          if (received === requests * (1_000_000 + '$1000000\r\n\r\n'.length)) resolve()
        })
      })
      socket.resume()
      await done
      socket.destroy()
      setter.close()
    })
  })
})
