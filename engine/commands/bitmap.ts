/**
 * Strings as arrays of bits (Redis's bitops.c): bit 0 is the most significant one of the first byte.
 */
import type { BitOperation } from '../data/bit-program.ts'
import { combineBits, combinePart, countSetBits, PART_BYTES, skipBytes } from '../data/bit-words.ts'
import { type Entry, MOVABLE_BYTES_MAX, NO_ENTRY } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import { bitfield, bitfieldKeys, bitfieldReadOnly } from './bitfield.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'
import { isOtherType } from './string.ts'

const EMPTY = Buffer.alloc(0)
const BAD_OFFSET = 'ERR bit offset is not an integer or out of range'
const BAD_BIT = 'ERR bit is not an integer or out of range'

/** Argument `index` as a bit's place; NaN after the error was answered. */
function offsetArgument(context: Context, args: Arguments, index: number): number {
  const offset = numberArgument(context, args, index, BAD_OFFSET)
  if (Number.isNaN(offset)) return offset
  const { server, client } = context
  const tooLong = client.kind !== 'primary' && offset / 8 >= server.config.values['proto-max-bulk-len']
  if (offset >= 0 && !tooLong) return offset
  context.reply.error(BAD_OFFSET)
  return Number.NaN
}

function setbit(context: Context, args: Arguments): void {
  const offset = offsetArgument(context, args, 2)
  if (Number.isNaN(offset)) return
  const bit = numberArgument(context, args, 3, BAD_BIT)
  if (Number.isNaN(bit)) return
  if (bit !== 0 && bit !== 1) {
    context.reply.error(BAD_BIT)
    return
  }
  const found = context.lookupWrite(1)
  if (isOtherType(context, found)) return
  const place = Math.floor(offset / 8)
  const oldLength = found === NO_ENTRY ? 0 : context.db.textLength(found)
  const bytes = context.db.editText(makeText(context, args, found), place + 1)
  const mask = 128 >> (offset % 8)
  const before = ((bytes[place] as number) & mask) === 0 ? 0 : 1
  if (before !== bit || bytes.length !== oldLength) {
    bytes[place] = bit === 1 ? (bytes[place] as number) | mask : (bytes[place] as number) & ~mask
    context.changed(1, 'string', 'setbit')
  }
  context.reply.integer(before)
}

/** The entry, or a new one with an empty string. */
function makeText(context: Context, args: Arguments, entry: Entry): Entry {
  if (entry !== NO_ENTRY) return entry
  const made = context.db.setPlainText(args.memory, args.start(1), args.end(1), EMPTY, 0, 0)
  context.created(1)
  return made
}

function getbit(context: Context, args: Arguments): void {
  const offset = offsetArgument(context, args, 2)
  if (Number.isNaN(offset)) return
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return
  const bytes = entry === NO_ENTRY ? EMPTY : context.db.peekText(entry)
  context.reply.integer(bitAt(bytes, offset))
}

function bitAt(bytes: Buffer, offset: number): number {
  return ((bytes[Math.floor(offset / 8)] ?? 0) >> (7 - (offset % 8))) & 1
}

/** First and last bit of a range, inclusive; empty when first > last. */
interface BitRange {
  first: number
  last: number
}

/** The unit at argument `index`: true for bits, undefined after an error was answered. */
function unitArgument(context: Context, args: Arguments, index: number): boolean | undefined {
  if (args.count <= index || args.is(index, 'byte')) return false
  if (args.is(index, 'bit')) return true
  context.reply.error(errors.syntax)
  return undefined
}

/**
 * `start end [BYTE|BIT]` of BITCOUNT; undefined after an error was answered. The unit is looked at last, as in Redis.
 */
function countRange(context: Context, args: Arguments, lengthBytes: number): BitRange | undefined {
  const start = numberArgument(context, args, 2)
  if (Number.isNaN(start)) return undefined
  const end = numberArgument(context, args, 3)
  if (Number.isNaN(end)) return undefined
  if (start < 0 && end < 0 && start > end) return { first: 1, last: 0 }
  const inBits = unitArgument(context, args, 4)
  return inBits === undefined ? undefined : bitRange(start, end, inBits, lengthBytes)
}

