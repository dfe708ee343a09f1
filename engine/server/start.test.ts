import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Connection, Io } from '../io.ts'
import { createNodeIo } from '../node/io.ts'
import { freePort } from '../testing/redis-server.ts'
import { createConfig } from './config.ts'
import { createLog } from './log.ts'
import { type StartedSockets, startServer } from './start.ts'

let directory = ''
let started: StartedSockets[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'faultline-start-'))
  started = []
})
afterEach(() => {
  for (const server of started) server.stop()
  rmSync(directory, { recursive: true, force: true })
})

interface Outcome {
  lines: string[]
  ports: number[]
  failed: boolean
  config: ReturnType<typeof createConfig>
  server: StartedSockets
}

/** Starts and waits until it is ready or has exited. */
function start(
  settings: Record<string, string | number>,
  more: { port?: number; load?: (done: (error?: string) => void) => void } = {},
) {
  return new Promise<Outcome>((resolve) => {
    const lines: string[] = []
    const ports: number[] = []
    const node = createNodeIo()
    const host = {
      ...node.host,
      print: (line: string) => void lines.push(line.replace(/^\S+ .*?\.\d{3} /, '')),
    }
    const io: Io = { ...node, host }
    const config = createConfig(io.disk, { settings, workingDirectory: directory })
    const accept = (connection: Connection) => {
      connection.setHandlers({ onData: (chunk) => void connection.write(Buffer.from(chunk)), onClose: () => {} })
    }
    const plan = {
      io,
      config,
      ...(more.port === undefined ? {} : { port: more.port }),
      onPort: (port: number) => void ports.push(port),
      log: createLog(io, config, () => 'M'),
      accept,
      load: more.load ?? ((done) => done()),
    }
    const server = startServer(plan, {
      onReady: () => resolve({ lines, ports, failed: false, config, server }),
      onFailure: () => resolve({ lines, ports, failed: true, config, server }),
    })
    started.push(server)
  })
}

function echoes(target: { port: number } | { path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', ...target }, () => socket.write('hello'))
    socket.on('data', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

test('it listens, writes its pid file, and takes both back when it stops', async () => {
  const port = await freePort()
  const { lines, server } = await start({ port, bind: '127.0.0.1', pidfile: 'my.pid' })
  expect(lines).toEqual([
    '* monotonic clock: POSIX clock_gettime',
    `* Running mode=standalone, port=${port}.`,
    '# Server initialized',
    '* Ready to accept connections',
  ])
  expect(readFileSync(join(directory, 'my.pid'), 'utf8')).toBe(`${process.pid}\n`)
  expect(await echoes({ port })).toBe(true)
  server.stop()
  expect(existsSync(join(directory, 'my.pid'))).toBe(false)
  expect(await echoes({ port })).toBe(false)
})

test('a port that is taken ends the start', async () => {
  const port = await freePort()
  await start({ port, bind: '127.0.0.1' })
  const { lines, failed } = await start({ port, bind: '127.0.0.1' })
  expect(failed).toBe(true)
  expect(lines.slice(1)).toEqual([
    `# Warning: Could not create server TCP listening socket 127.0.0.1:${port}: bind: Address already in use`,
    `# Failed listening on port ${port} (TCP), aborting.`,
  ])
})

test('an address that the host lacks is fatal, unless it is marked as optional', async () => {
  const port = await freePort()
  const warning = `# Warning: Could not create server TCP listening socket 192.0.2.1:${port}: bind: Cannot assign requested address`
  const refused = await start({ port, bind: '127.0.0.1 192.0.2.1' })
  expect(refused.failed).toBe(true)
  expect(refused.lines).toContain(warning)
  const accepted = await start({ port, bind: '-192.0.2.1 127.0.0.1' })
  expect(accepted.failed).toBe(false)
  expect(accepted.lines).toContain(warning)
  expect(await echoes({ port })).toBe(true)
})

test('the default addresses are all IPv4 and, where there is one, all IPv6', async () => {
  const port = await freePort()
  const { failed } = await start({ port })
  expect(failed).toBe(false)
  expect(await echoes({ port })).toBe(true)
})

test('nothing to listen on ends the start', async () => {
  const { lines, failed } = await start({ port: 0 })
  expect(failed).toBe(true)
  expect(lines.at(-1)).toBe('# Configured to not listen anywhere, exiting.')
})

test('a Unix socket works without TCP, has its permissions, and its file goes with the server', async () => {
  const { lines, server, config } = await start({ port: 0, unixsocket: 'x.sock' })
  expect(lines.at(-1)).toBe('* The server is now ready to accept connections at x.sock')
  const path = config.pathOf('x.sock')
  expect(await echoes({ path })).toBe(true)
  server.stop()
  expect(existsSync(path)).toBe(false)
  expect(lines.at(-1)).toBe('* Removing the unix socket file.')
})

test('unixsocketperm sets the mode of the socket file', async () => {
  const { config } = await start({ port: 0, unixsocket: 'y.sock', unixsocketperm: '700' })
  expect(statSync(config.pathOf('y.sock')).mode & 0o777).toBe(0o700)
})

test('a Unix socket that cannot be made ends the start', async () => {
  const { lines, failed } = await start({ port: 0, unixsocket: '/nonexistent/x.sock' })
  expect(failed).toBe(true)
  expect(lines.at(-1)).toMatch(/^# Failed opening Unix socket: bind: /)
})

test('a data set that cannot be loaded ends the start and frees the port', async () => {
  const port = await freePort()
  const { failed, lines } = await start({ port, bind: '127.0.0.1' }, { load: (done) => done('Bad file. Exiting.') })
  expect(failed).toBe(true)
  expect(lines.at(-1)).toBe('# Bad file. Exiting.')
  expect(await echoes({ port })).toBe(false)
})

test('CONFIG SET moves the server to another port', async () => {
  const port = await freePort()
  const { config } = await start({ port, bind: '127.0.0.1' })
  const other = await freePort()
  expect(
    config.set([
      ['port', String(other)],
      ['bind', '127.0.0.1 -192.0.2.1'],
    ]),
  ).toBe(undefined)
  await expect.poll(() => echoes({ port: other })).toBe(true)
  expect(await echoes({ port })).toBe(false)
})

test('a port that the system chooses serves every address', async () => {
  const { ports } = await start({ port: 6379, bind: '127.0.0.1 127.0.0.2' }, { port: 0 })
  expect(ports.length).toBe(1)
  expect(await echoes({ port: ports[0] as number })).toBe(true)
})

test('a cluster whose bus port would be too high is refused', async () => {
  const { failed, lines } = await start({ port: 65000, bind: '127.0.0.1', 'cluster-enabled': 'yes' })
  expect(failed).toBe(true)
  expect(lines.at(-1)).toMatch(/^# Redis port number too high\./)
})

test('TLS is refused at the start and by CONFIG SET, and the old values stay', async () => {
  const { failed, lines } = await start({ port: 0, 'tls-port': 1 })
  expect(failed).toBe(true)
  expect(lines.at(-1)).toBe('# Failed to configure TLS. Check logs for more info.')
  const { config } = await start({ port: await freePort(), bind: '127.0.0.1' })
  expect(config.set([['tls-cluster', 'yes']])).toBe(
    "ERR CONFIG SET failed (possibly related to argument 'tls-cluster') - Unable to update TLS configuration. Check server logs.",
  )
  expect(config.values['tls-cluster']).toBe(false)
})
