/**
 * Puts the cluster together for a server: the view and its rules, the bus, nodes.conf, and what connects them with
 * data, replication, clients and time.
 */
import { keyHashSlot } from '../data/crc16.ts'
import { IoError, type Random } from '../io.ts'
import type { Client } from '../server/client.ts'
import type { ConfigName, ConfigValues } from '../server/config-table.ts'
import { type OpenSockets, openTcpSockets } from '../server/listeners.ts'
import type { Log } from '../server/log.ts'
import type { Server } from '../server/server.ts'
import { errorText } from '../server/system-errors.ts'
import { NO_ENTRY } from '../store/keyspace-port.ts'
import type { Cluster } from './cluster-port.ts'
import { CRON_PERIOD_MS, clusterCron, runScheduled } from './cron.ts'
import { announcedPorts, type ClusterEnvironment, ownBusPort } from './environment.ts'
import { Bus, type Link } from './link.ts'
import { type ClusterNode, NodeFlag } from './node.ts'
import { loadNodes, myNameIn, nodesFileText, readNodesFile, writeNodesFile } from './nodes-file.ts'
import { blockedRefusal, type RoutedCommand, routeCommands } from './route.ts'
import { broadcastPublish } from './sending.ts'
import { adoptSlotsWithKeys } from './slots.ts'
import { ClusterView, Scheduled } from './view.ts'

/** Delay until a manual failover looks again whether the primary's stream has been applied. */
const SOON_MS = 2
const PAUSE_REASON = 'cluster failover'

/** The cluster of a server whose configuration says `cluster-enabled yes`. */
export function createCluster(server: Server): Cluster {
  return new RunningCluster(server)
}

/** The view behind `cluster`, for the commands that show and change it; undefined without cluster support. */
export function viewOf(cluster: Cluster | undefined): ClusterView | undefined {
  return cluster instanceof RunningCluster ? cluster.view : undefined
}

class RunningCluster implements Cluster {
  private readonly server: Server
  private readonly environment: ServerEnvironment
  private readonly bus: Bus
  private started: ClusterView | undefined
  private sockets: OpenSockets | undefined
  private stopped = false
  private checkedData = false

  constructor(server: Server) {
    this.server = server
    this.bus = new Bus({
      network: server.io.network,
      log: server.log,
      sourceHost: () => server.config.values['bind-source-addr'],
      nowMs: () => server.io.clock.wallMs(),
      keepAliveSeconds: () => Math.ceil((server.config.values['cluster-node-timeout'] * 2) / 1000),
      isBusy: () => this.isBusy(),
    })
    server.memory.count('cluster.links', () => this.bus.bufferedBytes)
    this.environment = new ServerEnvironment(server, this.bus, () => {
      if (!this.stopped && this.started !== undefined) runScheduled(this.started)
    })
  }

  get view(): ClusterView {
    if (this.started === undefined) throw new Error('the cluster has not been started')
    return this.started
  }

  get nodeId(): string {
    return this.view.myself.name
  }

  get linkCount(): number {
    return this.bus.count
  }

  route(client: Client, commands: readonly RoutedCommand[]): string | undefined {
    const { databases, nowMs } = this.server
    return routeCommands(this.view, databases[0] as Server['databases'][number], client, commands, nowMs)
  }

  blockedRefusal(client: Client, key: Buffer, writes: boolean): string | undefined {
    return blockedRefusal(this.view, client, key, writes)
  }

  publish(channel: Buffer, message: Buffer, sharded: boolean): void {
    broadcastPublish(this.view, channel, message, sharded)
  }

  start(): void {
    const { server } = this
    const view = this.loadView()
    this.started = view
    this.environment.view = view
    this.bus.view = view
    this.announceMyself(view)
    for (const name of announcingParameters) server.config.onChange(name, () => this.announceMyself(view))
    const port = ownBusPort(server.config.values)
    openTcpSockets(
      server.io,
      server.config,
      server.log,
      port,
      (connection) => this.bus.accept(connection),
      (sockets) => {
        if (this.stopped) sockets?.close()
        else if (sockets !== undefined) this.sockets = sockets
        else this.fail(`Failed listening on port ${port} (cluster), aborting.`)
      },
    )
    server.every(CRON_PERIOD_MS, () => this.beat())
  }

  stop(): void {
    if (this.stopped || this.started === undefined) return
    this.stopped = true
    this.sockets?.close()
    this.bus.close()
    // What is still to be saved would be lost: nothing runs any more at the end of this turn.
    if (this.started.scheduled & Scheduled.saveConfig) this.environment.saveConfig(true)
  }

  private loadView(): ClusterView {
    const { server } = this
    const text = readNodesFile(server.io.disk, this.environment.nodesPath)
    const view = new ClusterView(this.environment, text === undefined ? undefined : myNameIn(text))
    this.environment.view = view
    if (text === undefined) {
      view.myself.flags |= NodeFlag.primary
      server.log.notice(`No cluster configuration found, I'm ${view.myself.name}`)
      this.environment.saveConfig(true)
    } else if (loadNodes(view, text, (message) => server.log.warning(message))) {
      server.log.notice(`Node configuration loaded, I'm ${view.myself.name}`)
    } else {
      throw new Error('Unrecoverable error: corrupted cluster config file.')
    }
    return view
  }

  private isBusy(): boolean {
    return this.server.loading && this.server.replication.role === 'primary'
  }

  private beat(): void {
    // While it reads its data from disk a node takes no part: it would be a primary without data.
    if (this.stopped || this.isBusy()) return
    this.bus.resume()
    if (!this.checkedData && !this.server.loading) {
      this.checkedData = true
      this.checkData()
    }
    if (!this.stopped) clusterCron(this.view)
  }

