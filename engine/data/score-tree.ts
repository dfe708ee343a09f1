/**
 * The order of a large sorted set: slots of its table by score, and by the bytes of their keys where scores are equal.
 * It does what Redis's skip list does (members by order, ranks both ways, in O(log n)), as a B+-tree that counts: a
 * node of a skip list is an object with two arrays, a million of which the garbage collector walks again and again,
 * while a leaf here has up to 256 members in two typed arrays.
 *
 *     branch   least score and slot, size, child │ … │ …              up to 128 children
 *     leaf     scores [ 1, 1, 2.5, … ]  slots [ 7, 3, 12, … ]  ⇄      chained in both directions
 *
 * Slots that the caller passes must be in the table with that score while it calls.
 */

const LEAF_MAX = 256
const CHILDREN_MAX = 128
/** A leaf with its arrays and what refers to it. */
const LEAF_BYTES = LEAF_MAX * 12 + 450

/** The keys of slots in the order of their bytes. They must not change between `aim` and the last `compareAimed`. */
export interface KeyOrder {
  /** Bytes that the two keys compared last have in common at their beginning. */
  readonly sharedBytes: number
  /** Whose key is compared from now on. */
  aim(slot: number): void
  /** Less than 0 when the key aimed at is before that of `slot`. Both are known to begin with the same `from` bytes. */
  compareAimed(slot: number, from: number): number
}

/** Where something begins or ends among the members: true for those from there on. Never true and then false. */
type Boundary = (score: number, slot: number) => boolean

class Leaf {
  size = 0
  before: Leaf | undefined = undefined
  after: Leaf | undefined = undefined
  /** The arrays are those of a leaf of a frozen tree, too. */
  isShared = false
  scores: Float64Array
  slots: Int32Array

  constructor(scores: Float64Array = new Float64Array(LEAF_MAX), slots: Int32Array = new Int32Array(LEAF_MAX)) {
    this.scores = scores
    this.slots = slots
  }

  get leastScore(): number {
    return this.scores[0] as number
  }

  get leastSlot(): number {
    return this.slots[0] as number
  }
}

class Branch {
  /** Members below. */
  size = 0
  readonly children: TreeNode[] = []
  readonly leastScores: number[] = []
  readonly leastSlots: number[] = []

  get leastScore(): number {
    return this.leastScores[0] as number
  }

  get leastSlot(): number {
    return this.leastSlots[0] as number
  }
}

type TreeNode = Leaf | Branch

/** A member's place, to go on from. */
export interface TreePlace {
  leaf: Leaf
  index: number
}

export class ScoreTree {
  private readonly keys: KeyOrder
  private root: TreeNode = new Leaf()
  private leafCount = 1
  /** `keys` knows whose key is looked for. */
  private isAimed = false
  /**
   * Bytes that the key looked for shares with those at both ends of what a search has left: all between share the
   * lesser number. 0 at an end with another score.
   */
  private sharedBelow = 0
  private sharedAbove = 0

  constructor(keys: KeyOrder) {
    this.keys = keys
  }

  get size(): number {
    return this.root.size
  }

  get memoryBytes(): number {
    return this.leafCount * LEAF_BYTES
  }

  /** The score is a number, infinities included, and not NaN. */
  insert(slot: number, score: number): void {
    this.beginSearch()
    const right = this.insertBelow(this.root, slot, score)
    if (right === undefined) return
    const root = new Branch()
    place(root, 0, this.root)
    place(root, 1, right)
    root.size = this.root.size + right.size
    this.root = root
  }

  remove(slot: number, score: number): void {
    this.beginSearch()
    this.removeBelow(this.root, slot, score)
    while (this.root instanceof Branch && this.root.children.length === 1) this.root = this.root.children[0] as TreeNode
  }

  /** The member in `slot` will be in slot `renamed`: it is still found under the old one. */
  rename(slot: number, score: number, renamed: number): void {
    this.beginSearch()
    let node = this.root
    while (node instanceof Branch) {
      const child = this.childFor(node, slot, score)
      if (node.leastSlots[child] === slot) node.leastSlots[child] = renamed
      node = node.children[child] as TreeNode
    }
    own(node)
    node.slots[this.indexIn(node, slot, score)] = renamed
  }

  /** How many members are before this one. */
  rank(slot: number, score: number): number {
    this.beginSearch()
    let rank = 0
    let node = this.root
    while (node instanceof Branch) {
      const child = this.childFor(node, slot, score)
      for (let i = 0; i < child; i++) rank += (node.children[i] as TreeNode).size
      node = node.children[child] as TreeNode
    }
    return rank + this.indexIn(node, slot, score)
  }

