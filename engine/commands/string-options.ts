/**
 * The options that SET and GETEX share, and the times in them.
 */
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { int64Argument } from './number-argument.ts'

const INT64_MAX = 2n ** 63n - 1n

/** Options of SET and GETEX as bits. */
export const NX = 1
export const XX = 2
export const GET = 4
export const KEEPTTL = 8
export const PERSIST = 16
export const EX = 32
export const PX = 64
export const EXAT = 128
export const PXAT = 256

interface SetOptions {
  flags: number
  /** Index of the argument with the time, 0 for none. */
  timeIndex: number
}

/** Reused: a command reads its options before anything else can run. */
export const options: SetOptions = { flags: 0, timeIndex: 0 }

/** Reads the options of SET (`forSet`) or GETEX from argument `first` on. False on a syntax error, not yet answered. */
export function readOptions(args: Arguments, first: number, forSet: boolean): boolean {
  let flags = 0
  options.timeIndex = 0
  for (let i = first; i < args.count; i++) {
    const option = optionBit(args, i)
    if (!isAllowed(option, flags, forSet)) return false
    flags |= option
    if ((option & (EX | PX | EXAT | PXAT)) === 0) continue
    if (i + 1 >= args.count) return false
    options.timeIndex = ++i
  }
  options.flags = flags
  return true
}

function optionBit(args: Arguments, index: number): number {
  if (args.is(index, 'ex')) return EX
  if (args.is(index, 'px')) return PX
  if (args.is(index, 'nx')) return NX
  if (args.is(index, 'xx')) return XX
  if (args.is(index, 'get')) return GET
  if (args.is(index, 'keepttl')) return KEEPTTL
  if (args.is(index, 'exat')) return EXAT
  if (args.is(index, 'pxat')) return PXAT
  if (args.is(index, 'persist')) return PERSIST
  return 0
}

/** Repeating an option is allowed, contradicting one is not, as in Redis. */
function isAllowed(option: number, before: number, forSet: boolean): boolean {
  const times = EX | PX | EXAT | PXAT
  switch (option) {
    case NX:
      return forSet && (before & XX) === 0
    case XX:
      return forSet && (before & NX) === 0
    case GET:
      return forSet
    case KEEPTTL:
      return forSet && (before & (PERSIST | times)) === 0
    case PERSIST:
      return !forSet && (before & (KEEPTTL | times)) === 0
    case 0:
      return false
    default:
      return (before & ((KEEPTTL | PERSIST | times) & ~option)) === 0
  }
}

/** Unix time in ms that argument `index` means under `flags`, or -1 after the error was answered. */
export function readExpireTime(context: Context, args: Arguments, index: number, flags: number): number {
  const given = int64Argument(context, args, index)
  if (given === undefined) return -1
  const inSeconds = (flags & (EX | EXAT)) !== 0
  const base = (flags & (EX | PX)) !== 0 ? BigInt(context.nowMs) : 0n
  const timeMs = (inSeconds ? given * 1000n : given) + base
  if (given <= 0n || (inSeconds && given > INT64_MAX / 1000n) || timeMs > INT64_MAX) {
    context.reply.error(invalidExpireTime(context))
    return -1
  }
  return Number(timeMs)
}

function invalidExpireTime(context: Context): string {
  return `ERR invalid expire time in '${context.command.name}' command`
}
