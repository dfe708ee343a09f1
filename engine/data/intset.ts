/**
 * Redis's intset: different integers in ascending order, all as wide as the widest needs, in one piece of memory. The
 * bytes are Redis's own, so that they can stand in RDB files as they are.
 *
 *     width (4 bytes: 2, 4 or 8) | count (4) | integer … integer        everything little endian
 *
 * An integer that is too wide widens all of them; removal never narrows. A member is a number when it is safe to be one
 * (up to ±(2^53 − 1)), else a bigint, so that equal members are equal in JavaScript too.
 * Source of the format: Redis's `intset.c`.
 */

export type Int64 = number | bigint

const HEADER_BYTES = 8
const MIN_CAPACITY_BYTES = 24

export class IntSet {
  private bytes: Buffer
  private width: number
  private count: number

  private constructor(bytes: Buffer, width: number, count: number) {
    this.bytes = bytes
    this.width = width
    this.count = count
  }

  static empty(): IntSet {
    return new IntSet(Buffer.alloc(MIN_CAPACITY_BYTES), 2, 0)
  }

  /** Takes a copy of `bytes`; undefined when they are not a sound intset. */
  static parse(bytes: Uint8Array): IntSet | undefined {
    if (bytes.length < HEADER_BYTES) return undefined
    const own = Buffer.from(bytes)
    const width = own.readUInt32LE(0)
    const count = own.readUInt32LE(4)
    if (width !== 2 && width !== 4 && width !== 8) return undefined
    if (count === 0 || own.length !== HEADER_BYTES + width * count) return undefined
    const set = new IntSet(own, width, count)
    for (let i = 1; i < count; i++) if (set.at(i - 1) >= set.at(i)) return undefined
    return set
  }

  get size(): number {
    return this.count
  }

  get memoryBytes(): number {
    return this.bytes.length
  }

  /** A window on the whole, with its header up to date; valid until the next change. */
  serialized(): Buffer {
    this.bytes.writeUInt32LE(this.width, 0)
    this.bytes.writeUInt32LE(this.count, 4)
    return this.bytes.subarray(0, HEADER_BYTES + this.count * this.width)
  }

  clone(): IntSet {
    return new IntSet(Buffer.from(this.serialized()), this.width, this.count)
  }

  /** The member at `index`, from 0, in ascending order. */
  at(index: number): Int64 {
    const offset = HEADER_BYTES + index * this.width
    if (this.width === 2) return this.bytes.readInt16LE(offset)
    if (this.width === 4) return this.bytes.readInt32LE(offset)
    const high = this.bytes.readInt32LE(offset + 4)
    const value = high * 0x100000000 + this.bytes.readUInt32LE(offset)
    return Number.isSafeInteger(value) ? value : this.bytes.readBigInt64LE(offset)
  }

  has(value: Int64): boolean {
    if (widthOf(value) > this.width) return false
    const index = this.lowerBound(value)
    return index < this.count && this.at(index) === value
  }

  /** True when it was not there yet. */
  add(value: Int64): boolean {
    const width = widthOf(value)
    if (width > this.width) {
      this.widen(width)
    } else if (this.has(value)) {
      return false
    }
    const index = this.lowerBound(value)
    this.reserve(this.count + 1)
    const offset = HEADER_BYTES + index * this.width
    this.bytes.copyWithin(offset + this.width, offset, HEADER_BYTES + this.count * this.width)
    this.count++
    this.put(index, value)
    return true
  }

  /** True when it was there. */
  remove(value: Int64): boolean {
    if (!this.has(value)) return false
    const offset = HEADER_BYTES + this.lowerBound(value) * this.width
    this.bytes.copyWithin(offset, offset + this.width, HEADER_BYTES + this.count * this.width)
    this.count--
    const used = HEADER_BYTES + this.count * this.width
    if (this.bytes.length > MIN_CAPACITY_BYTES && used < this.bytes.length / 4) this.resize(used * 2)
    return true
  }

  /** Index of the first member that is not less than `value`. */
  private lowerBound(value: Int64): number {
    let low = 0
    let high = this.count
    if (high > 0 && this.at(high - 1) < value) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.at(middle) < value) low = middle + 1
      else high = middle
    }
    return low
  }

  private put(index: number, value: Int64): void {
    const offset = HEADER_BYTES + index * this.width
    if (this.width === 2) this.bytes.writeInt16LE(value as number, offset)
    else if (this.width === 4) this.bytes.writeInt32LE(value as number, offset)
    else this.bytes.writeBigInt64LE(BigInt(value), offset)
  }

  private widen(width: number): void {
    const members = Array.from({ length: this.count }, (_, index) => this.at(index))
    this.width = width
    this.reserve(this.count)
    for (let i = 0; i < members.length; i++) this.put(i, members[i] as Int64)
  }

  private reserve(count: number): void {
    const needed = HEADER_BYTES + count * this.width
    if (needed > this.bytes.length) this.resize(Math.max(needed, this.bytes.length * 2))
  }

  private resize(capacityBytes: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(capacityBytes, MIN_CAPACITY_BYTES))
    this.bytes.copy(bytes, 0, 0, bytes.length)
    this.bytes = bytes
  }
}

function widthOf(value: Int64): number {
  if (value >= -0x8000 && value <= 0x7fff) return 2
  return value >= -0x80000000 && value <= 0x7fffffff ? 4 : 8
}
