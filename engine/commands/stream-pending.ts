/** XPENDING, XCLAIM, XAUTOCLAIM: what was delivered to a group and not acknowledged, and who answers for it. */
import { parseInt64 } from '../data/decimal.ts'
import type { Consumer, PendingEntry, StreamGroup } from '../data/stream-group.ts'
import { parseStreamId, StreamId } from '../data/stream-id.ts'
import type { StreamValue } from '../store/stream-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'
import { type FoundGroup, readBound, readId, requireGroup, sendEntry, sendId } from './stream-lookup.ts'
import { addConsumer, GroupChanges } from './stream-propagation.ts'

// ————— XPENDING

interface PendingRange {
  start: StreamId
  end: StreamId
  count: number
  minIdleMs: number
  consumer: Buffer | undefined
}

/** `[IDLE ms] start end count [consumer]` from argument 3 on. Undefined after an error was answered. */
function readPendingRange(context: Context, args: Arguments): PendingRange | undefined {
  let at = 3
  let minIdleMs = 0
  if (args.is(3, 'idle')) {
    minIdleMs = numberArgument(context, args, 4)
    if (Number.isNaN(minIdleMs)) return undefined
    if (args.count < 8) {
      context.reply.error(errors.syntax)
      return undefined
    }
    at = 5
  }
  const count = numberArgument(context, args, at + 2)
  if (Number.isNaN(count)) return undefined
  const start = readBound(context, args, at, true)
  if (start === undefined) return undefined
  const end = readBound(context, args, at + 1, false)
  if (end === undefined) return undefined
  const consumer = at + 3 < args.count ? args.copy(at + 3) : undefined
  return { start, end, count: Math.max(0, count), minIdleMs, consumer }
}

function xpending(context: Context, args: Arguments): void {
  if (args.count !== 3 && (args.count < 6 || args.count > 9)) {
    context.reply.error(errors.syntax)
    return
  }
  const range = args.count === 3 ? undefined : readPendingRange(context, args)
  if (range === undefined && args.count > 3) return
  const found = requireGroup(context, args)
  if (found === undefined) return
  if (range === undefined) sendSummary(context, found.group)
  else sendPending(context, found.group, range)
}

function sendSummary({ reply }: Context, { pending, consumers }: StreamGroup): void {
  reply.array(4)
  reply.integer(pending.size)
  if (pending.first === undefined || pending.last === undefined) {
    reply.nil()
    reply.nil()
    reply.nilArray()
    return
  }
  sendId(reply, pending.first.id)
  sendId(reply, pending.last.id)
  const busy = consumers.filter((consumer) => consumer.pending.size > 0)
  reply.array(busy.length)
  for (const consumer of busy) {
    reply.array(2)
    reply.bulk(consumer.name)
    reply.latin1(String(consumer.pending.size))
  }
}

function sendPending({ reply, nowMs }: Context, group: StreamGroup, range: PendingRange): void {
  const consumer = range.consumer === undefined ? undefined : group.consumer(range.consumer)
  if (range.consumer !== undefined && consumer === undefined) {
    reply.array(0)
    return
  }
  const { pending } = consumer ?? group
  const place = pending.ceiling(range.start)
  const found: PendingEntry[] = []
  for (let one = pending.item(place); one !== undefined && found.length < range.count; one = pending.advance(place)) {
    if (one.id.compare(range.end) > 0) break
    if (range.minIdleMs === 0 || nowMs - one.deliveredMs >= range.minIdleMs) found.push(one)
  }
  reply.array(found.length)
  for (const one of found) {
    reply.array(4)
    sendId(reply, one.id)
    reply.bulk(one.consumer.name)
    reply.integer(Math.max(0, nowMs - one.deliveredMs))
    reply.integer(one.deliveries)
  }
}

// ————— XCLAIM

interface ClaimOptions {
  force: boolean
  justId: boolean
  deliveredMs: number
  /** Undefined: one more than before. */
  deliveries: number | undefined
  lastId: StreamId | undefined
}

/** A number of at most 64 bits; NaN after `message` was answered. */
function claimNumber(context: Context, args: Arguments, index: number, what: string): number {
  return numberArgument(context, args, index, `ERR Invalid ${what} argument for ${context.command.name.toUpperCase()}`)
}

