/**
 * One server: its parts, and what they share. `assembly.ts` makes it; there is no state outside of it.
 */

import { Access } from '../acl/access.ts'
import type { Cluster } from '../cluster/cluster-port.ts'
import { Arguments } from '../commands/arguments.ts'
import { commandFamilies } from '../commands/registry.ts'
import { PLAIN_FROM_BYTES } from '../data/quicklist.ts'
import type { Connection, Io } from '../io.ts'
import type { Persistence } from '../persist/persistence-port.ts'
import type { Replication } from '../replication/replication-port.ts'
import { BufferPool } from '../resp/writer.ts'
import { FunctionLibraries } from '../scripting/functions.ts'
import { Scripting } from '../scripting/scripting.ts'
import { lfuClock, lruClock } from '../store/access-clock.ts'
import { ActiveExpiry } from '../store/active-expiry.ts'
import type { AggregateSettings } from '../store/aggregate-settings.ts'
import type { Entry, KeyspacePort } from '../store/keyspace-port.ts'
import { aggregateLimitsOf } from './aggregate-limits.ts'
import { BlockedKeys } from './blocked-keys.ts'
import type { Client, ClientKind } from './client.ts'
import { ClientMemory } from './client-memory.ts'
import { ClientRegistry } from './clients.ts'
import { type CommandRecord, CommandTable, permittedCommands } from './command-table.ts'
import { CommandTimings } from './command-timings.ts'
import type { Config } from './config.ts'
import type { BufferLimit } from './config-lists.ts'
import { ClientConnection } from './connection.ts'
import { newDebugSwitches } from './debug-switches.ts'
import { Dispatcher } from './dispatch.ts'
import { Eviction } from './eviction.ts'
import { InfoTable } from './info.ts'
import { registerInfo } from './info-fields.ts'
import { KeyHints } from './key-hints.ts'
import { KeyspaceEvents, parseEventFlags } from './keyspace-events.ts'
import { LatencyMonitor } from './latency.ts'
import { createLog, type Log } from './log.ts'
import { MemoryAccount } from './memory-account.ts'
import { Monitors } from './monitors.ts'
import { Pause } from './pause.ts'
import { Propagation, type PropagationTarget } from './propagation.ts'
import { Broker } from './pubsub.ts'
import { Rate } from './rates.ts'
import type { Server, Stats } from './server.ts'
import { Shutdown, type ShutdownOptions } from './shutdown.ts'
import { SlowLog } from './slow-log.ts'
import { Tracking } from './tracking.ts'
import { Turn } from './turn.ts'
import { WatchedKeys } from './watched-keys.ts'

/** What the assembly plugs in; each part gets the server that it belongs to. */
export interface ServerParts {
  makeDatabase(index: number): KeyspacePort
  makeReplication(server: Server): Replication
  makePersistence(server: Server): Persistence
  makeCluster(server: Server): Cluster | undefined
}