  /** How many members are before the boundary: the rank of the first one behind it. */
  rankOf(isBehind: Boundary): number {
    let rank = 0
    let node = this.root
    while (node instanceof Branch) {
      let low = 1
      let high = node.children.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (isBehind(node.leastScores[middle] as number, node.leastSlots[middle] as number)) high = middle
        else low = middle + 1
      }
      for (let i = 0; i < low - 1; i++) rank += (node.children[i] as TreeNode).size
      node = node.children[low - 1] as TreeNode
    }
    let low = 0
    let high = node.size
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBehind(node.scores[middle] as number, node.slots[middle] as number)) high = middle
      else low = middle + 1
    }
    return rank + low
  }

  /** The place with so many members before it, which must be fewer than there are. Valid until the next change. */
  at(rank: number): TreePlace {
    let rest = rank
    let node = this.root
    while (node instanceof Branch) {
      let child = 0
      for (let size = sizeOf(node, child); rest >= size; size = sizeOf(node, child)) {
        rest -= size
        child++
      }
      node = node.children[child] as TreeNode
    }
    return { leaf: node, index: rest }
  }

  /** An independent tree over a table that has the same slots. */
  clone(keys: KeyOrder): ScoreTree {
    return this.copy(keys, ({ scores, slots }) => new Leaf(scores.slice(), slots.slice()))
  }

  /**
   * The order as it is now, for reading, over a table that keeps the slots: leaves share their arrays until a change.
   */
  freeze(keys: KeyOrder): ScoreTree {
    return this.copy(keys, (leaf) => {
      leaf.isShared = true
      return new Leaf(leaf.scores, leaf.slots)
    })
  }

  private copy(keys: KeyOrder, copyLeaf: (leaf: Leaf) => Leaf): ScoreTree {
    const copy = new ScoreTree(keys)
    if (this.size === 0) return copy
    let last: Leaf | undefined
    const copyOf = (node: TreeNode): TreeNode => {
      if (node instanceof Branch) {
        const branch = new Branch()
        for (const child of node.children) place(branch, branch.children.length, copyOf(child))
        branch.size = node.size
        return branch
      }
      const leaf = copyLeaf(node)
      leaf.size = node.size
      chain(last, leaf)
      last = leaf
      return leaf
    }
    copy.root = copyOf(this.root)
    copy.leafCount = this.leafCount
    return copy
  }

  /** The new right neighbour of `node` if it had to be divided. */
  private insertBelow(node: TreeNode, slot: number, score: number): TreeNode | undefined {
    if (node instanceof Leaf) return this.insertInLeaf(node, slot, score)
    const at = this.childFor(node, slot, score)
    const child = node.children[at] as TreeNode
    const right = this.insertBelow(child, slot, score)
    node.leastScores[at] = child.leastScore
    node.leastSlots[at] = child.leastSlot
    node.size++
    if (right === undefined) return undefined
    place(node, at + 1, right)
    return node.children.length > CHILDREN_MAX ? divide(node) : undefined
  }

  private insertInLeaf(leaf: Leaf, slot: number, score: number): Leaf | undefined {
    const index = this.indexIn(leaf, slot, score)
    if (leaf.size < LEAF_MAX) {
      write(leaf, index, slot, score)
      return undefined
    }
    const right = new Leaf()
    this.leafCount++
    chain(right, leaf.after)
    chain(leaf, right)
    // A full leaf at the end stays full: scores that only grow fill all leaves.
    const kept = index === LEAF_MAX && right.after === undefined ? LEAF_MAX : LEAF_MAX / 2
    right.scores.set(leaf.scores.subarray(kept))
    right.slots.set(leaf.slots.subarray(kept))
    right.size = LEAF_MAX - kept
    leaf.size = kept
    if (index < kept || (index === kept && kept < LEAF_MAX)) write(leaf, index, slot, score)
    else write(right, index - kept, slot, score)
    return right
  }

  private removeBelow(node: TreeNode, slot: number, score: number): void {
    if (node instanceof Leaf) {
      const index = this.indexIn(node, slot, score)
      own(node)
      node.scores.copyWithin(index, index + 1, node.size)
      node.slots.copyWithin(index, index + 1, node.size)
      node.size--
      return
    }
    const at = this.childFor(node, slot, score)
    const child = node.children[at] as TreeNode
    this.removeBelow(child, slot, score)
    node.size--
    if (child.size === 0) {
      if (child instanceof Leaf) this.dropLeaf(child)
      unplace(node, at)
      return
    }
    node.leastScores[at] = child.leastScore
    node.leastSlots[at] = child.leastSlot
    this.join(node, at)
  }

  /** Merges a child that has lost a member with the next one when both together fill at most half of one. */
  private join(node: Branch, at: number): void {
    const child = node.children[at] as TreeNode
    const next = node.children[at + 1]
    if (next === undefined) return
    if (child instanceof Leaf && next instanceof Leaf) {
      if (child.size + next.size > LEAF_MAX / 2) return
      child.scores.set(next.scores.subarray(0, next.size), child.size)
      child.slots.set(next.slots.subarray(0, next.size), child.size)
      child.size += next.size
      this.dropLeaf(next)
    } else if (child instanceof Branch && next instanceof Branch) {
      if (child.children.length + next.children.length > CHILDREN_MAX / 2) return
      for (const moved of next.children) place(child, child.children.length, moved)
      child.size += next.size
    }
    unplace(node, at + 1)
  }

  private dropLeaf(leaf: Leaf): void {
    this.leafCount--
    chain(leaf.before, leaf.after)
  }

  /** Which child the member is in, or would be: the last that does not begin behind it. */
  private childFor({ leastScores, leastSlots }: Branch, slot: number, score: number): number {
    let low = 1
    let high = leastScores.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.isBehind(leastScores[middle] as number, leastSlots[middle] as number, slot, score, false)) high = middle
      else low = middle + 1
    }
    return low - 1
  }

  /** Where the member is, or belongs. */
  private indexIn({ scores, slots, size }: Leaf, slot: number, score: number): number {
    let low = 0
    let high = size
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.isBehind(scores[middle] as number, slots[middle] as number, slot, score, true)) high = middle
      else low = middle + 1
    }
    return low
  }

  private beginSearch(): void {
    this.isAimed = false
    this.sharedBelow = 0
    this.sharedAbove = 0
  }

  /**
   * Whether another member is behind the one that a search looks for, or `orEqual` it; the search goes on beside it.
   */
  private isBehind(otherScore: number, other: number, slot: number, score: number, orEqual: boolean): boolean {
    let shared = 0
    let isBehind = otherScore > score
    if (otherScore === score) {
      const { keys } = this
      if (!this.isAimed) {
        keys.aim(slot)
        this.isAimed = true
      }
      const order = keys.compareAimed(other, Math.min(this.sharedBelow, this.sharedAbove))
      isBehind = orEqual ? order <= 0 : order < 0
      shared = keys.sharedBytes
    }
    if (isBehind) this.sharedAbove = shared
    else this.sharedBelow = shared
    return isBehind
  }
}

