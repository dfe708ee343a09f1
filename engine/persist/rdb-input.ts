/**
 * Bytes of an RDB file on their way in, fed in chunks of any size.
 *
 * A reader asks for bytes as if they were all there. When they are not, the read throws NEED_MORE, the reader goes
 * back to the last `commit`, and tries again when `wantedBytes` have arrived. An exception costs two microseconds and
 * comes once per chunk, so that nothing needs to be written as a state machine down to the single byte.
 */

import type { ByteRange } from '../data/listpack.ts'
import { decompress } from '../data/lzf.ts'
import { Crc64 } from './crc64.ts'
import { LENGTH_32_BITS, LENGTH_64_BITS, stringEncoding } from './rdb-format.ts'

/** Thrown by reads past the bytes that have arrived; never leaves `RdbReader`. */
export const NEED_MORE: unique symbol = Symbol('more bytes are needed')

/** Thrown where a value has been read completely and has no elements: its key is left out, as in Redis. */
export const EMPTY_VALUE: unique symbol = Symbol('a value without elements')

/** No sound file has a longer string (Redis's `proto-max-bulk-len` is 512 MB by default). */
const STRING_MAX_BYTES = 0x7fffffff

/** The file is damaged, or holds something that this server cannot represent. */
export class RdbError extends Error {
  /** Where in the file, from its first byte. */
  readonly offsetBytes: number
  constructor(message: string, offsetBytes: number) {
    super(`${message} at offset ${offsetBytes}`)
    this.name = 'RdbError'
    this.offsetBytes = offsetBytes
  }
}

export class RdbInput {
  private memory: Buffer = Buffer.alloc(0)
  private limit = 0
  private position = 0
  private committed = 0
  /** Up to here the checksum has been taken. */
  private summed = 0
  /** Bytes of the file that have left `memory`. */
  private droppedBytes = 0
  private wanted = 0
  private readonly crc = new Crc64()

  /** Offset in the file of the next byte to be read. */
  get offsetBytes(): number {
    return this.droppedBytes + this.position
  }

  /** Whether trying again makes sense. */
  get ready(): boolean {
    return this.limit >= this.wanted
  }

  /** Takes a copy of `chunk`. */
  feed(chunk: Uint8Array): void {
    this.drop()
    if (this.limit + chunk.length > this.memory.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.limit + chunk.length, this.memory.length * 2, 65536))
      this.memory.copy(larger, 0, 0, this.limit)
      this.memory = larger
    }
    this.memory.set(chunk, this.limit)
    this.limit += chunk.length
  }

  /** What has been read since the last commit will not be read again. */
  commit(): void {
    this.committed = this.position
  }

  /** Back to the last commit. */
  unwind(): void {
    this.position = this.committed
  }

  /** Takes out all that has been fed and not committed. */
  takeRest(): Buffer {
    const rest = Buffer.from(this.memory.subarray(this.committed, this.limit))
    this.limit = this.committed
    this.position = this.committed
    return rest
  }

  /** CRC-64 of everything but the last `count` bytes that were read. Only once, at the end. */
  checksumBefore(count: number): Buffer {
    this.sum(this.position - count)
    return this.crc.bytes()
  }

  fail(message: string): never {
    throw new RdbError(message, this.offsetBytes)
  }

  skipEmpty(): never {
    throw EMPTY_VALUE
  }

  byte(): number {
    this.need(1)
    return this.memory[this.position++] as number
  }

  /** A window on the next `count` bytes, valid until the next `feed`. */
  bytes(count: number): Buffer {
    this.need(count)
    const start = this.position
    this.position += count
    return this.memory.subarray(start, this.position)
  }

  /** A length or count. */
  length(): number {
    const first = this.byte()
    return first >= 0xc0 ? this.fail(`Invalid length encoding ${first}`) : this.lengthAfter(first)
  }

  private lengthAfter(first: number): number {
    if (first < 0x40) return first
    if (first < 0x80) return ((first & 0x3f) << 8) | this.byte()
    if (first === LENGTH_32_BITS) return this.bytes(4).readUInt32BE()
    if (first !== LENGTH_64_BITS) this.fail(`Invalid length encoding ${first}`)
    const value = Number(this.bytes(8).readBigUInt64BE())
    return value > Number.MAX_SAFE_INTEGER ? this.fail(`Length ${value} is out of range`) : value
  }

  /** A number of up to 64 bits, in the encoding of lengths. */
  uint64(): bigint {
    const first = this.byte()
    if (first === LENGTH_64_BITS) return this.bytes(8).readBigUInt64BE()
    return first >= 0xc0 ? this.fail(`Invalid length encoding ${first}`) : BigInt(this.lengthAfter(first))
  }

  /** Unix time in ms. */
  timeMs(): number {
    return Number(this.bytes(8).readBigInt64LE())
  }

  /** A string in any of its encodings; valid until the next `feed`. */
  string(): Buffer {
    const first = this.byte()
    return first < 0xc0 ? this.bytes(this.textLength(first)) : this.encodedString(first)
  }

  private encodedString(first: number): Buffer {
    switch (first & 0x3f) {
      case stringEncoding.int8:
        return Buffer.from(String(this.bytes(1).readInt8()))
      case stringEncoding.int16:
        return Buffer.from(String(this.bytes(2).readInt16LE()))
      case stringEncoding.int32:
        return Buffer.from(String(this.bytes(4).readInt32LE()))
      case stringEncoding.lzf:
        return this.compressedString()
      default:
        return this.fail(`Unknown string encoding ${first & 0x3f}`)
    }
  }

  /** `string` without a window: sets `range` to it. */
  text(range: ByteRange): void {
    const first = this.byte()
    if (first >= 0xc0) {
      range.memory = this.encodedString(first)
      range.start = 0
      range.end = range.memory.length
      return
    }
    const length = this.textLength(first)
    this.need(length)
    range.memory = this.memory
    range.start = this.position
    this.position += length
    range.end = this.position
  }

  private textLength(first: number): number {
    const length = this.lengthAfter(first)
    return length > STRING_MAX_BYTES ? this.fail(`String of ${length} bytes is too long`) : length
  }

  private compressedString(): Buffer {
    const packedLength = this.length()
    const length = this.length()
    if (length > STRING_MAX_BYTES || packedLength > STRING_MAX_BYTES) this.fail(`String of ${length} bytes is too long`)
    const packed = this.bytes(packedLength)
    // The best that LZF can do is 264 bytes from 3: a damaged length must not make us reserve gigabytes.
    if (length > packedLength * 88 + 264) this.fail('Invalid LZF compressed string')
    const text = Buffer.allocUnsafe(length)
    if (!decompress(packed, text)) this.fail('Invalid LZF compressed string')
    return text
  }

  private need(count: number): void {
    const end = this.position + count
    if (end <= this.limit) return
    this.wanted = end
    throw NEED_MORE
  }

  private drop(): void {
    const count = this.committed
    if (count === 0) return
    this.sum(count)
    this.memory.copyWithin(0, count, this.limit)
    this.droppedBytes += count
    this.limit -= count
    this.position -= count
    this.wanted = Math.max(0, this.wanted - count)
    this.summed = 0
    this.committed = 0
  }

  private sum(end: number): void {
    this.crc.update(this.memory, this.summed, end)
    this.summed = end
  }
}
