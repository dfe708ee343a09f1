/**
 * A hash table of byte strings, with or without a byte string as value, for the insides of hashes, sets and sorted
 * sets: it can be scanned with Redis's guarantee while it changes, and gives a random entry in one step. Nothing of an
 * entry is a JavaScript object, so that the garbage collector has nothing to do with a million of them.
 *
 *     slot       0      1      2      3          size
 *     entries    record, hash, next entry        dense: a removal moves the last slot into the gap,
 *                 of the chain (slot + 1)        so any slot below `size` is an entry
 *     buckets    [0, 3, 0, 4, 1, …]              linear hash (Litwin 1980): grows by one bucket at a time, never stalls
 *     record     key length [value length] key [value]      in a record heap; a length is 1 byte, or 255 and 4 more
 *
 * The hash is keyed (`keyed-hash.ts`): whoever does not know the seed cannot make keys collide, and the same seed gives
 * the same order everywhere.
 */
import { ANNOUNCED_KEYS_MAX, type AnnouncedKeys, type KeyPlaces } from './announced-keys.ts'
import { ChunkedInt32Array } from './chunked-array.ts'
import { keyedHash } from './keyed-hash.ts'
import type { ByteRange } from './listpack.ts'
import { RecordHeap } from './record-heap.ts'
import type { KeyOrder } from './score-tree.ts'

/** Where there is no entry. */
export const NO_SLOT = -1

const MIN_BUCKETS = 4
/** Entries per bucket on average: grows above, shrinks below. */
const GROW_LOAD = 1
const SHRINK_LOAD = 0.25
/** Smaller tables lie in the caches of the processor anyway. */
const ANNOUNCE_FROM = 16_384
/** Entries of a chain that are fetched. */
const FETCHED_CHAIN = 4
/** Words of an entry. */
const WIDTH = 3
const RECORD = 0
const HASH = 1
const NEXT = 2
/** The objects that a table consists of, however small. */
const TABLE_BYTES = 400
const SCRATCH_BYTES = 4096
const LONG_LENGTH = 255
/** Copied by hand up to here, which is faster than a call. */
const COPY_BY_HAND_BYTES = 48

export type HashSeed = readonly [low: number, high: number]

export class ScanTable implements KeyOrder {
  size = 0
  private readonly seed: HashSeed
  /** The seed as signed integers, which the hash is faster with. */
  private readonly seedLow: number
  private readonly seedHigh: number
  private readonly hasValues: boolean
  private heap = new RecordHeap()
  private entries = new ChunkedInt32Array()
  private buckets = new ChunkedInt32Array()
  private bucketCount = MIN_BUCKETS
  /** Buckets at the last doubling − 1. */
  private mask = MIN_BUCKETS - 1
  /** Buckets below this one have been split since. */
  private split = 0
  /** Keys that will be looked up soon, with their hashes. */
  private announced: AnnouncedKeys | undefined = undefined
  /** `size` at the last announcement. */
  private announcedSize = 0
  /** Of the key that was looked for last. */
  private foundHash = 0
  /** `KeyOrder`: of the keys that `compareAimed` has compared last. */
  sharedBytes = 0

  constructor(seed: HashSeed, hasValues: boolean) {
    this.seed = seed
    this.seedLow = seed[0] | 0
    this.seedHigh = seed[1] | 0
    this.hasValues = hasValues
    this.buckets.reserve(MIN_BUCKETS)
  }

  /** Bytes taken from the system. */
  get memoryBytes(): number {
    return TABLE_BYTES + this.heap.reservedBytes + this.entries.byteLength + this.buckets.byteLength
  }

  /** How many chains there are of each length. */
  chainHistogram(): number[] {
    const counts: number[] = []
    for (let bucket = 0; bucket < this.bucketCount; bucket++) {
      let length = 0
      for (let link = this.buckets.get(bucket); link > 0; link = this.nextOf(link - 1)) length++
      counts[length] = (counts[length] ?? 0) + 1
    }
    return counts
  }

  // ————— Reading

  /** The slot of the key at memory[start…end), or NO_SLOT. Slots stay valid until the next removal. */
  find(memory: Uint8Array, start: number, end: number): number {
    const hash = this.hash(memory, start, end)
    this.foundHash = hash
    return this.size === 0 ? NO_SLOT : this.findHashed(hash, memory, start, end)
  }

