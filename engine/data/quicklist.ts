/**
 * Redis's quicklist: a chain of listpacks, so that both ends are near, an element costs little more than its bytes, and
 * no single change moves more than one node's bytes.
 *
 *     head ⇄ [a b c] ⇄ [d e f g] ⇄ [h i] ⇄ tail        node: a listpack, or one huge element as it is (plain)
 *
 * When a node is full is Redis's rule, element for element, so that the same commands make the same nodes and DUMP
 * gives the same bytes.
 *
 * With a `list-compress-depth` of n, all nodes but the n at each end are compressed, as far as it saves something
 * (Redis's __quicklistCompress): after nodes came or went the n at each end are expanded, and the next ones compressed.
 * A node that becomes worth it through a change of its elements is compressed at once; Redis does that when it reads
 * it.
 */
import { type ByteRange, END, LISTPACK_HEADER_BYTES, Listpack, type TextSink } from './listpack.ts'
import { QuicklistNode } from './quicklist-node.ts'

/** `list-max-listpack-size` −1 … −5: the most bytes of a node. */
const NODE_MAX_BYTES = [4096, 8192, 16384, 32768, 65536]
/** What a list gets that is made without regard to the configuration (SORT … STORE). */
const DEFAULT_FILL = -2
const FILL_MIN = -5
const FILL_MAX = 2 ** 15 - 1
const DEPTH_MAX = 2 ** 16 - 1
/** The most bytes of a node of several elements when the limit is a count. */
const SAFE_NODE_BYTES = 8192
/** Redis's guess for what an element adds to its text. */
const ENTRY_OVERHEAD_BYTES = 8
/** What 7.0 takes a merge to save: header and end of a ziplist, though a listpack's are 7 bytes (measured). */
const MERGE_SAVED_BYTES = 11
/** From here on an element is a node of its own, without a listpack. */
export const PLAIN_FROM_BYTES = 1 << 30
/** For a node beside its bytes. */
const NODE_BYTES = 64

/** An element: valid until the next change of the list, but for those of its own methods. */
export interface Place {
  node: QuicklistNode
  /** In the node's listpack; 0 in a plain node. */
  position: number
}

const plainRange: ByteRange = { memory: Buffer.alloc(0), start: 0, end: 0 }

export class Quicklist {
  head: QuicklistNode | undefined = undefined
  tail: QuicklistNode | undefined = undefined
  length = 0
  nodeCount = 0
  /** Can be lowered for tests (DEBUG QUICKLIST-PACKED-THRESHOLD). */
  plainFromBytes = PLAIN_FROM_BYTES
  /** Bytes (negative: a size class) or elements of a node. */
  readonly fill: number
  /** Nodes at each end that are never compressed; 0: none is. */
  readonly compressDepth: number

  private bytes = 0

  /**
   * `list-max-listpack-size` and `list-compress-depth` of when the list was made, which it keeps, within Redis's
   * limits.
   */
  constructor(fill = DEFAULT_FILL, compressDepth = 0) {
    this.fill = Math.max(FILL_MIN, Math.min(fill, FILL_MAX))
    this.compressDepth = Math.min(compressDepth, DEPTH_MAX)
  }

  /** Estimated bytes. */
  get memoryBytes(): number {
    return this.bytes + this.nodeCount * NODE_BYTES
  }

  clone(): Quicklist {
    const copy = new Quicklist(this.fill, this.compressDepth)
    for (let node = this.head; node !== undefined; node = node.after) copy.appendNode(node.clone())
    return copy
  }

  /** What it holds now, for reading: nodes share their bytes until they are changed. */
  freeze(): Quicklist {
    const view = new Quicklist()
    for (let node = this.head; node !== undefined; node = node.after) {
      view.appendNode(new QuicklistNode(node.pack?.freeze(), node.plain))
    }
    return view
  }

  // ————— Reading

  /** The element at `index` (negative: from the end), from the nearer end. */
  at(index: number): Place | undefined {
    if (index >= this.length || index < -this.length) return undefined
    const place = index < 0 ? this.length + index : index
    let node: QuicklistNode
    let rest: number
    if (place < this.length / 2) {
      node = this.head as QuicklistNode
      for (rest = place; rest >= node.countedLength; node = node.after as QuicklistNode) rest -= node.countedLength
      return { node, position: node.pack?.at(rest) ?? 0 }
    }
    node = this.tail as QuicklistNode
    for (rest = this.length - 1 - place; rest >= node.countedLength; node = node.before as QuicklistNode) {
      rest -= node.countedLength
    }
    return { node, position: node.pack?.at(-1 - rest) ?? 0 }
  }

