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
 *
 * A node is a number: the place of its block, in units of 8 bytes. Blocks lie outside of the JavaScript heap, in chunks:
 *
 *     unit    0        1                   2               3               …
 *             score    previous, member    next, span      next, span      …      (one unit per level)
 *
 * So a step of a search touches one or two cache lines, where objects with arrays for links take five, a score is no
 * object of its own, and a million members give the garbage collector nothing to trace but their texts.
 */

const LEVELS_MAX = 16
/** No such node. */
export const NO_NODE = 0

const CHUNK_SHIFT = 13
const CHUNK_UNITS = 1 << CHUNK_SHIFT
const UNIT_MASK = CHUNK_UNITS - 1
const FIRST_UNITS = 256
/** Lanes of 32 bits in a block; those of level n begin at LINKS + 2n. */
const PREVIOUS = 2
const MEMBER = 3
const LINKS = 4
/** Units of a block beside its links. */
const NODE_UNITS = 2
const HEAD = 1

/** A member as boundaries see it: valid during the call. */
export interface Ranked {
  readonly member: string
  readonly score: number
}

/** Where something begins or ends among the members: true for those from there on. Never true and then false. */
export type Boundary = (pair: Ranked) => boolean

export class Skiplist {
  private readonly draw: () => number
  /** Both views of each chunk. */
  private lanes: Int32Array[] = []
  private scores: Float64Array[] = []
  private members: string[] = []
  private freeMembers: number[] = []
  /** By height: the first free block, which has the next one in its lane PREVIOUS. */
  private readonly freeBlocks = new Int32Array(LEVELS_MAX + 1)
  /** First unit that was never used. */
  private untouched = HEAD
  private levels = 1
  private tail = NO_NODE
  private length = 0
  private linkCount = 0
  /** Of the last search, by level: the node before the place that was looked for, and how many members are up to it. */
  private readonly before = new Int32Array(LEVELS_MAX)
  private readonly places = new Int32Array(LEVELS_MAX)

  /** `draw` gives whole numbers, uniform in [0, 2^32). */
  constructor(draw: () => number) {
    this.draw = draw
    this.takeBlock(LEVELS_MAX)
  }

  get size(): number {
    return this.length
  }

  /** Links of all nodes, for estimates of memory. */
  get links(): number {
    return this.linkCount
  }

  first(): number {
    return this.next(HEAD, 0)
  }

  last(): number {
    return this.tail
  }

  /** NO_NODE after the last one. */
  after(node: number): number {
    return this.next(node, 0)
  }

  /** NO_NODE before the first one. */
  previous(node: number): number {
    return this.lane(node, PREVIOUS)
  }

  score(node: number): number {
    return (this.scores[node >>> CHUNK_SHIFT] as Float64Array)[node & UNIT_MASK] as number
  }

  member(node: number): string {
    return this.members[this.lane(node, MEMBER)] as string
  }

  /** Adds a member that must not be there yet. The score is a number, infinities included, and not NaN. */
  insert(score: number, member: string): void {
    const height = this.drawHeight()
    for (; this.levels < height; this.levels++) this.setLink(HEAD, this.levels, NO_NODE, this.length)
    this.seek(score, member)
    this.place(this.newNode(height, score, member), height)
  }

  /** Puts a node where the last search has ended. */
  private place(node: number, height: number): void {
    const { before, places } = this
    const place = places[0] as number
    for (let level = 0; level < this.levels; level++) {
      const left = before[level] as number
      const span = this.span(left, level)
      if (level >= height) {
        this.setSpan(left, level, span + 1)
        continue
      }
      const passed = place - (places[level] as number)
      this.setLink(node, level, this.next(left, level), span - passed)
      this.setLink(left, level, node, passed + 1)
    }
    const left = before[0] as number
    this.setLane(node, PREVIOUS, left === HEAD ? NO_NODE : left)
    const right = this.next(node, 0)
    if (right === NO_NODE) this.tail = node
    else this.setLane(right, PREVIOUS, node)
    this.length++
    this.linkCount += height
  }

  /** Removes a member that must be there under this score. */
  remove(score: number, member: string): void {
    this.seek(score, member)
    const node = this.next(this.before[0] as number, 0)
    let height = 0
    for (let level = 0; level < this.levels; level++) {
      const left = this.before[level] as number
      const span = this.span(left, level)
      if (this.next(left, level) === node) {
        this.setLink(left, level, this.next(node, level), span + this.span(node, level) - 1)
        height++
      } else {
        this.setSpan(left, level, span - 1)
      }
    }
    const right = this.next(node, 0)
    if (right === NO_NODE) this.tail = this.previous(node)
    else this.setLane(right, PREVIOUS, this.previous(node))
    while (this.levels > 1 && this.next(HEAD, this.levels - 1) === NO_NODE) this.levels--
    this.length--
    this.linkCount -= height
    this.freeNode(node, height)
  }

  /** Gives a member that must be there under this score another one. */
  rescore(score: number, member: string, newScore: number): void {
    this.seek(score, member)
    const node = this.next(this.before[0] as number, 0)
    const left = this.previous(node)
    const right = this.next(node, 0)
    const stays =
      (left === NO_NODE || this.isBefore(left, newScore, member)) &&
      (right === NO_NODE || !this.isBefore(right, newScore, member))
    if (stays) {
      this.setScore(node, newScore)
      return
    }
    this.remove(score, member)
    this.insert(newScore, member)
  }

