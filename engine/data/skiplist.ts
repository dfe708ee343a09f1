/**
 * A skip list of members by score, and by their bytes where scores are equal: the ordered half of a large sorted set.
 * Every link knows how many members it passes (its span), so that ranks are counted and found in O(log n).
 *
 *     level 1   head ──────────────2──────────────▸ b ─────────────2────────────▸ d
 *     level 0   head ──────1───────▸ a ──────1─────▸ b ──────1─────▸ c ──────1────▸ d
 *
 * A node is as high as chance has it: one level more with probability 1/4, as in Redis's `t_zset.c` (Pugh, "Skip Lists: A
 * Probabilistic Alternative to Balanced Trees"). The same draws give the same list everywhere. Members are text with one
 * character per byte, whose order in JavaScript is that of their bytes.
 */

const LEVELS_MAX = 16

export interface SkipNode {
  readonly member: string
  score: number
  /** The node before this one; undefined for the first. */
  previous: SkipNode | undefined
  /** By level: the next node that is so high, and by how many places it is ahead (to the end where there is none). */
  readonly next: (SkipNode | undefined)[]
  readonly spans: number[]
}

/** Where something begins or ends among the members: true for those from there on. Never true and then false. */
export type Boundary = (node: SkipNode) => boolean

export class Skiplist {
  private readonly head: SkipNode = { member: '', score: 0, previous: undefined, next: [undefined], spans: [0] }
  private readonly draw: () => number
  private tail: SkipNode | undefined
  private length = 0
  private linkCount = 0

  /** `draw` gives whole numbers, uniform in [0, 2^32). */
  constructor(draw: () => number) {
    this.draw = draw
  }

  get size(): number {
    return this.length
  }

  /** Links of all nodes, for estimates of memory. */
  get links(): number {
    return this.linkCount
  }

  first(): SkipNode | undefined {
    return this.head.next[0]
  }

  last(): SkipNode | undefined {
    return this.tail
  }

  /** Adds a member that must not be there yet. The score is a number, infinities included, and not NaN. */
  insert(score: number, member: string): SkipNode {
    const { head } = this
    const height = this.drawHeight()
    while (head.next.length < height) {
      head.next.push(undefined)
      head.spans.push(this.length)
    }
    const node: SkipNode = { member, score, previous: undefined, next: [], spans: [] }
    let at = head
    let place = 0
    const before: SkipNode[] = []
    const places: number[] = []
    for (let level = head.next.length - 1; level >= 0; level--) {
      for (let next = at.next[level]; next !== undefined && isBefore(next, score, member); next = at.next[level]) {
        place += at.spans[level] as number
        at = next
      }
      before[level] = at
      places[level] = place
    }
    for (let level = 0; level < head.next.length; level++) {
      const left = before[level] as SkipNode
      if (level >= height) {
        left.spans[level] = (left.spans[level] as number) + 1
        continue
      }
      const passed = place - (places[level] as number)
      node.next[level] = left.next[level]
      node.spans[level] = (left.spans[level] as number) - passed
      left.next[level] = node
      left.spans[level] = passed + 1
    }
    node.previous = at === head ? undefined : at
    if (node.next[0] === undefined) this.tail = node
    else node.next[0].previous = node
    this.length++
    this.linkCount += height
    return node
  }

  /** Removes a member that must be there under this score. */
  remove(score: number, member: string): void {
    const { head } = this
    let at = head
    const before: SkipNode[] = []
    for (let level = head.next.length - 1; level >= 0; level--) {
      for (let next = at.next[level]; next !== undefined && isBefore(next, score, member); next = at.next[level])
        at = next
      before[level] = at
    }
    const node = at.next[0] as SkipNode
    for (let level = 0; level < head.next.length; level++) {
      const left = before[level] as SkipNode
      if (left.next[level] === node) {
        left.spans[level] = (left.spans[level] as number) + (node.spans[level] as number) - 1
        left.next[level] = node.next[level]
      } else {
        left.spans[level] = (left.spans[level] as number) - 1
      }
    }
    if (node.next[0] === undefined) this.tail = node.previous
    else node.next[0].previous = node.previous
    while (head.next.length > 1 && head.next[head.next.length - 1] === undefined) {
      head.next.pop()
      head.spans.pop()
    }
    this.length--
    this.linkCount -= node.next.length
  }

  /** How many members are before this one, which must be there under this score. */
  rank(score: number, member: string): number {
    return this.rankOf((node) => !isBefore(node, score, member))
  }

  /** How many members are before the boundary: the rank of the first one behind it. */
  rankOf(isBehind: Boundary): number {
    let at = this.head
    let place = 0
    for (let level = at.next.length - 1; level >= 0; level--) {
      for (let next = at.next[level]; next !== undefined && !isBehind(next); next = at.next[level]) {
        place += at.spans[level] as number
        at = next
      }
    }
    return place
  }

  /** The node with so many before it; undefined when there are not so many. */
  at(rank: number): SkipNode | undefined {
    if (rank < 0 || rank >= this.length) return undefined
    let at = this.head
    let place = -1
    for (let level = at.next.length - 1; level >= 0; level--) {
      for (
        let next = at.next[level];
        next !== undefined && place + (at.spans[level] as number) <= rank;
        next = at.next[level]
      ) {
        place += at.spans[level] as number
        at = next
      }
    }
    return at
  }

  private drawHeight(): number {
    let bits = this.draw()
    let height = 1
    while (height < LEVELS_MAX && (bits & 3) === 0) {
      height++
      bits >>>= 2
    }
    return height
  }
}

function isBefore(node: SkipNode, score: number, member: string): boolean {
  return node.score < score || (node.score === score && node.member < member)
}
