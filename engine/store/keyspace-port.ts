/**
 * One database as the rest of the engine sees it: keys, values, expiry, slots, snapshots; never the layout.
 * `Keyspace` (keyspace.ts) implements it.
 *
 * An `Entry` is a small number that stands for one key. It is valid until the next call that may add or remove keys.
 * Expiry is *stored* here and *judged* by `Context` (commands/context.ts), because a replica must not delete by itself.
 */

/** A key's handle; `NO_ENTRY` where there is none. */
export type Entry = number
export const NO_ENTRY: Entry = -1

/** Numbers of Redis's object types, as RDB files and `OBJ_*` have them. */
export const ValueType = { string: 0, list: 1, set: 2, sortedSet: 3, hash: 4, stream: 6 } as const
export type ValueType = (typeof ValueType)[keyof typeof ValueType]

/** What `TYPE` answers, by `ValueType`. */
export const valueTypeNames: Record<ValueType, string> = {
  0: 'string',
  1: 'list',
  2: 'set',
  3: 'zset',
  4: 'hash',
  6: 'stream',
}

/** A value that is not a string. Lists, hashes, sets, sorted sets and streams implement it. */
export interface Aggregate {
  readonly type: ValueType
  /** What `OBJECT ENCODING` answers now. */
  readonly encoding: string
  /** Estimated memory in bytes, for `MEMORY USAGE` and eviction. */
  readonly memoryBytes: number
  /** An independent copy (COPY, and snapshots that meet a write). */
  clone(): Aggregate
}

/** Steps through a point-in-time view of a database while writes go on. */
export interface SnapshotWalk {
  /** Visits up to `entries` more entries. True when the walk is complete. */
  advance(entries: number): boolean
  /** Ends it early; no more visits. */
  cancel(): void
}

export interface SnapshotVisitor {
  /** The value as it was when the snapshot began. Exactly one of `text` (a string) and `aggregate` is given; valid during the call. */
  visit(key: Buffer, text: Buffer | undefined, aggregate: Aggregate | undefined, expireAtMs: number): void
}

export interface KeyspacePort {
  readonly index: number
  /** Number of keys, logically expired ones included. */
  readonly size: number
  /** Number of keys with an expiry. */
  readonly expiringSize: number
  /** Bytes held for keys and values. */
  readonly memoryBytes: number

  /** The entry of the key at memory[start…end), or NO_ENTRY. Does not judge expiry. */
  find(memory: Uint8Array, start: number, end: number): Entry
  findKey(key: Uint8Array): Entry
  /** A copy of the key. */
  key(entry: Entry): Buffer
  type(entry: Entry): ValueType
  /** What `OBJECT ENCODING` answers. */
  encoding(entry: Entry): string
  memoryUsage(entry: Entry): number

  /** A copy of a string value. The entry must be a string. */
  text(entry: Entry): Buffer
  textLength(entry: Entry): number
  /** Makes or replaces a key with a string; the expiry of a replaced key is kept unless cleared by the caller. Integers are stored as such. */
  setText(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, start: number, end: number): Entry
  setInteger(key: Uint8Array, keyStart: number, keyEnd: number, value: number): Entry
  aggregate(entry: Entry): Aggregate
  /** Makes or replaces a key with an aggregate. */
  setAggregate(key: Uint8Array, keyStart: number, keyEnd: number, value: Aggregate): Entry
  /**
   * Must be called before an aggregate is changed in place: a running snapshot takes its copy now, and the memory
   * account is brought up to date by `changed` afterwards.
   */
  willChange(entry: Entry): void
  changed(entry: Entry): void

  /** Unix time in ms, or -1. */
  expireAtMs(entry: Entry): number
  /** -1 removes the expiry. */
  setExpireAtMs(entry: Entry, expireAtMs: number): void
  remove(entry: Entry): void
  clear(): void

  /** Redis's SCAN guarantee: what is there from first to last call is visited at least once. Returns the next cursor, 0n when done. */
  scan(cursor: bigint, count: number, visit: (entry: Entry) => void): bigint
  /** Any entry, uniformly enough; NO_ENTRY when empty. `draw(limit)` gives a whole number in [0, limit). */
  randomEntry(draw: (limit: number) => number): Entry
  /** Up to `count` entries that have an expiry, by sampling: for the active expiry cycle. */
  sampleExpiring(draw: (limit: number) => number, count: number, visit: (entry: Entry) => void): void

  /** Cluster: keys in a hash slot. Only kept when the keyspace was made with `slots: true`. */
  countInSlot(slot: number): number
  keysInSlot(slot: number, limit: number): Buffer[]

  /** Point in time to the command: starts now, independent of other snapshots. */
  snapshot(visitor: SnapshotVisitor): SnapshotWalk
}
