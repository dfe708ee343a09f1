/**
 * BITFIELD: integers of any width up to 64 bits at any bit of a string. Signed ones may have 64 bits, unsigned ones 63.
 */
import { NO_ENTRY } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import type { KeyPosition } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { int64Argument } from './number-argument.ts'
import { isOtherType } from './string.ts'

type Overflow = 'wrap' | 'sat' | 'fail'

interface FieldOperation {
  name: 'get' | 'set' | 'incrby'
  signed: boolean
  bits: number
  offset: number
  value: bigint
  overflow: Overflow
}

const EMPTY = Buffer.alloc(0)

export function bitfield(context: Context, args: Arguments): void {
  run(context, args, false)
}

export function bitfieldReadOnly(context: Context, args: Arguments): void {
  run(context, args, true)
}

function run(context: Context, args: Arguments, readOnly: boolean): void {
  const operations = readOperations(context, args, readOnly)
  if (operations === undefined) return
  const writes = operations.filter(({ name }) => name !== 'get')
  const { db, reply } = context
  let entry = writes.length > 0 ? context.lookupWrite(1) : context.lookupRead(1)
  if (isOtherType(context, entry)) return
  let bytes = entry === NO_ENTRY ? EMPTY : db.peekText(entry)
  const oldLength = bytes.length
  if (writes.length > 0) {
    if (entry === NO_ENTRY) {
      entry = db.setPlainText(args.memory, args.start(1), args.end(1), EMPTY, 0, 0)
      context.created(1)
    }
    const end = Math.max(...writes.map(({ offset, bits }) => offset + bits))
    bytes = db.editText(entry, Math.ceil(end / 8))
  }
  let changes = 0
  reply.array(operations.length)
  for (const operation of operations) if (apply(context, bytes, operation)) changes++
  if (changes > 0 || bytes.length !== oldLength) {
    context.changed(1, 'string', 'setbit')
    context.dirty(Math.max(0, changes - 1))
  }
}

/** Answers one operation; true when it wrote something else than there was. */
function apply(context: Context, bytes: Buffer, operation: FieldOperation): boolean {
  const { name, signed, bits, offset, value } = operation
  const before = readField(bytes, offset, bits, signed)
  if (name === 'get') {
    context.reply.integer(before)
    return false
  }
  // SET reads its number as unsigned when the field is: a negative one is far above the field's range.
  const given = signed ? value : BigInt.asUintN(64, value)
  const wanted = name === 'set' ? given : before + value
  const stored = narrowed(wanted, operation)
  if (stored === undefined) {
    context.reply.nil()
    return false
  }
  context.reply.integer(name === 'set' ? before : stored)
  writeField(bytes, offset, bits, stored)
  return stored !== before
}

/** The value as the field can hold it, by the rule for overflows; undefined when it must fail. */
function narrowed(value: bigint, { signed, bits, overflow }: FieldOperation): bigint | undefined {
  const max = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n
  const min = signed ? -(1n << BigInt(bits - 1)) : 0n
  if (value >= min && value <= max) return value
  if (overflow === 'fail') return undefined
  if (overflow === 'sat') return value > max ? max : min
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
}

function readField(bytes: Buffer, offset: number, bits: number, signed: boolean): bigint {
  let value = 0n
  for (let bit = offset; bit < offset + bits; bit++) {
    const byte = bytes[Math.floor(bit / 8)] ?? 0
    value = (value << 1n) | BigInt((byte >> (7 - (bit % 8))) & 1)
  }
  return signed ? BigInt.asIntN(bits, value) : value
}

function writeField(bytes: Buffer, offset: number, bits: number, value: bigint): void {
  let rest = BigInt.asUintN(bits, value)
  for (let bit = offset + bits - 1; bit >= offset; bit--) {
    const place = Math.floor(bit / 8)
    const mask = 128 >> (bit % 8)
    bytes[place] = (rest & 1n) === 1n ? (bytes[place] as number) | mask : (bytes[place] as number) & ~mask
    rest >>= 1n
  }
}

/** Undefined after an error was answered. */
function readOperations(context: Context, args: Arguments, readOnly: boolean): FieldOperation[] | undefined {
  const operations: FieldOperation[] = []
  let overflow: Overflow = 'wrap'
  for (let i = 2; i < args.count; ) {
    const left = args.count - i - 1
    if (args.is(i, 'overflow') && left >= 1) {
      const word = args.latin1(i + 1).toLowerCase()
      if (word !== 'wrap' && word !== 'sat' && word !== 'fail') {
        context.reply.error('ERR Invalid OVERFLOW type specified')
        return undefined
      }
      overflow = word
      i += 2
      continue
    }
    const name = args.is(i, 'get') ? 'get' : args.is(i, 'set') ? 'set' : args.is(i, 'incrby') ? 'incrby' : undefined
    if (name === undefined || left < (name === 'get' ? 2 : 3)) {
      context.reply.error(errors.syntax)
      return undefined
    }
    const operation = readOperation(context, args, i, name, overflow)
    if (operation === undefined) return undefined
    operations.push(operation)
    i += name === 'get' ? 3 : 4
  }
  if (!readOnly || operations.every(({ name }) => name === 'get')) return operations
  context.reply.error('ERR BITFIELD_RO only supports the GET subcommand')
  return undefined
}

function readOperation(
  context: Context,
  args: Arguments,
  index: number,
  name: FieldOperation['name'],
  overflow: Overflow,
): FieldOperation | undefined {
  const type = /^([iu])([1-9]\d?)$/.exec(args.latin1(index + 1))
  const signed = type?.[1] === 'i'
  const bits = Number(type?.[2])
  if (type === null || bits > (signed ? 64 : 63)) {
    context.reply.error(
      'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
    )
    return undefined
  }
  const offset = readOffset(context, args.latin1(index + 2), bits)
  if (offset === undefined) return undefined
  const value = name === 'get' ? 0n : int64Argument(context, args, index + 3)
  return value === undefined ? undefined : { name, signed, bits, offset, value, overflow }
}

/** `#3` means the third field of this width. */
function readOffset(context: Context, text: string, bits: number): number | undefined {
  const match = /^(#?)(0|[1-9]\d{0,15})$/.exec(text)
  const offset = match === null ? Number.NaN : Number(match[2]) * (match[1] === '#' ? bits : 1)
  const isFree = context.client.kind === 'primary'
  if (offset >= 0 && (isFree || offset / 8 < context.server.config.values['proto-max-bulk-len'])) return offset
  context.reply.error('ERR bit offset is not an integer or out of range')
  return undefined
}

/** The key is only read when all that is said is GET. */
export function bitfieldKeys(args: Arguments): KeyPosition[] {
  let reads = true
  for (let i = 2; i < args.count && reads; i++) {
    const left = args.count - i - 1
    if (args.is(i, 'get') && left >= 2) i += 2
    else if (args.is(i, 'overflow') && left >= 1) i++
    else reads = false
  }
  return [{ index: 1, flags: reads ? ['RO', 'access'] : ['RW', 'access', 'update'] }]
}
