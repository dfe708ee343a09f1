/**
 * The network of a simulated run: addresses, links between hosts, listening and connecting.
 *
 * Setting up a connection costs what it costs with TCP: SYN and SYN-ACK (one round trip) until the client may send,
 * half a trip more until the server knows. SYNs that meet a cut or a dead machine are repeated after 1, 3, 7, 15, 31
 * and 63 s, and the attempt fails with ETIMEDOUT after 127 s, as on Linux (tcp_syn_retries = 6). A port without
 * listener answers RST: ECONNREFUSED. The third part of the handshake is the first mark in the client's stream.
 */

import type {
  ConnectionHandlers,
  ConnectOptions,
  Listener,
  ListenHandlers,
  ListenOptions,
  Network,
} from '../../../engine/io.ts'
import { IoError } from '../../../engine/io.ts'
import { SimConnection } from './connection.ts'
import { TaskKind } from './cpu.ts'
import type { Flow, LinkFault, LinkSettings } from './link.ts'
import { Link } from './link.ts'
import type { StreamSettings } from './pipe.ts'
import { Pipe } from './pipe.ts'
import type { SimProcess } from './process.ts'
import type { EventHandle, Scheduler } from './scheduler.ts'

export interface NetworkSettings {
  /** Between different hosts. */
  link: LinkSettings
  /** From a host to itself. */
  loopback: LinkSettings
  stream: StreamSettings
}

const FIRST_EPHEMERAL_PORT = 32_768
const EPHEMERAL_PORTS = 28_232
const DEFAULT_BACKLOG = 511

/** Names of hosts; either may be a list. A fault lies on every directed pair of them. */
export interface LinkFaultPlace {
  from: string | readonly string[]
  to: string | readonly string[]
}

export class SimNetwork {
  readonly scheduler: Scheduler
  readonly settings: NetworkSettings
  private readonly seed: string
  private readonly hosts = new Map<string, HostNetwork>()
  private readonly owners = new Map<string, HostNetwork>()
  private readonly links = new Map<string, Link>()

  constructor(scheduler: Scheduler, settings: NetworkSettings, seed: string) {
    this.scheduler = scheduler
    this.settings = settings
    this.seed = seed
  }

  addHost(name: string, addresses: readonly string[]): HostNetwork {
    const host = new HostNetwork(this, name, addresses)
    this.hosts.set(name, host)
    for (const address of addresses) {
      if (this.owners.has(address)) throw new Error(`${address} belongs to ${this.owners.get(address)!.name} already`)
      this.owners.set(address, host)
    }
    return host
  }

  link(from: string, to: string): Link {
    const key = `${from}>${to}`
    let link = this.links.get(key)
    if (link === undefined) {
      link = new Link(from, to, from === to ? this.settings.loopback : this.settings.link, this.seed)
      this.links.set(key, link)
    }
    return link
  }

  /** Lays a fault on the links of a place, and returns its undo. */
  impair(place: LinkFaultPlace, fault: LinkFault): () => void {
    const links: Link[] = []
    for (const from of listOf(place.from)) {
      for (const to of listOf(place.to)) {
        for (const name of [from, to]) if (!this.hosts.has(name)) throw new Error(`there is no host ${name}`)
        if (from !== to) links.push(this.link(from, to))
      }
    }
    for (const link of links) link.add(fault)
    if (fault.cut === true) {
      for (const link of links) this.loseAcknowledgements(link)
    }
    return () => {
      for (const link of links) link.remove(fault)
    }
  }

  /** Who has this address (or name), seen from a host; undefined: nobody answers. */
  resolve(from: HostNetwork, host: string): { owner: HostNetwork; address: string } | undefined {
    const named = this.hosts.get(host)?.addresses[0]
    const address = host === 'localhost' ? '127.0.0.1' : (named ?? host)
    const owner = this.owners.get(address) ?? (isLoopback(address) ? from : undefined)
    return owner === undefined ? undefined : { owner, address }
  }

