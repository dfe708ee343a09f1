/**
 * Redis's listpack: a sequence of strings in one piece of memory, with integers in as few bytes as they need. The bytes
 * are Redis 7's own, so that they can stand in RDB files as they are.
 *
 *     total bytes (4, LE) | count (2, LE; 65535: unknown) | entry … entry | 0xff
 *     entry = encoding and data | length of these, 7 bits a byte, readable from its last byte backwards
 *
 *     0vvvvvvv                 0 … 127               10llllll  string of up to 63 bytes
 *     110vvvvv vvvvvvvv        13-bit integer        1110llll llllllll  up to 4095 bytes
 *     f1, f2, f3, f4           16, 24, 32, 64 bits   f0 llllllll × 4 (LE)  longer
 *
 * Source of the format: Redis's `listpack.c` and https://github.com/antirez/listpack/blob/master/listpack.md.
 *
 * An entry is named by its position; `END` is the one after the last. Positions are valid until the next change.
 */
import { parseInt64, parseSafeInteger, writeSafeInteger } from './decimal.ts'

export const LISTPACK_HEADER_BYTES = 6
/** No entry: before the first or after the last. */
export const END = -1

const HEADER = LISTPACK_HEADER_BYTES
const TERMINATOR = 0xff
const COUNT_UNKNOWN = 65535
const MIN_CAPACITY = 32
const INTEGER_TEXT_MAX_BYTES = 20

/** memory[start…end). One object is reused: valid until the next read of any listpack. */
export interface ByteRange {
  memory: Buffer
  start: number
  end: number
}

/** Takes texts one after the other. A reply is one. */
export interface TextSink {
  bulk(bytes: Uint8Array, start: number, end: number): void
}

const digits = Buffer.alloc(24)
const range: ByteRange = { memory: digits, start: 0, end: 0 }

export class Listpack {
  /** The listpack is at [0, byteLength); more may be reserved behind it. */
  private bytes: Buffer
  /** Header and terminator included. */
  byteLength: number
  count: number
  /** The bytes are a frozen listpack's, too. */
  private isShared = false

  private constructor(bytes: Buffer, byteLength: number, count: number) {
    this.bytes = bytes
    this.byteLength = byteLength
    this.count = count
  }

  static empty(capacityBytes = MIN_CAPACITY): Listpack {
    const bytes = Buffer.allocUnsafeSlow(Math.max(capacityBytes, HEADER + 1))
    bytes[HEADER] = TERMINATOR
    return new Listpack(bytes, HEADER + 1, 0)
  }

  /** Takes a copy of `bytes` after checking every entry of it; undefined when they are not a sound listpack. */
  static parse(bytes: Uint8Array): Listpack | undefined {
    if (bytes.length < HEADER + 1) return undefined
    const own = Buffer.allocUnsafeSlow(bytes.length)
    own.set(bytes)
    if (own.readUInt32LE(0) !== own.length || own[own.length - 1] !== TERMINATOR) return undefined
    const count = soundEntries(own)
    const claimed = own.readUInt16LE(4)
    if (count < 0 || (claimed !== COUNT_UNKNOWN && claimed !== count)) return undefined
    return new Listpack(own, own.length, count)
  }

  /** Takes over bytes that once were a listpack's `serialized`, of so many entries. */
  static trusted(bytes: Buffer, count: number): Listpack {
    return new Listpack(bytes, bytes.length, count)
  }

  /** A window on the whole, with its header up to date; valid until the next change. */
  serialized(): Buffer {
    this.bytes.writeUInt32LE(this.byteLength, 0)
    this.bytes.writeUInt16LE(Math.min(this.count, COUNT_UNKNOWN), 4)
    return this.bytes.subarray(0, this.byteLength)
  }

  /** Bytes that are held, reserve included. */
  get reservedBytes(): number {
    return this.bytes.length
  }

  clone(): Listpack {
    const bytes = Buffer.allocUnsafeSlow(this.byteLength)
    this.bytes.copy(bytes, 0, 0, this.byteLength)
    return new Listpack(bytes, this.byteLength, this.count)
  }

  /** What it holds now, for reading: the bytes are shared until this one changes. */
  freeze(): Listpack {
    this.isShared = true
    return new Listpack(this.bytes, this.byteLength, this.count)
  }

  /** Before a change: no frozen listpack must see it. */
  private own(): void {
    if (!this.isShared) return
    this.isShared = false
    const copy = Buffer.allocUnsafeSlow(this.bytes.length)
    this.bytes.copy(copy, 0, 0, this.byteLength)
    this.bytes = copy
  }