export class RunningServer implements Server {
  readonly io: Io
  readonly config: Config
  readonly log: Log
  readonly databases: KeyspacePort[]
  readonly aggregateSettings: AggregateSettings
  readonly commands: CommandTable
  readonly clients: ClientRegistry
  readonly access: Access
  readonly tracking: Tracking
  readonly watchedKeys = new WatchedKeys()
  readonly blockedKeys = new BlockedKeys()
  readonly monitors: Monitors
  readonly pause: Pause
  readonly pubsub = new Broker()
  readonly replication: Replication
  readonly persistence: Persistence
  readonly cluster: Cluster | undefined
  readonly info = new InfoTable()
  readonly stats: Stats = newStats()
  readonly runId: string
  readonly startedMs: number
  nowMs: number
  loading = false
  activeExpiry = true
  readonly debug = newDebugSwitches()
  readonly expiry = new ActiveExpiry(this)
  port = 0
  readonly memory: MemoryAccount
  readonly clientMemory: ClientMemory
  readonly eviction: Eviction
  readonly slowLog: SlowLog
  readonly latency: LatencyMonitor
  readonly timings: CommandTimings
  readonly turn: Turn
  readonly events: KeyspaceEvents
  readonly propagation: Propagation
  readonly dispatcher: Dispatcher
  readonly hints: KeyHints
  readonly scripting = new Scripting(this)
  readonly functions = new FunctionLibraries(this)
  readonly ending = new Shutdown(this)
  readonly buffers = new BufferPool()
  /** The client whose input runs now: it is flushed when its chunk ends. */
  serving: ClientConnection | undefined = undefined
  protocolBulkMax = 0
  stopped = false
  /** `maxmemory-policy` is an LFU one: keys keep a counter of uses instead of the time of the last. */
  countsUses = false
  readonly rates: Record<'commands' | 'input' | 'output' | 'replicationInput' | 'replicationOutput', Rate>
  /** Monotonic time up to which `nowMs` need not be refreshed for input. */
  private clockGoodUntilUs = 0
  private readonly freeArguments: Arguments[] = []
  private readonly resuming = new Set<ClientConnection>()
  private readonly resumeAll = () => this.resumeClients()
  private readonly stopCallbacks: (() => void)[] = []

  constructor(io: Io, config: Config, parts: ServerParts) {
    this.nowMs = io.clock.wallMs()
    this.startedMs = this.nowMs
    const { clock, network, disk, random, host } = io
    this.io = { clock, network, disk, random, host, timers: refreshingTimers(io, () => this.refreshClock()) }
    this.config = config
    this.log = createLog(io, config, () => (this.replication?.role === 'replica' ? 'S' : 'M'))
    this.runId = randomHex(io, 20)
    this.turn = new Turn(this.io.timers)
    this.monitors = new Monitors(io.clock)
    this.pause = new Pause(this.io.timers)
    this.clients = new ClientRegistry(() => this.nowMs)
    this.events = new KeyspaceEvents((channel, message) => this.pubsub.publish(channel, message))
    this.propagation = new Propagation(this.propagationTarget())
    this.commands = new CommandTable(commandFamilies.flat(), config.directives.renamedCommands)
    this.tracking = new Tracking({
      findClient: (id) => this.clients.get(id),
      current: () => this.serving,
      keysMax: () => Number(config.values['tracking-table-max-keys']),
      beforeSleep: (task) => this.turn.beforeSleep(task),
    })
    this.access = new Access({
      table: permittedCommands(this.commands),
      channelsByDefault: () => config.values['acl-pubsub-default'] === 'allchannels',
      logLengthMax: () => Number(config.values['acllog-max-len']),
      nowMs: () => this.nowMs,
      clients: () => this.clients,
      describe: (client) => this.clients.describe(client),
    })
    this.access.followConfig(config)
    this.slowLog = new SlowLog(config)
    this.latency = new LatencyMonitor(config)
    this.timings = new CommandTimings(config, this.slowLog, this.latency)
    this.dispatcher = new Dispatcher(this)
    this.databases = Array.from({ length: config.values.databases }, (_, index) => parts.makeDatabase(index))
    this.hints = new KeyHints(this.databases)
    const { stats } = this
    this.aggregateSettings = {
      hashSeed: [io.random.uint32(), io.random.uint32()],
      limits: aggregateLimitsOf(config),
      plainFromBytes: PLAIN_FROM_BYTES,
    }
    this.rates = {
      commands: new Rate(() => stats.commandsProcessed),
      input: new Rate(() => stats.inputBytes + stats.replicationInputBytes),
      output: new Rate(() => stats.outputBytes + stats.replicationOutputBytes),
      replicationInput: new Rate(() => stats.replicationInputBytes),
      replicationOutput: new Rate(() => stats.replicationOutputBytes),
    }
    this.memory = new MemoryAccount(this)
    this.memory.count('lua.caches', () => this.scripting.cacheBytes)
    this.clientMemory = new ClientMemory(this)
    this.eviction = new Eviction(this)
    registerInfo(this)
    this.followConfig()
    this.persistence = parts.makePersistence(this)
    this.replication = parts.makeReplication(this)
    this.cluster = parts.makeCluster(this)
  }

