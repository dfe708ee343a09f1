/**
 * Links of the cluster bus: one connection to every node, made here, and one from every node, accepted here. A node
 * sends PING on its own link and gets the PONG back on it. A link that breaks is simply dropped: the cron connects
 * anew.
 */
import type { Connection, IoError, Network } from '../io.ts'
import type { Log } from '../server/log.ts'
import { errorText } from '../server/system-errors.ts'
import { MessageFramer, MessageType } from './message.ts'
import { type ClusterNode, NodeFlag } from './node.ts'
import { receive } from './receiving.ts'
import { sendPing } from './sending.ts'
import type { ClusterView } from './view.ts'

/** A link as the rules see it. */
export interface Link {
  /** Unknown for an accepted link until its first message. */
  node: ClusterNode | undefined
  readonly inbound: boolean
  readonly createdMs: number
  /** Addresses as the socket has them. */
  readonly localHost: string
  readonly remoteHost: string
  readonly bufferedBytes: number
  send(bytes: Buffer): void
  /** Closes and detaches from its node. Safe to call twice. */
  close(): void
}

/** An IPv4 address that an IPv6 socket shows as a mapped one. */
const plainAddress = (host: string): string => (host.startsWith('::ffff:') ? host.slice(7) : host)

class BusLink implements Link {
  node: ClusterNode | undefined
  readonly inbound: boolean
  readonly createdMs: number
  private readonly connection: Connection
  private readonly onFreed: () => void
  readonly framer = new MessageFramer()
  open = true
  connected = false

  constructor(connection: Connection, node: ClusterNode | undefined, createdMs: number, onFreed: () => void) {
    this.connection = connection
    this.node = node
    this.inbound = node === undefined
    this.createdMs = createdMs
    this.onFreed = onFreed
  }

  get localHost(): string {
    return plainAddress(this.connection.localHost)
  }

  get remoteHost(): string {
    return plainAddress(this.connection.remoteHost)
  }

  get bufferedBytes(): number {
    return this.connection.bufferedBytes
  }

  send(bytes: Buffer): void {
    if (this.open) this.connection.write(bytes)
  }

  close(): void {
    if (!this.open) return
    this.open = false
    this.detach()
    this.connection.destroy()
  }

  /** The connection is gone: forget it without closing it again. */
  lost(): void {
    if (!this.open) return
    this.open = false
    this.detach()
  }

  private detach(): void {
    if (this.node?.link === this) this.node.link = undefined
    if (this.node?.inboundLink === this) this.node.inboundLink = undefined
    this.onFreed()
  }
}

export interface BusOptions {
  network: Network
  log: Log
  /** Source address of outgoing links; empty: the system's choice. */
  sourceHost(): string
  nowMs(): number
  /** Keep-alive interval of accepted links. */
  keepAliveSeconds(): number
  /** While true (the data set is being loaded) messages wait. */
  isBusy(): boolean
}

/** All links of one node. */
export class Bus {
  private readonly options: BusOptions
  /** Set once, right after the view was made: view and bus need each other. */
  view: ClusterView | undefined
  private readonly links = new Set<BusLink>()
  private readonly held: Connection[] = []

  constructor(options: BusOptions) {
    this.options = options
  }

  get count(): number {
    return this.links.size
  }

  /** Bytes that wait to be sent. */
  get bufferedBytes(): number {
    let bytes = 0
    for (const link of this.links) bytes += link.bufferedBytes
    return bytes
  }

  /** Closes all links. */
  close(): void {
    for (const link of [...this.links]) link.close()
  }

  /** Takes a new connection to the bus port. */
  accept(connection: Connection): void {
    const { log } = this.options
    log.verbose(
      `Accepting cluster node connection from ${plainAddress(connection.remoteHost)}:${connection.remotePort}`,
    )
    connection.setNoDelay(true)
    connection.setKeepAlive(this.options.keepAliveSeconds())
    const link = this.makeLink(connection, undefined)
    connection.setHandlers(this.handlers(link))
    if (this.options.isBusy()) {
      connection.pause()
      this.held.push(connection)
    }
  }

  /** Loading is over: what was held back is read. */
  resume(): void {
    if (this.held.length === 0 || this.options.isBusy()) return
    for (const connection of this.held.splice(0)) connection.resume()
  }

  /** A link to the node; it may be written to at once. */
  connect(node: ClusterNode): Link {
    const sourceHost = this.options.sourceHost()
    const link: { made?: BusLink } = {}
    const connection = this.options.network.connect(
      { host: node.ip, port: node.busPort, ...(sourceHost === '' ? {} : { sourceHost }) },
      {
        onConnect: () => this.greet(link.made as BusLink),
        onData: (chunk) => this.read(link.made as BusLink, chunk),
        onClose: (error) => this.lose(link.made as BusLink, error),
      },
    )
    link.made = this.makeLink(connection, node)
    return link.made
  }

  private makeLink(connection: Connection, node: ClusterNode | undefined): BusLink {
    const link: BusLink = new BusLink(connection, node, this.options.nowMs(), () => this.links.delete(link))
    this.links.add(link)
    return link
  }

  private handlers(link: BusLink) {
    return {
      onData: (chunk: Buffer) => this.read(link, chunk),
      onClose: (error?: IoError) => this.lose(link, error),
    }
  }

  private read(link: BusLink, chunk: Buffer): void {
    const { view } = this
    if (!link.open || view === undefined) return
    const isBus = link.framer.push(chunk, (bytes) => receive(view, link, bytes) && link.open)
    if (isBus) return
    this.options.log.warning('Bad message length or signature received from Cluster bus.')
    link.close()
  }

  /** The connection stands: say hello at once, to avoid a false suspicion. */
  private greet(link: BusLink): void {
    const { node } = link
    link.connected = true
    if (!link.open || node === undefined || this.view === undefined) return
    const pingSentMs = node.pingSentMs
    sendPing(this.view, link, node.has(NodeFlag.meet) ? MessageType.meet : MessageType.ping)
    // A PING that was unanswered when the last link broke is still unanswered.
    if (pingSentMs !== 0) node.pingSentMs = pingSentMs
    node.flags &= ~NodeFlag.meet
    this.options.log.debug(`Connecting with Node ${node.name} at ${node.ip}:${node.busPort}`)
  }

  private lose(link: BusLink, error: IoError | undefined): void {
    if (!link.open) return
    const reason = error === undefined ? 'connection closed' : errorText(error)
    const { node } = link
    if (link.connected || node === undefined) this.options.log.debug(`I/O error reading from node link: ${reason}`)
    else {
      this.options.log.verbose(`Connection with Node ${node.name} at ${node.ip}:${node.busPort} failed: ${reason}`)
    }
    link.lost()
  }
}
