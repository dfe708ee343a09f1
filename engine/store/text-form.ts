/** Integers kept in two lanes of 32 bits, and their decimal text. */
import { parseInt64 } from '../data/decimal.ts'
import type { Storage } from './storage.ts'

const WORD = 0x100000000

/** The number, or NaN when it is beyond ±(2^53 − 1). */
export function safeIntegerOf(storage: Storage, entry: number): number {
  const value = storage.integerHigh(entry) * WORD + (storage.integerLow(entry) >>> 0)
  return Number.isSafeInteger(value) ? value : Number.NaN
}

export function integerText(storage: Storage, entry: number): string {
  const value = safeIntegerOf(storage, entry)
  if (!Number.isNaN(value)) return String(value)
  return ((BigInt(storage.integerHigh(entry)) << 32n) | BigInt(storage.integerLow(entry) >>> 0)).toString()
}

export function storeSafeInteger(storage: Storage, entry: number, value: number): void {
  storage.setInteger(entry, value | 0, Math.floor(value / WORD))
}

/** Stores the text if it is a canonical int64 that a number cannot hold exactly. False when it is none. */
export function storeIfLargeInteger(
  storage: Storage,
  entry: number,
  text: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (end - start < 16 || end - start > 20) return false
  const value = parseInt64(text, start, end)
  if (value === undefined) return false
  storage.setInteger(entry, Number(BigInt.asIntN(32, value)), Number(value >> 32n))
  return true
}
