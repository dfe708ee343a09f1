/** Commands about the server as a whole. */
import type { KeyspacePort } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { isInt32, readInteger } from './reading.ts'

function info({ reply, server }: Context, args: Arguments): void {
  const words = Array.from({ length: args.count - 1 }, (_, i) => args.latin1(i + 1))
  reply.verbatim('txt', server.info.render(words))
}

function time({ reply, server }: Context): void {
  const us = server.io.clock.wallUs()
  const seconds = Math.floor(us / 1_000_000)
  reply.array(2)
  reply.text(String(seconds))
  reply.text(String(us - seconds * 1_000_000))
}

function dbsize({ db, reply }: Context): void {
  reply.integer(db.size)
}

/** FLUSHDB and FLUSHALL take ASYNC or SYNC; memory is given back at once in either case. */
function flushOptionsValid(args: Arguments): boolean {
  return args.count === 1 || (args.count === 2 && (args.is(1, 'async') || args.is(1, 'sync')))
}

function flush(context: Context, args: Arguments, databases: readonly KeyspacePort[]): void {
  const { config, stats } = context.server
  const isLazy = args.count === 1 ? config.values['lazyfree-lazy-user-flush'] : args.is(1, 'async')
  context.server.tracking.invalidateAll()
  for (const database of databases) {
    context.server.watchedKeys.touchAll(database)
    context.dirty(database.size)
    if (isLazy) stats.lazilyFreedObjects += database.size
    database.clear()
    context.server.blockedKeys.touchAll(database)
  }
  context.forcePropagation('everywhere')
}

function flushdb(context: Context, args: Arguments): void {
  if (!flushOptionsValid(args)) {
    context.reply.error(errors.syntax)
    return
  }
  flush(context, args, [context.db])
  context.reply.ok()
}

function flushall(context: Context, args: Arguments): void {
  const { reply, server } = context
  if (!flushOptionsValid(args)) {
    reply.error(errors.syntax)
    return
  }
  flush(context, args, server.databases)
  reply.ok()
}

function swapdb(context: Context, args: Arguments): void {
  const { reply, server } = context
  const first = readInteger(args, 1)
  const second = readInteger(args, 2)
  if (server.cluster !== undefined) {
    reply.error('ERR SWAPDB is not allowed in cluster mode')
  } else if (first === undefined || !isInt32(first)) {
    reply.error('ERR invalid first DB index')
  } else if (second === undefined || !isInt32(second)) {
    reply.error('ERR invalid second DB index')
  } else if (!server.swapDatabases(first, second)) {
    reply.error('ERR DB index is out of range')
  } else {
    context.dirty(1)
    reply.ok()
  }
}

function shutdown(context: Context, args: Arguments): void {
  const { client, reply, server } = context
  const asked = new Set<string>()
  for (let i = 1; i < args.count; i++) asked.add(args.latin1(i).toLowerCase())
  const known = [...asked].every((word) => ['save', 'nosave', 'now', 'force', 'abort'].includes(word))
  if (!known || (asked.has('save') && asked.has('nosave')) || (asked.has('abort') && asked.size > 1)) {
    reply.error(errors.syntax)
    return
  }
  if (asked.has('abort')) {
    if (server.abortShutdown()) reply.ok()
    else reply.error('ERR No shutdown in progress.')
    return
  }
  const busy = server.scripting.busyText
  if (busy !== undefined && !asked.has('nosave')) {
    // While a script is slow nothing may be saved.
    reply.error(busy)
    return
  }
  const now = asked.has('now')
  if (!now && client.denyBlocking && client.connection !== undefined) {
    reply.error("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client")
    return
  }
  const save = asked.has('save') ? { save: true } : asked.has('nosave') ? { save: false } : {}
  const failed = server.shutdown({ ...save, now, force: asked.has('force') }, (failure) => {
    client.unblock((waiting) => waiting.error(failure))
  })
  if (failed !== undefined) reply.error('ERR Errors trying to SHUTDOWN. Check logs.')
  else if (!client.closed) context.block('shutdown', 0, () => {})
}

function monitor({ client, reply, server }: Context): void {
  if (client.denyBlocking) {
    reply.error("ERR MONITOR isn't allowed for DENY BLOCKING client")
    return
  }
  if (client.kind === 'replica' || client.monitoring) return
  server.monitors.add(client)
  reply.ok()
}

export const serverCommands: readonly Command[] = [
  {
    name: 'info',
    arity: -1,
    flags: ['loading', 'stale'],
    categories: ['dangerous'],
    group: 'server',
    tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
    run: info,
  },
  {
    name: 'time',
    arity: 1,
    flags: ['loading', 'stale', 'fast'],
    categories: [],
    group: 'server',
    tips: ['nondeterministic_output'],
    run: time,
  },
  {
    name: 'dbsize',
    arity: 1,
    flags: ['readonly', 'fast'],
    categories: ['keyspace'],
    group: 'server',
    tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
    run: dbsize,
  },
  {
    name: 'flushdb',
    arity: -1,
    flags: ['write'],
    categories: ['keyspace', 'dangerous'],
    group: 'server',
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    run: flushdb,
  },
  {
    name: 'flushall',
    arity: -1,
    flags: ['write'],
    categories: ['keyspace', 'dangerous'],
    group: 'server',
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    run: flushall,
  },
  {
    name: 'swapdb',
    arity: 3,
    flags: ['write', 'fast'],
    categories: ['keyspace', 'dangerous'],
    group: 'server',
    run: swapdb,
  },
  {
    name: 'shutdown',
    arity: -1,
    flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi', 'allow_busy'],
    categories: [],
    group: 'server',
    run: shutdown,
  },
  {
    name: 'monitor',
    arity: 1,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: [],
    group: 'server',
    run: monitor,
  },
]
