/**
 * Taking the first or last members out of sorted sets, and waiting for some to come (Redis's t_zset.c). What looks at
 * several keys, or waits, is propagated as the ZPOPMIN or ZPOPMAX of the key and the number that it came to.
 */

import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { SortedSetValue } from '../store/sorted-set-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, keyRange, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { countArgument } from './count-argument.ts'
import { deadlineArgument } from './deadline-argument.ts'
import { errors } from './errors.ts'
import { settleSortedSet, sortedSetAt } from './sorted-set-lookup.ts'

type End = 'zpopmin' | 'zpopmax'

function zpopmin(context: Context, args: Arguments): void {
  pop(context, args, 'zpopmin')
}

function zpopmax(context: Context, args: Arguments): void {
  pop(context, args, 'zpopmax')
}

function pop(context: Context, args: Arguments, end: End): void {
  const { reply } = context
  if (args.count > 3) {
    reply.error(errors.syntax)
    return
  }
  const count = args.count === 3 ? countArgument(context, args, 2) : 1
  if (Number.isNaN(count)) return
  const entry = context.lookupWrite(1)
  const value = sortedSetAt(context, entry)
  if (value === 'other') return
  if (value === undefined || count === 0) {
    reply.array(0)
    return
  }
  const popped = Math.min(count, value.size)
  const isNested = args.count === 3 && reply.protocol === 3
  reply.array(isNested ? popped : popped * 2)
  take(context, args.copy(1), entry, value, end, popped, isNested)
}

/** Sends `count` members from one end of `key` with their scores, in pairs if `isNested`; removes them, and tells. */
function take(
  context: Context,
  key: Buffer,
  entry: Entry,
  value: SortedSetValue,
  end: End,
  count: number,
  isNested: boolean,
): void {
  const { reply } = context
  const isMax = end === 'zpopmax'
  const start = isMax ? value.size - count : 0
  value.visitRange(start, start + count, isMax, (memory, from, to, score) => {
    if (isNested) reply.array(2)
    reply.bulk(memory, from, to)
    reply.double(score)
  })
  context.db.willChange(entry)
  value.removeRange(start, start + count)
  const isGone = settleSortedSet(context, entry, value)
  context.changedKey(key, 'sortedSet', end)
  context.dirty(count - 1)
  if (isGone) context.notify('generic', 'del', key)
}

// ————— From the first of several sorted sets

interface PopRequest {
  firstKey: number
  keyCount: number
  end: End
  /** Undefined: one member, answered flat (BZPOPMIN); else pairs in an array of their own. */
  count: number | undefined
}

/** `numkeys key … MIN|MAX [COUNT count]` from argument `index` on; undefined after the error was answered. */
function readPopRequest(context: Context, args: Arguments, index: number): PopRequest | undefined {
  const { reply } = context
  const keyCount = countArgument(context, args, index, 1, 'ERR numkeys should be greater than 0')
  if (Number.isNaN(keyCount)) return undefined
  const endIndex = index + 1 + keyCount
  if (endIndex >= args.count || !(args.is(endIndex, 'min') || args.is(endIndex, 'max'))) {
    reply.error(errors.syntax)
    return undefined
  }
  let count: number | undefined
  for (let i = endIndex + 1; i < args.count; i += 2) {
    if (count !== undefined || !args.is(i, 'count') || i + 1 === args.count) {
      reply.error(errors.syntax)
      return undefined
    }
    count = countArgument(context, args, i + 1, 1, 'ERR count should be greater than 0')
    if (Number.isNaN(count)) return undefined
  }
  return { firstKey: index + 1, keyCount, end: args.is(endIndex, 'min') ? 'zpopmin' : 'zpopmax', count: count ?? 1 }
}

