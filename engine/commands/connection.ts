/** Commands about the connection itself: who it is, which protocol it speaks, which database it uses. */
import { REDIS_VERSION } from '../server/info-fields.ts'
import type { Arguments } from './arguments.ts'
import { setClientName } from './client.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { errors, wrongArity } from './errors.ts'
import { isInt32, readInteger } from './reading.ts'

function ping({ client, reply }: Context, args: Arguments): void {
  if (args.count > 2) {
    reply.error(wrongArity('ping'))
  } else if (client.subscribed && reply.protocol === 2) {
    reply.array(2)
    reply.latin1('pong')
    if (args.count === 1) reply.latin1('')
    else reply.bulk(args.memory, args.start(1), args.end(1))
  } else if (args.count === 1) {
    reply.simple('PONG')
  } else {
    reply.bulk(args.memory, args.start(1), args.end(1))
  }
}

function echo({ reply }: Context, args: Arguments): void {
  reply.bulk(args.memory, args.start(1), args.end(1))
}

function select({ client, reply, server }: Context, args: Arguments): void {
  const index = readInteger(args, 1)
  if (index === undefined) reply.error(errors.notInteger)
  else if (!isInt32(index)) reply.error(errors.notInt32)
  else if (server.cluster !== undefined && index !== 0) reply.error('ERR SELECT is not allowed in cluster mode')
  else if (index < 0 || index >= server.databases.length) reply.error('ERR DB index is out of range')
  else {
    client.databaseIndex = index
    reply.ok()
  }
}

function auth({ client, reply, server }: Context, args: Arguments): void {
  if (args.count > 3) {
    reply.error(errors.syntax)
  } else if (args.count === 2 && server.access.defaultUser.noPassword) {
    reply.error(
      'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    )
  } else if (logIn(server, client, args.count === 3 ? args.latin1(1) : 'default', args.copy(args.count - 1))) {
    reply.ok()
  } else {
    reply.error(errors.wrongPass)
  }
}

function logIn(server: Context['server'], client: Context['client'], userName: string, password: Buffer): boolean {
  const user = server.access.authenticate(client, userName, password)
  if (user === undefined) return false
  client.authenticated = true
  client.user = user
  return true
}

function hello({ client, reply, server }: Context, args: Arguments): void {
  let next = 1
  let protocol: number | undefined
  if (args.count > 1) {
    protocol = readInteger(args, next++)
    if (protocol === undefined) {
      reply.error('ERR Protocol version is not an integer or out of range')
      return
    }
    if (protocol !== 2 && protocol !== 3) {
      reply.error('NOPROTO unsupported protocol version')
      return
    }
  }
  for (; next < args.count; next++) {
    const left = args.count - next - 1
    if (args.is(next, 'auth') && left >= 2) {
      if (!logIn(server, client, args.latin1(next + 1), args.copy(next + 2))) {
        reply.error(errors.wrongPass)
        return
      }
      next += 2
    } else if (args.is(next, 'setname') && left >= 1) {
      const refused = setClientName(client, args.latin1(next + 1))
      if (refused !== undefined) {
        reply.error(refused)
        return
      }
      next += 1
    } else {
      reply.error(`ERR Syntax error in HELLO option '${args.latin1(next)}'`)
      return
    }
  }
  if (!client.authenticated && server.access.passwordRequired) {
    reply.error(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    )
    return
  }
  if (protocol !== undefined) client.setProtocol(protocol === 3 ? 3 : 2)
  reply.map(7)
  reply.text('server')
  reply.text('redis')
  reply.text('version')
  reply.text(REDIS_VERSION)
  reply.text('proto')
  reply.integer(reply.protocol)
  reply.text('id')
  reply.integer(client.id)
  reply.text('mode')
  reply.text(server.cluster === undefined ? 'standalone' : 'cluster')
  reply.text('role')
  reply.text(server.replication.role === 'primary' ? 'master' : 'replica')
  reply.text('modules')
  reply.array(0)
}

function quit({ client, reply }: Context): void {
  reply.ok()
  client.closeAfterReply()
}

function reset({ client, reply, server }: Context): void {
  if (client.kind !== 'normal') {
    reply.error('ERR can only reset normal client connections')
    return
  }
  server.monitors.remove(client)
  client.discardTransaction()
  server.pubsub.forget(client)
  if (client.tracking !== undefined) server.tracking.disable(client)
  client.databaseIndex = 0
  client.setProtocol(2)
  client.name = ''
  client.user = server.access.defaultUser
  client.authenticated = !server.access.passwordRequired
  client.replyMode = 'on'
  client.readOnlyMode = false
  client.asking = false
  client.noEvict = false
  reply.simple('RESET')
}

export const connectionCommands: readonly Command[] = [
  {
    name: 'auth',
    arity: -2,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['connection'],
    group: 'connection',
    secretArguments: (args) => Array.from({ length: args.count - 1 }, (_, i) => i + 1),
    run: auth,
  },
  {
    name: 'hello',
    arity: -1,
    secretArguments: (args) => {
      for (let i = 2; i < args.count; i++) if (args.is(i, 'auth')) return [i + 1, i + 2]
      return []
    },
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['connection'],
    group: 'connection',
    run: hello,
  },
  {
    name: 'ping',
    arity: -1,
    flags: ['fast'],
    categories: ['connection'],
    group: 'connection',
    tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
    traits: ['runsWhileSubscribed', 'checksDisk'],
    run: ping,
  },
  {
    name: 'echo',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    categories: ['connection'],
    group: 'connection',
    run: echo,
  },
  {
    name: 'select',
    arity: 2,
    flags: ['loading', 'stale', 'fast'],
    categories: ['connection'],
    group: 'connection',
    run: select,
  },
  {
    name: 'quit',
    arity: -1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['connection'],
    group: 'connection',
    traits: ['runsInTransaction', 'runsWhileSubscribed'],
    run: quit,
  },
  {
    name: 'reset',
    arity: 1,
    flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
    categories: ['connection'],
    group: 'connection',
    traits: ['runsInTransaction', 'runsWhileSubscribed'],
    run: reset,
  },
]