  /** Whether the host may bind the address or send from it. */
  owns(host: HostNetwork, address: string): boolean {
    const owner = this.owners.get(address)
    return owner === host || (owner === undefined && isLoopback(address))
  }

  private loseAcknowledgements(link: Link): void {
    const receiver = this.hosts.get(link.from)!
    for (const connection of receiver.connections) {
      if (connection.peerHost === link.to) connection.in?.acknowledgementsCut()
    }
  }
}

/** The kernel's part of one host's network: sockets that listen, and connections. */
export class HostNetwork {
  readonly name: string
  readonly addresses: readonly string[]
  readonly connections = new Set<SimConnection>()
  isPowered = true
  private readonly network: SimNetwork
  private readonly listeners = new Map<string, SimListener>()
  private readonly waiting = new Map<SimConnection, SimListener>()
  private nextPort = 0

  constructor(network: SimNetwork, name: string, addresses: readonly string[]) {
    this.network = network
    this.name = name
    this.addresses = addresses
  }

  get scheduler(): Scheduler {
    return this.network.scheduler
  }

  /** The port that one process sees. */
  openedBy(process: SimProcess): Network {
    this.isPowered = true
    return {
      listen: (options, handlers) => this.listen(process, options, handlers),
      connect: (options, handlers) => this.connect(process, options, handlers),
    }
  }

  processEnded(atUs: number): void {
    this.listeners.clear()
    this.waiting.clear()
    for (const connection of [...this.connections]) connection.processEnded(atUs)
  }

  powerLost(): void {
    this.isPowered = false
    this.listeners.clear()
    this.waiting.clear()
    for (const connection of [...this.connections]) connection.powerLost()
    this.connections.clear()
  }

  /** The last part of a handshake has arrived: the listening process gets its connection. */
  handshakeDone(connection: SimConnection): void {
    const listener = this.waiting.get(connection)
    if (listener === undefined) return
    listener.process.post(TaskKind.accept, listener.process.perEventUs, () => {
      this.noLongerWaiting(connection)
      if (listener.closed || connection.isGone) {
        connection.destroy()
        return
      }
      connection.accepted()
      listener.handlers.onConnection(connection)
    })
  }

  /**
   * A SYN has arrived. Returns the server's end, undefined when nobody listens, or 'ignored' when the queue is full.
   */
  synArrived(client: SimConnection, target: Target): SimConnection | undefined | 'ignored' {
    if (client.peer !== undefined) return client.peer
    const listener =
      target.path === undefined
        ? (this.listeners.get(keyOf(target.address, target.port)) ??
          this.listeners.get(keyOf(wildcardFor(target.address), target.port)))
        : this.listeners.get(target.path)
    if (listener === undefined) return undefined
    if (listener.waiting >= listener.backlog) return 'ignored'
    const server = new SimConnection(this, listener.process, {
      localHost: target.address,
      localPort: target.port,
      remoteHost: client.localHost,
      remotePort: client.localPort,
      isUnixSocket: target.path !== undefined,
    })
    listener.waiting++
    this.waiting.set(server, listener)
    server.onceGone(() => this.noLongerWaiting(server))
    return server
  }

  release(listener: SimListener): void {
    if (this.listeners.get(listener.key) === listener) this.listeners.delete(listener.key)
  }

  private noLongerWaiting(connection: SimConnection): void {
    const listener = this.waiting.get(connection)
    if (listener !== undefined && this.waiting.delete(connection)) listener.waiting--
  }

  private listen(process: SimProcess, options: ListenOptions, handlers: ListenHandlers): Listener {
    const isPath = options.path !== undefined
    const port = isPath ? 0 : options.port === 0 ? this.freePort() : options.port
    const key = options.path ?? keyOf(options.host, port)
    const listener = new SimListener(this, process, key, port, options.backlog ?? DEFAULT_BACKLOG, handlers)
    const refusal = process.alive ? this.refusal(options, port) : 'ESHUTDOWN'
    if (refusal === undefined) this.listeners.set(key, listener)
    process.post(TaskKind.listen, process.perEventUs, () => {
      if (listener.closed) return
      if (refusal === undefined) {
        listener.port = port
        handlers.onListening?.(listener)
      } else {
        listener.close()
        handlers.onError(new IoError(refusal, `listen ${refusal} ${options.path ?? `${options.host}:${port}`}`))
      }
    })
    return listener
  }

