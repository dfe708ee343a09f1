/**
 * A Redis Cluster client over the Io port: slot map from CLUSTER SLOTS, follows MOVED and ASK, refreshes the map after
 * redirects and failures, and says of every write whether it was done (ok), was not done (fail), or may have been
 * done (unknown).
 *
 * It behaves as the common clients do (Jedis, Lettuce): an operation that has no answer within the time-out closes the
 * connection, because the next answers on it cannot be trusted to come either; the next operation connects anew.
 */

import { keyHashSlot } from '../../engine/data/crc16.ts'
import type { Io, Timer } from '../../engine/io.ts'
import { ReplyError, type ReplyValue } from '../../engine/resp/reply-parser.ts'
import type { Outcome } from '../history/history.ts'
import { type Address, type ConnectionLost, RespClient } from './resp-client.ts'
import type { WorkloadClient, WriteResult } from './server-client.ts'

/** Redis's own clients follow at most 5 redirects (redis-cli, ioredis: 16, Jedis: 5). */
const MAX_REDIRECTS = 5
/** A map refresh is asked for at most so often, and so often as long as operations do not succeed. */
const REFRESH_INTERVAL_MS = 200
/** A node that does not send its map for so long is passed over. */
const REFRESH_TIMEOUT_MS = 300

interface PendingWrite {
  words: readonly string[]
  redirects: number
  timer: Timer | undefined
  /** Where it was sent last. */
  node: string
  sent: boolean
  done: ((result: WriteResult) => void) | undefined
}

export class ClusterClient implements WorkloadClient {
  private readonly io: Io
  private readonly seeds: readonly Address[]
  private readonly timeoutMs: number
  private readonly clients = new Map<string, RespClient>()
  /** Owner of each range of slots, as the last map said. */
  private ranges: { from: number; to: number; owner: string }[] = []
  /** What MOVED has said since. */
  private readonly moved = new Map<number, string>()
  private refreshing = false
  private refreshTimer: Timer | undefined
  private lastRefreshMs = Number.NEGATIVE_INFINITY
  private nextSeed: number
  private closed = false
  /** The last operation that ended did not succeed: the map may be old. */
  private failing = false

  constructor(io: Io, seeds: readonly Address[], timeoutMs: number) {
    this.io = io
    this.seeds = seeds
    this.timeoutMs = timeoutMs
    this.nextSeed = io.random.below(seeds.length)
  }

  /** Loads the slot map; asks the seeds in turn until one answers. */
  start(onReady: () => void): void {
    const ask = (): void => {
      if (this.closed) return
      this.fetchMap((loaded) => {
        if (loaded) onReady()
        else this.io.timers.after(REFRESH_INTERVAL_MS, ask)
      })
    }
    ask()
  }

  /** Sends a command to the owner of the key's slot. `done` is called exactly once. */
  send(key: string, words: readonly string[], done: (result: WriteResult) => void): void {
    const write: PendingWrite = { words, redirects: 0, timer: undefined, node: '', sent: false, done }
    write.timer = this.io.timers.after(this.timeoutMs, () => this.expire(write))
    const owner = this.ownerOf(keyHashSlot(Buffer.from(key)))
    if (owner === undefined) {
      this.requestRefresh()
      this.finish(write, 'fail', 'no node is known for the slot')
      return
    }
    this.sendTo(owner, write, false)
  }

  close(): void {
    this.closed = true
    this.refreshTimer?.cancel()
    for (const client of this.clients.values()) client.close()
    this.clients.clear()
  }

  private sendTo(node: string, write: PendingWrite, asking: boolean): void {
    const client = this.clientFor(node)
    write.node = node
    write.sent = true
    if (asking) client.send(['ASKING'], () => {})
    client.send(write.words, (reply, lost) => this.onReply(write, node, reply, lost))
  }

