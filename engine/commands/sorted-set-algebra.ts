/**
 * Union, intersection and difference of sorted sets and sets (Redis's t_zset.c): members of a set have the score 1. For
 * unions and intersections the sources are taken from the smallest to the largest, as in Redis, because the sum of
 * floating point numbers depends on their order.
 */
import { parseStrictDouble } from '../data/double-text.ts'
import { NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import { SetValue } from '../store/set-value.ts'
import { type ScoredMember, SortedSetValue } from '../store/sorted-set-value.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { countArgument } from './count-argument.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'
import { sendMembers, storeSortedSet } from './sorted-set-lookup.ts'

type Operation = 'union' | 'inter' | 'diff'
type Combine = (a: number, b: number) => number

interface Source {
  value: SetValue | SortedSetValue | undefined
  weight: number
}

interface Task {
  operation: Operation
  /** ZUNIONSTORE and its kind: argument 1 takes the result. */
  stores: boolean
  /** ZINTERCARD */
  counts: boolean
}

interface Query {
  sources: Source[]
  combine: Combine
  withScores: boolean
  limit: number
}

/** Infinities of both signs add up to 0. */
const sum: Combine = (a, b) => zeroForNaN(a + b)
const combinations = new Map<string, Combine>([
  ['sum', sum],
  ['min', Math.min],
  ['max', Math.max],
])

function zeroForNaN(value: number): number {
  return Number.isNaN(value) ? 0 : value
}

/** Sources and options; undefined after the error was answered. */
function readQuery(context: Context, args: Arguments, task: Task): Query | undefined {
  const numberIndex = task.stores ? 2 : 1
  const count = numberArgument(context, args, numberIndex)
  if (Number.isNaN(count)) return undefined
  if (count < 1) return refuse(context, `ERR at least 1 input key is needed for '${context.command.name}' command`)
  const first = numberIndex + 1
  if (count > args.count - first) return refuse(context, errors.syntax)
  const sources: Source[] = []
  for (let i = first; i < first + count; i++) {
    const entry = context.lookupRead(i)
    const type = entry === NO_ENTRY ? ValueType.set : context.db.type(entry)
    if (type !== ValueType.set && type !== ValueType.sortedSet) return refuse(context, errors.wrongType)
    const value = entry === NO_ENTRY ? undefined : (context.db.aggregate(entry) as SetValue | SortedSetValue)
    sources.push({ value, weight: 1 })
  }
  const query: Query = { sources, combine: sum, withScores: false, limit: 0 }
  return readOptions(context, args, first + count, task, query) ? query : undefined
}

function readOptions(context: Context, args: Arguments, first: number, task: Task, query: Query): boolean {
  const hasWeights = task.operation !== 'diff' && !task.counts
  const { sources } = query
  for (let i = first; i < args.count; i++) {
    const left = args.count - i
    if (hasWeights && left > sources.length && args.is(i, 'weights')) {
      for (const source of sources) {
        const weight = parseStrictDouble(args.latin1(++i))
        if (weight === undefined) return refuse(context, 'ERR weight value is not a float') ?? false
        source.weight = weight
      }
    } else if (hasWeights && left > 1 && args.is(i, 'aggregate')) {
      const combine = combinations.get(args.latin1(++i).toLowerCase())
      if (combine === undefined) return refuse(context, errors.syntax) ?? false
      query.combine = combine
    } else if (!task.stores && !task.counts && args.is(i, 'withscores')) {
      query.withScores = true
    } else if (task.counts && left > 1 && args.is(i, 'limit')) {
      query.limit = countArgument(context, args, ++i, 0, "ERR LIMIT can't be negative")
      if (Number.isNaN(query.limit)) return false
    } else {
      return refuse(context, errors.syntax) ?? false
    }
  }
  return true
}

function refuse(context: Context, message: string): undefined {
  context.reply.error(message)
  return undefined
}

function* membersOf({ value }: Source): Generator<ScoredMember> {
  if (value instanceof SetValue) for (const member of value) yield { member, score: 1 }
  else if (value !== undefined) yield* value.range()
}

function scoreIn({ value }: Source, member: string): number | undefined {
  if (value instanceof SetValue) return value.has(member) ? 1 : undefined
  return value?.score(member)
}

const sizeOf = ({ value }: Source): number => value?.size ?? 0
const smallestFirst = (sources: readonly Source[]): Source[] => [...sources].sort((a, b) => sizeOf(a) - sizeOf(b))

/** Members of all sources with their scores. */
function* intersection({ sources, combine }: Query): Generator<ScoredMember> {
  const [smallest, ...others] = smallestFirst(sources) as [Source, ...Source[]]
  for (const { member, score } of membersOf(smallest)) {
    let total: number | undefined = zeroForNaN(score * smallest.weight)
    for (const other of others) {
      const found = scoreIn(other, member)
      total = found === undefined ? undefined : combine(total, zeroForNaN(found * other.weight))
      if (total === undefined) break
    }
    if (total !== undefined) yield { member, score: total }
  }
}

function union({ sources, combine }: Query): Map<string, number> {
  const scores = new Map<string, number>()
  for (const source of smallestFirst(sources)) {
    for (const { member, score } of membersOf(source)) {
      const weighted = zeroForNaN(score * source.weight)
      const before = scores.get(member)
      scores.set(member, before === undefined ? weighted : combine(before, weighted))
    }
  }
  return scores
}

function* difference({ sources: [first, ...others] }: Query): Generator<ScoredMember> {
  for (const pair of membersOf(first as Source)) {
    if (!others.some((other) => scoreIn(other, pair.member) !== undefined)) yield pair
  }
}

function compute(context: Context, operation: Operation, query: Query): SortedSetValue {
  const result = SortedSetValue.building(context.server.aggregateSettings)
  if (operation === 'union') {
    for (const [member, score] of union(query)) result.set(member, score)
  } else {
    const pairs = operation === 'inter' ? intersection(query) : difference(query)
    for (const { member, score } of pairs) result.set(member, score)
  }
  return result.built()
}

function send(context: Context, args: Arguments, operation: Operation): void {
  const query = readQuery(context, args, { operation, stores: false, counts: false })
  if (query !== undefined) sendMembers(context, [...compute(context, operation, query).range()], query.withScores)
}

function store(context: Context, args: Arguments, operation: Operation): void {
  const query = readQuery(context, args, { operation, stores: true, counts: false })
  if (query !== undefined) storeSortedSet(context, args, 1, compute(context, operation, query), context.command.name)
}

function zunion(context: Context, args: Arguments): void {
  send(context, args, 'union')
}

function zunionstore(context: Context, args: Arguments): void {
  store(context, args, 'union')
}

function zinter(context: Context, args: Arguments): void {
  send(context, args, 'inter')
}

function zinterstore(context: Context, args: Arguments): void {
  store(context, args, 'inter')
}

function zintercard(context: Context, args: Arguments): void {
  const query = readQuery(context, args, { operation: 'inter', stores: false, counts: true })
  if (query === undefined) return
  let size = 0
  for (const _pair of intersection(query)) if (++size === query.limit) break
  context.reply.integer(size)
}

function zdiff(context: Context, args: Arguments): void {
  send(context, args, 'diff')
}

function zdiffstore(context: Context, args: Arguments): void {
  store(context, args, 'diff')
}

export const sortedSetAlgebraCommands: readonly Command[] = [
  {
    name: 'zdiff',
    arity: -3,
    flags: ['readonly', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } }],
    group: 'sorted-set',
    run: zdiff,
  },
  {
    name: 'zdiffstore',
    arity: -4,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [
      { flags: ['OW', 'update'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RO', 'access'], begin: { index: 2 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } },
    ],
    group: 'sorted-set',
    run: zdiffstore,
  },
  {
    name: 'zinter',
    arity: -3,
    flags: ['readonly', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } }],
    group: 'sorted-set',
    run: zinter,
  },
  {
    name: 'zintercard',
    arity: -3,
    flags: ['readonly', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } }],
    group: 'sorted-set',
    run: zintercard,
  },
  {
    name: 'zinterstore',
    arity: -4,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [
      { flags: ['OW', 'update'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RO', 'access'], begin: { index: 2 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } },
    ],
    group: 'sorted-set',
    run: zinterstore,
  },
  {
    name: 'zunion',
    arity: -3,
    flags: ['readonly', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } }],
    group: 'sorted-set',
    run: zunion,
  },
  {
    name: 'zunionstore',
    arity: -4,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [
      { flags: ['OW', 'update'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RO', 'access'], begin: { index: 2 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } },
    ],
    group: 'sorted-set',
    run: zunionstore,
  },
]
