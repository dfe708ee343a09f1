/** Replication's commands (Redis's replication.c): roles, synchronisation, acknowledgements. */
import { type FailoverRequest, isAt } from '../replication/failover.ts'
import { splitWords } from '../resp/inline-words.ts'
import type { Server } from '../server/server.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'

const INT32_MAX = 2 ** 31 - 1

function replicaOf(context: Context, args: Arguments): void {
  const { server, reply, client } = context
  const { replication, log } = server
  if (server.cluster !== undefined) {
    reply.error('ERR REPLICAOF not allowed in cluster mode.')
    return
  }
  if (replication.failover.state !== 'no-failover') {
    reply.error('ERR REPLICAOF not allowed while failing over.')
    return
  }
  if (args.is(1, 'no') && args.is(2, 'one')) {
    if (replication.role === 'replica') {
      replication.becomePrimary()
      log.notice(`MASTER MODE enabled (user request from '${server.clients.describe(client)}')`)
    }
    reply.ok()
    return
  }
  if (client.kind === 'replica') {
    reply.error('ERR Command is not valid when client is a replica.')
    return
  }
  const port = numberArgument(context, args, 2, 'ERR Invalid master port')
  if (Number.isNaN(port)) return
  if (port < 0 || port > 65535) {
    reply.error('ERR Invalid master port')
    return
  }
  const host = args.utf8(1)
  const { primary } = replication
  if (primary !== undefined && primary.host.toLowerCase() === host.toLowerCase() && primary.port === port) {
    log.notice(
      'REPLICAOF would result into synchronization with the master we are already connected with. No operation performed.',
    )
    reply.simple('OK Already connected to specified master')
    return
  }
  replication.replicaOf(host, port)
  log.notice(`REPLICAOF ${host}:${port} enabled (user request from '${server.clients.describe(client)}')`)
  reply.ok()
}

/** PSYNC … FAILOVER: our primary wants us to take over. False after an error was answered. */
function takeOver({ server, client, reply }: Context, args: Arguments): boolean {
  const { replication, log } = server
  log.warning(`Failover request received for replid ${args.latin1(1)}.`)
  if (replication.role === 'primary') {
    reply.error("ERR PSYNC FAILOVER can't be sent to a master.")
    return false
  }
  if (args.latin1(1).toLowerCase() !== replication.replicationId) {
    reply.error('ERR PSYNC FAILOVER replid must match my replid.')
    return false
  }
  replication.becomePrimary()
  log.notice(`MASTER MODE enabled (failover request from '${server.clients.describe(client)}')`)
  return true
}

interface FailoverWords {
  request: FailoverRequest
  hasTimeout: boolean
}

/** Undefined after an error was answered. */
function failoverWords(context: Context, args: Arguments): FailoverWords | undefined {
  const request: FailoverRequest = { timeoutMs: 0, force: false }
  let hasTimeout = false
  for (let i = 1; i < args.count; i++) {
    if (args.is(i, 'timeout') && i + 1 < args.count && !hasTimeout) {
      request.timeoutMs = numberArgument(context, args, ++i)
      if (Number.isNaN(request.timeoutMs)) return undefined
      if (request.timeoutMs <= 0) {
        context.reply.error('ERR FAILOVER timeout must be greater than 0')
        return undefined
      }
      hasTimeout = true
    } else if (args.is(i, 'to') && i + 2 < args.count && request.target === undefined) {
      const port = numberArgument(context, args, i + 2)
      if (Number.isNaN(port)) return undefined
      request.target = { host: args.utf8(i + 1), port }
      i += 2
    } else if (args.is(i, 'force') && !request.force) request.force = true
    else {
      context.reply.error(errors.syntax)
      return undefined
    }
  }
  return { request, hasTimeout }
}

