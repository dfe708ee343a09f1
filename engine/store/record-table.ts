/**
 * The records of a storage and the hash table over them; `storage.ts` shows how they lie in memory.
 *
 * The table is a linear hash (Litwin 1980): it grows and shrinks by one bucket at a time, with every insertion and
 * removal, and so never stalls. A record keeps its number until it is removed (or `moveLastRecord` moves it): the
 * number is the entry that the outside sees.
 */
import { ChunkedInt32Array } from '../data/chunked-array.ts'

const CHUNK_SHIFT = 12
const CHUNK_RECORDS = 1 << CHUNK_SHIFT
const RECORD_MASK = CHUNK_RECORDS - 1
const LANES_SHIFT = 3
const FIRST_RECORDS = 16

/** Lanes of a record. A free record has its neighbours in the list of free ones in `NEXT` and `BLOCK`. */
export const HASH = 0
export const NEXT = 1
export const BLOCK = 2
export const VALUE_LOW = 3
export const VALUE_HIGH = 4
export const EXPIRY = 5
export const META = 6
export const STAMP = 7

/** Kind of a free record: the low three bits of META. */
export const FREE = 0
export const KIND_MASK = 7

const MIN_BUCKETS = 16
/** Records per bucket on average: grows above, shrinks below. */
const GROW_LOAD = 0.75
const SHRINK_LOAD = 0.25
/** Whatever is announced, no more than 64 MB are reserved for it. */
const EXPECTED_MAX = 12_000_000

const NO_CHUNK = new Int32Array(0)

export class RecordTable {
  size = 0
  /** One more than the largest record number in use. */
  high = 0
  private readonly records: Int32Array[] = []
  private firstFree = 0
  protected readonly buckets = new ChunkedInt32Array()
  protected bucketCount = MIN_BUCKETS
  /** Buckets at the last doubling − 1. */
  private mask = MIN_BUCKETS - 1
  /** Buckets below this one have been split since. */
  private split = 0

  constructor() {
    this.buckets.reserve(MIN_BUCKETS)
  }

  kind(record: number): number {
    return this.lane(record, META) & KIND_MASK
  }

  /** Bytes of records and buckets. */
  protected get tableBytes(): number {
    return this.records.reduce((sum, chunk) => sum + chunk.byteLength, 0) + this.buckets.byteLength
  }

  /** How many chains there are of each length. */
  chainHistogram(): number[] {
    const counts: number[] = []
    for (let bucket = 0; bucket < this.bucketCount; bucket++) {
      let length = 0
      for (let link = this.buckets.get(bucket); link > 0; link = this.lane(link - 1, NEXT)) length++
      counts[length] = (counts[length] ?? 0) + 1
    }
    return counts
  }

  /** Puts a record into the chain of its hash. */
  protected chain(record: number, hash: number): void {
    const bucket = this.bucketOf(hash)
    this.setLane(record, HASH, hash)
    this.setLane(record, NEXT, this.buckets.get(bucket))
    this.buckets.set(bucket, record + 1)
    this.size++
    if (this.size > this.bucketCount * GROW_LOAD) this.splitBucket()
  }

  /** Makes the buckets for so many records at once. Only an empty table: nothing has to be moved. */
  expect(records: number): void {
    if (this.size > 0) return
    while (this.bucketCount * GROW_LOAD < Math.min(records, EXPECTED_MAX)) this.bucketCount *= 2
    this.buckets.reserve(this.bucketCount)
    this.mask = this.bucketCount - 1
    this.split = 0
  }

  protected bucketOf(hash: number): number {
    const bucket = hash & this.mask
    return bucket < this.split ? hash & (this.mask * 2 + 1) : bucket
  }

  private splitBucket(): void {
    this.buckets.reserve(this.bucketCount + 1)
    const bit = this.mask + 1
    let link = this.buckets.get(this.split)
    let stay = 0
    let go = 0
    while (link > 0) {
      const record = link - 1
      link = this.lane(record, NEXT)
      if ((this.lane(record, HASH) & bit) === 0) {
        this.setLane(record, NEXT, stay)
        stay = record + 1
      } else {
        this.setLane(record, NEXT, go)
        go = record + 1
      }
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
      const record = link - 1
      link = this.lane(record, NEXT)
      this.setLane(record, NEXT, first)
      first = record + 1
    }
    this.buckets.set(this.split, first)
    this.buckets.set(this.bucketCount, 0)
    this.buckets.trim(this.bucketCount)
  }

  /** Takes a record out of its chain and frees it. */
  protected dropRecord(record: number): void {
    this.relink(record, this.lane(record, NEXT))
    this.freeRecord(record)
    this.size--
    for (let i = 0; i < 2 && this.bucketCount > MIN_BUCKETS && this.size < this.bucketCount * SHRINK_LOAD; i++) {
      this.mergeBucket()
    }
  }