  /**
   * Keys that will be looked up next, in this order. What their look-ups will read is fetched now, the processor
   * waiting for what does not depend on each other together (as `Storage.fetch`): all buckets; the entries of all
   * chains, up to the one with the right hash; the records of these. A table that grows also divides as many buckets as
   * keys are added, whose entries lie anywhere.
   */
  announce({ memory, starts, ends, count }: KeyPlaces, announced: AnnouncedKeys): void {
    if (this.size < ANNOUNCE_FROM) return
    this.announced = announced
    announced.begin(memory)
    for (let i = 0; i < count && !announced.isFull; i++) {
      const [start, end] = [starts[i] as number, ends[i] as number]
      announced.add(start, end, keyedHash(this.seedLow, this.seedHigh, memory, start, end))
    }
    const grown = this.size - this.announcedSize
    this.announcedSize = this.size
    announced.fetched = this.fetch(announced.hashes, announced.count)
    if (grown > 0) announced.fetched += this.fetchDivided(Math.min(grown, announced.count))
  }

  /** Returns nothing of use: a number that depends on all that was read, so that no compiler leaves it out. */
  private fetch(hashes: Int32Array, count: number): number {
    const { entries, heap } = this
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
        const entry = (link - 1) * WIDTH
        const hash = fetchingHashes[i] as number
        if (entries.get(entry + HASH) === hash) {
          fetchedRecords[found++] = entries.get(entry + RECORD)
        } else {
          fetching[open] = entries.get(entry + NEXT)
          fetchingHashes[open++] = hash
        }
      }
      left = open
    }
    let sum = 0
    for (let i = 0; i < found; i++) {
      const record = fetchedRecords[i] as number
      sum += heap.memory(record)[heap.offset(record)] ?? 0
    }
    return sum
  }

  /** As `fetch`, of the buckets that are divided next. */
  private fetchDivided(count: number): number {
    const last = Math.min(this.split + count, this.mask + 1)
    let sum = 0
    for (let bucket = this.split; bucket < last; bucket++) {
      const link = this.buckets.get(bucket)
      if (link > 0) sum += this.nextOf(link - 1)
    }
    return sum
  }

  private hash(memory: Uint8Array, start: number, end: number): number {
    const { announced } = this
    if (announced !== undefined && announced.memory === memory && announced.isNext(start, end)) return announced.hash
    return keyedHash(this.seedLow, this.seedHigh, memory, start, end)
  }

  /** The slot of a key given as text with one character per byte, or NO_SLOT. */
  findText(key: string): number {
    return this.find(bytesOf(key), 0, key.length)
  }

  /** The text of a key, in a slot below `size`; one object, valid until the next read of a key or change. */
  key(slot: number): ByteRange {
    this.locate(this.recordOf(slot))
    keyRange.memory = recordMemory
    keyRange.start = keyStart
    keyRange.end = valueStart
    return keyRange
  }

  /** One character per byte. */
  keyAt(slot: number): string {
    this.locate(this.recordOf(slot))
    return recordMemory.toString('latin1', keyStart, valueStart)
  }

  /** The value of a slot; one object, valid until the next read of a value or change. */
  value(slot: number): ByteRange {
    this.locate(this.recordOf(slot))
    valueRange.memory = recordMemory
    valueRange.start = valueStart
    valueRange.end = recordEnd
    return valueRange
  }

  /** `KeyOrder`: the key of this slot is compared with others until the table changes. */
  aim(slot: number): void {
    this.locate(this.recordOf(slot))
    aimedMemory = recordMemory
    aimedStart = keyStart
    aimedLength = valueStart - keyStart
  }

  /** `KeyOrder`: less than 0 when the key aimed at is before that of `slot`, by bytes; both share the first `from`. */
  compareAimed(slot: number, from: number): number {
    this.locate(this.recordOf(slot))
    const [aimed, other] = [aimedMemory, recordMemory]
    const length = valueStart - keyStart
    const end = aimedStart + Math.min(aimedLength, length)
    let at = aimedStart + from
    for (let otherAt = keyStart + from; at < end; at++, otherAt++) {
      const difference = (aimed[at] as number) - (other[otherAt] as number)
      if (difference !== 0) {
        this.sharedBytes = at - aimedStart
        return difference
      }
    }
    this.sharedBytes = end - aimedStart
    return aimedLength - length
  }

  // ————— Changing

  /** Adds the key memory[start…end), with an empty value, unless it is there: its new slot, or ~slot of the old one. */
  add(memory: Uint8Array, start: number, end: number): number {
    return this.put(memory, start, end, memory, end, end)
  }

  /** As `add`, with value[valueFrom…valueTo), which also replaces the value of a key that is there. */
  put(memory: Uint8Array, start: number, end: number, value: Uint8Array, valueFrom: number, valueTo: number): number {
    const hash = this.hash(memory, start, end)
    const found = this.size === 0 ? NO_SLOT : this.findHashed(hash, memory, start, end)
    if (found !== NO_SLOT) {
      if (this.hasValues) this.replaceValue(found, memory, start, end, value, valueFrom, valueTo)
      return ~found
    }
    return this.append(hash, memory, start, end, value, valueFrom, valueTo)
  }

  /** As `add`, of a key that the last `find` did not find. */
  addMissing(memory: Uint8Array, start: number, end: number): number {
    return this.append(this.foundHash, memory, start, end, memory, end, end)
  }

  /** A new entry, of a key that is not there: its slot. */
  private append(
    hash: number,
    memory: Uint8Array,
    start: number,
    end: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
  ): number {
    const slot = this.size
    const bucket = this.bucketOf(hash)
    const record = this.writeRecord(memory, start, end, value, valueFrom, valueTo)
    const { entries } = this
    entries.reserve((slot + 1) * WIDTH)
    entries.set(slot * WIDTH + RECORD, record)
    entries.set(slot * WIDTH + HASH, hash)
    entries.set(slot * WIDTH + NEXT, this.buckets.get(bucket))
    this.buckets.set(bucket, slot + 1)
    this.size = slot + 1
    if (this.size > this.bucketCount * GROW_LOAD) this.splitBucket()
    return slot
  }

  /** As `add`, of text with one character per byte. */
  addText(key: string): number {
    return this.add(bytesOf(key), 0, key.length)
  }

  /** Removes an entry; the one in the last slot takes its place. */
  remove(slot: number): void {
    const { entries } = this
    const record = this.recordOf(slot)
    this.relink(slot, this.nextOf(slot))
    const last = this.size - 1
    if (slot !== last) {
      this.relink(last, slot + 1)
      for (let word = 0; word < WIDTH; word++) entries.set(slot * WIDTH + word, entries.get(last * WIDTH + word))
    }
    this.size = last
    entries.trim(last * WIDTH)
    for (let i = 0; i < 2 && this.bucketCount > MIN_BUCKETS && last < this.bucketCount * SHRINK_LOAD; i++) {
      this.mergeBucket()
    }
    this.freeRecord(record)
  }

  /**
   * Redis's SCAN guarantee: what is there from the first call (cursor 0) to the last (which returns 0) is visited at
   * least once. Buckets are walked in the order of reversed hashes: each holds one interval of them, however many
   * buckets there are at the time. Whole buckets are visited until `count` entries or 10 times as many buckets were
   * seen. A cursor is a whole number below 2^32. `visit` must not add or remove keys.
   */
  scan(cursor: number, count: number, visit: (slot: number) => void): number {
    let at = cursor
    let seen = 0
    for (let walked = 0; seen < count && walked < count * 10; walked++) {
      const hash = reverseBits(at)
      for (let link = this.buckets.get(this.bucketOf(hash)); link > 0; link = this.nextOf(link - 1)) {
        visit(link - 1)
        seen++
      }
      const isSplit = (hash & this.mask) < this.split
      const width = 0x100000000 / ((this.mask + 1) * (isSplit ? 2 : 1))
      at = Math.floor(at / width) * width + width
      if (at >= 0x100000000) return 0
    }
    return at
  }

  /** An independent table with the same entries in the same slots. */
  clone(): ScanTable {
    return this.copy(this.heap.clone(), this.entries.clone(), this.buckets.clone())
  }

  /** The entries that are there now, in the same slots, for reading: memory is shared until it is changed. */
  freeze(): ScanTable {
    return this.copy(this.heap.freeze(), this.entries.freeze(), this.buckets.freeze())
  }

  private copy(heap: RecordHeap, entries: ChunkedInt32Array, buckets: ChunkedInt32Array): ScanTable {
    const table = new ScanTable(this.seed, this.hasValues)
    table.size = this.size
    table.heap = heap
    table.entries = entries
    table.buckets = buckets
    table.bucketCount = this.bucketCount
    table.mask = this.mask
    table.split = this.split
    return table
  }

  // ————— Records

  private recordOf(slot: number): number {
    return this.entries.get(slot * WIDTH + RECORD)
  }

  /** Sets `recordMemory`, `keyStart`, `valueStart`, `recordStart` and `recordEnd`. */
  private locate(record: number): void {
    const memory = this.heap.memory(record)
    recordMemory = memory
    recordStart = this.heap.offset(record)
    let at = recordStart
    let keyLength = memory[at++] as number
    if (keyLength === LONG_LENGTH) {
      keyLength = memory.readUInt32LE(at)
      at += 4
    }
    let valueLength = 0
    if (this.hasValues) {
      valueLength = memory[at++] as number
      if (valueLength === LONG_LENGTH) {
        valueLength = memory.readUInt32LE(at)
        at += 4
      }
    }
    keyStart = at
    valueStart = at + keyLength
    recordEnd = valueStart + valueLength
  }

  private writeRecord(
    key: Uint8Array,
    start: number,
    end: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
  ): number {
    const keyLength = end - start
    const valueLength = valueTo - valueFrom
    const header = lengthBytes(keyLength) + (this.hasValues ? lengthBytes(valueLength) : 0)
    const record = this.heap.allocate(header + keyLength + valueLength)
    const memory = this.heap.memory(record)
    let at = writeLength(memory, this.heap.offset(record), keyLength)
    if (this.hasValues) at = writeLength(memory, at, valueLength)
    copyBytes(memory, at, key, start, end)
    copyBytes(memory, at + keyLength, value, valueFrom, valueTo)
    return record
  }

  /** In its place if it fits there. `key` is the slot's, whose record was located last. */
  private replaceValue(
    slot: number,
    key: Uint8Array,
    start: number,
    end: number,
    value: Uint8Array,
    valueFrom: number,
    valueTo: number,
  ): void {
    const record = this.recordOf(slot)
    const length = valueTo - valueFrom
    const oldLength = recordEnd - valueStart
    const room = (valueStart + length - recordStart + 3) >>> 2
    const header = lengthBytes(length)
    if (header === lengthBytes(oldLength) && room === (recordEnd - recordStart + 3) >>> 2) {
      const memory = this.heap.writableMemory(record)
      writeLength(memory, keyStart - header, length)
      copyBytes(memory, valueStart, value, valueFrom, valueTo)
      return
    }
    this.entries.set(slot * WIDTH + RECORD, this.writeRecord(key, start, end, value, valueFrom, valueTo))
    this.freeRecord(record)
  }

  /** Nothing must refer to the record any more. */
  private freeRecord(record: number): void {
    this.locate(record)
    if (this.heap.free(record, recordEnd - recordStart)) this.heap.evacuate(record, (other) => this.moveRecord(other))
  }

  /** Copies a record that a slot refers to. The bytes of it, dead or alive. */
  private moveRecord(record: number): number {
    this.locate(record)
    const bytes = recordEnd - recordStart
    const hash = keyedHash(this.seedLow, this.seedHigh, recordMemory, keyStart, valueStart)
    let link = this.buckets.get(this.bucketOf(hash))
    while (link > 0 && this.recordOf(link - 1) !== record) link = this.nextOf(link - 1)
    if (link === 0) return bytes
    const [memory, start] = [recordMemory, recordStart]
    const moved = this.heap.allocate(bytes)
    copyBytes(this.heap.memory(moved), this.heap.offset(moved), memory, start, start + bytes)
    this.entries.set((link - 1) * WIDTH + RECORD, moved)
    return bytes
  }

  // ————— Chains

  private nextOf(slot: number): number {
    return this.entries.get(slot * WIDTH + NEXT)
  }

  private findHashed(hash: number, memory: Uint8Array, start: number, end: number): number {
    const { entries } = this
    for (let link = this.buckets.get(this.bucketOf(hash)); link > 0; ) {
      const entry = (link - 1) * WIDTH
      if (entries.get(entry + HASH) === hash && this.hasKey(entries.get(entry + RECORD), memory, start, end)) {
        return link - 1
      }
      link = entries.get(entry + NEXT)
    }
    return NO_SLOT
  }

  private hasKey(record: number, memory: Uint8Array, start: number, end: number): boolean {
    this.locate(record)
    if (valueStart - keyStart !== end - start) return false
    for (let at = keyStart, i = start; i < end; i++, at++) if (recordMemory[at] !== memory[i]) return false
    return true
  }

  private bucketOf(hash: number): number {
    const bucket = hash & this.mask
    return bucket < this.split ? hash & (this.mask * 2 + 1) : bucket
  }

  /** Lets what points to the slot in its chain point to `link` instead. */
  private relink(slot: number, link: number): void {
    const bucket = this.bucketOf(this.entries.get(slot * WIDTH + HASH))
    const first = this.buckets.get(bucket)
    if (first === slot + 1) {
      this.buckets.set(bucket, link)
      return
    }
    let previous = first - 1
    for (let next = this.nextOf(previous); next !== slot + 1; next = this.nextOf(previous)) previous = next - 1
    this.entries.set(previous * WIDTH + NEXT, link)
  }

  private splitBucket(): void {
    this.buckets.reserve(this.bucketCount + 1)
    const { entries } = this
    const bit = this.mask + 1
    let link = this.buckets.get(this.split)
    let stay = 0
    let go = 0
    while (link > 0) {
      const entry = (link - 1) * WIDTH
      const next = entries.get(entry + NEXT)
      if ((entries.get(entry + HASH) & bit) === 0) {
        entries.set(entry + NEXT, stay)
        stay = link
      } else {
        entries.set(entry + NEXT, go)
        go = link
      }
      link = next
    }
    this.buckets.set(this.split, stay)
    this.buckets.set(this.bucketCount, go)
    this.bucketCount++
    this.split++
    if (this.split <= this.mask) return
    this.mask = this.mask * 2 + 1
    this.split = 0
  }

  private mergeBucket(): void {
    if (this.split === 0) {
      this.mask >>>= 1
      this.split = this.mask + 1
    }
    this.split--
    this.bucketCount--
    let link = this.buckets.get(this.bucketCount)
    let first = this.buckets.get(this.split)
    while (link > 0) {
      const slot = link - 1
      link = this.nextOf(slot)
      this.entries.set(slot * WIDTH + NEXT, first)
      first = slot + 1
    }
    this.buckets.set(this.split, first)
    this.buckets.set(this.bucketCount, 0)
    this.buckets.trim(this.bucketCount)
  }
}

