/** CONFIG: the configuration over the wire. The parameters and their rules are in `engine/server/config-table.ts`. */
import type { Client } from '../server/client.ts'
import type { ConfigOrigin } from '../server/config.ts'
import type { Arguments } from './arguments.ts'
import type { Command, CommandFlag } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'

const administration: readonly CommandFlag[] = ['admin', 'noscript', 'loading', 'stale']

/** Protected parameters may be opened to clients of this host only. */
function originOf(client: Client): ConfigOrigin {
  const { connection } = client
  if (connection === undefined) return 'inside'
  const isLocal = connection.isUnixSocket || ['127.0.0.1', '::1'].includes(connection.remoteHost)
  return isLocal ? 'local' : 'remote'
}

function get({ server, reply }: Context, args: Arguments): void {
  const patterns = Array.from({ length: args.count - 2 }, (_, i) => args.utf8(i + 2))
  const found = server.config.matching(patterns)
  reply.map(found.length)
  for (const [name, text] of found) {
    reply.text(name)
    reply.text(text)
  }
}

function set({ server, client, reply }: Context, args: Arguments): void {
  if (args.count % 2 !== 0) {
    reply.error(errors.syntax)
    return
  }
  const pairs: [string, string][] = []
  for (let i = 2; i < args.count; i += 2) pairs.push([args.utf8(i), args.utf8(i + 1)])
  const error = server.config.set(pairs, originOf(client))
  if (error === undefined) reply.ok()
  else reply.error(error)
}

function resetStatistics({ server, reply }: Context): void {
  server.resetStatistics()
  reply.ok()
}

function rewrite({ server, reply }: Context): void {
  const error = server.config.rewrite()
  if (error === undefined) {
    server.log.warning('CONFIG REWRITE executed with success.')
    reply.ok()
    return
  }
  if (server.config.filePath !== undefined) server.log.warning(`CONFIG REWRITE failed: ${error}`)
  reply.error(error)
}

const helpLines = [
  'CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'GET <pattern>',
  '    Return parameters matching the glob-like <pattern> and their values.',
  'SET <directive> <value>',
  '    Set the configuration <directive> to <value>.',
  'RESETSTAT',
  '    Reset statistics reported by the INFO command.',
  'REWRITE',
  '    Rewrite the configuration file.',
  'HELP',
  '    Prints this help.',
]

function help({ reply }: Context): void {
  reply.array(helpLines.length)
  for (const line of helpLines) reply.simple(line)
}

export const configCommands: readonly Command[] = [
  {
    name: 'config',
    arity: -2,
    flags: [],
    categories: [],
    group: 'server',
    subcommands: [
      {
        name: 'get',
        arity: -3,
        flags: administration,
        categories: [],
        group: 'server',
        run: get,
      },
      {
        name: 'set',
        arity: -4,
        flags: administration,
        categories: [],
        group: 'server',
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        secretArguments: (args, isSecret) =>
          Array.from({ length: args.count }, (_, i) => i).filter(
            (i) => i > 2 && i % 2 === 1 && isSecret(args.utf8(i - 1)),
          ),
        run: set,
      },
      {
        name: 'resetstat',
        arity: 2,
        flags: administration,
        categories: [],
        group: 'server',
        run: resetStatistics,
      },
      {
        name: 'rewrite',
        arity: 2,
        flags: administration,
        categories: [],
        group: 'server',
        run: rewrite,
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: [],
        group: 'server',
        run: help,
      },
    ],
  },
]
