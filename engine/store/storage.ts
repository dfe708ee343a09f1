/**
 * How one database lies in memory. Nothing here knows about snapshots, encodings or slots: that is `keyspace.ts`.
 *
 *     buckets   [ 7 | 0 | 3 | … ]              number of the first record + 1, 0 for an empty bucket
 *                         │
 *     records   #2 ┌──────┴─────────────────────────────────────────────────────────────────┐
 *               8 lanes of 32 bits: hash, next, block, value, value, expiry, kind|clock, stamp
 *                                            │
 *     arena     block ┌──────────────────────┴───────────────────────┐
 *                     │ key length (1 or 5 bytes) │ key │ text value │
 *                     └──────────────────────────────────────────────┘
 *
 * A record fills half a cache line, so that a look-up touches three places: bucket, record, block. Integers lie in the
 * two value lanes (64 bits); texts too long for a block, and aggregates, are objects, whose number is in the value
 * lane.
 */
import { ANNOUNCED_KEYS_MAX } from '../data/announced-keys.ts'
import { ChunkedFloat64Array, ChunkedInt32Array } from '../data/chunked-array.ts'
import { keyedHash } from '../data/keyed-hash.ts'
import { Arena, CHUNK_MASK as BLOCK_MASK, CHUNK_SHIFT as BLOCK_SHIFT, blockBytes, MAX_BLOCK_BYTES } from './arena.ts'
import type { Aggregate } from './keyspace-port.ts'
import { ObjectTable } from './object-table.ts'
import {
  BLOCK,
  EXPIRY,
  HASH,
  KIND_MASK,
  META,
  NEXT,
  RecordTable,
  STAMP,
  VALUE_HIGH,
  VALUE_LOW,
} from './record-table.ts'

export const NONE = -1

/** Kinds of values, beside FREE: the low three bits of META. */
export const INTEGER = 1
/** Text behind the key in the block. `VALUE_HIGH` is its length. */
export const TEXT = 2
/** Text in a Buffer of its own, which may have room to grow. `VALUE_LOW` is the object, `VALUE_HIGH` the length. */
export const LONG_TEXT = 3
/** `VALUE_LOW` is the object, `VALUE_HIGH` the last known size in units of 16 bytes. */
export const AGGREGATE = 4
/** The text was edited in place: its encoding is raw whatever its length. */
const RAW = 8
/** The key is too long for a block: `BLOCK` is the object that holds it. */
const LONG_KEY = 16
const CLOCK_SHIFT = 8

const LONG_LENGTH = 255
/** Longest key kept in a block; with its length it always fits. */
const MAX_BLOCK_KEY = 1024
/** Up to this length a loop copies or compares faster than a call into the runtime. */
const LOOP_BYTES = 48

const RECORD_BYTES = 32
/** A time and the record that it belongs to. */
const EXPIRY_BYTES = 12

/** Records of a chain that are fetched. */
const FETCHED_CHAIN = 4
/** What `fetch` works on: links of chains that it still follows, with the hashes looked for, and blocks found. */
const fetching = new Int32Array(ANNOUNCED_KEYS_MAX)
const fetchingHashes = new Int32Array(ANNOUNCED_KEYS_MAX)
const fetchedBlocks = new Int32Array(ANNOUNCED_KEYS_MAX)

export class Storage extends RecordTable {
  expiringSize = 0
  /** Bytes of long keys, long texts and aggregates. */
  private outsideBytes = 0
  private readonly arena = new Arena()
  private readonly keyLow: number
  private readonly keyHigh: number

  private readonly expiryTimes = new ChunkedFloat64Array()
  private readonly expiryRecords = new ChunkedInt32Array()

  private readonly objects = new ObjectTable<Buffer | Aggregate>()

  /** `seed` is 64 random bits, as two 32-bit integers. */
  constructor(seed: readonly [number, number]) {
    super()
    this.keyLow = seed[0] | 0
    this.keyHigh = seed[1] | 0
  }