  // ————— Walking

  first(): number {
    return this.count === 0 ? END : HEADER
  }

  last(): number {
    return this.count === 0 ? END : this.before(this.byteLength - 1)
  }

  next(position: number): number {
    const next = this.after(position)
    return next === this.byteLength - 1 ? END : next
  }

  previous(position: number): number {
    return position === HEADER ? END : this.before(position)
  }

  /** The entry at `index` (from 0; negative: from the end), found from the nearer end; END when there is none. */
  at(index: number): number {
    const place = index < 0 ? this.count + index : index
    if (place < 0 || place >= this.count) return END
    let position: number
    if (place <= this.count / 2) {
      position = HEADER
      for (let i = 0; i < place; i++) position = this.after(position)
    } else {
      position = this.byteLength - 1
      for (let i = this.count; i > place; i--) position = this.before(position)
    }
    return position
  }

  /** How many entries are before `position`. */
  indexOf(position: number): number {
    let index = 0
    for (let at = HEADER; at !== position; at = this.after(at)) index++
    return index
  }

  private after(position: number): number {
    const length = bodyLength(this.bytes, position)
    return position + length + backLengthBytes(length)
  }

  private before(position: number): number {
    const { bytes } = this
    let at = position - 1
    let length = 0
    let unit = 1
    for (;;) {
      const byte = bytes[at] as number
      length += (byte & 127) * unit
      if ((byte & 128) === 0) break
      unit *= 128
      at--
    }
    return at - length
  }

  // ————— Reading

  /** The text of the entry: integers in decimal. */
  read(position: number): ByteRange {
    const { bytes } = this
    const first = bytes[position] as number
    if (first >= 0x80 && first < 0xc0) return setRange(bytes, position + 1, first & 0x3f)
    if (first >= 0xe0 && first < 0xf0) {
      return setRange(bytes, position + 2, ((first & 0x0f) << 8) | (bytes[position + 1] as number))
    }
    if (first === 0xf0) return setRange(bytes, position + 5, bytes.readUInt32LE(position + 1))
    if (first === 0xf4) {
      const value = bytes.readBigInt64LE(position + 1)
      return setRange(digits, 0, digits.write(value.toString(), 'latin1'))
    }
    return setRange(digits, 0, writeSafeInteger(digits, smallInteger(bytes, position)))
  }

  latin1(position: number): string {
    const { memory, start, end } = this.read(position)
    return memory.toString('latin1', start, end)
  }

  /** Whether the entry's text is memory[start…end). */
  equals(position: number, memory: Uint8Array, start: number, end: number): boolean {
    const text = this.read(position)
    const length = end - start
    if (text.end - text.start !== length) return false
    const { memory: own, start: from } = text
    for (let i = 0; i < length; i++) if (own[from + i] !== memory[start + i]) return false
    return true
  }

  /** Hands the texts of up to `limit` entries from `from` on to `sink`; answers how many these were. */
  send(from: number, limit: number, sink: TextSink): number {
    const { bytes } = this
    const last = this.byteLength - 1
    let position = from
    let sent = 0
    for (; sent < limit && position !== last; sent++) {
      const first = bytes[position] as number
      const size = bodyLength(bytes, position)
      if (first >= 0x80 && first < 0xc0) sink.bulk(bytes, position + 1, position + size)
      else {
        const text = this.read(position)
        sink.bulk(text.memory, text.start, text.end)
      }
      position += size + backLengthBytes(size)
    }
    return sent
  }

  /** The first entry from `position` on, every `step`th, that is memory[start…end). */
  find(from: number, step: number, memory: Uint8Array, start: number, end: number): number {
    if (from === END) return END
    const { bytes } = this
    const last = this.byteLength - 1
    const length = end - start
    const integer = length > INTEGER_TEXT_MAX_BYTES ? Number.NaN : parseSafeInteger(memory, start, end)
    for (let position = from, passed = 0; position !== last; passed = passed + 1 === step ? 0 : passed + 1) {
      const first = bytes[position] as number
      const size = bodyLength(bytes, position)
      if (passed === 0) {
        if (first >= 0x80 && first < 0xc0) {
          if (size === length + 1 && isSame(bytes, position + 1, memory, start, length)) return position
        } else if (first < 0xe0 || (first > 0xf0 && first < 0xf4)) {
          if (smallInteger(bytes, position) === integer) return position
        } else if (this.equals(position, memory, start, end)) return position
      }
      position += size + backLengthBytes(size)
    }
    return END
  }

