/** SLOWLOG: what `engine/server/slow-log.ts` noted. */
import type { Arguments } from './arguments.ts'
import type { Command, CommandFlag } from './command.ts'
import type { Context } from './context.ts'
import { replyHelp } from './help.ts'
import { readInteger } from './reading.ts'

const administration: readonly CommandFlag[] = ['admin', 'loading', 'stale']
const shownByDefault = 10

function get({ server, reply }: Context, args: Arguments): void {
  if (args.count > 3) {
    reply.error(
      `ERR unknown subcommand or wrong number of arguments for '${args.latin1(1).slice(0, 128)}'. Try SLOWLOG HELP.`,
    )
    return
  }
  const wanted = args.count === 3 ? readInteger(args, 2) : shownByDefault
  if (wanted === undefined || wanted < -1) {
    reply.error('ERR count should be greater than or equal to -1')
    return
  }
  const entries = server.slowLog.latest(wanted === -1 ? server.slowLog.length : wanted)
  reply.array(entries.length)
  for (const { id, unixSeconds, durationUs, words, address, clientName } of entries) {
    reply.array(6)
    reply.integer(id)
    reply.integer(unixSeconds)
    reply.integer(durationUs)
    reply.array(words.length)
    for (const word of words) reply.latin1(word)
    reply.latin1(address)
    reply.latin1(clientName)
  }
}

const helpLines = [
  'GET [<count>]',
  '    Return top <count> entries from the slowlog (default: 10, -1 mean all).',
  '    Entries are made of:',
  '    id, timestamp, time in microseconds, arguments array, client IP and port,',
  '    client name',
  'LEN',
  '    Return the length of the slowlog.',
  'RESET',
  '    Reset the slowlog.',
]

export const slowlogCommands: readonly Command[] = [
  {
    name: 'slowlog',
    arity: -2,
    flags: [],
    categories: [],
    group: 'server',
    subcommands: [
      {
        name: 'get',
        arity: -2,
        flags: administration,
        categories: [],
        group: 'server',
        tips: ['request_policy:all_nodes', 'nondeterministic_output'],
        run: get,
      },
      {
        name: 'len',
        arity: 2,
        flags: administration,
        categories: [],
        group: 'server',
        tips: ['request_policy:all_nodes', 'response_policy:agg_sum', 'nondeterministic_output'],
        run: ({ server, reply }) => reply.integer(server.slowLog.length),
      },
      {
        name: 'reset',
        arity: 2,
        flags: administration,
        categories: [],
        group: 'server',
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        run: ({ server, reply }) => {
          server.slowLog.reset()
          reply.ok()
        },
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: [],
        group: 'server',
        run: ({ reply }) => replyHelp(reply, 'SLOWLOG', helpLines),
      },
    ],
  },
]
