/**
 * The bench of the proxy's tests: a proxy server driven through toxiproxy-node-client, a node double behind it, and
 * peers on both ends of a link that remember what came. Everything it opens is closed by `close`.
 *
 * Waiting is by event, never by time: `Peer.until` looks again whenever something happened on the socket, and
 * `eventually` whenever the event loop has turned.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Toxic, type ToxicDirection, type ToxicType, Toxiproxy } from 'toxiproxy-node-client'
import type { LinkReport } from '../connection.ts'
import { ProxyServer } from '../proxy-server.ts'

type ClientProxy = Awaited<ReturnType<Toxiproxy['get']>>

/** One end of a connection, and everything that came out of it. */
export class Peer {
  readonly socket: Socket
  /** How the other end closed, as this end saw it. */
  ending: 'none' | 'fin' | 'reset' = 'none'
  closed = false
  #chunks: Buffer[] = []
  #bytes = 0
  #watchers: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#bytes += chunk.length
      this.#changed()
    })
    socket.on('end', () => {
      this.ending = 'fin'
      this.#changed()
    })
    socket.on('error', () => {
      this.ending = 'reset'
      this.#changed()
    })
    socket.on('close', () => {
      this.closed = true
      this.#changed()
    })
  }

  get receivedBytes(): number {
    return this.#bytes
  }

  get chunkSizes(): number[] {
    return this.#chunks.map((chunk) => chunk.length)
  }

  received(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  send(data: Buffer | string): void {
    this.socket.write(data)
  }

  /** Resolves once `condition` holds; the test's own time limit bounds the wait. */
  async until(condition: (peer: Peer) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#watchers.push(resolve))
    return this
  }

  /** Resolves with everything that came, once it is at least `bytes` long. */
  async bytes(bytes: number): Promise<Buffer> {
    await this.until(() => this.#bytes >= bytes)
    return this.received()
  }

  #changed(): void {
    const watchers = this.#watchers
    this.#watchers = []
    for (const wake of watchers) wake()
  }
}

/** A node double: accepts connections and hands them out in the order they came. */
export class NodeDouble {
  readonly peers: Peer[] = []
  readonly #server: Server
  #watchers: (() => void)[] = []

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      this.peers.push(new Peer(socket))
      const watchers = this.#watchers
      this.#watchers = []
      for (const wake of watchers) wake()
    })
  }

  static async start(): Promise<NodeDouble> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const node = new NodeDouble(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return node
  }

  get address(): string {
    const bound = this.#server.address()
    if (bound === null || typeof bound === 'string') throw new Error('the node double does not listen')
    return `127.0.0.1:${bound.port}`
  }

  async peer(index: number): Promise<Peer> {
    for (;;) {
      const peer = this.peers[index]
      if (peer !== undefined) return peer
      await new Promise<void>((resolve) => this.#watchers.push(resolve))
    }
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

export class ProxyBench {
  readonly server: ProxyServer
  readonly toxiproxy: Toxiproxy
  readonly node: NodeDouble
  readonly proxy: ClientProxy
  readonly #dialled: Peer[] = []

  private constructor(server: ProxyServer, toxiproxy: Toxiproxy, node: NodeDouble, proxy: ClientProxy) {
    this.server = server
    this.toxiproxy = toxiproxy
    this.node = node
    this.proxy = proxy
  }

  /** A server with one proxy `node-1` in front of a node double. */
  static async open(random?: () => number): Promise<ProxyBench> {
    const server = await ProxyServer.start(random === undefined ? {} : { random })
    const node = await NodeDouble.start()
    const toxiproxy = new Toxiproxy(server.url)
    const proxy = await toxiproxy.createProxy({ name: 'node-1', listen: '127.0.0.1:0', upstream: node.address })
    return new ProxyBench(server, toxiproxy, node, proxy)
  }

  /** Adds a toxic through the client. `attributes` may carry our extensions, which its types do not know. */
  toxic(type: string, stream: ToxicDirection, attributes: object, toxicity = 1): Promise<Toxic<object>> {
    const name = `${type}_${stream}`
    return this.proxy.addToxic({ name, type: type as ToxicType, stream, toxicity, attributes })
  }

  /** Connects to the proxy, from the given loopback address. */
  async dial(source = '127.0.0.1'): Promise<Peer> {
    const { listen } = this.server.proxy('node-1')
    const port = Number(listen.slice(listen.lastIndexOf(':') + 1))
    const socket = connect({ host: '127.0.0.1', port, localAddress: source, allowHalfOpen: true, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    const peer = new Peer(socket)
    this.#dialled.push(peer)
    return peer
  }

  /** A connection through the proxy, both of its ends. */
  async link(source?: string): Promise<{ dialler: Peer; node: Peer }> {
    const index = this.node.peers.length
    const dialler = await this.dial(source)
    return { dialler, node: await this.node.peer(index) }
  }

  /** The live links, through GET /links. */
  async links(): Promise<LinkReport[]> {
    const response = await fetch(`${this.server.url}/links`)
    return ((await response.json()) as { links: LinkReport[] }).links
  }

  /** Waits until the links satisfy `condition`, and returns them. */
  async linksUntil(condition: (links: LinkReport[]) => boolean): Promise<LinkReport[]> {
    return eventually(() => this.links(), condition)
  }

  async close(): Promise<void> {
    for (const peer of this.#dialled) peer.socket.destroy()
    await this.server.close()
    await this.node.close()
  }
}

/** Asks again at every turn of the event loop until the answer satisfies `condition`. */
export async function eventually<T>(ask: () => Promise<T>, condition: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (condition(answer)) return answer
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Whether this platform answers on all of 127.0.0.0/8 (macOS has 127.0.0.1 only, unless aliased). */
export async function answersOn(address: string): Promise<boolean> {
  const probe = createServer()
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false))
    probe.listen(0, address, () => probe.close(() => resolve(true)))
  })
}
