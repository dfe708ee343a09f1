/**
 * Strings (Redis's t_string.c). Values are read and written where they are stored; what depends on the time is
 * propagated as an absolute time, and what depends on floating point as its result, so that replicas cannot differ.
 */
import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import { type Command, type KeyPosition, keyRange, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { longestCommonSubsequence } from './longest-common-subsequence.ts'
import { numberArgument } from './number-argument.ts'
import {
  EX,
  EXAT,
  GET,
  KEEPTTL,
  NX,
  options,
  PERSIST,
  PX,
  PXAT,
  readExpireTime,
  readOptions,
  XX,
} from './string-options.ts'

const EMPTY = Buffer.alloc(0)
/** Keys that MSET announces together. */
const KEYS_AT_ONCE = 64

/** Stores argument `valueIndex` under argument `keyIndex`, whose entry is known, and tells. The expiry stays. */
function store(context: Context, args: Arguments, keyIndex: number, valueIndex: number, known: Entry): Entry {
  const { db } = context
  let entry = known
  if (entry === NO_ENTRY) {
    const { memory } = args
    entry = db.setText(
      memory,
      args.start(keyIndex),
      args.end(keyIndex),
      memory,
      args.start(valueIndex),
      args.end(valueIndex),
    )
    context.created(keyIndex)
  } else {
    db.replaceText(entry, args.memory, args.start(valueIndex), args.end(valueIndex))
  }
  return entry
}

/** `store` and forgets the expiry: what SET, GETSET and MSET do. */
function overwrite(context: Context, args: Arguments, keyIndex: number, valueIndex: number, known: Entry): void {
  const entry = store(context, args, keyIndex, valueIndex, known)
  if (known !== NO_ENTRY) context.db.setExpireAtMs(entry, -1)
  context.changed(keyIndex, 'string', 'set')
}

/** Answers the string at `entry`, nil for none. False after a type error was answered. */
function sendValue(context: Context, entry: Entry): boolean {
  if (entry === NO_ENTRY) {
    context.reply.nil()
    return true
  }
  if (context.db.type(entry) !== ValueType.string) {
    context.reply.error(errors.wrongType)
    return false
  }
  context.db.sendText(entry, context.reply)
  return true
}

/** True, and the error answered, when there is a value that is not a string. */
export function isOtherType(context: Context, entry: Entry): boolean {
  if (entry === NO_ENTRY || context.db.type(entry) === ValueType.string) return false
  context.reply.error(errors.wrongType)
  return true
}

function get(context: Context): void {
  sendValue(context, context.lookupRead(1))
}

function set(context: Context, args: Arguments): void {
  if (args.count === 3) {
    overwrite(context, args, 1, 2, context.lookupWrite(1))
    context.reply.ok()
    return
  }
  if (!readOptions(args, 3, true)) {
    context.reply.error(errors.syntax)
    return
  }
  setWithOptions(context, args, options.flags, options.timeIndex)
}

/** The key is read only when GET asks for the old value. */
function setKeys(args: Arguments): KeyPosition[] {
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'get')) return [{ index: 1, flags: ['RW', 'access', 'update'] }]
  }
  return [{ index: 1, flags: ['OW', 'update'] }]
}

function setWithOptions(context: Context, args: Arguments, flags: number, timeIndex: number): void {
  const { db, reply } = context
  let expireAtMs = -1
  if (timeIndex > 0) {
    expireAtMs = readExpireTime(context, args, timeIndex, flags)
    if (expireAtMs < 0) return
  }
  const answersOld = (flags & GET) !== 0
  if (answersOld && !sendValue(context, context.lookupRead(1))) return
  const found = context.lookupWrite(1)
  if ((flags & (found === NO_ENTRY ? XX : NX)) !== 0) {
    if (!answersOld) reply.nil()
    return
  }
  const entry = store(context, args, 1, 2, found)
  if (found !== NO_ENTRY && (flags & KEEPTTL) === 0) db.setExpireAtMs(entry, -1)
  if (timeIndex > 0) db.setExpireAtMs(entry, expireAtMs)
  context.changed(1, 'string', 'set')
  if (timeIndex > 0) {
    context.notify('generic', 'expire', args.view(1))
    context.propagateAs(['SET', args.copy(1), args.copy(2), 'PXAT', wholeText(expireAtMs)])
  } else if (answersOld) {
    context.propagateAs(wordsWithoutGet(args))
  }
  if (!answersOld) reply.ok()
}

function wordsWithoutGet(args: Arguments): Buffer[] {
  const words: Buffer[] = []
  for (let i = 0; i < args.count; i++) if (i < 3 || !args.is(i, 'get')) words.push(args.copy(i))
  return words
}

/** Whole milliseconds in decimal, also beyond 2^53. */
function wholeText(timeMs: number): string {
  return BigInt(timeMs).toString()
}

function setnx(context: Context, args: Arguments): void {
  if (context.lookupWrite(1) !== NO_ENTRY) {
    context.reply.integer(0)
    return
  }
  overwrite(context, args, 1, 2, NO_ENTRY)
  context.reply.integer(1)
}

