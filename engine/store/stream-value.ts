/** The value of a stream: its entries and its consumer groups. */
import { Stream } from '../data/stream.ts'
import { type GroupAccount, StreamGroup, sortedByName, UNKNOWN_READ } from '../data/stream-group.ts'
import type { StreamId } from '../data/stream-id.ts'
import { type Aggregate, ValueType } from './keyspace-port.ts'

const OBJECT_BYTES = 400
/** Streams below both are read at once. */
const FREEZE_FROM_NODES = 8
const FREEZE_FROM_GROUP_BYTES = 20_000
/** About 4,000 pending entries: 3 ms. */
const FREEZE_TO_GROUP_BYTES = 600_000

export class StreamValue implements Aggregate {
  readonly type = ValueType.stream
  readonly encoding = 'stream'
  readonly stream: Stream
  private readonly byName = new Map<string, StreamGroup>()
  private readonly account: GroupAccount = { bytes: 0 }

  constructor(stream = new Stream()) {
    this.stream = stream
  }

  get memoryBytes(): number {
    return OBJECT_BYTES + this.stream.memoryBytes + this.account.bytes
  }

  clone(): StreamValue {
    return this.copy(this.stream.clone())
  }

  private copy(stream: Stream): StreamValue {
    const copy = new StreamValue(stream)
    for (const [name, group] of this.byName) copy.byName.set(name, group.clone(copy.account))
    return copy
  }

  /** Groups are copied, which takes time in proportion to their pending entries: with many of them it is not done. */
  freeze(): StreamValue | undefined {
    const { bytes } = this.account
    const isLarge = this.stream.nodes.size >= FREEZE_FROM_NODES || bytes >= FREEZE_FROM_GROUP_BYTES
    return isLarge && bytes < FREEZE_TO_GROUP_BYTES ? this.copy(this.stream.freeze()) : undefined
  }

  // ————— Groups

  get groupCount(): number {
    return this.byName.size
  }

  /** In the order of their names' bytes. */
  get groups(): StreamGroup[] {
    return sortedByName(this.byName)
  }

  group(name: Buffer): StreamGroup | undefined {
    return this.byName.size === 0 ? undefined : this.byName.get(name.toString('latin1'))
  }

  /** Undefined when there is a group of that name. */
  addGroup(name: Buffer, lastId: StreamId, entriesRead: number): StreamGroup | undefined {
    const text = name.toString('latin1')
    if (this.byName.has(text)) return undefined
    const group = new StreamGroup(name, lastId, entriesRead, this.account)
    this.byName.set(text, group)
    return group
  }

  removeGroup(group: StreamGroup): void {
    this.byName.delete(group.name.toString('latin1'))
    group.release()
  }

  // ————— How far a group has come (Redis's t_stream.c: streamRangeHasTombstones,
  // streamEstimateDistanceFromFirstEverEntry)

  /** Whether XDEL may have left a hole at `from` or behind it, so that counting on is no longer right. */
  hasHolesFrom(from: StreamId): boolean {
    const { length, maxDeletedId, firstId } = this.stream
    if (length === 0 || maxDeletedId.isZero) return false
    if (firstId.compare(maxDeletedId) > 0) return false
    return from.compare(maxDeletedId) <= 0
  }

  /** How many entries were added up to `id`, where that can be told; else `UNKNOWN_READ`. */
  entriesUpTo(id: StreamId): number {
    const { entriesAdded, length, lastId, firstId, maxDeletedId } = this.stream
    if (entriesAdded === 0) return 0
    const toLast = id.compare(lastId)
    if (length === 0 && toLast <= 0) return entriesAdded
    if (toLast === 0) return entriesAdded
    if (toLast > 0) return UNKNOWN_READ
    if (maxDeletedId.isZero || maxDeletedId.compare(firstId) < 0) {
      const toFirst = id.compare(firstId)
      if (toFirst < 0) return entriesAdded - length
      if (toFirst === 0) return entriesAdded - length + 1
    }
    return UNKNOWN_READ
  }

  /** How many entries the group has not been given yet; undefined when that cannot be told. */
  lag({ lastId, entriesRead }: StreamGroup): number | undefined {
    const { entriesAdded } = this.stream
    if (entriesAdded === 0) return 0
    const read = entriesRead !== UNKNOWN_READ && !this.hasHolesFrom(lastId) ? entriesRead : this.entriesUpTo(lastId)
    return read === UNKNOWN_READ ? undefined : entriesAdded - read
  }

  /** The group is given the entry `id`, which comes behind those that it has had. */
  deliverTo(group: StreamGroup, id: StreamId): void {
    if (group.entriesRead !== UNKNOWN_READ && !this.hasHolesFrom(id)) group.entriesRead++
    else if (this.stream.entriesAdded > 0) group.entriesRead = this.entriesUpTo(id)
    group.lastId = id
  }
}