function failoverRefusal(server: Server, { request, hasTimeout }: FailoverWords): string | undefined {
  const { replication } = server
  const { target } = request
  if (replication.failover.state !== 'no-failover') return 'ERR FAILOVER already in progress.'
  if (replication.role === 'replica') return 'ERR FAILOVER is not valid when server is a replica.'
  if (replication.replicas.length === 0) return 'ERR FAILOVER requires connected replicas.'
  if (request.force && (!hasTimeout || target === undefined)) {
    return 'ERR FAILOVER with force option requires both a timeout and target HOST and IP.'
  }
  if (target === undefined) return undefined
  const link = replication.replicas.find((one) => isAt(one, target))
  if (link === undefined) return 'ERR FAILOVER target HOST and PORT is not a replica.'
  return link.state === 'online' ? undefined : 'ERR FAILOVER target replica is not online.'
}

function failover(context: Context, args: Arguments): void {
  const { server, reply } = context
  const { replication } = server
  if (server.cluster !== undefined) {
    reply.error('ERR FAILOVER not allowed in cluster mode.')
    return
  }
  if (args.count === 2 && args.is(1, 'abort')) {
    if (replication.failover.state === 'no-failover') reply.error('ERR No failover in progress.')
    else {
      replication.failover.abort('Failover manually aborted')
      reply.ok()
    }
    return
  }
  const words = failoverWords(context, args)
  if (words === undefined) return
  const refusal = failoverRefusal(server, words)
  if (refusal !== undefined) {
    reply.error(refusal)
    return
  }
  replication.failover.begin(words.request)
  reply.ok()
}

function psync(context: Context, args: Arguments): void {
  const { server, client, reply } = context
  if (args.count > 3 && args.is(3, 'failover') && !takeOver(context, args)) return
  const text = args.latin1(2)
  if (!/^-?\d{1,16}$/.test(text)) {
    server.log.warning(`Replica ${client.address} asks for synchronization but with a wrong offset`)
    reply.error(errors.notInteger)
    return
  }
  server.replication.synchronize(client, { id: args.latin1(1), offset: Number(text) })
}

function replconf(context: Context, args: Arguments): void {
  const { server, client, reply } = context
  const { replication } = server
  if (args.count % 2 === 0) {
    reply.error(errors.syntax)
    return
  }
  for (let index = 1; index < args.count; index += 2) {
    if (args.is(index, 'listening-port')) {
      const port = numberArgument(context, args, index + 1)
      if (Number.isNaN(port)) return
      replication.describeReplica(client, { listeningPort: port })
    } else if (args.is(index, 'ip-address')) {
      if (args.length(index + 1) > 255) {
        reply.error(`ERR REPLCONF ip-address provided by replica instance is too long: ${args.length(index + 1)} bytes`)
        return
      }
      replication.describeReplica(client, { announcedHost: args.latin1(index + 1) })
    } else if (args.is(index, 'capa')) {
      if (args.is(index + 1, 'eof')) replication.describeReplica(client, { endMark: true })
      else if (args.is(index + 1, 'psync2')) replication.describeReplica(client, { changedId: true })
    } else if (args.is(index, 'ack')) {
      const offset = Number(args.latin1(index + 1))
      if (Number.isSafeInteger(offset)) replication.acknowledge(client, offset)
      return
    } else if (args.is(index, 'getack')) {
      if (replication.role === 'replica') replication.sendAcknowledgement()
      return
    } else if (args.is(index, 'rdb-only')) {
      const wanted = numberArgument(context, args, index + 1)
      if (Number.isNaN(wanted)) return
      replication.describeReplica(client, { snapshotOnly: wanted === 1 })
    } else if (args.is(index, 'rdb-filter-only')) {
      if (!filterSnapshot(context, args.latin1(index + 1))) return
    } else {
      reply.error(`ERR Unrecognized REPLCONF option: ${args.utf8(index)}`)
      return
    }
  }
  reply.ok()
}

