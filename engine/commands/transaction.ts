/**
 * Transactions: commands are queued by dispatch while `client.transaction` is there; EXEC runs them as one, unless a
 * watched key was changed or a command was refused while queueing.
 */
import type { QueuedCommand } from '../server/client.ts'
import type { KeyspacePort } from '../store/keyspace-port.ts'
import { NO_ENTRY } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'

function multi({ client, reply }: Context): void {
  if (client.transaction !== undefined) {
    reply.error('ERR MULTI calls can not be nested')
    return
  }
  client.transaction = { commands: [], failed: false, bytes: 0 }
  reply.ok()
}

function discard({ client, reply }: Context): void {
  if (client.transaction === undefined) {
    reply.error('ERR DISCARD without MULTI')
    return
  }
  client.discardTransaction()
  reply.ok()
}

function watch({ client, db, nowMs, reply, server }: Context, args: Arguments): void {
  if (client.transaction !== undefined) {
    reply.error('ERR WATCH inside MULTI is not allowed')
    return
  }
  for (let i = 1; i < args.count && !client.watchBroken; i++) {
    const key = args.copy(i)
    server.watchedKeys.watch(client, db, key, isExpired(db, key, nowMs))
  }
  reply.ok()
}

function unwatch({ client, reply, server }: Context): void {
  server.watchedKeys.unwatchAll(client)
  client.watchBroken = false
  reply.ok()
}

function isExpired(database: KeyspacePort, key: Buffer, nowMs: number): boolean {
  const entry = database.findKey(key)
  if (entry === NO_ENTRY) return false
  const expireAtMs = database.expireAtMs(entry)
  return expireAtMs >= 0 && nowMs > expireAtMs
}

/** A watched key that has come to its end counts as changed, whether or not anybody has removed it. */
function watchedKeyExpired({ client, nowMs, server }: Context): boolean {
  return client.watched.some(({ databaseIndex, key, expired }) => {
    return !expired && isExpired(server.databases[databaseIndex] as KeyspacePort, key, nowMs)
  })
}

/** In Redis's words for EXEC. */
const denialReasons = {
  command: 'no permission to execute the command or subcommand',
  key: 'no permission to touch the specified keys',
  channel: 'no permission to access one of the channels used as arguments',
} as const

function exec(context: Context): void {
  const { client, reply, server } = context
  const { transaction } = client
  if (transaction === undefined) {
    reply.error('ERR EXEC without MULTI')
    return
  }
  const broken = client.watchBroken || watchedKeyExpired(context)
  if (transaction.failed || broken) {
    if (transaction.failed) reply.error(errors.execAbort)
    else reply.nilArray()
    client.discardTransaction()
    return
  }
  // Before the commands run: what they change must not count, and is faster so.
  server.watchedKeys.unwatchAll(client)
  const deniedBefore = client.denyBlocking
  client.denyBlocking = true
  reply.array(transaction.commands.length)
  runQueue(context, transaction.commands, () => {
    client.denyBlocking = deniedBefore
    client.discardTransaction()
  })
}

/** Runs commands one after the other; when one is a slow script, the rest waits for its end. */
function runQueue(context: Context, commands: readonly QueuedCommand[], done: () => void): void {
  const { reply, server } = context
  for (let i = 0; i < commands.length; i++) {
    const { command, args } = commands[i] as QueuedCommand
    const denial = server.access.denialInside(context.client, command, args, 'multi')
    if (denial !== undefined) {
      reply.error(
        `NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: ${denialReasons[denial.reason]}`,
      )
      continue
    }
    context.runInside(command, args)
    if (!server.scripting.isSlow) continue
    const resume = context.resumption()
    server.scripting.afterScript(() => resume(reply, (later) => runQueue(later, commands.slice(i + 1), done)))
    return
  }
  done()
}

export const transactionCommands: readonly Command[] = [
  {
    name: 'multi',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['transaction'],
    group: 'transactions',
    traits: ['runsInTransaction'],
    run: multi,
  },
  {
    name: 'exec',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'skip_slowlog'],
    categories: ['transaction'],
    group: 'transactions',
    traits: ['runsInTransaction', 'executesTransaction'],
    run: exec,
  },
  {
    name: 'discard',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['transaction'],
    group: 'transactions',
    traits: ['runsInTransaction'],
    run: discard,
  },
  {
    name: 'watch',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['transaction'],
    keySpecs: [{ flags: ['RO'], begin: { index: 1 }, find: { lastKey: -1, step: 1, limit: 0 } }],
    group: 'transactions',
    traits: ['runsInTransaction'],
    run: watch,
  },
  {
    name: 'unwatch',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
    categories: ['transaction'],
    group: 'transactions',
    run: unwatch,
  },
]
