/**
 * Redis's quicklist: a chain of listpacks, so that both ends are near, an element costs little more than its bytes, and
 * no single change moves more than one node's bytes.
 *
 *     head ⇄ [a b c] ⇄ [d e f g] ⇄ [h i] ⇄ tail        node: a listpack, or one huge element as it is (plain)
 *
 * When a node is full is Redis's rule, element for element, so that the same commands make the same nodes and DUMP gives
 * the same bytes. Nodes in the middle are never compressed: `list-compress-depth` has no effect.
 */
import { type ByteRange, END, Listpack } from './listpack.ts'

/** `list-max-listpack-size` −1 … −5: the most bytes of a node. */
const NODE_MAX_BYTES = [4096, 8192, 16384, 32768, 65536]
/** The most bytes of a node of several elements when the limit is a count. */
const SAFE_NODE_BYTES = 8192
/** Redis's guess for what an element adds to its text. */
const ENTRY_OVERHEAD_BYTES = 8
/** From here on an element is a node of its own, without a listpack. */
export const PLAIN_FROM_BYTES = 1 << 30
/** For a node beside its bytes. */
const NODE_BYTES = 64

export class QuicklistNode {
  pack: Listpack | undefined
  plain: Buffer | undefined
  before: QuicklistNode | undefined = undefined
  after: QuicklistNode | undefined = undefined
  /** What the list's totals hold for this node. */
  countedLength = 0
  countedBytes = 0

  constructor(pack: Listpack | undefined, plain: Buffer | undefined) {
    this.pack = pack
    this.plain = plain
  }

  get count(): number {
    return this.pack === undefined ? 1 : this.pack.count
  }

