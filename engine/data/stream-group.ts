/**
 * A consumer group: up to where the stream has been delivered, and which deliveries have not been acknowledged.
 *
 * A pending entry is one object that stands in two orders, the group's and its consumer's.
 */
import { type Identified, OrderedBlocks } from './ordered-blocks.ts'
import type { StreamId } from './stream-id.ts'

/** Nobody knows how many entries the group has read. */
export const UNKNOWN_READ = -1

/** Estimates: an object, its id, two places in blocks. */
const PENDING_BYTES = 150
const CONSUMER_BYTES = 400
const GROUP_BYTES = 500

/** Bytes that the groups of a stream take. */
export interface GroupAccount {
  bytes: number
}

export class PendingEntry implements Identified {
  readonly id: StreamId
  consumer: Consumer
  deliveredMs: number
  deliveries: number

  constructor(id: StreamId, consumer: Consumer, deliveredMs: number, deliveries: number) {
    this.id = id
    this.consumer = consumer
    this.deliveredMs = deliveredMs
    this.deliveries = deliveries
  }
}

export class Consumer {
  readonly name: Buffer
  /** When it last read, claimed or tried to. */
  seenMs: number
  readonly pending = new OrderedBlocks<PendingEntry>()

  constructor(name: Buffer, seenMs: number) {
    this.name = name
    this.seenMs = seenMs
  }
}

export class StreamGroup {
  readonly name: Buffer
  lastId: StreamId
  /** Entries of the stream, counted from its beginning, up to `lastId`; `UNKNOWN_READ`. */
  entriesRead: number
  readonly pending = new OrderedBlocks<PendingEntry>()
  private readonly byName = new Map<string, Consumer>()
  private readonly account: GroupAccount

  constructor(name: Buffer, lastId: StreamId, entriesRead: number, account: GroupAccount) {
    this.name = name
    this.lastId = lastId
    this.entriesRead = entriesRead
    this.account = account
    account.bytes += GROUP_BYTES
  }

  get consumerCount(): number {
    return this.byName.size
  }

  /** In the order of their names' bytes. */
  get consumers(): Consumer[] {
    return sortedByName(this.byName)
  }

  consumer(name: Buffer): Consumer | undefined {
    return this.byName.get(name.toString('latin1'))
  }

  addConsumer(name: Buffer, nowMs: number): Consumer {
    const consumer = new Consumer(name, nowMs)
    this.byName.set(name.toString('latin1'), consumer)
    this.account.bytes += CONSUMER_BYTES
    return consumer
  }

  /** With everything that is pending for it. */
  removeConsumer(consumer: Consumer): void {
    for (const { id } of consumer.pending) this.pending.remove(id)
    this.byName.delete(consumer.name.toString('latin1'))
    this.account.bytes -= CONSUMER_BYTES + consumer.pending.size * PENDING_BYTES
  }

  /** A new pending entry. Undefined when the id is pending already. */
  add(id: StreamId, consumer: Consumer, deliveredMs: number, deliveries = 1): PendingEntry | undefined {
    const entry = new PendingEntry(id, consumer, deliveredMs, deliveries)
    if (!this.pending.insert(entry)) return undefined
    consumer.pending.insert(entry)
    this.account.bytes += PENDING_BYTES
    return entry
  }

  give(entry: PendingEntry, consumer: Consumer): void {
    if (entry.consumer === consumer) return
    entry.consumer.pending.remove(entry.id)
    entry.consumer = consumer
    consumer.pending.insert(entry)
  }

  remove(entry: PendingEntry): void {
    this.pending.remove(entry.id)
    entry.consumer.pending.remove(entry.id)
    this.account.bytes -= PENDING_BYTES
  }

  /** The group goes: what it takes is no longer counted. */
  release(): void {
    this.account.bytes -= GROUP_BYTES + this.byName.size * CONSUMER_BYTES + this.pending.size * PENDING_BYTES
  }

  clone(account: GroupAccount): StreamGroup {
    const copy = new StreamGroup(this.name, this.lastId, this.entriesRead, account)
    for (const { name, seenMs } of this.byName.values()) copy.addConsumer(name, seenMs)
    for (const { id, consumer, deliveredMs, deliveries } of this.pending) {
      copy.add(id, copy.consumer(consumer.name) as Consumer, deliveredMs, deliveries)
    }
    return copy
  }
}

export function sortedByName<Named>(byName: ReadonlyMap<string, Named>): Named[] {
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, named]) => named)
}
