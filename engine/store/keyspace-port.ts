/**
 * One database as the rest of the engine sees it: keys, values, expiry, slots, snapshots; never the layout.
 * `Keyspace` (keyspace.ts) implements it.
 *
 * An `Entry` is a small number that stands for one key. It is valid until its key is removed, or `clear` or `maintain`
 * is called; other calls leave it valid.
 * Expiry is *stored* here and *judged* by `Context` (commands/context.ts), because a replica must not delete by itself.
 */

import type { AnnouncedKeys, KeyPlaces } from '../data/announced-keys.ts'
import type { Reply } from '../resp/reply.ts'

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

/** Values with fewer elements are read at once faster than frozen. */
export const FREEZE_FROM_SIZE = 128

/** A value that is not a string. Lists, hashes, sets, sorted sets and streams implement it. */
export interface Aggregate {
  readonly type: ValueType
  /** What `OBJECT ENCODING` answers now. */
  readonly encoding: string
  /** Estimated memory in bytes, for `MEMORY USAGE` and eviction. */
  readonly memoryBytes: number
  /** How many allocations it is in Redis, about: nodes of a list, entries of a table; left out: 1, a compact form. */
  readonly parts?: number
  /** Of the hash table that it is kept in, if that is how it is kept: how many chains there are of each length. */
  chainHistogram?(): readonly number[] | undefined
  /**
   * The next members or fields that will be looked up, in this order: memory[starts[i]…ends[i]) for i below `count`. A
   * hint, as `KeyspacePort.announce`; `announced` is where it is kept, and ended.
   */
  announceMembers?(keys: KeyPlaces, announced: AnnouncedKeys): void
  /** An independent copy. */
  clone(): Aggregate
  /**
   * A large value as it is now, to be read while the value itself changes: memory is shared until it is changed, so
   * that this costs a small part of a copy. Undefined, or left out: the value is small enough to be read at once, or
   * cannot be frozen cheaply.
   */
  freeze?(): Aggregate | undefined
}

/** Steps through a point-in-time view of a database while writes go on. */
export interface SnapshotWalk {
  /** Visits up to `entries` more entries. True when the walk is complete. */
  advance(entries: number): boolean
  /** An aggregate has been visited in part. */
  readonly isInsideEntry: boolean
  /** Ends it early; no more visits. */
  cancel(): void
}

/** Takes the next part of an aggregate that is taken in parts. True when that was the last. */
export type SnapshotPart = () => boolean

export interface SnapshotVisitor {
  /**
   * The value as it was when the snapshot began, and the access field. Exactly one of `text` (a string) and `aggregate`
   * is given; valid during the call, but for an aggregate of which the visitor returns that it has more parts: it stays
   * as it is until the last has been taken. Other keys may be visited between two parts.
   */
  visit(
    key: Buffer,
    text: Buffer | undefined,
    aggregate: Aggregate | undefined,
    expireAtMs: number,
    accessed: number,
  ): SnapshotPart | undefined
}

/** Longer strings are never moved: windows on them stay what they are until their own keys change. */
export const MOVABLE_BYTES_MAX = 4096

/** Databases of fewer keys lie in the caches of the processor: to them keys need not be announced. */
export const ANNOUNCE_FROM_KEYS = 16_384

export interface KeyspacePort {
  /** Number of the database. Only SWAPDB changes it. */
  index: number
  /** Number of keys, logically expired ones included. */
  readonly size: number
  /** Number of keys with an expiry. */
  readonly expiringSize: number
  /** Bytes held for keys and values. */
  readonly memoryBytes: number
  /** Of these: tables and records of keys, and of their times to live. */
  readonly tableBytes: number
  readonly expiryBytes: number
  /** Bytes taken from the system, free room included. */
  readonly reservedBytes: number
  /** Soon no small key or value more can be stored. */
  readonly isNearlyFull: boolean

  /** The entry of the key at memory[start…end), or NO_ENTRY. Does not judge expiry. */
  find(memory: Uint8Array, start: number, end: number): Entry
  findKey(key: Uint8Array): Entry
  /**
   * The next keys that will be looked up, in this order: memory[starts[i]…ends[i]) for i = first, first + step, … below
   * `limit`. A hint, so that their places in memory are fetched together instead of one after the other; it need not
   * take all of them. The memory must not change before `endAnnouncement`.
   */
  announce(
    memory: Uint8Array,
    starts: readonly number[],
    ends: readonly number[],
    first: number,
    step: number,
    limit: number,
  ): void
  endAnnouncement(): void
  /** A copy of the key. */
  key(entry: Entry): Buffer
  type(entry: Entry): ValueType
  /** What `OBJECT ENCODING` answers. */
  encoding(entry: Entry): string
  memoryUsage(entry: Entry): number

