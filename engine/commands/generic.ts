/**
 * Commands on keys of any type (the larger part of Redis's db.c). DUMP, RESTORE, MIGRATE and SORT have files of their
 * own.
 */
import { globMatch } from '../data/glob.ts'
import {
  type Aggregate,
  type Entry,
  type KeyspacePort,
  NO_ENTRY,
  ValueType,
  valueTypeNames,
} from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import { type Command, keyRange, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'
import { objectEncoding, objectFreq, objectHelp, objectIdletime, objectRefcount } from './object.ts'
import { lookupQuietly } from './quiet-lookup.ts'
import { readScanOptions, scanCursor } from './scan-options.ts'

function del(context: Context, args: Arguments): void {
  let removed = 0
  for (let i = 1; i < args.count; i++) {
    const entry = context.lookupWrite(i)
    if (entry === NO_ENTRY) continue
    context.db.remove(entry)
    context.changed(i, 'generic', 'del')
    removed++
  }
  context.reply.integer(removed)
}

/** UNLINK: there is nothing to do later, the collector does it; what Redis would have left to a thread is counted. */
function unlink(context: Context, args: Arguments): void {
  const { db, server } = context
  for (let i = 1; i < args.count; i++) {
    const entry = db.find(args.memory, args.start(i), args.end(i))
    if (entry === NO_ENTRY || db.type(entry) === ValueType.string) continue
    if ((db.aggregate(entry).parts ?? 1) > LAZY_PARTS) server.stats.lazilyFreedObjects++
  }
  del(context, args)
}

/** Values with more allocations than this are worth another thread to Redis. */
const LAZY_PARTS = 64

function exists(context: Context, args: Arguments): void {
  let found = 0
  for (let i = 1; i < args.count; i++) if (lookupQuietly(context, i) !== NO_ENTRY) found++
  context.reply.integer(found)
}

function touch(context: Context, args: Arguments): void {
  let found = 0
  for (let i = 1; i < args.count; i++) if (context.lookupRead(i) !== NO_ENTRY) found++
  context.reply.integer(found)
}

function type(context: Context): void {
  const entry = lookupQuietly(context, 1)
  context.reply.simple(entry === NO_ENTRY ? 'none' : valueTypeNames[context.db.type(entry)])
}

function isExpired(context: Context, db: KeyspacePort, entry: Entry): boolean {
  const expireAtMs = db.expireAtMs(entry)
  return expireAtMs >= 0 && expireAtMs < context.nowMs
}

function keys(context: Context, args: Arguments): void {
  const { db, reply } = context
  const pattern = args.view(1)
  const matchesAll = pattern.length === 1 && pattern[0] === 0x2a
  const found: Buffer[] = []
  db.scan(0n, Number.MAX_SAFE_INTEGER, (entry) => {
    const key = db.key(entry)
    if ((matchesAll || globMatch(pattern, key)) && !isExpired(context, db, entry)) found.push(key)
  })
  reply.array(found.length)
  for (const key of found) reply.bulk(key)
}

function scan(context: Context, args: Arguments): void {
  const cursor = scanCursor(args.latin1(1))
  if (cursor === undefined) {
    context.reply.error('ERR invalid cursor')
    return
  }
  const options = readScanOptions(context, args, 2, true)
  if (options === undefined) return
  const { db, reply } = context
  const seen: Buffer[] = []
  const next = db.scan(cursor, options.count, (entry) => {
    if (options.typeName !== undefined && valueTypeNames[db.type(entry)] !== options.typeName) return
    const key = db.key(entry)
    if (options.pattern === undefined || globMatch(options.pattern, key)) seen.push(key)
  })
  const found = seen.filter((key) => !removeIfExpired(context, key))
  reply.array(2)
  reply.text(next.toString())
  reply.array(found.length)
  for (const key of found) reply.bulk(key)
}

/** True when the key's time has come; a primary removes it then. */
function removeIfExpired(context: Context, key: Buffer): boolean {
  const entry = context.db.findKey(key)
  if (!isExpired(context, context.db, entry)) return false
  context.lookupKey(key, true)
  return true
}

/** How often an expired key is passed over on a replica, which cannot remove it. */
const RANDOM_KEY_TRIES = 100

function randomkey(context: Context): void {
  const { db, server, reply } = context
  for (let tries = 1; ; tries++) {
    const entry = db.randomEntry((limit) => server.io.random.below(limit))
    if (entry === NO_ENTRY) {
      reply.nil()
      return
    }
    const key = db.key(entry)
    const giveUp = tries >= RANDOM_KEY_TRIES && server.replication.role === 'replica'
    if (giveUp || !removeIfExpired(context, key)) {
      reply.bulk(key)
      return
    }
  }
}

/** A value with what belongs to it, taken out of its entry. */
interface DetachedValue {
  text: Buffer | undefined
  aggregate: Aggregate | undefined
  encoding: string
  expireAtMs: number
}

function detach(db: KeyspacePort, entry: Entry): DetachedValue {
  const isText = db.type(entry) === ValueType.string
  return {
    text: isText ? db.text(entry) : undefined,
    aggregate: isText ? undefined : db.aggregate(entry),
    encoding: db.encoding(entry),
    expireAtMs: db.expireAtMs(entry),
  }
}

/** Puts a detached value under a key that does not exist, in the encoding that it had. */
function attach(db: KeyspacePort, key: Buffer, value: DetachedValue): void {
  let entry: Entry
  if (value.aggregate !== undefined) {
    entry = db.setAggregate(key, 0, key.length, value.aggregate)
  } else {
    const text = value.text as Buffer
    if (value.encoding === 'int') entry = db.setText(key, 0, key.length, text, 0, text.length)
    else entry = db.setPlainText(key, 0, key.length, text, 0, text.length)
    if (value.encoding === 'raw') db.editText(entry, 0)
  }
  if (value.expireAtMs >= 0) db.setExpireAtMs(entry, value.expireAtMs)
}

function rename(context: Context, args: Arguments): void {
  if (moveName(context, args, false)) context.reply.ok()
}

function renamenx(context: Context, args: Arguments): void {
  if (moveName(context, args, true)) context.reply.integer(1)
}

/** False when something else was answered. */
function moveName(context: Context, args: Arguments, mustBeNew: boolean): boolean {
  const { db } = context
  const entry = context.lookupWrite(1)
  if (entry === NO_ENTRY) {
    context.reply.error(errors.noSuchKey)
    return false
  }
  const target = args.view(2)
  if (args.view(1).equals(target)) {
    if (mustBeNew) context.reply.integer(0)
    return !mustBeNew
  }
  const existing = context.lookupWrite(2)
  if (existing !== NO_ENTRY) {
    if (mustBeNew) {
      context.reply.integer(0)
      return false
    }
    db.remove(existing)
  }
  const value = detach(db, entry)
  attach(db, target, value)
  context.created(2)
  db.remove(entry)
  context.changed(1, 'generic', 'rename_from')
  context.changed(2, 'generic', 'rename_to')
  context.dirty(-1)
  return true
}

/** Number of a database; -1 after the error was answered. */
function databaseArgument(context: Context, args: Arguments, index: number): number {
  const number = numberArgument(context, args, index)
  if (Number.isNaN(number)) return -1
  if (number > 0x7fffffff || number < -0x80000000) {
    context.reply.error(errors.notInt32)
    return -1
  }
  if (number >= 0 && number < context.server.databases.length) return number
  context.reply.error('ERR DB index is out of range')
  return -1
}

function move(context: Context, args: Arguments): void {
  const { db, server, reply } = context
  if (server.cluster !== undefined) {
    reply.error('ERR MOVE is not allowed in cluster mode')
    return
  }
  const number = databaseArgument(context, args, 2)
  if (number < 0) return
  const target = server.databases[number] as KeyspacePort
  if (target === db) {
    reply.error(errors.sameObject)
    return
  }
  const entry = context.lookupWrite(1)
  const key = args.copy(1)
  if (entry === NO_ENTRY || context.lookupKey(key, true, target) !== NO_ENTRY) {
    reply.integer(0)
    return
  }
  attach(target, key, detach(db, entry))
  context.notify('new', 'new', key, target)
  db.remove(entry)
  context.changed(1, 'generic', 'move_from')
  context.changedKey(key, 'generic', 'move_to', target)
  context.dirty(-1)
  reply.integer(1)
}

interface CopyOptions {
  replace: boolean
  target: KeyspacePort
}

function copy(context: Context, args: Arguments): void {
  const options = readCopyOptions(context, args)
  if (options === undefined) return
  const { db, reply } = context
  const { target } = options
  const entry = context.lookupRead(1)
  const key = args.copy(2)
  const existing = entry === NO_ENTRY ? NO_ENTRY : context.lookupKey(key, true, target)
  if (entry === NO_ENTRY || (existing !== NO_ENTRY && !options.replace)) {
    reply.integer(0)
    return
  }
  const value = detach(db, entry)
  if (value.aggregate !== undefined) value.aggregate = value.aggregate.clone()
  if (existing !== NO_ENTRY) target.remove(existing)
  attach(target, key, value)
  context.notify('new', 'new', key, target)
  context.changedKey(key, 'generic', 'copy_to', target)
  reply.integer(1)
}

/** Undefined after an error was answered. */
function readCopyOptions(context: Context, args: Arguments): CopyOptions | undefined {
  const { db, server, reply } = context
  const options: CopyOptions = { replace: false, target: db }
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'replace')) options.replace = true
    else if (args.is(i, 'db') && i + 1 < args.count) {
      const number = databaseArgument(context, args, ++i)
      if (number < 0) return undefined
      options.target = server.databases[number] as KeyspacePort
    } else {
      reply.error(errors.syntax)
      return undefined
    }
  }
  if (server.cluster !== undefined && options.target !== db) {
    reply.error('ERR Copying to another database is not allowed in cluster mode')
    return undefined
  }
  if (options.target === db && args.view(1).equals(args.view(2))) {
    reply.error(errors.sameObject)
    return undefined
  }
  return options
}

