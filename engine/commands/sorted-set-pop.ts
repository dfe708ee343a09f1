/**
 * Taking the first or last members out of sorted sets (Redis's t_zset.c). ZMPOP is propagated as the ZPOPMIN or ZPOPMAX
 * of the key and the number that it came to.
 */

import { type Entry, NO_ENTRY } from '../store/keyspace-port.ts'
import type { SortedSetValue } from '../store/sorted-set-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { countArgument } from './count-argument.ts'
import { errors } from './errors.ts'
import { sendMembers, settleSortedSet, sortedSetAt } from './sorted-set-lookup.ts'

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
  const pairs = take(context, 1, entry, value, end, count)
  if (args.count === 3) {
    sendMembers(context, pairs, true)
    return
  }
  reply.array(pairs.length * 2)
  for (const { member, score } of pairs) {
    reply.latin1(member)
    reply.double(score)
  }
}

/** Removes up to `count` members from one end of argument `keyIndex`, and tells. */
function take(context: Context, keyIndex: number, entry: Entry, value: SortedSetValue, end: End, count: number) {
  const { size } = value
  const number = Math.min(count, size)
  const pairs = end === 'zpopmin' ? [...value.range(0, number)] : [...value.range(size - number, size, true)]
  context.db.willChange(entry)
  for (const { member } of pairs) value.remove(member)
  const isGone = settleSortedSet(context, entry, value)
  context.changed(keyIndex, 'sortedSet', end)
  context.dirty(pairs.length - 1)
  if (isGone) context.notify('generic', 'del', context.args.copy(keyIndex))
  return pairs
}

function zmpop(context: Context, args: Arguments): void {
  const { reply } = context
  const keys = countArgument(context, args, 1, 1, 'ERR numkeys should be greater than 0')
  if (Number.isNaN(keys)) return
  const endIndex = 2 + keys
  if (endIndex >= args.count || !(args.is(endIndex, 'min') || args.is(endIndex, 'max'))) {
    reply.error(errors.syntax)
    return
  }
  const end: End = args.is(endIndex, 'min') ? 'zpopmin' : 'zpopmax'
  let count = -1
  for (let i = endIndex + 1; i < args.count; i += 2) {
    if (count !== -1 || !args.is(i, 'count') || i + 1 === args.count) {
      reply.error(errors.syntax)
      return
    }
    count = countArgument(context, args, i + 1, 1, 'ERR count should be greater than 0')
    if (Number.isNaN(count)) return
  }
  popFirst(context, args, endIndex, end, Math.max(count, 1))
}

/** From the first of the keys 2…endKey−1 that has members. */
function popFirst(context: Context, args: Arguments, endKey: number, end: End, count: number): void {
  const { reply } = context
  for (let i = 2; i < endKey; i++) {
    const entry = context.lookupWrite(i)
    if (entry === NO_ENTRY) continue
    const value = sortedSetAt(context, entry)
    if (value === 'other' || value === undefined) return
    const pairs = take(context, i, entry, value, end, count)
    context.propagateAs([end.toUpperCase(), args.copy(i), String(pairs.length)])
    reply.array(2)
    reply.bulk(args.view(i))
    reply.array(pairs.length)
    for (const { member, score } of pairs) {
      reply.array(2)
      reply.latin1(member)
      reply.double(score)
    }
    return
  }
  reply.nilArray()
}

export const sortedSetPopCommands: readonly Command[] = [
  {
    name: 'zmpop',
    arity: -4,
    flags: ['write', 'movablekeys'],
    categories: ['sortedset'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } },
    ],
    group: 'sorted-set',
    since: '7.0.0',
    summary: 'Removes members from one end of the first key that has any',
    complexity: 'O(K) + O(M*log(N))',
    run: zmpop,
  },
  {
    name: 'zpopmax',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RW', 'access', 'delete'),
    group: 'sorted-set',
    since: '5.0.0',
    summary: 'Removes the last members and answers them',
    complexity: 'O(log(N)*M)',
    run: zpopmax,
  },
  {
    name: 'zpopmin',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['sortedset'],
    keySpecs: oneKey('RW', 'access', 'delete'),
    group: 'sorted-set',
    since: '5.0.0',
    summary: 'Removes the first members and answers them',
    complexity: 'O(log(N)*M)',
    run: zpopmin,
  },
]
