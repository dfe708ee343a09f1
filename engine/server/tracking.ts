/**
 * Client-side caching (CLIENT TRACKING): who may hold which keys in a cache of its own, and is told when they change.
 *
 * A client that tracks is remembered for every key that it reads, until the key changes; then it is told once and
 * forgotten for that key. In broadcast mode nothing is remembered: all changes of keys with certain prefixes are told,
 * together at the end of the turn. Messages are pushes over RESP3, or messages of the channel `__redis__:invalidate`
 * on another connection (REDIRECT). What a client changes itself it hears of after the reply to the command.
 * Keys are told apart by name only, whatever their database (as in Redis).
 */
import type { Arguments } from '../commands/arguments.ts'
import type { Command } from '../commands/command.ts'
import { findKeys } from '../commands/key-positions.ts'
import type { Client } from './client.ts'

/** A client's own part; absent while it does not track. */
export interface TrackingState {
  /** Number of the client that gets the messages; 0: itself. */
  redirect: number
  broadcast: boolean
  /** Remember reads only after CLIENT CACHING YES, or all but those after CLIENT CACHING NO. */
  mode: 'all' | 'optIn' | 'optOut'
  /** CLIENT CACHING was said for the next command. */
  cachingSaid: boolean
  ignoresOwn: boolean
  redirectBroken: boolean
  /** Broadcast mode; one character per byte. */
  prefixes: readonly string[]
}

export interface TrackingSettings {
  findClient(id: number): Client | undefined
  /** The client whose command runs. */
  current(): Client | undefined
  /** `tracking-table-max-keys`; 0: no limit. */
  keysMax(): number
  /** Runs the task once before the replies of this turn leave. */
  beforeSleep(task: () => void): void
}

const NULL_2 = Buffer.from('$-1\r\n')
const NULL_3 = Buffer.from('_\r\n')
const CHANNEL = Buffer.from('__redis__:invalidate')

export class Tracking {
  private readonly settings: TrackingSettings
  /** Everybody who tracks. */
  private readonly clients = new Set<Client>()
  /** Readers by key, one character per byte. */
  private readonly readers = new Map<string, Set<Client>>()
  private items = 0
  /** Broadcast mode: who listens to a prefix, and what changed in this turn by whom. */
  private readonly prefixes = new Map<string, { clients: Set<Client>; changed: Map<string, Client | undefined> }>()
  /** For the client whose command runs: keys, or that everything is gone. */
  private pending: (string | 'everything')[] = []
  private readonly broadcastTask = () => this.broadcast()

  constructor(settings: TrackingSettings) {
    this.settings = settings
  }

  /** Whether anybody has to be told of changes. */
  get isActive(): boolean {
    return this.clients.size > 0
  }

  get counts(): { clients: number; keys: number; items: number; prefixes: number } {
    return { clients: this.clients.size, keys: this.readers.size, items: this.items, prefixes: this.prefixes.size }
  }

  enable(client: Client, state: TrackingState): void {
    this.clients.add(client)
    const known = client.tracking?.prefixes ?? []
    const prefixes = state.broadcast && state.prefixes.length === 0 && known.length === 0 ? [''] : state.prefixes
    client.tracking = { ...state, prefixes: [...known, ...prefixes.filter((one) => !known.includes(one))] }
    for (const prefix of client.tracking.prefixes) {
      const listeners = this.prefixes.get(prefix) ?? { clients: new Set(), changed: new Map() }
      listeners.clients.add(client)
      this.prefixes.set(prefix, listeners)
    }
  }

  /** The client stops tracking, or goes. What it read is forgotten when the keys change. */
  disable(client: Client): void {
    for (const prefix of client.tracking?.prefixes ?? []) {
      const listeners = this.prefixes.get(prefix)
      listeners?.clients.delete(client)
      if (listeners?.clients.size === 0) this.prefixes.delete(prefix)
    }
    client.tracking = undefined
    this.clients.delete(client)
  }

