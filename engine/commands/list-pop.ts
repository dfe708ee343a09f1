/**
 * Taking elements out of lists at their ends, and waiting for some to come (Redis's t_list.c).
 *
 * What waits, or looks at several keys, is propagated as the plain command on the one key that served it, so that
 * replicas never wait.
 */

import type { Reply } from '../resp/reply.ts'
import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import { ListValue } from '../store/list-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { countArgument } from './count-argument.ts'
import { deadlineArgument } from './deadline-argument.ts'
import { errors, wrongArity } from './errors.ts'
import { isOtherType, listAt, removeIfEmpty, sendPlace } from './list.ts'
import { numberArgument } from './number-argument.ts'

/** Removes `count` elements (at most all) and answers them one by one. */
function popAndSend(context: Context, entry: Entry, key: Buffer, atHead: boolean, count: number): void {
  const { db, reply } = context
  const list = listAt(context, entry)
  db.willChange(entry)
  const taken = Math.min(count, list.length)
  for (let i = 0; i < taken; i++) {
    const place = list.end(atHead)
    if (place !== undefined) sendPlace(list, place, reply)
    list.dropEnd(atHead)
  }
  popped(context, entry, key, atHead, taken)
}

function popped(context: Context, entry: Entry, key: Buffer, atHead: boolean, count: number): void {
  context.changedKey(key, 'list', atHead ? 'lpop' : 'rpop')
  context.dirty(count - 1)
  removeIfEmpty(context, entry, key)
}

function pop(context: Context, args: Arguments, atHead: boolean): void {
  const { reply } = context
  if (args.count > 3) {
    reply.error(wrongArity(context.command.name))
    return
  }
  const hasCount = args.count === 3
  const count = hasCount ? numberArgument(context, args, 2, NOT_POSITIVE) : 1
  if (Number.isNaN(count)) return
  if (count < 0) {
    reply.error(NOT_POSITIVE)
    return
  }
  const entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY) {
    if (hasCount) reply.nilArray()
    else reply.nil()
    return
  }
  if (hasCount) reply.array(Math.min(count, listAt(context, entry).length))
  if (count > 0) popAndSend(context, entry, args.copy(1), atHead, count)
}

const NOT_POSITIVE = 'ERR value is out of range, must be positive'

function lpop(context: Context, args: Arguments): void {
  pop(context, args, true)
}

function rpop(context: Context, args: Arguments): void {
  pop(context, args, false)
}

/** True for LEFT, false for RIGHT; undefined after an error was answered. */
function readEnd(context: Context, args: Arguments, index: number): boolean | undefined {
  if (args.is(index, 'left')) return true
  if (args.is(index, 'right')) return false
  context.reply.error(errors.syntax)
  return undefined
}

// ————— From one list to another

/** Moves an element; both keys have been looked at. Answers it. */
function move(context: Context, source: Buffer, target: Buffer, fromHead: boolean, toHead: boolean): void {
  const { db, reply } = context
  const from = db.findKey(source)
  const list = listAt(context, from)
  const place = list.end(fromHead)
  if (place === undefined) return
  const { memory, start, end } = list.read(place)
  const element = Buffer.from(memory.subarray(start, end))
  db.willChange(from)
  list.dropEnd(fromHead)
  let to = db.findKey(target)
  if (to === NO_ENTRY) {
    to = db.setAggregate(target, 0, target.length, ListValue.empty(context.server.aggregateSettings))
    context.notify('new', 'new', target)
  } else if (to !== from) db.willChange(to)
  listAt(context, to).push(toHead, element, 0, element.length)
  db.changed(to)
  context.changedKey(target, 'list', toHead ? 'lpush' : 'rpush')
  context.dirty(-1)
  popped(context, from, source, fromHead, 1)
  reply.bulk(element)
}

function moveNow(context: Context, args: Arguments, fromHead: boolean, toHead: boolean): void {
  const from = context.lookupWrite(1)
  if (isOtherType(context, from)) return
  if (from === NO_ENTRY) context.reply.nil()
  else if (!isOtherType(context, context.lookupWrite(2))) move(context, args.copy(1), args.copy(2), fromHead, toHead)
}