  get byteLength(): number {
    return this.pack?.byteLength ?? (this.plain as Buffer).length
  }
}

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

  private bytes = 0

  /** Estimated bytes. */
  get memoryBytes(): number {
    return this.bytes + this.nodeCount * NODE_BYTES
  }

  clone(): Quicklist {
    const copy = new Quicklist()
    for (let node = this.head; node !== undefined; node = node.after) {
      copy.appendNode(new QuicklistNode(node.pack?.clone(), node.plain && Buffer.from(node.plain)))
    }
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
      for (rest = place; rest >= node.count; node = node.after as QuicklistNode) rest -= node.count
      return { node, position: node.pack?.at(rest) ?? 0 }
    }
    node = this.tail as QuicklistNode
    for (rest = this.length - 1 - place; rest >= node.count; node = node.before as QuicklistNode) rest -= node.count
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

  /** The text of an element; one object, valid until the next read. */
  read(place: Place): ByteRange {
    const { pack, plain } = place.node
    if (pack !== undefined) return pack.read(place.position)
    plainRange.memory = plain as Buffer
    plainRange.end = (plain as Buffer).length
    return plainRange
  }

  equals(place: Place, memory: Uint8Array, start: number, end: number): boolean {
    const { pack, plain } = place.node
    if (pack !== undefined) return pack.equals(place.position, memory, start, end)
    return (plain as Buffer).equals(memory.subarray(start, end))
  }

  // ————— Ends

  /** `fill` is `list-max-listpack-size`. */
  push(atHead: boolean, fill: number, memory: Uint8Array, start: number, end: number): void {
    const node = atHead ? this.head : this.tail
    if (node !== undefined && this.hasRoom(node, fill, end - start)) {
      if (atHead) node.pack?.prepend(memory, start, end)
      else node.pack?.append(memory, start, end)
      this.settle(node)
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
    if (node.pack === undefined || node.pack.count === 1) this.removeNode(node)
    else {
      node.pack.remove(atHead ? node.pack.first() : node.pack.last())
      this.settle(node)
    }
  }

  // ————— Middle

  replace(place: Place, memory: Uint8Array, start: number, end: number): void {
    const { node } = place
    const isPlain = end - start >= this.plainFromBytes
    if (node.pack !== undefined && !isPlain) {
      node.pack.replace(place.position, memory, start, end)
      this.settle(node)
      return
    }
    const made = this.nodeOf(memory, start, end)
    if (node.count > 1) {
      const rest = this.split(node, place.position)
      rest.pack?.remove(rest.pack.first())
      this.settle(rest)
      this.insertNode(node, made)
      if (rest.count === 0) this.removeNode(rest)
      if (node.count === 0) this.removeNode(node)
    } else {
      this.insertNode(node, made)
      this.removeNode(node)
    }
  }

  /** Inserts beside `place`, as Redis chooses the node: here, at the near end of the neighbour, or by a split. */
  insert(place: Place, after: boolean, fill: number, memory: Uint8Array, start: number, end: number): void {
    const { node, position } = place
    const { pack } = node
    const size = end - start
    if (pack !== undefined && this.hasRoom(node, fill, size)) {
      pack.insert(after ? pack.next(position) : position, memory, start, end)
      this.settle(node)
      return
    }
    const atTail = pack === undefined || pack.next(position) === END
    const atHead = pack === undefined || pack.previous(position) === END
    const neighbour = after ? node.after : node.before
    const atEdge = after ? atTail : atHead
    if (atEdge && neighbour !== undefined && this.hasRoom(neighbour, fill, size)) {
      if (after) neighbour.pack?.prepend(memory, start, end)
      else neighbour.pack?.append(memory, start, end)
      this.settle(neighbour)
    } else if (atEdge) {
      this.insertNode(after ? node : node.before, this.nodeOf(memory, start, end))
    } else {
      this.insertBySplit(place, after, fill, memory, start, end)
    }
  }

  private insertBySplit(
    { node, position }: Place,
    after: boolean,
    fill: number,
    memory: Uint8Array,
    start: number,
    end: number,
  ): void {
    const rest = this.split(node, after ? (node.pack as Listpack).next(position) : position)
    if (end - start >= this.plainFromBytes) {
      this.insertNode(node, this.nodeOf(memory, start, end))
    } else {
      // The element goes to the part that Redis makes anew: the later one after a place, the earlier one before it.
      if (after) rest.pack?.prepend(memory, start, end)
      else node.pack?.append(memory, start, end)
      this.settle(after ? rest : node)
    }
    this.mergeAround(after ? node : rest, fill)
  }

  /** Cuts the node before `position`; returns the new node behind it. */
  private split(node: QuicklistNode, position: number): QuicklistNode {
    const pack = node.pack as Listpack
    const later = pack.clone()
    const kept = pack.indexOf(position)
    pack.remove(position, pack.count)
    if (kept > 0) later.remove(later.first(), kept)
    const made = new QuicklistNode(later, undefined)
    this.settle(node)
    this.insertNode(node, made)
    return made
  }

  /** Merges a node's neighbours and itself pairwise where two fit in one, in Redis's order. */
  private mergeAround(center: QuicklistNode, fill: number): void {
    let node = center
    const { before, after } = node
    if (before?.before !== undefined) this.merge(before.before, before, fill)
    if (after?.after !== undefined) this.merge(after, after.after, fill)
    if (node.before !== undefined) node = this.merge(node.before, node, fill) ?? node
    if (node.after !== undefined) this.merge(node, node.after, fill)
  }

  /** The node that holds both, or undefined when they do not fit. */
  private merge(first: QuicklistNode, second: QuicklistNode, fill: number): QuicklistNode | undefined {
    if (first.pack === undefined || second.pack === undefined) return undefined
    const bytes = first.byteLength + second.byteLength - 7
    if (!fits(bytes, first.count + second.count - 1, fill)) return undefined
    first.pack.appendAll(second.pack)
    this.settle(first)
    this.removeNode(second)
    return first
  }

  /** Removes an element and moves `place` to the one after it; false when it was the last. */
  remove(place: Place): boolean {
    const { node } = place
    const { after } = node
    let position = END
    if (node.pack === undefined || node.pack.count === 1) this.removeNode(node)
    else {
      position = node.pack.remove(place.position)
      this.settle(node)
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
      const fromStart = node.pack === undefined || position === node.pack.first()
      if (fromStart && node.count <= missing) {
        missing -= node.count
        this.removeNode(node)
      } else {
        const pack = node.pack as Listpack
        const before = pack.count
        pack.remove(position, missing)
        missing -= before - pack.count
        this.settle(node)
      }
      node = after
      position = after?.pack?.first() ?? 0
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
  }

  private removeNode(node: QuicklistNode): void {
    if (node.before === undefined) this.head = node.after
    else node.before.after = node.after
    if (node.after === undefined) this.tail = node.before
    else node.after.before = node.before
    this.nodeCount--
    this.length -= node.countedLength
    this.bytes -= node.countedBytes
  }

  /** Brings the totals up to date after a change inside a node. */
  private settle(node: QuicklistNode): void {
    const { count, byteLength } = node
    this.length += count - node.countedLength
    this.bytes += byteLength - node.countedBytes
    node.countedLength = count
    node.countedBytes = byteLength
  }

  private nodeOf(memory: Uint8Array, start: number, end: number): QuicklistNode {
    if (end - start >= this.plainFromBytes)
      return new QuicklistNode(undefined, Buffer.from(memory.subarray(start, end)))
    const pack = Listpack.empty()
    pack.append(memory, start, end)
    return new QuicklistNode(pack, undefined)
  }

  /** Whether an element of `size` bytes may go into the node. */
  private hasRoom(node: QuicklistNode, fill: number, size: number): boolean {
    if (node.pack === undefined || size >= this.plainFromBytes) return false
    return fits(node.byteLength + size + ENTRY_OVERHEAD_BYTES, node.count, fill)
  }
}

/** `count` elements are there before another one comes. */
function fits(bytes: number, count: number, fill: number): boolean {
  if (fill < 0) return bytes <= (NODE_MAX_BYTES[Math.min(-fill, NODE_MAX_BYTES.length) - 1] as number)
  return bytes <= SAFE_NODE_BYTES && count < fill
}
