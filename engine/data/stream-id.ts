/**
 * Ids of stream entries: two unsigned 64-bit numbers, milliseconds and sequence, in that order.
 *
 * Each number is kept in two parts, of 33 and 31 bits. Both parts of any realistic id are then small integers to
 * V8 (below 2^31), which are stored in the object itself and compared without a detour over the heap:
 *
 *     number = high × 2^31 + low        0 ≤ low < 2^31, 0 ≤ high < 2^33
 */
import { writeSafeInteger } from './decimal.ts'

const UNIT = 2 ** 31
const HIGH_MAX = 2 ** 33 - 1
const LOW_MAX = UNIT - 1
/** Below this high part the whole is a safe integer. */
const SAFE_HIGH = 2 ** 22
const MAX_UINT64 = 2n ** 64n - 1n

/** Bytes of the longest id in text. */
export const ID_TEXT_MAX_BYTES = 41

export class StreamId {
  msHigh: number
  msLow: number
  sequenceHigh: number
  sequenceLow: number

  constructor(msHigh = 0, msLow = 0, sequenceHigh = 0, sequenceLow = 0) {
    this.msHigh = msHigh
    this.msLow = msLow
    this.sequenceHigh = sequenceHigh
    this.sequenceLow = sequenceLow
  }

  static of(ms: bigint, sequence: bigint): StreamId {
    return new StreamId(
      Number(ms >> 31n),
      Number(ms & 0x7fffffffn),
      Number(sequence >> 31n),
      Number(sequence & 0x7fffffffn),
    )
  }

  /** `ms` is a safe integer. */
  static ofMs(ms: number): StreamId {
    const high = Math.floor(ms / UNIT)
    return new StreamId(high, ms - high * UNIT, 0, 0)
  }

  static max(): StreamId {
    return new StreamId(HIGH_MAX, LOW_MAX, HIGH_MAX, LOW_MAX)
  }

  /** From the 16 bytes, big endian, that stand in RDB files and sort as ids do. */
  static decode(bytes: Buffer): StreamId {
    return StreamId.of(bytes.readBigUInt64BE(0), bytes.readBigUInt64BE(8))
  }

  encode(): Buffer {
    const bytes = Buffer.allocUnsafe(16)
    bytes.writeBigUInt64BE(this.ms, 0)
    bytes.writeBigUInt64BE(this.sequence, 8)
    return bytes
  }

  get ms(): bigint {
    return (BigInt(this.msHigh) << 31n) | BigInt(this.msLow)
  }

  get sequence(): bigint {
    return (BigInt(this.sequenceHigh) << 31n) | BigInt(this.sequenceLow)
  }

  get isZero(): boolean {
    return this.msHigh === 0 && this.msLow === 0 && this.sequenceHigh === 0 && this.sequenceLow === 0
  }

  get isMax(): boolean {
    return this.msHigh === HIGH_MAX && this.msLow === LOW_MAX && this.isLastOfItsMs
  }

  get isLastOfItsMs(): boolean {
    return this.sequenceHigh === HIGH_MAX && this.sequenceLow === LOW_MAX
  }

  hasSameMs(other: StreamId): boolean {
    return this.msHigh === other.msHigh && this.msLow === other.msLow
  }

  copy(): StreamId {
    return new StreamId(this.msHigh, this.msLow, this.sequenceHigh, this.sequenceLow)
  }

  become(other: StreamId): void {
    this.msHigh = other.msHigh
    this.msLow = other.msLow
    this.sequenceHigh = other.sequenceHigh
    this.sequenceLow = other.sequenceLow
  }

  /** Negative, 0 or positive, as this id is before, at or after the other. */
  compare(other: StreamId): number {
    return (
      this.msHigh - other.msHigh ||
      this.msLow - other.msLow ||
      this.sequenceHigh - other.sequenceHigh ||
      this.sequenceLow - other.sequenceLow
    )
  }

  /** The next id, or undefined after the last. */
  next(): StreamId | undefined {
    const { msHigh, msLow, sequenceHigh, sequenceLow } = this
    if (sequenceLow < LOW_MAX) return new StreamId(msHigh, msLow, sequenceHigh, sequenceLow + 1)
    if (sequenceHigh < HIGH_MAX) return new StreamId(msHigh, msLow, sequenceHigh + 1, 0)
    if (msLow < LOW_MAX) return new StreamId(msHigh, msLow + 1, 0, 0)
    return msHigh < HIGH_MAX ? new StreamId(msHigh + 1, 0, 0, 0) : undefined
  }

  /** The id before, or undefined before the first. */
  previous(): StreamId | undefined {
    const { msHigh, msLow, sequenceHigh, sequenceLow } = this
    if (sequenceLow > 0) return new StreamId(msHigh, msLow, sequenceHigh, sequenceLow - 1)
    if (sequenceHigh > 0) return new StreamId(msHigh, msLow, sequenceHigh - 1, LOW_MAX)
    if (msLow > 0) return new StreamId(msHigh, msLow - 1, HIGH_MAX, LOW_MAX)
    return msHigh > 0 ? new StreamId(msHigh - 1, LOW_MAX, HIGH_MAX, LOW_MAX) : undefined
  }