  private propagationTarget(): PropagationTarget {
    const server = this
    return {
      get isListening() {
        return server.persistence.appendOnly || server.replication.isFed
      },
      feed: (index, args, toLog, toReplicas) => {
        if (toLog && this.persistence.appendOnly) this.persistence.feed(index, args)
        if (toReplicas) this.replication.feed(index, args)
      },
    }
  }

  private followConfig(): void {
    const { config } = this
    const follow = (
      name: 'proto-max-bulk-len' | 'notify-keyspace-events' | 'maxmemory-policy',
      apply: () => void,
    ): void => {
      apply()
      config.onChange(name, apply)
    }
    follow('proto-max-bulk-len', () => {
      this.protocolBulkMax = Number(config.values['proto-max-bulk-len'])
    })
    follow('maxmemory-policy', () => {
      this.countsUses = config.values['maxmemory-policy'].endsWith('lfu')
      this.refreshAccessClocks()
    })
    follow('notify-keyspace-events', () => {
      this.events.flags = parseEventFlags(config.values['notify-keyspace-events'])
    })
  }

  /** Whether somebody wants to know which key was changed. */
  get keyChangesMatter(): boolean {
    return this.events.flags !== 0 || !this.watchedKeys.isEmpty || !this.blockedKeys.isEmpty || this.tracking.isActive
  }

  /** What new keys note as their last use, or as their uses. */
  refreshAccessClocks(): void {
    const nowMs = this.io.clock.wallMs()
    const clock = this.countsUses ? lfuClock(nowMs) : lruClock(nowMs)
    for (const database of this.databases) database.accessClock = clock
  }

  refreshClock(): void {
    this.nowMs = this.io.clock.wallMs()
  }

  /**
   * The same where the monotonic time is known: the wall clock is read only when it can show another millisecond soon.
   */
  refreshClockAt(nowUs: number): void {
    if (nowUs < this.clockGoodUntilUs) return
    this.clockGoodUntilUs = nowUs + CLOCK_GOOD_FOR_US
    this.nowMs = this.io.clock.wallMs()
  }

  // ---- clients

  accept(connection: Connection): ClientConnection {
    const client = new ClientConnection(this, this.clients.newId(), 'normal', connection)
    this.clients.add(client)
    return client
  }

  createInternalClient(kind: ClientKind): ClientConnection {
    return new ClientConnection(this, this.clients.newId(), kind, undefined)
  }

  execute(client: Client, args: Arguments): void {
    const connection = client as ClientConnection
    this.dispatcher.process(connection, args)
    if (connection.connection === undefined) connection.flush()
  }

  replay(client: Client, args: Arguments): boolean {
    const connection = client as ClientConnection
    const known = this.dispatcher.replay(connection, args)
    connection.flush()
    return known
  }

  get inTransaction(): boolean {
    return this.propagation.depth > 1
  }

  forgetClient(client: ClientConnection): void {
    this.clients.remove(client)
    this.clientMemory.update(client)
    this.pubsub.forget(client)
    this.monitors.remove(client)
    this.watchedKeys.unwatchAll(client)
    if (client.tracking !== undefined) this.tracking.disable(client)
    this.resuming.delete(client)
  }

  resumeLater(client: Client): void {
    this.resuming.add(client as ClientConnection)
    this.turn.beforeSleep(this.resumeAll)
  }

  private resumeClients(): void {
    const clients = [...this.resuming]
    this.resuming.clear()
    for (const client of clients) client.resumeInput()
  }

  /** Arguments to parse into: a client's, unless it runs inside another one's command. */
  takeArguments(): Arguments {
    return this.freeArguments.pop() ?? new Arguments()
  }

  giveArguments(args: Arguments): void {
    if (args.starts.length <= KEPT_ARGUMENTS) this.freeArguments.push(args)
  }

