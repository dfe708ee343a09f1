/** Many clients that do nothing, and some that never read: memory stays bounded, others do not notice. */
import net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { type RunningRedis, startEngine } from '../testing/redis-server.ts'

const IDLE_CLIENTS = 10_000
const BYTES_PER_IDLE_CLIENT = 30_000

let engine: RunningRedis | undefined
const sockets: net.Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await engine?.stop()
})

async function figure({ connection }: RunningRedis, name: string): Promise<number> {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(String(await connection.send('INFO', 'everything')))?.[1])
}

/** Resolves with whether the connection stands: a process may not be allowed so many files. */
function connect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port })
    sockets.push(socket)
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
}

// Two processes hold a file for each connection: a limit of fewer files (ulimit -Hn) makes a smaller crowd.
test('ten thousand idle connections cost little, and the next client is served', async () => {
  engine = await startEngine(['--save', '', '--maxclients', '20000', '--tcp-backlog', '4096'])
  const before = await figure(engine, 'used_memory_rss')
  let standing = 0
  while (sockets.length < IDLE_CLIENTS) {
    const made = await Promise.all(Array.from({ length: 200 }, () => connect((engine as RunningRedis).port)))
    standing += made.filter(Boolean).length
    if (made.includes(false)) break
  }
  expect(standing).toBeGreaterThan(900)
  expect(await engine.connection.send('SET', 'a', '1')).toBe('OK')
  // The system has said yes to some that the server has not seen yet.
  while ((await figure(engine, 'connected_clients')) < standing + 1);
  expect(await figure(engine, 'connected_clients')).toBe(standing + 1)
  expect((await figure(engine, 'used_memory_rss')) - before).toBeLessThan(standing * BYTES_PER_IDLE_CLIENT + 50_000_000)
}, 120_000)

test('clients that never read what they ask for do not make the server grow, and others are served', async () => {
  engine = await startEngine(['--save', ''])
  await engine.connection.send('SET', 'big', 'x'.repeat(1_000_000))
  for (let i = 0; i < 4; i++) {
    const socket = net.connect({ host: '127.0.0.1', port: engine.port })
    sockets.push(socket)
    socket.on('error', () => {})
    socket.pause()
    socket.write(Buffer.concat(Array.from({ length: 500 }, () => encodeRequest(['GET', 'big']))))
  }
  for (let i = 0; i < 200; i++) expect(await engine.connection.send('STRLEN', 'big')).toBe(1_000_000)
  // 64 MiB for each of them, where all that they ask for would be two gigabytes.
  expect(await figure(engine, 'used_memory_rss')).toBeLessThan(900_000_000)
  expect(await figure(engine, 'mem_clients_normal')).toBeLessThan(400_000_000)
})