  get memoryBytes(): number {
    return this.lookupBytes + this.expiryBytes + this.arena.usedBytes + this.outsideBytes
  }

  /** Records and buckets. */
  get lookupBytes(): number {
    return this.size * RECORD_BYTES + this.bucketCount * 4
  }

  get expiryBytes(): number {
    return this.expiringSize * EXPIRY_BYTES
  }

  get isNearlyFull(): boolean {
    return this.arena.isNearlyFull
  }

  /** Bytes taken from the system for records, table and blocks. */
  get reservedBytes(): number {
    const expiry = this.expiryTimes.byteLength + this.expiryRecords.byteLength
    return this.tableBytes + expiry + this.arena.reservedBytes + this.outsideBytes
  }

  // ————— Records

  hash(memory: Uint8Array, start: number, end: number): number {
    return keyedHash(this.keyLow, this.keyHigh, memory, start, end)
  }

  /** The record of the key, or NONE. */
  find(memory: Uint8Array, start: number, end: number, hash: number): number {
    let link = this.buckets.get(this.bucketOf(hash))
    while (link > 0) {
      const record = link - 1
      if (this.lane(record, HASH) === hash && this.hasKey(record, memory, start, end)) return record
      link = this.lane(record, NEXT)
    }
    return NONE
  }

  /**
   * Fetches what looking up keys with these hashes will read: all buckets; the records of all chains, up to the one
   * with the right hash; the blocks of these. The reads of one kind do not depend on each other, so that the processor
   * waits for them at the same time; a look-up alone waits three times in a row, or more.
   *
   * @returns nothing of use: a number that depends on everything read, so that no compiler leaves the reads out
   */
  fetch(hashes: Int32Array, count: number): number {
    for (let i = 0; i < count; i++) {
      const hash = hashes[i] as number
      fetching[i] = this.buckets.get(this.bucketOf(hash))
      fetchingHashes[i] = hash
    }
    let found = 0
    for (let round = 0, left = count; round < FETCHED_CHAIN && left > 0; round++) {
      let open = 0
      for (let i = 0; i < left; i++) {
        const link = fetching[i] as number
        if (link === 0) continue
        const record = link - 1
        const hash = fetchingHashes[i] as number
        if (this.lane(record, HASH) === hash) {
          fetchedBlocks[found++] = this.lane(record, BLOCK)
        } else {
          fetching[open] = this.lane(record, NEXT)
          fetchingHashes[open++] = hash
        }
      }
      left = open
    }
    let sum = 0
    for (let i = 0; i < found; i++) {
      const block = fetchedBlocks[i] as number
      // A long key has the number of an object here: whatever lies there is read in vain.
      const chunk = this.arena.chunks[block >>> BLOCK_SHIFT]
      if (chunk !== undefined) sum += chunk[(block & BLOCK_MASK) << 3] ?? 0
    }
    return sum
  }

  /** A record for a key that has none, with room for a text of `textBytes` in its block. Its value is the integer 0. */
  insert(memory: Uint8Array, start: number, end: number, hash: number, textBytes: number, clock: number): number {
    const record = this.takeRecord()
    this.setLane(record, EXPIRY, 0)
    this.setLane(record, VALUE_LOW, 0)
    this.setLane(record, VALUE_HIGH, 0)
    this.setLane(record, META, INTEGER | (clock << CLOCK_SHIFT))
    this.storeKey(record, memory, start, end, textBytes)
    this.chain(record, hash)
    return record
  }

  remove(record: number): void {
    this.dropValue(record)
    this.setExpireAtMs(record, -1)
    const block = this.lane(record, BLOCK)
    if (this.isLongKey(record)) {
      this.outsideBytes -= (this.objects.get(block) as Buffer).length
      this.objects.remove(block)
    } else {
      this.arena.free(block)
    }
    this.dropRecord(record)
  }

