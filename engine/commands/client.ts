/** CLIENT: connections seen from outside. */
import type { Client } from '../server/client.ts'
import type { Arguments } from './arguments.ts'
import { clientKill, clientList } from './client-selection.ts'
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
    server.pause.begin('client pause', nowMs + timeoutMs, forWrites ? 'write' : 'all', nowMs)
    reply.ok()
  }
}

function clientUnpause({ reply, server }: Context): void {
  server.pause.end('client pause')
  reply.ok()
}

/** Nobody tracks: client-side caching does not exist yet. */
function clientGetredir({ reply }: Context): void {
  reply.integer(-1)
}

function clientTrackinginfo({ reply }: Context): void {
  reply.map(3)
  reply.text('flags')
  reply.set(1)
  reply.text('off')
  reply.text('redirect')
  reply.integer(-1)
  reply.text('prefixes')
  reply.array(0)
}

function clientTracking({ reply }: Context, args: Arguments): void {
  if (args.is(2, 'off')) reply.ok()
  else if (args.is(2, 'on')) reply.error('ERR this server does not support client tracking yet')
  else reply.error(errors.syntax)
}

function clientCaching({ reply }: Context): void {
  reply.error(
    'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
  )
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
    arity: -2,
    flags: [],
    categories: [],
    group: 'connection',
    since: '2.4.0',
    summary: 'Commands about connections',
    complexity: 'Depends on subcommand.',
    subcommands: [
      {
        name: 'setname',
        arity: 3,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '2.6.9',
        summary: 'Names this connection',
        complexity: 'O(1)',
        arguments: [{ name: 'connection-name', type: 'string' }],
        run: clientSetname,
      },
      {
        name: 'reply',
        arity: 3,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '3.2.0',
        summary: 'Chooses whether commands are answered',
        complexity: 'O(1)',
        arguments: [
          {
            name: 'on_off_skip',
            type: 'oneof',
            arguments: [
              { name: 'on', type: 'pure-token', token: 'ON' },
              { name: 'off', type: 'pure-token', token: 'OFF' },
              { name: 'skip', type: 'pure-token', token: 'SKIP' },
            ],
          },
        ],
        run: clientReply,
      },
      {
        name: 'list',
        arity: -2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '2.4.0',
        summary: 'Describes the open connections',
        complexity: 'O(N) where N is the number of client connections',
        tips: ['nondeterministic_output'],
        arguments: [
          {
            name: 'normal_master_replica_pubsub',
            type: 'oneof',
            token: 'TYPE',
            since: '5.0.0',
            flags: ['optional'],
            arguments: [
              { name: 'normal', type: 'pure-token', token: 'NORMAL' },
              { name: 'master', type: 'pure-token', token: 'MASTER' },
              { name: 'replica', type: 'pure-token', token: 'REPLICA' },
              { name: 'pubsub', type: 'pure-token', token: 'PUBSUB' },
            ],
          },
          {
            name: 'id',
            type: 'block',
            token: 'ID',
            since: '6.2.0',
            flags: ['optional'],
            arguments: [{ name: 'client-id', type: 'integer', flags: ['multiple'] }],
          },
        ],
        run: clientList,
      },
      {
        name: 'no-evict',
        arity: 3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '7.0.0',
        summary: 'Keeps this connection out of client eviction',
        complexity: 'O(1)',
        arguments: [
          {
            name: 'enabled',
            type: 'oneof',
            arguments: [
              { name: 'on', type: 'pure-token', token: 'ON' },
              { name: 'off', type: 'pure-token', token: 'OFF' },
            ],
          },
        ],
        run: clientNoEvict,
      },
      {
        name: 'unblock',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '5.0.0',
        summary: 'Ends the wait of a blocked client',
        complexity: 'O(log N) where N is the number of client connections',
        arguments: [
          { name: 'client-id', type: 'integer' },
          {
            name: 'timeout_error',
            type: 'oneof',
            flags: ['optional'],
            arguments: [
              { name: 'timeout', type: 'pure-token', token: 'TIMEOUT' },
              { name: 'error', type: 'pure-token', token: 'ERROR' },
            ],
          },
        ],
        run: clientUnblock,
      },
      {
        name: 'id',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '5.0.0',
        summary: 'Number of this connection',
        complexity: 'O(1)',
        run: clientId,
      },
      {
        name: 'getredir',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '6.0.0',
        summary: "Client that gets this one's invalidation messages",
        complexity: 'O(1)',
        run: clientGetredir,
      },
      {
        name: 'pause',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '2.9.50',
        summary: 'Holds back commands of clients for a time',
        complexity: 'O(1)',
        arguments: [
          { name: 'timeout', type: 'integer' },
          {
            name: 'mode',
            type: 'oneof',
            since: '6.2.0',
            flags: ['optional'],
            arguments: [
              { name: 'write', type: 'pure-token', token: 'WRITE' },
              { name: 'all', type: 'pure-token', token: 'ALL' },
            ],
          },
        ],
        run: clientPause,
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '5.0.0',
        summary: 'Explains the subcommands',
        complexity: 'O(1)',
        run: clientHelp,
      },
      {
        name: 'getname',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '2.6.9',
        summary: 'Name of this connection',
        complexity: 'O(1)',
        run: clientGetname,
      },
      {
        name: 'caching',
        arity: 3,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '6.0.0',
        summary: 'Tracks, or does not, the keys of the next command',
        complexity: 'O(1)',
        arguments: [
          {
            name: 'mode',
            type: 'oneof',
            arguments: [
              { name: 'yes', type: 'pure-token', token: 'YES' },
              { name: 'no', type: 'pure-token', token: 'NO' },
            ],
          },
        ],
        run: clientCaching,
      },
      {
        name: 'kill',
        arity: -3,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '2.4.0',
        summary: 'Closes connections',
        complexity: 'O(N) where N is the number of client connections',
        arguments: [
          {
            name: 'filter',
            type: 'oneof',
            arguments: [
              { name: 'ip:port', type: 'string', deprecatedSince: '2.8.12' },
              {
                name: 'new-format',
                type: 'oneof',
                flags: ['multiple'],
                arguments: [
                  { name: 'client-id', type: 'integer', token: 'ID', since: '2.8.12', flags: ['optional'] },
                  {
                    name: 'normal_master_slave_pubsub',
                    type: 'oneof',
                    token: 'TYPE',
                    since: '2.8.12',
                    flags: ['optional'],
                    arguments: [
                      { name: 'normal', type: 'pure-token', token: 'NORMAL' },
                      { name: 'master', type: 'pure-token', token: 'MASTER', since: '3.2.0' },
                      { name: 'slave', type: 'pure-token', token: 'SLAVE' },
                      { name: 'replica', type: 'pure-token', token: 'REPLICA', since: '5.0.0' },
                      { name: 'pubsub', type: 'pure-token', token: 'PUBSUB' },
                    ],
                  },
                  { name: 'username', type: 'string', token: 'USER', flags: ['optional'] },
                  { name: 'ip:port', type: 'string', token: 'ADDR', flags: ['optional'] },
                  { name: 'ip:port', type: 'string', token: 'LADDR', since: '6.2.0', flags: ['optional'] },
                  { name: 'yes/no', type: 'string', token: 'SKIPME', flags: ['optional'] },
                ],
              },
            ],
          },
        ],
        run: clientKill,
      },
      {
        name: 'unpause',
        arity: 2,
        flags: ['admin', 'noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '6.2.0',
        summary: 'Ends a pause of clients',
        complexity: 'O(N) Where N is the number of paused clients',
        run: clientUnpause,
      },
      {
        name: 'trackinginfo',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '6.2.0',
        summary: 'State of client-side caching support',
        complexity: 'O(1)',
        run: clientTrackinginfo,
      },
      {
        name: 'tracking',
        arity: -3,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '6.0.0',
        summary: 'Turns client-side caching support on or off',
        complexity: 'O(1). Some options may introduce additional complexity.',
        arguments: [
          {
            name: 'status',
            type: 'oneof',
            arguments: [
              { name: 'on', type: 'pure-token', token: 'ON' },
              { name: 'off', type: 'pure-token', token: 'OFF' },
            ],
          },
          { name: 'client-id', type: 'integer', token: 'REDIRECT', flags: ['optional'] },
          { name: 'prefix', type: 'string', token: 'PREFIX', flags: ['optional', 'multiple', 'multiple_token'] },
          { name: 'bcast', type: 'pure-token', token: 'BCAST', flags: ['optional'] },
          { name: 'optin', type: 'pure-token', token: 'OPTIN', flags: ['optional'] },
          { name: 'optout', type: 'pure-token', token: 'OPTOUT', flags: ['optional'] },
          { name: 'noloop', type: 'pure-token', token: 'NOLOOP', flags: ['optional'] },
        ],
        run: clientTracking,
      },
      {
        name: 'info',
        arity: 2,
        flags: ['noscript', 'loading', 'stale'],
        categories: ['connection'],
        group: 'connection',
        since: '6.2.0',
        summary: 'Describes this connection',
        complexity: 'O(1)',
        tips: ['nondeterministic_output'],
        run: clientInfo,
      },
    ],
  },
]
