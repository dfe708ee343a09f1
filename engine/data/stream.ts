/**
 * The entries of a stream: nodes (`stream-node.ts`) in the order of their ids, and what is known of its history.
 *
 * Redis keeps the nodes in a radix tree under the 16 bytes of their ids. An ordered array of blocks serves the same
 * purposes; what the tree would look like is computed when somebody asks (`radixNodes`).
 */
import { END } from './listpack.ts'
import { OrderedBlocks } from './ordered-blocks.ts'
import { StreamCursor } from './stream-cursor.ts'
import { StreamId } from './stream-id.ts'
import { DELETED, SAME_FIELDS, StreamNode, type Texts } from './stream-node.ts'

/** Redis's limit for one listpack. */
const NODE_BYTES_MAX = 2 ** 30
/** An object, its listpack, its place in a block and the buffer's own account. */
const NODE_BYTES = 240

export interface StreamLimits {
  /** 0: as large as it may be. */
  readonly 'stream-node-max-bytes': number
  /** 0: no limit. */
  readonly 'stream-node-max-entries': number
}

/** What goes: all entries beyond the last `maxLength`, or those before `minId`. */
export type Trim = ({ readonly maxLength: number } | { readonly minId: StreamId }) & {
  /** Whole nodes only. */
  readonly approximate: boolean
  /** Of entries that may go; 0: none. */
  readonly limit: number
}

export class Stream {
  readonly nodes = new OrderedBlocks<StreamNode>()
  length = 0
  lastId = new StreamId()
  /** Of the first entry; 0-0 when there is none. */
  firstId = new StreamId()
  /** The largest id that XDEL has taken. */
  maxDeletedId = new StreamId()
  /** Since the beginning, with those that are gone. */
  entriesAdded = 0
  private packBytes = 0

  get memoryBytes(): number {
    return this.packBytes + this.nodes.size * NODE_BYTES
  }

  clone(): Stream {
    return this.copy((node) => node.clone())
  }

  /** As it is now, for reading: nodes share their bytes until they are changed. */
  freeze(): Stream {
    return this.copy((node) => node.freeze())
  }

  private copy(copyNode: (node: StreamNode) => StreamNode): Stream {
    const copy = new Stream()
    for (const node of this.nodes) copy.addNode(copyNode(node))
    copy.length = this.length
    copy.lastId = this.lastId.copy()
    copy.firstId = this.firstId.copy()
    copy.maxDeletedId = this.maxDeletedId.copy()
    copy.entriesAdded = this.entriesAdded
    return copy
  }

  /** A node from elsewhere. False when there is one of its id. */
  addNode(node: StreamNode): boolean {
    if (!this.nodes.insert(node)) return false
    this.packBytes += node.pack.reservedBytes
    return true
  }

  private removeNode(node: StreamNode): void {
    this.nodes.remove(node.id)
    this.packBytes -= node.pack.reservedBytes
  }

  // ————— Adding

  /**
   * Adds an entry: `id` is greater than `lastId`; `texts` are fields and values from `from` on. False, and nothing
   * changed, when they are too large for a node.
   */
  append(id: StreamId, texts: Texts, from: number, fieldCount: number, limits: StreamLimits): boolean {
    let bytes = 0
    for (let i = from; i < from + 2 * fieldCount; i++) bytes += (texts.ends[i] as number) - (texts.starts[i] as number)
    if (bytes > NODE_BYTES_MAX) return false
    let node = this.nodes.last
    if (node === undefined || isFull(node, bytes, limits)) {
      if (node !== undefined) this.change(node, () => node?.pack.shrink())
      node = StreamNode.empty(id, texts, from, fieldCount)
      this.addNode(node)
    }
    const reserved = node.pack.reservedBytes
    node.append(id, texts, from, fieldCount)
    this.packBytes += node.pack.reservedBytes - reserved
    this.length++
    this.entriesAdded++
    this.lastId = id
    if (this.length === 1) this.firstId = id
    return true
  }

  /** Keeps the account of a node's memory while `body` changes it. */
  private change(node: StreamNode, body: () => void): void {
    const reserved = node.pack.reservedBytes
    body()
    this.packBytes += node.pack.reservedBytes - reserved
  }

  // ————— Reading

  /** The live entries from `start` to `end` (both included), backwards when `reverse`. */
  cursor(start: StreamId, end: StreamId, reverse = false): StreamCursor {
    return new StreamCursor(this.nodes, start, end, reverse)
  }

  all(reverse = false): StreamCursor {
    return this.cursor(new StreamId(), StreamId.max(), reverse)
  }

  /** How many entries are in the range, at most `limit`. */
  count(start: StreamId, end: StreamId, limit: number): number {
    const cursor = this.cursor(start, end)
    let count = 0
    while (count < limit) {
      count += cursor.passNodes(limit - count)
      if (count >= limit || !cursor.next()) break
      count++
    }
    return Math.min(count, limit)
  }

  has(id: StreamId): boolean {
    return this.cursor(id, id).next()
  }

  /** Of the last entry that is there; 0-0 when there is none. */
  lastEntryId(): StreamId {
    const { last } = this.nodes
    if (last !== undefined && last.deleted === 0) return last.lastId() ?? new StreamId()
    const cursor = this.all(true)
    return cursor.next() ? cursor.id : new StreamId()
  }

