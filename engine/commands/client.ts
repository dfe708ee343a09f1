/** CLIENT: connections seen from outside. */

import type { Client } from '../server/client.ts'
import type { Arguments } from './arguments.ts'
import { clientKill, clientList } from './client-selection.ts'
import { clientCaching, clientGetredir, clientTracking, clientTrackinginfo } from './client-tracking.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { replyHelp } from './help.ts'
import { LONG_REPLY } from './long-reply.ts'
import { readInteger } from './reading.ts'

const NAME_REFUSED = 'ERR Client names cannot contain spaces, newlines or special characters.'

/** Sets the name (one character per byte), or says why not. An empty name removes it. */
export function setClientName(client: Client, name: string): string | undefined {
  if (!/^[!-~]*$/.test(name)) return NAME_REFUSED
  client.name = name
  return undefined
}

function clientSetname({ client, reply }: Context, args: Arguments): void {
  const refused = setClientName(client, args.latin1(2))
  if (refused === undefined) reply.ok()
  else reply.error(refused)
}

function clientGetname({ client, reply }: Context): void {
  if (client.name === '') reply.nil()
  else reply.latin1(client.name)
}

function clientId({ client, reply }: Context): void {
  reply.integer(client.id)
}

function clientInfo({ client, reply, server }: Context): void {
  reply.verbatim('txt', `${server.clients.describe(client)}\n`)
}

function clientReply({ client, reply }: Context, args: Arguments): void {
  if (args.is(2, 'on')) {
    client.replyMode = 'on'
    reply.ok()
  } else if (args.is(2, 'off')) {
    client.replyMode = 'off'
  } else if (args.is(2, 'skip')) {
    if (client.replyMode !== 'off') client.replyMode = 'skipNext'
  } else {
    reply.error(errors.syntax)
  }
}

function clientNoEvict({ client, reply }: Context, args: Arguments): void {
  const on = args.is(2, 'on')
  if (!on && !args.is(2, 'off')) {
    reply.error(errors.syntax)
    return
  }
  client.noEvict = on
  reply.ok()
}

function clientUnblock({ reply, server }: Context, args: Arguments): void {
  let withError = false
  if (args.count === 4) {
    withError = args.is(3, 'error')
    if (!withError && !args.is(3, 'timeout')) {
      reply.error('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')
      return
    }
  }
  const id = readInteger(args, 2)
  if (id === undefined) {
    reply.error(errors.notInteger)
    return
  }
  const target = server.clients.get(id)
  if (target === undefined || !target.blocked || NOT_UNBLOCKED.has(target.blockedFor ?? '')) {
    reply.integer(0)
    return
  }
  if (withError) target.unblock((answer) => answer.error('UNBLOCKED client unblocked via CLIENT UNBLOCK'))
  else target.timeOut()
  reply.integer(1)
}

/** What only the server itself ends. */
const NOT_UNBLOCKED = new Set(['postpone', LONG_REPLY])

function clientPause({ reply, server }: Context, args: Arguments): void {
  const forWrites = args.count === 4 && args.is(3, 'write')
  if (args.count === 4 && !forWrites && !args.is(3, 'all')) {
    reply.error('ERR CLIENT PAUSE mode must be WRITE or ALL')
    return
  }
  const timeoutMs = readInteger(args, 2)
  if (timeoutMs === undefined) {
    reply.error('ERR timeout is not an integer or out of range')
  } else if (timeoutMs < 0) {
    reply.error('ERR timeout is negative')
  } else {
    const nowMs = server.nowMs
    const endMs = nowMs + timeoutMs
    // Beyond the largest time Redis's sum is negative, a time that is over.
    if (endMs < 2 ** 63) server.pause.begin('client pause', endMs, forWrites ? 'write' : 'all', nowMs)
    reply.ok()
  }
}

function clientUnpause({ reply, server }: Context): void {
  server.pause.end('client pause')
  reply.ok()
}

function clientHelp({ reply }: Context): void {
  replyHelp(reply, 'CLIENT', helpLines)
}

const helpLines = [
  'CACHING (YES|NO)',
  '    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.',
  'GETREDIR',
  '    Return the client ID we are redirecting to when tracking is enabled.',
  'GETNAME',
  '    Return the name of the current connection.',
  'ID',
  '    Return the ID of the current connection.',
  'INFO',
  '    Return information about the current client connection.',
  'KILL <ip:port>',
  '    Kill connection made from <ip:port>.',
  'KILL <option> <value> [<option> <value> [...]]',
  '    Kill connections. Options are:',
  '    * ADDR (<ip:port>|<unixsocket>:0)',
  '      Kill connections made from the specified address',
  '    * LADDR (<ip:port>|<unixsocket>:0)',
  '      Kill connections made to specified local address',
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      Kill connections by type.',
  '    * USER <username>',
  '      Kill connections authenticated by <username>.',
  '    * SKIPME (YES|NO)',
  '      Skip killing current connection (default: yes).',
  'LIST [options ...]',
  '    Return information about client connections. Options:',
  '    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
  '      Return clients of specified type.',
  'UNPAUSE',
  '    Stop the current client pause, resuming traffic.',
  'PAUSE <timeout> [WRITE|ALL]',
  '    Suspend all, or just write, clients for <timeout> milliseconds.',
  'REPLY (ON|OFF|SKIP)',
  '    Control the replies sent to the current connection.',
  'SETNAME <name>',
  '    Assign the name <name> to the current connection.',
  'UNBLOCK <clientid> [TIMEOUT|ERROR]',
  '    Unblock the specified blocked client.',
  'TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]',
  '         [OPTIN] [OPTOUT] [NOLOOP]',
  '    Control server assisted client side caching.',
  'TRACKINGINFO',
  '    Report tracking status for the current connection.',
  'NO-EVICT (ON|OFF)',
  '    Protect current client connection from eviction.',
]

export const clientCommands: readonly Command[] = [
  {
    name: 'client',
    traits: ['keepsCaching'],
    arity: -2,
    flags: [],
    categories: [],
    group: 'connection',
    subcommands: [
      {
        name: 'setname',
        arity: 3,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientSetname,
      },
      {
        name: 'reply',
        arity: 3,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientReply,
      },
      {
        name: 'list',
        arity: -2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        tips: ['nondeterministic_output'],
        run: clientList,
      },
      {
        name: 'no-evict',
        arity: 3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientNoEvict,
      },
      {
        name: 'unblock',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientUnblock,
      },
      {
        name: 'id',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientId,
      },
      {
        name: 'getredir',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientGetredir,
      },
      {
        name: 'pause',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientPause,
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientHelp,
      },
      {
        name: 'getname',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientGetname,
      },
      {
        name: 'caching',
        arity: 3,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientCaching,
      },
      {
        name: 'kill',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientKill,
      },
      {
        name: 'unpause',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientUnpause,
      },
      {
        name: 'trackinginfo',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientTrackinginfo,
      },
      {
        name: 'tracking',
        arity: -3,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        run: clientTracking,
      },
      {
        name: 'info',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        tips: ['nondeterministic_output'],
        run: clientInfo,
      },
    ],
  },
]
