/**
 * HyperLogLogs: strings that count different elements (Redis's hyperloglog.c). A dense one is changed where it is
 * stored; a sparse one, which is short, is copied, changed and stored again.
 */
import {
  CorruptHyperLogLog,
  countRegisters,
  denseRegister,
  emptyHyperLogLog,
  HyperLogLog,
  isHyperLogLog,
  REGISTERS,
} from '../data/hyperloglog.ts'
import { type Entry, NO_ENTRY } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import { type Command, keyRange, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { isOtherType } from './string.ts'

const NO_HYPERLOGLOG = 'WRONGTYPE Key is not a valid HyperLogLog string value.'
const CORRUPT = 'INVALIDOBJ Corrupted HLL object detected'

/** True, and the error answered, when the value at `entry`, which exists, is none. */
function isSomethingElse(context: Context, entry: Entry): boolean {
  if (isOtherType(context, entry)) return true
  if (isHyperLogLog(context.db.peekText(entry))) return false
  context.reply.error(NO_HYPERLOGLOG)
  return true
}

/** To be read only: its bytes are valid until the next call of a method of the database. */
function readHyperLogLog(context: Context, entry: Entry): HyperLogLog {
  return new HyperLogLog(context.db.peekText(entry), 0)
}

/** To be changed, then given to `store`. Like Redis this makes the string a raw one. */
function openHyperLogLog(context: Context, entry: Entry): HyperLogLog {
  const limit = context.server.config.values['hll-sparse-max-bytes']
  const window = context.db.editText(entry, 0)
  const stored = new HyperLogLog(window, limit)
  return stored.isDense ? stored : new HyperLogLog(Buffer.from(window), limit)
}

/** Puts back what was opened, if it is not still in its place. */
function store(context: Context, keyIndex: number, entry: Entry, { bytes }: HyperLogLog): void {
  const { args, db } = context
  const window = db.peekText(entry)
  if (window.length === bytes.length && window.buffer === bytes.buffer && window.byteOffset === bytes.byteOffset) return
  db.editText(
    db.setPlainText(args.memory, args.start(keyIndex), args.end(keyIndex), bytes, 0, bytes.length),
    bytes.length,
  )
}

function create(context: Context, keyIndex: number): Entry {
  const { args, db } = context
  const bytes = emptyHyperLogLog()
  const entry = db.setPlainText(args.memory, args.start(keyIndex), args.end(keyIndex), bytes, 0, bytes.length)
  context.created(keyIndex)
  return entry
}

/** Runs `body`; false after the error was answered that registers were corrupt. */
function succeeds(context: Context, body: () => void): boolean {
  try {
    body()
    return true
  } catch (error) {
    if (!(error instanceof CorruptHyperLogLog)) throw error
    context.reply.error(CORRUPT)
    return false
  }
}

function pfadd(context: Context, args: Arguments): void {
  const found = context.lookupWrite(1)
  if (found !== NO_ENTRY && isSomethingElse(context, found)) return
  const entry = found === NO_ENTRY ? create(context, 1) : found
  const counter = openHyperLogLog(context, entry)
  let updated = 0
  const isDone = succeeds(context, () => {
    for (let i = 2; i < args.count; i++) if (counter.add(args.memory, args.start(i), args.end(i))) updated++
  })
  if (found === NO_ENTRY) updated++
  if (updated > 0 && isDone) counter.forgetCardinality()
  if (updated > 0) store(context, 1, entry, counter)
  if (!isDone) return
  if (updated > 0) {
    context.changed(1, 'string', 'pfadd')
    context.dirty(updated - 1)
  }
  context.reply.integer(updated > 0 ? 1 : 0)
}

/** Raises `registers` to those of all keys from argument `first` on; false after an error was answered. */
function mergeAll(context: Context, args: Arguments, registers: Uint8Array, visit?: (one: HyperLogLog) => void) {
  for (let i = 1; i < args.count; i++) {
    const entry = context.lookupRead(i)
    if (entry === NO_ENTRY) continue
    if (isSomethingElse(context, entry)) return false
    const counter = readHyperLogLog(context, entry)
    visit?.(counter)
    if (!succeeds(context, () => counter.mergeInto(registers))) return false
  }
  return true
}

function pfcount(context: Context, args: Arguments): void {
  const { reply } = context
  if (args.count > 2) {
    const registers = new Uint8Array(REGISTERS)
    if (mergeAll(context, args, registers)) reply.integer(countRegisters(registers))
    return
  }
  const entry = context.lookupRead(1)
  if (entry === NO_ENTRY) {
    reply.integer(0)
    return
  }
  if (isSomethingElse(context, entry)) return
  const counter = openHyperLogLog(context, entry)
  const known = counter.knownCardinality
  if (known !== undefined) {
    reply.integer(known)
    return
  }
  succeeds(context, () => {
    const cardinality = counter.count()
    counter.remember(cardinality)
    store(context, 1, entry, counter)
    context.touched(1)
    reply.integer(cardinality)
  })
}

function pfmerge(context: Context, args: Arguments): void {
  const registers = new Uint8Array(REGISTERS)
  let isDense = false
  const isMerged = mergeAll(context, args, registers, (one) => {
    isDense ||= one.isDense
  })
  if (!isMerged) return
  const found = context.lookupWrite(1)
  const entry = found === NO_ENTRY ? create(context, 1) : found
  const counter = openHyperLogLog(context, entry)
  if (isDense) counter.becomeDense()
  registers.forEach((count, register) => {
    if (count > 0) counter.raise(register, count)
  })
  counter.forgetCardinality()
  store(context, 1, entry, counter)
  context.changed(1, 'string', 'pfadd')
  context.reply.ok()
}

function pfdebug(context: Context, args: Arguments): void {
  const { reply } = context
  const entry = context.lookupWrite(2)
  if (entry === NO_ENTRY) {
    reply.error('ERR The specified key does not exist')
    return
  }
  if (isSomethingElse(context, entry)) return
  const counter = openHyperLogLog(context, entry)
  if (args.is(1, 'getreg')) sendRegisters(context, entry, counter)
  else if (args.is(1, 'encoding')) reply.simple(counter.isDense ? 'dense' : 'sparse')
  else if (args.is(1, 'todense')) {
    const wasDense = counter.isDense
    if (makeDense(context, entry, counter)) reply.integer(wasDense ? 0 : 1)
  } else if (!args.is(1, 'decode')) reply.error(`ERR Unknown PFDEBUG subcommand '${args.latin1(1)}'`)
  else if (counter.isDense) reply.error('ERR HLL encoding is not sparse')
  else reply.text(counter.describeRuns())
}

/** False after an error was answered. A change of the form is told to replicas. */
function makeDense(context: Context, entry: Entry, counter: HyperLogLog): boolean {
  if (counter.isDense) return true
  if (!succeeds(context, () => counter.becomeDense())) return false
  store(context, 2, entry, counter)
  context.dirty(1)
  return true
}

function sendRegisters(context: Context, entry: Entry, counter: HyperLogLog): void {
  if (!makeDense(context, entry, counter)) return
  context.reply.array(REGISTERS)
  for (let i = 0; i < REGISTERS; i++) context.reply.integer(denseRegister(counter.bytes, i))
}

/** Counts numbers in both forms: they must have the same registers, and the estimate must be near the truth. */
function pfselftest({ reply }: Context): void {
  const sparse = new HyperLogLog(emptyHyperLogLog(), SELF_TEST_SPARSE_BYTES)
  const dense = new HyperLogLog(emptyHyperLogLog(), 0)
  dense.becomeDense()
  for (let i = 1; i <= SELF_TEST_ELEMENTS; i++) {
    const element = Buffer.from(`element ${i}`)
    sparse.add(element, 0, element.length)
    dense.add(element, 0, element.length)
    if ((i & (i - 1)) !== 0) continue
    const [one, other] = [Number(sparse.count()), Number(dense.count())]
    // The standard error is 1.04/√16384 = 0.8 %.
    if (one !== other || Math.abs(one - i) > Math.ceil(i * 0.05)) {
      reply.error(`ERR TESTFAILED ${i} elements were counted as ${one} (sparse) and ${other} (dense)`)
      return
    }
  }
  reply.ok()
}

const SELF_TEST_ELEMENTS = 65_536
const SELF_TEST_SPARSE_BYTES = 3000

export const hyperloglogCommands: readonly Command[] = [
  {
    name: 'pfadd',
    arity: -2,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hyperloglog'],
    keySpecs: oneKey('RW', 'insert'),
    group: 'hyperloglog',
    run: pfadd,
  },
  {
    name: 'pfcount',
    traits: ['mayReplicate'],
    arity: -2,
    flags: ['readonly'],
    categories: ['hyperloglog'],
    keySpecs: keyRange(1, -1, 1, 'RW', 'access').map((spec) => ({
      ...spec,
      notes: 'RW because it may change the internal representation of the key, and propagate to replicas',
    })),
    group: 'hyperloglog',
    run: pfcount,
  },
  {
    name: 'pfdebug',
    arity: 3,
    flags: ['write', 'denyoom', 'admin'],
    categories: ['hyperloglog'],
    keySpecs: keyRange(2, 2, 1, 'RW', 'access'),
    group: 'hyperloglog',
    run: pfdebug,
  },
  {
    name: 'pfmerge',
    arity: -2,
    flags: ['write', 'denyoom'],
    categories: ['hyperloglog'],
    keySpecs: [...oneKey('RW', 'access', 'insert'), ...keyRange(2, -1, 1, 'RO', 'access')],
    group: 'hyperloglog',
    run: pfmerge,
  },
  {
    name: 'pfselftest',
    arity: 1,
    flags: ['admin'],
    categories: ['hyperloglog'],
    group: 'hyperloglog',
    run: pfselftest,
  },
]