  /** Once after loading: does the data agree with the configuration? */
  private checkData(): void {
    if (this.view.myself.isPrimary && this.server.databases.some(({ index, size }) => index > 0 && size > 0)) {
      this.fail("You can't have keys in a DB different than DB 0 when in Cluster mode. Exiting.")
    } else {
      adoptSlotsWithKeys(this.view)
    }
  }

  private fail(message: string): void {
    this.server.log.warning(message)
    this.server.io.host.exit(1)
  }

  /** What the configuration says about this node. Without an announced address others will tell it. */
  private announceMyself(view: ClusterView): void {
    const { values } = this.server.config
    const { myself } = view
    const before = JSON.stringify([myself.ip, myself.flags])
    Object.assign(myself, announcedPorts(values))
    myself.hostname = values['cluster-announce-hostname']
    if (values['cluster-announce-ip'] !== this.environment.announcedIp) {
      myself.ip = values['cluster-announce-ip']
      this.environment.announcedIp = values['cluster-announce-ip']
    }
    const noFailover = values['cluster-replica-no-failover'] ? NodeFlag.noFailover : 0
    myself.flags = (myself.flags & ~NodeFlag.noFailover) | noFailover
    if (JSON.stringify([myself.ip, myself.flags]) !== before) {
      view.schedule(Scheduled.saveConfig | Scheduled.updateState)
    }
  }
}

/** Parameters that change how this node presents itself. */
const announcingParameters: readonly ConfigName[] = [
  'port',
  'tls-port',
  'cluster-announce-ip',
  'cluster-announce-port',
  'cluster-announce-tls-port',
  'cluster-announce-bus-port',
  'cluster-announce-hostname',
  'cluster-replica-no-failover',
]

class ServerEnvironment implements ClusterEnvironment {
  private readonly server: Server
  private readonly bus: Bus
  private readonly runTask: () => void
  readonly nodesPath: string
  readonly random: Random
  readonly log: Log
  /** Set once the view has been made. */
  view: ClusterView | undefined
  announcedIp = ''

  constructor(server: Server, bus: Bus, runTask: () => void) {
    this.server = server
    this.bus = bus
    this.runTask = runTask
    this.random = server.io.random
    this.log = server.log
    this.nodesPath = server.config.pathOf(server.config.values['cluster-config-file'])
  }

  get config(): Readonly<ConfigValues> {
    return this.server.config.values
  }

  nowMs(): number {
    return this.server.io.clock.wallMs()
  }

  connect(node: ClusterNode): Link {
    return this.bus.connect(node)
  }

  beforeSleep(): void {
    this.server.beforeSleep(this.runTask)
  }

  soon(): void {
    this.server.io.timers.after(SOON_MS, () => this.view?.schedule(Scheduled.manualFailover))
  }

  saveConfig(sync: boolean): void {
    if (this.writeConfig(sync) === undefined) return
    this.server.log.warning("Fatal: can't update cluster config file.")
    this.server.io.host.exit(1)
  }

  trySaveConfig(): string | undefined {
    const failure = this.writeConfig(true)
    return failure === undefined ? undefined : errorText(failure)
  }

  private writeConfig(sync: boolean): IoError | undefined {
    const { view, server } = this
    if (view === undefined) return undefined
    view.scheduled &= ~(Scheduled.saveConfig | Scheduled.syncConfig)
    try {
      writeNodesFile(server.io.disk, this.nodesPath, nodesFileText(view), sync)
    } catch (error) {
      if (error instanceof IoError) return error
      throw error
    }
    return undefined
  }

  replicationOffset(): number {
    return this.server.replication.offset
  }

  isReplicating(): boolean {
    return this.server.replication.role === 'replica'
  }

  dataAgeMs(): number {
    const { primary } = this.server.replication
    if (primary === undefined) return Number.POSITIVE_INFINITY
    const heardMs = primary.state === 'connected' ? primary.lastInteractionMs : primary.downSinceMs
    // Redis keeps both times in seconds.
    return (Math.floor(this.nowMs() / 1000) - Math.floor(heardMs / 1000)) * 1000
  }

  replicaOf(host: string, port: number): void {
    this.server.replication.replicaOf(host, port)
  }

  becomePrimary(): void {
    this.server.replication.becomePrimary()
  }

  private get database(): Server['databases'][number] {
    return this.server.databases[0] as Server['databases'][number]
  }

  keyCount(): number {
    return this.database.size
  }

  keyCountInSlot(slot: number): number {
    return this.database.countInSlot(slot)
  }

  deleteKeysInSlot(slot: number): void {
    const { database, server } = this
    for (const key of database.keysInSlot(slot, Number.MAX_SAFE_INTEGER)) {
      const entry = database.findKey(key)
      if (entry === NO_ENTRY) continue
      database.remove(entry)
      server.stats.changes++
      server.propagate(0, ['DEL', key])
    }
  }

  emptyData(): void {
    this.server.emptyDatabases()
  }

  pauseWrites(untilMs: number): void {
    this.server.pause.begin(PAUSE_REASON, untilMs, 'write', this.nowMs())
  }

  resumeWrites(): void {
    this.server.pause.end(PAUSE_REASON)
  }

  deliver(channel: Buffer, message: Buffer, sharded: boolean): void {
    const { pubsub } = this.server
    if (sharded) pubsub.publishSharded(channel, message)
    else pubsub.publish(channel, message)
  }

  dropShardChannels(slot: number): void {
    this.server.pubsub.dropShardChannels((channel) => keyHashSlot(channel) === slot)
  }
}
