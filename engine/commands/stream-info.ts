/** XINFO: what a stream, its groups and their consumers are like. */
import type { PendingEntry, StreamGroup } from '../data/stream-group.ts'
import { UNKNOWN_READ } from '../data/stream-group.ts'
import type { Reply } from '../resp/reply.ts'
import { NO_ENTRY } from '../store/keyspace-port.ts'
import type { StreamValue } from '../store/stream-value.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { replyHelp } from './help.ts'
import { numberArgument } from './number-argument.ts'
import { isOtherType, sendEntry, sendId, streamAt } from './stream-lookup.ts'

/** Entries and pending entries that FULL shows when no COUNT is given. */
const FULL_COUNT = 10

/** The stream of argument 2; undefined after an error was answered. */
function requireStream(context: Context): StreamValue | undefined {
  const entry = context.lookupRead(2)
  if (entry === NO_ENTRY) context.reply.error(errors.noSuchKey)
  return entry === NO_ENTRY || isOtherType(context, entry) ? undefined : streamAt(context, entry)
}

// ————— XINFO STREAM

function xinfoStream(context: Context, args: Arguments): void {
  const value = requireStream(context)
  if (value === undefined) return
  if (args.count === 3) sendStream(context.reply, value)
  else sendFull(context, args, value)
}

function sendHead(reply: Reply, { stream }: StreamValue): void {
  reply.text('length')
  reply.integer(stream.length)
  reply.text('radix-tree-keys')
  reply.integer(stream.nodes.size)
  reply.text('radix-tree-nodes')
  reply.integer(stream.radixNodes)
  reply.text('last-generated-id')
  sendId(reply, stream.lastId)
  reply.text('max-deleted-entry-id')
  sendId(reply, stream.maxDeletedId)
  reply.text('entries-added')
  reply.integer(stream.entriesAdded)
  reply.text('recorded-first-entry-id')
  sendId(reply, stream.firstId)
}

function sendStream(reply: Reply, value: StreamValue): void {
  reply.map(10)
  sendHead(reply, value)
  reply.text('groups')
  reply.integer(value.groupCount)
  for (const reverse of [false, true]) {
    reply.text(reverse ? 'last-entry' : 'first-entry')
    const cursor = value.stream.all(reverse)
    if (cursor.next()) sendEntry(reply, cursor)
    else reply.nil()
  }
}

function sendFull(context: Context, args: Arguments, value: StreamValue): void {
  const { reply } = context
  const count = readFullCount(context, args)
  if (count === undefined) return
  reply.map(9)
  sendHead(reply, value)
  const { stream } = value
  const length = Math.min(count, stream.length)
  reply.text('entries')
  reply.array(length)
  const cursor = stream.all()
  for (let i = 0; i < length && cursor.next(); i++) sendEntry(reply, cursor)
  reply.text('groups')
  reply.array(value.groupCount)
  for (const group of value.groups) sendFullGroup(reply, value, group, count)
}

/** `FULL [COUNT count]` from argument 3 on. 0 is no limit. Undefined after an error was answered. */
function readFullCount(context: Context, args: Arguments): number | undefined {
  if ((args.count !== 4 && args.count !== 6) || !args.is(3, 'full') || (args.count === 6 && !args.is(4, 'count'))) {
    const subcommand = args.latin1(1)
    context.reply.error(`ERR unknown subcommand or wrong number of arguments for '${subcommand}'. Try XINFO HELP.`)
    return undefined
  }
  if (args.count === 4) return FULL_COUNT
  const count = numberArgument(context, args, 5)
  if (Number.isNaN(count)) return undefined
  if (count === 0) return Number.POSITIVE_INFINITY
  return count < 0 ? FULL_COUNT : count
}

function sendProgress(reply: Reply, value: StreamValue, group: StreamGroup): void {
  reply.text('entries-read')
  if (group.entriesRead === UNKNOWN_READ) reply.nil()
  else reply.integer(group.entriesRead)
  reply.text('lag')
  const lag = value.lag(group)
  if (lag === undefined) reply.nil()
  else reply.integer(lag)
}