function setex(context: Context, args: Arguments): void {
  setForTime(context, args, EX)
}

function psetex(context: Context, args: Arguments): void {
  setForTime(context, args, PX)
}

function setForTime(context: Context, args: Arguments, unit: number): void {
  const expireAtMs = readExpireTime(context, args, 2, unit)
  if (expireAtMs < 0) return
  const entry = store(context, args, 1, 3, context.lookupWrite(1))
  context.db.setExpireAtMs(entry, expireAtMs)
  context.changed(1, 'string', 'set')
  context.notify('generic', 'expire', args.view(1))
  context.propagateAs(['SET', args.copy(1), args.copy(3), 'PXAT', wholeText(expireAtMs)])
  context.reply.ok()
}

function getset(context: Context, args: Arguments): void {
  if (!sendValue(context, context.lookupRead(1))) return
  overwrite(context, args, 1, 2, context.lookupWrite(1))
  context.propagateAs(['SET', args.copy(1), args.copy(2)])
}

function getdel(context: Context, args: Arguments): void {
  const entry = context.lookupRead(1)
  if (!sendValue(context, entry) || entry === NO_ENTRY) return
  context.db.remove(entry)
  context.changed(1, 'generic', 'del')
  context.propagateAs(['DEL', args.copy(1)])
}

function getex(context: Context, args: Arguments): void {
  if (!readOptions(args, 2, false)) {
    context.reply.error(errors.syntax)
    return
  }
  const { flags, timeIndex } = options
  const { db, server } = context
  const entry = context.lookupRead(1)
  if (entry === NO_ENTRY || isOtherType(context, entry)) {
    if (entry === NO_ENTRY) context.reply.nil()
    return
  }
  const expireAtMs = timeIndex > 0 ? readExpireTime(context, args, timeIndex, flags) : -1
  if (timeIndex > 0 && expireAtMs < 0) return
  db.sendText(entry, context.reply)
  const deletesPast = !server.loading && server.replication.role === 'primary'
  if ((flags & (EXAT | PXAT)) !== 0 && expireAtMs <= context.nowMs && deletesPast) {
    db.remove(entry)
    context.changed(1, 'generic', 'del')
    context.propagateAs([server.config.values['lazyfree-lazy-expire'] ? 'UNLINK' : 'DEL', args.copy(1)])
  } else if (timeIndex > 0) {
    db.setExpireAtMs(entry, expireAtMs)
    context.changed(1, 'generic', 'expire')
    context.propagateAs(['PEXPIREAT', args.copy(1), wholeText(expireAtMs)])
  } else if ((flags & PERSIST) !== 0 && db.expireAtMs(entry) >= 0) {
    db.setExpireAtMs(entry, -1)
    context.changed(1, 'generic', 'persist')
    context.propagateAs(['PERSIST', args.copy(1)])
  }
}

function mget(context: Context, args: Arguments): void {
  const { db, reply } = context
  reply.array(args.count - 1)
  for (let i = 1; i < args.count; i++) {
    const entry = context.lookupRead(i)
    if (entry === NO_ENTRY || db.type(entry) !== ValueType.string) reply.nil()
    else db.sendText(entry, reply)
  }
}

function mset(context: Context, args: Arguments): void {
  if (!isPaired(context, args)) return
  const { db } = context
  for (let i = 1; i < args.count; i += 2) {
    if ((i - 1) % (2 * KEYS_AT_ONCE) === 0) db.announce(args.memory, args.starts, args.ends, i, 2, args.count)
    overwrite(context, args, i, i + 1, context.lookupWrite(i))
  }
  db.endAnnouncement()
  context.reply.ok()
}

function msetnx(context: Context, args: Arguments): void {
  if (!isPaired(context, args)) return
  for (let i = 1; i < args.count; i += 2) {
    if (context.lookupWrite(i) === NO_ENTRY) continue
    context.reply.integer(0)
    return
  }
  for (let i = 1; i < args.count; i += 2) overwrite(context, args, i, i + 1, context.lookupWrite(i))
  context.reply.integer(1)
}

function isPaired(context: Context, args: Arguments): boolean {
  if (args.count % 2 === 1) return true
  context.reply.error(`ERR wrong number of arguments for '${context.command.name}' command`)
  return false
}

/** False, and the error answered, when a string would grow past `proto-max-bulk-len`. A primary's stream is obeyed. */
function mayGrow(context: Context, lengthBytes: number): boolean {
  const { client, server } = context
  const isFree = client.kind === 'primary' || server.loading
  if (isFree || lengthBytes <= server.config.values['proto-max-bulk-len']) return true
  context.reply.error('ERR string exceeds maximum allowed size (proto-max-bulk-len)')
  return false
}

function append(context: Context, args: Arguments): void {
  const { db } = context
  let entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY) {
    entry = store(context, args, 1, 2, entry)
  } else {
    if (!mayGrow(context, db.textLength(entry) + args.length(2))) return
    db.appendText(entry, args.memory, args.start(2), args.end(2))
  }
  context.changed(1, 'string', 'append')
  context.reply.integer(db.textLength(entry))
}

