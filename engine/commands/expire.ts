/**
 * Expiry of keys (the commands of Redis's expire.c). Whatever form the time is given in, replicas receive PEXPIREAT, or
 * DEL when it lies in the past, so that clocks and delays cannot make them differ.
 */
import { NO_ENTRY } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { int64Argument } from './number-argument.ts'
import { lookupQuietly } from './quiet-lookup.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** Conditions of EXPIRE as bits. */
const NX = 1
const XX = 2
const GT = 4
const LT = 8

/** How the time is given: absolute or relative, in units of so many milliseconds. */
interface TimeForm {
  readonly absolute: boolean
  readonly unitMs: 1 | 1000
}

const relativeSeconds: TimeForm = { absolute: false, unitMs: 1000 }
const relativeMs: TimeForm = { absolute: false, unitMs: 1 }
const absoluteSeconds: TimeForm = { absolute: true, unitMs: 1000 }
const absoluteMs: TimeForm = { absolute: true, unitMs: 1 }

function setExpiry(context: Context, args: Arguments, form: TimeForm): void {
  const conditions = readConditions(context, args)
  if (conditions < 0) return
  const timeMs = readTimeMs(context, args, form)
  if (timeMs === undefined) return
  const { db, server } = context
  const entry = context.lookupWrite(1)
  const expireAtMs = Number(timeMs)
  if (entry === NO_ENTRY || !conditionsHold(conditions, expireAtMs, db.expireAtMs(entry))) {
    context.reply.integer(0)
    return
  }
  if (expireAtMs <= context.nowMs && !server.loading && server.replication.role === 'primary') {
    db.remove(entry)
    context.changed(1, 'generic', 'del')
    context.propagateAs([server.config.values['lazyfree-lazy-expire'] ? 'UNLINK' : 'DEL', args.copy(1)])
  } else {
    db.setExpireAtMs(entry, Math.max(0, expireAtMs))
    context.changed(1, 'generic', 'expire')
    if (form !== absoluteMs) context.propagateAs(absoluteWords(args, timeMs))
  }
  context.reply.integer(1)
}

/** The same command with its time made absolute; the conditions stay. */
function absoluteWords(args: Arguments, timeMs: bigint): (string | Buffer)[] {
  const words: (string | Buffer)[] = ['PEXPIREAT', args.copy(1), timeMs.toString()]
  for (let i = 3; i < args.count; i++) words.push(args.copy(i))
  return words
}

/** Conditions as bits, or -1 after the error was answered. */
function readConditions(context: Context, args: Arguments): number {
  let conditions = 0
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'nx')) conditions |= NX
    else if (args.is(i, 'xx')) conditions |= XX
    else if (args.is(i, 'gt')) conditions |= GT
    else if (args.is(i, 'lt')) conditions |= LT
    else {
      context.reply.error(`ERR Unsupported option ${args.cString(i)}`)
      return -1
    }
  }
  if ((conditions & NX) !== 0 && (conditions & ~NX) !== 0) {
    context.reply.error('ERR NX and XX, GT or LT options at the same time are not compatible')
    return -1
  }
  if ((conditions & GT) !== 0 && (conditions & LT) !== 0) {
    context.reply.error('ERR GT and LT options at the same time are not compatible')
    return -1
  }
  return conditions
}

/** Unix time in ms (maybe negative), or undefined after the error was answered. */
function readTimeMs(context: Context, args: Arguments, form: TimeForm): bigint | undefined {
  const given = int64Argument(context, args, 2)
  if (given === undefined) return undefined
  const unit = BigInt(form.unitMs)
  const timeMs = given * unit + (form.absolute ? 0n : BigInt(context.nowMs))
  if (given > INT64_MAX / unit || given < INT64_MIN / unit || timeMs > INT64_MAX) {
    context.reply.error(`ERR invalid expire time in '${context.command.name}' command`)
    return undefined
  }
  return timeMs
}

/** Without an expiry the current time counts as endless for GT and LT. */
function conditionsHold(conditions: number, expireAtMs: number, currentMs: number): boolean {
  const has = currentMs >= 0
  if ((conditions & NX) !== 0 && has) return false
  if ((conditions & XX) !== 0 && !has) return false
  if ((conditions & GT) !== 0 && (!has || expireAtMs <= currentMs)) return false
  return (conditions & LT) === 0 || !has || expireAtMs < currentMs
}

function expire(context: Context, args: Arguments): void {
  setExpiry(context, args, relativeSeconds)
}

function pexpire(context: Context, args: Arguments): void {
  setExpiry(context, args, relativeMs)
}

function expireat(context: Context, args: Arguments): void {
  setExpiry(context, args, absoluteSeconds)
}

function pexpireat(context: Context, args: Arguments): void {
  setExpiry(context, args, absoluteMs)
}

/** Answers what is left, or the time itself: -2 without the key, -1 without an expiry. */
function sendExpiry(context: Context, form: TimeForm): void {
  const entry = lookupQuietly(context, 1)
  const expireAtMs = entry === NO_ENTRY ? -1 : context.db.expireAtMs(entry)
  if (expireAtMs < 0) {
    context.reply.integer(entry === NO_ENTRY ? -2 : -1)
    return
  }
  const timeMs = form.absolute ? expireAtMs : Math.max(0, expireAtMs - context.nowMs)
  context.reply.integer(form.unitMs === 1 ? exact(timeMs) : Math.floor((timeMs + 500) / 1000))
}

/** Times are kept as doubles: beyond 2^53 ms (the year 287396) they are near, and must not leave the int64 range. */
function exact(timeMs: number): number | bigint {
  if (Number.isSafeInteger(timeMs)) return timeMs
  const whole = BigInt(timeMs)
  return whole > INT64_MAX ? INT64_MAX : whole
}

function ttl(context: Context): void {
  sendExpiry(context, relativeSeconds)
}

function pttl(context: Context): void {
  sendExpiry(context, relativeMs)
}

function expiretime(context: Context): void {
  sendExpiry(context, absoluteSeconds)
}

function pexpiretime(context: Context): void {
  sendExpiry(context, absoluteMs)
}

function persist(context: Context): void {
  const entry = context.lookupWrite(1)
  const has = entry !== NO_ENTRY && context.db.expireAtMs(entry) >= 0
  if (has) {
    context.db.setExpireAtMs(entry, -1)
    context.changed(1, 'generic', 'persist')
  }
  context.reply.integer(has ? 1 : 0)
}

export const expireCommands: readonly Command[] = [
  {
    name: 'expire',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RW', 'update'),
    group: 'generic',
    run: expire,
  },
  {
    name: 'expireat',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RW', 'update'),
    group: 'generic',
    run: expireat,
  },
  {
    name: 'expiretime',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RO', 'access'),
    group: 'generic',
    run: expiretime,
  },
  {
    name: 'persist',
    arity: 2,
    flags: ['write', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RW', 'update'),
    group: 'generic',
    run: persist,
  },
  {
    name: 'pexpire',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RW', 'update'),
    group: 'generic',
    run: pexpire,
  },
  {
    name: 'pexpireat',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RW', 'update'),
    group: 'generic',
    run: pexpireat,
  },
  {
    name: 'pexpiretime',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RO', 'access'),
    group: 'generic',
    run: pexpiretime,
  },
  {
    name: 'pttl',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RO', 'access'),
    group: 'generic',
    tips: ['nondeterministic_output'],
    run: pttl,
  },
  {
    name: 'ttl',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RO', 'access'),
    group: 'generic',
    tips: ['nondeterministic_output'],
    run: ttl,
  },
]
