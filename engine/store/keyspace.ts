/**
 * One database: Redis's semantics of values, expiry, slots and snapshots over the layout of `storage.ts`.
 *
 * An entry is the number of a record. Whoever changes a record first lets the running snapshots see it (`touch`);
 * `clear` starts over with an empty storage and leaves the old one to the snapshots that still walk it.
 */
import { AnnouncedKeys } from '../data/announced-keys.ts'
import { keyHashSlot } from '../data/crc16.ts'
import { parseSafeInteger, writeSafeInteger } from '../data/decimal.ts'
import type { Random } from '../io.ts'
import type { Reply } from '../resp/reply.ts'
import {
  type Aggregate,
  ANNOUNCE_FROM_KEYS,
  type Entry,
  type KeyspacePort,
  NO_ENTRY,
  type SnapshotVisitor,
  type SnapshotWalk,
  ValueType,
} from './keyspace-port.ts'
import { FREE } from './record-table.ts'
import { SlotIndex } from './slot-index.ts'
import { Snapshot } from './snapshot.ts'
import { AGGREGATE, INTEGER, NONE, Storage } from './storage.ts'
import { integerText, safeIntegerOf, storeIfLargeInteger, storeSafeInteger } from './text-form.ts'

export interface KeyspaceOptions {
  /** Number of the database. */
  index: number
  /** Keeps track of the keys of each hash slot (cluster). */
  slots?: boolean
  /** Keys the hash function. */
  random: Pick<Random, 'uint32'>
}

/** Redis's limit between embstr and raw. */
const EMBEDDED_LIMIT_BYTES = 44
const MOVES_PER_STEP = 64
const RANDOM_TRIES = 64

export class Keyspace implements KeyspacePort {
  index: number
  accessClock = 0
  private storage: Storage
  private slots: SlotIndex | undefined
  private readonly seed: readonly [number, number]
  private snapshots: Snapshot[] = []
  /** Grows with every snapshot; new and preserved entries carry it. */
  private stamp = 0
  private readonly digits = Buffer.alloc(24)
  private readonly announced = new AnnouncedKeys()

  constructor(options: KeyspaceOptions) {
    this.index = options.index
    this.seed = [options.random.uint32(), options.random.uint32()]
    this.storage = new Storage(this.seed)
    this.slots = options.slots === true ? new SlotIndex() : undefined
  }

  get size(): number {
    return this.storage.size
  }

  get expiringSize(): number {
    return this.storage.expiringSize
  }

  get memoryBytes(): number {
    return this.storage.memoryBytes
  }

  get tableBytes(): number {
    return this.storage.lookupBytes
  }

  get expiryBytes(): number {
    return this.storage.expiryBytes
  }

  get isNearlyFull(): boolean {
    return this.storage.isNearlyFull
  }

  get reservedBytes(): number {
    return this.storage.reservedBytes
  }

  find(memory: Uint8Array, start: number, end: number): Entry {
    const { storage } = this
    return storage.size === 0 ? NO_ENTRY : storage.find(memory, start, end, this.hash(memory, start, end))
  }

  announce(
    memory: Uint8Array,
    starts: readonly number[],
    ends: readonly number[],
    first: number,
    step: number,
    limit: number,
  ): void {
    const { storage, announced } = this
    if (storage.size < ANNOUNCE_FROM_KEYS) return
    announced.begin(memory)
    for (let i = first; i < limit && !announced.isFull; i += step) {
      const start = starts[i] as number
      const end = ends[i] as number
      announced.add(start, end, storage.hash(memory, start, end))
    }
    announced.fetched = storage.fetch(announced.hashes, announced.count)
  }

  endAnnouncement(): void {
    this.announced.end()
  }

  private hash(memory: Uint8Array, start: number, end: number): number {
    const { announced } = this
    if (announced.memory === memory && announced.isNext(start, end)) return announced.hash
    return this.storage.hash(memory, start, end)
  }

  findKey(key: Uint8Array): Entry {
    return this.find(key, 0, key.length)
  }

  key(entry: Entry): Buffer {
    return this.storage.key(entry)
  }

  type(entry: Entry): ValueType {
    return this.storage.kind(entry) === AGGREGATE ? this.storage.aggregate(entry).type : ValueType.string
  }

  encoding(entry: Entry): string {
    const { storage } = this
    const kind = storage.kind(entry)
    if (kind === AGGREGATE) return storage.aggregate(entry).encoding
    if (kind === INTEGER) return 'int'
    return storage.isRaw(entry) || storage.textLength(entry) > EMBEDDED_LIMIT_BYTES ? 'raw' : 'embstr'
  }

