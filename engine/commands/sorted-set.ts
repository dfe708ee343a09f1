/**
 * Sorted sets (Redis's t_zset.c), one member or one set at a time. Ranges, pops and what combines several sets have
 * files of their own.
 */
import { parseSafeInteger } from '../data/decimal.ts'
import { parseStrictDouble } from '../data/double-text.ts'
import { globMatch } from '../data/glob.ts'
import { sample } from '../data/sample.ts'
import { type Entry, NO_ENTRY } from '../store/keyspace-port.ts'
import { type ScoredMember, SortedSetValue } from '../store/sorted-set-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { signedCountArgument } from './count-argument.ts'
import { errors } from './errors.ts'
import { sendDraws } from './long-reply.ts'
import { readScanOptions, scanCursor } from './scan-options.ts'
import { type RangeKind, readRange } from './sorted-set-bounds.ts'
import { sendMembers, settleSortedSet, sortedSetAt } from './sorted-set-lookup.ts'

interface AddOptions {
  nx: boolean
  xx: boolean
  gt: boolean
  lt: boolean
  ch: boolean
  incr: boolean
}

function zadd(context: Context, args: Arguments): void {
  addMembers(context, args, false)
}

function zincrby(context: Context, args: Arguments): void {
  addMembers(context, args, true)
}

/** ZINCRBY is ZADD with INCR, options included. `args` may be others than the running command's, with the same key. */
export function addMembers(context: Context, args: Arguments, incr: boolean): void {
  const options: AddOptions = { nx: false, xx: false, gt: false, lt: false, ch: false, incr }
  let first = 2
  for (let name = optionAt(args, first); name !== undefined; name = optionAt(args, ++first)) options[name] = true
  const refusal = refusalOf(options, args.count - first)
  if (refusal !== undefined) {
    context.reply.error(refusal)
    return
  }
  const scores: number[] = []
  for (let i = first; i < args.count; i += 2) {
    const score = scoreAt(args, i)
    if (score === undefined) {
      context.reply.error(errors.notFloat)
      return
    }
    scores.push(score)
  }
  const entry = context.lookupWrite(1)
  const value = sortedSetAt(context, entry)
  if (value === 'other') return
  if (value !== undefined || !options.xx) setScores(context, args, first, scores, options, entry, value)
  else if (options.incr) context.reply.nil()
  else context.reply.integer(0)
}

const OPTION_NAMES: readonly (keyof AddOptions)[] = ['nx', 'xx', 'gt', 'lt', 'ch', 'incr']

function optionAt(args: Arguments, index: number): keyof AddOptions | undefined {
  if (index >= args.count) return undefined
  for (const name of OPTION_NAMES) if (args.is(index, name)) return name
  return undefined
}

/** Most scores are whole numbers, which need no text. Undefined: not a number. */
function scoreAt(args: Arguments, index: number): number | undefined {
  const whole = parseSafeInteger(args.memory, args.start(index), args.end(index))
  return Number.isNaN(whole) ? parseStrictDouble(args.latin1(index)) : whole
}

function refusalOf({ nx, xx, gt, lt, incr }: AddOptions, words: number): string | undefined {
  if (words === 0 || words % 2 === 1) return errors.syntax
  if (nx && xx) return 'ERR XX and NX options at the same time are not compatible'
  if ((gt && nx) || (lt && nx) || (gt && lt)) {
    return 'ERR GT, LT, and/or NX options at the same time are not compatible'
  }
  return incr && words > 2 ? 'ERR INCR option supports a single increment-element pair' : undefined
}