  /** Whether the entry is stored as an integer. */
  isInteger(position: number): boolean {
    const first = this.bytes[position] as number
    return first < 0x80 || (first >= 0xc0 && first < 0xe0) || (first > 0xf0 && first <= 0xf4)
  }

  /** The number of an entry that is stored as an integer; NaN when a number cannot hold it exactly (see `int64`). */
  integer(position: number): number {
    const { bytes } = this
    if ((bytes[position] as number) !== 0xf4) return smallInteger(bytes, position)
    const value = bytes.readInt32LE(position + 5) * 0x1_0000_0000 + bytes.readUInt32LE(position + 1)
    return Number.isSafeInteger(value) ? value : Number.NaN
  }

  int64(position: number): bigint {
    const { bytes } = this
    return bytes[position] === 0xf4 ? bytes.readBigInt64LE(position + 1) : BigInt(smallInteger(bytes, position))
  }

  // ————— Changing

  append(memory: Uint8Array, start: number, end: number): void {
    const encoding = chooseEncoding(memory, start, end)
    const body = chosenBodyLength(encoding, end - start)
    const position = this.claim(body)
    writeBody(this.bytes, position, encoding, memory, start, end)
  }

  /** Appends a safe integer. */
  appendInteger(value: number): void {
    if (value >= 0 && value <= 127) {
      // Not in one expression: `claim` may exchange the bytes.
      const position = this.claim(1)
      this.bytes[position] = value
      return
    }
    const encoding = encodingOf(value)
    const position = this.claim(chosenBodyLength(encoding, 0))
    writeInteger(this.bytes, position, encoding, value)
  }

  appendInt64(value: bigint): void {
    const number = Number(value)
    if (Number.isSafeInteger(number)) this.appendInteger(number)
    else {
      const position = this.claim(9)
      this.bytes[position] = 0xf4
      this.bytes.writeBigInt64LE(value, position + 1)
    }
  }

  /** Replaces the entry at `position` by a safe integer. */
  replaceInteger(position: number, value: number): void {
    if (value >= 0 && value <= 127 && (this.bytes[position] as number) < 0x80) {
      this.own()
      this.bytes[position] = value
      return
    }
    const end = writeSafeInteger(digits, value)
    this.replace(position, digits, 0, end)
  }

  /** Makes room at the end for an entry with a body of `body` bytes, writes all but that, and returns its position. */
  private claim(body: number): number {
    this.own()
    const position = this.byteLength - 1
    const grows = body + backLengthBytes(body)
    this.reserve(this.byteLength + grows)
    writeBackLength(this.bytes, position + body, body)
    this.byteLength += grows
    this.bytes[this.byteLength - 1] = TERMINATOR
    this.count++
    return position
  }

  /** Gives back what is reserved beyond the contents. */
  shrink(): void {
    if (this.bytes.length === this.byteLength) return
    const exact = Buffer.allocUnsafeSlow(this.byteLength)
    this.bytes.copy(exact, 0, 0, this.byteLength)
    this.bytes = exact
  }

  prepend(memory: Uint8Array, start: number, end: number): void {
    this.splice(HEADER, 0, memory, start, end)
    this.count++
  }

  /** Adds all entries of another listpack. */
  appendAll(other: Listpack): void {
    this.own()
    const added = other.byteLength - HEADER - 1
    this.reserve(this.byteLength + added)
    other.bytes.copy(this.bytes, this.byteLength - 1, HEADER, other.byteLength)
    this.byteLength += added
    this.count += other.count
  }

  /** Inserts before the entry at `position`; at the end for END. `memory` must not be this listpack's own. */
  insert(position: number, memory: Uint8Array, start: number, end: number): void {
    this.splice(position === END ? this.byteLength - 1 : position, 0, memory, start, end)
    this.count++
  }

  /** Replaces the entry at `position`, which is where the new one is then. `memory` must not be this listpack's own. */
  replace(position: number, memory: Uint8Array, start: number, end: number): void {
    this.splice(position, this.after(position) - position, memory, start, end)
  }

  /** Removes up to `count` entries from `position` on; returns where the next one is now, or END. */
  remove(position: number, count = 1): number {
    this.own()
    let end = position
    let removed = 0
    while (removed < count && end !== this.byteLength - 1) {
      end = this.after(end)
      removed++
    }
    this.bytes.copyWithin(position, end, this.byteLength)
    this.byteLength -= end - position
    this.count -= removed
    this.giveBack()
    return position === this.byteLength - 1 ? END : position
  }

