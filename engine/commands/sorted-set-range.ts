/** Ranges of sorted sets, by rank, score or bytes: read, stored and removed (Redis's t_zset.c). */
import { SortedSetValue } from '../store/sorted-set-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'
import { type RangeKind, readRange } from './sorted-set-bounds.ts'
import { sendRange, settleSortedSet, sortedSetAt, storeSortedSet } from './sorted-set-lookup.ts'

/** What a command fixes by its name; undefined where an option may say it. */
interface RangeForm {
  kind?: RangeKind
  reverse?: boolean
  /** ZRANGESTORE: argument 1 takes the result, the source is argument 2. */
  stores?: boolean
}

interface RangeOptions {
  kind: RangeKind | undefined
  reverse: boolean
  withScores: boolean
  offset: number
  /** Negative: all. */
  limit: number
}

/** Options from argument `first` on; undefined after the error was answered. */
function readOptions(context: Context, args: Arguments, first: number, form: RangeForm): RangeOptions | undefined {
  const options: RangeOptions = {
    kind: form.kind,
    reverse: form.reverse ?? false,
    withScores: false,
    offset: 0,
    limit: -1,
  }
  for (let i = first; i < args.count; i++) {
    if (!form.stores && args.is(i, 'withscores')) options.withScores = true
    else if (args.is(i, 'limit') && i + 2 < args.count) {
      options.offset = numberArgument(context, args, i + 1)
      if (Number.isNaN(options.offset)) return undefined
      options.limit = numberArgument(context, args, i + 2)
      if (Number.isNaN(options.limit)) return undefined
      i += 2
    } else if (form.reverse === undefined && !options.reverse && args.is(i, 'rev')) options.reverse = true
    else if (options.kind === undefined && args.is(i, 'bylex')) options.kind = 'text'
    else if (options.kind === undefined && args.is(i, 'byscore')) options.kind = 'score'
    else {
      context.reply.error(errors.syntax)
      return undefined
    }
  }
  const refusal = refusalOf(options)
  if (refusal === undefined) return options
  context.reply.error(refusal)
  return undefined
}

function refusalOf({ kind = 'rank', limit, withScores }: RangeOptions): string | undefined {
  if (limit !== -1 && kind === 'rank') {
    return 'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX'
  }
  return withScores && kind === 'text'
    ? 'ERR syntax error, WITHSCORES not supported in combination with BYLEX'
    : undefined
}

function range(context: Context, args: Arguments, form: RangeForm): void {
  const keyIndex = form.stores ? 2 : 1
  const options = readOptions(context, args, keyIndex + 3, form)
  if (options === undefined) return
  const { kind = 'rank', reverse, offset, limit } = options
  const isSwapped = reverse && kind !== 'rank'
  const [low, high] = isSwapped ? [keyIndex + 2, keyIndex + 1] : [keyIndex + 1, keyIndex + 2]
  const find = readRange(context, args, kind, low, high, reverse)
  if (find === undefined) return
  const value = sortedSetAt(context, context.lookupRead(keyIndex))
  if (value === 'other') return
  let start = 0
  let end = 0
  if (value !== undefined && offset >= 0) {
    ;[start, end] = find(value)
    if (reverse) end -= offset
    else start += offset
    if (limit >= 0 && reverse) start = Math.max(start, end - limit)
    else if (limit >= 0) end = Math.min(end, start + limit)
  }
  if (form.stores) storeRange(context, args, value, kind, start, end, reverse)
  else if (value === undefined) context.reply.array(0)
  else sendRange(context.reply, value, start, end, reverse, options.withScores)
}

function storeRange(
  context: Context,
  args: Arguments,
  value: SortedSetValue | undefined,
  kind: RangeKind,
  start: number,
  end: number,
  reverse: boolean,
): void {
  const settings = context.server.aggregateSettings
  const length = value === undefined ? 0 : Math.min(end, value.size) - start
  // Redis makes a skip list when it knows beforehand that there are too many: for ranks.
  const isLarge = kind === 'rank' && length > settings.limits['zset-max-listpack-entries']
  const result = isLarge ? SortedSetValue.building(settings) : SortedSetValue.empty(settings)
  value?.visitRange(start, end, reverse, (memory, from, to, score) => result.setBytes(memory, from, to, score))
  storeSortedSet(context, args, 1, result.built(), 'zrangestore')
}

function zrange(context: Context, args: Arguments): void {
  range(context, args, {})
}

function zrangestore(context: Context, args: Arguments): void {
  range(context, args, { stores: true })
}

function zrevrange(context: Context, args: Arguments): void {
  range(context, args, { kind: 'rank', reverse: true })
}

function zrangebyscore(context: Context, args: Arguments): void {
  range(context, args, { kind: 'score', reverse: false })
}

function zrevrangebyscore(context: Context, args: Arguments): void {
  range(context, args, { kind: 'score', reverse: true })
}

function zrangebylex(context: Context, args: Arguments): void {
  range(context, args, { kind: 'text', reverse: false })
}

function zrevrangebylex(context: Context, args: Arguments): void {
  range(context, args, { kind: 'text', reverse: true })
}

function zremrangebyrank(context: Context, args: Arguments): void {
  removeRange(context, args, 'rank')
}

function zremrangebyscore(context: Context, args: Arguments): void {
  removeRange(context, args, 'score')
}

function zremrangebylex(context: Context, args: Arguments): void {
  removeRange(context, args, 'text')
}

function removeRange(context: Context, args: Arguments, kind: RangeKind): void {
  const find = readRange(context, args, kind, 2, 3)
  if (find === undefined) return
  const entry = context.lookupWrite(1)
  const value = sortedSetAt(context, entry)
  if (value === 'other') return
  const [start, end] = value === undefined ? [0, 0] : find(value)
  const removed = Math.max(0, end - start)
  if (value !== undefined && removed > 0) {
    context.db.willChange(entry)
    value.removeRange(start, end)
    const isGone = settleSortedSet(context, entry, value)
    context.changed(1, 'sortedSet', context.command.name)
    context.dirty(removed - 1)
    if (isGone) context.notify('generic', 'del', args.copy(1))
  }
  context.reply.integer(removed)
}

export const sortedSetRangeCommands: readonly Command[] = [
  {
    name: 'zrange',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zrange,
  },
  {
    name: 'zrangebylex',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zrangebylex,
  },
  {
    name: 'zrangebyscore',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zrangebyscore,
  },
  {
    name: 'zrangestore',
    arity: -5,
    flags: ['write', 'denyoom'],
    categories: ['sortedset'],
    keySpecs: [
      { flags: ['OW', 'update'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RO', 'access'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } },
    ],
    group: 'sorted-set',
    run: zrangestore,
  },
  {
    name: 'zremrangebylex',
    arity: 4,
    flags: ['write'],
    categories: ['sortedset'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'sorted-set',
    run: zremrangebylex,
  },
  {
    name: 'zremrangebyrank',
    arity: 4,
    flags: ['write'],
    categories: ['sortedset'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'sorted-set',
    run: zremrangebyrank,
  },
  {
    name: 'zremrangebyscore',
    arity: 4,
    flags: ['write'],
    categories: ['sortedset'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'sorted-set',
    run: zremrangebyscore,
  },
  {
    name: 'zrevrange',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zrevrange,
  },
  {
    name: 'zrevrangebylex',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zrevrangebylex,
  },
  {
    name: 'zrevrangebyscore',
    arity: -4,
    flags: ['readonly'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zrevrangebyscore,
  },
]
