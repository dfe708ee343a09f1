/**
 * Strings as numbers (INCR and its kin, of Redis's t_string.c). Whole numbers are int64; those of up to 53 bits, nearly
 * all, never become BigInts. INCRBYFLOAT computes with x86's long doubles and is propagated as its result.
 */
import { parseInt64, parseSafeInteger } from '../data/decimal.ts'
import { addLongDoubles, formatLongDouble, INFINITY, type LongDouble, parseLongDouble } from '../data/long-double.ts'
import { NO_ENTRY } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { int64Argument } from './number-argument.ts'
import { isOtherType } from './string.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

function incr(context: Context): void {
  addNumber(context, 1)
}

function decr(context: Context): void {
  addNumber(context, -1)
}

function incrby(context: Context, args: Arguments): void {
  const amount = parseSafeInteger(args.memory, args.start(2), args.end(2))
  if (!Number.isNaN(amount)) {
    addNumber(context, amount)
    return
  }
  const large = int64Argument(context, args, 2)
  if (large !== undefined) addInt64(context, large)
}

function decrby(context: Context, args: Arguments): void {
  const amount = int64Argument(context, args, 2)
  if (amount === undefined) return
  if (amount === INT64_MIN) context.reply.error('ERR decrement would overflow')
  else addInt64(context, -amount)
}

/** The common case: the value and the sum fit in 53 bits. `amount` is a safe integer. */
function addNumber(context: Context, amount: number): void {
  const { db, args } = context
  const entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  const sum = (entry === NO_ENTRY ? 0 : db.integer(entry)) + amount
  if (!Number.isSafeInteger(sum)) {
    addInt64(context, BigInt(amount))
    return
  }
  if (entry === NO_ENTRY) {
    db.setInteger(args.memory, args.start(1), args.end(1), sum)
    context.created(1)
  } else {
    db.replaceInteger(entry, sum)
  }
  context.changed(1, 'string', 'incrby')
  context.reply.integer(sum)
}

function addInt64(context: Context, amount: bigint): void {
  const { db, args } = context
  const entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  const text = entry === NO_ENTRY ? Buffer.from('0') : db.peekText(entry)
  const value = parseInt64(text, 0, text.length)
  if (value === undefined) {
    context.reply.error(errors.notInteger)
    return
  }
  const sum = value + amount
  if (sum > INT64_MAX || sum < INT64_MIN) {
    context.reply.error(errors.overflow)
    return
  }
  const digits = Buffer.from(sum.toString())
  db.setText(args.memory, args.start(1), args.end(1), digits, 0, digits.length)
  if (entry === NO_ENTRY) context.created(1)
  context.changed(1, 'string', 'incrby')
  context.reply.integer(sum)
}

function incrbyfloat(context: Context, args: Arguments): void {
  const { db } = context
  const entry = context.lookupWrite(1)
  if (isOtherType(context, entry)) return
  const value = parseLongDouble(entry === NO_ENTRY ? '0' : db.peekText(entry).toString('latin1'))
  const amount = parseLongDouble(args.latin1(2))
  if (value === undefined || amount === undefined) {
    context.reply.error(errors.notFloat)
    return
  }
  const sum = addFinite(value, amount)
  if (sum === undefined) {
    context.reply.error('ERR increment would produce NaN or Infinity')
    return
  }
  const digits = Buffer.from(formatLongDouble(sum))
  db.setPlainText(args.memory, args.start(1), args.end(1), digits, 0, digits.length)
  if (entry === NO_ENTRY) context.created(1)
  context.changed(1, 'string', 'incrbyfloat')
  context.propagateAs(['SET', args.copy(1), digits, 'KEEPTTL'])
  context.reply.bulk(digits)
}

function addFinite(a: LongDouble | typeof INFINITY, b: LongDouble | typeof INFINITY): LongDouble | undefined {
  return a === INFINITY || b === INFINITY ? undefined : addLongDoubles(a, b)
}

export const counterCommands: readonly Command[] = [
  {
    name: 'decr',
    arity: 2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'string',
    run: decr,
  },
  {
    name: 'decrby',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'string',
    run: decrby,
  },
  {
    name: 'incr',
    arity: 2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'string',
    run: incr,
  },
  {
    name: 'incrby',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'string',
    run: incrby,
  },
  {
    name: 'incrbyfloat',
    arity: 3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['string'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'string',
    run: incrbyfloat,
  },
]
