/**
 * One connection through a proxy: the dialler's socket, the socket to the node, and a flow for each direction.
 *
 *   dialler ──▶ upstream flow ──▶ node
 *   dialler ◀── downstream flow ◀── node
 *
 * A connection is `open`; `dialling` its node; or `waiting` undialled behind a cut.
 *
 * Deviation from a real cut: a packet filter would drop the dialler's SYN. In user space the kernel has completed the
 * handshake before we know the source, so the proxy accepts and then does not dial: the dialler sees an established
 * connection on which nothing ever comes, instead of a connect that does not return. If the dialler gives up, the node
 * never hears of it, as with a dropped SYN. When the cut heals, the node is dialled and gets what was sent meanwhile.
 *
 * Half-close: a FIN crosses as a FIN, and the other direction stays open (Toxiproxy closes both).
 */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import { type Endpoint, formatEndpoint, plainAddress } from './endpoint.ts'
import { Flow, type FlowReport } from './flow.ts'
import type { Toxic } from './toxics/toxic.ts'

/** Write buffers large enough that a full read (64 KiB) does not stop the flow each time. */
export const SOCKET_BUFFER_BYTES = 256 * 1024

export type Phase = 'waiting' | 'dialling' | 'open'

/** One live connection, as GET /links shows it. */
export interface LinkReport {
  proxy: string
  sourceAddress: string
  sourcePort: number
  upstreamAddress: string
  phase: Phase
  upstream: FlowReport
  downstream: FlowReport
}

export interface ConnectionOptions {
  proxyName: string
  client: Socket
  upstream: Endpoint
  /** Local address of the connection to the node; undefined leaves it to the system. */
  upstreamSource: string | undefined
  toxics: Iterable<Toxic>
  random: () => number
  onClosed: (connection: Connection) => void
}

export class Connection {
  readonly sourceAddress: string
  readonly #sourcePort: number
  readonly #options: ConnectionOptions
  readonly #client: Socket
  readonly #upstreamFlow: Flow
  readonly #downstreamFlow: Flow
  #node: Socket | undefined
  #phase: Phase = 'waiting'
  /** The cuts at work on this link, by the sequence of their toxics. */
  readonly #cuts = new Set<number>()
  #dialTimer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ConnectionOptions) {
    const { client, random } = options
    this.#options = options
    this.#client = client
    this.sourceAddress = plainAddress(client.remoteAddress ?? '')
    this.#sourcePort = client.remotePort ?? 0
    this.#upstreamFlow = new Flow(random, (kind) => this.#abort(kind, this.#node))
    this.#downstreamFlow = new Flow(random, (kind) => this.#abort(kind, this.#client))
    for (const toxic of options.toxics) this.apply(toxic)
    this.#downstreamFlow.attachDestination(client)
    this.#watch(client, this.#upstreamFlow)
    this.#dialUnlessCut()
  }

  /** Takes a new or changed toxic into account. */
  apply(toxic: Toxic): void {
    const named = toxic.sources === undefined || toxic.sources.includes(this.sourceAddress)
    if (!named || this.#options.random() >= toxic.toxicity) {
      this.remove(toxic)
      return
    }
    if (toxic.kind.cutsLink) this.#cuts.add(toxic.sequence)
    this.#flow(toxic).apply(toxic)
  }

  remove(toxic: Toxic): void {
    this.#flow(toxic).remove(toxic)
    if (!this.#cuts.delete(toxic.sequence) || this.#phase !== 'waiting') return
    clearTimeout(this.#dialTimer)
    const resumeDelayMs = toxic.attributes.resumeDelayMs ?? 0
    if (resumeDelayMs === 0) this.#dialUnlessCut()
    else this.#dialTimer = setTimeout(() => this.#dialUnlessCut(), resumeDelayMs)
  }

  report(): LinkReport {
    return {
      proxy: this.#options.proxyName,
      sourceAddress: this.sourceAddress,
      sourcePort: this.#sourcePort,
      upstreamAddress: formatEndpoint(this.#options.upstream),
      phase: this.#phase,
      upstream: this.#upstreamFlow.report(),
      downstream: this.#downstreamFlow.report(),
    }
  }

  /** Closes both sockets without further ado. */
  destroy(): void {
    this.#dispose()
    this.#client.destroy()
    this.#node?.destroy()
    this.#settle()
  }

  #flow(toxic: Toxic): Flow {
    return toxic.stream === 'upstream' ? this.#upstreamFlow : this.#downstreamFlow
  }

  #dialUnlessCut(): void {
    if (this.#closed || this.#phase !== 'waiting' || this.#cuts.size > 0) return
    const { upstream, upstreamSource } = this.#options
    this.#phase = 'dialling'
    const options: TcpNetConnectOpts & { highWaterMark: number } = {
      host: upstream.host,
      port: upstream.port,
      allowHalfOpen: true,
      noDelay: true,
      highWaterMark: SOCKET_BUFFER_BYTES,
    }
    if (upstreamSource !== undefined) options.localAddress = upstreamSource
    const node = connect(options)
    this.#node = node
    node.once('connect', () => {
      this.#phase = 'open'
    })
    this.#watch(node, this.#downstreamFlow)
    this.#upstreamFlow.attachDestination(node)
  }

  /** Listens to one socket: its bytes and its end go into the flow that starts there. */
  #watch(socket: Socket, flow: Flow): void {
    let failure: NodeJS.ErrnoException | undefined
    flow.attachSource(socket)
    socket.on('end', () => {
      // The dialler gave up before its connection crossed the cut: there is nothing that the node could learn.
      if (this.#phase === 'waiting') this.destroy()
      else flow.endOfSource('fin')
    })
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('close', () => {
      // A node that cannot be reached looks as behind Toxiproxy: accepted, then closed. One that accepted and reset at
      // once may do so before we hear that it accepted.
      const reset = this.#phase === 'open' || (this.#phase === 'dialling' && failure?.code === 'ECONNRESET')
      if (failure !== undefined && reset) flow.endOfSource('reset')
      else if (failure !== undefined) this.destroy()
      this.#settle()
    })
  }

  /** The end of a toxic, or a reset, has come out at `destination`: both sockets go. */
  #abort(kind: 'close' | 'reset', destination: Socket | undefined): void {
    if (this.#closed) return
    this.#dispose()
    const other = destination === this.#client ? this.#node : this.#client
    if (kind === 'close') {
      destination?.destroySoon()
      other?.destroy()
    } else {
      for (const socket of [this.#client, this.#node]) if (socket?.destroyed === false) socket.resetAndDestroy()
    }
    this.#settle()
  }

  #dispose(): void {
    this.#closed = true
    clearTimeout(this.#dialTimer)
    this.#upstreamFlow.dispose()
    this.#downstreamFlow.dispose()
  }

  /** Both sockets closed: the connection is over, whatever its flows still hold. */
  #settle(): void {
    if (!this.#client.closed || (this.#node !== undefined && !this.#node.closed)) return
    this.#dispose()
    this.#options.onClosed(this)
  }
}