/** `start [end [BYTE|BIT]]` of BITPOS; here the unit comes before the end. */
function searchRange(context: Context, args: Arguments, lengthBytes: number): BitRange | undefined {
  const start = numberArgument(context, args, 3)
  if (Number.isNaN(start)) return undefined
  const inBits = unitArgument(context, args, 5)
  if (inBits === undefined) return undefined
  const end = args.count > 4 ? numberArgument(context, args, 4) : -1
  return Number.isNaN(end) ? undefined : bitRange(start, end, inBits, lengthBytes)
}

function bitRange(start: number, end: number, inBits: boolean, lengthBytes: number): BitRange {
  const total = inBits ? lengthBytes * 8 : lengthBytes
  const first = Math.max(0, start < 0 ? total + start : start)
  const last = Math.min(total - 1, Math.max(0, end < 0 ? total + end : end))
  return inBits ? { first, last } : { first: first * 8, last: last * 8 + 7 }
}

function bitcount(context: Context, args: Arguments): void {
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY) {
    context.reply.integer(0)
    return
  }
  if (args.count === 3 || args.count > 5) {
    context.reply.error(errors.syntax)
    return
  }
  const bytes = context.db.peekText(entry)
  const range = args.count === 2 ? { first: 0, last: bytes.length * 8 - 1 } : countRange(context, args, bytes.length)
  if (range !== undefined) context.reply.integer(countBits(bytes, range))
}

function countBits(bytes: Buffer, { first, last }: BitRange): number {
  if (first > last) return 0
  const [firstByte, lastByte] = [Math.floor(first / 8), Math.floor(last / 8)]
  let count = countSetBits(bytes, firstByte, lastByte + 1)
  for (let bit = firstByte * 8; bit < first; bit++) count -= bitAt(bytes, bit)
  for (let bit = last + 1; bit < (lastByte + 1) * 8; bit++) count -= bitAt(bytes, bit)
  return count
}

function bitpos(context: Context, args: Arguments): void {
  const bit = numberArgument(context, args, 2)
  if (Number.isNaN(bit)) return
  if (bit !== 0 && bit !== 1) {
    context.reply.error('ERR The bit argument must be 1 or 0.')
    return
  }
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return
  if (entry === NO_ENTRY) {
    context.reply.integer(bit === 1 ? -1 : 0)
    return
  }
  if (args.count > 6) {
    context.reply.error(errors.syntax)
    return
  }
  const bytes = context.db.peekText(entry)
  const range = args.count > 3 ? searchRange(context, args, bytes.length) : { first: 0, last: bytes.length * 8 - 1 }
  if (range === undefined) return
  const found = findBit(bytes, bit, range)
  // A string is followed by endless zeros, unless the range has an end of its own.
  const isOpen = bit === 0 && args.count < 5 && range.first <= range.last
  context.reply.integer(found < 0 && isOpen ? bytes.length * 8 : found)
}

function findBit(bytes: Buffer, bit: number, { first, last }: BitRange): number {
  const without = bit === 1 ? 0 : 255
  for (let at = first; at <= last; ) {
    if (at % 8 === 0 && bytes[at / 8] === without) at = skipBytes(bytes, without, at / 8, Math.floor(last / 8) + 1) * 8
    else if (bitAt(bytes, at) === bit) return at
    else at++
  }
  return -1
}

const operations = ['and', 'or', 'xor', 'not'] as const

function bitop(context: Context, args: Arguments): void {
  const operation = operations.find((name) => args.is(1, name))
  if (operation === undefined) {
    context.reply.error(errors.syntax)
    return
  }
  if (operation === 'not' && args.count !== 4) {
    context.reply.error('ERR BITOP NOT must be called with a single source key.')
    return
  }
  const sources = sourceTexts(context, args)
  if (sources !== undefined) storeResult(context, args, sources, operation)
}

