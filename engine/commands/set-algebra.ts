/**
 * Union, intersection and difference of sets (Redis's t_set.c). A source is an argument that names a set, or none: a key
 * that does not exist is an empty set. All types are checked before anything happens.
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

/** What all sources have in common, at most `limit` members (0: all), in the order of the smallest. */
function* intersection(sources: Sources, limit = 0): Generator<string> {
  if (sources.includes(undefined)) return
  const [smallest, ...others] = (sources as SetValue[]).sort((a, b) => a.size - b.size)
  let found = 0
  for (const member of smallest ?? []) {
    if (!others.every((other) => other === smallest || other.has(member))) continue
    yield member
    if (++found === limit) return
  }
}

function union(context: Context, sources: Sources): SetValue {
  const result = SetValue.empty(context.server.aggregateSettings)
  for (const source of sources) for (const member of source ?? []) result.add(member)
  return result
}

function difference(context: Context, [first, ...others]: Sources): SetValue {
  const result = SetValue.empty(context.server.aggregateSettings)
  for (const member of first ?? []) {
    if (!others.some((other) => other?.has(member))) result.add(member)
  }
  return result
}

function send(context: Context, members: Iterable<string>, size: number): void {
  context.reply.set(size)
  for (const member of members) context.reply.latin1(member)
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
  const members = [...intersection(sources)]
  send(context, members, members.length)
}

function sinterstore(context: Context, args: Arguments): void {
  const sources = readSources(context, 2, args.count)
  if (sources === undefined) return
  const result = SetValue.empty(context.server.aggregateSettings)
  for (const member of intersection(sources)) result.add(member)
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
  let size = 0
  for (const _member of intersection(sources, limit)) size++
  reply.integer(size)
}

function sunion(context: Context, args: Arguments): void {
  const sources = readSources(context, 1, args.count)
  if (sources === undefined) return
  const result = union(context, sources)
  send(context, result, result.size)
}

function sunionstore(context: Context, args: Arguments): void {
  const sources = readSources(context, 2, args.count)
  if (sources !== undefined) store(context, args, union(context, sources), 'sunionstore')
}

function sdiff(context: Context, args: Arguments): void {
  const sources = readSources(context, 1, args.count)
  if (sources === undefined) return
  const result = difference(context, sources)
  send(context, result, result.size)
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
