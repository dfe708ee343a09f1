/** Hashes (Redis's t_hash.c), but for those commands that compute with a field: they are in `hash-counter.ts`. */
import { globMatch } from '../data/glob.ts'
import type { Reply } from '../resp/reply.ts'
import { HashValue, NO_FIELD } from '../store/hash-value.ts'
import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors, wrongArity } from './errors.ts'
import { sendDraws } from './long-reply.ts'
import { int64Argument } from './number-argument.ts'
import { readScanOptions, scanCursor } from './scan-options.ts'

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** True, and the error answered, when there is a value that is not a hash. */
export function isOtherType(context: Context, entry: Entry): boolean {
  if (entry === NO_ENTRY || context.db.type(entry) === ValueType.hash) return false
  context.reply.error(errors.wrongType)
  return true
}

export function hashAt(context: Context, entry: Entry): HashValue {
  return context.db.aggregate(entry) as HashValue
}

/** The hash of argument 1 to read from; `none` answers when there is none. Undefined when it has been answered. */
function readHash(context: Context, none: (reply: Reply) => void): HashValue | undefined {
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return undefined
  if (entry !== NO_ENTRY) return hashAt(context, entry)
  none(context.reply)
  return undefined
}

const sayNil = (reply: Reply): void => reply.nil()
const sayZero = (reply: Reply): void => reply.integer(0)
const sayEmpty = (reply: Reply): void => reply.array(0)
const sayEmptyMap = (reply: Reply): void => reply.map(0)

export function findField(hash: HashValue, args: Arguments, index: number): number {
  return hash.find(args.memory, args.start(index), args.end(index))
}

/** Makes the hash of argument 1 if there is none. Undefined after a type error was answered. */
export function claimHash(context: Context, entry: Entry): Entry | undefined {
  if (isOtherType(context, entry)) return undefined
  const { args, db } = context
  if (entry !== NO_ENTRY) {
    db.willChange(entry)
    return entry
  }
  const made = db.setAggregate(args.memory, args.start(1), args.end(1), HashValue.empty())
  context.created(1)
  return made
}

/** Writes argument `index` + 1 into the field of argument `index`. True when the field is new. */
function setField(context: Context, hash: HashValue, args: Arguments, index: number): boolean {
  const { memory } = args
  const settings = context.server.aggregateSettings
  const [fieldStart, fieldEnd] = [args.start(index), args.end(index)]
  return hash.set(settings, memory, fieldStart, fieldEnd, memory, args.start(index + 1), args.end(index + 1))
}

function writePairs(context: Context, args: Arguments): number | undefined {
  if (args.count % 2 === 1) {
    context.reply.error(wrongArity(context.command.name))
    return undefined
  }
  const entry = claimHash(context, context.lookupWrite(1))
  if (entry === undefined) return undefined
  const hash = hashAt(context, entry)
  let created = 0
  for (let i = 2; i < args.count; i += 2) if (setField(context, hash, args, i)) created++
  context.db.changed(entry)
  context.changed(1, 'hash', 'hset')
  // Each pair counts as a change; one of them was counted with the key.
  context.dirty(args.count / 2 - 2)
  return created
}

function hset(context: Context, args: Arguments): void {
  const created = writePairs(context, args)
  if (created !== undefined) context.reply.integer(created)
}

function hmset(context: Context, args: Arguments): void {
  if (writePairs(context, args) !== undefined) context.reply.ok()
}

function hsetnx(context: Context, args: Arguments): void {
  const found = context.lookupWrite(1)
  if (isOtherType(context, found)) return
  if (found !== NO_ENTRY && findField(hashAt(context, found), args, 2) !== NO_FIELD) {
    context.reply.integer(0)
    return
  }
  const entry = claimHash(context, found)
  if (entry === undefined) return
  setField(context, hashAt(context, entry), args, 2)
  context.db.changed(entry)
  context.changed(1, 'hash', 'hset')
  context.reply.integer(1)
}

function hget(context: Context, args: Arguments): void {
  const hash = readHash(context, sayNil)
  if (hash !== undefined) sendFieldValue(context.reply, hash, findField(hash, args, 2))
}

function sendFieldValue(reply: Reply, hash: HashValue, place: number): void {
  if (place === NO_FIELD) reply.nil()
  else hash.sendValue(place, reply)
}

function hmget(context: Context, args: Arguments): void {
  const { reply } = context
  const entry = context.lookupRead(1)
  if (isOtherType(context, entry)) return
  const hash = entry === NO_ENTRY ? undefined : hashAt(context, entry)
  reply.array(args.count - 2)
  for (let i = 2; i < args.count; i++) {
    if (hash === undefined) reply.nil()
    else sendFieldValue(reply, hash, findField(hash, args, i))
  }
}

