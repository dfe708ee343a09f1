/**
 * Numbers among the arguments, as strict as Redis's string2ll and strtold readers.
 */
import { parseInt64, parseSafeInteger } from '../data/decimal.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'

/** Argument `index` as an int64, or undefined after the error was answered. */
export function int64Argument(context: Context, args: Arguments, index: number): bigint | undefined {
  const value = parseInt64(args.memory, args.start(index), args.end(index))
  if (value === undefined) context.reply.error(errors.notInteger)
  return value
}

/**
 * Argument `index` as a number, or NaN after the error was answered. Any int64 is accepted; beyond 2^53 the nearest
 * number is returned, which serves for offsets, counts and limits.
 */
export function numberArgument(
  context: Context,
  args: Arguments,
  index: number,
  message: string = errors.notInteger,
): number {
  const safe = parseSafeInteger(args.memory, args.start(index), args.end(index))
  if (!Number.isNaN(safe)) return safe
  const value = parseInt64(args.memory, args.start(index), args.end(index))
  if (value !== undefined) return Number(value)
  context.reply.error(message)
  return Number.NaN
}
