/** CLIENT LIST and CLIENT KILL: which connections are meant. */
import type { Access } from '../acl/access.ts'
import type { User } from '../acl/user.ts'
import type { Client } from '../server/client.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { readInteger } from './reading.ts'

type TypeName = 'normal' | 'master' | 'replica' | 'pubsub'

function typeOf(client: Client): TypeName {
  if (client.kind === 'primary') return 'master'
  if (client.kind === 'replica') return client.monitoring ? 'normal' : 'replica'
  const { channels, patterns, shardChannels } = client.subscriptions
  return channels.size + patterns.size + shardChannels.size > 0 ? 'pubsub' : 'normal'
}

function parseType(word: string): TypeName | undefined {
  const name = word.toLowerCase()
  if (name === 'slave') return 'replica'
  return name === 'normal' || name === 'master' || name === 'replica' || name === 'pubsub' ? name : undefined
}

export function clientList({ reply, server }: Context, args: Arguments): void {
  let chosen = [...server.clients]
  if (args.count === 4 && args.is(2, 'type')) {
    const type = parseType(args.latin1(3))
    if (type === undefined) {
      reply.error(`ERR Unknown client type '${args.latin1(3)}'`)
      return
    }
    chosen = chosen.filter((client) => typeOf(client) === type)
  } else if (args.count > 3 && args.is(2, 'id')) {
    const listed: Client[] = []
    for (let i = 3; i < args.count; i++) {
      const id = readInteger(args, i)
      if (id === undefined) {
        reply.error('ERR Invalid client ID')
        return
      }
      const client = server.clients.get(id)
      if (client !== undefined) listed.push(client)
    }
    chosen = listed
  } else if (args.count !== 2) {
    reply.error(errors.syntax)
    return
  }
  reply.verbatim('txt', chosen.map((client) => `${server.clients.describe(client)}\n`).join(''))
}

interface KillFilter {
  id: number | undefined
  type: TypeName | undefined
  address: string | undefined
  localAddress: string | undefined
  user: User | undefined
  skipMe: boolean
}

export function clientKill(context: Context, args: Arguments): void {
  const { client, reply, server } = context
  const filter: KillFilter = {
    id: undefined,
    type: undefined,
    address: undefined,
    localAddress: undefined,
    user: undefined,
    skipMe: true,
  }
  const oldForm = args.count === 3
  if (oldForm) {
    filter.address = args.latin1(2)
    filter.skipMe = false
  } else {
    const refused = readKillFilter(args, filter, server.access)
    if (refused !== undefined) {
      reply.error(refused)
      return
    }
  }
  const doomed = [...server.clients].filter((one) => matchesFilter(one, filter, client))
  const victims = oldForm ? doomed.slice(0, 1) : doomed
  if (!oldForm) reply.integer(victims.length)
  else if (victims.length === 0) reply.error('ERR No such client')
  else reply.ok()
  for (const victim of victims) {
    if (victim === client) victim.closeAfterReply()
    else victim.close()
  }
}

/** Pairs of option and value. Undefined, or the error. */
function readKillFilter(args: Arguments, filter: KillFilter, access: Access): string | undefined {
  for (let i = 2; i < args.count; i += 2) {
    if (i + 1 >= args.count) return errors.syntax
    const value = args.latin1(i + 1)
    if (args.is(i, 'id')) {
      const id = readInteger(args, i + 1)
      if (id === undefined || id < 1) return 'ERR client-id should be greater than 0'
      filter.id = id
    } else if (args.is(i, 'type')) {
      filter.type = parseType(value)
      if (filter.type === undefined) return `ERR Unknown client type '${value}'`
    } else if (args.is(i, 'addr')) {
      filter.address = value
    } else if (args.is(i, 'laddr')) {
      filter.localAddress = value
    } else if (args.is(i, 'user')) {
      filter.user = access.find(value)
      if (filter.user === undefined) return `ERR No such user '${value}'`
    } else if (args.is(i, 'skipme') && (args.is(i + 1, 'yes') || args.is(i + 1, 'no'))) {
      filter.skipMe = args.is(i + 1, 'yes')
    } else {
      return errors.syntax
    }
  }
  return undefined
}

function matchesFilter(one: Client, filter: KillFilter, self: Client): boolean {
  if (filter.address !== undefined && one.address !== filter.address) return false
  if (filter.localAddress !== undefined && one.localAddress !== filter.localAddress) return false
  if (filter.type !== undefined && typeOf(one) !== filter.type) return false
  if (filter.id !== undefined && one.id !== filter.id) return false
  if (filter.user !== undefined && one.user !== filter.user) return false
  return !(one === self && filter.skipMe)
}