  countError(client: Client, message: string): void {
    const space = message.indexOf(' ')
    const code = space < 0 ? message : message.slice(0, space)
    const { stats } = this
    stats.errorReplies++
    stats.errorsByCode.set(code, (stats.errorsByCode.get(code) ?? 0) + 1)
    if (client.kind === 'primary' || client.kind === 'replica') {
      stats.unexpectedErrorReplies++
      const isLog = this.loading && client.connection === undefined
      const [to, from] = isLog
        ? ['AOF-loading-client', 'server']
        : client.kind === 'primary'
          ? ['master', 'replica']
          : ['replica', 'master']
      this.log.warning(
        `== CRITICAL == This ${from} is sending an error to its ${to}: '${message}' after processing the command '${client.lastCommandName ?? '<unknown>'}'`,
      )
    }
  }

  /** Closes a client whose unread replies exceed the limits of its class. */
  limitOutput(client: ClientConnection): void {
    const limits = this.config.values['client-output-buffer-limit']
    if (client.kind === 'primary' || client.connection === undefined) return
    const limit: BufferLimit =
      client.kind === 'replica' ? limits.replica : client.subscribed ? limits.pubsub : limits.normal
    const bytes = client.outputBytes
    const overSoft = limit.softBytes > 0 && bytes >= limit.softBytes
    if (!overSoft) client.overSoftLimitSinceMs = 0
    else if (client.overSoftLimitSinceMs === 0) client.overSoftLimitSinceMs = this.nowMs
    const tooLong = overSoft && this.nowMs - client.overSoftLimitSinceMs > limit.softSeconds * 1000
    if (tooLong || (limit.hardBytes > 0 && bytes >= limit.hardBytes)) {
      this.log.warning(
        `Client ${this.clients.describe(client)} scheduled to be closed ASAP for overcoming of output buffer limits.`,
      )
      client.close()
    }
  }

  /** DEBUG and MODULE need permission in the configuration. */
  protectedRefusal(client: Client, record: CommandRecord): string | undefined {
    const container = (record.parent ?? record).command.name
    const option = container === 'module' ? 'enable-module-command' : 'enable-debug-command'
    const allowed = this.config.values[option]
    const isLocal = client.connection === undefined || client.connection.isUnixSocket || isLoopback(client)
    if (allowed === 'yes' || (allowed === 'local' && isLocal)) return undefined
    const name = container.toUpperCase()
    return `ERR ${name} command not allowed. If the ${option} option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.`
  }

  // ---- data

  /** Who watches the key or holds it in a cache learns that it was changed. */
  keyTouched(database: KeyspacePort, key: Buffer): void {
    this.watchedKeys.touch(database, key)
    if (this.tracking.isActive) this.tracking.invalidate(key)
  }

  removeExpired(database: KeyspacePort, entry: Entry): void {
    const key = database.key(entry)
    const startUs = this.latency.isOn ? this.io.clock.monotonicUs() : 0
    database.remove(entry)
    if (this.latency.isOn) this.latency.add('expire-del', (this.io.clock.monotonicUs() - startUs) / 1000, this.nowMs)
    this.stats.expiredKeys++
    this.events.notify('expired', 'expired', key, database.index)
    this.keyTouched(database, key)
    this.blockedKeys.touch(database, key)
    const word = this.config.values['lazyfree-lazy-expire'] ? 'UNLINK' : 'DEL'
    this.propagation.addWords(database.index, [word, key])
  }

  propagate(databaseIndex: number, words: readonly (string | Buffer)[]): void {
    this.propagation.addWords(databaseIndex, words)
  }

  emptyDatabases(): void {
    this.replication.ownExpiry.clear()
    this.functions.flush()
    this.tracking.invalidateAll()
    for (const database of this.databases) {
      this.watchedKeys.touchAll(database)
      database.clear()
      this.blockedKeys.touchAll(database)
    }
  }