  /** Moves `place` to the next element; false at the end. */
  advance(place: Place): boolean {
    const position = place.node.pack?.next(place.position) ?? END
    if (position !== END) {
      place.position = position
      return true
    }
    if (place.node.after === undefined) return false
    place.node = place.node.after
    place.position = place.node.pack?.first() ?? 0
    return true
  }

  /** Moves `place` to the element before; false at the beginning. */
  retreat(place: Place): boolean {
    const position = place.node.pack?.previous(place.position) ?? END
    if (position !== END) {
      place.position = position
      return true
    }
    if (place.node.before === undefined) return false
    place.node = place.node.before
    place.position = place.node.pack?.last() ?? 0
    return true
  }

  /** The first element from the head on that is memory[start…end). */
  find(memory: Uint8Array, start: number, end: number): Place | undefined {
    for (let node = this.head; node !== undefined; node = node.after) {
      const { pack } = node
      if (pack !== undefined) {
        const position = pack.find(pack.first(), 1, memory, start, end)
        if (position !== END) return { node, position }
      } else if (this.equals({ node, position: 0 }, memory, start, end)) return { node, position: 0 }
    }
    return undefined
  }

  /** How many elements are before this one. */
  indexOf({ node, position }: Place): number {
    let index = node.pack?.indexOf(position) ?? 0
    for (let other = node.before; other !== undefined; other = other.before) index += other.countedLength
    return index
  }

  /** The text of an element; one object, valid until the next read. */
  read(place: Place): ByteRange {
    const { pack, plain } = place.node
    if (pack !== undefined) return pack.read(place.position)
    plainRange.memory = plain as Buffer
    plainRange.end = (plain as Buffer).length
    return plainRange
  }

  /** Hands `count` texts from the element at `index` on, which are there, to `sink`. */
  send(index: number, count: number, sink: TextSink): void {
    const place = this.at(index)
    let missing = count
    let position = place?.position ?? 0
    for (let node = place?.node; node !== undefined && missing > 0; node = node.after) {
      const { pack, plain } = node
      if (pack !== undefined) missing -= pack.send(position, missing, sink)
      else {
        sink.bulk(plain as Buffer, 0, node.byteLength)
        missing--
      }
      position = LISTPACK_HEADER_BYTES
    }
  }

  equals(place: Place, memory: Uint8Array, start: number, end: number): boolean {
    const { pack, plain } = place.node
    if (pack !== undefined) return pack.equals(place.position, memory, start, end)
    return (plain as Buffer).equals(memory.subarray(start, end))
  }

  // ————— Ends

  push(atHead: boolean, memory: Uint8Array, start: number, end: number): void {
    const node = atHead ? this.head : this.tail
    if (node !== undefined && this.hasRoom(node, end - start)) {
      const pack = node.open() as Listpack
      if (atHead) pack.prepend(memory, start, end)
      else pack.append(memory, start, end)
      this.changed(node)
      return
    }
    const made = this.nodeOf(memory, start, end)
    if (atHead) this.insertNode(undefined, made)
    else this.appendNode(made)
  }

  /** The first or last element. */
  end(atHead: boolean): Place | undefined {
    const node = atHead ? this.head : this.tail
    if (node === undefined) return undefined
    return { node, position: (atHead ? node.pack?.first() : node.pack?.last()) ?? 0 }
  }

  /** Removes the first or last element. */
  dropEnd(atHead: boolean): void {
    const node = (atHead ? this.head : this.tail) as QuicklistNode
    const pack = node.open()
    if (pack === undefined || pack.count === 1) this.removeNode(node)
    else {
      pack.remove(atHead ? pack.first() : pack.last())
      this.changed(node)
    }
  }

  // ————— Middle

