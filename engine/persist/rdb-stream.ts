/**
 * Streams in RDB files. Redis 7.0 writes version 2; version 1 (Redis 5 and 6) lacks what is known of the history, and
 * version 3 (7.2) has one more time per consumer.
 *
 *     n { id | listpack } × n | length | last id | first id | largest deleted id | entries added   (v1: no first id …)
 *     groups { name | last id | entries read | pending { id | time | deliveries }
 *              consumers { name | seen | [active] | pending { id } } }
 *
 * Ids of nodes and pending entries are 16 bytes, big endian; the others two numbers in the encoding of lengths.
 */
import { Listpack } from '../data/listpack.ts'
import { type Consumer, type StreamGroup, UNKNOWN_READ } from '../data/stream-group.ts'
import { StreamId } from '../data/stream-id.ts'
import { StreamNode } from '../data/stream-node.ts'
import type { Aggregate } from '../store/keyspace-port.ts'
import { StreamValue } from '../store/stream-value.ts'
import { PART_ELEMENTS } from './rdb-format.ts'
import type { RdbInput } from './rdb-input.ts'
import type { RdbOutput } from './rdb-output.ts'
import type { AggregateLoader, AggregateWriter } from './rdb-types.ts'

export const RDB_TYPE_STREAM_LISTPACKS = 15
export const RDB_TYPE_STREAM_LISTPACKS_2 = 19
export const RDB_TYPE_STREAM_LISTPACKS_3 = 21

function writeId(output: RdbOutput, id: StreamId): void {
  output.uint64(id.ms)
  output.uint64(id.sequence)
}

export const streamWriter: AggregateWriter = {
  rdbType: () => RDB_TYPE_STREAM_LISTPACKS_2,
  *write(output: RdbOutput, value: Aggregate) {
    const { stream, groupCount, groups } = value as StreamValue
    output.length(stream.nodes.size)
    for (const node of stream.nodes) {
      output.string(node.id.encode())
      output.string(node.pack.serialized())
      yield
    }
    output.length(stream.length)
    writeId(output, stream.lastId)
    writeId(output, stream.firstId)
    writeId(output, stream.maxDeletedId)
    output.length(stream.entriesAdded)
    output.length(groupCount)
    for (const group of groups) yield* writeGroup(output, group)
  },
}

function* writeGroup(output: RdbOutput, group: StreamGroup): Generator<void, void> {
  let written = 0
  output.string(group.name)
  writeId(output, group.lastId)
  output.uint64(BigInt.asUintN(64, BigInt(group.entriesRead)))
  output.length(group.pending.size)
  for (const { id, deliveredMs, deliveries } of group.pending) {
    output.raw(id.encode())
    output.timeMs(deliveredMs)
    output.uint64(BigInt.asUintN(64, BigInt(deliveries)))
    if (++written % PART_ELEMENTS === 0) yield
  }
  output.length(group.consumerCount)
  for (const { name, seenMs, pending } of group.consumers) {
    output.string(name)
    output.timeMs(seenMs)
    output.length(pending.size)
    for (const { id } of pending) {
      output.raw(id.encode())
      if (++written % PART_ELEMENTS === 0) yield
    }
    if (pending.size === 0 && ++written % PART_ELEMENTS === 0) yield
  }
}

function readId(input: RdbInput): StreamId {
  const ms = input.uint64()
  return StreamId.of(ms, input.uint64())
}

/** A pending entry whose consumer has not been read yet. */
interface Unowned {
  readonly id: StreamId
  readonly deliveredMs: number
  readonly deliveries: number
}

/** One step reads a node, a line of the history, a group's head, a pending entry, a consumer or one id of it. */
class StreamLoader implements AggregateLoader {
  readonly value = new StreamValue()
  private readonly version: 1 | 2 | 3
  private state: (input: RdbInput) => boolean = (input) => this.readNodeCount(input)
  private nodes = 0
  /** Of the nodes that have been read. */
  private entries = 0
  private groups = 0
  private pending = 0
  private consumers = 0
  private owned = 0
  private group!: StreamGroup
  private consumer!: Consumer
  private readonly unowned = new Map<string, Unowned>()

  constructor(version: 1 | 2 | 3) {
    this.version = version
  }

  step(input: RdbInput): boolean {
    return this.state(input)
  }

  private readNodeCount(input: RdbInput): boolean {
    this.nodes = input.length()
    this.state = this.nodes > 0 ? (next) => this.readNode(next) : (next) => this.readHistory(next)
    return false
  }