  /** Writes `ms-sequence` to `into[start…]`; returns the position behind it. */
  write(into: Buffer, start = 0): number {
    const at = writePart(into, start, this.msHigh, this.msLow)
    into[at] = DASH
    return this.writeSequence(into, at + 1)
  }

  /** The same of what stands behind the dash. */
  writeSequence(into: Buffer, start: number): number {
    return writePart(into, start, this.sequenceHigh, this.sequenceLow)
  }

  toString(): string {
    return textMemory.toString('latin1', 0, this.write(textMemory))
  }
}

const DASH = 45
const textMemory = Buffer.alloc(ID_TEXT_MAX_BYTES)

function writePart(into: Buffer, start: number, high: number, low: number): number {
  if (high < SAFE_HIGH) return writeSafeInteger(into, high * UNIT + low, start)
  return start + into.write(((BigInt(high) << 31n) | BigInt(low)).toString(), start, 'latin1')
}

/** `a − b` of two numbers in parts, when it is a safe integer; else NaN. */
export function difference(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  const result = (aHigh - bHigh) * UNIT + (aLow - bLow)
  return Number.isSafeInteger(result) ? result : Number.NaN
}

/**
 * As C's strtoull reads it after Redis's own strict reader has failed: blanks, a sign and leading zeros may be there.
 */
const LENIENT = /^[ \t\n\v\f\r]*(\+?)(-?)(\d+)$/

/** An unsigned 64-bit number; undefined for anything else. */
function parseUint64(text: string): bigint | undefined {
  const match = LENIENT.exec(text)
  if (match === null || (match[1] !== '' && match[2] !== '')) return undefined
  const value = BigInt(match[3] as string)
  if (value > MAX_UINT64) return undefined
  if (match[2] === '') return value
  // What Redis's strict reader accepts it refuses when negative; what only strtoull accepts wraps around.
  return /^-[1-9]/.test(text) && value <= 2n ** 63n ? undefined : BigInt.asUintN(64, -value)
}

/** What stands after the dash: a number, nothing (`missing`), or `*` where that is allowed. */
export interface ParsedId {
  readonly id: StreamId
  /** The sequence was `*` and is 0 in `id`. */
  readonly anySequence: boolean
}

const ID_TEXT_LIMIT_BYTES = 127
/** Numbers of so many digits are read without a detour over bigint. */
const SHORT_DIGITS = 15
/** No digits, or too many. */
const NOT_SHORT = -1

/**
 * Reads `ms-sequence` or `ms`, which gets the sequence `missing`; `-` and `+` (the first and last id) unless `strict`.
 * `text` has one character per byte. Undefined when it is no id.
 */
export function parseStreamId(text: string, missing: bigint, strict: boolean, mayOmit = false): ParsedId | undefined {
  const short = parseShortId(text)
  if (short !== undefined) return { id: short, anySequence: false }
  if (text.length > ID_TEXT_LIMIT_BYTES) return undefined
  if (text === '-' || text === '+') {
    if (strict) return undefined
    return { id: text === '-' ? new StreamId() : StreamId.max(), anySequence: false }
  }
  const zero = text.indexOf('\0')
  const known = zero < 0 ? text : text.slice(0, zero)
  const dash = known.indexOf('-')
  const ms = parseUint64(dash < 0 ? known : known.slice(0, dash))
  if (ms === undefined) return undefined
  if (dash < 0) return { id: StreamId.of(ms, missing), anySequence: false }
  const rest = known.slice(dash + 1)
  if (mayOmit && rest === '*') return { id: StreamId.of(ms, 0n), anySequence: true }
  const sequence = parseUint64(rest)
  return sequence === undefined ? undefined : { id: StreamId.of(ms, sequence), anySequence: false }
}

/** `ms-sequence` in digits alone, and few of them: nearly every id there is. Undefined for anything else. */
function parseShortId(text: string): StreamId | undefined {
  const dash = text.indexOf('-')
  const ms = shortNumber(text, 0, dash)
  const sequence = shortNumber(text, dash + 1, text.length)
  if (ms === NOT_SHORT || sequence === NOT_SHORT) return undefined
  const [msHigh, sequenceHigh] = [Math.floor(ms / UNIT), Math.floor(sequence / UNIT)]
  return new StreamId(msHigh, ms - msHigh * UNIT, sequenceHigh, sequence - sequenceHigh * UNIT)
}

function shortNumber(text: string, start: number, end: number): number {
  if (start >= end || end - start > SHORT_DIGITS) return NOT_SHORT
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return NOT_SHORT
    value = value * 10 + digit
  }
  return value
}