function lmove(context: Context, args: Arguments): void {
  const fromHead = readEnd(context, args, 3)
  if (fromHead === undefined) return
  const toHead = readEnd(context, args, 4)
  if (toHead !== undefined) moveNow(context, args, fromHead, toHead)
}

function rpoplpush(context: Context, args: Arguments): void {
  moveNow(context, args, false, true)
}

/**
 * `plain`: the words of the command that does not wait; `served`: the same when it had to wait (Redis writes them its
 * own way).
 */
function moveOrWait(
  context: Context,
  args: Arguments,
  fromHead: boolean,
  toHead: boolean,
  deadlineMs: number,
  plain: (string | Buffer)[],
  served = plain,
): void {
  const from = context.lookupWrite(1)
  if (isOtherType(context, from)) return
  if (from !== NO_ENTRY) {
    moveNow(context, args, fromHead, toHead)
    context.propagateAs(plain)
  } else if (context.client.denyBlocking) {
    context.reply.nil()
  } else {
    const target = args.copy(2)
    context.server.blockedKeys.park(context, [args.copy(1)], {
      type: ValueType.list,
      deadlineMs,
      canServe: () => true,
      serve(later, key) {
        if (isOtherType(later, later.lookupKey(target, true))) return
        move(later, key, target, fromHead, toHead)
        later.propagateAs(served)
      },
      onTimeout: (reply) => reply.nilArray(),
    })
  }
}

function blmove(context: Context, args: Arguments): void {
  const fromHead = readEnd(context, args, 3)
  if (fromHead === undefined) return
  const toHead = readEnd(context, args, 4)
  if (toHead === undefined) return
  const deadlineMs = deadlineArgument(context, args, 5)
  if (deadlineMs === undefined) return
  const plain = ['LMOVE', args.copy(1), args.copy(2)]
  const ends = [fromHead ? 'left' : 'right', toHead ? 'left' : 'right']
  const asSaid = [args.copy(3), args.copy(4)]
  moveOrWait(context, args, fromHead, toHead, deadlineMs, [...plain, ...asSaid], [...plain, ...ends])
}

function brpoplpush(context: Context, args: Arguments): void {
  const deadlineMs = deadlineArgument(context, args, 3)
  if (deadlineMs === undefined) return
  moveOrWait(context, args, false, true, deadlineMs, ['RPOPLPUSH', args.copy(1), args.copy(2)])
}

// ————— From the first of several lists

/** Elements from one key: an array of key and element, or of key and array for a `count`. */
function answerPop(context: Context, key: Buffer, atHead: boolean, count: number | undefined): void {
  const { db, reply } = context
  const entry = db.findKey(key)
  const taken = Math.min(count ?? 1, listAt(context, entry).length)
  reply.array(2)
  reply.bulk(key)
  if (count !== undefined) reply.array(taken)
  popAndSend(context, entry, key, atHead, taken)
  const words: (string | Buffer)[] = [atHead ? 'LPOP' : 'RPOP', key]
  if (count !== undefined) words.push(String(taken))
  context.propagateAs(words)
}

interface PopRequest {
  firstKey: number
  keyCount: number
  atHead: boolean
  /** Undefined: one element, answered by itself. */
  count: number | undefined
}

/** Pops from the first list that has elements. False when none has, true when something was answered. */
function popFromFirst(context: Context, args: Arguments, { firstKey, keyCount, atHead, count }: PopRequest): boolean {
  for (let i = firstKey; i < firstKey + keyCount; i++) {
    const entry = context.lookupWrite(i)
    if (entry === NO_ENTRY) continue
    if (!isOtherType(context, entry)) answerPop(context, args.copy(i), atHead, count)
    return true
  }
  return false
}

function popOrWait(context: Context, args: Arguments, request: PopRequest, deadlineIndex: number): void {
  const deadlineMs = deadlineArgument(context, args, deadlineIndex)
  if (deadlineMs === undefined || popFromFirst(context, args, request)) return
  if (context.client.denyBlocking) {
    context.reply.nilArray()
    return
  }
  const { firstKey, keyCount, atHead, count } = request
  const keys = Array.from({ length: keyCount }, (_, i) => args.copy(firstKey + i))
  context.server.blockedKeys.park(context, keys, {
    type: ValueType.list,
    deadlineMs,
    canServe: () => true,
    serve: (later, key) => answerPop(later, key, atHead, count),
    onTimeout: (reply: Reply) => reply.nilArray(),
  })
}

