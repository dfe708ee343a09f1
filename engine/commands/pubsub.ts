/** Channels: subscribing, publishing, and what PUBSUB tells about them. Who gets what is `engine/server/pubsub.ts`. */
import { globMatch } from '../data/glob.ts'
import type { Client } from '../server/client.ts'
import type { SubscriptionFamily } from '../server/pubsub.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { replyHelp } from './help.ts'

const words: Record<SubscriptionFamily, readonly [subscribe: string, unsubscribe: string]> = {
  channels: ['subscribe', 'unsubscribe'],
  patterns: ['psubscribe', 'punsubscribe'],
  shardChannels: ['ssubscribe', 'sunsubscribe'],
}

/** Shard channels are counted by themselves, channels and patterns together. */
function countFor({ subscriptions }: Client, family: SubscriptionFamily): number {
  if (family === 'shardChannels') return subscriptions.shardChannels.size
  return subscriptions.channels.size + subscriptions.patterns.size
}

function announce({ client, reply }: Context, family: SubscriptionFamily, word: string, name: string | undefined) {
  reply.push(3)
  reply.latin1(word)
  if (name === undefined) reply.nil()
  else reply.latin1(name)
  reply.integer(countFor(client, family))
}

function subscribeTo(context: Context, args: Arguments, family: SubscriptionFamily): void {
  const [word] = words[family]
  for (let i = 1; i < args.count; i++) {
    const name = args.latin1(i)
    context.server.pubsub.subscribe(context.client, family, name)
    announce(context, family, word, name)
  }
}

function unsubscribeFrom(context: Context, args: Arguments, family: SubscriptionFamily): void {
  const [, word] = words[family]
  const { client, server } = context
  const names =
    args.count === 1
      ? [...client.subscriptions[family]]
      : Array.from({ length: args.count - 1 }, (_, i) => args.latin1(i + 1))
  if (names.length === 0) announce(context, family, word, undefined)
  for (const name of names) {
    server.pubsub.unsubscribe(client, family, name)
    announce(context, family, word, name)
  }
}

const subscribe = (context: Context, args: Arguments): void => subscribeTo(context, args, 'channels')
const psubscribe = (context: Context, args: Arguments): void => subscribeTo(context, args, 'patterns')
const ssubscribe = (context: Context, args: Arguments): void => subscribeTo(context, args, 'shardChannels')
const unsubscribe = (context: Context, args: Arguments): void => unsubscribeFrom(context, args, 'channels')
const punsubscribe = (context: Context, args: Arguments): void => unsubscribeFrom(context, args, 'patterns')
const sunsubscribe = (context: Context, args: Arguments): void => unsubscribeFrom(context, args, 'shardChannels')

function publish(context: Context, args: Arguments): void {
  const { server, reply } = context
  const [channel, message] = [args.copy(1), args.copy(2)]
  const receivers = server.pubsub.publish(channel, message)
  // In a cluster the bus carries messages to every node, replicas included.
  if (server.cluster === undefined) context.forcePropagation('replicas')
  else server.cluster.publish(channel, message, false)
  reply.integer(receivers)
}

function spublish(context: Context, args: Arguments): void {
  const { server, reply } = context
  const [channel, message] = [args.copy(1), args.copy(2)]
  const receivers = server.pubsub.publishSharded(channel, message)
  if (server.cluster === undefined) context.forcePropagation('replicas')
  else server.cluster.publish(channel, message, true)
  reply.integer(receivers)
}

function listNames({ reply, server }: Context, args: Arguments, family: SubscriptionFamily): void {
  if (args.count > 3) {
    reply.error(`ERR unknown subcommand or wrong number of arguments for '${args.latin1(1)}'. Try PUBSUB HELP.`)
    return
  }
  const pattern = args.count > 2 ? args.view(2) : undefined
  const names = [...server.pubsub.names(family)].filter(
    (name) => pattern === undefined || globMatch(pattern, Buffer.from(name, 'latin1')),
  )
  reply.array(names.length)
  for (const name of names) reply.latin1(name)
}

function countNames({ reply, server }: Context, args: Arguments, family: SubscriptionFamily): void {
  reply.array((args.count - 2) * 2)
  for (let i = 2; i < args.count; i++) {
    reply.latin1(args.latin1(i))
    reply.integer(server.pubsub.countSubscribers(family, args.latin1(i)))
  }
}

