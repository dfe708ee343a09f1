/** DEBUG: what tests and client libraries use of it. It needs `enable-debug-command`. The larger ones have files of their own. */
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { debugDigest, debugDigestValue } from './debug-digest.ts'
import { debugReload } from './debug-reload.ts'
import { replyHelp } from './help.ts'

/** How many words there must be, −n: at least n. */
type Subcommand = readonly [words: number, run: (context: Context, args: Arguments) => void]

function setActiveExpire({ reply, server }: Context, args: Arguments): void {
  server.activeExpiry = args.latin1(2) !== '0' && /^\d/.test(args.latin1(2))
  reply.ok()
}

function error({ reply }: Context, args: Arguments): void {
  reply.error(args.latin1(2))
}

function log({ reply, server }: Context, args: Arguments): void {
  server.log.warning(`DEBUG LOG: ${args.utf8(2)}`)
  reply.ok()
}

const protocolReplies: Record<string, (context: Context) => void> = {
  string: ({ reply }) => reply.text('Hello World'),
  integer: ({ reply }) => reply.integer(12345),
  double: ({ reply }) => reply.raw(Buffer.from(reply.protocol === 3 ? ',3.141\r\n' : '$5\r\n3.141\r\n')),
  bignum: ({ reply }) => reply.bigNumber('1234567999999999999999999999999999999'),
  null: ({ reply }) => reply.nil(),
  array: ({ reply }) => {
    reply.array(3)
    for (let i = 0; i < 3; i++) reply.integer(i)
  },
  set: ({ reply }) => {
    reply.set(3)
    for (let i = 0; i < 3; i++) reply.integer(i)
  },
  map: ({ reply }) => {
    reply.map(3)
    for (let i = 0; i < 3; i++) {
      reply.integer(i)
      reply.boolean(i === 1)
    }
  },
  attrib: ({ reply }) => {
    if (reply.protocol === 3) reply.raw(Buffer.from('|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n'))
    reply.text('Some real reply following the attribute')
  },
  push: ({ reply }) => {
    if (reply.protocol === 2) {
      reply.error('ERR RESP2 is not supported by this command')
      return
    }
    reply.push(2)
    reply.text('server-cpu-usage')
    reply.integer(42)
    reply.text('Some real reply following the push reply')
  },
  verbatim: ({ reply }) => reply.verbatim('txt', 'This is a verbatim\nstring'),
  true: ({ reply }) => reply.boolean(true),
  false: ({ reply }) => reply.boolean(false),
}

function protocol(context: Context, args: Arguments): void {
  const write = protocolReplies[args.latin1(2).toLowerCase()]
  if (write !== undefined) write(context)
  else {
    context.reply.error(
      `ERR Wrong protocol type name. Please use one of the following: ${Object.keys(protocolReplies).join('|')}`,
    )
  }
}

function help({ reply }: Context): void {
  replyHelp(reply, 'DEBUG', [
    'DIGEST',
    '    Answer with a hash of the whole data set.',
    'DIGEST-VALUE <key> [<key> ...]',
    '    Answer with a hash of the value of each of these keys.',
    'ERROR <string>',
    '    Answer with an error of this text.',
    'LOG <message>',
    "    Write <message> to the server's log.",
    'PROTOCOL <type>',
    '    Answer with a value of this type. <type> can be: string, integer, double,',
    '    bignum, null, array, set, map, attrib, push, verbatim, true, false.',
    'SET-ACTIVE-EXPIRE <0|1>',
    '    Turn the removal of expired keys in the background off or on.',
  ])
}

/** By lower-case name: how many words there must be, and what to do. */
const subcommands = new Map<string, Subcommand>([
  ['digest', [2, debugDigest]],
  ['digest-value', [-2, debugDigestValue]],
  ['error', [3, error]],
  ['log', [3, log]],
  ['protocol', [3, protocol]],
  ['reload', [-2, debugReload]],
  ['set-active-expire', [3, setActiveExpire]],
  ['help', [2, help]],
])

function debug(context: Context, args: Arguments): void {
  const [words = 0, run] = subcommands.get(args.latin1(1).toLowerCase()) ?? []
  if (run !== undefined && (words === args.count || (words < 0 && args.count >= -words))) {
    run(context, args)
    return
  }
  context.reply.error(
    `ERR unknown subcommand or wrong number of arguments for '${args.latin1(1).slice(0, 128)}'. Try DEBUG HELP.`,
  )
}

export const debugCommands: readonly Command[] = [
  {
    name: 'debug',
    arity: -2,
    flags: ['admin', 'noscript', 'loading', 'stale'],
    categories: [],
    group: 'server',
    since: '1.0.0',
    summary: 'Commands for tests of the server',
    complexity: 'Depends on subcommand.',
    docFlags: ['syscmd'],
    traits: ['protected'],
    run: debug,
  },
]