  isRaw(record: number): boolean {
    return (this.lane(record, META) & RAW) !== 0
  }

  stamp(record: number): number {
    return this.lane(record, STAMP)
  }

  setStamp(record: number, stamp: number): void {
    this.setLane(record, STAMP, stamp)
  }

  clock(record: number): number {
    return this.lane(record, META) >>> CLOCK_SHIFT
  }

  setClock(record: number, clock: number): void {
    this.setLane(record, META, (this.lane(record, META) & 0xff) | (clock << CLOCK_SHIFT))
  }

  /** Bytes that the key takes with all that belongs to it. */
  recordBytes(record: number): number {
    const kind = this.kind(record)
    const outside = kind === AGGREGATE || kind === LONG_TEXT ? this.outsideSize(record) : 0
    const expiry = this.lane(record, EXPIRY) > 0 ? 12 : 0
    const block = this.lane(record, BLOCK)
    const key = this.isLongKey(record) ? (this.objects.get(block) as Buffer).length : this.arena.capacity(block)
    return 40 + expiry + key + outside
  }

  // ————— Keys

  key(record: number): Buffer {
    return Buffer.from(this.keyWindow(record))
  }

  /** The key where it lies: valid until the next change. */
  keyWindow(record: number): Buffer {
    const block = this.lane(record, BLOCK)
    if (this.isLongKey(record)) return this.objects.get(block) as Buffer
    const chunk = this.arena.chunks[block >>> BLOCK_SHIFT] as Buffer
    const offset = (block & BLOCK_MASK) << 3
    const length = keyLength(chunk, offset)
    const start = offset + keyHeader(length)
    return chunk.subarray(start, start + length)
  }

  private hasKey(record: number, memory: Uint8Array, start: number, end: number): boolean {
    const length = end - start
    if (this.isLongKey(record)) {
      const key = this.objects.get(this.lane(record, BLOCK)) as Buffer
      return key.compare(memory, start, end) === 0
    }
    const block = this.lane(record, BLOCK)
    const chunk = this.arena.chunks[block >>> BLOCK_SHIFT] as Buffer
    let offset = (block & BLOCK_MASK) << 3
    if (length < LONG_LENGTH) {
      if (chunk[offset] !== length) return false
      offset++
    } else {
      if (keyLength(chunk, offset) !== length) return false
      offset += keyHeader(length)
    }
    if (length > LOOP_BYTES) return chunk.compare(memory, start, end, offset, offset + length) === 0
    for (let i = 0; i < length; i++) if (chunk[offset + i] !== memory[start + i]) return false
    return true
  }

  private storeKey(record: number, memory: Uint8Array, start: number, end: number, textBytes: number): void {
    const length = end - start
    if (length > MAX_BLOCK_KEY) {
      const key = Buffer.allocUnsafeSlow(length)
      key.set(memory.subarray(start, end))
      this.setLane(record, BLOCK, this.objects.add(key))
      this.setLane(record, META, this.lane(record, META) | LONG_KEY)
      this.outsideBytes += length
      return
    }
    const header = keyHeader(length)
    const bytes = header + length + textBytes
    const block = this.arena.allocate(bytes > MAX_BLOCK_BYTES ? header + length : bytes)
    this.setLane(record, BLOCK, block)
    const chunk = this.arena.chunks[block >>> BLOCK_SHIFT] as Buffer
    const offset = (block & BLOCK_MASK) << 3
    writeKeyLength(chunk, offset, length)
    copyBytes(memory, start, end, chunk, offset + header)
  }

  // ————— Values

  integerLow(record: number): number {
    return this.lane(record, VALUE_LOW)
  }

  integerHigh(record: number): number {
    return this.lane(record, VALUE_HIGH)
  }

