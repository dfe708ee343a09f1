/**
 * The server as its parts see each other. `assembly.ts` makes one from an `Io` and settings: there is no global state,
 * a process (or a simulator) can hold any number of servers.
 */

import type { Access } from '../acl/access.ts'
import type { Cluster } from '../cluster/cluster-port.ts'
import type { Arguments } from '../commands/arguments.ts'
import type { Command } from '../commands/command.ts'
import type { Io } from '../io.ts'
import type { Persistence } from '../persist/persistence-port.ts'
import type { Replication } from '../replication/replication-port.ts'
import type { FunctionLibraries } from '../scripting/functions.ts'
import type { Scripting } from '../scripting/scripting.ts'
import type { AggregateSettings } from '../store/aggregate-settings.ts'
import type { Entry, KeyspacePort } from '../store/keyspace-port.ts'
import type { BlockedKeys } from './blocked-keys.ts'
import type { Client, ClientKind } from './client.ts'
import type { ClientMemory } from './client-memory.ts'
import type { ClientRegistry } from './clients.ts'
import type { CommandTable } from './command-table.ts'
import type { Config } from './config.ts'
import type { DebugSwitches } from './debug-switches.ts'
import type { LatencyMonitor } from './latency.ts'
import type { Log } from './log.ts'
import type { MemoryAccount } from './memory-account.ts'
import type { Monitors } from './monitors.ts'
import type { Pause } from './pause.ts'
import type { Broker } from './pubsub.ts'
import type { ShutdownOptions } from './shutdown.ts'
import type { SlowLog } from './slow-log.ts'
import type { Tracking } from './tracking.ts'
import type { WatchedKeys } from './watched-keys.ts'

export interface Server {
  /** With timers that refresh `nowMs` before they call back. */
  readonly io: Io
  readonly config: Config
  readonly log: Log
  readonly databases: KeyspacePort[]
  /** For making values that are not strings. */
  readonly aggregateSettings: AggregateSettings
  readonly commands: CommandTable
  readonly clients: ClientRegistry
  readonly access: Access
  readonly tracking: Tracking
  /** Who watches the key or holds it in a cache learns that it was changed. */
  keyTouched(database: KeyspacePort, key: Buffer): void
  readonly watchedKeys: WatchedKeys
  readonly blockedKeys: BlockedKeys
  readonly slowLog: SlowLog
  readonly latency: LatencyMonitor
  readonly memory: MemoryAccount
  readonly clientMemory: ClientMemory
  readonly monitors: Monitors
  readonly pause: Pause
  readonly pubsub: Broker
  readonly replication: Replication
  readonly persistence: Persistence
  readonly scripting: Scripting
  readonly functions: FunctionLibraries
  /** Undefined unless `cluster-enabled yes`. */
  readonly cluster: Cluster | undefined
  readonly info: InfoRegistry
  readonly stats: Stats
  /** 40 hexadecimal digits, new at every start. */
  readonly runId: string
  readonly startedMs: number
  /** Unix time in ms, refreshed once per batch of input and per timer. */
  readonly nowMs: number
  /** Whether keys are removed in the background when their time has come (DEBUG SET-ACTIVE-EXPIRE). */
  activeExpiry: boolean
  /** What DEBUG has turned off or on. */
  readonly debug: DebugSwitches
  /** The TCP port that clients connect to; 0 when there is none. */
  readonly port: number
  /** True while a data set is read from disk or from a primary: commands without the `loading` flag get -LOADING. */
  loading: boolean