  /** How many members are before this one, which must be there under this score. */
  rank(score: number, member: string): number {
    this.seek(score, member)
    return this.places[0] as number
  }

  /** How many members are before the boundary: the rank of the first one behind it. */
  rankOf(isBehind: Boundary): number {
    let at = HEAD
    let place = 0
    const pair = { member: '', score: 0 }
    for (let level = this.levels - 1; level >= 0; level--) {
      for (let next = this.next(at, level); next !== NO_NODE; next = this.next(at, level)) {
        pair.member = this.member(next)
        pair.score = this.score(next)
        if (isBehind(pair)) break
        place += this.span(at, level)
        at = next
      }
    }
    return place
  }

  /** The node with so many before it; NO_NODE when there are not so many. */
  at(rank: number): number {
    if (rank < 0 || rank >= this.length) return NO_NODE
    let at = HEAD
    let place = -1
    for (let level = this.levels - 1; level >= 0; level--) {
      for (
        let next = this.next(at, level);
        next !== NO_NODE && place + this.span(at, level) <= rank;
        next = this.next(at, level)
      ) {
        place += this.span(at, level)
        at = next
      }
    }
    return at
  }

  /** An independent list with the same nodes, which draws on from `draw`. */
  clone(draw: () => number): Skiplist {
    const copy = new Skiplist(draw)
    copy.lanes = this.lanes.map((lanes) => lanes.slice())
    copy.scores = copy.lanes.map(({ buffer }) => new Float64Array(buffer))
    copy.members = this.members.slice()
    copy.freeMembers = this.freeMembers.slice()
    copy.freeBlocks.set(this.freeBlocks)
    copy.untouched = this.untouched
    copy.levels = this.levels
    copy.tail = this.tail
    copy.length = this.length
    copy.linkCount = this.linkCount
    return copy
  }

  /** Finds the place of a pair: fills `before` and `places`. */
  private seek(score: number, member: string): void {
    let at = HEAD
    let place = 0
    // What stopped the search on the level above stops it on this one.
    let stop = NO_NODE
    for (let level = this.levels - 1; level >= 0; level--) {
      let next = this.next(at, level)
      while (next !== stop && this.isBefore(next, score, member)) {
        place += this.span(at, level)
        at = next
        next = this.next(at, level)
      }
      stop = next
      this.before[level] = at
      this.places[level] = place
    }
  }

  private isBefore(node: number, score: number, member: string): boolean {
    if (node === NO_NODE) return false
    const own = this.score(node)
    return own < score || (own === score && this.member(node) < member)
  }

  private lane(node: number, lane: number): number {
    return (this.lanes[node >>> CHUNK_SHIFT] as Int32Array)[((node & UNIT_MASK) << 1) + lane] as number
  }

  private setLane(node: number, lane: number, value: number): void {
    const lanes = this.lanes[node >>> CHUNK_SHIFT] as Int32Array
    lanes[((node & UNIT_MASK) << 1) + lane] = value
  }

  private next(node: number, level: number): number {
    return this.lane(node, LINKS + (level << 1))
  }

  private span(node: number, level: number): number {
    return this.lane(node, LINKS + (level << 1) + 1)
  }

  private setSpan(node: number, level: number, span: number): void {
    this.setLane(node, LINKS + (level << 1) + 1, span)
  }

  private setLink(node: number, level: number, next: number, span: number): void {
    this.setLane(node, LINKS + (level << 1), next)
    this.setLane(node, LINKS + (level << 1) + 1, span)
  }

  private setScore(node: number, score: number): void {
    const scores = this.scores[node >>> CHUNK_SHIFT] as Float64Array
    scores[node & UNIT_MASK] = score
  }

  private newNode(height: number, score: number, member: string): number {
    const node = this.takeBlock(height)
    this.setScore(node, score)
    const number = this.freeMembers.pop() ?? this.members.length
    this.members[number] = member
    this.setLane(node, MEMBER, number)
    return node
  }

  private freeNode(node: number, height: number): void {
    const number = this.lane(node, MEMBER)
    this.members[number] = ''
    this.freeMembers.push(number)
    this.setLane(node, PREVIOUS, this.freeBlocks[height] as number)
    this.freeBlocks[height] = node
  }

  /** A block for a node of this height. A block never lies in two chunks. */
  private takeBlock(height: number): number {
    const free = this.freeBlocks[height] as number
    if (free !== NO_NODE) {
      this.freeBlocks[height] = this.lane(free, PREVIOUS)
      return free
    }
    const units = NODE_UNITS + height
    if ((this.untouched & UNIT_MASK) + units > CHUNK_UNITS) this.untouched = (this.untouched | UNIT_MASK) + 1
    const node = this.untouched
    this.reserve(node, units)
    this.untouched = node + units
    return node
  }

  /** The first chunk grows by doubling, so that a small list is small. */
  private reserve(node: number, units: number): void {
    const index = node >>> CHUNK_SHIFT
    const old = this.lanes[index]
    const needed = (node & UNIT_MASK) + units
    const present = (old?.length ?? 0) >>> 1
    if (needed <= present) return
    const grown = new Int32Array(2 * (index > 0 ? CHUNK_UNITS : Math.max(FIRST_UNITS, present * 2)))
    if (old !== undefined) grown.set(old)
    this.lanes[index] = grown
    this.scores[index] = new Float64Array(grown.buffer)
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