function setScores(
  context: Context,
  args: Arguments,
  first: number,
  scores: readonly number[],
  options: AddOptions,
  known: Entry,
  existing: SortedSetValue | undefined,
): void {
  const { db, reply, server } = context
  let entry = known
  const value = existing ?? SortedSetValue.empty(server.aggregateSettings)
  if (existing !== undefined) db.willChange(entry)
  let added = 0
  let updated = 0
  let result: number | undefined
  for (let i = 0; i < scores.length; i++) {
    const at = first + 2 * i + 1
    const [start, end] = [args.start(at), args.end(at)]
    const old = value.scoreOfBytes(args.memory, start, end)
    result = newScore(old, scores[i] as number, options)
    if (result === undefined) continue
    if (Number.isNaN(result)) {
      reply.error('ERR resulting score is not a number (NaN)')
      return
    }
    if (old === undefined) added++
    else if (old !== result) updated++
    if (old !== result) value.setFound(args.memory, start, end, old, result)
  }
  if (added + updated > 0) {
    if (existing === undefined) {
      entry = db.setAggregate(args.memory, args.start(1), args.end(1), value)
      context.created(1)
    }
    db.changed(entry)
    context.changed(1, 'sortedSet', options.incr ? 'zincr' : 'zadd')
    context.dirty(added + updated - 1)
  }
  if (!options.incr) reply.integer(options.ch ? added + updated : added)
  else if (result === undefined) reply.nil()
  else reply.double(result)
}

/** What the member's score shall be; undefined when an option leaves it alone. */
function newScore(old: number | undefined, score: number, { nx, xx, gt, lt, incr }: AddOptions): number | undefined {
  if (old === undefined) return xx ? undefined : score
  if (nx) return undefined
  const wanted = incr ? old + score : score
  return (gt && wanted <= old) || (lt && wanted >= old) ? undefined : wanted
}

function zrem(context: Context, args: Arguments): void {
  const entry = context.lookupWrite(1)
  const value = sortedSetAt(context, entry)
  if (value === 'other') return
  let removed = 0
  if (value !== undefined) {
    context.db.willChange(entry)
    for (let i = 2; i < args.count && value.size > 0; i++) if (value.remove(args.latin1(i))) removed++
  }
  if (value !== undefined && removed > 0) {
    const isGone = settleSortedSet(context, entry, value)
    context.changed(1, 'sortedSet', 'zrem')
    context.dirty(removed - 1)
    if (isGone) context.notify('generic', 'del', args.copy(1))
  }
  context.reply.integer(removed)
}

function zscore(context: Context, args: Arguments): void {
  const value = sortedSetAt(context, context.lookupRead(1))
  if (value === 'other') return
  sendScore(context, value?.scoreOfBytes(args.memory, args.start(2), args.end(2)))
}

function sendScore({ reply }: Context, score: number | undefined): void {
  if (score === undefined) reply.nil()
  else reply.double(score)
}

function zmscore(context: Context, args: Arguments): void {
  const value = sortedSetAt(context, context.lookupRead(1))
  if (value === 'other') return
  context.reply.array(args.count - 2)
  for (let i = 2; i < args.count; i++) sendScore(context, value?.score(args.latin1(i)))
}

function zcard(context: Context): void {
  const value = sortedSetAt(context, context.lookupRead(1))
  if (value !== 'other') context.reply.integer(value?.size ?? 0)
}

function zcount(context: Context, args: Arguments): void {
  count(context, args, 'score')
}

function zlexcount(context: Context, args: Arguments): void {
  count(context, args, 'text')
}

function count(context: Context, args: Arguments, kind: RangeKind): void {
  const find = readRange(context, args, kind, 2, 3)
  if (find === undefined) return
  const value = sortedSetAt(context, context.lookupRead(1))
  if (value === 'other') return
  const [start, end] = value === undefined ? [0, 0] : find(value)
  context.reply.integer(Math.max(end - start, 0))
}

function zrank(context: Context, args: Arguments): void {
  sendRank(context, args, false)
}

function zrevrank(context: Context, args: Arguments): void {
  sendRank(context, args, true)
}

function sendRank(context: Context, args: Arguments, reverse: boolean): void {
  const value = sortedSetAt(context, context.lookupRead(1))
  if (value === 'other') return
  const rank = value?.rank(args.latin1(2))
  if (value === undefined || rank === undefined) context.reply.nil()
  else context.reply.integer(reverse ? value.size - 1 - rank : rank)
}

