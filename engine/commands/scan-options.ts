/** The cursor and the options of SCAN, HSCAN, SSCAN and ZSCAN. */
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'

export interface ScanOptions {
  count: number
  /** Undefined for `*` too, which finds also what is empty. */
  pattern: Buffer | undefined
  typeName: string | undefined
}

/** As C's strtoul reads it, all of the text; undefined when it is none. */
export function scanCursor(text: string): bigint | undefined {
  if (text === '') return 0n
  const match = /^([+-]?)(\d+)$/.exec(text)
  if (match === null) return undefined
  const value = BigInt(match[2] as string)
  if (value >= 2n ** 64n) return undefined
  return match[1] === '-' ? BigInt.asUintN(64, -value) : value
}

/** From argument `first` on; TYPE only if `ofKeys`. Undefined after the error was answered. */
export function readScanOptions(
  context: Context,
  args: Arguments,
  first: number,
  ofKeys: boolean,
): ScanOptions | undefined {
  const options: ScanOptions = { count: 10, pattern: undefined, typeName: undefined }
  for (let i = first; i < args.count; i += 2) {
    if (i + 1 < args.count && args.is(i, 'count')) {
      options.count = numberArgument(context, args, i + 1)
      if (Number.isNaN(options.count)) return undefined
      if (options.count >= 1) continue
    } else if (i + 1 < args.count && args.is(i, 'match')) {
      options.pattern = args.is(i + 1, '*') ? undefined : args.view(i + 1)
      continue
    } else if (ofKeys && i + 1 < args.count && args.is(i, 'type')) {
      options.typeName = args.latin1(i + 1).toLowerCase()
      continue
    }
    context.reply.error(errors.syntax)
    return undefined
  }
  return options
}