  /** Replaces `oldBytes` at `position` with an entry of memory[start…end). */
  private splice(position: number, oldBytes: number, memory: Uint8Array, start: number, end: number): void {
    this.own()
    const kind = chooseEncoding(memory, start, end)
    const body = chosenBodyLength(kind, end - start)
    const grows = body + backLengthBytes(body) - oldBytes
    this.reserve(this.byteLength + grows)
    const { bytes } = this
    if (grows !== 0) bytes.copyWithin(position + oldBytes + grows, position + oldBytes, this.byteLength)
    writeBody(bytes, position, kind, memory, start, end)
    writeBackLength(bytes, position + body, body)
    this.byteLength += grows
  }

  private reserve(length: number): void {
    if (length <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(length, this.bytes.length + Math.min(this.bytes.length, 1 << 20)))
    this.bytes.copy(larger, 0, 0, this.byteLength)
    this.bytes = larger
  }

  private giveBack(): void {
    if (this.bytes.length < 256 || this.byteLength * 4 > this.bytes.length) return
    const smaller = Buffer.allocUnsafeSlow(this.byteLength * 2)
    this.bytes.copy(smaller, 0, 0, this.byteLength)
    this.bytes = smaller
  }
}

function isSame(bytes: Uint8Array, at: number, memory: Uint8Array, start: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[at + i] !== memory[start + i]) return false
  return true
}

function setRange(memory: Buffer, start: number, length: number): ByteRange {
  range.memory = memory
  range.start = start
  range.end = start + length
  return range
}

/** Bytes of encoding and data of the entry at `position`. */
function bodyLength(bytes: Buffer, position: number): number {
  const first = bytes[position] as number
  if (first < 0x80) return 1
  if (first < 0xc0) return 1 + (first & 0x3f)
  if (first < 0xe0) return 2
  if (first < 0xf0) return 2 + (((first & 0x0f) << 8) | (bytes[position + 1] as number))
  if (first === 0xf0) return 5 + bytes.readUInt32LE(position + 1)
  return first === 0xf4 ? 9 : first - 0xf1 + 3
}

/** The limits are Redis's, which use no backward length to its last value. */
function backLengthBytes(length: number): number {
  if (length <= 127) return 1
  if (length < 16383) return 2
  if (length < 2097151) return 3
  return length < 268435455 ? 4 : 5
}

/** The highest seven bits come first; all bytes but the first have their top bit set: there is more before them. */
function writeBackLength(bytes: Buffer, position: number, length: number): void {
  let rest = length
  for (let i = backLengthBytes(length) - 1; i > 0; i--) {
    const high = Math.floor(rest / 128)
    bytes[position + i] = (rest - high * 128) | 128
    rest = high
  }
  bytes[position] = rest
}

function smallInteger(bytes: Buffer, position: number): number {
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

function chooseEncoding(memory: Uint8Array, start: number, end: number): Encoding {
  if (end - start > INTEGER_TEXT_MAX_BYTES) return STRING
  const value = parseSafeInteger(memory, start, end)
  if (Number.isNaN(value)) {
    return end - start > 15 && parseInt64(memory, start, end) !== undefined ? 0xf4 : STRING
  }
  chosenInteger = value
  return encodingOf(value)
}

function encodingOf(value: number): Encoding {
  if (value >= 0 && value <= 127) return 0x00
  if (value >= -4096 && value <= 4095) return 0xc0
  if (value >= -32768 && value <= 32767) return 0xf1
  if (value >= -8388608 && value <= 8388607) return 0xf2
  return value >= -2147483648 && value <= 2147483647 ? 0xf3 : 0xf4
}

function chosenBodyLength(encoding: Encoding, textBytes: number): number {
  if (encoding === STRING) return textBytes + (textBytes < 64 ? 1 : textBytes < 4096 ? 2 : 5)
  if (encoding === 0x00) return 1
  if (encoding === 0xc0) return 2
  return encoding === 0xf4 ? 9 : encoding - 0xf1 + 3
}

function writeBody(
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
function writeInteger(bytes: Buffer, position: number, encoding: Encoding, value: number): void {
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

/** How many entries there are, or -1 when one of them is not sound. */
function soundEntries(bytes: Buffer): number {
  const end = bytes.length - 1
  let position = HEADER
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
