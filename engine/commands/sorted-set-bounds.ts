/** Ranges of sorted sets as arguments name them: by score, by bytes, by rank. */
import { parseLenientDouble } from '../data/double-text.ts'
import type { ScoredMember, SortedSetValue } from '../store/sorted-set-value.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { numberArgument } from './number-argument.ts'

export const notFloatRange = 'ERR min or max is not a float'
export const notTextRange = 'ERR min or max not valid string range item'

export type RangeKind = 'rank' | 'score' | 'text'

/** Ranks start…end−1 of a sorted set. */
export type RankRange = readonly [start: number, end: number]
/** Finds a range in a sorted set. */
export type RangeFinder = (value: SortedSetValue) => RankRange

/** The range between two arguments; undefined after the error was answered. */
export function readRange(
  context: Context,
  args: Arguments,
  kind: RangeKind,
  minIndex: number,
  maxIndex: number,
  reverse = false,
): RangeFinder | undefined {
  if (kind === 'rank') return rankRange(context, args, minIndex, maxIndex, reverse)
  const read = kind === 'score' ? scoreBound : textBound
  const min = read(args.latin1(minIndex))
  const max = read(args.latin1(maxIndex))
  if (min === undefined || max === undefined) {
    context.reply.error(kind === 'score' ? notFloatRange : notTextRange)
    return undefined
  }
  return (value) => [value.rankOf((pair) => min.isReached(pair)), value.rankOf((pair) => max.isPassed(pair))]
}

interface Bound {
  /** As the lower one: whether the range has begun at this member. */
  isReached(pair: ScoredMember): boolean
  /** As the upper one: whether the range has ended before this member. */
  isPassed(pair: ScoredMember): boolean
}

/** `1.5`, `(1.5` without 1.5 itself, infinities. */
function scoreBound(text: string): Bound | undefined {
  const isOpen = text.startsWith('(')
  const end = text.indexOf('\0')
  const limit = parseLenientDouble(text.slice(isOpen ? 1 : 0, end < 0 ? undefined : end))
  if (limit === undefined) return undefined
  return {
    isReached: ({ score }) => (isOpen ? score > limit : score >= limit),
    isPassed: ({ score }) => (isOpen ? score >= limit : score > limit),
  }
}

/** `[member`, `(member` without itself, `-` before and `+` behind everything. */
function textBound(text: string): Bound | undefined {
  if (text === '-') return { isReached: () => true, isPassed: () => true }
  if (text === '+') return { isReached: () => false, isPassed: () => false }
  const isOpen = text.startsWith('(')
  if (!isOpen && !text.startsWith('[')) return undefined
  const limit = text.slice(1)
  return {
    isReached: ({ member }) => (isOpen ? member > limit : member >= limit),
    isPassed: ({ member }) => (isOpen ? member >= limit : member > limit),
  }
}

/** From the first or, if `reverse`, the last member; negative numbers from the other end. */
function rankRange(
  context: Context,
  args: Arguments,
  startIndex: number,
  endIndex: number,
  reverse: boolean,
): RangeFinder | undefined {
  const start = numberArgument(context, args, startIndex)
  if (Number.isNaN(start)) return undefined
  const end = numberArgument(context, args, endIndex)
  if (Number.isNaN(end)) return undefined
  return ({ size }) => {
    const first = Math.max(start < 0 ? size + start : start, 0)
    const last = Math.min(end < 0 ? size + end : end, size - 1)
    if (first > last) return [0, 0]
    return reverse ? [size - 1 - last, size - first] : [first, last + 1]
  }
}
