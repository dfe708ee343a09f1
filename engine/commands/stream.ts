/**
 * Streams (Redis's t_stream.c): adding, reading ranges, removing. Consumer groups and waiting are in files of their
 * own.
 */
import type { Stream } from '../data/stream.ts'
import { StreamId } from '../data/stream-id.ts'
import { type Entry, NO_ENTRY } from '../store/keyspace-port.ts'
import { StreamValue } from '../store/stream-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors, wrongArity } from './errors.ts'
import { numberArgument } from './number-argument.ts'
import { isOtherType, readBound, readId, sendEntry, sendId, streamAt } from './stream-lookup.ts'
import { exactWords, readStreamOptions, type StreamOptions } from './stream-trim.ts'

// ————— Adding

const ZERO_ID = 'ERR The ID specified in XADD must be greater than 0-0'
const EXHAUSTED = 'ERR The stream has exhausted the last possible ID, unable to add more items'
const NOT_GREATER = 'ERR The ID specified in XADD is equal or smaller than the target stream top item'
const TOO_LARGE = 'ERR Elements are too large to be stored'

function xadd(context: Context, args: Arguments): void {
  const { db, reply } = context
  const options = readStreamOptions(context, args, true)
  if (options === undefined) return
  const { id: given, idIndex } = options
  const firstField = idIndex + 1
  const texts = args.count - firstField
  if (texts < 2 || texts % 2 === 1) {
    reply.error(wrongArity('xadd'))
    return
  }
  if (given !== undefined && !given.anySequence && given.id.isZero) {
    reply.error(ZERO_ID)
    return
  }
  let entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY && options.noMakeStream) {
    reply.nil()
    return
  }
  const isNew = entry === NO_ENTRY
  if (isNew) {
    entry = db.setAggregate(args.memory, args.start(1), args.end(1), new StreamValue())
    context.created(1)
  } else db.willChange(entry)
  const { stream } = streamAt(context, entry)
  const id = nextId(context, stream, options)
  if (typeof id === 'string') {
    reply.error(id)
    return
  }
  const { limits } = context.server.aggregateSettings
  if (!stream.append(id, args, firstField, texts / 2, limits)) {
    reply.error(TOO_LARGE)
    return
  }
  sendId(reply, id)
  context.changed(1, 'stream', 'xadd')
  trimAfterAdding(context, args, stream, options)
  db.changed(entry)
  if (!context.isPropagated) return
  if (options.trim?.approximate !== true) {
    if (given === undefined || given.anySequence) context.propagateAs(args.cloneWith(idIndex, id.toString()))
  } else {
    const words = exactWords(args, stream, options)
    words[idIndex] = id.toString()
    context.propagateAs(words)
  }
}

/** The id of the new entry, or an error. */
function nextId(context: Context, { lastId }: Stream, { id: given }: StreamOptions): StreamId | string {
  if (lastId.isMax) return EXHAUSTED
  if (given === undefined) {
    const now = StreamId.ofMs(context.nowMs)
    return now.compare(lastId) > 0 && !now.hasSameMs(lastId) ? now : (lastId.next() as StreamId)
  }
  if (given.anySequence && given.id.hasSameMs(lastId)) {
    // Redis answers this when the sequence has come to its end.
    return lastId.isLastOfItsMs ? TOO_LARGE : (lastId.next() as StreamId)
  }
  return given.id.compare(lastId) > 0 ? given.id : NOT_GREATER
}

function trimAfterAdding(context: Context, args: Arguments, stream: Stream, { trim }: StreamOptions): void {
  if (trim !== undefined && stream.trim(trim) > 0) context.notify('stream', 'xtrim', args.copy(1))
}

// ————— Removing

function xtrim(context: Context, args: Arguments): void {
  const { db, reply } = context
  const options = readStreamOptions(context, args, false)
  if (options === undefined || options.trim === undefined) return
  const entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY) {
    reply.integer(0)
    return
  }
  db.willChange(entry)
  const { stream } = streamAt(context, entry)
  const gone = stream.trim(options.trim)
  if (gone > 0) {
    db.changed(entry)
    context.changed(1, 'stream', 'xtrim')
    context.dirty(gone - 1)
    if (options.trim.approximate && context.isPropagated) context.propagateAs(exactWords(args, stream, options))
  }
  reply.integer(gone)
}