const pubsubChannels = (context: Context, args: Arguments): void => listNames(context, args, 'channels')
const pubsubShardchannels = (context: Context, args: Arguments): void => listNames(context, args, 'shardChannels')
const pubsubNumsub = (context: Context, args: Arguments): void => countNames(context, args, 'channels')
const pubsubShardnumsub = (context: Context, args: Arguments): void => countNames(context, args, 'shardChannels')

function pubsubNumpat({ reply, server }: Context): void {
  reply.integer(server.pubsub.count('patterns'))
}

function pubsubHelp({ reply }: Context): void {
  replyHelp(reply, 'PUBSUB', helpLines)
}

const helpLines = [
  'CHANNELS [<pattern>]',
  "    Return the currently active channels matching a <pattern> (default: '*').",
  'NUMPAT',
  '    Return number of subscriptions to patterns.',
  'NUMSUB [<channel> ...]',
  '    Return the number of subscribers for the specified channels, excluding',
  '    pattern subscriptions(default: no channels).',
  'SHARDCHANNELS [<pattern>]',
  "    Return the currently active shard level channels matching a <pattern> (default: '*').",
  'SHARDNUMSUB [<shardchannel> ...]',
  '    Return the number of subscribers for the specified shard level channel(s)',
]

export const pubsubCommands: readonly Command[] = [
  {
    name: 'subscribe',
    arity: -2,
    channels: 'names',
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    categories: [],
    group: 'pubsub',
    traits: ['runsWhileSubscribed'],
    run: subscribe,
  },
  {
    name: 'unsubscribe',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    categories: [],
    group: 'pubsub',
    traits: ['runsWhileSubscribed'],
    run: unsubscribe,
  },
  {
    name: 'psubscribe',
    arity: -2,
    channels: 'patterns',
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    categories: [],
    group: 'pubsub',
    traits: ['runsWhileSubscribed'],
    run: psubscribe,
  },
  {
    name: 'punsubscribe',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    categories: [],
    group: 'pubsub',
    traits: ['runsWhileSubscribed'],
    run: punsubscribe,
  },
  {
    name: 'publish',
    traits: ['mayReplicate'],
    arity: 3,
    channels: 'first',
    flags: ['pubsub', 'loading', 'stale', 'fast'],
    categories: [],
    group: 'pubsub',
    run: publish,
  },
  {
    name: 'ssubscribe',
    arity: -2,
    channels: 'names',
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    categories: [],
    keySpecs: [{ flags: ['not_key'], begin: { index: 1 }, find: { lastKey: -1, step: 1, limit: 0 } }],
    group: 'pubsub',
    traits: ['runsWhileSubscribed'],
    run: ssubscribe,
  },
  {
    name: 'sunsubscribe',
    arity: -1,
    flags: ['pubsub', 'noscript', 'loading', 'stale'],
    categories: [],
    keySpecs: [{ flags: ['not_key'], begin: { index: 1 }, find: { lastKey: -1, step: 1, limit: 0 } }],
    group: 'pubsub',
    traits: ['runsWhileSubscribed'],
    run: sunsubscribe,
  },
  {
    name: 'spublish',
    traits: ['mayReplicate'],
    arity: 3,
    channels: 'first',
    flags: ['pubsub', 'loading', 'stale', 'fast'],
    categories: [],
    keySpecs: [{ flags: ['not_key'], begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } }],
    group: 'pubsub',
    run: spublish,
  },
  {
    name: 'pubsub',
    arity: -2,
    flags: [],
    categories: [],
    group: 'pubsub',
    subcommands: [
      {
        name: 'shardnumsub',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        categories: [],
        group: 'pubsub',
        run: pubsubShardnumsub,
      },
      {
        name: 'channels',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        categories: [],
        group: 'pubsub',
        run: pubsubChannels,
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: [],
        group: 'pubsub',
        run: pubsubHelp,
      },
      {
        name: 'numpat',
        arity: 2,
        flags: ['pubsub', 'loading', 'stale'],
        categories: [],
        group: 'pubsub',
        run: pubsubNumpat,
      },
      {
        name: 'numsub',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        categories: [],
        group: 'pubsub',
        run: pubsubNumsub,
      },
      {
        name: 'shardchannels',
        arity: -2,
        flags: ['pubsub', 'loading', 'stale'],
        categories: [],
        group: 'pubsub',
        run: pubsubShardchannels,
      },
    ],
  },
]