  /** A copy of a string value. The entry must be a string. */
  text(entry: Entry): Buffer
  /** The same without a copy where possible: a window to read from, valid until the next call of any method. */
  peekText(entry: Entry): Buffer
  textLength(entry: Entry): number
  /** Writes the string value as one bulk reply, straight from where it is stored. */
  sendText(entry: Entry, reply: Reply): void
  /**
   * The number when the value is stored as an integer of at most 53 bits, else NaN (larger int64 are read by `text`).
   */
  integer(entry: Entry): number
  /**
   * Makes or replaces a key with a string; the expiry of a replaced key is kept unless cleared by the caller. Integers
   * (canonical int64) are stored as such.
   */
  setText(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, start: number, end: number): Entry
  /** `setText` without the attempt to store an integer (the encoding is embstr or raw by length). */
  setPlainText(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, start: number, end: number): Entry
  /**
   * Makes or replaces a key with a raw string of `lengthBytes` without an expiry, and returns a window on it, to be
   * filled before the next call of any method. Undefined bytes, but those of a string of the same length that was there
   * and is longer than `MOVABLE_BYTES_MAX` are still what they were.
   */
  makeText(key: Uint8Array, keyStart: number, keyEnd: number, lengthBytes: number): Buffer
  /** |value| ≤ 2^53 − 1. */
  setInteger(key: Uint8Array, keyStart: number, keyEnd: number, value: number): Entry
  /** `setText` for a key whose entry is known (of any type): saves the second look-up. The entry stays valid. */
  replaceText(entry: Entry, value: Uint8Array, start: number, end: number): void
  /** `setInteger` for a key whose entry is known. The entry stays valid. */
  replaceInteger(entry: Entry, value: number): void
  /**
   * Turns a string into a raw one of at least `lengthBytes` (zero bytes are added) and returns a window on all of it
   * that may be written to until the next call of any method. For SETRANGE, SETBIT. The entry stays valid.
   */
  editText(entry: Entry, lengthBytes: number): Buffer
  /**
   * Turns a string into a raw one and puts memory[start…end) at its end: no window for a few bytes. The entry stays
   * valid.
   */
  appendText(entry: Entry, memory: Uint8Array, start: number, end: number): void
  aggregate(entry: Entry): Aggregate
  /** Makes or replaces a key with an aggregate. */
  setAggregate(key: Uint8Array, keyStart: number, keyEnd: number, value: Aggregate): Entry
  /**
   * Must be called before an aggregate is changed in place: a running snapshot takes it or freezes it now, and the
   * memory account is brought up to date by `changed` afterwards.
   */
  willChange(entry: Entry): void
  changed(entry: Entry): void

  /** Unix time in ms, or -1. */
  expireAtMs(entry: Entry): number
  /** -1 removes the expiry. */
  setExpireAtMs(entry: Entry, expireAtMs: number): void
  remove(entry: Entry): void
  clear(): void
  /** So many keys are about to come, if whoever says so is right: an empty database makes its table large enough. */
  expect(keys: number): void

  /**
   * The 24-bit LRU or LFU field (`access-clock.ts`) that new keys get, and that a look-up writes. Refreshed by the
   * cron.
   */
  accessClock: number
  /** The field of one key. */
  accessed(entry: Entry): number
  setAccessed(entry: Entry, clock: number): void

  /**
   * Gives memory back in small steps (moves records and blocks together after many removals). Called by the cron;
   * one step takes well under a millisecond. Invalidates entries. True while there is more to do.
   */
  maintain(): boolean

  /**
   * Redis's SCAN guarantee: what is there from first to last call is visited at least once. Returns the next cursor,
   * 0n when done. `visit` must not add or remove keys.
   */
  scan(cursor: bigint, count: number, visit: (entry: Entry) => void): bigint
  /** Any entry, uniformly enough; NO_ENTRY when empty. `draw(limit)` gives a whole number in [0, limit). */
  randomEntry(draw: (limit: number) => number): Entry
  /**
   * `count` entries drawn one by one, of all or of those with an expiry; an entry may come twice. As `sampleExpiring`
   * otherwise.
   */
  sample(expiringOnly: boolean, draw: (limit: number) => number, count: number, visit: (entry: Entry) => void): void
  /**
   * Up to `count` different entries that have an expiry, by sampling: for the active expiry cycle. `visit` must not
   * add or remove keys (collect first; `remove` leaves other entries valid).
   */
  sampleExpiring(draw: (limit: number) => number, count: number, visit: (entry: Entry) => void): void

  /** How many chains of each length the table of keys has (DEBUG HTSTATS). */
  chainHistogram(): readonly number[]

  /** Cluster: keys in a hash slot. Only kept when the keyspace was made with `slots: true`. */
  countInSlot(slot: number): number
  keysInSlot(slot: number, limit: number): Buffer[]

  /**
   * Point in time to the command: starts now, independent of other snapshots. Visits come in no particular order, each
   * key once.
   */
  snapshot(visitor: SnapshotVisitor): SnapshotWalk
}