function strlen(context: Context): void {
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return
  context.reply.integer(entry === NO_ENTRY ? 0 : context.db.textLength(entry))
}

function setrange(context: Context, args: Arguments): void {
  const offset = numberArgument(context, args, 2)
  if (Number.isNaN(offset)) return
  if (offset < 0) {
    context.reply.error('ERR offset is out of range')
    return
  }
  const { db } = context
  let entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  const oldLength = entry === NO_ENTRY ? 0 : db.textLength(entry)
  if (args.length(3) === 0) {
    context.reply.integer(oldLength)
    return
  }
  if (!mayGrow(context, offset + args.length(3))) return
  if (entry === NO_ENTRY) {
    entry = db.setPlainText(args.memory, args.start(1), args.end(1), EMPTY, 0, 0)
    context.created(1)
  }
  args.memory.copy(db.editText(entry, offset + args.length(3)), offset, args.start(3), args.end(3))
  context.changed(1, 'string', 'setrange')
  context.reply.integer(db.textLength(entry))
}

function getrange(context: Context, args: Arguments): void {
  const start = numberArgument(context, args, 2)
  if (Number.isNaN(start)) return
  const end = numberArgument(context, args, 3)
  if (Number.isNaN(end)) return
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return
  const text = entry === NO_ENTRY ? EMPTY : context.db.peekText(entry)
  const first = Math.max(start < 0 ? text.length + start : start, 0)
  const last = Math.min(Math.max(end < 0 ? text.length + end : end, 0), text.length - 1)
  const isInverted = start < 0 && end < 0 && start > end
  if (isInverted || first > last) context.reply.bulk(EMPTY)
  else context.reply.bulk(text, first, last + 1)
}

export const stringCommands: readonly Command[] = [
  {
    name: 'append',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('RW', 'insert'),
    group: 'string',
    run: append,
  },
  {
    name: 'get',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('RO', 'access'),
    group: 'string',
    run: get,
  },
  {
    name: 'getdel',
    arity: 2,
    flags: ['write', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('RW', 'access', 'delete'),
    group: 'string',
    run: getdel,
  },
  {
    name: 'getex',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['string'],
    keySpecs: [
      {
        flags: ['RW', 'access', 'update'],
        notes: 'RW and UPDATE because it changes the TTL',
        begin: { index: 1 },
        find: { lastKey: 0, step: 1, limit: 0 },
      },
    ],
    group: 'string',
    run: getex,
  },
  {
    name: 'getrange',
    arity: 4,
    flags: ['readonly'],
    categories: ['string'],
    keySpecs: oneKey('RO', 'access'),
    group: 'string',
    run: getrange,
  },
  {
    name: 'getset',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'string',
    run: getset,
  },
  {
    name: 'lcs',
    arity: -3,
    flags: ['readonly'],
    categories: ['string'],
    keySpecs: keyRange(1, 2, 1, 'RO', 'access'),
    group: 'string',
    run: longestCommonSubsequence,
  },
  {
    name: 'mget',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['string'],
    keySpecs: keyRange(1, -1, 1, 'RO', 'access'),
    group: 'string',
    tips: ['request_policy:multi_shard'],
    run: mget,
  },
  {
    name: 'mset',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keySpecs: keyRange(1, -1, 2, 'OW', 'update'),
    group: 'string',
    tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
    run: mset,
  },
  {
    name: 'msetnx',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keySpecs: keyRange(1, -1, 2, 'OW', 'insert'),
    group: 'string',
    tips: ['request_policy:multi_shard', 'response_policy:agg_min'],
    run: msetnx,
  },
  {
    name: 'psetex',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keySpecs: oneKey('OW', 'update'),
    group: 'string',
    run: psetex,
  },
  {
    name: 'set',
    findKeys: setKeys,
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keySpecs: [
      {
        flags: ['RW', 'access', 'update', 'variable_flags'],
        notes: 'RW and ACCESS due to the optional `GET` argument',
        begin: { index: 1 },
        find: { lastKey: 0, step: 1, limit: 0 },
      },
    ],
    keyFlags: (args) => {
      for (let i = 3; i < args.count; i++) if (args.is(i, 'get')) return ['RW', 'access', 'update']
      return ['OW', 'update']
    },
    group: 'string',
    run: set,
  },
  {
    name: 'setex',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keySpecs: oneKey('OW', 'update'),
    group: 'string',
    run: setex,
  },
  {
    name: 'setnx',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('OW', 'insert'),
    group: 'string',
    run: setnx,
  },
  {
    name: 'setrange',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['string'],
    keySpecs: oneKey('RW', 'update'),
    group: 'string',
    run: setrange,
  },
  {
    name: 'strlen',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('RO'),
    group: 'string',
    run: strlen,
  },
  {
    name: 'substr',
    arity: 4,
    flags: ['readonly'],
    categories: ['string'],
    keySpecs: oneKey('RO', 'access'),
    group: 'string',
    run: getrange,
  },
]