/** Options from argument `first` on. Undefined after an error was answered. */
function readClaimOptions(context: Context, args: Arguments, first: number): ClaimOptions | undefined {
  const { nowMs } = context
  const options: ClaimOptions = {
    force: false,
    justId: false,
    deliveredMs: -1,
    deliveries: undefined,
    lastId: undefined,
  }
  for (let i = first; i < args.count; i++) {
    const more = i + 1 < args.count
    if (args.is(i, 'force')) options.force = true
    else if (args.is(i, 'justid')) options.justId = true
    else if (more && args.is(i, 'idle')) {
      const idleMs = claimNumber(context, args, ++i, 'IDLE option')
      if (Number.isNaN(idleMs)) return undefined
      options.deliveredMs = nowMs - idleMs
    } else if (more && args.is(i, 'time')) {
      options.deliveredMs = claimNumber(context, args, ++i, 'TIME option')
      if (Number.isNaN(options.deliveredMs)) return undefined
    } else if (more && args.is(i, 'retrycount')) {
      const count = claimNumber(context, args, ++i, 'RETRYCOUNT option')
      if (Number.isNaN(count)) return undefined
      options.deliveries = count >= 0 ? count : undefined
    } else if (more && args.is(i, 'lastid')) {
      options.lastId = readId(context, args, ++i)
      if (options.lastId === undefined) return undefined
    } else {
      context.reply.error(`ERR Unrecognized XCLAIM option '${args.cString(i)}'`)
      return undefined
    }
  }
  // A time of the future, or none, is now: clients compute it from clocks of their own.
  if (options.deliveredMs < 0 || options.deliveredMs > nowMs) options.deliveredMs = nowMs
  return options
}

/** Who claims: the consumer of argument 3. It is made with the first entry that it gets, not before. */
function claimant(context: Context, args: Arguments, group: StreamGroup): Consumer {
  const name = args.copy(3)
  const existing = group.consumer(name)
  if (existing === undefined) return addConsumer(context, args.copy(1), group, name)
  existing.seenMs = context.nowMs
  return existing
}

function xclaim(context: Context, args: Arguments): void {
  const { db } = context
  const found = requireGroup(context, args)
  if (found === undefined) return
  const { entry, value, group } = found
  const minIdleMs = claimNumber(context, args, 4, 'min-idle-time')
  if (Number.isNaN(minIdleMs)) return
  const ids: StreamId[] = []
  for (let i = 5; i < args.count; i++) {
    const parsed = parseStreamId(args.latin1(i), 0n, true)
    if (parsed === undefined) break
    ids.push(parsed.id)
  }
  const options = readClaimOptions(context, args, 5 + ids.length)
  if (options === undefined) return
  db.willChange(entry)
  const changes = new GroupChanges(context)
  const { lastId } = options
  const moves = lastId !== undefined && lastId.compare(group.lastId) > 0
  if (moves) group.lastId = lastId
  const claimed = claimAll(context, args, found, { ids, minIdleMs, options, changes })
  sendClaimed(context, value, claimed, options.justId)
  if (moves && changes.isEmpty) {
    changes.moved(args.copy(1), group)
    context.dirty(1)
  }
  db.changed(entry)
  changes.end()
}

interface Claim {
  ids: readonly StreamId[]
  minIdleMs: number
  options: ClaimOptions
  changes: GroupChanges
}

/** Claims entry by entry; answers the ids of those that were. */
function claimAll(context: Context, args: Arguments, { value, group }: FoundGroup, claim: Claim): StreamId[] {
  const { ids, minIdleMs, options, changes } = claim
  const { nowMs } = context
  const key = args.copy(1)
  const claimed: StreamId[] = []
  ids.forEach((id, i) => {
    const pending = group.pending.find(id)
    if (!value.stream.has(id)) {
      if (pending === undefined) return
      changes.claimed(key, group, pending, args.copy(5 + i))
      context.dirty(1)
      group.remove(pending)
      return
    }
    if (pending !== undefined && minIdleMs > 0 && nowMs - pending.deliveredMs < minIdleMs) return
    if (pending === undefined && !options.force) return
    const consumer = claimant(context, args, group)
    const entry = pending ?? group.add(id, consumer, nowMs)
    if (entry === undefined) return
    group.give(entry, consumer)
    entry.deliveredMs = options.deliveredMs
    if (options.deliveries !== undefined) entry.deliveries = options.deliveries
    else if (!options.justId) entry.deliveries++
    claimed.push(id)
    changes.claimed(key, group, entry, args.copy(5 + i))
    context.dirty(1)
  })
  return claimed
}