  replace(place: Place, memory: Uint8Array, start: number, end: number): void {
    const { node } = place
    const isPlain = end - start >= this.plainFromBytes
    if (!node.isPlain && !isPlain) {
      node.open()?.replace(place.position, memory, start, end)
      this.changed(node)
      return
    }
    const made = this.nodeOf(memory, start, end)
    if (node.count > 1) {
      const rest = this.split(node, place.position)
      const pack = rest.open() as Listpack
      pack.remove(pack.first())
      this.changed(rest)
      this.insertNode(node, made)
      if (rest.count === 0) this.removeNode(rest)
      if (node.count === 0) this.removeNode(node)
    } else {
      this.insertNode(node, made)
      this.removeNode(node)
    }
  }

  /** Inserts beside `place`, as Redis chooses the node: here, at the near end of the neighbour, or by a split. */
  insert(place: Place, after: boolean, memory: Uint8Array, start: number, end: number): void {
    const { node, position } = place
    const size = end - start
    if (this.hasRoom(node, size)) {
      const pack = node.open() as Listpack
      pack.insert(after ? pack.next(position) : position, memory, start, end)
      this.changed(node)
      return
    }
    const { pack } = node
    const atTail = pack === undefined || pack.next(position) === END
    const atHead = pack === undefined || pack.previous(position) === END
    const neighbour = after ? node.after : node.before
    const atEdge = after ? atTail : atHead
    if (atEdge && neighbour !== undefined && this.hasRoom(neighbour, size)) {
      if (after) neighbour.open()?.prepend(memory, start, end)
      else neighbour.open()?.append(memory, start, end)
      this.changed(neighbour)
    } else if (atEdge) {
      this.insertNode(after ? node : node.before, this.nodeOf(memory, start, end))
    } else {
      this.insertBySplit(place, after, memory, start, end)
    }
  }

  private insertBySplit(
    { node, position }: Place,
    after: boolean,
    memory: Uint8Array,
    start: number,
    end: number,
  ): void {
    const rest = this.split(node, after ? (node.pack as Listpack).next(position) : position)
    if (end - start >= this.plainFromBytes) {
      this.insertNode(node, this.nodeOf(memory, start, end))
    } else {
      // The element goes to the part that Redis makes anew: the later one after a place, the earlier one before it.
      if (after) rest.open()?.prepend(memory, start, end)
      else node.open()?.append(memory, start, end)
      this.changed(after ? rest : node)
    }
    this.mergeAround(after ? node : rest)
  }

  /** Cuts the node before `position`; returns the new node behind it. */
  private split(node: QuicklistNode, position: number): QuicklistNode {
    const pack = node.open() as Listpack
    const later = pack.clone()
    const kept = pack.indexOf(position)
    pack.remove(position, pack.count)
    if (kept > 0) later.remove(later.first(), kept)
    const made = new QuicklistNode(later, undefined)
    this.changed(node)
    this.insertNode(node, made)
    return made
  }

  /** Merges a node's neighbours and itself pairwise where two fit in one, in Redis's order. */
  private mergeAround(center: QuicklistNode): void {
    let node = center
    const { before, after } = node
    if (before?.before !== undefined) this.merge(before.before, before)
    if (after?.after !== undefined) this.merge(after, after.after)
    if (node.before !== undefined) node = this.merge(node.before, node) ?? node
    if (node.after !== undefined) this.merge(node, node.after)
  }

  /** The node that holds both, or undefined when they do not fit. */
  private merge(first: QuicklistNode, second: QuicklistNode): QuicklistNode | undefined {
    if (first.isPlain || second.isPlain) return undefined
    const bytes = first.byteLength + second.byteLength - MERGE_SAVED_BYTES
    if (!fits(bytes, first.count + second.count - 1, this.fill)) return undefined
    const added = second.pack as Listpack
    first.open()?.appendAll(added)
    this.settle(first)
    this.removeNode(second)
    if (this.compressDepth > 0) this.limitDepth(first)
    return first
  }

  /** Removes an element and moves `place` to the one after it; false when it was the last. */
  remove(place: Place): boolean {
    const { node } = place
    const { after } = node
    let position = END
    if (node.count === 1) this.removeNode(node)
    else {
      position = (node.open() as Listpack).remove(place.position)
      this.changed(node)
    }
    if (position !== END) {
      place.position = position
      return true
    }
    if (after === undefined) return false
    place.node = after
    place.position = after.pack?.first() ?? 0
    return true
  }