  private onReply(write: PendingWrite, node: string, reply: ReplyValue | undefined, lost?: ConnectionLost): void {
    if (write.done === undefined) return
    if (lost !== undefined) {
      this.requestRefresh()
      this.finish(write, lost.sent ? 'unknown' : 'fail', lost.reason)
    } else if (reply instanceof ReplyError) {
      this.onError(write, node, reply.message)
    } else {
      this.finish(write, 'ok', '')
    }
  }

  private onError(write: PendingWrite, node: string, message: string): void {
    const [code, slot, target] = message.split(' ')
    if ((code === 'MOVED' || code === 'ASK') && target !== undefined) {
      // An empty host means: the same host as the one that answered.
      const next = target.startsWith(':') ? node.slice(0, node.lastIndexOf(':')) + target : target
      if (code === 'MOVED') {
        this.moved.set(Number(slot), next)
        this.requestRefresh()
      }
      if (++write.redirects <= MAX_REDIRECTS) this.sendTo(next, write, code === 'ASK')
      else this.finish(write, 'fail', `too many redirects: ${message}`)
      return
    }
    if (code === 'CLUSTERDOWN' || code === 'READONLY') this.requestRefresh()
    this.finish(write, 'fail', message)
  }

  private expire(write: PendingWrite): void {
    if (write.done === undefined) return
    const client = this.clients.get(write.node)
    const error = `no answer within ${this.timeoutMs} ms`
    // Before closing: what closing ends is not this write.
    this.finish(write, write.sent ? 'unknown' : 'fail', error)
    client?.close(error)
    this.clients.delete(write.node)
    this.requestRefresh()
  }

  private finish(write: PendingWrite, outcome: Outcome, error: string): void {
    const { done } = write
    this.failing = outcome !== 'ok'
    write.done = undefined
    write.timer?.cancel()
    done?.({ outcome, node: write.node, error })
  }

  private clientFor(node: string): RespClient {
    const known = this.clients.get(node)
    if (known?.isOpen) return known
    const client = new RespClient(this.io, parseAddress(node))
    this.clients.set(node, client)
    return client
  }

  private requestRefresh(): void {
    if (this.closed || this.refreshing || this.refreshTimer !== undefined) return
    const sinceMs = this.io.clock.monotonicUs() / 1000 - this.lastRefreshMs
    this.refreshTimer = this.io.timers.after(Math.max(0, REFRESH_INTERVAL_MS - sinceMs), () => {
      this.refreshTimer = undefined
      this.fetchMap((loaded) => {
        if (!loaded || this.failing) this.requestRefresh()
      })
    })
  }

  /** Asks the next seed on a connection of its own. */
  private fetchMap(done: (loaded: boolean) => void): void {
    this.refreshing = true
    this.lastRefreshMs = this.io.clock.monotonicUs() / 1000
    const seed = this.seeds[this.nextSeed++ % this.seeds.length] as Address
    const client = new RespClient(this.io, seed)
    const timer = this.io.timers.after(REFRESH_TIMEOUT_MS, () => client.close('no slot map in time'))
    client.send(['CLUSTER', 'SLOTS'], (reply) => {
      timer.cancel()
      client.close()
      this.refreshing = false
      done(this.applyMap(reply, seed))
    })
  }

  private applyMap(reply: ReplyValue | undefined, seed: Address): boolean {
    if (!Array.isArray(reply) || reply.length === 0) return false
    this.ranges = reply.flatMap((range) => {
      if (!Array.isArray(range) || !Array.isArray(range[2])) return []
      const [from, to, [host, port]] = range as [ReplyValue, ReplyValue, ReplyValue[]]
      const owner = `${host === null || String(host) === '' ? seed.host : String(host)}:${String(port)}`
      return [{ from: Number(from), to: Number(to), owner }]
    })
    this.moved.clear()
    return true
  }

  private ownerOf(slot: number): string | undefined {
    return this.moved.get(slot) ?? this.ranges.find(({ from, to }) => slot >= from && slot <= to)?.owner
  }
}

function parseAddress(node: string): Address {
  const colon = node.lastIndexOf(':')
  return { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) }
}
