/**
 * Where a command's keys are: derived from its key specs, or from its own `findKeys` where specs cannot tell.
 * Redis's `getKeysFromCommandWithSpecs`.
 */
import type { Arguments } from './arguments.ts'
import type { Command, KeyPosition, KeySpec } from './command.ts'

/**
 * Argument positions of the keys, in order; undefined when the arguments make no sense. `channelsToo`: also what only
 * has a hash slot like a key, the shard channels.
 */
export function findKeys(command: Command, args: Arguments, channelsToo = false): number[] | undefined {
  return findKeysWithFlags(command, args, channelsToo)?.map(({ index }) => index)
}

export function findKeysWithFlags(command: Command, args: Arguments, channelsToo = false): KeyPosition[] | undefined {
  if (command.findKeys !== undefined) return command.findKeys(args)
  const found: KeyPosition[] = []
  for (const spec of command.keySpecs ?? []) {
    if (!channelsToo && spec.flags.includes('not_key')) continue
    const positions = keysOfSpec(spec, args)
    if (positions === undefined) return undefined
    const flags = spec.flags.includes('variable_flags') ? (command.keyFlags?.(args) ?? spec.flags) : spec.flags
    for (const index of positions) found.push({ index, flags })
  }
  return found
}

function keysOfSpec(spec: KeySpec, args: Arguments): number[] | undefined {
  const first = beginOf(spec, args)
  if (first === 'unknown') return undefined
  if (first === undefined || spec.find === 'unknown') return spec.find === 'unknown' ? undefined : []
  const range = rangeOf(spec.find, first, args)
  // What reaches beyond the arguments, or holds nothing, is a mistake of the caller: then no spec counts.
  if (range === undefined || range.last < range.first || range.last >= args.count) return undefined
  const positions: number[] = []
  for (let i = range.first; i <= range.last; i += range.step) positions.push(i)
  return positions
}

/** Undefined: a keyword that is not there. */
function beginOf(spec: KeySpec, args: Arguments): number | 'unknown' | undefined {
  const { begin } = spec
  if (begin === 'unknown') return 'unknown'
  if ('index' in begin) return begin.index
  const { keyword, startFrom } = begin
  const step = startFrom > 0 ? 1 : -1
  const from = startFrom > 0 ? startFrom : args.count + startFrom
  const to = startFrom > 0 ? args.count - 1 : 1
  for (let i = from; i !== to && i >= 0 && i < args.count; i += step) {
    if (args.is(i, keyword.toLowerCase())) return i + 1
  }
  return undefined
}

function rangeOf(
  find: Exclude<KeySpec['find'], 'unknown'>,
  begin: number,
  args: Arguments,
): { first: number; last: number; step: number } | undefined {
  if ('lastKey' in find) {
    const { lastKey, step, limit } = find
    if (lastKey >= 0) return { first: begin, last: begin + lastKey, step }
    // Counted from the end; with a limit only the first of so many equal parts.
    const last = limit <= 1 ? args.count + lastKey : begin + Math.floor((args.count - begin) / limit) + lastKey
    return { first: begin, last, step }
  }
  const at = begin + find.keyNumberIndex
  if (at >= args.count) return undefined
  const text = args.latin1(at)
  if (!/^-?\d+$/.test(text)) return undefined
  const keys = Number(text)
  if (keys < 0) return undefined
  const first = begin + find.firstKey
  return { first, last: first + (keys - 1) * find.step, step: find.step }
}