  /** Of the first entry, deleted ones counted too when `withDeleted`; the last id there can be when there is none. */
  firstEntryId(withDeleted: boolean): StreamId {
    const cursor = this.all()
    cursor.showsDeleted = withDeleted
    return cursor.next() ? cursor.id : StreamId.max()
  }

  // ————— Removing

  /** Deletes one entry. False when there is none. `maxDeletedId` and `firstId` follow with `afterDeletion`. */
  delete(id: StreamId): boolean {
    const cursor = this.cursor(id, id)
    if (!cursor.next()) return false
    const { node, flagsPosition } = cursor.current
    if (node.entries === 1) this.removeNode(node)
    else {
      this.change(node, () => {
        node.markDeleted(flagsPosition)
        node.setCounts(node.entries - 1, node.deleted + 1)
      })
    }
    this.length--
    return true
  }

  /** Finds the first id again, after entries at the front have gone. */
  refreshFirstId(): void {
    this.firstId = this.length === 0 ? new StreamId() : this.firstEntryId(false)
  }

  /** How many entries have gone. */
  trim(trim: Trim): number {
    let gone = 0
    for (;;) {
      const node = this.nodes.first
      if (node === undefined || ('maxLength' in trim && this.length <= trim.maxLength)) break
      if (trim.limit > 0 && gone + node.entries > trim.limit) break
      if (this.goesWhole(node, trim)) {
        gone += node.entries
        this.length -= node.entries
        this.removeNode(node)
        continue
      }
      if (!trim.approximate) this.change(node, () => (gone += this.trimNode(node, trim)))
      break
    }
    if (gone > 0) this.refreshFirstId()
    return gone
  }

  private goesWhole(node: StreamNode, trim: Trim): boolean {
    if ('maxLength' in trim) return this.length - node.entries >= trim.maxLength
    const lastId = node.lastId()
    return lastId !== undefined && lastId.compare(trim.minId) < 0
  }

  /** Marks entries at the front of the node as deleted. */
  private trimNode(node: StreamNode, trim: Trim): number {
    const { pack } = node
    const id = new StreamId()
    let gone = 0
    let at = node.bodyStart
    while (at !== END) {
      if ('maxLength' in trim) {
        if (this.length <= trim.maxLength) break
      } else {
        node.readId(at, id)
        if (id.compare(trim.minId) >= 0) break
      }
      const flagsPosition = at
      const flags = pack.integer(at)
      at = pack.next(pack.next(pack.next(at)))
      let elements = node.fieldCount
      if ((flags & SAME_FIELDS) === 0) {
        elements = 2 * pack.integer(at)
        at = pack.next(at)
      }
      for (let i = 0; i < elements; i++) at = pack.next(at)
      at = pack.next(at)
      if ((flags & DELETED) !== 0) continue
      node.markDeleted(flagsPosition)
      gone++
      this.length--
    }
    node.setCounts(node.entries - gone, node.deleted + gone)
    return gone
  }

  // ————— What a radix tree would look like

  /**
   * How many nodes Redis's radix tree of the nodes' ids has: a leaf per id, a node per point where ids part, and one
   * for each run of bytes between these that is not empty (Redis's `rax.c` keeps its tree in this form always).
   */
  get radixNodes(): number {
    const depths: number[] = []
    let count = 0
    let previous: StreamId | undefined
    /** Ends all branches deeper than `depth`; the last of them hangs on `depth` or on a branch that is left. */
    const close = (depth: number): void => {
      while (depths.length > 0 && (depths[depths.length - 1] as number) > depth) {
        const own = depths.pop() as number
        const parent = Math.max(depth, depths[depths.length - 1] ?? -1)
        count += own - parent > 1 ? 2 : 1
      }
    }
    let before = -1
    for (const { id } of this.nodes) {
      if (previous !== undefined) {
        const shared = sharedBytes(previous, id)
        count += leafNodes(Math.max(before, shared))
        close(shared)
        if (depths[depths.length - 1] !== shared) depths.push(shared)
        before = shared
      }
      previous = id
    }
    if (previous === undefined) return 1
    count += leafNodes(before)
    close(-1)
    return count
  }
}

/** The leaf, and the run of bytes before it, below a branch at `depth`. */
function leafNodes(depth: number): number {
  return 16 - depth > 1 ? 2 : 1
}

/** How many bytes at the beginning of the two ids are the same. */
function sharedBytes(a: StreamId, b: StreamId): number {
  const [x, y] = [words(a), words(b)]
  for (let i = 0; i < 4; i++) {
    const differing = (x[i] as number) ^ (y[i] as number)
    if (differing !== 0) return i * 4 + (Math.clz32(differing) >>> 3)
  }
  return 16
}

function words({ msHigh, msLow, sequenceHigh, sequenceLow }: StreamId): number[] {
  return [...halves(msHigh, msLow), ...halves(sequenceHigh, sequenceLow)]
}

function halves(high: number, low: number): [number, number] {
  const upper = Math.floor(high / 2)
  return [upper, (high - upper * 2) * 2 ** 31 + low]
}

/** Deleted entries count too: the limit is one of memory. */
function isFull(node: StreamNode, addedBytes: number, limits: StreamLimits): boolean {
  const { 'stream-node-max-bytes': bytes, 'stream-node-max-entries': entries } = limits
  const maxBytes = bytes === 0 || bytes > NODE_BYTES_MAX ? NODE_BYTES_MAX : bytes
  if (node.pack.byteLength + addedBytes >= maxBytes) return true
  return entries > 0 && node.entries + node.deleted >= entries
}
