/**
 * The receiving side of a load: subscribers of channels and consumers of a stream's group. Each message tells when it
 * was sent (`__time__`, µs since the epoch) in its first 16 digits, so the time of a delivery is known; messages
 * without it are counted only. They speak RESP3, in which messages are told from replies.
 */
import type { Io, Timer } from '../../engine/io.ts'
import { MapReply, type PushReply, ReplyError, type ReplyValue } from '../../engine/resp/reply-parser.ts'
import { RespClient } from '../workload/resp-client.ts'
import { LatencyCounts } from './latency-counts.ts'
import type { AddressSpec, ConsumerSpec, LoadSpec } from './load-spec.ts'

const RECONNECT_MS = 50
const BLOCK_MS = 500
const TIME_DIGITS = /^\d{16}/

export interface ConsumerTally {
  messages: number
  failures: number
  delivery: LatencyCounts
}

export interface RunningConsumer {
  readonly tally: ConsumerTally
  close(): void
}

/**
 * `onReady` is called when the consumer has been set up, or could not be. `node`: where it connects, anew each time.
 */
export function startConsumer(
  io: Io,
  spec: ConsumerSpec,
  index: number,
  load: LoadSpec,
  node: () => AddressSpec | undefined,
  onReady: () => void,
): RunningConsumer {
  return spec.kind === 'subscribe'
    ? new Subscriber(io, load, node, onReady, spec)
    : new GroupConsumer(io, load, node, onReady, spec, index)
}

abstract class Consumer implements RunningConsumer {
  readonly tally: ConsumerTally = { messages: 0, failures: 0, delivery: new LatencyCounts() }
  protected readonly io: Io
  protected isClosed = false
  private readonly load: LoadSpec
  private readonly node: () => AddressSpec | undefined
  private client: RespClient | undefined
  private retry: Timer | undefined
  private onReady: (() => void) | undefined

  constructor(io: Io, load: LoadSpec, node: () => AddressSpec | undefined, onReady: () => void) {
    this.io = io
    this.load = load
    this.node = node
    this.onReady = onReady
    io.timers.defer(() => this.open())
  }

  close(): void {
    this.isClosed = true
    this.retry?.cancel()
    this.client?.close()
  }

  /** The connection stands. Calls `ready` when messages can come. */
  protected abstract begin(client: RespClient): void

  protected abstract pushed(push: PushReply): void

  protected ready(): void {
    const { onReady } = this
    this.onReady = undefined
    onReady?.()
  }

  /** One message; its first digits may be the time when it was sent. */
  protected received(payload: ReplyValue | undefined): void {
    this.tally.messages++
    const sentUs = TIME_DIGITS.exec(String(payload))?.[0]
    if (sentUs !== undefined) this.tally.delivery.record(this.io.clock.wallUs() - Number(sentUs))
  }

  private open(): void {
    const address = this.node()
    if (this.isClosed || address === undefined) {
      this.again()
      return
    }
    const client = new RespClient(this.io, address, () => this.again())
    this.client = client
    client.onPush = (push) => this.pushed(push)
    const { credentials } = this.load
    const auth = credentials === null ? [] : ['AUTH', credentials.user ?? 'default', credentials.password]
    client.send(['HELLO', '3', ...auth], (reply) => {
      if (reply instanceof ReplyError || reply === undefined) client.close()
      else this.begin(client)
    })
  }

  private again(): void {
    this.ready()
    if (this.isClosed) return
    this.tally.failures++
    this.retry = this.io.timers.after(RECONNECT_MS, () => this.open())
  }
}

class Subscriber extends Consumer {
  private readonly channels: readonly string[]

  constructor(
    io: Io,
    load: LoadSpec,
    node: () => AddressSpec | undefined,
    onReady: () => void,
    { channels }: Extract<ConsumerSpec, { kind: 'subscribe' }>,
  ) {
    super(io, load, node, onReady)
    this.channels = channels
  }

  protected begin(client: RespClient): void {
    client.send(['SUBSCRIBE', ...this.channels], () => {})
  }

  protected pushed({ values }: PushReply): void {
    if (String(values[0]) === 'subscribe') this.ready()
    else if (String(values[0]) === 'message') this.received(values[2] as ReplyValue)
  }
}

/** Reads new entries in turns that block, and acknowledges each batch. */
class GroupConsumer extends Consumer {
  private readonly spec: Extract<ConsumerSpec, { kind: 'stream' }>
  private readonly name: string

  constructor(
    io: Io,
    load: LoadSpec,
    node: () => AddressSpec | undefined,
    onReady: () => void,
    spec: Extract<ConsumerSpec, { kind: 'stream' }>,
    index: number,
  ) {
    super(io, load, node, onReady)
    this.spec = spec
    this.name = `consumer-${index}`
  }

  protected begin(client: RespClient): void {
    const { key, group } = this.spec
    // An error means that the group is there already.
    client.send(['XGROUP', 'CREATE', key, group, '$', 'MKSTREAM'], () => {
      this.ready()
      this.read(client)
    })
  }

  protected pushed(): void {}

  private read(client: RespClient): void {
    if (this.isClosed || !client.isOpen) return
    const { key, group } = this.spec
    const words = ['XREADGROUP', 'GROUP', group, this.name, 'COUNT', '100', 'BLOCK', String(BLOCK_MS)]
    client.send([...words, 'STREAMS', key, '>'], (reply) => {
      if (reply instanceof ReplyError) {
        client.close()
        return
      }
      const ids = this.take(reply)
      if (ids.length > 0) client.send(['XACK', key, group, ...ids], () => {})
      this.read(client)
    })
  }

  /** Counts the entries of a reply; returns their ids. */
  private take(reply: ReplyValue | undefined): string[] {
    if (!(reply instanceof MapReply)) return []
    const entries = reply.entries.flatMap(([, list]) => (Array.isArray(list) ? list : []))
    return entries.flatMap((entry) => {
      if (!Array.isArray(entry) || !Array.isArray(entry[1])) return []
      this.received(entry[1][1] as ReplyValue)
      return [String(entry[0])]
    })
  }
}