  /** A 64-bit integer as two lanes in two's complement. */
  setInteger(record: number, low: number, high: number): void {
    if (this.kind(record) !== INTEGER) {
      this.dropValue(record)
      this.setKind(record, INTEGER)
      this.shrinkBlock(record)
    }
    this.setLane(record, VALUE_LOW, low)
    this.setLane(record, VALUE_HIGH, high)
  }

  textLength(record: number): number {
    return this.lane(record, VALUE_HIGH)
  }

  /** The memory that holds the text of a TEXT or LONG_TEXT, which begins at `textStart`. */
  textMemory(record: number): Buffer {
    if (this.kind(record) === LONG_TEXT) return this.objects.get(this.lane(record, VALUE_LOW)) as Buffer
    return this.arena.chunks[this.lane(record, BLOCK) >>> BLOCK_SHIFT] as Buffer
  }

  textStart(record: number): number {
    if (this.kind(record) === LONG_TEXT) return 0
    const block = this.lane(record, BLOCK)
    const offset = (block & BLOCK_MASK) << 3
    const length = keyLength(this.arena.chunks[block >>> BLOCK_SHIFT] as Buffer, offset)
    return offset + keyHeader(length) + length
  }

  setText(record: number, value: Uint8Array, start: number, end: number): void {
    this.resizeText(record, end - start, false)
    this.setRaw(record, false)
    copyBytes(value, start, end, this.textMemory(record), this.textStart(record))
  }

  /**
   * Makes the value a text of `length` bytes: its bytes so far are kept when `keep`, which needs the value to be a
   * text; further ones are undefined. Growing texts get room to grow on.
   */
  resizeText(record: number, length: number, keep: boolean): void {
    // Texts of megabytes often replace one of the same length: memory fresh from the system costs more than its
    // filling.
    if (!keep && this.kind(record) === LONG_TEXT && this.longTextBytes(record) === length) keep = true
    if (!keep) this.dropValue(record)
    const kind = this.kind(record)
    if (kind === LONG_TEXT) {
      this.resizeLongText(record, length)
    } else {
      const wasText = kind === TEXT
      const oldLength = wasText ? this.textLength(record) : 0
      const inBlock = !this.isLongKey(record) && this.keyBytes(record) + length <= MAX_BLOCK_BYTES
      if (inBlock) {
        const room = keep && length > oldLength ? Math.min(length * 2, MAX_BLOCK_BYTES - this.keyBytes(record)) : length
        this.fitBlock(record, length, room, oldLength, !keep)
        this.setKind(record, TEXT)
      } else {
        this.moveOutside(record, length, oldLength, keep)
      }
    }
    this.setLane(record, VALUE_HIGH, length)
  }

  /** Puts source[start…end) at the end of a text, which is raw then. */
  appendText(record: number, source: Uint8Array, start: number, end: number): void {
    const length = this.textLength(record)
    if (end > start) this.resizeText(record, length + end - start, true)
    this.setRaw(record, true)
    copyBytes(source, start, end, this.textMemory(record), this.textStart(record) + length)
  }

  setRaw(record: number, raw: boolean): void {
    const meta = this.lane(record, META)
    this.setLane(record, META, raw ? meta | RAW : meta & ~RAW)
  }

  private longTextBytes(record: number): number {
    return (this.objects.get(this.lane(record, VALUE_LOW)) as Buffer).length
  }

  private resizeLongText(record: number, length: number): void {
    const object = this.lane(record, VALUE_LOW)
    const old = this.objects.get(object) as Buffer
    if (length <= old.length) return
    const grown = Buffer.allocUnsafeSlow(roomFor(length))
    old.copy(grown, 0, 0, this.textLength(record))
    this.objects.set(object, grown)
    this.outsideBytes += grown.length - old.length
  }

  private moveOutside(record: number, length: number, oldLength: number, keep: boolean): void {
    const text = Buffer.allocUnsafeSlow(keep ? roomFor(length) : length)
    if (oldLength > 0) {
      const start = this.textStart(record)
      this.textMemory(record).copy(text, 0, start, start + oldLength)
    }
    this.setKind(record, LONG_TEXT)
    this.setLane(record, VALUE_LOW, this.objects.add(text))
    this.outsideBytes += text.length
    this.shrinkBlock(record)
  }

