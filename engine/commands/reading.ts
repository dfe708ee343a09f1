/** Reading arguments as numbers, with Redis's idea of what a number is. */
import { parseSafeInteger } from '../data/decimal.ts'
import type { Arguments } from './arguments.ts'

/** A whole number of at most 53 bits, or undefined. */
export function readInteger(args: Arguments, index: number): number | undefined {
  const value = parseSafeInteger(args.memory, args.start(index), args.end(index))
  return Number.isNaN(value) ? undefined : value
}
