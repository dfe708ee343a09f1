/** Lists (Redis's t_list.c), but for what takes elements out at the ends: that is in `list-pop.ts`. */
import type { Place } from '../data/quicklist.ts'
import type { Reply } from '../resp/reply.ts'
import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import { ListValue } from '../store/list-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'

/** True, and the error answered, when there is a value that is not a list. */
export function isOtherType(context: Context, entry: Entry): boolean {
  if (entry === NO_ENTRY || context.db.type(entry) === ValueType.list) return false
  context.reply.error(errors.wrongType)
  return true
}

export function listAt(context: Context, entry: Entry): ListValue['list'] {
  const { list } = context.db.aggregate(entry) as ListValue
  list.plainFromBytes = context.server.aggregateSettings.plainFromBytes
  return list
}

/** The list of argument 1 to read from; `none` answers when there is none. Undefined when it has been answered. */
function readList(context: Context, none: (reply: Reply) => void): ListValue['list'] | undefined {
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return undefined
  if (entry !== NO_ENTRY) return listAt(context, entry)
  none(context.reply)
  return undefined
}

/** Removes a list that has become empty. True when it was. */
export function removeIfEmpty(context: Context, entry: Entry, key: Buffer): boolean {
  if (listAt(context, entry).length > 0) {
    context.db.changed(entry)
    return false
  }
  context.db.remove(entry)
  context.notify('generic', 'del', key)
  return true
}

export function sendPlace(list: ListValue['list'], place: Place, reply: Reply): void {
  const { memory, start, end } = list.read(place)
  reply.bulk(memory, start, end)
}

// ————— Adding

function push(context: Context, args: Arguments, atHead: boolean, mustExist: boolean): void {
  const { db, reply } = context
  let entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY && mustExist) {
    reply.integer(0)
    return
  }
  if (entry === NO_ENTRY) {
    entry = db.setAggregate(args.memory, args.start(1), args.end(1), ListValue.empty(context.server.aggregateSettings))
    context.created(1)
  } else {
    db.willChange(entry)
  }
  const list = listAt(context, entry)
  for (let i = 2; i < args.count; i++) list.push(atHead, args.memory, args.start(i), args.end(i))
  db.changed(entry)
  context.changed(1, 'list', atHead ? 'lpush' : 'rpush')
  context.dirty(args.count - 3)
  reply.integer(list.length)
}

function lpush(context: Context, args: Arguments): void {
  push(context, args, true, false)
}

function rpush(context: Context, args: Arguments): void {
  push(context, args, false, false)
}

function lpushx(context: Context, args: Arguments): void {
  push(context, args, true, true)
}

function rpushx(context: Context, args: Arguments): void {
  push(context, args, false, true)
}

function linsert(context: Context, args: Arguments): void {
  const { db, reply } = context
  const after = args.is(2, 'after')
  if (!after && !args.is(2, 'before')) {
    reply.error(errors.syntax)
    return
  }
  const entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY) {
    reply.integer(0)
    return
  }
  const list = listAt(context, entry)
  const place = list.find(args.memory, args.start(3), args.end(3))
  if (place === undefined) {
    reply.integer(-1)
    return
  }
  db.willChange(entry)
  list.insert(place, after, args.memory, args.start(4), args.end(4))
  db.changed(entry)
  context.changed(1, 'list', 'linsert')
  reply.integer(list.length)
}

// ————— Reading

function llen(context: Context): void {
  const list = readList(context, (reply) => reply.integer(0))
  if (list !== undefined) context.reply.integer(list.length)
}

function lindex(context: Context, args: Arguments): void {
  const list = readList(context, (reply) => reply.nil())
  if (list === undefined) return
  const index = numberArgument(context, args, 2)
  if (Number.isNaN(index)) return
  const place = list.at(index)
  if (place === undefined) context.reply.nil()
  else sendPlace(list, place, context.reply)
}

/**
 * Start and end (exclusive) of the range in arguments 2 and 3 within `length`; undefined after an error was answered.
 */