  swapDatabases(first: number, second: number): boolean {
    const [one, other] = [this.databases[first], this.databases[second]]
    if (one === undefined || other === undefined) return false
    if (one === other) return true
    this.watchedKeys.touchAll(one, other)
    this.watchedKeys.touchAll(other, one)
    this.databases[first] = other
    this.databases[second] = one
    one.index = second
    other.index = first
    this.blockedKeys.touchAll(one)
    this.blockedKeys.touchAll(other)
    return true
  }

  /** Mean time to live of the keys that expire, as the active expiry last estimated it; 0: no estimate. */
  averageTtlMs(database: KeyspacePort): number {
    return this.expiry.averageTtlMs(database)
  }

  // ---- time

  beforeSleep(task: () => void): void {
    this.turn.beforeSleep(task)
  }

  commitBeforeReplies(commit: () => void): void {
    this.turn.commitLater(commit)
  }

  sendBeforeReplies(task: () => void): void {
    this.turn.sendLater(task)
  }

  every(periodMs: number, task: () => void): void {
    const next = (): void => {
      if (this.stopped) return
      if (!this.debug.cronPaused) task()
      if (!this.stopped) this.io.timers.after(periodMs, next)
    }
    this.io.timers.after(periodMs, next)
  }

  // ---- end

  resetStatistics(): void {
    const { changes } = this.stats
    Object.assign(this.stats, newStats(), { changes })
    this.eviction.resetStatistics()
    for (const record of this.commands.records) record.resetStatistics()
  }

  onStop(callback: () => void): void {
    this.stopCallbacks.push(callback)
  }

  /** Closes everything without saving: what a test or a simulator does. Safe to call twice. */
  stop(): void {
    if (this.stopped) return
    this.turn.run()
    this.stopped = true
    this.persistence.stop()
    this.cluster?.stop()
    for (const callback of this.stopCallbacks.splice(0)) callback()
    for (const client of this.clients) {
      client.flush()
      client.close()
    }
    this.scripting.stop()
    this.pause.stop()
    this.eviction.stop()
    this.turn.stop()
  }

  abort(status: number): void {
    if (this.stopped) return
    this.turn.stop()
    for (const client of this.clients) client.close()
    this.stop()
    this.io.host.exit(status)
  }

  shutdown(options: ShutdownOptions, onFailure: (failure: string) => void = () => {}): string | undefined {
    return this.ending.begin(options, onFailure)
  }

  abortShutdown(): boolean {
    return this.ending.abort()
  }
}

function isLoopback(client: Client): boolean {
  const host = client.connection?.remoteHost ?? ''
  return host === '127.0.0.1' || host === '::1'
}

/** Callbacks of timers see the time at which they run. */
function refreshingTimers(io: Io, refresh: () => void): Io['timers'] {
  return {
    after: (delayMs, callback) =>
      io.timers.after(delayMs, () => {
        refresh()
        callback()
      }),
    defer: (callback) => io.timers.defer(callback),
  }
}

function randomHex(io: Io, byteCount: number): string {
  const bytes = Buffer.alloc(byteCount)
  io.random.fill(bytes)
  return bytes.toString('hex')
}

function newStats(): Stats {
  return {
    changes: 0,
    commandsProcessed: 0,
    connectionsReceived: 0,
    connectionsRejected: 0,
    keyspaceHits: 0,
    keyspaceMisses: 0,
    expiredKeys: 0,
    evictedKeys: 0,
    evictedClients: 0,
    lazilyFreedObjects: 0,
    syncFull: 0,
    syncPartialOk: 0,
    syncPartialErr: 0,
    inputBytes: 0,
    outputBytes: 0,
    replicationInputBytes: 0,
    replicationOutputBytes: 0,
    errorReplies: 0,
    unexpectedErrorReplies: 0,
    reads: 0,
    writes: 0,
    errorsByCode: new Map(),
  }
}

const KEPT_ARGUMENTS = 4096
/** Input sees a time that is at most this old. */
const CLOCK_GOOD_FOR_US = 200