/** What `locate` found. */
let recordMemory: Buffer = Buffer.alloc(0)
let recordStart = 0
let keyStart = 0
let valueStart = 0
let recordEnd = 0

/** The key that `aim` was called for. */
let aimedMemory = recordMemory
let aimedStart = 0
let aimedLength = 0

const keyRange: ByteRange = { memory: recordMemory, start: 0, end: 0 }
const valueRange: ByteRange = { memory: recordMemory, start: 0, end: 0 }
const fetching = new Int32Array(ANNOUNCED_KEYS_MAX)
const fetchingHashes = new Int32Array(ANNOUNCED_KEYS_MAX)
const fetchedRecords = new Int32Array(ANNOUNCED_KEYS_MAX)
const scratch = Buffer.alloc(SCRATCH_BYTES)

/** Bytes of a text with one character per byte, from 0 to its length; valid until the next call. */
export function bytesOf(text: string): Buffer {
  const { length } = text
  if (length > SCRATCH_BYTES) return Buffer.from(text, 'latin1')
  if (length > COPY_BY_HAND_BYTES) scratch.write(text, 0, length, 'latin1')
  else for (let i = 0; i < length; i++) scratch[i] = text.charCodeAt(i)
  return scratch
}

function lengthBytes(length: number): number {
  return length < LONG_LENGTH ? 1 : 5
}

function writeLength(memory: Buffer, at: number, length: number): number {
  if (length < LONG_LENGTH) {
    memory[at] = length
    return at + 1
  }
  memory[at] = LONG_LENGTH
  return memory.writeUInt32LE(length, at + 1)
}

function copyBytes(target: Buffer, at: number, source: Uint8Array, start: number, end: number): void {
  if (end - start > COPY_BY_HAND_BYTES) target.set(source.subarray(start, end), at)
  else for (let i = start, to = at; i < end; i++) target[to++] = source[i] as number
}

function reverseBits(value: number): number {
  let bits = value
  bits = ((bits >>> 1) & 0x55555555) | ((bits & 0x55555555) << 1)
  bits = ((bits >>> 2) & 0x33333333) | ((bits & 0x33333333) << 2)
  bits = ((bits >>> 4) & 0x0f0f0f0f) | ((bits & 0x0f0f0f0f) << 4)
  bits = ((bits >>> 8) & 0x00ff00ff) | ((bits & 0x00ff00ff) << 8)
  return (bits >>> 16) | (bits << 16)
}