function sendClaimed({ reply }: Context, { stream }: StreamValue, ids: readonly StreamId[], justId: boolean): void {
  reply.array(ids.length)
  for (const id of ids) {
    if (justId) {
      sendId(reply, id)
      continue
    }
    const cursor = stream.cursor(id, id)
    if (cursor.next()) sendEntry(reply, cursor)
  }
}

// ————— XAUTOCLAIM

/** Of pending entries that are looked at for each that may be claimed. */
const ATTEMPTS_PER_ENTRY = 10
const AUTOCLAIM_COUNT = 100
const COUNT_MAX = (2n ** 63n - 1n) / 16n

interface AutoclaimRequest {
  minIdleMs: number
  start: StreamId
  count: number
  justId: boolean
}

function readAutoclaim(context: Context, args: Arguments): AutoclaimRequest | undefined {
  const minIdleMs = claimNumber(context, args, 4, 'min-idle-time')
  if (Number.isNaN(minIdleMs)) return undefined
  const start = readBound(context, args, 5, true)
  if (start === undefined) return undefined
  let count = AUTOCLAIM_COUNT
  let justId = false
  for (let i = 6; i < args.count; i++) {
    if (i + 1 < args.count && args.is(i, 'count')) {
      const value = parseInt64(args.memory, args.start(i + 1), args.end(i + 1))
      if (value === undefined || value < 1n || value > COUNT_MAX) {
        context.reply.error('ERR COUNT must be > 0')
        return undefined
      }
      count = Number(value)
      i++
    } else if (args.is(i, 'justid')) justId = true
    else {
      context.reply.error(errors.syntax)
      return undefined
    }
  }
  return { minIdleMs, start, count, justId }
}

function xautoclaim(context: Context, args: Arguments): void {
  const { db, reply } = context
  const request = readAutoclaim(context, args)
  if (request === undefined) return
  const found = requireGroup(context, args)
  if (found === undefined) return
  const { entry, value } = found
  db.willChange(entry)
  const changes = new GroupChanges(context)
  const { claimed, deleted, next } = claimIdle(context, args, found, request, changes)
  reply.array(3)
  sendId(reply, next)
  sendClaimed(context, value, claimed, request.justId)
  reply.array(deleted.length)
  for (const id of deleted) sendId(reply, id)
  db.changed(entry)
  changes.end()
}

/** Walks over what is pending from `start` on. `next` is where the next call is to begin; 0-0 at the end. */
function claimIdle(
  context: Context,
  args: Arguments,
  { value, group }: FoundGroup,
  request: AutoclaimRequest,
  changes: GroupChanges,
): { claimed: StreamId[]; deleted: StreamId[]; next: StreamId } {
  const { nowMs } = context
  const key = args.copy(1)
  const { pending } = group
  const claimed: StreamId[] = []
  const deleted: StreamId[] = []
  const place = pending.ceiling(request.start)
  let one = pending.item(place)
  let attempts = request.count * ATTEMPTS_PER_ENTRY
  while (one !== undefined && attempts-- > 0 && claimed.length + deleted.length < request.count) {
    if (!value.stream.has(one.id)) {
      changes.claimed(key, group, one)
      context.dirty(1)
      group.remove(one)
      deleted.push(one.id)
      Object.assign(place, pending.ceiling(one.id))
      one = pending.item(place)
      continue
    }
    if (request.minIdleMs <= 0 || nowMs - one.deliveredMs >= request.minIdleMs) {
      group.give(one, claimant(context, args, group))
      one.deliveredMs = nowMs
      if (!request.justId) one.deliveries++
      claimed.push(one.id)
      changes.claimed(key, group, one)
      context.dirty(1)
    }
    one = pending.advance(place)
  }
  return { claimed, deleted, next: one?.id ?? new StreamId() }
}

export const streamPendingCommands: readonly Command[] = [
  {
    name: 'xautoclaim',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['stream'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'stream',
    tips: ['nondeterministic_output'],
    run: xautoclaim,
  },
  {
    name: 'xclaim',
    arity: -6,
    flags: ['write', 'fast'],
    categories: ['stream'],
    keySpecs: oneKey('RW', 'update'),
    group: 'stream',
    tips: ['nondeterministic_output'],
    run: xclaim,
  },
  {
    name: 'xpending',
    arity: -3,
    flags: ['readonly'],
    categories: ['stream'],
    keySpecs: oneKey('RO', 'access'),
    group: 'stream',
    tips: ['nondeterministic_output'],
    run: xpending,
  },
]
