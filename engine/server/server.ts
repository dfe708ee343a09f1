/**
 * The server as its parts see each other. `assembly.ts` makes one from an `Io` and settings: there is no global state,
 * a process (or a simulator) can hold any number of servers.
 */

import type { Cluster } from '../cluster/cluster-port.ts'
import type { Arguments } from '../commands/arguments.ts'
import type { Command } from '../commands/command.ts'
import type { Io } from '../io.ts'
import type { Persistence } from '../persist/persistence-port.ts'
import type { Replication } from '../replication/replication-port.ts'
import type { KeyspacePort } from '../store/keyspace-port.ts'
import type { Client, ClientKind } from './client.ts'
import type { Config } from './config.ts'
import type { Log } from './log.ts'

export interface Server {
  readonly io: Io
  readonly config: Config
  readonly log: Log
  readonly databases: KeyspacePort[]
  readonly commands: CommandLookup
  readonly clients: ClientRegistry
  readonly pubsub: PubSub
  readonly replication: Replication
  readonly persistence: Persistence
  readonly pause: ClientPause
  /** Undefined unless `cluster-enabled yes`. */
  readonly cluster: Cluster | undefined
  readonly info: InfoRegistry
  readonly stats: Stats
  /** 40 hexadecimal digits, new at every start. */
  readonly runId: string
  readonly startedMs: number
  /** Unix time in ms, refreshed once per batch of input and per timer. */
  readonly nowMs: number
  /** True while a data set is read from disk or from a primary: commands without the `loading` flag get -LOADING. */
  loading: boolean

  /** Calls `task` about every `periodMs` as long as the server lives (Redis's `run_with_period`). */
  every(periodMs: number, task: () => void): void
  /** Runs once at the end of the current turn, before replies are flushed (Redis's beforeSleep). Cheap to call repeatedly. */
  beforeSleep(task: () => void): void
  /** Executes a command on behalf of `client` with the rules for its kind (a primary's stream, AOF loading, a client). */
  execute(client: Client, args: Arguments): void
  /** A client without a socket whose replies are discarded: for `execute`. It lives until its `close`. */
  createInternalClient(kind: ClientKind): Client
  /** Writes to AOF and replicas outside of a command (expiry, eviction, slot cleaning). */
  propagate(databaseIndex: number, words: readonly (string | Buffer)[]): void
  /** Removes all keys of all databases and invalidates what depends on them, without propagation. */
  emptyDatabases(): void
  /** Saves if asked to, closes everything and calls `io.host.exit(status)`. */
  shutdown(options: { save?: boolean; status?: number }): void
}

export interface CommandLookup {
  find(name: string): Command | undefined
  all(): readonly Command[]
}

export interface ClientRegistry {
  readonly count: number
  get(id: number): Client | undefined
  [Symbol.iterator](): Iterator<Client>
}

/** Holds back clients' commands for a time (CLIENT PAUSE, failovers). Each reason is a pause of its own. */
export interface ClientPause {
  begin(reason: string, endMs: number, scope: 'all' | 'write', nowMs: number): void
  end(reason: string): void
}

export interface PubSub {
  /** Delivers to local subscribers and patterns; returns how many got it. */
  publish(channel: Buffer, message: Buffer): number
  publishSharded(channel: Buffer, message: Buffer): number
  /** Cluster: ends the subscriptions of the shard channels that `lost` selects, and tells the subscribers. */
  dropShardChannels(lost: (channel: Buffer) => boolean): void
}

/** INFO is a table: each part registers its sections' fields. */
export interface InfoRegistry {
  /** `section` as in `INFO section`; fields come in the order of registration. `fields()` returns name and value pairs. */
  add(section: string, fields: () => readonly (readonly [name: string, value: string | number])[]): void
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
  syncFull: number
  syncPartialOk: number
  syncPartialErr: number
  inputBytes: number
  outputBytes: number
  replicationInputBytes: number
  replicationOutputBytes: number
  errorReplies: number
}
