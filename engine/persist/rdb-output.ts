/**
 * Bytes of an RDB file on their way out: lengths and strings in Redis's encodings, gathered in one buffer, passed on
 * in chunks, with the checksum taken on the way.
 */

import { compress } from '../data/lzf.ts'
import { Crc64 } from './crc64.ts'
import { LENGTH_32_BITS, LENGTH_64_BITS, stringEncoding } from './rdb-format.ts'

const CHUNK_BYTES = 64 * 1024
/** Shorter strings are not worth compressing (as in Redis). */
const COMPRESS_ABOVE_BYTES = 20
/** Longer ones cannot be a 32-bit integer. */
const INTEGER_TEXT_MAX_BYTES = 11

export interface RdbOutputOptions {
  /** Takes the bytes in order. A chunk is valid only during the call. May throw; then the output is dead. */
  sink(chunk: Buffer): void
  /** `rdbchecksum` */
  checksum: boolean
  /** `rdbcompression` */
  compression: boolean
}

export class RdbOutput {
  private readonly options: RdbOutputOptions
  private readonly crc = new Crc64()
  private readonly buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  private used = 0
  private passedBytes = 0

  constructor(options: RdbOutputOptions) {
    this.options = options
  }

  /** Bytes written so far, those still in the buffer included. */
  get bytesWritten(): number {
    return this.passedBytes + this.used
  }

  byte(value: number): void {
    this.room(1)
    this.buffer[this.used++] = value
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length > CHUNK_BYTES / 2) {
      this.flush()
      this.pass(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
      return
    }
    this.room(bytes.length)
    this.buffer.set(bytes, this.used)
    this.used += bytes.length
  }

  /** A length or count, at most 2^53. */
  length(value: number): void {
    this.room(9)
    if (value < 64) {
      this.buffer[this.used++] = value
    } else if (value < 16384) {
      this.used = this.buffer.writeUInt16BE(0x4000 | value, this.used)
    } else if (value <= 0xffffffff) {
      this.buffer[this.used++] = LENGTH_32_BITS
      this.used = this.buffer.writeUInt32BE(value, this.used)
    } else {
      this.buffer[this.used++] = LENGTH_64_BITS
      this.used = this.buffer.writeBigUInt64BE(BigInt(value), this.used)
    }
  }

  /** A number of up to 64 bits, in the encoding of lengths. */
  uint64(value: bigint): void {
    if (value <= 0xffffffffn) {
      this.length(Number(value))
      return
    }
    this.room(9)
    this.buffer[this.used++] = LENGTH_64_BITS
    this.used = this.buffer.writeBigUInt64BE(value, this.used)
  }

  /** Unix time in ms. */
  timeMs(value: number): void {
    this.room(8)
    this.used = this.buffer.writeBigInt64LE(BigInt(value), this.used)
  }

  /** A string in the shortest of: integer, compressed, as it is. */
  string(bytes: Uint8Array): void {
    if (bytes.length <= INTEGER_TEXT_MAX_BYTES && this.integer(bytes)) return
    if (this.options.compression && bytes.length > COMPRESS_ABOVE_BYTES && this.compressed(bytes)) return
    this.length(bytes.length)
    this.raw(bytes)
  }

  text(value: string): void {
    this.string(Buffer.from(value))
  }

  private integer(bytes: Uint8Array): boolean {
    const value = canonicalInteger(bytes)
    if (value === undefined) return false
    this.room(5)
    if (value >= -128 && value <= 127) {
      this.buffer[this.used++] = 0xc0 | stringEncoding.int8
      this.used = this.buffer.writeInt8(value, this.used)
    } else if (value >= -32768 && value <= 32767) {
      this.buffer[this.used++] = 0xc0 | stringEncoding.int16
      this.used = this.buffer.writeInt16LE(value, this.used)
    } else if (value >= -2147483648 && value <= 2147483647) {
      this.buffer[this.used++] = 0xc0 | stringEncoding.int32
      this.used = this.buffer.writeInt32LE(value, this.used)
    } else return false
    return true
  }

  private compressed(bytes: Uint8Array): boolean {
    const room = bytes.length - 4
    const target = room <= scratch.length ? scratch.subarray(0, room) : Buffer.allocUnsafe(room)
    const size = compress(bytes, target)
    if (size === 0) return false
    this.compressedString(target.subarray(0, size), bytes.length)
    return true
  }

  /** A string of `lengthBytes` that is compressed already. */
  compressedString(lzf: Uint8Array, lengthBytes: number): void {
    this.byte(0xc0 | stringEncoding.lzf)
    this.length(lzf.length)
    this.length(lengthBytes)
    this.raw(lzf)
  }

  /** The eight bytes that end a file (zeros when checksums are off), then everything out. */
  finish(): void {
    this.flush()
    this.raw(this.options.checksum ? this.crc.bytes() : Buffer.alloc(8))
    this.flush()
  }

  flush(): void {
    if (this.used === 0) return
    const used = this.used
    this.used = 0
    this.pass(this.buffer.subarray(0, used))
  }

  private pass(chunk: Buffer): void {
    if (this.options.checksum) this.crc.update(chunk)
    this.passedBytes += chunk.length
    this.options.sink(chunk)
  }

  private room(bytes: number): void {
    if (this.used + bytes > CHUNK_BYTES) this.flush()
  }
}

const scratch = Buffer.allocUnsafe(CHUNK_BYTES)

/** The integer that `bytes` are the only decimal text of, if they are one. */
function canonicalInteger(bytes: Uint8Array): number | undefined {
  const length = bytes.length
  if (length === 0) return undefined
  const negative = bytes[0] === 0x2d
  let at = negative ? 1 : 0
  if (at === length) return undefined
  if (bytes[at] === 0x30) return length === 1 ? 0 : undefined
  let value = 0
  for (; at < length; at++) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return negative ? -value : value
}