function readRange(context: Context, args: Arguments): ((length: number) => [start: number, end: number]) | undefined {
  const from = numberArgument(context, args, 2)
  if (Number.isNaN(from)) return undefined
  const to = numberArgument(context, args, 3)
  if (Number.isNaN(to)) return undefined
  return (length) => {
    const start = Math.max(from < 0 ? length + from : from, 0)
    const end = Math.min(to < 0 ? length + to : to, length - 1) + 1
    return start < end ? [start, end] : [length, length]
  }
}

function lrange(context: Context, args: Arguments): void {
  const range = readRange(context, args)
  if (range === undefined) return
  const { reply } = context
  const list = readList(context, (to) => to.array(0))
  if (list === undefined) return
  const [start, end] = range(list.length)
  reply.array(end - start)
  list.send(start, end - start, reply)
}

interface PositionOptions {
  rank: number
  /** −1: the first one only. */
  count: number
  maxLength: number
}

const NEGATIVE_COUNT = "ERR COUNT can't be negative"
const NEGATIVE_LENGTH = "ERR MAXLEN can't be negative"
const RANK_IS_ZERO =
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"

function readPositionOptions(context: Context, args: Arguments): PositionOptions | undefined {
  const options: PositionOptions = { rank: 1, count: -1, maxLength: 0 }
  const refuse = (message: string): undefined => {
    context.reply.error(message)
    return undefined
  }
  for (let i = 3; i < args.count; i += 2) {
    const more = i + 1 < args.count
    const [isRank, isCount, isMaxLength] = [args.is(i, 'rank'), args.is(i, 'count'), args.is(i, 'maxlen')]
    if (!more || !(isRank || isCount || isMaxLength)) return refuse(errors.syntax)
    const message = isRank ? errors.notInteger : isCount ? NEGATIVE_COUNT : NEGATIVE_LENGTH
    const value = numberArgument(context, args, i + 1, message)
    if (Number.isNaN(value)) return undefined
    if (isRank) {
      if (value === 0) return refuse(RANK_IS_ZERO)
      // The least int64 has no opposite: Redis takes the first match from the end.
      options.rank = args.latin1(i + 1) === '-9223372036854775808' ? -1 : value
    } else if (isCount) {
      if (value < 0) return refuse(message)
      options.count = value
    } else {
      if (value < 0) return refuse(message)
      options.maxLength = value
    }
  }
  return options
}

function lpos(context: Context, args: Arguments): void {
  const options = readPositionOptions(context, args)
  if (options === undefined) return
  const { reply } = context
  const isOne = options.count < 0
  const list = readList(context, (to) => (isOne ? to.nil() : to.array(0)))
  if (list === undefined) return
  const found = positions(list, args, options)
  if (!isOne) {
    reply.array(found.length)
    for (const index of found) reply.integer(index)
  } else if (found.length > 0) reply.integer(found[0] as number)
  else reply.nil()
}

function positions(list: ListValue['list'], args: Arguments, { rank, count, maxLength }: PositionOptions): number[] {
  const forward = rank > 0
  if (rank === 1 && count < 0 && maxLength === 0) {
    const first = list.find(args.memory, args.start(2), args.end(2))
    return first === undefined ? [] : [list.indexOf(first)]
  }
  const place = list.at(forward ? 0 : -1)
  const found: number[] = []
  const wanted = count < 0 ? 1 : count
  let skip = Math.abs(rank) - 1
  let more = place !== undefined
  for (let walked = 0; more && (maxLength === 0 || walked < maxLength); walked++) {
    if (list.equals(place as Place, args.memory, args.start(2), args.end(2)) && skip-- <= 0) {
      found.push(forward ? walked : list.length - 1 - walked)
      if (wanted !== 0 && found.length >= wanted) break
    }
    more = forward ? list.advance(place as Place) : list.retreat(place as Place)
  }
  return found
}

// ————— Changing

function lset(context: Context, args: Arguments): void {
  const { db, reply } = context
  const entry = context.lookupWrite(1)
  if (entry === NO_ENTRY) {
    reply.error(errors.noSuchKey)
    return
  }
  if (isOtherType(context, entry)) return
  const index = numberArgument(context, args, 2)
  if (Number.isNaN(index)) return
  const list = listAt(context, entry)
  const place = list.at(index)
  if (place === undefined) {
    reply.error(errors.outOfRange)
    return
  }
  db.willChange(entry)
  list.replace(place, args.memory, args.start(3), args.end(3))
  db.changed(entry)
  context.changed(1, 'list', 'lset')
  reply.ok()
}

