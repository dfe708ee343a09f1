/**
 * Who subscribes to what, and delivery. Names are kept as one character per byte.
 *
 * Subscribers of a channel get their messages in the order in which they subscribed, after them the patterns in the
 * order of their first subscription.
 */
import { globMatch } from '../data/glob.ts'
import type { Client, Subscriptions } from './client.ts'

/** The three families of subscriptions, by their field in `Subscriptions`. */
export type SubscriptionFamily = keyof Subscriptions

const messageTypes: Record<SubscriptionFamily, string> = {
  channels: 'message',
  patterns: 'pmessage',
  shardChannels: 'smessage',
}

export class Broker {
  private readonly subscribers: Record<SubscriptionFamily, Map<string, Set<Client>>> = {
    channels: new Map(),
    patterns: new Map(),
    shardChannels: new Map(),
  }

  /** True when it is new to the client. */
  subscribe(client: Client, family: SubscriptionFamily, name: string): boolean {
    const own = client.subscriptions[family]
    if (own.has(name)) return false
    own.add(name)
    client.subscribed = true
    const all = this.subscribers[family]
    const clients = all.get(name)
    if (clients === undefined) all.set(name, new Set([client]))
    else clients.add(client)
    return true
  }

  unsubscribe(client: Client, family: SubscriptionFamily, name: string): boolean {
    const { channels, patterns, shardChannels } = client.subscriptions
    if (!client.subscriptions[family].delete(name)) return false
    client.subscribed = channels.size > 0 || patterns.size > 0 || shardChannels.size > 0
    const clients = this.subscribers[family].get(name)
    clients?.delete(client)
    if (clients?.size === 0) this.subscribers[family].delete(name)
    return true
  }

  /** The client is going away. */
  forget(client: Client): void {
    for (const family of ['channels', 'patterns', 'shardChannels'] as const) {
      for (const name of [...client.subscriptions[family]]) this.unsubscribe(client, family, name)
    }
  }

  publish(channel: Buffer, message: Buffer): number {
    const { channels, patterns } = this.subscribers
    let receivers = this.deliver(channels.get(channel.toString('latin1')), 'channels', channel, message)
    for (const [pattern, clients] of patterns) {
      const bytes = Buffer.from(pattern, 'latin1')
      if (globMatch(bytes, channel)) receivers += this.deliver(clients, 'patterns', channel, message, bytes)
    }
    return receivers
  }

  publishSharded(channel: Buffer, message: Buffer): number {
    const clients = this.subscribers.shardChannels.get(channel.toString('latin1'))
    return this.deliver(clients, 'shardChannels', channel, message)
  }

  private deliver(
    clients: Set<Client> | undefined,
    family: SubscriptionFamily,
    channel: Buffer,
    message: Buffer,
    pattern?: Buffer,
  ): number {
    if (clients === undefined) return 0
    for (const { reply } of clients) {
      reply.push(pattern === undefined ? 3 : 4)
      reply.latin1(messageTypes[family])
      if (pattern !== undefined) reply.bulk(pattern)
      reply.bulk(channel)
      reply.bulk(message)
    }
    return clients.size
  }

  /** Names with at least one subscriber. */
  names(family: SubscriptionFamily): IterableIterator<string> {
    return this.subscribers[family].keys()
  }

  count(family: SubscriptionFamily): number {
    return this.subscribers[family].size
  }

  countSubscribers(family: SubscriptionFamily, name: string): number {
    return this.subscribers[family].get(name)?.size ?? 0
  }

  /** Cluster: the slot moved away. Tells the subscribers and ends the subscriptions of channels that `lost` selects. */
  dropShardChannels(lost: (channel: Buffer) => boolean): void {
    for (const [name, clients] of [...this.subscribers.shardChannels]) {
      const channel = Buffer.from(name, 'latin1')
      if (!lost(channel)) continue
      for (const client of [...clients]) {
        this.unsubscribe(client, 'shardChannels', name)
        client.reply.push(3)
        client.reply.latin1('sunsubscribe')
        client.reply.bulk(channel)
        client.reply.integer(client.subscriptions.shardChannels.size)
      }
    }
  }
}
