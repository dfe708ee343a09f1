/**
 * An entry of a listpack: how its encoding is chosen, read and written.
 *
 *     entry = encoding and data (the body) | length of these, 7 bits a byte, readable from its last byte backwards
 *
 *     0vvvvvvv                 0 … 127               10llllll  string of up to 63 bytes
 *     110vvvvv vvvvvvvv        13-bit integer        1110llll llllllll  up to 4095 bytes
 *     f1, f2, f3, f4           16, 24, 32, 64 bits   f0 llllllll × 4 (LE)  longer
 *
 * Source of the format: see `listpack.ts`.
 */
import { parseInt64, parseSafeInteger } from './decimal.ts'

export const INTEGER_TEXT_MAX_BYTES = 20

/** Bytes of encoding and data of the entry at `position`. */
export function bodyLength(bytes: Buffer, position: number): number {
  const first = bytes[position] as number
  if (first < 0x80) return 1
  if (first < 0xc0) return 1 + (first & 0x3f)
  if (first < 0xe0) return 2
  if (first < 0xf0) return 2 + (((first & 0x0f) << 8) | (bytes[position + 1] as number))
  if (first === 0xf0) return 5 + bytes.readUInt32LE(position + 1)
  return first === 0xf4 ? 9 : first - 0xf1 + 3
}

/** The limits are Redis's, which use no backward length to its last value. */
export function backLengthBytes(length: number): number {
  if (length <= 127) return 1
  if (length < 16383) return 2
  if (length < 2097151) return 3
  return length < 268435455 ? 4 : 5
}

/** The highest seven bits come first; all bytes but the first have their top bit set: there is more before them. */
export function writeBackLength(bytes: Buffer, position: number, length: number): void {
  let rest = length
  for (let i = backLengthBytes(length) - 1; i > 0; i--) {
    const high = Math.floor(rest / 128)
    bytes[position + i] = (rest - high * 128) | 128
    rest = high
  }
  bytes[position] = rest
}

export function smallInteger(bytes: Buffer, position: number): number {
  const first = bytes[position] as number
  if (first < 0x80) return first
  if (first < 0xe0) return ((((first & 0x1f) << 8) | (bytes[position + 1] as number)) << 19) >> 19
  if (first === 0xf1) return bytes.readInt16LE(position + 1)
  if (first === 0xf2) return bytes.readIntLE(position + 1, 3)
  return bytes.readInt32LE(position + 1)
}

// ————— Encoding

/** First byte of an integer in its encoding, without value bits; `STRING` for what is no integer. */
type Encoding = 0x00 | 0xc0 | 0xf1 | 0xf2 | 0xf3 | 0xf4 | typeof STRING
const STRING = 0x80

/** The integer that `chooseEncoding` found, when it is not of 64 bits. */
let chosenInteger = 0

export function chooseEncoding(memory: Uint8Array, start: number, end: number): Encoding {
  if (end - start > INTEGER_TEXT_MAX_BYTES) return STRING
  const value = parseSafeInteger(memory, start, end)
  if (Number.isNaN(value)) {
    return end - start > 15 && parseInt64(memory, start, end) !== undefined ? 0xf4 : STRING
  }
  chosenInteger = value
  return encodingOf(value)
}

export function encodingOf(value: number): Encoding {
  if (value >= 0 && value <= 127) return 0x00
  if (value >= -4096 && value <= 4095) return 0xc0
  if (value >= -32768 && value <= 32767) return 0xf1
  if (value >= -8388608 && value <= 8388607) return 0xf2
  return value >= -2147483648 && value <= 2147483647 ? 0xf3 : 0xf4
}

export function chosenBodyLength(encoding: Encoding, textBytes: number): number {
  if (encoding === STRING) return textBytes + (textBytes < 64 ? 1 : textBytes < 4096 ? 2 : 5)
  if (encoding === 0x00) return 1
  if (encoding === 0xc0) return 2
  return encoding === 0xf4 ? 9 : encoding - 0xf1 + 3
}

export function writeBody(
  bytes: Buffer,
  position: number,
  encoding: Encoding,
  memory: Uint8Array,
  start: number,
  end: number,
): void {
  if (encoding === STRING) writeText(bytes, position, memory, start, end)
  else if (encoding === 0xf4) {
    bytes[position] = encoding
    bytes.writeBigInt64LE(parseInt64(memory, start, end) as bigint, position + 1)
  } else writeInteger(bytes, position, encoding, chosenInteger)
}

/** `value` is a safe integer. */
export function writeInteger(bytes: Buffer, position: number, encoding: Encoding, value: number): void {
  if (encoding === 0x00) bytes[position] = value
  else if (encoding === 0xc0) {
    bytes[position] = 0xc0 | ((value >> 8) & 0x1f)
    bytes[position + 1] = value & 0xff
  } else {
    bytes[position] = encoding
    if (encoding === 0xf4) {
      const high = Math.floor(value / 0x1_0000_0000)
      bytes.writeUInt32LE(value - high * 0x1_0000_0000, position + 1)
      bytes.writeInt32LE(high, position + 5)
    } else bytes.writeIntLE(value, position + 1, encoding - 0xf1 + 2)
  }
}

function writeText(bytes: Buffer, position: number, memory: Uint8Array, start: number, end: number): void {
  const length = end - start
  let at = position
  if (length < 64) bytes[at++] = 0x80 | length
  else if (length < 4096) {
    bytes[at++] = 0xe0 | (length >> 8)
    bytes[at++] = length & 0xff
  } else {
    bytes[at++] = 0xf0
    at = bytes.writeUInt32LE(length, at)
  }
  if (length < 32) for (let i = start; i < end; i++) bytes[at++] = memory[i] as number
  else bytes.set(memory.subarray(start, end), at)
}

// ————— Checking what comes from outside

/** How many entries there are in bytes[from…end), or -1 when one of them is not sound. */
export function soundEntries(bytes: Buffer, from: number, end: number): number {
  let position = from
  let count = 0
  while (position < end) {
    const first = bytes[position] as number
    const headBytes = first >= 0xe0 && first < 0xf0 ? 2 : first === 0xf0 ? 5 : 1
    if (first > 0xf4 || position + headBytes > end) return -1
    const length = bodyLength(bytes, position)
    const next = position + length + backLengthBytes(length)
    if (next > end || !hasBackLength(bytes, position + length, length)) return -1
    position = next
    count++
  }
  return count
}

const expected = Buffer.alloc(5)

function hasBackLength(bytes: Buffer, position: number, length: number): boolean {
  writeBackLength(expected, 0, length)
  for (let i = 0; i < backLengthBytes(length); i++) if (bytes[position + i] !== expected[i]) return false
  return true
}