  memoryUsage(entry: Entry): number {
    return this.storage.recordBytes(entry)
  }

  // ————— Strings

  text(entry: Entry): Buffer {
    return Buffer.from(this.peekText(entry))
  }

  peekText(entry: Entry): Buffer {
    const { storage } = this
    if (storage.kind(entry) === INTEGER) return Buffer.from(integerText(storage, entry))
    const start = storage.textStart(entry)
    return storage.textMemory(entry).subarray(start, start + storage.textLength(entry))
  }

  textLength(entry: Entry): number {
    const { storage } = this
    return storage.kind(entry) === INTEGER ? integerText(storage, entry).length : storage.textLength(entry)
  }

  sendText(entry: Entry, reply: Reply): void {
    const { storage } = this
    if (storage.kind(entry) !== INTEGER) {
      const start = storage.textStart(entry)
      reply.bulk(storage.textMemory(entry), start, start + storage.textLength(entry))
      return
    }
    const value = safeIntegerOf(storage, entry)
    if (Number.isNaN(value)) reply.latin1(integerText(storage, entry))
    else reply.bulk(this.digits, 0, writeSafeInteger(this.digits, value))
  }

  integer(entry: Entry): number {
    return this.storage.kind(entry) === INTEGER ? safeIntegerOf(this.storage, entry) : Number.NaN
  }

  setText(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, start: number, end: number): Entry {
    const integer = parseSafeInteger(value, start, end)
    if (!Number.isNaN(integer)) return this.setInteger(key, keyStart, keyEnd, integer)
    const entry = this.claim(key, keyStart, keyEnd, end - start)
    if (!storeIfLargeInteger(this.storage, entry, value, start, end)) this.storage.setText(entry, value, start, end)
    return entry
  }

  setPlainText(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
  ): Entry {
    const entry = this.claim(key, keyStart, keyEnd, end - start)
    this.storage.setText(entry, value, start, end)
    return entry
  }

  makeText(key: Uint8Array, keyStart: number, keyEnd: number, lengthBytes: number): Buffer {
    const { storage } = this
    const entry = this.claim(key, keyStart, keyEnd, lengthBytes)
    storage.resizeText(entry, lengthBytes, false)
    storage.setRaw(entry, true)
    this.setExpireAtMs(entry, -1)
    const start = storage.textStart(entry)
    return storage.textMemory(entry).subarray(start, start + lengthBytes)
  }

  setInteger(key: Uint8Array, keyStart: number, keyEnd: number, value: number): Entry {
    const entry = this.claim(key, keyStart, keyEnd, 0)
    storeSafeInteger(this.storage, entry, value)
    return entry
  }

  replaceText(entry: Entry, value: Uint8Array, start: number, end: number): void {
    const integer = parseSafeInteger(value, start, end)
    if (!Number.isNaN(integer)) {
      this.replaceInteger(entry, integer)
      return
    }
    this.touch(entry)
    if (!storeIfLargeInteger(this.storage, entry, value, start, end)) this.storage.setText(entry, value, start, end)
  }

  replaceInteger(entry: Entry, value: number): void {
    this.touch(entry)
    storeSafeInteger(this.storage, entry, value)
  }

  editText(entry: Entry, lengthBytes: number): Buffer {
    this.beginEdit(entry)
    const { storage } = this
    const oldLength = storage.textLength(entry)
    if (lengthBytes > oldLength) storage.resizeText(entry, lengthBytes, true)
    storage.setRaw(entry, true)
    const start = storage.textStart(entry)
    const window = storage.textMemory(entry).subarray(start, start + storage.textLength(entry))
    if (lengthBytes > oldLength) window.fill(0, oldLength)
    return window
  }

  appendText(entry: Entry, memory: Uint8Array, start: number, end: number): void {
    this.beginEdit(entry)
    this.storage.appendText(entry, memory, start, end)
  }

  /** Makes sure that a string is a text, before it is changed in place. */
  private beginEdit(entry: Entry): void {
    this.touch(entry)
    const { storage } = this
    if (storage.kind(entry) === INTEGER) {
      const text = Buffer.from(integerText(storage, entry))
      storage.setText(entry, text, 0, text.length)
    }
  }

  // ————— Aggregates

  aggregate(entry: Entry): Aggregate {
    return this.storage.aggregate(entry)
  }

  setAggregate(key: Uint8Array, keyStart: number, keyEnd: number, value: Aggregate): Entry {
    const entry = this.claim(key, keyStart, keyEnd, 0)
    this.storage.setAggregate(entry, value)
    return entry
  }

  willChange(entry: Entry): void {
    this.touch(entry)
  }

