/** Counts among the arguments, within limits and with the error texts of Redis's `getRangeLongFromObjectOrReply`. */

import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { numberArgument } from './number-argument.ts'

/** Argument `index` as a whole number of at least `minimum`, or NaN after `message` was answered. */
export function countArgument(
  context: Context,
  args: Arguments,
  index: number,
  minimum = 0,
  message = 'ERR value is out of range, must be positive',
): number {
  const value = numberArgument(context, args, index, message)
  if (Number.isNaN(value) || value >= minimum) return value
  context.reply.error(message)
  return Number.NaN
}

/** Argument `index` as a whole number of either sign (any int64 but the least), or NaN after the error was answered. */
export function signedCountArgument(context: Context, args: Arguments, index: number): number {
  const value = numberArgument(context, args, index)
  if (value !== -(2 ** 63) || args.latin1(index) !== '-9223372036854775808') return value
  context.reply.error('ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807')
  return Number.NaN
}