/** The member after `place`'s one, or before; false at the end. */
export function step(place: TreePlace, reverse: boolean): boolean {
  if (reverse ? place.index > 0 : place.index + 1 < place.leaf.size) {
    place.index += reverse ? -1 : 1
    return true
  }
  const next = reverse ? place.leaf.before : place.leaf.after
  if (next === undefined) return false
  place.leaf = next
  place.index = reverse ? next.size - 1 : 0
  return true
}

function sizeOf(node: Branch, child: number): number {
  return (node.children[child] as TreeNode).size
}

/** Before a change: no frozen tree must see it. */
function own(leaf: Leaf): void {
  if (!leaf.isShared) return
  leaf.scores = leaf.scores.slice()
  leaf.slots = leaf.slots.slice()
  leaf.isShared = false
}

function write(leaf: Leaf, index: number, slot: number, score: number): void {
  own(leaf)
  const { scores, slots, size } = leaf
  if (index < size) {
    scores.copyWithin(index + 1, index, size)
    slots.copyWithin(index + 1, index, size)
  }
  scores[index] = score
  slots[index] = slot
  leaf.size = size + 1
}

function chain(left: Leaf | undefined, right: Leaf | undefined): void {
  if (left !== undefined) left.after = right
  if (right !== undefined) right.before = left
}

function place(node: Branch, at: number, child: TreeNode): void {
  node.children.splice(at, 0, child)
  node.leastScores.splice(at, 0, child.leastScore)
  node.leastSlots.splice(at, 0, child.leastSlot)
}

function unplace(node: Branch, at: number): void {
  node.children.splice(at, 1)
  node.leastScores.splice(at, 1)
  node.leastSlots.splice(at, 1)
}

/** Moves the right half of the children into a new node. */
function divide(node: Branch): Branch {
  const right = new Branch()
  const kept = node.children.length >>> 1
  right.children.push(...node.children.splice(kept))
  right.leastScores.push(...node.leastScores.splice(kept))
  right.leastSlots.push(...node.leastSlots.splice(kept))
  right.size = right.children.reduce((sum, child) => sum + child.size, 0)
  node.size -= right.size
  return right
}
