/** How long a command may wait, as an argument in seconds: Redis's `getTimeoutFromObjectOrReply`. */
import { INFINITY, parseLongDouble } from '../data/long-double.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'

/** More milliseconds than an int64 holds. */
const TOO_MANY_SECONDS = 2 ** 63 / 1000

/**
 * Unix time at which the wait of argument `index` (in seconds) ends, 0: never; undefined after an error was answered.
 */
export function deadlineArgument(context: Context, args: Arguments, index: number): number | undefined {
  const value = parseLongDouble(args.latin1(index))
  if (value === undefined) {
    context.reply.error('ERR timeout is not a float or out of range')
    return undefined
  }
  const seconds = value === INFINITY ? Number.POSITIVE_INFINITY : Number(value.mantissa) * 2 ** value.exponent
  const waitMs = Math.ceil(seconds * 1000)
  if (waitMs < 0 || seconds >= TOO_MANY_SECONDS) {
    context.reply.error('ERR timeout is negative')
    return undefined
  }
  return waitMs === 0 ? 0 : context.nowMs + waitMs
}