/** The parts that the replica's snapshot is to have. False after an error was answered. */
function filterSnapshot({ server, client, reply }: Context, text: string): boolean {
  const parts = splitWords(text)
  if (parts === undefined) {
    reply.error('ERR Missing rdb-filter-only values')
    return false
  }
  const unknown = parts.find((part) => part.toLowerCase() !== 'functions')
  // Redis has begun to note it when it finds an unknown part.
  const wantsFunctions = unknown === undefined ? parts.length > 0 : parts.indexOf(unknown) > 0
  server.replication.describeReplica(client, { wantsData: false, wantsFunctions })
  if (unknown !== undefined) reply.error(`ERR Unsupported rdb-filter-only option: ${unknown}`)
  return unknown === undefined
}

function role({ server, reply }: Context): void {
  const { replication } = server
  const { primary } = replication
  if (primary === undefined) {
    const online = replication.replicas.filter((link) => link.state === 'online')
    reply.array(3)
    reply.text('master')
    reply.integer(replication.offset)
    reply.array(online.length)
    for (const link of online) {
      reply.array(3)
      reply.text(link.host)
      reply.text(String(link.port))
      reply.text(String(link.acknowledgedOffset))
    }
    return
  }
  reply.array(5)
  reply.text('slave')
  reply.text(primary.host)
  reply.integer(primary.port)
  reply.text(primary.state === 'transfer' ? 'sync' : primary.state)
  reply.integer(primary.state === 'connected' ? replication.offset : -1)
}

function wait(context: Context, args: Arguments): void {
  const { server, client, reply } = context
  if (server.replication.role === 'replica') {
    reply.error(
      'ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.',
    )
    return
  }
  const replicas = numberArgument(context, args, 1)
  if (Number.isNaN(replicas)) return
  const timeoutMs = numberArgument(context, args, 2, 'ERR timeout is not an integer or out of range')
  if (Number.isNaN(timeoutMs)) return
  if (timeoutMs < 0) {
    reply.error('ERR timeout is negative')
    return
  }
  const acknowledged = server.replication.countAcknowledged(client.lastWriteOffset)
  if (acknowledged >= replicas || client.denyBlocking) {
    reply.integer(acknowledged)
    return
  }
  const deadlineMs = timeoutMs === 0 ? 0 : context.nowMs + Math.min(timeoutMs, INT32_MAX)
  server.replication.parkUntilAcknowledged(context, replicas, deadlineMs)
}

const roleFlags = ['admin', 'noscript', 'stale', 'no_async_loading'] as const
const syncFlags = ['admin', 'noscript', 'no_async_loading', 'no_multi'] as const

export const replicationCommands: readonly Command[] = [
  {
    name: 'failover',
    arity: -1,
    flags: ['admin', 'noscript', 'stale'],
    categories: [],
    group: 'server',
    run: failover,
  },
  {
    name: 'replicaof',
    arity: 3,
    flags: roleFlags,
    categories: [],
    group: 'server',
    run: replicaOf,
  },
  {
    name: 'slaveof',
    arity: 3,
    flags: roleFlags,
    categories: [],
    group: 'server',
    run: replicaOf,
  },
  {
    name: 'psync',
    arity: -3,
    flags: syncFlags,
    categories: [],
    group: 'server',
    run: psync,
  },
  {
    name: 'sync',
    arity: 1,
    flags: syncFlags,
    categories: [],
    group: 'server',
    run: ({ server, client }) => server.replication.synchronize(client, undefined),
  },
  {
    name: 'replconf',
    arity: -1,
    flags: ['admin', 'noscript', 'loading', 'stale', 'allow_busy'],
    categories: [],
    group: 'server',
    run: replconf,
  },
  {
    name: 'role',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast'],
    categories: ['admin', 'dangerous'],
    group: 'server',
    run: role,
  },
  {
    name: 'wait',
    arity: 3,
    flags: ['noscript'],
    categories: ['connection'],
    group: 'generic',
    tips: ['request_policy:all_shards', 'response_policy:agg_min'],
    run: wait,
  },
]