  changed(entry: Entry): void {
    this.storage.measure(entry)
  }

  // ————— Life of keys

  expireAtMs(entry: Entry): number {
    return this.storage.expireAtMs(entry)
  }

  setExpireAtMs(entry: Entry, expireAtMs: number): void {
    if (expireAtMs < 0 && this.storage.expireAtMs(entry) < 0) return
    this.touch(entry)
    this.storage.setExpireAtMs(entry, expireAtMs)
  }

  remove(entry: Entry): void {
    this.touch(entry)
    this.slots?.remove(entry, keyHashSlot(this.storage.keyWindow(entry)))
    this.storage.remove(entry)
  }

  expect(keys: number): void {
    if (this.size > 0 || this.snapshots.length > 0) return
    this.storage = new Storage(this.seed)
    this.storage.expect(keys)
  }

  clear(): void {
    this.storage = new Storage(this.seed)
    this.snapshots = []
    if (this.slots !== undefined) this.slots = new SlotIndex()
  }

  accessed(entry: Entry): number {
    return this.storage.clock(entry)
  }

  setAccessed(entry: Entry, clock: number): void {
    this.storage.setClock(entry, clock)
  }

  /** Records must stay in their places while snapshots walk over them. */
  maintain(): boolean {
    if (this.snapshots.length > 0) return false
    const { storage } = this
    return storage.compact(MOVES_PER_STEP, (from, to) => {
      if (this.slots === undefined) return
      const slot = keyHashSlot(storage.keyWindow(to))
      this.slots.remove(from, slot)
      this.slots.add(to, slot)
    })
  }

  // ————— Walks

  scan(cursor: bigint, count: number, visit: (entry: Entry) => void): bigint {
    return BigInt(this.storage.scan(Number(BigInt.asUintN(32, cursor)), count, visit))
  }

  randomEntry(draw: (limit: number) => number): Entry {
    const { storage } = this
    if (storage.size === 0) return NO_ENTRY
    for (let tries = 0; tries < RANDOM_TRIES; tries++) {
      const entry = draw(storage.high)
      if (storage.kind(entry) !== FREE) return entry
    }
    let entry = draw(storage.high)
    while (storage.kind(entry) === FREE) entry = (entry + 1) % storage.high
    return entry
  }

  sample(expiringOnly: boolean, draw: (limit: number) => number, count: number, visit: (entry: Entry) => void): void {
    const { storage } = this
    if ((expiringOnly ? storage.expiringSize : storage.size) === 0) return
    for (let i = 0; i < count; i++) {
      visit(expiringOnly ? storage.expiringRecord(draw(storage.expiringSize)) : this.randomEntry(draw))
    }
  }

  sampleExpiring(draw: (limit: number) => number, count: number, visit: (entry: Entry) => void): void {
    const { storage } = this
    const total = storage.expiringSize
    if (total === 0) return
    const first = draw(total)
    for (let i = 0; i < Math.min(count, total); i++) visit(storage.expiringRecord((first + i) % total))
  }

  chainHistogram(): readonly number[] {
    return this.storage.chainHistogram()
  }

  countInSlot(slot: number): number {
    return this.slots?.count(slot) ?? 0
  }

  keysInSlot(slot: number, limit: number): Buffer[] {
    return this.slots?.entries(slot, limit).map((entry) => this.storage.key(entry)) ?? []
  }

  snapshot(visitor: SnapshotVisitor): SnapshotWalk {
    this.stamp++
    const snapshot = new Snapshot(this.storage, visitor, this.stamp, (ended) => {
      const place = this.snapshots.indexOf(ended)
      if (place >= 0) this.snapshots.splice(place, 1)
    })
    this.snapshots.push(snapshot)
    return snapshot
  }

  /** The entry of the key, made if need be with room for `textBytes`; about to be given a value. */
  private claim(key: Uint8Array, start: number, end: number, textBytes: number): Entry {
    const { storage } = this
    const hash = this.hash(key, start, end)
    const found = storage.find(key, start, end, hash)
    if (found !== NONE) {
      this.touch(found)
      return found
    }
    const entry = storage.insert(key, start, end, hash, textBytes, this.accessClock)
    storage.setStamp(entry, this.stamp)
    this.slots?.add(entry, keyHashSlot(key, start, end))
    return entry
  }

  /** To be called before anything about the entry changes. */
  private touch(entry: Entry): void {
    if (this.snapshots.length === 0) return
    // Backwards: a visitor may end its own snapshot.
    for (let i = this.snapshots.length - 1; i >= 0; i--) this.snapshots[i]?.preserve(entry)
    this.storage.setStamp(entry, this.stamp)
  }
}
