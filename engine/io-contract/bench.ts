/**
 * Connections with a memory: what the suites of the contract share. Everything opened through a bench is closed by it.
 */

import type { Connection, ConnectionHandlers, ConnectOptions, IoError, Listener, ListenOptions } from '../io.ts'
import type { ContractWorld } from './world.ts'

/** One end of a stream and what has been called at it. Data is copied; consecutive chunks count as one event. */
export class Recorder {
  readonly events: string[] = []
  readonly chunks: Buffer[] = []
  receivedBytes = 0
  drains = 0
  closes = 0
  error: IoError | undefined
  connection!: Connection
  /** Hooks for a test. */
  whenData: (chunk: Buffer) => void = () => {}
  whenDrain: () => void = () => {}

  /** `withEnd` false leaves `onEnd` out, so that the default applies. */
  handlers(withEnd = true): ConnectionHandlers {
    const handlers: ConnectionHandlers = {
      onConnect: () => this.note('connect'),
      onData: (chunk) => {
        this.note('data')
        this.chunks.push(Buffer.from(chunk))
        this.receivedBytes += chunk.length
        this.whenData(chunk)
      },
      onDrain: () => {
        this.drains++
        this.whenDrain()
      },
      onClose: (error) => {
        this.note('close')
        this.closes++
        this.error = error
      },
    }
    if (withEnd) handlers.onEnd = () => this.note('end')
    return handlers
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks)
  }

  get text(): string {
    return this.received.toString('latin1')
  }

  private note(event: string): void {
    if (event !== 'data' || this.events.at(-1) !== 'data') this.events.push(event)
  }
}

export interface Pair {
  client: Recorder
  server: Recorder
  listener: Listener
}

export class Bench {
  readonly world: ContractWorld
  private readonly listeners: Listener[] = []
  private readonly connections: Connection[] = []

  constructor(world: ContractWorld) {
    this.world = world
  }

  /** A listener that is listening. */
  async listen(
    onConnection: (connection: Connection) => void,
    options: Partial<ListenOptions> = {},
  ): Promise<Listener> {
    let ready = false
    const listener = this.world.server.network.listen(
      { host: this.world.serverHost, port: 0, ...options },
      {
        onConnection: (connection) => {
          this.connections.push(connection)
          onConnection(connection)
        },
        onListening: () => {
          ready = true
        },
        onError: (error) => {
          throw error
        },
      },
    )
    this.listeners.push(listener)
    await this.world.until(() => ready)
    return listener
  }

  connect(options: Partial<ConnectOptions>, handlers: ConnectionHandlers): Connection {
    const connection = this.world.client.network.connect({ host: this.world.serverHost, port: 0, ...options }, handlers)
    this.connections.push(connection)
    return connection
  }

  /** Two connected ends. */
  async pair(options: { withEnd?: boolean; connect?: Partial<ConnectOptions> } = {}): Promise<Pair> {
    const client = new Recorder()
    const server = new Recorder()
    const listener = await this.listen((connection) => {
      server.connection = connection
      connection.setHandlers(server.handlers(options.withEnd))
    })
    client.connection = this.connect({ port: listener.port, ...options.connect }, client.handlers(options.withEnd))
    await this.world.until(() => client.events.includes('connect') && server.connection !== undefined)
    return { client, server, listener }
  }

  /** A port that nobody listens on. */
  async closedPort(): Promise<number> {
    const listener = await this.listen(() => {})
    const { port } = listener
    listener.close()
    await this.world.settle()
    return port
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.destroy()
    for (const listener of this.listeners) listener.close()
    await this.world.settle()
    await this.world.dispose()
  }
}

/** Bytes in which every place can be told from every other nearby. */
export function patterned(length: number, seed = 0): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8) * 7 + seed) & 0xff
  return bytes
}
