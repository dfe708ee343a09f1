/** What all stream commands share: finding the value, reading ids among the arguments, answering ids and entries. */

import type { StreamCursor } from '../data/stream-cursor.ts'
import type { StreamGroup } from '../data/stream-group.ts'
import { ID_TEXT_MAX_BYTES, parseStreamId, StreamId } from '../data/stream-id.ts'
import type { Reply } from '../resp/reply.ts'
import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { StreamValue } from '../store/stream-value.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'

export const INVALID_ID = 'ERR Invalid stream ID specified as stream command argument'
export const MAX_SEQUENCE = 2n ** 64n - 1n

/** True, and the error answered, when there is a value that is not a stream. */
export function isOtherType(context: Context, entry: Entry): boolean {
  if (entry === NO_ENTRY || context.db.type(entry) === ValueType.stream) return false
  context.reply.error('WRONGTYPE Operation against a key holding the wrong kind of value')
  return true
}

export function streamAt(context: Context, entry: Entry): StreamValue {
  return context.db.aggregate(entry) as StreamValue
}

/** An id of digits: `ms` or `ms-sequence`. Undefined after the error was answered. */
export function readId(context: Context, args: Arguments, index: number): StreamId | undefined {
  const parsed = parseStreamId(args.latin1(index), 0n, true)
  if (parsed !== undefined) return parsed.id
  context.reply.error(INVALID_ID)
  return undefined
}

/** The same with `-` and `+` for the first and the last id. */
export function readIdOrEnd(context: Context, args: Arguments, index: number): StreamId | undefined {
  const parsed = parseStreamId(args.latin1(index), 0n, false)
  if (parsed !== undefined) return parsed.id
  context.reply.error(INVALID_ID)
  return undefined
}

/** Start (or end) of a range: an id, `-`, `+`, or with `(` before it what follows (or comes before) that id. */
export function readBound(context: Context, args: Arguments, index: number, isStart: boolean): StreamId | undefined {
  const text = args.latin1(index)
  const excluded = text.length > 1 && text.startsWith('(')
  const parsed = parseStreamId(excluded ? text.slice(1) : text, isStart ? 0n : MAX_SEQUENCE, excluded)
  if (parsed === undefined) {
    context.reply.error(INVALID_ID)
    return undefined
  }
  if (!excluded) return parsed.id
  const bound = isStart ? parsed.id.next() : parsed.id.previous()
  if (bound === undefined) context.reply.error(`ERR invalid ${isStart ? 'start' : 'end'} ID for the interval`)
  return bound
}

const idText = Buffer.alloc(ID_TEXT_MAX_BYTES)
/** Behind the milliseconds of `writtenId`, which stand in `idText`: ids often follow each other within one. */
let sequenceStart = 0
const writtenId = new StreamId()

export function sendId(reply: Reply, id: StreamId): void {
  let end: number
  if (sequenceStart > 0 && id.hasSameMs(writtenId)) end = id.writeSequence(idText, sequenceStart)
  else {
    end = id.write(idText)
    sequenceStart = idText.indexOf(DASH) + 1
    writtenId.become(id)
  }
  reply.bulk(idText, 0, end)
}

const DASH = 45

/** The cursor's entry: its id, and its fields and values. */
export function sendEntry(reply: Reply, cursor: StreamCursor): void {
  reply.array(2)
  sendId(reply, cursor.id)
  reply.array(cursor.fieldCount * 2)
  cursor.sendTexts(reply)
}

/** The group of argument 2 in the stream of argument 1, or undefined where one of them is missing. */
export interface FoundGroup {
  readonly entry: Entry
  readonly value: StreamValue
  readonly group: StreamGroup
}

/** Looks up key and group. `undefined` when one is missing; `null` after WRONGTYPE was answered. */
export function findGroup(context: Context, args: Arguments): FoundGroup | undefined | null {
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return null
  if (entry === NO_ENTRY) return undefined
  const value = streamAt(context, entry)
  const group = value.group(args.view(2))
  return group === undefined ? undefined : { entry, value, group }
}

/** The group, which must be there; undefined after an error was answered. */
export function requireGroup(context: Context, args: Arguments): FoundGroup | undefined {
  const found = findGroup(context, args)
  if (found === undefined) {
    context.reply.error(`NOGROUP No such key '${args.cString(1)}' or consumer group '${args.cString(2)}'`)
  }
  return found ?? undefined
}
