/** Snapshots of the data set and of single values: SAVE, BGSAVE, LASTSAVE, DUMP, RESTORE. */
import { accessField } from '../persist/key-use.ts'
import type { Outcome } from '../persist/persistence-port.ts'
import { RdbError } from '../persist/rdb-input.ts'
import { readDumpPayload } from '../persist/rdb-reader.ts'
import { dumpPayload, type KeyUse } from '../persist/rdb-writer.ts'
import type { Reply } from '../resp/reply.ts'
import { NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'

function save({ server, reply }: Context): void {
  const refusal = server.persistence.save()
  if (refusal === undefined) reply.ok()
  else reply.error(refusal)
}

function saveInBackground({ server, reply }: Context, args: Arguments): void {
  if (args.count > 2 || (args.count === 2 && !args.is(1, 'schedule'))) {
    reply.error(errors.syntax)
    return
  }
  answer(reply, server.persistence.requestBackgroundSave(args.count === 2))
}

function rewriteLog({ server, reply }: Context): void {
  answer(reply, server.persistence.rewriteInBackground())
}

function answer(reply: Reply, outcome: Outcome): void {
  if ('error' in outcome) reply.error(outcome.error)
  else reply.simple(outcome.status)
}

function dump(context: Context): void {
  const { db, reply, server } = context
  const entry = context.lookupRead(1)
  if (entry === NO_ENTRY) {
    reply.nil()
    return
  }
  const isText = db.type(entry) === ValueType.string
  const compression = server.config.values.rdbcompression
  reply.bulk(
    isText
      ? dumpPayload(db.text(entry), undefined, compression)
      : dumpPayload(undefined, db.aggregate(entry), compression),
  )
}

interface RestoreOptions {
  replace: boolean
  absolute: boolean
  use: KeyUse | undefined
}

/** Undefined after the error was answered. */
function restoreOptions(context: Context, args: Arguments): RestoreOptions | undefined {
  const options: RestoreOptions = { replace: false, absolute: false, use: undefined }
  for (let index = 4; index < args.count; index++) {
    const more = index + 1 < args.count
    if (args.is(index, 'replace')) options.replace = true
    else if (args.is(index, 'absttl')) options.absolute = true
    else if (args.is(index, 'idletime') && more && !(options.use && 'frequency' in options.use)) {
      const seconds = numberArgument(context, args, ++index)
      if (Number.isNaN(seconds)) return undefined
      if (seconds < 0) return refuse(context, 'ERR Invalid IDLETIME value, must be >= 0')
      options.use = { idleSeconds: seconds }
    } else if (args.is(index, 'freq') && more && !(options.use && 'idleSeconds' in options.use)) {
      const frequency = numberArgument(context, args, ++index)
      if (Number.isNaN(frequency)) return undefined
      if (frequency < 0 || frequency > 255) return refuse(context, 'ERR Invalid FREQ value, must be >= 0 and <= 255')
      options.use = { frequency }
    } else return refuse(context, errors.syntax)
  }
  return options
}

function refuse(context: Context, message: string): undefined {
  context.reply.error(message)
  return undefined
}

function readPayload(context: Context, payload: Buffer): ReturnType<typeof readDumpPayload> {
  try {
    return (
      readDumpPayload(payload, context.server.aggregateSettings, !context.server.debug.skipsChecksums) ??
      refuse(context, 'ERR DUMP payload version or checksum are wrong')
    )
  } catch (error) {
    if (!(error instanceof RdbError)) throw error
    return refuse(context, 'ERR Bad data format')
  }
}

function restore(context: Context, args: Arguments): void {
  const { db, reply, server } = context
  const options = restoreOptions(context, args)
  if (options === undefined) return
  const existing = context.lookupWrite(1)
  if (!options.replace && existing !== NO_ENTRY) {
    reply.error('BUSYKEY Target key name already exists.')
    return
  }
  const ttlMs = numberArgument(context, args, 2)
  if (Number.isNaN(ttlMs)) return
  if (ttlMs < 0) {
    reply.error('ERR Invalid TTL value, must be >= 0')
    return
  }
  const value = readPayload(context, args.copy(3))
  if (value === undefined) return
  const expireAtMs = ttlMs === 0 || options.absolute ? ttlMs : context.nowMs + ttlMs
  if (existing !== NO_ENTRY) db.remove(existing)
  if (ttlMs !== 0 && expireAtMs <= context.nowMs && !server.loading && server.replication.role === 'primary') {
    // It has expired already: to replicas it is a removal, if it is anything.
    if (existing !== NO_ENTRY) {
      context.changed(1, 'generic', 'del')
      context.propagateAs(['DEL', args.copy(1)])
    }
    reply.ok()
    return
  }
  const { memory } = args
  const entry =
    value.text === undefined
      ? db.setAggregate(memory, args.start(1), args.end(1), value.aggregate as NonNullable<typeof value.aggregate>)
      : db.setText(memory, args.start(1), args.end(1), value.text, 0, value.text.length)
  db.setExpireAtMs(entry, ttlMs === 0 ? -1 : expireAtMs)
  const field = options.use === undefined ? undefined : accessField(server.config, options.use, context.nowMs)
  if (field !== undefined) db.setAccessed(entry, field)
  context.changed(1, 'generic', 'restore')
  if (ttlMs !== 0 && !options.absolute) {
    const words: (string | Buffer)[] = [args.copy(0), args.copy(1), String(expireAtMs)]
    for (let index = 3; index < args.count; index++) words.push(args.copy(index))
    context.propagateAs([...words, 'ABSTTL'])
  }
  reply.ok()
}

export const persistenceCommands: readonly Command[] = [
  {
    name: 'save',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading', 'no_multi'],
    categories: [],
    group: 'server',
    run: save,
  },
  {
    name: 'bgsave',
    arity: -1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    categories: [],
    group: 'server',
    run: saveInBackground,
  },
  {
    name: 'bgrewriteaof',
    arity: 1,
    flags: ['admin', 'noscript', 'no_async_loading'],
    categories: [],
    group: 'server',
    run: rewriteLog,
  },
  {
    name: 'lastsave',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: ['admin', 'dangerous'],
    group: 'server',
    tips: ['nondeterministic_output'],
    run: ({ server, reply }) => reply.integer(server.persistence.lastSaveSeconds),
  },
  {
    name: 'dump',
    arity: 2,
    flags: ['readonly'],
    categories: ['keyspace'],
    keySpecs: oneKey('RO', 'access'),
    group: 'generic',
    tips: ['nondeterministic_output'],
    run: dump,
  },
  {
    name: 'restore',
    arity: -4,
    flags: ['write', 'denyoom'],
    categories: ['keyspace', 'dangerous'],
    keySpecs: oneKey('OW', 'update'),
    group: 'generic',
    run: restore,
  },
  {
    name: 'restore-asking',
    arity: -4,
    flags: ['write', 'denyoom', 'asking'],
    categories: ['keyspace', 'dangerous'],
    keySpecs: oneKey('OW', 'update'),
    group: 'server',
    run: restore,
  },
]
