/**
 * Redis's listpack: a sequence of strings in one piece of memory, with integers in as few bytes as they need. The bytes
 * are Redis 7's own, so that they can stand in RDB files as they are.
 *
 *     total bytes (4, LE) | count (2, LE; 65535: unknown) | entry … entry | 0xff
 *
 * Source of the format: Redis's `listpack.c` and https://github.com/antirez/listpack/blob/master/listpack.md.
 *
 * An entry is named by its position, counted from the first byte of the header; `END` is the one after the last.
 * Positions are valid until the next change.
 *
 * In its memory a listpack may have room on both sides, so that neither end moves the other's entries:
 *
 *     room at the front | header … entries … 0xff | room at the end        base: where the header is
 *
 * The header is written only when the bytes are asked for, so taking the first entry away or putting one before it
 * moves no more than the base.
 */
import { parseSafeInteger, writeSafeInteger } from './decimal.ts'
import {
  backLengthBytes,
  bodyLength,
  chooseEncoding,
  chosenBodyLength,
  encodingOf,
  INTEGER_TEXT_MAX_BYTES,
  smallInteger,
  soundEntries,
  writeBackLength,
  writeBody,
  writeInteger,
} from './listpack-entry.ts'

export const LISTPACK_HEADER_BYTES = 6
/** No entry: before the first or after the last. */
export const END = -1

