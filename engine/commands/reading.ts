/** Reading arguments as numbers, with Redis's idea of what a number is. */
import { parseInt64, parseSafeInteger } from '../data/decimal.ts'
import type { Arguments } from './arguments.ts'

/** Any int64, beyond 2^53 the nearest number; undefined for anything else. */
export function readInteger(args: Arguments, index: number): number | undefined {
  const value = parseSafeInteger(args.memory, args.start(index), args.end(index))
  if (!Number.isNaN(value)) return value
  const large = parseInt64(args.memory, args.start(index), args.end(index))
  return large === undefined ? undefined : Number(large)
}

export function isInt32(value: number): boolean {
  return value === (value | 0)
}
