/**
 * What a running command sees: its client, its database, the clock of its batch, the reply, and the rules that every
 * command shares (expiry on access, keyspace notification, WATCH, propagation). One object is reused for all commands.
 */
import type { Reply } from '../resp/reply.ts'
import type { Client } from '../server/client.ts'
import type { Server } from '../server/server.ts'
import type { Entry, KeyspacePort } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'

/** Event classes of `notify-keyspace-events`: g $ l s h z x e t m d n. */
export type EventClass =
  | 'generic'
  | 'string'
  | 'list'
  | 'set'
  | 'hash'
  | 'sortedSet'
  | 'expired'
  | 'evicted'
  | 'stream'
  | 'keyMiss'
  | 'module'
  | 'new'

export interface Context {
  readonly server: Server
  readonly client: Client
  readonly command: Command
  readonly args: Arguments
  readonly reply: Reply
  /** The selected database. */
  readonly db: KeyspacePort
  /** Unix time in ms, the same for every command of a batch, a script or a transaction. */
  readonly nowMs: number

  /**
   * The entry of the key that is argument `keyIndex`, or NO_ENTRY. Expired keys do not exist: on a primary they are
   * removed (and the removal propagated) first. Counts hits and misses and touches LRU/LFU.
   */
  lookupRead(keyIndex: number): Entry
  /** The same for a command that is about to change the key (no hit or miss is counted). */
  lookupWrite(keyIndex: number): Entry
  /** The same for a key that is not an argument, or is of another database than the selected one. */
  lookupKey(key: Buffer, forWrite: boolean, db?: KeyspacePort): Entry

  /**
   * The key at argument `keyIndex` was changed: counts it as dirty, touches WATCH, invalidates client caches,
   * emits the keyspace event `event` (as `set`, `del`, `expire`).
   */
  changed(keyIndex: number, eventClass: EventClass, event: string): void
  changedKey(key: Buffer, eventClass: EventClass, event: string, db?: KeyspacePort): void
  /** `changed` without an event: what clients see of the key stays the same (PFCOUNT keeps its result). */
  touched(keyIndex: number): void
  /** The key at argument `keyIndex` did not exist and does now: notifies `new` (class n). Called before `changed`. */
  created(keyIndex: number): void
  /** Only the notification, without dirtying. */
  notify(eventClass: EventClass, event: string, key: Buffer, db?: KeyspacePort): void
  /** Changes that touch no single key (FLUSHALL): adds to the dirty count. */
  dirty(changes: number): void

  /** Whether replicas or an AOF see this command: else words for `propagateAs` and `alsoPropagate` need not be made. */
  readonly isPropagated: boolean
  /** Replicas and AOF receive this instead of the arguments (SET … EX becomes SET … PXAT). */
  propagateAs(words: readonly (string | Buffer)[] | Arguments): void
  /** In addition to the command itself, after it. */
  alsoPropagate(words: readonly (string | Buffer)[]): void
  /** This command leaves no trace for replicas and AOF although it changed something. */
  preventPropagation(): void
  /**
   * Propagate although nothing counted as dirty: `everywhere` (FLUSHALL), or to replicas and not into the AOF
   * (PUBLISH).
   */
  forcePropagation(to: 'everywhere' | 'replicas'): void

  /** Runs another command inside this one, with its answer going to the same client (EXEC). */
  runInside(command: Command, args: Arguments): void

  /**
   * Parks the client: no further command of it runs until `unblock`. `onTimeout` must reply; it is called with a
   * fresh context's reply. `deadlineMs` is Unix time, 0 for none. `onEnd` is called when the wait ends, however it
   * does. Used by WAIT, BLPOP and the like.
   */
  block(kind: string, deadlineMs: number, onTimeout: (client: Client, reply: Reply) => void, onEnd?: () => void): void
  /** How the running command can go on after it has been parked: runs `body` in its context, with propagation. */
  resumption(): (reply: Reply, body: (context: Context) => void) => void
}
