/**
 * A hash table from byte strings to values, for the insides of hashes, sets and sorted sets: it can be scanned with
 * Redis's guarantee while it changes, and gives a random entry in one step. Keys are text with one character per byte
 * (latin1): the smallest form that JavaScript has for bytes of any length.
 *
 *     slot       0      1      2      3          size
 *     keys       'a'    'b'    'c'    'd'        dense: a removal moves the last slot into the gap,
 *     values     …      …      …      …          so any slot below `size` is an entry
 *     links      … 0    … 0    … 2    … 0        hash, then next in the chain of its bucket: slot + 1, 0 at the end
 *     buckets    [0, 3, 0, 4, 1, …]              linear hash (Litwin 1980): grows by one bucket at a time, never stalls
 *
 * The hash is keyed (`keyed-hash.ts`): whoever does not know the seed cannot make keys collide, and the same seed gives
 * the same order everywhere.
 */
import { ChunkedInt32Array } from './chunked-array.ts'
import { keyedHash } from './keyed-hash.ts'

/** Where there is no entry. */
export const NO_SLOT = -1

const MIN_BUCKETS = 4
/** Entries per bucket on average: grows above, shrinks below. */
const GROW_LOAD = 1
const SHRINK_LOAD = 0.25
/** Estimated bytes of one entry beside its key's characters: two pointers, hash, link, bucket, header of the text. */
const ENTRY_BYTES = 48
const SCRATCH_BYTES = 4096

export type HashSeed = readonly [low: number, high: number]

export class ScanTable<V> {
  readonly seed: HashSeed
  private keys: string[] = []
  private values: V[] = []
  private readonly links = new ChunkedInt32Array()
  private readonly buckets = new ChunkedInt32Array()
  private bucketCount = MIN_BUCKETS
  /** Buckets at the last doubling − 1. */
  private mask = MIN_BUCKETS - 1
  /** Buckets below this one have been split since. */
  private split = 0
  private keyBytes = 0
  /** Of the last look-up: those who look a key up and then change it ask for it again. */
  private lastHash = 0
  private lastText: string | undefined = undefined
  private lastSlot = NO_SLOT

  constructor(seed: HashSeed) {
    this.seed = seed
    this.buckets.reserve(MIN_BUCKETS)
  }

  get size(): number {
    return this.keys.length
  }