  /** Calls `task` about every `periodMs` as long as the server lives (Redis's `run_with_period`). */
  every(periodMs: number, task: () => void): void
  /** To be called on input that does not come through a client, before anything reads `nowMs`. */
  refreshClock(): void
  /**
   * Runs once at the end of the current turn, before replies are flushed (Redis's beforeSleep). Cheap to call
   * repeatedly.
   */
  beforeSleep(task: () => void): void
  /** Writes the append-only log once all commands of this turn have run, and before anything of them is sent. */
  commitBeforeReplies(commit: () => void): void
  /**
   * Runs once at the end of the current turn, after the log was written and before replies are flushed: sends the
   * stream.
   */
  sendBeforeReplies(task: () => void): void
  /** A command is running inside another one: in a transaction or a script. */
  readonly inTransaction: boolean
  /**
   * Executes a command on behalf of `client` with the rules for its kind (a primary's stream, AOF loading, a client).
   */
  execute(client: Client, args: Arguments): void
  /**
   * Runs or queues a command of the append-only log: no rule refuses it, it is not counted, and it goes nowhere else.
   * False when there is no such command.
   */
  replay(client: Client, args: Arguments): boolean
  /**
   * A client without a connection: `primary` applies a stream from a primary (never refused, replies discarded),
   * `normal` obeys the rules of clients but cannot block. Give it input with `feedInput` or `execute`.
   */
  createInternalClient(kind: ClientKind): Client
  /** Removes a key whose time has come, with everything that belongs to it: event, WATCH, propagation, count. */
  removeExpired(database: KeyspacePort, entry: Entry): void
  /** Writes to AOF and replicas outside of a command (expiry, eviction, slot cleaning). */
  propagate(databaseIndex: number, words: readonly (string | Buffer)[]): void
  /**
   * Removes all keys of all databases, and all functions, and invalidates what depends on them, without propagation.
   */
  emptyDatabases(): void
  /** Exchanges two databases (SWAPDB); false when there is no such index. */
  swapDatabases(first: number, second: number): boolean
  /** CONFIG RESETSTAT. */
  resetStatistics(): void
  /**
   * Waits for replicas to catch up (not with `now`), saves (`save` undefined: if there are save points), closes
   * everything and calls `io.host.exit(status)`. Undefined, or why it could not be (the save failed; `force` ends it
   * all the same). `onFailure` is told when a shutdown that was still waiting came to nothing.
   */
  shutdown(options: ShutdownOptions, onFailure?: (failure: string) => void): string | undefined
  /** Ends the waiting of a shutdown; false when there was none. */
  abortShutdown(): boolean
  /** Ends the process at once: nothing is saved, and nobody gets another answer. */
  abort(status: number): void
  /** Goes on with what a client sent while it could not run commands. */
  resumeLater(client: Client): void
}

export interface CommandLookup {
  find(name: string): Command | undefined
  all(): readonly Command[]
}

/** INFO is a table: each part registers its sections' fields. */
export interface InfoRegistry {
  /**
   * `section` as in `INFO section`; fields come in the order of registration. `fields()` returns name and value pairs.
   */
  add(section: string, fields: () => readonly (readonly [name: string, value: string | number])[]): void
  /** The text of INFO for these words: section names, `default`, `all`, `everything`. */
  render(words: readonly string[]): string
}

/** Counters of INFO stats; parts add to them directly. */
export interface Stats {
  /** Changes to the data set since the start (the sum of `Context.changed` and `Context.dirty`); never set back. */
  changes: number
  commandsProcessed: number
  connectionsReceived: number
  connectionsRejected: number
  keyspaceHits: number
  keyspaceMisses: number
  expiredKeys: number
  evictedKeys: number
  evictedClients: number
  /** Objects that UNLINK and the like left to the collector because they were large. */
  lazilyFreedObjects: number
  syncFull: number
  syncPartialOk: number
  syncPartialErr: number
  inputBytes: number
  outputBytes: number
  replicationInputBytes: number
  replicationOutputBytes: number
  errorReplies: number
  /** Those to a primary or a replica, which should never see one. */
  unexpectedErrorReplies: number
  /** Reads from and writes to clients' connections. */
  reads: number
  writes: number
  /** Error replies by their first word. */
  readonly errorsByCode: Map<string, number>
}