  /** Lets what points to the record in its chain point to `link` instead. */
  private relink(record: number, link: number): void {
    const bucket = this.bucketOf(this.lane(record, HASH))
    const first = this.buckets.get(bucket)
    if (first === record + 1) {
      this.buckets.set(bucket, link)
      return
    }
    let previous = first - 1
    while (this.lane(previous, NEXT) !== record + 1) previous = this.lane(previous, NEXT) - 1
    this.setLane(previous, NEXT, link)
  }

  /**
   * Walks buckets in the order of reversed hashes: each holds the records of one interval of them, however many buckets
   * there are at the time, so that a cursor in this order misses nothing that stays (Redis's SCAN does the same).
   * Visits whole buckets from `position` (0…2^32 − 1) on until `count` records or 10 times as many buckets were seen;
   * returns where to go on, 0 at the end.
   */
  scan(position: number, count: number, visit: (record: number) => void): number {
    let at = position
    let seen = 0
    for (let walked = 0; seen < count && walked < count * 10; walked++) {
      const hash = reverseBits(at)
      const bucket = this.bucketOf(hash)
      for (let link = this.buckets.get(bucket); link > 0; link = this.lane(link - 1, NEXT)) {
        visit(link - 1)
        seen++
      }
      const isSplit = (hash & this.mask) < this.split
      const buckets = (this.mask + 1) * (isSplit ? 2 : 1)
      const width = 0x100000000 / buckets
      at = Math.floor(at / width) * width + width
      if (at >= 0x100000000) return 0
    }
    return at
  }

  protected lane(record: number, lane: number): number {
    const chunk = this.records[record >>> CHUNK_SHIFT] as Int32Array
    return chunk[((record & RECORD_MASK) << LANES_SHIFT) + lane] as number
  }

  protected setLane(record: number, lane: number, value: number): void {
    const chunk = this.records[record >>> CHUNK_SHIFT] as Int32Array
    chunk[((record & RECORD_MASK) << LANES_SHIFT) + lane] = value
  }

  protected takeRecord(): number {
    if (this.firstFree > 0) {
      const record = this.firstFree - 1
      this.unlinkFree(record)
      return record
    }
    this.reserveRecord(this.high)
    return this.high++
  }

  /** The first chunk grows by doubling, so that a small database is small. */
  private reserveRecord(record: number): void {
    const index = record >>> CHUNK_SHIFT
    const chunk = this.records[index] ?? NO_CHUNK
    if ((record & RECORD_MASK) << LANES_SHIFT < chunk.length) return
    const size = index > 0 ? CHUNK_RECORDS : Math.max(FIRST_RECORDS, (chunk.length >>> LANES_SHIFT) * 2)
    const grown = new Int32Array(size << LANES_SHIFT)
    grown.set(chunk)
    this.records[index] = grown
  }

  private freeRecord(record: number): void {
    this.setLane(record, META, FREE)
    this.setLane(record, NEXT, this.firstFree)
    this.setLane(record, BLOCK, 0)
    if (this.firstFree > 0) this.setLane(this.firstFree - 1, BLOCK, record + 1)
    this.firstFree = record + 1
  }

  private unlinkFree(record: number): void {
    const next = this.lane(record, NEXT)
    const previous = this.lane(record, BLOCK)
    if (previous > 0) this.setLane(previous - 1, NEXT, next)
    else this.firstFree = next
    if (next > 0) this.setLane(next - 1, BLOCK, previous)
  }

  /** True when fewer than half of the records are in use, and there are many. */
  protected get isSparse(): boolean {
    return this.high > 4 * FIRST_RECORDS && this.size < this.high / 2
  }

  /** Moves the last record into a free place, or gives up its place when it is free. There must be a free record. */
  protected moveLastRecord(onMove: (from: number, to: number) => void): void {
    const last = this.high - 1
    if (this.kind(last) !== FREE) {
      const to = this.takeRecord()
      this.relink(last, to + 1)
      for (let lane = 0; lane < 8; lane++) this.setLane(to, lane, this.lane(last, lane))
      onMove(last, to)
      this.freeRecord(last)
    }
    this.unlinkFree(last)
    this.high--
    const chunks = ((this.high + RECORD_MASK) >>> CHUNK_SHIFT) + 1
    if (this.records.length > chunks) this.records.length = chunks
  }
}

function reverseBits(value: number): number {
  let bits = value
  bits = ((bits >>> 1) & 0x55555555) | ((bits & 0x55555555) << 1)
  bits = ((bits >>> 2) & 0x33333333) | ((bits & 0x33333333) << 2)
  bits = ((bits >>> 4) & 0x0f0f0f0f) | ((bits & 0x0f0f0f0f) << 4)
  bits = ((bits >>> 8) & 0x00ff00ff) | ((bits & 0x00ff00ff) << 8)
  return (bits >>> 16) | (bits << 16)
}