  /** Estimated bytes, those behind the values not included. */
  get memoryBytes(): number {
    return this.keyBytes + this.keys.length * ENTRY_BYTES
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

  /** The slot of the key at memory[start…end), or NO_SLOT. Slots stay valid until the next removal. */
  find(memory: Uint8Array, start: number, end: number): number {
    const hash = keyedHash(this.seed[0], this.seed[1], memory, start, end)
    this.lastHash = hash
    this.lastText = undefined
    for (let link = this.buckets.get(this.bucketOf(hash)); link > 0; link = this.nextOf(link - 1)) {
      if (this.hashAt(link - 1) === hash && equals(this.keys[link - 1] as string, memory, start, end)) return link - 1
    }
    return NO_SLOT
  }

  /** The slot of a key given as text with one character per byte, or NO_SLOT. */
  findText(key: string): number {
    if (key === this.lastText) return this.lastSlot
    const hash = this.hashOf(key)
    let link = this.buckets.get(this.bucketOf(hash))
    while (link > 0 && (this.hashAt(link - 1) !== hash || this.keys[link - 1] !== key)) link = this.nextOf(link - 1)
    this.lastHash = hash
    this.lastText = key
    this.lastSlot = link - 1
    return link - 1
  }

  /** Slots are the whole numbers below `size`. */
  keyAt(slot: number): string {
    return this.keys[slot] as string
  }

  valueAt(slot: number): V {
    return this.values[slot] as V
  }

  setValueAt(slot: number, value: V): void {
    this.values[slot] = value
  }

  /** Adds a key that must not be there yet; returns its slot. */
  insert(key: string, value: V): number {
    if (key !== this.lastText) this.lastHash = this.hashOf(key)
    return this.insertMissed(key, value)
  }

  /** Adds the key that the last look-up has not found; returns its slot. */
  insertMissed(key: string, value: V): number {
    const slot = this.keys.length
    const hash = this.lastHash
    const bucket = this.bucketOf(hash)
    this.lastText = undefined
    this.links.reserve(2 * slot + 2)
    this.keys.push(key)
    this.values.push(value)
    this.links.set(2 * slot, hash)
    this.links.set(2 * slot + 1, this.buckets.get(bucket))
    this.buckets.set(bucket, slot + 1)
    this.keyBytes += key.length
    if (this.keys.length > this.bucketCount * GROW_LOAD) this.splitBucket()
    return slot
  }

  /** Adds the key or replaces its value. True when it was added. */
  set(key: string, value: V): boolean {
    const slot = this.findText(key)
    if (slot === NO_SLOT) this.insert(key, value)
    else this.values[slot] = value
    return slot === NO_SLOT
  }

  /** Removes an entry; the one in the last slot takes its place. */
  remove(slot: number): void {
    this.lastText = undefined
    this.keyBytes -= (this.keys[slot] as string).length
    this.relink(slot, this.nextOf(slot))
    const last = this.keys.length - 1
    if (slot !== last) {
      this.relink(last, slot + 1)
      this.keys[slot] = this.keys[last] as string
      this.values[slot] = this.values[last] as V
      this.links.set(2 * slot, this.hashAt(last))
      this.setNext(slot, this.nextOf(last))
    }
    this.keys.pop()
    this.values.pop()
    this.links.trim(2 * last)
    for (let i = 0; i < 2 && this.bucketCount > MIN_BUCKETS && last < this.bucketCount * SHRINK_LOAD; i++) {
      this.mergeBucket()
    }
  }

  /** Any slot, each as likely as another; NO_SLOT when empty. `draw(limit)` gives a whole number in [0, limit). */
  randomSlot(draw: (limit: number) => number): number {
    return this.keys.length === 0 ? NO_SLOT : draw(this.keys.length)
  }

  /**
   * Redis's SCAN guarantee: what is there from the first call (cursor 0) to the last (which returns 0) is visited at
   * least once. Buckets are walked in the order of reversed hashes: each holds one interval of them, however many
   * buckets there are at the time. Whole buckets are visited until `count` entries or 10 times as many buckets were seen.
   * A cursor is a whole number below 2^32. `visit` must not add or remove keys.
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

  /** An independent table with the same entries in the same slots; `copy` copies a value that is shared otherwise. */
  clone(copy: (value: V) => V = (value) => value): ScanTable<V> {
    const table = new ScanTable<V>(this.seed)
    for (let slot = 0; slot < this.keys.length; slot++) table.insert(this.keyAt(slot), copy(this.valueAt(slot)))
    return table
  }

  private hashOf(key: string): number {
    const { length } = key
    if (length > SCRATCH_BYTES) return keyedHash(this.seed[0], this.seed[1], Buffer.from(key, 'latin1'), 0, length)
    for (let i = 0; i < length; i++) scratch[i] = key.charCodeAt(i)
    return keyedHash(this.seed[0], this.seed[1], scratch, 0, length)
  }

  private hashAt(slot: number): number {
    return this.links.get(2 * slot)
  }

  private nextOf(slot: number): number {
    return this.links.get(2 * slot + 1)
  }

  private setNext(slot: number, link: number): void {
    this.links.set(2 * slot + 1, link)
  }

  private bucketOf(hash: number): number {
    const bucket = hash & this.mask
    return bucket < this.split ? hash & (this.mask * 2 + 1) : bucket
  }

  /** Lets what points to the slot in its chain point to `link` instead. */
  private relink(slot: number, link: number): void {
    const bucket = this.bucketOf(this.hashAt(slot))
    const first = this.buckets.get(bucket)
    if (first === slot + 1) {
      this.buckets.set(bucket, link)
      return
    }
    let previous = first - 1
    while (this.nextOf(previous) !== slot + 1) previous = this.nextOf(previous) - 1
    this.setNext(previous, link)
  }

  private splitBucket(): void {
    this.buckets.reserve(this.bucketCount + 1)
    const bit = this.mask + 1
    let link = this.buckets.get(this.split)
    let stay = 0
    let go = 0
    while (link > 0) {
      const slot = link - 1
      link = this.nextOf(slot)
      if ((this.hashAt(slot) & bit) === 0) {
        this.setNext(slot, stay)
        stay = slot + 1
      } else {
        this.setNext(slot, go)
        go = slot + 1
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
      const slot = link - 1
      link = this.nextOf(slot)
      this.setNext(slot, first)
      first = slot + 1
    }
    this.buckets.set(this.split, first)
    this.buckets.set(this.bucketCount, 0)
    this.buckets.trim(this.bucketCount)
  }
}

const scratch = Buffer.alloc(SCRATCH_BYTES)

function equals(key: string, memory: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false
  for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) !== memory[start + i]) return false
  return true
}

function reverseBits(value: number): number {
  let bits = value
  bits = ((bits >>> 1) & 0x55555555) | ((bits & 0x55555555) << 1)
  bits = ((bits >>> 2) & 0x33333333) | ((bits & 0x33333333) << 2)
  bits = ((bits >>> 4) & 0x0f0f0f0f) | ((bits & 0x0f0f0f0f) << 4)
  bits = ((bits >>> 8) & 0x00ff00ff) | ((bits & 0x00ff00ff) << 8)
  return (bits >>> 16) | (bits << 16)
}