function zrandmember(context: Context, args: Arguments): void {
  const { reply, server } = context
  const draw = (limit: number): number => server.io.random.below(limit)
  const wanted = args.count > 2 ? signedCountArgument(context, args, 2) : 1
  if (Number.isNaN(wanted)) return
  const withScores = args.count === 4
  if (args.count > 4 || (withScores && !args.is(3, 'withscores'))) {
    reply.error(errors.syntax)
    return
  }
  if (withScores && isBeyondPairs(args, 2)) {
    reply.error('ERR value is out of range')
    return
  }
  const value = sortedSetAt(context, context.lookupRead(1))
  if (value === 'other') return
  if (args.count === 2) {
    if (value === undefined) reply.nil()
    else reply.latin1((value.at(draw(value.size)) as ScoredMember).member)
    return
  }
  if (value === undefined || wanted >= 0) {
    sendMembers(context, value === undefined ? [] : choose(value, wanted, draw), withScores)
    return
  }
  const isNested = withScores && reply.protocol === 3
  sendDraws(context, { count: -BigInt(args.latin1(2)), partsEach: withScores && !isNested ? 2 : 1 }, (kept) => {
    const source = kept ? value.clone() : value
    return (to) => {
      const { member, score } = source.at(draw(source.size)) as ScoredMember
      if (isNested) to.array(2)
      to.latin1(member)
      if (withScores) to.double(score)
    }
  })
}

/** More than an array of twice as many parts could announce. */
function isBeyondPairs(args: Arguments, index: number): boolean {
  const count = BigInt(args.latin1(index))
  const most = (2n ** 63n - 1n) / 2n
  return count > most || count < -most
}

/** All of them come in Redis's order: from the last. */
function choose(value: SortedSetValue, wanted: number, draw: (limit: number) => number): ScoredMember[] {
  if (wanted >= value.size) return [...value.range(0, value.size, true)]
  return sample(wanted, value.size, draw).map((rank) => value.at(rank) as ScoredMember)
}

function zscan(context: Context, args: Arguments): void {
  const { reply } = context
  const cursor = scanCursor(args.latin1(2))
  if (cursor === undefined) {
    reply.error('ERR invalid cursor')
    return
  }
  const entry = context.lookupRead(1)
  const value = sortedSetAt(context, entry)
  if (value === 'other') return
  const options = entry === NO_ENTRY ? undefined : readScanOptions(context, args, 3, false)
  if (entry !== NO_ENTRY && options === undefined) return
  const found: ScoredMember[] = []
  const { count: wanted = 10, pattern } = options ?? {}
  const next = value?.scan(Number(BigInt.asUintN(32, cursor)), wanted, (pair) => {
    if (pattern === undefined || globMatch(pattern, Buffer.from(pair.member, 'latin1'))) found.push(pair)
  })
  reply.array(2)
  reply.latin1(String(next ?? 0))
  reply.array(found.length * 2)
  for (const { member, score } of found) {
    reply.latin1(member)
    reply.latin1((value as SortedSetValue).scoreText(score))
  }
}

export const sortedSetCommands: readonly Command[] = [
  {
    name: 'zadd',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RW', 'update'),
    group: 'sorted-set',
    run: zadd,
  },
  {
    name: 'zcard',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO'),
    group: 'sorted-set',
    run: zcard,
  },
  {
    name: 'zcount',
    arity: 4,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zcount,
  },
  {
    name: 'zincrby',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'sorted-set',
    run: zincrby,
  },
  {
    name: 'zlexcount',
    arity: 4,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zlexcount,
  },
  {
    name: 'zmscore',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zmscore,
  },
  {
    name: 'zrandmember',
    arity: -2,
    flags: ['readonly'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    tips: ['nondeterministic_output'],
    group: 'sorted-set',
    run: zrandmember,
  },
  {
    name: 'zrank',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zrank,
  },
  {
    name: 'zrem',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'sorted-set',
    run: zrem,
  },
  {
    name: 'zrevrank',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zrevrank,
  },
  {
    name: 'zscan',
    arity: -3,
    flags: ['readonly'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    tips: ['nondeterministic_output'],
    group: 'sorted-set',
    run: zscan,
  },
  {
    name: 'zscore',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RO', 'access'),
    group: 'sorted-set',
    run: zscore,
  },
]