function hgetall(context: Context): void {
  const hash = readHash(context, sayEmptyMap)
  if (hash === undefined) return
  const { reply } = context
  reply.map(hash.size)
  for (let place = hash.first(); place !== NO_FIELD; place = hash.next(place)) {
    hash.sendField(place, reply)
    hash.sendValue(place, reply)
  }
}

function hkeys(context: Context): void {
  const hash = readHash(context, sayEmpty)
  if (hash === undefined) return
  context.reply.array(hash.size)
  for (let place = hash.first(); place !== NO_FIELD; place = hash.next(place)) hash.sendField(place, context.reply)
}

function hvals(context: Context): void {
  const hash = readHash(context, sayEmpty)
  if (hash === undefined) return
  context.reply.array(hash.size)
  for (let place = hash.first(); place !== NO_FIELD; place = hash.next(place)) hash.sendValue(place, context.reply)
}

function hlen(context: Context): void {
  const hash = readHash(context, sayZero)
  if (hash !== undefined) context.reply.integer(hash.size)
}

function hstrlen(context: Context, args: Arguments): void {
  const hash = readHash(context, sayZero)
  if (hash === undefined) return
  const place = findField(hash, args, 2)
  context.reply.integer(place === NO_FIELD ? 0 : hash.valueLength(place))
}

function hexists(context: Context, args: Arguments): void {
  const hash = readHash(context, sayZero)
  if (hash !== undefined) context.reply.integer(findField(hash, args, 2) === NO_FIELD ? 0 : 1)
}

function hdel(context: Context, args: Arguments): void {
  const { db } = context
  const entry = context.lookupWrite(1)
  if (entry === NO_ENTRY) {
    context.reply.integer(0)
    return
  }
  if (isOtherType(context, entry)) return
  const hash = hashAt(context, entry)
  let removed = 0
  for (let i = 2; i < args.count && hash.size > 0; i++) {
    const place = findField(hash, args, i)
    if (place === NO_FIELD) continue
    if (removed === 0) db.willChange(entry)
    hash.remove(place)
    removed++
  }
  if (removed > 0) {
    db.changed(entry)
    context.changed(1, 'hash', 'hdel')
    context.dirty(removed - 1)
    if (hash.size === 0) {
      db.remove(entry)
      context.notify('generic', 'del', args.copy(1))
    }
  }
  context.reply.integer(removed)
}

function hrandfield(context: Context, args: Arguments): void {
  if (args.count === 2) {
    const hash = readHash(context, sayNil)
    if (hash !== undefined) hash.sendField(hash.random(drawOf(context)), context.reply)
    return
  }
  const count = int64Argument(context, args, 2)
  if (count === undefined) return
  if (count === INT64_MIN) {
    context.reply.error(`ERR value is out of range, value must between -${INT64_MAX} and ${INT64_MAX}`)
    return
  }
  const withValues = args.count === 4 && args.is(3, 'withvalues')
  if (args.count > 3 && !withValues) {
    context.reply.error(errors.syntax)
    return
  }
  if (withValues && (count > INT64_MAX / 2n || count < -(INT64_MAX / 2n))) {
    context.reply.error('ERR value is out of range')
    return
  }
  const hash = readHash(context, sayEmpty)
  if (hash === undefined) return
  if (count < 0) sendDrawn(context, hash, -count, withValues)
  else sendRandom(context, hash, Number(count), withValues)
}

function drawOf(context: Context): (limit: number) => number {
  return (limit) => context.server.io.random.below(limit)
}

/** So many draws, which may give a field again. */
function sendDrawn(context: Context, hash: HashValue, count: bigint, withValues: boolean): void {
  const draw = drawOf(context)
  const pairs = withValues && context.reply.protocol === 3
  sendDraws(context, { count, partsEach: withValues && !pairs ? 2 : 1 }, (kept) => {
    const source = kept ? hash.clone() : hash
    return (reply) => {
      const place = source.random(draw)
      if (pairs) reply.array(2)
      source.sendField(place, reply)
      if (withValues) source.sendValue(place, reply)
    }
  })
}