/** Windows on the sources. */
function sourceTexts(context: Context, args: Arguments): Buffer[] | undefined {
  const entries: Entry[] = []
  for (let i = 3; i < args.count; i++) {
    const entry = context.lookupRead(i)
    if (isOtherType(context, entry)) return undefined
    entries.push(entry)
  }
  // Looking at one text leaves the windows on others where they are.
  return entries.map((entry) => (entry === NO_ENTRY ? EMPTY : context.db.peekText(entry)))
}

/** Shorter texts count as filled up with zeros. */
function storeResult(
  context: Context,
  args: Arguments,
  sources: readonly Buffer[],
  operation: BitOperation | 'not',
): void {
  const { db } = context
  const length = sources.reduce((longest, source) => Math.max(longest, source.length), 0)
  const existing = context.lookupWrite(2)
  if (length > 0) {
    computeResult(context, args, sources, operation, length)
    if (existing === NO_ENTRY) context.created(2)
    context.changed(2, 'string', 'set')
  } else if (existing !== NO_ENTRY) {
    db.remove(existing)
    context.changed(2, 'generic', 'del')
  }
  context.reply.integer(length)
}

/**
 * A long result may replace one of the sources while it is computed; short sources would not stay where they are then.
 */
function computeResult(
  { db }: Context,
  args: Arguments,
  sources: readonly Buffer[],
  operation: BitOperation | 'not',
  length: number,
): void {
  const [start, end] = [args.start(2), args.end(2)]
  if (length <= PART_BYTES) {
    const result = combinePart(sources, operation, 0, length)
    db.makeText(args.memory, start, end, length).set(result)
    return
  }
  const settled = sources.map((source) => (source.length > MOVABLE_BYTES_MAX ? source : Buffer.from(source)))
  combineBits(db.makeText(args.memory, start, end, length), settled, operation)
}

/** BITFIELD whose operations are all GET. */
function onlyReads(args: Arguments): boolean {
  for (let i = 2; i < args.count; ) {
    const left = args.count - 1 - i
    if (args.is(i, 'get') && left >= 2) i += 3
    else if (args.is(i, 'overflow') && left >= 1) i += 2
    else return false
  }
  return true
}

export const bitmapCommands: readonly Command[] = [
  {
    name: 'bitcount',
    arity: -2,
    flags: ['readonly'],
    categories: ['bitmap'],
    keySpecs: oneKey('RO', 'access'),
    group: 'bitmap',
    run: bitcount,
  },
  {
    name: 'bitfield',
    findKeys: bitfieldKeys,
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['bitmap'],
    keySpecs: [
      {
        flags: ['RW', 'access', 'update', 'variable_flags'],
        notes: 'This command allows both access and modification of the key',
        begin: { index: 1 },
        find: { lastKey: 0, step: 1, limit: 0 },
      },
    ],
    keyFlags: (args) => (onlyReads(args) ? ['RO', 'access'] : ['RW', 'access', 'update']),
    group: 'bitmap',
    run: bitfield,
  },
  {
    name: 'bitfield_ro',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['bitmap'],
    keySpecs: oneKey('RO', 'access'),
    group: 'bitmap',
    run: bitfieldReadOnly,
  },
  {
    name: 'bitop',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['bitmap'],
    keySpecs: [
      { flags: ['OW', 'update'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['RO', 'access'], begin: { index: 3 }, find: { lastKey: -1, step: 1, limit: 0 } },
    ],
    group: 'bitmap',
    run: bitop,
  },
  {
    name: 'bitpos',
    arity: -3,
    flags: ['readonly'],
    categories: ['bitmap'],
    keySpecs: oneKey('RO', 'access'),
    group: 'bitmap',
    run: bitpos,
  },
  {
    name: 'getbit',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['bitmap'],
    keySpecs: oneKey('RO', 'access'),
    group: 'bitmap',
    run: getbit,
  },
  {
    name: 'setbit',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['bitmap'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'bitmap',
    run: setbit,
  },
]