function xdel(context: Context, args: Arguments): void {
  const { db, reply } = context
  const entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY) {
    reply.integer(0)
    return
  }
  const ids: StreamId[] = []
  for (let i = 2; i < args.count; i++) {
    const id = readId(context, args, i)
    if (id === undefined) return
    ids.push(id)
  }
  db.willChange(entry)
  const { stream } = streamAt(context, entry)
  const deleted = deleteAll(stream, ids)
  if (deleted > 0) {
    db.changed(entry)
    context.changed(1, 'stream', 'xdel')
    context.dirty(deleted - 1)
  }
  reply.integer(deleted)
}

function deleteAll(stream: Stream, ids: readonly StreamId[]): number {
  let deleted = 0
  let firstGone = false
  for (const id of ids) {
    if (!stream.delete(id)) continue
    deleted++
    if (id.compare(stream.firstId) === 0) firstGone = true
    if (id.compare(stream.maxDeletedId) > 0) stream.maxDeletedId = id
  }
  if (firstGone || stream.length === 0) stream.refreshFirstId()
  return deleted
}

// ————— Reading

function xlen(context: Context): void {
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return
  context.reply.integer(entry === NO_ENTRY ? 0 : streamAt(context, entry).stream.length)
}

function range(context: Context, args: Arguments, reverse: boolean): void {
  const { reply } = context
  const start = readBound(context, args, reverse ? 3 : 2, true)
  if (start === undefined) return
  const end = readBound(context, args, reverse ? 2 : 3, false)
  if (end === undefined) return
  const count = readCount(context, args)
  if (Number.isNaN(count)) return
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY) reply.array(0)
  else if (count === 0) reply.nilArray()
  else sendRange(context, entry, start, end, count, reverse)
}

/** The COUNT option from argument 4 on, at least 0; infinity without. NaN after an error was answered. */
function readCount(context: Context, args: Arguments): number {
  let count = Number.POSITIVE_INFINITY
  for (let i = 4; i < args.count; i += 2) {
    if (i + 1 >= args.count || !args.is(i, 'count')) {
      context.reply.error(errors.syntax)
      return Number.NaN
    }
    count = numberArgument(context, args, i + 1)
    if (Number.isNaN(count)) return count
    if (count < 0) count = 0
  }
  return count
}

function sendRange(
  context: Context,
  entry: Entry,
  start: StreamId,
  end: StreamId,
  count: number,
  reverse: boolean,
): void {
  const { reply } = context
  const { stream } = streamAt(context, entry)
  const length = stream.count(start, end, count)
  reply.array(length)
  const cursor = stream.cursor(start, end, reverse)
  for (let i = 0; i < length && cursor.next(); i++) sendEntry(reply, cursor)
}

function xrange(context: Context, args: Arguments): void {
  range(context, args, false)
}

function xrevrange(context: Context, args: Arguments): void {
  range(context, args, true)
}

export const streamCommands: readonly Command[] = [
  {
    name: 'xadd',
    arity: -5,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['stream'],
    keySpecs: [
      {
        flags: ['RW', 'update'],
        notes: 'UPDATE instead of INSERT because of the optional trimming feature',
        begin: { index: 1 },
        find: { lastKey: 0, step: 1, limit: 0 },
      },
    ],
    group: 'stream',
    tips: ['nondeterministic_output'],
    run: xadd,
  },
  {
    name: 'xdel',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['stream'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'stream',
    run: xdel,
  },
  {
    name: 'xlen',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['stream'],
    keySpecs: oneKey('RO'),
    group: 'stream',
    run: xlen,
  },
  {
    name: 'xrange',
    arity: -4,
    flags: ['readonly'],
    categories: ['stream'],
    keySpecs: oneKey('RO', 'access'),
    group: 'stream',
    run: xrange,
  },
  {
    name: 'xrevrange',
    arity: -4,
    flags: ['readonly'],
    categories: ['stream'],
    keySpecs: oneKey('RO', 'access'),
    group: 'stream',
    run: xrevrange,
  },
  {
    name: 'xtrim',
    arity: -4,
    flags: ['write'],
    categories: ['stream'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'stream',
    tips: ['nondeterministic_output'],
    run: xtrim,
  },
]