/** Pops from the first key that has members. False when none has, true when something was answered. */
function popFromFirst(context: Context, args: Arguments, { firstKey, keyCount, end, count }: PopRequest): boolean {
  for (let i = firstKey; i < firstKey + keyCount; i++) {
    const entry = context.lookupWrite(i)
    if (entry === NO_ENTRY) continue
    const value = sortedSetAt(context, entry)
    if (value !== 'other' && value !== undefined) answerPop(context, args.copy(i), entry, value, end, count)
    return true
  }
  return false
}

function answerPop(
  context: Context,
  key: Buffer,
  entry: Entry,
  value: SortedSetValue,
  end: End,
  count: number | undefined,
): void {
  const { reply } = context
  const popped = Math.min(count ?? 1, value.size)
  const words: (string | Buffer)[] = [end.toUpperCase(), key]
  if (count !== undefined) words.push(String(popped))
  context.propagateAs(words)
  reply.array(count === undefined ? 3 : 2)
  reply.bulk(key)
  if (count !== undefined) reply.array(popped)
  take(context, key, entry, value, end, popped, count !== undefined)
}

function zmpop(context: Context, args: Arguments): void {
  const request = readPopRequest(context, args, 1)
  if (request !== undefined && !popFromFirst(context, args, request)) context.reply.nilArray()
}

function popOrWait(context: Context, args: Arguments, request: PopRequest, deadlineIndex: number): void {
  const deadlineMs = deadlineArgument(context, args, deadlineIndex)
  if (deadlineMs === undefined || popFromFirst(context, args, request)) return
  if (context.client.denyBlocking) {
    context.reply.nilArray()
    return
  }
  const { firstKey, keyCount, end, count } = request
  const keys = Array.from({ length: keyCount }, (_, i) => args.copy(firstKey + i))
  context.server.blockedKeys.park(context, keys, {
    type: ValueType.sortedSet,
    deadlineMs,
    canServe: () => true,
    serve(later, key) {
      const entry = later.db.findKey(key)
      answerPop(later, key, entry, later.db.aggregate(entry) as SortedSetValue, end, count)
    },
    onTimeout: (reply) => reply.nilArray(),
  })
}

function bzpopmin(context: Context, args: Arguments): void {
  popOrWait(context, args, { firstKey: 1, keyCount: args.count - 2, end: 'zpopmin', count: undefined }, args.count - 1)
}

function bzpopmax(context: Context, args: Arguments): void {
  popOrWait(context, args, { firstKey: 1, keyCount: args.count - 2, end: 'zpopmax', count: undefined }, args.count - 1)
}

function bzmpop(context: Context, args: Arguments): void {
  const request = readPopRequest(context, args, 2)
  if (request !== undefined) popOrWait(context, args, request, 1)
}

export const sortedSetPopCommands: readonly Command[] = [
  {
    name: 'bzmpop',
    arity: -5,
    flags: ['write', 'blocking', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 2 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } },
    ],
    group: 'sorted-set',
    run: bzmpop,
  },
  {
    name: 'bzpopmax',
    arity: -3,
    flags: ['write', 'noscript', 'blocking', 'fast'],
    categories: ['sortedset'],
    keySpecs: keyRange(1, -2, 1, 'RW', 'access', 'delete'),
    group: 'sorted-set',
    run: bzpopmax,
  },
  {
    name: 'bzpopmin',
    arity: -3,
    flags: ['write', 'noscript', 'blocking', 'fast'],
    categories: ['sortedset'],
    keySpecs: keyRange(1, -2, 1, 'RW', 'access', 'delete'),
    group: 'sorted-set',
    run: bzpopmin,
  },
  {
    name: 'zmpop',
    arity: -4,
    flags: ['write', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } },
    ],
    group: 'sorted-set',
    run: zmpop,
  },
  {
    name: 'zpopmax',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RW', 'access', 'delete'),
    group: 'sorted-set',
    run: zpopmax,
  },
  {
    name: 'zpopmin',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RW', 'access', 'delete'),
    group: 'sorted-set',
    run: zpopmin,
  },
]