  /** The client has run a command that reads. */
  remember(client: Client, command: Command, args: Arguments): void {
    const { tracking } = client
    if (tracking === undefined || tracking.broadcast) return
    if (tracking.mode === 'optIn' && !tracking.cachingSaid) return
    if (tracking.mode === 'optOut' && tracking.cachingSaid) return
    for (const index of findKeys(command, args) ?? []) {
      const key = args.latin1(index)
      const readers = this.readers.get(key) ?? new Set()
      if (readers.size === 0) this.readers.set(key, readers)
      if (!readers.has(client)) this.items++
      readers.add(client)
    }
    if (this.readers.size > this.settings.keysMax()) this.settings.beforeSleep(this.limitTask)
  }

  /** More keys than allowed: the oldest are told to have changed, so that they need not be remembered. */
  private readonly limitTask = () => {
    const most = this.settings.keysMax()
    for (const key of this.readers.keys()) {
      if (most === 0 || this.readers.size <= most) break
      this.tellReaders(key)
    }
  }

  /** The key was changed, or removed. */
  invalidate(key: Buffer): void {
    const name = key.toString('latin1')
    if (this.prefixes.size > 0) {
      for (const [prefix, { changed }] of this.prefixes) {
        if (name.startsWith(prefix)) changed.set(name, this.settings.current())
      }
      this.settings.beforeSleep(this.broadcastTask)
    }
    this.tellReaders(name)
  }

  private tellReaders(name: string): void {
    const readers = this.readers.get(name)
    if (readers === undefined) return
    this.readers.delete(name)
    this.items -= readers.size
    const current = this.settings.current()
    for (const client of readers) {
      const { tracking } = client
      if (tracking === undefined || tracking.broadcast) continue
      if (client !== current) this.send(client, [name])
      else if (!tracking.ignoresOwn) this.pending.push(name)
    }
  }

  /** Everything is gone (FLUSHALL, FLUSHDB, a new data set). */
  invalidateAll(): void {
    const current = this.settings.current()
    for (const client of this.clients) {
      if (client === current) this.pending.push('everything')
      else this.send(client, 'everything')
    }
    this.readers.clear()
    this.items = 0
  }

  /** The client's command has been answered: it hears of what it changed itself. */
  commandEnded(client: Client, keepsCaching: boolean): void {
    const { tracking } = client
    if (tracking?.cachingSaid && !keepsCaching && client.transaction === undefined) tracking.cachingSaid = false
    if (this.pending.length === 0) return
    for (const one of this.pending.splice(0)) this.send(client, one === 'everything' ? one : [one])
  }

  private broadcast(): void {
    for (const { clients, changed } of this.prefixes.values()) {
      if (changed.size === 0) continue
      const all = [...changed.keys()]
      for (const client of clients) {
        const keys = client.tracking?.ignoresOwn ? all.filter((key) => changed.get(key) !== client) : all
        if (keys.length > 0) this.send(client, keys)
      }
      changed.clear()
    }
  }

  private send(client: Client, keys: readonly string[] | 'everything'): void {
    const { tracking } = client
    if (tracking === undefined || client.closed) return
    const receiver = tracking.redirect === 0 ? client : this.settings.findClient(tracking.redirect)
    if (receiver === undefined) {
      tracking.redirectBroken = true
      if (client.reply.protocol === 3) {
        client.reply.push(2)
        client.reply.text('tracking-redir-broken')
        client.reply.integer(tracking.redirect)
      }
      return
    }
    const { reply } = receiver
    if (reply.protocol === 3) {
      reply.push(2)
      reply.text('invalidate')
    } else if (receiver !== client && receiver.subscribed) {
      reply.push(3)
      reply.text('message')
      reply.bulk(CHANNEL)
    } else return
    // As in Redis: the null of the tracking client's protocol, whatever its receiver speaks.
    if (keys === 'everything') reply.raw(client.reply.protocol === 3 ? NULL_3 : NULL_2)
    else {
      reply.array(keys.length)
      for (const key of keys) reply.latin1(key)
    }
  }
}
