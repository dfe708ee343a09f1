/** Look-ups of sorted sets for their commands, and what becomes of one that was changed or computed. */
import type { Reply } from '../resp/reply.ts'
import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { ScoredMember, SortedSetValue } from '../store/sorted-set-value.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'

/** The sorted set at `entry`; undefined when there is none, `'other'` after a type error was answered. */
export function sortedSetAt(context: Context, entry: Entry): SortedSetValue | undefined | 'other' {
  if (entry === NO_ENTRY) return undefined
  if (context.db.type(entry) === ValueType.sortedSet) return context.db.aggregate(entry) as SortedSetValue
  context.reply.error(errors.wrongType)
  return 'other'
}

/**
 * After members were removed from the key at `entry`: accounts for it, or removes the key when nothing is left, which
 * it returns.
 */
export function settleSortedSet(context: Context, entry: Entry, value: SortedSetValue): boolean {
  if (value.size > 0) context.db.changed(entry)
  else context.db.remove(entry)
  return value.size === 0
}

/** Makes argument `keyIndex` the result, or removes it when that is empty; answers the size. */
export function storeSortedSet(
  context: Context,
  args: Arguments,
  keyIndex: number,
  result: SortedSetValue,
  event: string,
): void {
  const { db } = context
  const old = context.lookupWrite(keyIndex)
  if (result.size > 0) {
    const entry = db.setAggregate(args.memory, args.start(keyIndex), args.end(keyIndex), result)
    if (old === NO_ENTRY) context.created(keyIndex)
    else db.setExpireAtMs(entry, -1)
    context.changed(keyIndex, 'sortedSet', event)
  } else if (old !== NO_ENTRY) {
    db.remove(old)
    context.changed(keyIndex, 'generic', 'del')
  }
  context.reply.integer(result.size)
}

/** Members of ranks start…stop−1 of a sorted set, with their scores as `sendMembers` has them. */
export function sendRange(
  reply: Reply,
  value: SortedSetValue,
  start: number,
  stop: number,
  reverse: boolean,
  withScores: boolean,
): void {
  const isNested = withScores && reply.protocol === 3
  const length = Math.max(0, Math.min(stop, value.size) - start)
  reply.array(withScores && !isNested ? length * 2 : length)
  value.visitRange(start, stop, reverse, (memory, from, to, score) => {
    if (isNested) reply.array(2)
    reply.bulk(memory, from, to)
    if (withScores) reply.double(score)
  })
}

/** Members, with their scores behind them (RESP3: in pairs) if so asked. */
export function sendMembers(context: Context, pairs: readonly ScoredMember[], withScores: boolean): void {
  const { reply } = context
  const isNested = withScores && reply.protocol === 3
  reply.array(withScores && !isNested ? pairs.length * 2 : pairs.length)
  for (const { member, score } of pairs) {
    if (isNested) reply.array(2)
    reply.latin1(member)
    if (withScores) reply.double(score)
  }
}
