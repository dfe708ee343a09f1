/**
 * XREAD and XREADGROUP: entries behind given ids from several streams, with waiting.
 *
 * Those who read without a group all get what comes; of those who wait in a group each new entry serves one, the one
 * who has waited longest first. What reading does to a group is propagated entry by entry (`stream-propagation.ts`).
 */
import type { Consumer, StreamGroup } from '../data/stream-group.ts'
import { StreamId } from '../data/stream-id.ts'
import type { Reply } from '../resp/reply.ts'
import { type Entry, type KeyspacePort, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { StreamValue } from '../store/stream-value.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'
import { isOtherType, readId, sendEntry, sendId, streamAt } from './stream-lookup.ts'
import { addConsumer, GroupChanges } from './stream-propagation.ts'

/** How many entries a client that has waited gets at most when it gave no COUNT. */
const WAITED_COUNT = 1000

interface ReadRequest {
  /** Undefined: XREAD. */
  readonly group: { readonly name: Buffer; readonly consumer: Buffer } | undefined
  readonly noAcknowledge: boolean
  /** 0: no limit. */
  readonly count: number
  /** Undefined: do not wait. */
  readonly deadlineMs: number | undefined
  readonly firstKey: number
  readonly streams: number
}

// ————— Arguments

const GROUP_IN_XREAD = 'ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.'
const NOACK_IN_XREAD = 'ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.'
/** XREADGROUP says the same. */
const UNBALANCED = "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
const NEW_IN_XREAD =
  'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.'
const LAST_IN_GROUP =
  'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.'

function readRequest(context: Context, args: Arguments, inGroup: boolean): ReadRequest | undefined {
  let group: ReadRequest['group']
  let noAcknowledge = false
  let count = 0
  let deadlineMs: number | undefined
  const refuse = (message: string): undefined => {
    context.reply.error(message)
    return undefined
  }
  for (let i = 1; i < args.count; i++) {
    const more = args.count - i - 1
    if (more > 0 && args.is(i, 'block')) {
      if (isScript(context)) {
        return refuse(`ERR ${args.latin1(0)} command is not allowed with BLOCK option from scripts`)
      }
      deadlineMs = readDeadline(context, args, ++i)
      if (deadlineMs === undefined) return undefined
    } else if (more > 0 && args.is(i, 'count')) {
      count = Math.max(0, numberArgument(context, args, ++i))
      if (Number.isNaN(count)) return undefined
    } else if (more > 0 && args.is(i, 'streams')) {
      if (more % 2 !== 0) return refuse(UNBALANCED)
      if (inGroup && group === undefined) return refuse('ERR Missing GROUP option for XREADGROUP')
      return { group, noAcknowledge, count, deadlineMs, firstKey: i + 1, streams: more / 2 }
    } else if (more > 1 && args.is(i, 'group')) {
      if (!inGroup) return refuse(GROUP_IN_XREAD)
      group = { name: args.copy(i + 1), consumer: args.copy(i + 2) }
      i += 2
    } else if (args.is(i, 'noack')) {
      if (!inGroup) return refuse(NOACK_IN_XREAD)
      noAcknowledge = true
    } else return refuse(errors.syntax)
  }
  return refuse(errors.syntax)
}

/** A script's commands run for a client without a connection. */
function isScript({ client }: Context): boolean {
  return client.connection === undefined && client.kind === 'normal'
}

/** Unix time at which the wait of argument `index` (in ms) ends, 0: never; undefined after an error was answered. */
function readDeadline(context: Context, args: Arguments, index: number): number | undefined {
  const waitMs = numberArgument(context, args, index, 'ERR timeout is not an integer or out of range')
  if (Number.isNaN(waitMs)) return undefined
  if (waitMs < 0) {
    context.reply.error('ERR timeout is negative')
    return undefined
  }
  return waitMs === 0 ? 0 : context.nowMs + waitMs
}

/** Behind which id to read, by stream; `new`: behind what the group has had. Undefined after an error was answered. */
function readIds(context: Context, args: Arguments, request: ReadRequest): (StreamId | 'new')[] | undefined {
  const { firstKey, streams, group } = request
  const ids: (StreamId | 'new')[] = []
  for (let key = firstKey; key < firstKey + streams; key++) {
    const entry = context.lookupRead(key)
    if (isOtherType(context, entry)) return undefined
    if (group !== undefined && (entry === NO_ENTRY || streamAt(context, entry).group(group.name) === undefined)) {
      const name = group.name.toString('latin1')
      context.reply.error(
        `NOGROUP No such key '${args.cString(key)}' or consumer group '${name}' in XREADGROUP with GROUP option`,
      )
      return undefined
    }
    const id = readBehind(context, args, key + streams, entry, group !== undefined)
    if (id === undefined) return undefined
    ids.push(id)
  }
  return ids
}

function readBehind(
  context: Context,
  args: Arguments,
  index: number,
  entry: Entry,
  inGroup: boolean,
): StreamId | 'new' | undefined {
  if (args.is(index, '$')) {
    if (!inGroup) return entry === NO_ENTRY ? new StreamId() : streamAt(context, entry).stream.lastId
    context.reply.error(LAST_IN_GROUP)
    return undefined
  }
  if (args.is(index, '>')) {
    if (inGroup) return 'new'
    context.reply.error(NEW_IN_XREAD)
    return undefined
  }
  const id = readId(context, args, index)
  return id?.isMax && inGroup ? 'new' : id
}

// ————— Reading

/** One stream that has something: its reply, to be written when it is known how many there are. */
type Part = () => void

function read(context: Context, args: Arguments, inGroup: boolean): void {
  const { reply } = context
  const request = readRequest(context, args, inGroup)
  if (request === undefined) return
  const ids = readIds(context, args, request)
  if (ids === undefined) return
  const { firstKey, streams, group, deadlineMs } = request
  const changes = new GroupChanges(context)
  const parts: Part[] = []
  for (let i = 0; i < streams; i++) {
    const entry = context.lookupRead(firstKey + i)
    if (entry === NO_ENTRY) continue
    const after = ids[i] as StreamId | 'new'
    const part =
      group === undefined
        ? partOf(context, entry, args, firstKey + i, after as StreamId, request.count)
        : groupPartOf(context, entry, args.copy(firstKey + i), after, request, changes)
    if (part !== undefined) parts.push(part)
  }
  if (parts.length > 0) {
    if (reply.protocol === 3) reply.map(parts.length)
    else reply.array(parts.length)
    for (const part of parts) part()
  } else if (deadlineMs === undefined || context.client.denyBlocking) reply.nilArray()
  else park(context, args, request, ids, deadlineMs)
  if (group !== undefined) changes.end()
}

function xread(context: Context, args: Arguments): void {
  read(context, args, false)
}

function xreadgroup(context: Context, args: Arguments): void {
  read(context, args, true)
}

function partOf(
  context: Context,
  entry: Entry,
  args: Arguments,
  keyIndex: number,
  after: StreamId,
  count: number,
): Part | undefined {
  const { reply } = context
  const value = streamAt(context, entry)
  const { stream } = value
  if (stream.length === 0 || stream.lastId.compare(after) <= 0 || stream.lastEntryId().compare(after) <= 0)
    return undefined
  return () => {
    if (reply.protocol === 2) reply.array(2)
    reply.bulk(args.memory, args.start(keyIndex), args.end(keyIndex))
    sendBehind(reply, value, after, count)
  }
}

function sendBehind(reply: Reply, { stream }: StreamValue, after: StreamId, count: number): void {
  const start = after.next()
  // Behind the last id there is: Redis wraps around.
  const from = start ?? new StreamId()
  const end = StreamId.max()
  const length = stream.count(from, end, count === 0 ? Number.POSITIVE_INFINITY : count)
  reply.array(length)
  const cursor = stream.cursor(from, end)
  for (let i = 0; i < length && cursor.next(); i++) sendEntry(reply, cursor)
}

function groupPartOf(
  context: Context,
  entry: Entry,
  key: Buffer,
  after: StreamId | 'new',
  request: ReadRequest,
  changes: GroupChanges,
): Part | undefined {
  const { db, reply, nowMs } = context
  const { group: named, noAcknowledge, count } = request
  if (named === undefined) return undefined
  const value = streamAt(context, entry)
  const group = value.group(named.name)
  if (group === undefined) return undefined
  const { stream } = value
  if (after === 'new' && (stream.length === 0 || stream.lastEntryId().compare(group.lastId) <= 0)) return undefined
  db.willChange(entry)
  const consumer = consumerFor(context, key, group, named.consumer, noAcknowledge, changes)
  context.dirty(1)
  return () => {
    if (reply.protocol === 2) reply.array(2)
    reply.bulk(key)
    if (after === 'new') deliver(reply, value, { key, group, consumer, count, noAcknowledge, nowMs, changes })
    else sendHistory(reply, value, consumer, after, count, nowMs)
    db.changed(entry)
  }
}

function consumerFor(
  context: Context,
  key: Buffer,
  group: StreamGroup,
  name: Buffer,
  noAcknowledge: boolean,
  changes: GroupChanges,
): Consumer {
  const existing = group.consumer(name)
  if (existing !== undefined) {
    existing.seenMs = context.nowMs
    return existing
  }
  const consumer = addConsumer(context, key, group, name)
  if (noAcknowledge) changes.consumerMade(key, group, consumer)
  return consumer
}

interface Delivery {
  key: Buffer
  group: StreamGroup
  consumer: Consumer
  count: number
  noAcknowledge: boolean
  nowMs: number
  changes: GroupChanges
}

/** Sends what the group has not had, and makes it pending for the consumer. */
function deliver(reply: Reply, value: StreamValue, delivery: Delivery): void {
  const { key, group, consumer, count, noAcknowledge, nowMs, changes } = delivery
  const { stream } = value
  const from = group.lastId.next() ?? new StreamId()
  const end = StreamId.max()
  const length = stream.count(from, end, count === 0 ? Number.POSITIVE_INFINITY : count)
  reply.array(length)
  const cursor = stream.cursor(from, end)
  let moved = false
  for (let i = 0; i < length && cursor.next(); i++) {
    const id = cursor.id.copy()
    if (id.compare(group.lastId) > 0) {
      value.deliverTo(group, id)
      moved = true
    }
    sendEntry(reply, cursor)
    if (noAcknowledge) continue
    let pending = group.add(id, consumer, nowMs)
    if (pending === undefined) {
      // XGROUP SETID has gone back: the entry was delivered before.
      pending = group.pending.find(id)
      if (pending === undefined) continue
      group.give(pending, consumer)
      pending.deliveredMs = nowMs
      pending.deliveries = 1
    }
    changes.claimed(key, group, pending)
  }
  // Otherwise the XCLAIMs tell how far the group has come.
  if (moved && noAcknowledge) changes.moved(key, group)
}

/** Sends what is pending for the consumer; of entries that are gone only the id. */
function sendHistory(
  reply: Reply,
  { stream }: StreamValue,
  consumer: Consumer,
  after: StreamId,
  count: number,
  nowMs: number,
): void {
  const place = consumer.pending.ceiling(after.next() ?? new StreamId())
  const found = []
  const limit = count === 0 ? Number.POSITIVE_INFINITY : count
  let pending = consumer.pending.item(place)
  for (; pending !== undefined && found.length < limit; pending = consumer.pending.advance(place)) found.push(pending)
  reply.array(found.length)
  for (const one of found) {
    const cursor = stream.cursor(one.id, one.id)
    if (cursor.next()) {
      sendEntry(reply, cursor)
      one.deliveredMs = nowMs
      one.deliveries++
    } else {
      reply.array(2)
      sendId(reply, one.id)
      reply.nilArray()
    }
  }
}

// ————— Waiting

const GROUP_GONE = 'NOGROUP the consumer group this client was blocked on no longer exists'
const STREAM_GONE = 'UNBLOCKED the stream key no longer exists'

function park(
  context: Context,
  args: Arguments,
  request: ReadRequest,
  ids: readonly (StreamId | 'new')[],
  deadlineMs: number,
): void {
  const { firstKey, streams, group } = request
  const keys = Array.from({ length: streams }, (_, i) => args.copy(firstKey + i))
  const afterKey = new Map<string, StreamId | 'new'>()
  keys.forEach((key, i) => {
    const text = key.toString('latin1')
    if (!afterKey.has(text)) afterKey.set(text, ids[i] as StreamId | 'new')
  })
  const count = request.count === 0 ? WAITED_COUNT : request.count
  context.server.blockedKeys.park(context, keys, {
    type: ValueType.stream,
    deadlineMs,
    canServe: (database, key) => hasMore(database, key, request, afterKey.get(key.toString('latin1'))),
    serve: (later, key) => serve(later, key, { ...request, count }, afterKey.get(key.toString('latin1')) as StreamId),
    onTimeout: (reply) => reply.nilArray(),
    ...(group === undefined ? {} : { onGone: (reply: Reply) => reply.error(STREAM_GONE) }),
  })
}

function hasMore(
  database: KeyspacePort,
  key: Buffer,
  { group: named }: ReadRequest,
  after?: StreamId | 'new',
): boolean {
  const value = database.aggregate(database.findKey(key)) as StreamValue
  if (named === undefined) return value.stream.lastId.compare(after as StreamId) > 0
  const group = value.group(named.name)
  return group === undefined || value.stream.lastId.compare(group.lastId) > 0
}

function serve(context: Context, key: Buffer, request: ReadRequest, after: StreamId): void {
  const { db, reply, nowMs } = context
  const { group: named, noAcknowledge, count } = request
  const entry = db.findKey(key)
  const value = streamAt(context, entry)
  const group = named === undefined ? undefined : value.group(named.name)
  if (named !== undefined && group === undefined) {
    reply.error(GROUP_GONE)
    return
  }
  if (reply.protocol === 3) reply.map(1)
  else {
    reply.array(1)
    reply.array(2)
  }
  reply.bulk(key)
  if (named === undefined || group === undefined) {
    sendBehind(reply, value, after, count)
    return
  }
  db.willChange(entry)
  const changes = new GroupChanges(context)
  const consumer = consumerFor(context, key, group, named.consumer, noAcknowledge, changes)
  deliver(reply, value, { key, group, consumer, count, noAcknowledge, nowMs, changes })
  db.changed(entry)
  changes.end()
}

export const streamReadCommands: readonly Command[] = [
  {
    name: 'xread',
    arity: -4,
    flags: ['readonly', 'blocking', 'movablekeys'],
    categories: ['stream'],
    keySpecs: [
      {
        flags: ['RO', 'access'],
        begin: { keyword: 'STREAMS', startFrom: 1 },
        find: { lastKey: -1, step: 1, limit: 2 },
      },
    ],
    group: 'stream',
    run: xread,
  },
  {
    name: 'xreadgroup',
    arity: -7,
    flags: ['write', 'blocking', 'movablekeys'],
    categories: ['stream'],
    keySpecs: [
      {
        flags: ['RO', 'access'],
        begin: { keyword: 'STREAMS', startFrom: 4 },
        find: { lastKey: -1, step: 1, limit: 2 },
      },
    ],
    group: 'stream',
    run: xreadgroup,
  },
]