  /**
   * Why this address cannot be bound: a code, or undefined. A wildcard and an address of its family exclude each other.
   */
  private refusal(options: ListenOptions, port: number): string | undefined {
    if (options.path !== undefined) return this.listeners.has(options.path) ? 'EADDRINUSE' : undefined
    if (!Number.isInteger(port) || port < 0 || port > 65_535) return 'EINVAL'
    const isWildcard = options.host === wildcardFor(options.host)
    if (!isWildcard && !this.network.owns(this, options.host)) return 'EADDRNOTAVAIL'
    for (const [key, listener] of this.listeners) {
      if (listener.boundPort !== port) continue
      const host = key.slice(0, key.lastIndexOf('|'))
      const sameFamily = wildcardFor(host) === wildcardFor(options.host)
      if (host === options.host || (sameFamily && (isWildcard || host === wildcardFor(host)))) return 'EADDRINUSE'
    }
    return undefined
  }

  private freePort(): number {
    for (let attempt = 0; attempt < EPHEMERAL_PORTS; attempt++) {
      const port = FIRST_EPHEMERAL_PORT + (this.nextPort++ % EPHEMERAL_PORTS)
      let taken = false
      for (const listener of this.listeners.values()) taken ||= listener.boundPort === port
      if (!taken) return port
    }
    throw new IoError('EADDRNOTAVAIL', 'no free port')
  }

  private connect(process: SimProcess, options: ConnectOptions, handlers: ConnectionHandlers): SimConnection {
    const route = this.routeTo(options)
    const client = new SimConnection(this, process, {
      localHost: route instanceof IoError ? '' : route.source,
      localPort: options.path === undefined ? this.freePort() : 0,
      remoteHost: options.path ?? (route instanceof IoError ? options.host : route.target.address),
      remotePort: options.path === undefined ? options.port : 0,
      isUnixSocket: options.path !== undefined,
    })
    client.setHandlers(handlers)
    if (!process.alive) {
      this.connections.delete(client)
      return client
    }
    if (route instanceof IoError) {
      client.failed(route)
      return client
    }
    new Handshake(this.network, this, client, route).begin(process.nowUs())
    return client
  }

  private routeTo(options: ConnectOptions): Route | IoError {
    if (options.path !== undefined) {
      if (!this.listeners.has(options.path)) return new IoError('ENOENT', `connect ENOENT ${options.path}`)
      const target = { owner: this, address: options.path, port: 0, path: options.path }
      return { source: options.path, target }
    }
    const { host, port } = options
    if (!Number.isInteger(port) || port < 0 || port > 65_535) return new IoError('EINVAL', `port ${port}`)
    const resolved = this.network.resolve(this, host)
    if (resolved === undefined && !isLiteralAddress(host)) return new IoError('ENOTFOUND', `no host is named ${host}`)
    const address = resolved?.address ?? host
    const isLocal = isLoopback(address) && resolved?.owner === this
    const source = options.sourceHost ?? (isLocal ? address : (this.addresses[0] ?? '127.0.0.1'))
    if (!this.network.owns(this, source)) return new IoError('EADDRNOTAVAIL', `bind EADDRNOTAVAIL ${source}`)
    return { source, target: { owner: resolved?.owner, address, port, path: undefined } }
  }
}

interface Target {
  /** Undefined: no machine has this address. */
  owner: HostNetwork | undefined
  address: string
  port: number
  path: string | undefined
}

interface Route {
  source: string
  target: Target
}

/** An attempt to connect: SYNs until one is answered, or time runs out. */
class Handshake {
  private readonly network: SimNetwork
  private readonly from: HostNetwork
  private readonly client: SimConnection
  private readonly target: Target
  private readonly flow: Flow
  private retry: EventHandle = 0
  private answered = false

