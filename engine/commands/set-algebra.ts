/**
 * Union, intersection and difference of sets (Redis's t_set.c). A source is an argument that names a set, or none: a
 * key that does not exist is an empty set. All types are checked before anything happens.
 */

import { NO_ENTRY } from '../store/keyspace-port.ts'
import { SetValue } from '../store/set-value.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { countArgument } from './count-argument.ts'
import { errors } from './errors.ts'
import { setAt } from './set-lookup.ts'

type Sources = (SetValue | undefined)[]

/** The sets named by arguments first…end−1; undefined after a type error was answered. */
function readSources(context: Context, first: number, end: number): Sources | undefined {
  const sources: Sources = []
  for (let i = first; i < end; i++) {
    const value = setAt(context, context.lookupRead(i))
    if (value === 'other') return undefined
    sources.push(value)
  }
  return sources
}

interface Intersection {
  smallest: SetValue | undefined
  /** Of members of the smallest that all others have, too. */
  indexes: number[]
}

/** What all sources have in common, at most `limit` members (0: all). */
function intersection(sources: Sources, limit = 0): Intersection {
  const indexes: number[] = []
  if (sources.includes(undefined)) return { smallest: undefined, indexes }
  const [smallest, ...larger] = (sources as SetValue[]).sort((a, b) => a.size - b.size)
  const others = larger.filter((other) => other !== smallest)
  const size = smallest?.size ?? 0
  for (let i = 0; i < size && (limit === 0 || indexes.length < limit); i++) {
    const { memory, start, end } = (smallest as SetValue).bytesAt(i)
    if (others.every((other) => other.hasBytes(memory, start, end))) indexes.push(i)
  }
  return { smallest, indexes }
}

function union(context: Context, sources: Sources): SetValue {
  const result = SetValue.empty(context.server.aggregateSettings)
  for (const source of sources) {
    for (let i = 0; i < (source?.size ?? 0); i++) addTo(result, source as SetValue, i)
  }
  return result
}

function difference(context: Context, [first, ...others]: Sources): SetValue {
  const result = SetValue.empty(context.server.aggregateSettings)
  for (let i = 0; i < (first?.size ?? 0); i++) {
    const { memory, start, end } = (first as SetValue).bytesAt(i)
    if (!others.some((other) => other?.hasBytes(memory, start, end))) addTo(result, first as SetValue, i)
  }
  return result
}

/** Adds the member at `index` of another set. */
function addTo(result: SetValue, source: SetValue, index: number): void {
  const { memory, start, end } = source.bytesAt(index)
  result.addBytes(memory, start, end)
}

function send({ reply }: Context, members: SetValue): void {
  reply.set(members.size)
  members.send(reply)
}

/** Makes argument 1 the result, or removes it when that is empty; answers the size. */
function store(context: Context, args: Arguments, result: SetValue, event: string): void {
  const { db } = context
  const old = context.lookupWrite(1)
  if (result.size > 0) {
    const entry = db.setAggregate(args.memory, args.start(1), args.end(1), result)
    if (old === NO_ENTRY) context.created(1)
    else db.setExpireAtMs(entry, -1)
    context.changed(1, 'set', event)
  } else if (old !== NO_ENTRY) {
    db.remove(old)
    context.changed(1, 'generic', 'del')
  }
  context.reply.integer(result.size)
}

function sinter(context: Context, args: Arguments): void {
  const sources = readSources(context, 1, args.count)
  if (sources === undefined) return
  const { smallest, indexes } = intersection(sources)
  context.reply.set(indexes.length)
  for (const index of indexes) smallest?.sendAt(index, context.reply)
}

function sinterstore(context: Context, args: Arguments): void {
  const sources = readSources(context, 2, args.count)
  if (sources === undefined) return
  const result = SetValue.empty(context.server.aggregateSettings)
  const { smallest, indexes } = intersection(sources)
  if (smallest !== undefined) for (const index of indexes) addTo(result, smallest, index)
  store(context, args, result, 'sinterstore')
}

function sintercard(context: Context, args: Arguments): void {
  const { reply } = context
  const keys = countArgument(context, args, 1, 1, 'ERR numkeys should be greater than 0')
  if (Number.isNaN(keys)) return
  if (keys > args.count - 2) {
    reply.error("ERR Number of keys can't be greater than number of args")
    return
  }
  let limit = 0
  for (let i = 2 + keys; i < args.count; i += 2) {
    if (!args.is(i, 'limit') || i + 1 === args.count) {
      reply.error(errors.syntax)
      return
    }
    limit = countArgument(context, args, i + 1, 0, "ERR LIMIT can't be negative")
    if (Number.isNaN(limit)) return
  }
  const sources = readSources(context, 2, 2 + keys)
  if (sources === undefined) return
  reply.integer(intersection(sources, limit).indexes.length)
}

function sunion(context: Context, args: Arguments): void {
  const sources = readSources(context, 1, args.count)
  if (sources === undefined) return
  send(context, union(context, sources))
}

function sunionstore(context: Context, args: Arguments): void {
  const sources = readSources(context, 2, args.count)
  if (sources !== undefined) store(context, args, union(context, sources), 'sunionstore')
}

function sdiff(context: Context, args: Arguments): void {
  const sources = readSources(context, 1, args.count)
  if (sources === undefined) return
  send(context, difference(context, sources))
}

function sdiffstore(context: Context, args: Arguments): void {
  const sources = readSources(context, 2, args.count)
  if (sources !== undefined) store(context, args, difference(context, sources), 'sdiffstore')
}

export const setAlgebraCommands: readonly Command[] = [
  {
    name: 'sdiff',
    arity: -2,
    flags: ['readonly'],
    categories: ['set'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 }, find: { lastKey: -1, step: 1, limit: 0 } }],
    tips: ['nondeterministic_output_order'],
    group: 'set',
    run: sdiff,
  },
  {
    name: 'sdiffstore',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['set'],
    keySpecs: [
      { flags: ['OW', 'update'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RO', 'access'], begin: { index: 2 }, find: { lastKey: -1, step: 1, limit: 0 } },
    ],
    group: 'set',
    run: sdiffstore,
  },
  {
    name: 'sinter',
    arity: -2,
    flags: ['readonly'],
    categories: ['set'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 }, find: { lastKey: -1, step: 1, limit: 0 } }],
    tips: ['nondeterministic_output_order'],
    group: 'set',
    run: sinter,
  },
  {
    name: 'sintercard',
    arity: -3,
    flags: ['readonly', 'movablekeys'],
    categories: ['set'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } }],
    group: 'set',
    run: sintercard,
  },
  {
    name: 'sinterstore',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['set'],
    keySpecs: [
      { flags: ['RW', 'update'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RO', 'access'], begin: { index: 2 }, find: { lastKey: -1, step: 1, limit: 0 } },
    ],
    group: 'set',
    run: sinterstore,
  },
  {
    name: 'sunion',
    arity: -2,
    flags: ['readonly'],
    categories: ['set'],
    keySpecs: [{ flags: ['RO', 'access'], begin: { index: 1 }, find: { lastKey: -1, step: 1, limit: 0 } }],
    tips: ['nondeterministic_output_order'],
    group: 'set',
    run: sunion,
  },
  {
    name: 'sunionstore',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['set'],
    keySpecs: [
      { flags: ['OW', 'update'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RO', 'access'], begin: { index: 2 }, find: { lastKey: -1, step: 1, limit: 0 } },
    ],
    group: 'set',
    run: sunionstore,
  },
]