  /** Removes `count` elements from `index` (not negative) on. */
  removeRange(index: number, count: number): void {
    let missing = Math.min(count, this.length - index)
    if (missing <= 0) return
    const place = this.at(index) as Place
    let node: QuicklistNode | undefined = place.node
    let position = place.position
    while (missing > 0 && node !== undefined) {
      const { after }: QuicklistNode = node
      const fromStart = node.isPlain || position === LISTPACK_HEADER_BYTES
      if (fromStart && node.count <= missing) {
        missing -= node.count
        this.removeNode(node)
      } else {
        const pack = node.open() as Listpack
        const before = pack.count
        pack.remove(position, missing)
        missing -= before - pack.count
        this.changed(node)
      }
      node = after
      position = LISTPACK_HEADER_BYTES
    }
  }

  // ————— Nodes

  /** Takes over a node, with its elements. */
  appendNode(node: QuicklistNode): void {
    this.insertNode(this.tail, node)
  }

  /** Puts a node after another one, at the head for undefined. */
  private insertNode(previous: QuicklistNode | undefined, node: QuicklistNode): void {
    node.before = previous
    node.after = previous === undefined ? this.head : previous.after
    if (node.before === undefined) this.head = node
    else node.before.after = node
    if (node.after === undefined) this.tail = node
    else node.after.before = node
    this.nodeCount++
    this.settle(node)
    if (this.compressDepth === 0) return
    if (previous !== undefined) this.limitDepth(previous)
    this.limitDepth(node)
  }

  private removeNode(node: QuicklistNode): void {
    if (node.before === undefined) this.head = node.after
    else node.before.after = node.after
    if (node.after === undefined) this.tail = node.before
    else node.after.before = node.before
    this.nodeCount--
    this.length -= node.countedLength
    this.bytes -= node.countedBytes
    if (this.compressDepth > 0) this.limitDepth(undefined)
  }

  /** Expands the nodes at both ends, and compresses the ones behind them, and `node` when it is not at an end. */
  private limitDepth(node: QuicklistNode | undefined): void {
    if (this.nodeCount < this.compressDepth * 2) return
    let forward = this.head
    let backward = this.tail
    let isAtEnd = false
    for (let depth = 0; depth < this.compressDepth && forward !== undefined && backward !== undefined; depth++) {
      this.expand(forward)
      this.expand(backward)
      isAtEnd ||= forward === node || backward === node
      if (forward === backward || forward.after === backward) return
      forward = forward.after
      backward = backward.before
    }
    if (!isAtEnd) this.compress(node)
    this.compress(forward)
    this.compress(backward)
  }

  private expand(node: QuicklistNode): void {
    node.expand()
    this.settle(node)
  }

  private compress(node: QuicklistNode | undefined): void {
    if (node === undefined) return
    node.compress()
    this.settle(node)
  }

  /** Ends a change of elements: a node behind the depth may have become worth compressing. */
  private changed(node: QuicklistNode): void {
    this.settle(node)
    if (this.compressDepth > 0) this.limitDepth(node)
  }

  /** Ends a change inside a node: compresses it again, and brings the totals up to date. */
  private settle(node: QuicklistNode): void {
    node.close()
    const { count, heldBytes } = node
    this.length += count - node.countedLength
    this.bytes += heldBytes - node.countedBytes
    node.countedLength = count
    node.countedBytes = heldBytes
  }

  private nodeOf(memory: Uint8Array, start: number, end: number): QuicklistNode {
    if (end - start >= this.plainFromBytes)
      return new QuicklistNode(undefined, Buffer.from(memory.subarray(start, end)))
    const pack = Listpack.empty()
    pack.append(memory, start, end)
    return new QuicklistNode(pack, undefined)
  }

  /** Whether an element of `size` bytes may go into the node. */
  private hasRoom(node: QuicklistNode, size: number): boolean {
    if (node.isPlain || size >= this.plainFromBytes) return false
    return fits(node.byteLength + size + ENTRY_OVERHEAD_BYTES, node.count, this.fill)
  }
}

/** `count` elements are there before another one comes. */
function fits(bytes: number, count: number, fill: number): boolean {
  if (fill < 0) return bytes <= (NODE_MAX_BYTES[Math.min(-fill, NODE_MAX_BYTES.length) - 1] as number)
  return bytes <= SAFE_NODE_BYTES && count < fill
}