  constructor(network: SimNetwork, from: HostNetwork, client: SimConnection, route: Route) {
    this.network = network
    this.from = from
    this.client = client
    this.target = route.target
    this.flow = {
      clientHost: from.name,
      serverHost: route.target.owner?.name ?? '',
      serverAddress: route.target.address,
      serverPort: route.target.port,
    }
    client.peerHost = this.flow.serverHost
  }

  begin(atUs: number): void {
    const { scheduler, settings } = this.network
    const giveUp = scheduler.at(atUs + settings.stream.connectTimeoutMs * 1000, () => {
      this.answered = true
      scheduler.cancel(this.retry)
      this.client.timedOut()
    })
    this.client.onceGone(() => this.stop(giveUp))
    this.sendSyn(atUs, 1_000_000, giveUp)
  }

  private stop(giveUp: EventHandle): void {
    this.answered = true
    this.network.scheduler.cancel(this.retry)
    this.network.scheduler.cancel(giveUp)
  }

  private sendSyn(atUs: number, retryUs: number, giveUp: EventHandle): void {
    const { scheduler } = this.network
    this.retry = scheduler.at(atUs + retryUs, () => this.sendSyn(scheduler.nowUs, retryUs * 2, giveUp))
    const { owner } = this.target
    if (owner === undefined) return
    const link = this.network.link(this.from.name, owner.name)
    scheduler.at(link.arrivalUs(this.flow, atUs, 0), () => {
      if (!this.answered && owner.isPowered && !link.loses(this.flow)) this.answer(owner, link, giveUp)
    })
  }

  private answer(owner: HostNetwork, link: Link, giveUp: EventHandle): void {
    const { scheduler } = this.network
    const server = owner.synArrived(this.client, this.target)
    if (server === 'ignored') return
    const reverse = this.network.link(owner.name, this.from.name)
    if (server !== undefined && this.client.peer === undefined) this.join(server, link, reverse)
    scheduler.at(reverse.arrivalUs(this.flow, scheduler.nowUs, 0), () => {
      if (this.answered || !this.from.isPowered || reverse.loses(this.flow)) return
      this.stop(giveUp)
      if (server === undefined) this.client.wasReset()
      else this.client.connected()
    })
  }

  private join(server: SimConnection, link: Link, reverse: Link): void {
    const { client, flow } = this
    const { scheduler } = this.network
    const { stream } = this.network.settings
    client.peer = server
    server.peer = client
    server.peerHost = this.from.name
    client.out = new Pipe(scheduler, stream, { link, reverse, flow }, client, server)
    server.out = new Pipe(scheduler, stream, { link: reverse, reverse: link, flow }, server, client)
    client.in = server.out
    server.in = client.out
  }
}

class SimListener implements Listener {
  port = 0
  closed = false
  waiting = 0
  readonly key: string
  readonly boundPort: number
  readonly backlog: number
  readonly process: SimProcess
  readonly handlers: ListenHandlers
  private readonly host: HostNetwork

  constructor(
    host: HostNetwork,
    process: SimProcess,
    key: string,
    boundPort: number,
    backlog: number,
    handlers: ListenHandlers,
  ) {
    this.host = host
    this.process = process
    this.key = key
    this.boundPort = boundPort
    this.backlog = backlog
    this.handlers = handlers
  }

  close(): void {
    this.closed = true
    this.host.release(this)
  }
}

function keyOf(host: string, port: number): string {
  return `${host}|${port}`
}

function isIpv6(host: string): boolean {
  return host.includes(':')
}

function wildcardFor(host: string): string {
  return isIpv6(host) ? '::' : '0.0.0.0'
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

function isLiteralAddress(host: string): boolean {
  return isIpv6(host) || /^\d+\.\d+\.\d+\.\d+$/.test(host)
}

function listOf(names: string | readonly string[]): readonly string[] {
  return typeof names === 'string' ? [names] : names
}
