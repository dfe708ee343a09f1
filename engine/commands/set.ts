/**
 * Sets (Redis's t_set.c), one set at a time; set-algebra.ts has what combines several. Members that chance chooses are
 * propagated as their removal, so that replicas remove the same ones.
 */
import { globMatch } from '../data/glob.ts'
import { sample } from '../data/sample.ts'
import { NO_ENTRY } from '../store/keyspace-port.ts'
import type { SetValue } from '../store/set-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { countArgument, signedCountArgument } from './count-argument.ts'
import { errors } from './errors.ts'
import { sendDraws } from './long-reply.ts'
import { readScanOptions, scanCursor } from './scan-options.ts'
import { createSet, setAt, settle } from './set-lookup.ts'

function sadd(context: Context, args: Arguments): void {
  let entry = context.lookupWrite(1)
  let value = setAt(context, entry)
  if (value === 'other') return
  if (value === undefined) ({ entry, value } = createSet(context, 1))
  else context.db.willChange(entry)
  let added = 0
  for (let i = 2; i < args.count; i++) if (value.addBytes(args.memory, args.start(i), args.end(i))) added++
  if (added > 0) {
    context.db.changed(entry)
    context.changed(1, 'set', 'sadd')
    context.dirty(added - 1)
  }
  context.reply.integer(added)
}

function srem(context: Context, args: Arguments): void {
  const entry = context.lookupWrite(1)
  const value = setAt(context, entry)
  if (value === 'other') return
  let removed = 0
  if (value !== undefined) {
    context.db.willChange(entry)
    for (let i = 2; i < args.count && value.size > 0; i++) {
      if (value.removeBytes(args.memory, args.start(i), args.end(i))) removed++
    }
    if (removed > 0) {
      const isGone = settle(context, entry, value.size)
      context.changed(1, 'set', 'srem')
      context.dirty(removed - 1)
      if (isGone) context.notify('generic', 'del', args.copy(1))
    }
  }
  context.reply.integer(removed)
}

function smove(context: Context, args: Arguments): void {
  const { db, reply } = context
  const from = context.lookupWrite(1)
  let to = context.lookupWrite(2)
  const source = from === NO_ENTRY ? undefined : setAt(context, from)
  if (source === 'other') return
  if (source === undefined) {
    reply.integer(0)
    return
  }
  let target = setAt(context, to)
  if (target === 'other') return
  const member = args.latin1(3)
  if (source === target || !source.has(member)) {
    reply.integer(source.has(member) ? 1 : 0)
    return
  }
  db.willChange(from)
  source.remove(member)
  const isGone = settle(context, from, source.size)
  context.changed(1, 'set', 'srem')
  if (isGone) context.notify('generic', 'del', args.copy(1))
  if (target === undefined) ({ entry: to, value: target } = createSet(context, 2))
  else db.willChange(to)
  if (target.add(member)) {
    db.changed(to)
    context.changed(2, 'set', 'sadd')
  }
  reply.integer(1)
}

function sismember(context: Context, args: Arguments): void {
  const value = setAt(context, context.lookupRead(1))
  if (value !== 'other') context.reply.integer(value?.hasBytes(args.memory, args.start(2), args.end(2)) ? 1 : 0)
}

function smismember(context: Context, args: Arguments): void {
  const value = setAt(context, context.lookupRead(1))
  if (value === 'other') return
  context.reply.array(args.count - 2)
  for (let i = 2; i < args.count; i++) context.reply.integer(value?.has(args.latin1(i)) ? 1 : 0)
}

function scard(context: Context): void {
  const value = setAt(context, context.lookupRead(1))
  if (value !== 'other') context.reply.integer(value?.size ?? 0)
}

function smembers(context: Context): void {
  const value = setAt(context, context.lookupRead(1))
  if (value === 'other') return
  context.reply.set(value?.size ?? 0)
  value?.send(context.reply)
}

const drawFrom =
  ({ server }: Context) =>
  (limit: number): number =>
    server.io.random.below(limit)

function spop(context: Context, args: Arguments): void {
  if (args.count > 3) {
    context.reply.error(errors.syntax)
    return
  }
  if (args.count === 3) {
    spopSome(context, args)
    return
  }
  const entry = context.lookupWrite(1)
  const value = setAt(context, entry)
  if (value === 'other') return
  if (value === undefined) {
    context.reply.nil()
    return
  }
  context.db.willChange(entry)
  const index = drawFrom(context)(value.size)
  context.changed(1, 'set', 'spop')
  if (context.isPropagated) context.propagateAs(['SREM', args.copy(1), Buffer.from(value.at(index), 'latin1')])
  value.sendAt(index, context.reply)
  value.removeAt(index)
  const isGone = settle(context, entry, value.size)
  if (isGone) context.notify('generic', 'del', args.copy(1))
}