function blpop(context: Context, args: Arguments): void {
  const request = { firstKey: 1, keyCount: args.count - 2, atHead: true, count: undefined }
  popOrWait(context, args, request, args.count - 1)
}

function brpop(context: Context, args: Arguments): void {
  const request = { firstKey: 1, keyCount: args.count - 2, atHead: false, count: undefined }
  popOrWait(context, args, request, args.count - 1)
}

/** `numkeys key … LEFT|RIGHT [COUNT count]` from argument `index` on. */
function readPopRequest(context: Context, args: Arguments, index: number): PopRequest | undefined {
  const keyCount = countArgument(context, args, index, 1, 'ERR numkeys should be greater than 0')
  if (Number.isNaN(keyCount)) return undefined
  const endIndex = index + keyCount + 1
  if (endIndex >= args.count) {
    context.reply.error(errors.syntax)
    return undefined
  }
  const atHead = readEnd(context, args, endIndex)
  if (atHead === undefined) return undefined
  let count: number | undefined
  for (let i = endIndex + 1; i < args.count; i += 2) {
    if (count !== undefined || i + 1 >= args.count || !args.is(i, 'count')) {
      context.reply.error(errors.syntax)
      return undefined
    }
    count = countArgument(context, args, i + 1, 1, 'ERR count should be greater than 0')
    if (Number.isNaN(count)) return undefined
  }
  return { firstKey: index + 1, keyCount, atHead, count: count ?? 1 }
}

function lmpop(context: Context, args: Arguments): void {
  const request = readPopRequest(context, args, 1)
  if (request !== undefined && !popFromFirst(context, args, request)) context.reply.nilArray()
}

function blmpop(context: Context, args: Arguments): void {
  const request = readPopRequest(context, args, 2)
  if (request !== undefined) popOrWait(context, args, request, 1)
}

export const listPopCommands: readonly Command[] = [
  {
    name: 'blmove',
    arity: 6,
    flags: ['write', 'denyoom', 'noscript', 'blocking'],
    categories: ['list'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RW', 'insert'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } },
    ],
    group: 'list',
    run: blmove,
  },
  {
    name: 'blmpop',
    arity: -5,
    flags: ['write', 'blocking', 'movablekeys'],
    categories: ['list'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 2 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } },
    ],
    group: 'list',
    run: blmpop,
  },
  {
    name: 'blpop',
    arity: -3,
    flags: ['write', 'noscript', 'blocking'],
    categories: ['list'],
    keySpecs: [{ flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { lastKey: -2, step: 1, limit: 0 } }],
    group: 'list',
    run: blpop,
  },
  {
    name: 'brpop',
    arity: -3,
    flags: ['write', 'noscript', 'blocking'],
    categories: ['list'],
    keySpecs: [{ flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { lastKey: -2, step: 1, limit: 0 } }],
    group: 'list',
    run: brpop,
  },
  {
    name: 'brpoplpush',
    arity: 4,
    flags: ['write', 'denyoom', 'noscript', 'blocking'],
    categories: ['list'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RW', 'insert'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } },
    ],
    group: 'list',
    run: brpoplpush,
  },
  {
    name: 'lmove',
    arity: 5,
    flags: ['write', 'denyoom'],
    categories: ['list'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RW', 'insert'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } },
    ],
    group: 'list',
    run: lmove,
  },
  {
    name: 'lmpop',
    arity: -4,
    flags: ['write', 'movablekeys'],
    categories: ['list'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { keyNumberIndex: 0, firstKey: 1, step: 1 } },
    ],
    group: 'list',
    run: lmpop,
  },
  {
    name: 'lpop',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['list'],
    keySpecs: oneKey('RW', 'access', 'delete'),
    group: 'list',
    run: lpop,
  },
  {
    name: 'rpop',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['list'],
    keySpecs: oneKey('RW', 'access', 'delete'),
    group: 'list',
    run: rpop,
  },
  {
    name: 'rpoplpush',
    arity: 3,
    flags: ['write', 'denyoom'],
    categories: ['list'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RW', 'insert'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } },
    ],
    group: 'list',
    run: rpoplpush,
  },
]
