/** The contract of `Network`: listening, connecting, addresses and what goes wrong with them. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connection, ConnectOptions, ListenOptions } from '../io.ts'
import { IoError } from '../io.ts'
import { Bench, Recorder } from './bench.ts'
import type { MakeWorld } from './world.ts'

/** TEST-NET-1: nobody owns it. */
const FOREIGN_ADDRESS = '192.0.2.1'

export function addressContract(makeWorld: MakeWorld): void {
  let bench: Bench
  beforeEach(async () => {
    bench = new Bench(await makeWorld())
  })
  afterEach(() => bench.close())

  async function listenError(options: Partial<ListenOptions>): Promise<IoError> {
    let error: IoError | undefined
    let listening = false
    bench.world.server.network.listen(
      { host: bench.world.serverHost, port: 0, ...options },
      {
        onConnection() {},
        onListening() {
          listening = true
        },
        onError(it) {
          error = it
        },
      },
    )
    expect(error).toBe(undefined)
    await bench.world.until(() => error !== undefined)
    expect(error).toBeInstanceOf(IoError)
    expect(listening).toBe(false)
    return error!
  }

  async function connectError(options: Partial<ConnectOptions>): Promise<IoError | undefined> {
    const client = new Recorder()
    bench.connect(options, client.handlers())
    expect(client.closes).toBe(0)
    await bench.world.until(() => client.closes === 1)
    await bench.world.settle()
    expect(client.events).toEqual(['close'])
    return client.error
  }

  describe('listening', () => {
    it('on port 0 gets a free port, which the listener tells', async () => {
      const first = await bench.listen(() => {})
      const second = await bench.listen(() => {})
      expect(first.port).toBeGreaterThan(0)
      expect(second.port).toBeGreaterThan(0)
      expect(second.port).not.toBe(first.port)
    })

    it('on a port in use fails with EADDRINUSE', async () => {
      const { port } = await bench.listen(() => {})
      expect((await listenError({ port })).code).toBe('EADDRINUSE')
      expect((await listenError({ port, host: '0.0.0.0' })).code).toBe('EADDRINUSE')
    })

    it('on an address of somebody else fails with EADDRNOTAVAIL', async () => {
      expect((await listenError({ host: FOREIGN_ADDRESS })).code).toBe('EADDRNOTAVAIL')
    })

    it('on an impossible port fails with EINVAL', async () => {
      expect((await listenError({ port: 70_000 })).code).toBe('EINVAL')
    })

    it('on every address accepts at each of them', async () => {
      const hosts: string[] = []
      const listener = await bench.listen(
        (connection) => {
          hosts.push(connection.localHost)
          connection.setHandlers(new Recorder().handlers())
        },
        { host: '0.0.0.0' },
      )
      const client = new Recorder()
      bench.connect({ port: listener.port }, client.handlers())
      await bench.world.until(() => hosts.length === 1)
      expect(hosts).toEqual([bench.world.serverHost])
    })

    it('ends with close: connections live on, new ones are refused, the port is free again', async () => {
      const { client, server, listener } = await bench.pair()
      const { port } = listener
      listener.close()
      listener.close()
      await bench.world.settle()
      expect((await connectError({ port }))?.code).toBe('ECONNREFUSED')
      client.connection.write(Buffer.from('alive'))
      await bench.world.until(() => server.text === 'alive')
      expect((await bench.listen(() => {}, { port })).port).toBe(port)
    })

    it('is never announced when it was closed at once', async () => {
      let calls = 0
      const count = (): void => {
        calls++
      }
      const handlers = { onConnection: count, onListening: count, onError: count }
      bench.world.server.network.listen({ host: bench.world.serverHost, port: 0 }, handlers).close()
      await bench.world.settle()
      expect(calls).toBe(0)
    })

    it('reads what arrives only after onConnection has set the handlers', async () => {
      const server = new Recorder()
      let insideAccept = false
      const listener = await bench.listen((connection) => {
        insideAccept = true
        connection.setHandlers(server.handlers())
        connection.write(Buffer.from('hello'))
        expect(server.events).toEqual([])
        insideAccept = false
      })
      server.whenData = () => expect(insideAccept).toBe(false)
      const client = new Recorder()
      bench.connect({ port: listener.port }, client.handlers()).write(Buffer.from('early'))
      await bench.world.until(() => server.text === 'early' && client.text === 'hello')
      expect(client.events).toEqual(['connect', 'data'])
    })
  })

  describe('connecting', () => {
    it('shows both ends the same addresses and ports', async () => {
      const { client, server, listener } = await bench.pair()
      expect(client.connection.remoteHost).toBe(bench.world.serverHost)
      expect(client.connection.remotePort).toBe(listener.port)
      expect(server.connection.localHost).toBe(bench.world.serverHost)
      expect(server.connection.localPort).toBe(listener.port)
      expect(server.connection.remoteHost).toBe(client.connection.localHost)
      expect(server.connection.remotePort).toBe(client.connection.localPort)
      expect(client.connection.localHost).toBe(bench.world.clientHosts[0])
      expect(client.connection.localPort).toBeGreaterThan(0)
      expect([client.connection.isUnixSocket, server.connection.isUnixSocket]).toEqual([false, false])
    })

    it('keeps its addresses after it is closed', async () => {
      const { client, server } = await bench.pair()
      const port = client.connection.localPort
      client.connection.destroy()
      await bench.world.until(() => client.closes === 1)
      expect(client.connection.localPort).toBe(port)
      expect(server.connection.remotePort).toBe(port)
    })

    it('from a source address shows it to the peer', async () => {
      const sourceHost = bench.world.clientHosts[1]
      const { client, server } = await bench.pair({ connect: { sourceHost } })
      expect(server.connection.remoteHost).toBe(sourceHost)
      expect(client.connection.localHost).toBe(sourceHost)
    })

    it('to a port without listener fails with ECONNREFUSED, and writes are dropped', async () => {
      const port = await bench.closedPort()
      const error = await connectError({ port })
      expect(error).toBeInstanceOf(IoError)
      expect(error?.code).toBe('ECONNREFUSED')
      const client = new Recorder()
      const connection = bench.connect({ port }, client.handlers())
      connection.write(Buffer.from('lost'))
      await bench.world.until(() => client.closes === 1)
      expect(client.drains).toBe(0)
      expect(connection.bufferedBytes).toBe(0)
    })

    it('from an address of somebody else fails with EADDRNOTAVAIL', async () => {
      expect((await connectError({ port: 1, sourceHost: FOREIGN_ADDRESS }))?.code).toBe('EADDRNOTAVAIL')
    })

    it('to an impossible port fails with EINVAL, by callback', async () => {
      expect((await connectError({ port: 70_000 }))?.code).toBe('EINVAL')
    })

    it('may be given up before the handshake is done', async () => {
      const listener = await bench.listen((connection) => connection.setHandlers(new Recorder().handlers()))
      const client = new Recorder()
      const connection = bench.connect({ port: listener.port }, client.handlers())
      connection.write(Buffer.from('never mind'))
      connection.destroy()
      await bench.world.until(() => client.closes === 1)
      await bench.world.settle()
      expect(client.events).toEqual(['close'])
      expect(client.error).toBe(undefined)
    })
  })

  describe('a Unix socket', () => {
    const path = (): string => `${bench.world.directory}/contract.sock`

    it('carries bytes between ends that show its path', async () => {
      const server = new Recorder()
      let accepted: Connection | undefined
      const { network } = bench.world.server
      const listener = await bench.listen(
        (connection) => {
          accepted = connection
          connection.setHandlers(server.handlers())
        },
        { path: path() },
      )
      const client = new Recorder()
      const connection = network.connect({ host: '', port: 0, path: path() }, client.handlers())
      connection.write(Buffer.from('local'))
      await bench.world.until(() => server.text === 'local')
      for (const end of [connection, accepted!]) {
        expect(end.isUnixSocket).toBe(true)
        expect([end.localHost, end.localPort, end.remoteHost, end.remotePort]).toEqual([path(), 0, path(), 0])
      }
      expect(listener.port).toBe(0)
      connection.setNoDelay(true)
      connection.setKeepAlive(10)
      connection.destroy()
      await bench.world.until(() => client.closes === 1)
    })

    it('that does not exist fails with ENOENT', async () => {
      expect((await connectError({ path: path() }))?.code).toBe('ENOENT')
    })

    it('in use fails with EADDRINUSE', async () => {
      await bench.listen(() => {}, { path: path() })
      expect((await listenError({ path: path() })).code).toBe('EADDRINUSE')
    })
  })
}