function spopSome(context: Context, args: Arguments): void {
  const count = countArgument(context, args, 2)
  if (Number.isNaN(count)) return
  const entry = context.lookupWrite(1)
  const value = setAt(context, entry)
  if (value === 'other') return
  if (value === undefined || count === 0) {
    context.reply.set(0)
    return
  }
  const popped = Math.min(count, value.size)
  context.changed(1, 'set', 'spop')
  context.dirty(popped - 1)
  context.reply.set(popped)
  if (popped < value.size) {
    context.db.willChange(entry)
    popDrawn(context, args, value, popped)
    context.db.changed(entry)
    return
  }
  value.send(context.reply)
  context.db.remove(entry)
  context.notify('generic', 'del', args.copy(1))
  context.propagateAs(['DEL', args.copy(1)])
}

/** Sends and removes members by chance. For replicas and the log it is one SREM each, as Redis 7.0 does. */
function popDrawn(context: Context, args: Arguments, value: SetValue, count: number): void {
  const draw = drawFrom(context)
  const { isPropagated } = context
  const key = args.copy(1)
  for (let i = 0; i < count; i++) {
    const index = draw(value.size)
    if (isPropagated) {
      const words = ['SREM', key, Buffer.from(value.at(index), 'latin1')]
      if (i === 0) context.propagateAs(words)
      else context.alsoPropagate(words)
    }
    value.sendAt(index, context.reply)
    value.removeAt(index)
  }
}

function srandmember(context: Context, args: Arguments): void {
  const { reply } = context
  if (args.count > 3) {
    reply.error(errors.syntax)
    return
  }
  const count = args.count === 3 ? signedCountArgument(context, args, 2) : 1
  if (Number.isNaN(count)) return
  const value = setAt(context, context.lookupRead(1))
  if (value === 'other') return
  if (args.count === 2) {
    if (value === undefined) reply.nil()
    else value.sendAt(drawFrom(context)(value.size), reply)
    return
  }
  if (value === undefined || count === 0) reply.array(0)
  else if (count > 0) sendRandomMembers(context, value, count)
  else sendDrawnMembers(context, value, -BigInt(args.latin1(2)))
}

/** So many draws, which may give a member again. */
function sendDrawnMembers(context: Context, value: SetValue, count: bigint): void {
  const draw = drawFrom(context)
  sendDraws(context, { count, partsEach: 1 }, (kept) => {
    const source = kept ? value.clone() : value
    return (reply) => source.sendAt(draw(source.size), reply)
  })
}

function sendRandomMembers(context: Context, value: SetValue, count: number): void {
  const { reply } = context
  const draw = drawFrom(context)
  reply.array(Math.min(count, value.size))
  if (count >= value.size) value.send(reply)
  else for (const index of sample(count, value.size, draw)) value.sendAt(index, reply)
}

function sscan(context: Context, args: Arguments): void {
  const { reply } = context
  const cursor = scanCursor(args.latin1(2))
  if (cursor === undefined) {
    reply.error('ERR invalid cursor')
    return
  }
  const value = setAt(context, context.lookupRead(1))
  if (value === 'other') return
  const options = value === undefined ? undefined : readScanOptions(context, args, 3, false)
  if (value !== undefined && options === undefined) return
  const found: string[] = []
  const { count = 10, pattern } = options ?? {}
  const at = Number(BigInt.asUintN(32, cursor))
  const next = value?.scan(at, count, (member) => {
    if (pattern === undefined || globMatch(pattern, Buffer.from(member, 'latin1'))) found.push(member)
  })
  reply.array(2)
  reply.latin1(String(next ?? 0))
  reply.array(found.length)
  for (const member of found) reply.latin1(member)
}

export const setCommands: readonly Command[] = [
  {
    name: 'sadd',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['set'],
    keySpecs: oneKey('RW', 'insert'),
    group: 'set',
    run: sadd,
  },
  {
    name: 'scard',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['set'],
    keySpecs: oneKey('RO'),
    group: 'set',
    run: scard,
  },
  {
    name: 'sismember',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['set'],
    keySpecs: oneKey('RO'),
    group: 'set',
    run: sismember,
  },
  {
    name: 'smembers',
    arity: 2,
    flags: ['readonly'],
    categories: ['set'],
    keySpecs: oneKey('RO', 'access'),
    tips: ['nondeterministic_output_order'],
    group: 'set',
    run: smembers,
  },
  {
    name: 'smismember',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['set'],
    keySpecs: oneKey('RO', 'access'),
    group: 'set',
    run: smismember,
  },
  {
    name: 'smove',
    arity: 4,
    flags: ['write', 'fast'],
    categories: ['set'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RW', 'insert'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } },
    ],
    group: 'set',
    run: smove,
  },
  {
    name: 'spop',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['set'],
    keySpecs: oneKey('RW', 'access', 'delete'),
    tips: ['nondeterministic_output'],
    group: 'set',
    run: spop,
  },
  {
    name: 'srandmember',
    arity: -2,
    flags: ['readonly'],
    categories: ['set'],
    keySpecs: oneKey('RO', 'access'),
    tips: ['nondeterministic_output'],
    group: 'set',
    run: srandmember,
  },
  {
    name: 'srem',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['set'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'set',
    run: srem,
  },
  {
    name: 'sscan',
    arity: -3,
    flags: ['readonly'],
    categories: ['set'],
    keySpecs: oneKey('RO', 'access'),
    tips: ['nondeterministic_output'],
    group: 'set',
    run: sscan,
  },
]