  private readNode(input: RdbInput): boolean {
    const key = Buffer.from(input.string())
    if (key.length !== 16) input.fail('Stream node key entry is not the size of a stream ID')
    const pack = Listpack.parse(input.string()) ?? input.fail('Stream listpacks integrity check failed.')
    if (pack.count === 0) input.fail('Empty listpack inside stream')
    const node = StreamNode.of(StreamId.decode(key), pack) ?? input.fail('Stream listpacks integrity check failed.')
    const { stream } = this.value
    const before = stream.nodes.last?.lastId()
    if (!stream.addNode(node)) input.fail('Listpack re-added with existing key')
    if (before !== undefined && before.compare(node.id) >= 0) input.fail('Stream listpacks are not in order')
    this.entries += node.entries
    if (--this.nodes === 0) this.state = (next) => this.readHistory(next)
    return false
  }

  private readHistory(input: RdbInput): boolean {
    const { stream } = this.value
    const length = input.length()
    const lastId = readId(input)
    if (this.version > 1) {
      const firstId = readId(input)
      const maxDeletedId = readId(input)
      const entriesAdded = input.length()
      Object.assign(stream, { firstId, maxDeletedId, entriesAdded })
    }
    Object.assign(stream, { length, lastId })
    if (this.version === 1) {
      stream.entriesAdded = length
      stream.refreshFirstId()
      // Redis 7.0 finds no first entry and notes the greatest id.
      if (length === 0) stream.firstId = StreamId.max()
    }
    if (length !== this.entries) input.fail('Stream length inconsistent with rax entries')
    this.state = (next) => this.readGroupCount(next)
    return false
  }

  private readGroupCount(input: RdbInput): boolean {
    this.groups = input.length()
    return this.groupEnded()
  }

  private groupEnded(): boolean {
    this.state = (next) => this.readGroup(next)
    return this.groups-- === 0
  }

  private readGroup(input: RdbInput): boolean {
    const name = Buffer.from(input.string())
    const lastId = readId(input)
    const read = this.version > 1 ? Number(BigInt.asIntN(64, input.uint64())) : this.value.entriesUpTo(lastId)
    const pending = input.length()
    if (read < UNKNOWN_READ) input.fail('Stream cgroup offset is out of range')
    this.group = this.value.addGroup(name, lastId, read) ?? input.fail('Duplicated consumer group name')
    this.pending = pending
    this.unowned.clear()
    this.state = pending > 0 ? (next) => this.readPending(next) : (next) => this.readConsumerCount(next)
    return false
  }

  private readPending(input: RdbInput): boolean {
    const id = StreamId.decode(input.bytes(16))
    const deliveredMs = input.timeMs()
    const deliveries = Number(input.uint64())
    const text = id.toString()
    if (this.unowned.has(text)) input.fail('Duplicated global PEL entry loading stream consumer group')
    this.unowned.set(text, { id, deliveredMs, deliveries })
    if (--this.pending === 0) this.state = (next) => this.readConsumerCount(next)
    return false
  }

  private readConsumerCount(input: RdbInput): boolean {
    this.consumers = input.length()
    return this.consumerEnded(input)
  }

  private consumerEnded(input: RdbInput): boolean {
    if (this.consumers-- > 0) {
      this.state = (next) => this.readConsumer(next)
      return false
    }
    if (this.unowned.size > 0) input.fail('NACK entry without consumer')
    return this.groupEnded()
  }

  private readConsumer(input: RdbInput): boolean {
    const name = Buffer.from(input.string())
    const seenMs = input.timeMs()
    if (this.version > 2) input.timeMs()
    const owned = input.length()
    if (this.group.consumer(name) !== undefined) input.fail('Duplicate stream consumer detected')
    this.consumer = this.group.addConsumer(name, seenMs)
    this.owned = owned
    if (owned === 0) return this.consumerEnded(input)
    this.state = (next) => this.readOwned(next)
    return false
  }

  private readOwned(input: RdbInput): boolean {
    const id = StreamId.decode(input.bytes(16))
    const text = id.toString()
    const entry = this.unowned.get(text) ?? input.fail('Consumer entry not found in group global PEL')
    this.group.add(id, this.consumer, entry.deliveredMs, entry.deliveries)
    this.unowned.delete(text)
    return --this.owned === 0 ? this.consumerEnded(input) : false
  }
}

export const streamLoaders: Record<number, () => AggregateLoader> = {
  [RDB_TYPE_STREAM_LISTPACKS]: () => new StreamLoader(1),
  [RDB_TYPE_STREAM_LISTPACKS_2]: () => new StreamLoader(2),
  [RDB_TYPE_STREAM_LISTPACKS_3]: () => new StreamLoader(3),
}
