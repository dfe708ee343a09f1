/**
 * CRC-64 as Redis uses it at the end of RDB files and DUMP payloads: Jones's polynomial 0xad93d23594c935a9, bits
 * reflected, start value 0, no final exclusive or. (`123456789` gives e9c6d914c4b8d9ca.)
 *
 * JavaScript has no fast 64-bit integers, so the register is two 32-bit halves. Eight bytes are taken per step with
 * eight tables ("slicing by 8"): about six times as fast as a byte at a time, and a save is mostly this.
 */

const POLYNOMIAL_LOW = 0xac4bc9b5 | 0
const POLYNOMIAL_HIGH = 0x95ac9329 | 0
const SLICES = 8

const tableLow = new Int32Array(SLICES * 256)
const tableHigh = new Int32Array(SLICES * 256)
fillTables()

function fillTables(): void {
  for (let byte = 0; byte < 256; byte++) {
    let low = byte
    let high = 0
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1
      low = (low >>> 1) | (high << 31)
      high = high >>> 1
      if (carry) {
        low ^= POLYNOMIAL_LOW
        high ^= POLYNOMIAL_HIGH
      }
    }
    tableLow[byte] = low
    tableHigh[byte] = high
  }
  for (let index = 256; index < SLICES * 256; index++) {
    const low = tableLow[index - 256] as number
    const high = tableHigh[index - 256] as number
    tableLow[index] = ((low >>> 8) | (high << 24)) ^ (tableLow[low & 255] as number)
    tableHigh[index] = (high >>> 8) ^ (tableHigh[low & 255] as number)
  }
}

/** A running checksum: `update` with the bytes in order, then read it. */
export class Crc64 {
  private low = 0
  private high = 0

  /** Takes in bytes[start…end). */
  update(bytes: Uint8Array, start = 0, end = bytes.length): void {
    let low = this.low
    let high = this.high
    let at = start
    for (; at + 8 <= end; at += 8) {
      low ^= word(bytes, at)
      high ^= word(bytes, at + 4)
      const a = 1792 + (low & 255)
      const b = 1536 + ((low >>> 8) & 255)
      const c = 1280 + ((low >>> 16) & 255)
      const d = 1024 + (low >>> 24)
      const e = 768 + (high & 255)
      const f = 512 + ((high >>> 8) & 255)
      const g = 256 + ((high >>> 16) & 255)
      const h = high >>> 24
      low = lowOf(a) ^ lowOf(b) ^ lowOf(c) ^ lowOf(d) ^ lowOf(e) ^ lowOf(f) ^ lowOf(g) ^ lowOf(h)
      high = highOf(a) ^ highOf(b) ^ highOf(c) ^ highOf(d) ^ highOf(e) ^ highOf(f) ^ highOf(g) ^ highOf(h)
    }
    for (; at < end; at++) {
      const index = (low ^ (bytes[at] as number)) & 255
      low = ((low >>> 8) | (high << 24)) ^ lowOf(index)
      high = (high >>> 8) ^ highOf(index)
    }
    this.low = low
    this.high = high
  }

  /** Eight bytes, little endian: as they stand in an RDB file. */
  bytes(): Buffer {
    const out = Buffer.allocUnsafe(8)
    out.writeInt32LE(this.low, 0)
    out.writeInt32LE(this.high, 4)
    return out
  }

  /** Sixteen hexadecimal digits, most significant first. */
  hex(): string {
    return Buffer.from(this.bytes()).reverse().toString('hex')
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

function lowOf(index: number): number {
  return tableLow[index] as number
}

function highOf(index: number): number {
  return tableHigh[index] as number
}