  aggregate(record: number): Aggregate {
    return this.objects.get(this.lane(record, VALUE_LOW)) as Aggregate
  }

  setAggregate(record: number, value: Aggregate): void {
    this.dropValue(record)
    this.setKind(record, AGGREGATE)
    this.shrinkBlock(record)
    this.setLane(record, VALUE_LOW, this.objects.add(value))
    this.setLane(record, VALUE_HIGH, 0)
    this.measure(record)
  }

  /** Brings the account up to date with the size of the aggregate. */
  measure(record: number): void {
    const units = Math.ceil(this.aggregate(record).memoryBytes / 16)
    this.outsideBytes += (units - this.lane(record, VALUE_HIGH)) * 16
    this.setLane(record, VALUE_HIGH, units)
  }

  private outsideSize(record: number): number {
    if (this.kind(record) === AGGREGATE) return this.lane(record, VALUE_HIGH) * 16
    return (this.objects.get(this.lane(record, VALUE_LOW)) as Buffer).length
  }

  /** Leaves the integer 0, or the text of a block with length 0. */
  private dropValue(record: number): void {
    const kind = this.kind(record)
    if (kind === LONG_TEXT || kind === AGGREGATE) {
      this.outsideBytes -= this.outsideSize(record)
      this.objects.remove(this.lane(record, VALUE_LOW))
      this.setKind(record, INTEGER)
    }
    this.setLane(record, VALUE_LOW, 0)
    this.setLane(record, VALUE_HIGH, 0)
  }

  private setKind(record: number, kind: number): void {
    this.setLane(record, META, (this.lane(record, META) & ~(KIND_MASK | RAW)) | kind)
  }

  /** Bytes of the block that the key takes. */
  private keyBytes(record: number): number {
    const block = this.lane(record, BLOCK)
    const length = keyLength(this.arena.chunks[block >>> BLOCK_SHIFT] as Buffer, (block & BLOCK_MASK) << 3)
    return keyHeader(length) + length
  }

  /** Leaves no more room behind the key than blocks must have. */
  private shrinkBlock(record: number): void {
    if (!this.isLongKey(record)) this.fitBlock(record, 0, 0, 0, true)
  }

  /**
   * Moves to a block for `roomBytes` when `textBytes` does not fit; with `mayShrink` also when the block is more than
   * twice too large. `keptBytes` of the text are copied.
   */
  private fitBlock(record: number, textBytes: number, roomBytes: number, keptBytes: number, mayShrink: boolean): void {
    const keyBytes = this.keyBytes(record)
    const capacity = this.arena.capacity(this.lane(record, BLOCK))
    const fits = keyBytes + textBytes <= capacity
    if (fits && (!mayShrink || blockBytes(keyBytes + textBytes) * 2 >= capacity)) return
    this.moveBlock(record, keyBytes + roomBytes, keyBytes + keptBytes)
  }

  private moveBlock(record: number, bytes: number, keptBytes: number): void {
    const from = this.lane(record, BLOCK)
    const to = this.arena.allocate(bytes)
    const source = this.arena.chunks[from >>> BLOCK_SHIFT] as Buffer
    const start = (from & BLOCK_MASK) << 3
    copyBytes(source, start, start + keptBytes, this.arena.chunks[to >>> BLOCK_SHIFT] as Buffer, (to & BLOCK_MASK) << 3)
    this.setLane(record, BLOCK, to)
    this.arena.free(from)
  }

  // ————— Expiry: times and records lie densely, the record knows its place + 1

  expireAtMs(record: number): number {
    const place = this.lane(record, EXPIRY)
    return place === 0 ? -1 : this.expiryTimes.get(place - 1)
  }