const HEADER = LISTPACK_HEADER_BYTES
const TERMINATOR = 0xff
const COUNT_UNKNOWN = 65535
const MIN_CAPACITY = 32
/** Reserved bytes double up to this much at once. */
const GROWS_MAX_BYTES = 1 << 20

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
  /** The listpack is at [base, base + byteLength); more may be reserved on both sides. */
  private bytes: Buffer
  private base = 0
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
    const count = soundEntries(own, HEADER, own.length - 1)
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
    const { bytes, base } = this
    bytes.writeUInt32LE(this.byteLength, base)
    bytes.writeUInt16LE(Math.min(this.count, COUNT_UNKNOWN), base + 4)
    return bytes.subarray(base, base + this.byteLength)
  }

  /** Bytes that are held, reserve included. */
  get reservedBytes(): number {
    return this.bytes.length
  }

  clone(): Listpack {
    const bytes = Buffer.allocUnsafeSlow(this.byteLength)
    this.bytes.copy(bytes, 0, this.base, this.base + this.byteLength)
    return new Listpack(bytes, this.byteLength, this.count)
  }

  /** What it holds now, for reading: the bytes are shared until this one changes. */
  freeze(): Listpack {
    this.isShared = true
    const view = new Listpack(this.bytes, this.byteLength, this.count)
    view.base = this.base
    return view
  }

  /** Before a change: no frozen listpack must see it. */
  private own(): void {
    if (!this.isShared) return
    this.isShared = false
    this.move(this.bytes.length, this.base)
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
    const length = bodyLength(this.bytes, this.base + position)
    return position + length + backLengthBytes(length)
  }

  private before(position: number): number {
    const { bytes, base } = this
    let at = base + position - 1
    let length = 0
    let unit = 1
    for (;;) {
      const byte = bytes[at] as number
      length += (byte & 127) * unit
      if ((byte & 128) === 0) break
      unit *= 128
      at--
    }
    return at - length - base
  }

  // ————— Reading

  /** The text of the entry: integers in decimal. */
  read(position: number): ByteRange {
    return textAt(this.bytes, this.base + position)
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
    const last = this.base + this.byteLength - 1
    let at = this.base + from
    let sent = 0
    for (; sent < limit && at !== last; sent++) {
      const first = bytes[at] as number
      const size = bodyLength(bytes, at)
      if (first >= 0x80 && first < 0xc0) sink.bulk(bytes, at + 1, at + size)
      else {
        const text = textAt(bytes, at)
        sink.bulk(text.memory, text.start, text.end)
      }
      at += size + backLengthBytes(size)
    }
    return sent
  }

  /** The first entry from `position` on, every `step`th, that is memory[start…end). */
  find(from: number, step: number, memory: Uint8Array, start: number, end: number): number {
    if (from === END) return END
    const { bytes, base } = this
    const last = base + this.byteLength - 1
    const length = end - start
    const integer = length > INTEGER_TEXT_MAX_BYTES ? Number.NaN : parseSafeInteger(memory, start, end)
    for (let at = base + from, passed = 0; at !== last; passed = passed + 1 === step ? 0 : passed + 1) {
      const first = bytes[at] as number
      const size = bodyLength(bytes, at)
      if (passed === 0) {
        if (first >= 0x80 && first < 0xc0) {
          if (size === length + 1 && isSame(bytes, at + 1, memory, start, length)) return at - base
        } else if (first < 0xe0 || (first > 0xf0 && first < 0xf4)) {
          if (smallInteger(bytes, at) === integer) return at - base
        } else if (this.equals(at - base, memory, start, end)) return at - base
      }
      at += size + backLengthBytes(size)
    }
    return END
  }

  /** Whether the entry is stored as an integer. */
  isInteger(position: number): boolean {
    const first = this.bytes[this.base + position] as number
    return first < 0x80 || (first >= 0xc0 && first < 0xe0) || (first > 0xf0 && first <= 0xf4)
  }

  /** The number of an entry that is stored as an integer; NaN when a number cannot hold it exactly (see `int64`). */
  integer(position: number): number {
    const { bytes } = this
    const at = this.base + position
    if ((bytes[at] as number) !== 0xf4) return smallInteger(bytes, at)
    const value = bytes.readInt32LE(at + 5) * 0x1_0000_0000 + bytes.readUInt32LE(at + 1)
    return Number.isSafeInteger(value) ? value : Number.NaN
  }

  int64(position: number): bigint {
    const { bytes } = this
    const at = this.base + position
    return bytes[at] === 0xf4 ? bytes.readBigInt64LE(at + 1) : BigInt(smallInteger(bytes, at))
  }

  // ————— Changing

  append(memory: Uint8Array, start: number, end: number): void {
    const encoding = chooseEncoding(memory, start, end)
    const at = this.claim(chosenBodyLength(encoding, end - start))
    writeBody(this.bytes, at, encoding, memory, start, end)
  }

  /** Appends a safe integer. */
  appendInteger(value: number): void {
    const encoding = encodingOf(value)
    const at = this.claim(chosenBodyLength(encoding, 0))
    writeInteger(this.bytes, at, encoding, value)
  }

  appendInt64(value: bigint): void {
    const number = Number(value)
    if (Number.isSafeInteger(number)) this.appendInteger(number)
    else {
      const at = this.claim(9)
      this.bytes[at] = 0xf4
      this.bytes.writeBigInt64LE(value, at + 1)
    }
  }

  /** Replaces the entry at `position` by a safe integer. */
  replaceInteger(position: number, value: number): void {
    if (value >= 0 && value <= 127 && (this.bytes[this.base + position] as number) < 0x80) {
      this.own()
      this.bytes[this.base + position] = value
      return
    }
    const end = writeSafeInteger(digits, value)
    this.replace(position, digits, 0, end)
  }

  /** Makes room at the end for an entry with a body of `body` bytes, writes all but that, and returns where it is. */
  private claim(body: number): number {
    this.own()
    const grows = body + backLengthBytes(body)
    this.reserveEnd(grows)
    const { bytes } = this
    const at = this.base + this.byteLength - 1
    writeBackLength(bytes, at + body, body)
    bytes[at + grows] = TERMINATOR
    this.byteLength += grows
    this.count++
    return at
  }

  /** Gives back what is reserved beyond the contents. */
  shrink(): void {
    if (this.bytes.length !== this.byteLength) this.move(this.byteLength, 0)
  }

  prepend(memory: Uint8Array, start: number, end: number): void {
    this.insert(HEADER, memory, start, end)
  }

  /** Adds all entries of another listpack. */
  appendAll(other: Listpack): void {
    this.own()
    const added = other.byteLength - HEADER - 1
    this.reserveEnd(added)
    const at = this.base + this.byteLength - 1
    other.bytes.copy(this.bytes, at, other.base + HEADER, other.base + other.byteLength)
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
    const { base } = this
    if (position === HEADER) this.base += end - position
    else this.bytes.copyWithin(base + position, base + end, base + this.byteLength)
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
    if (position === HEADER) {
      this.reserveFront(grows)
      this.base -= grows
    } else {
      this.reserveEnd(grows)
      const old = this.base + position + oldBytes
      if (grows !== 0) this.bytes.copyWithin(old + grows, old, this.base + this.byteLength)
    }
    const at = this.base + position
    writeBody(this.bytes, at, kind, memory, start, end)
    writeBackLength(this.bytes, at + body, body)
    this.byteLength += grows
  }

  // ————— Memory

  /** Has room for `length` more bytes behind the contents, which may move. */
  private reserveEnd(length: number): void {
    const { bytes, base, byteLength } = this
    if (base + byteLength + length <= bytes.length) return
    const needed = byteLength + length
    if (hasMuchRoom(bytes.length, needed)) this.slide((bytes.length - needed) >>> 1)
    else this.move(Math.max(base + needed, bytes.length + Math.min(bytes.length, GROWS_MAX_BYTES)), base)
  }

  /** Has room for `length` more bytes before the contents, which may move. */
  private reserveFront(length: number): void {
    const { bytes, base, byteLength } = this
    if (length <= base) return
    const needed = byteLength + length
    if (hasMuchRoom(bytes.length, needed)) this.slide(bytes.length - byteLength - ((bytes.length - needed) >>> 1))
    else {
      const capacity = Math.max(bytes.length + length, bytes.length + Math.min(bytes.length, GROWS_MAX_BYTES))
      this.move(capacity, base + capacity - bytes.length)
    }
  }

  private giveBack(): void {
    if (this.bytes.length < 256 || this.byteLength * 4 > this.bytes.length) return
    this.move(this.byteLength * 2, this.byteLength >>> 1)
  }

  /** Moves the contents within their memory. */
  private slide(base: number): void {
    this.bytes.copyWithin(base, this.base, this.base + this.byteLength)
    this.base = base
  }

  /** Moves the contents into other memory. */
  private move(capacityBytes: number, base: number): void {
    const bytes = Buffer.allocUnsafeSlow(capacityBytes)
    this.bytes.copy(bytes, base, this.base, this.base + this.byteLength)
    this.bytes = bytes
    this.base = base
  }
}

/** Whether what is free pays for moving the contents: they move at most once in an eighth of their own bytes. */
function hasMuchRoom(capacityBytes: number, neededBytes: number): boolean {
  return capacityBytes - neededBytes >= neededBytes >>> 2
}

/** The text of the entry at bytes[at]: integers in decimal. */
function textAt(bytes: Buffer, at: number): ByteRange {
  const first = bytes[at] as number
  if (first >= 0x80 && first < 0xc0) return setRange(bytes, at + 1, first & 0x3f)
  if (first >= 0xe0 && first < 0xf0) {
    return setRange(bytes, at + 2, ((first & 0x0f) << 8) | (bytes[at + 1] as number))
  }
  if (first === 0xf0) return setRange(bytes, at + 5, bytes.readUInt32LE(at + 1))
  if (first === 0xf4) {
    const value = bytes.readBigInt64LE(at + 1)
    return setRange(digits, 0, digits.write(value.toString(), 'latin1'))
  }
  return setRange(digits, 0, writeSafeInteger(digits, smallInteger(bytes, at)))
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
