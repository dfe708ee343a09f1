/**
 * The `Network` port on Node: listening and connecting.
 *
 * What a connection does once it stands is in `socket-connection.ts`, on Node's public interface, and faster in
 * `handle-connection.ts` where this Node allows it.
 */

import { chmodSync } from 'node:fs'
import net from 'node:net'
import type { ConnectionHandlers, ConnectOptions, Listener, ListenHandlers, ListenOptions, Network } from '../io.ts'
import { ioErrorFrom } from './errors.ts'
import { HandleConnection, HandleSharing } from './handle-connection.ts'
import { SocketConnection } from './socket-connection.ts'
import { loadStreamBinding } from './stream-handle.ts'

export interface NodeNetworkOptions {
  /** Only Node's public interface: what happens anyway on a Node without the stream handle that is expected. */
  publicInterfaceOnly?: boolean
}

type MakeConnection = (socket: net.Socket, path: string | undefined, host: string, port: number) => SocketConnection

export function createNodeNetwork(options: NodeNetworkOptions): Network {
  const make = connectionMaker(options)
  return {
    listen: (options, handlers) => new NodeListener(make, options, handlers),
    connect: (options, handlers) => connect(make, options, handlers),
  }
}

function connectionMaker(options: NodeNetworkOptions): MakeConnection {
  const binding = options.publicInterfaceOnly === true ? undefined : loadStreamBinding()
  if (binding === undefined) return (socket, path, host, port) => new SocketConnection(socket, path, host, port)
  const sharing = new HandleSharing(binding)
  return (socket, path, host, port) => new HandleConnection(sharing, socket, path, host, port)
}

function connect(make: MakeConnection, options: ConnectOptions, handlers: ConnectionHandlers): SocketConnection {
  const socket = new net.Socket({ allowHalfOpen: true })
  socket.pause()
  const connection = make(socket, options.path, options.host, options.port)
  connection.setHandlers(handlers)
  try {
    if (options.path !== undefined) socket.connect({ path: options.path })
    else {
      const source = options.sourceHost === undefined ? {} : { localAddress: options.sourceHost }
      socket.connect({ host: options.host, port: options.port, ...source })
    }
  } catch (error) {
    socket.destroy(ioErrorFrom(error))
  }
  return connection
}

class NodeListener implements Listener {
  port = 0
  private readonly server: net.Server
  private closed = false

  constructor(make: MakeConnection, options: ListenOptions, handlers: ListenHandlers) {
    this.server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      if (this.closed) {
        socket.destroy()
        return
      }
      const connection = make(socket, options.path, options.host, this.port)
      handlers.onConnection(connection)
      connection.begin()
    })
    this.server.on('error', (error) => {
      const first = !this.closed
      this.close()
      if (first) handlers.onError(ioErrorFrom(error))
    })
    this.server.on('listening', () => {
      // Closed while the address was being bound.
      if (this.closed) {
        this.server.close()
        return
      }
      try {
        if (options.path !== undefined && options.permissions !== undefined)
          chmodSync(options.path, options.permissions)
      } catch (error) {
        this.server.emit('error', error)
        return
      }
      const address = this.server.address()
      if (address !== null && typeof address === 'object') this.port = address.port
      handlers.onListening?.(this)
    })
    const backlog = options.backlog === undefined ? {} : { backlog: options.backlog }
    try {
      if (options.path !== undefined) this.server.listen({ path: options.path, ...backlog })
      else this.server.listen({ host: options.host, port: options.port, ipv6Only: true, ...backlog })
    } catch (error) {
      setImmediate(() => this.server.emit('error', error))
    }
  }

  close(): void {
    this.closed = true
    if (this.server.listening) this.server.close()
  }
}