function sendRandom(context: Context, hash: HashValue, count: number, withValues: boolean): void {
  const { reply } = context
  const draw = drawOf(context)
  const pairs = withValues && reply.protocol === 3
  const length = Math.min(count, hash.size)
  reply.array(withValues && !pairs ? length * 2 : length)
  const send = (place: number): void => {
    if (pairs) reply.array(2)
    hash.sendField(place, reply)
    if (withValues) hash.sendValue(place, reply)
  }
  sendDifferent(hash, length, draw, send)
}

/** `count` different fields in the order of the hash: each field is taken with the chance that still fits. */
function sendDifferent(
  hash: HashValue,
  count: number,
  draw: (limit: number) => number,
  send: (place: number) => void,
): void {
  if (count * 3 < hash.size && hash.listpack === undefined) {
    const taken = new Set<number>()
    while (taken.size < count) {
      const place = hash.random(draw)
      if (!taken.has(place)) send(place)
      taken.add(place)
    }
    return
  }
  let missing = count
  let left = hash.size
  for (let place = hash.first(); place !== NO_FIELD && missing > 0; place = hash.next(place)) {
    if (missing === left || draw(left) < missing) {
      send(place)
      missing--
    }
    left--
  }
}

function hscan(context: Context, args: Arguments): void {
  const { reply } = context
  const cursor = scanCursor(args.latin1(2))
  if (cursor === undefined) {
    reply.error('ERR invalid cursor')
    return
  }
  const entry = context.lookupRead(1)
  if (entry === NO_ENTRY) {
    reply.array(2)
    reply.text('0')
    reply.array(0)
    return
  }
  if (isOtherType(context, entry)) return
  const options = readScanOptions(context, args, 3, false)
  if (options === undefined) return
  const hash = hashAt(context, entry)
  const { pattern } = options
  const found: number[] = []
  const next = hash.scan(Number(BigInt.asUintN(32, cursor)), options.count, (place) => {
    if (pattern === undefined || globMatch(pattern, Buffer.from(hash.field(place), 'latin1'))) found.push(place)
  })
  reply.array(2)
  reply.text(String(next))
  reply.array(found.length * 2)
  for (const place of found) {
    hash.sendField(place, reply)
    hash.sendValue(place, reply)
  }
}

export const hashCommands: readonly Command[] = [
  {
    name: 'hdel',
    arity: -3,
    flags: ['write', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RW', 'delete'),
    group: 'hash',
    run: hdel,
  },
  {
    name: 'hexists',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RO'),
    group: 'hash',
    run: hexists,
  },
  {
    name: 'hget',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RO', 'access'),
    group: 'hash',
    run: hget,
  },
  {
    name: 'hgetall',
    arity: 2,
    flags: ['readonly'],
    categories: ['hash'],
    keySpecs: oneKey('RO', 'access'),
    group: 'hash',
    tips: ['nondeterministic_output_order'],
    run: hgetall,
  },
  {
    name: 'hkeys',
    arity: 2,
    flags: ['readonly'],
    categories: ['hash'],
    keySpecs: oneKey('RO', 'access'),
    group: 'hash',
    tips: ['nondeterministic_output_order'],
    run: hkeys,
  },
  {
    name: 'hlen',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RO'),
    group: 'hash',
    run: hlen,
  },
  {
    name: 'hmget',
    arity: -3,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RO', 'access'),
    group: 'hash',
    run: hmget,
  },
  {
    name: 'hmset',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RW', 'update'),
    group: 'hash',
    run: hmset,
  },
  {
    name: 'hrandfield',
    arity: -2,
    flags: ['readonly'],
    categories: ['hash'],
    keySpecs: oneKey('RO', 'access'),
    group: 'hash',
    tips: ['nondeterministic_output'],
    run: hrandfield,
  },
  {
    name: 'hscan',
    arity: -3,
    flags: ['readonly'],
    categories: ['hash'],
    keySpecs: oneKey('RO', 'access'),
    group: 'hash',
    tips: ['nondeterministic_output'],
    run: hscan,
  },
  {
    name: 'hset',
    arity: -4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RW', 'update'),
    group: 'hash',
    run: hset,
  },
  {
    name: 'hsetnx',
    arity: 4,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RW', 'insert'),
    group: 'hash',
    run: hsetnx,
  },
  {
    name: 'hstrlen',
    arity: 3,
    flags: ['readonly', 'fast'],
    categories: ['hash'],
    keySpecs: oneKey('RO'),
    group: 'hash',
    run: hstrlen,
  },
  {
    name: 'hvals',
    arity: 2,
    flags: ['readonly'],
    categories: ['hash'],
    keySpecs: oneKey('RO', 'access'),
    group: 'hash',
    tips: ['nondeterministic_output_order'],
    run: hvals,
  },
]