export const genericCommands: readonly Command[] = [
  {
    name: 'copy',
    arity: -3,
    flags: ['write', 'denyoom'],
    categories: ['keyspace'],
    keySpecs: [
      { flags: ['RO', 'access'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['OW', 'update'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } },
    ],
    group: 'generic',
    run: copy,
  },
  {
    name: 'del',
    arity: -2,
    flags: ['write'],
    categories: ['keyspace'],
    keySpecs: keyRange(1, -1, 1, 'RM', 'delete'),
    group: 'generic',
    tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    run: del,
  },
  {
    name: 'exists',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['keyspace'],
    keySpecs: keyRange(1, -1, 1, 'RO'),
    group: 'generic',
    tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    run: exists,
  },
  {
    name: 'keys',
    arity: 2,
    flags: ['readonly'],
    categories: ['keyspace', 'dangerous'],
    group: 'generic',
    tips: ['request_policy:all_shards', 'nondeterministic_output_order'],
    run: keys,
  },
  {
    name: 'move',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RW', 'access', 'update'),
    group: 'generic',
    run: move,
  },
  {
    name: 'object',
    arity: -2,
    flags: [],
    categories: [],
    group: 'generic',
    subcommands: [
      {
        name: 'encoding',
        arity: 3,
        flags: ['readonly'],
        categories: ['keyspace'],
        keySpecs: keyRange(2, 2, 1, 'RO'),
        group: 'generic',
        tips: ['nondeterministic_output'],
        run: objectEncoding,
      },
      {
        name: 'freq',
        arity: 3,
        flags: ['readonly'],
        categories: ['keyspace'],
        keySpecs: keyRange(2, 2, 1, 'RO'),
        group: 'generic',
        tips: ['nondeterministic_output'],
        run: objectFreq,
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['keyspace'],
        group: 'generic',
        run: objectHelp,
      },
      {
        name: 'idletime',
        arity: 3,
        flags: ['readonly'],
        categories: ['keyspace'],
        keySpecs: keyRange(2, 2, 1, 'RO'),
        group: 'generic',
        tips: ['nondeterministic_output'],
        run: objectIdletime,
      },
      {
        name: 'refcount',
        arity: 3,
        flags: ['readonly'],
        categories: ['keyspace'],
        keySpecs: keyRange(2, 2, 1, 'RO'),
        group: 'generic',
        tips: ['nondeterministic_output'],
        run: objectRefcount,
      },
    ],
  },
  {
    name: 'randomkey',
    arity: 1,
    flags: ['readonly'],
    categories: ['keyspace'],
    group: 'generic',
    tips: ['request_policy:all_shards', 'nondeterministic_output'],
    run: randomkey,
  },
  {
    name: 'rename',
    arity: 3,
    flags: ['write'],
    categories: ['keyspace'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['OW', 'update'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } },
    ],
    group: 'generic',
    run: rename,
  },
  {
    name: 'renamenx',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['keyspace'],
    keySpecs: [
      { flags: ['RW', 'access', 'delete'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } },
      { flags: ['OW', 'insert'], begin: { index: 2 }, find: { lastKey: 0, step: 1, limit: 0 } },
    ],
    group: 'generic',
    run: renamenx,
  },
  {
    name: 'scan',
    arity: -2,
    flags: ['readonly'],
    categories: ['keyspace'],
    group: 'generic',
    tips: ['nondeterministic_output', 'request_policy:special'],
    run: scan,
  },
  {
    name: 'touch',
    arity: -2,
    flags: ['readonly', 'fast'],
    categories: ['keyspace'],
    keySpecs: keyRange(1, -1, 1, 'RO'),
    group: 'generic',
    tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    run: touch,
  },
  {
    name: 'type',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['keyspace'],
    keySpecs: oneKey('RO'),
    group: 'generic',
    run: type,
  },
  {
    name: 'unlink',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['keyspace'],
    keySpecs: keyRange(1, -1, 1, 'RM', 'delete'),
    group: 'generic',
    tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
    run: unlink,
  },
]