  /** −1 removes the expiry; the last one takes its place. */
  setExpireAtMs(record: number, expireAtMs: number): void {
    const place = this.lane(record, EXPIRY)
    if (expireAtMs >= 0) {
      if (place > 0) this.expiryTimes.set(place - 1, expireAtMs)
      else this.addExpiry(record, expireAtMs)
    } else if (place > 0) {
      this.removeExpiry(record, place - 1)
    }
  }

  private addExpiry(record: number, expireAtMs: number): void {
    const place = this.expiringSize++
    this.expiryTimes.reserve(this.expiringSize)
    this.expiryRecords.reserve(this.expiringSize)
    this.expiryTimes.set(place, expireAtMs)
    this.expiryRecords.set(place, record)
    this.setLane(record, EXPIRY, place + 1)
  }

  private removeExpiry(record: number, place: number): void {
    const last = --this.expiringSize
    const moved = this.expiryRecords.get(last)
    this.expiryTimes.set(place, this.expiryTimes.get(last))
    this.expiryRecords.set(place, moved)
    this.setLane(moved, EXPIRY, place + 1)
    this.setLane(record, EXPIRY, 0)
    this.expiryTimes.trim(last)
    this.expiryRecords.trim(last)
  }

  /** The record with the expiry at `place` (0…expiringSize − 1). */
  expiringRecord(place: number): number {
    return this.expiryRecords.get(place)
  }

  // ————— Moving things together

  /**
   * One step towards giving memory back: moves up to `moves` of the last records into free places, or empties one page
   * of the arena. Records change their numbers. `onMove` learns of it. True while there may be more to do.
   */
  compact(moves: number, onMove: (from: number, to: number) => void): boolean {
    if (this.isSparse) {
      for (let i = 0; i < moves && this.size < this.high; i++) {
        this.moveLastRecord((from, to) => {
          const place = this.lane(to, EXPIRY)
          if (place > 0) this.expiryRecords.set(place - 1, to)
          onMove(from, to)
        })
      }
      return true
    }
    return this.arena.evacuate((block) => this.moveOwner(block))
  }

  /** The key in the block tells whose it is. */
  private moveOwner(block: number): void {
    const chunk = this.arena.chunks[block >>> BLOCK_SHIFT] as Buffer
    const offset = (block & BLOCK_MASK) << 3
    const length = keyLength(chunk, offset)
    const start = offset + keyHeader(length)
    const record = this.find(chunk, start, start + length, this.hash(chunk, start, start + length))
    const used = this.keyBytes(record) + (this.kind(record) === TEXT ? this.textLength(record) : 0)
    this.moveBlock(record, this.arena.capacity(block), used)
  }

  // ————— Places

  private isLongKey(record: number): boolean {
    return (this.lane(record, META) & LONG_KEY) !== 0
  }
}

function keyLength(chunk: Buffer, offset: number): number {
  const length = chunk[offset] as number
  return length < LONG_LENGTH ? length : chunk.readUInt32LE(offset + 1)
}

function keyHeader(length: number): number {
  return length < LONG_LENGTH ? 1 : 5
}

function writeKeyLength(chunk: Buffer, offset: number, length: number): void {
  if (length < LONG_LENGTH) {
    chunk[offset] = length
    return
  }
  chunk[offset] = LONG_LENGTH
  chunk.writeUInt32LE(length, offset + 1)
}

/**
 * Redis reserves at most 1 MB more, which realloc gives without copying; here growing means copying, so that room must
 * grow with the text.
 */
function roomFor(length: number): number {
  return length < 1_048_576 ? length * 2 : length + Math.max(1_048_576, length >>> 3)
}

function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, position: number): void {
  if (end - start > LOOP_BYTES) {
    target.set(source.subarray(start, end), position)
    return
  }
  for (let i = start, to = position; i < end; i++, to++) target[to] = source[i] as number
}