function firstOf(pending: Iterable<PendingEntry>, count: number): PendingEntry[] {
  const found: PendingEntry[] = []
  for (const one of pending) {
    if (found.length >= count) break
    found.push(one)
  }
  return found
}

function sendFullGroup(reply: Reply, value: StreamValue, group: StreamGroup, count: number): void {
  reply.map(7)
  reply.text('name')
  reply.bulk(group.name)
  reply.text('last-delivered-id')
  sendId(reply, group.lastId)
  sendProgress(reply, value, group)
  reply.text('pel-count')
  reply.integer(group.pending.size)
  reply.text('pending')
  const pending = firstOf(group.pending, count)
  reply.array(pending.length)
  for (const { id, consumer, deliveredMs, deliveries } of pending) {
    reply.array(4)
    sendId(reply, id)
    reply.bulk(consumer.name)
    reply.integer(deliveredMs)
    reply.integer(deliveries)
  }
  reply.text('consumers')
  reply.array(group.consumerCount)
  for (const consumer of group.consumers) {
    reply.map(4)
    reply.text('name')
    reply.bulk(consumer.name)
    reply.text('seen-time')
    reply.integer(consumer.seenMs)
    reply.text('pel-count')
    reply.integer(consumer.pending.size)
    reply.text('pending')
    const own = firstOf(consumer.pending, count)
    reply.array(own.length)
    for (const { id, deliveredMs, deliveries } of own) {
      reply.array(3)
      sendId(reply, id)
      reply.integer(deliveredMs)
      reply.integer(deliveries)
    }
  }
}

// ————— XINFO GROUPS, CONSUMERS

function xinfoGroups(context: Context): void {
  const { reply } = context
  const value = requireStream(context)
  if (value === undefined) return
  reply.array(value.groupCount)
  for (const group of value.groups) {
    reply.map(6)
    reply.text('name')
    reply.bulk(group.name)
    reply.text('consumers')
    reply.integer(group.consumerCount)
    reply.text('pending')
    reply.integer(group.pending.size)
    reply.text('last-delivered-id')
    sendId(reply, group.lastId)
    sendProgress(reply, value, group)
  }
}

function xinfoConsumers(context: Context, args: Arguments): void {
  const { reply, nowMs } = context
  const value = requireStream(context)
  if (value === undefined) return
  const group = value.group(args.view(3))
  if (group === undefined) {
    reply.error(`NOGROUP No such consumer group '${args.cString(3)}' for key name '${args.cString(2)}'`)
    return
  }
  reply.array(group.consumerCount)
  for (const { name, pending, seenMs } of group.consumers) {
    reply.map(3)
    reply.text('name')
    reply.bulk(name)
    reply.text('pending')
    reply.integer(pending.size)
    reply.text('idle')
    reply.integer(Math.max(0, nowMs - seenMs))
  }
}

function xinfoHelp({ reply }: Context): void {
  replyHelp(reply, 'XINFO', [
    'CONSUMERS <key> <groupname>',
    '    Show consumers of <groupname>.',
    'GROUPS <key>',
    '    Show the stream consumer groups.',
    'STREAM <key> [FULL [COUNT <count>]',
    '    Show information about the stream.',
  ])
}

export const streamInfoCommands: readonly Command[] = [
  {
    name: 'xinfo',
    arity: -2,
    flags: [],
    categories: [],
    group: 'stream',
    subcommands: [
      {
        name: 'consumers',
        arity: 4,
        flags: ['readonly'],
        categories: ['stream'],
        keySpecs: [{ flags: ['RO', 'access'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } }],
        group: 'stream',
        tips: ['nondeterministic_output'],
        run: xinfoConsumers,
      },
      {
        name: 'stream',
        arity: -3,
        flags: ['readonly'],
        categories: ['stream'],
        keySpecs: [{ flags: ['RO', 'access'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } }],
        group: 'stream',
        run: xinfoStream,
      },
      {
        name: 'groups',
        arity: 3,
        flags: ['readonly'],
        categories: ['stream'],
        keySpecs: [{ flags: ['RO', 'access'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } }],
        group: 'stream',
        run: xinfoGroups,
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['stream'],
        group: 'stream',
        run: xinfoHelp,
      },
    ],
  },
]