function ltrim(context: Context, args: Arguments): void {
  const range = readRange(context, args)
  if (range === undefined) return
  const { db } = context
  const entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  if (entry !== NO_ENTRY) {
    const list = listAt(context, entry)
    const before = list.length
    const [start, end] = range(before)
    db.willChange(entry)
    list.removeRange(end, before - end)
    list.removeRange(0, start)
    context.changed(1, 'list', 'ltrim')
    // What trims nothing is told, but is no change.
    context.dirty(before - list.length - 1)
    removeIfEmpty(context, entry, args.copy(1))
  }
  context.reply.ok()
}

function lrem(context: Context, args: Arguments): void {
  const count = numberArgument(context, args, 2)
  if (Number.isNaN(count)) return
  const entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY) {
    context.reply.integer(0)
    return
  }
  context.db.willChange(entry)
  const removed = removeEqual(listAt(context, entry), args, count)
  if (removed > 0) {
    context.changed(1, 'list', 'lrem')
    context.dirty(removed - 1)
  }
  removeIfEmpty(context, entry, args.copy(1))
  context.reply.integer(removed)
}

/** Removes up to |count| elements (0: all) that are argument 3, from the end when `count` is negative. */
function removeEqual(list: ListValue['list'], args: Arguments, count: number): number {
  const forward = count >= 0
  const limit = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count)
  const place = list.at(forward ? 0 : -1)
  let removed = 0
  let more = place !== undefined
  while (more && removed < limit) {
    const here = place as Place
    if (!list.equals(here, args.memory, args.start(3), args.end(3))) {
      more = forward ? list.advance(here) : list.retreat(here)
      continue
    }
    removed++
    if (forward) more = list.remove(here)
    else {
      // What is before an element keeps its place when the element goes.
      const target = { ...here }
      more = list.retreat(here)
      list.remove(target)
    }
  }
  return removed
}

export const listCommands: readonly Command[] = [
  {
    name: 'lindex',
    arity: 3,
    flags: ['readonly'],
    categories: ['list'],
    keySpecs: oneKey('RO', 'access'),
    group: 'list',
    run: lindex,
  },
  {
    name: 'linsert',
    arity: 5,
    flags: ['write', 'denyoom'],
    categories: ['list'],
    keySpecs: oneKey('RW', 'insert'),
    group: 'list',
    run: linsert,
  },
  {
    name: 'llen',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['list'],
    keySpecs: oneKey('RO'),
    group: 'list',
    run: llen,
  },
  {
    name: 'lpos',
    arity: -3,
    flags: ['readonly'],
    categories: ['list'],
    keySpecs: oneKey('RO', 'access'),
    group: 'list',
    run: lpos,
  },
  {
    name: 'lpush',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['list'],
    keySpecs: oneKey('RW', 'insert'),
    group: 'list',
    run: lpush,
  },
  {
    name: 'lpushx',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['list'],
    keySpecs: oneKey('RW', 'insert'),
    group: 'list',
    run: lpushx,
  },
  {
    name: 'lrange',
    arity: 4,
    flags: ['readonly'],
    categories: ['list'],
    keySpecs: oneKey('RO', 'access'),
    group: 'list',
    run: lrange,
  },
  {
    name: 'lrem',
    arity: 4,
    flags: ['write'],
    categories: ['list'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'list',
    run: lrem,
  },
  {
    name: 'lset',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['list'],
    keySpecs: oneKey('RW', 'update'),
    group: 'list',
    run: lset,
  },
  {
    name: 'ltrim',
    arity: 4,
    flags: ['write'],
    categories: ['list'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'list',
    run: ltrim,
  },
  {
    name: 'rpush',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['list'],
    keySpecs: oneKey('RW', 'insert'),
    group: 'list',
    run: rpush,
  },
  {
    name: 'rpushx',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['list'],
    keySpecs: oneKey('RW', 'insert'),
    group: 'list',
    run: rpushx,
  },
]
