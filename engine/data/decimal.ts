/**
 * Whole numbers in decimal text, strictly as Redis reads them: an optional minus sign, no plus, no leading zeros, no
 * `-0`, no blanks, within int64. Such a text and its number stand for each other, so a value can be stored as the
 * number.
 */

const ZERO = 48
const MINUS = 45

/** With more digits a JS number no longer holds every integer. */
const SAFE_DIGITS = 15
const MAX_INT64 = '9223372036854775807'

/** True when memory[start…end) is the one way to write an int64 in decimal. */
export function isCanonicalInteger(memory: Uint8Array, start: number, end: number): boolean {
  const negative = start < end && memory[start] === MINUS
  const digits = negative ? start + 1 : start
  const count = end - digits
  if (count < 1 || count > MAX_INT64.length) return false
  if (memory[digits] === ZERO) return end - start === 1
  for (let i = digits; i < end; i++) {
    const digit = (memory[i] as number) - ZERO
    if (digit < 0 || digit > 9) return false
  }
  return count < MAX_INT64.length || withinInt64(memory, digits, negative)
}

/** 19 digits at `start`: at most 2^63 − 1, or 2^63 when negative. */
function withinInt64(memory: Uint8Array, start: number, negative: boolean): boolean {
  for (let i = 0; i < MAX_INT64.length; i++) {
    const difference = (memory[start + i] as number) - MAX_INT64.charCodeAt(i)
    if (difference < 0) return true
    if (difference > 0) return negative && i === MAX_INT64.length - 1 && difference === 1
  }
  return true
}

/** The value of a canonical integer that a JS number holds exactly (up to ±(2^53 − 1)); NaN for everything else. */
export function parseSafeInteger(memory: Uint8Array, start: number, end: number): number {
  if (start >= end) return Number.NaN
  const negative = memory[start] === MINUS
  const digits = negative ? start + 1 : start
  if (end - digits > SAFE_DIGITS) return parseLong(memory, start, end)
  if (digits === end) return Number.NaN
  const first = (memory[digits] as number) - ZERO
  if (first < 0 || first > 9) return Number.NaN
  if (first === 0) return end - start === 1 ? 0 : Number.NaN
  let value = first
  for (let i = digits + 1; i < end; i++) {
    const digit = (memory[i] as number) - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return negative ? -value : value
}

function parseLong(memory: Uint8Array, start: number, end: number): number {
  if (!isCanonicalInteger(memory, start, end)) return Number.NaN
  const value = Number(digitsText(memory, start, end))
  return Number.isSafeInteger(value) ? value : Number.NaN
}

/** Any canonical int64; undefined for everything else. */
export function parseInt64(memory: Uint8Array, start: number, end: number): bigint | undefined {
  return isCanonicalInteger(memory, start, end) ? BigInt(digitsText(memory, start, end)) : undefined
}

function digitsText(memory: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i++) text += String.fromCharCode(memory[i] as number)
  return text
}

/** Writes `value` (a safe integer) in decimal at `into[start…]`, at most 17 bytes; returns the position behind it. */
export function writeSafeInteger(into: Uint8Array, value: number, start = 0): number {
  if (value < 0) {
    into[start] = MINUS
    return writeDigits(into, start + 1, -value)
  }
  return writeDigits(into, start, value)
}

function writeDigits(into: Uint8Array, start: number, value: number): number {
  let end = start + 1
  for (let limit = 10; limit <= value; limit *= 10) end++
  let rest = value
  let position = end
  while (rest > 0x7fffffff) {
    const next = Math.floor(rest / 10)
    into[--position] = ZERO + (rest - next * 10)
    rest = next
  }
  let small = rest | 0
  while (position > start) {
    const next = (small / 10) | 0
    into[--position] = ZERO + (small - next * 10)
    small = next
  }
  return end
}
