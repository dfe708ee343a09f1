/** Fields of hashes as numbers. HINCRBYFLOAT computes with x86's long doubles and is propagated as its result. */
import { parseInt64 } from '../data/decimal.ts'
import { addLongDoubles, formatLongDouble, INFINITY, parseLongDouble } from '../data/long-double.ts'
import { NO_FIELD } from '../store/hash-value.ts'
import { type Entry, NO_ENTRY } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { claimHash, findField, hashAt, isOtherType } from './hash.ts'
import { int64Argument } from './number-argument.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** Writes a number that was computed into the field of argument 2. */
function storeNumber(context: Context, args: Arguments, entry: Entry, digits: Buffer, event: string): void {
  const { server, db } = context
  hashAt(context, entry).set(
    server.aggregateSettings,
    args.memory,
    args.start(2),
    args.end(2),
    digits,
    0,
    digits.length,
  )
  db.changed(entry)
  context.changed(1, 'hash', event)
}

/** The text in the field of argument 2, or `0`. Undefined after a type error was answered. */
function numberText(context: Context, args: Arguments, entry: Entry): string | undefined {
  if (isOtherType(context, entry)) return undefined
  if (entry === NO_ENTRY) return '0'
  const hash = hashAt(context, entry)
  const place = findField(hash, args, 2)
  return place === NO_FIELD ? '0' : hash.value(place)
}

function hincrby(context: Context, args: Arguments): void {
  const { reply } = context
  const amount = int64Argument(context, args, 3)
  if (amount === undefined) return
  const found = context.lookupWrite(1)
  const text = numberText(context, args, found)
  if (text === undefined) return
  const bytes = Buffer.from(text, 'latin1')
  const value = parseInt64(bytes, 0, bytes.length)
  if (value === undefined) {
    reply.error('ERR hash value is not an integer')
    return
  }
  const sum = value + amount
  if (sum > INT64_MAX || sum < INT64_MIN) {
    reply.error(errors.overflow)
    return
  }
  const entry = claimHash(context, found)
  if (entry === undefined) return
  storeNumber(context, args, entry, Buffer.from(sum.toString()), 'hincrby')
  reply.integer(sum)
}

function hincrbyfloat(context: Context, args: Arguments): void {
  const amount = parseLongDouble(args.latin1(3))
  if (amount === undefined) {
    context.reply.error(errors.notFloat)
    return
  }
  if (amount === INFINITY) {
    context.reply.error('ERR value is NaN or Infinity')
    return
  }
  const found = context.lookupWrite(1)
  const text = numberText(context, args, found)
  if (text === undefined) return
  const value = parseLongDouble(text)
  if (value === undefined) {
    context.reply.error('ERR hash value is not a float')
    return
  }
  const sum = value === INFINITY ? undefined : addLongDoubles(value, amount)
  if (sum === undefined) {
    context.reply.error('ERR increment would produce NaN or Infinity')
    return
  }
  const entry = claimHash(context, found)
  if (entry === undefined) return
  const digits = Buffer.from(formatLongDouble(sum))
  storeNumber(context, args, entry, digits, 'hincrbyfloat')
  context.propagateAs(['HSET', args.copy(1), args.copy(2), digits])
  context.reply.bulk(digits)
}

export const hashCounterCommands: readonly Command[] = [
  {
    name: 'hincrby',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'hash',
    run: hincrby,
  },
  {
    name: 'hincrbyfloat',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'hash',
    run: hincrbyfloat,
  },
]
