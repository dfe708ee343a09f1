/**
 * A sorted set: members in the order of their scores (and bytes, where scores are equal). While it is small it is an
 * ordered array, which answers to the name of the listpack that Redis holds in its place and becomes one in RDB files;
 * then a hash table of the members with their scores beside it, and a tree for the order, which answers to the name of
 * Redis's skip list. It never goes back.
 *
 * A listpack cannot hold -0: it becomes 0 in the small form, as in Redis (but for those of older files, see `load`).
 * What Redis builds as a skip list, to look only at its end whether a listpack will do (results of set algebra, values
 * out of RDB files), is built by `building` and ended by `built`: if it has become large by then, -0 has stayed.
 */
import { ChunkedFloat64Array } from '../data/chunked-array.ts'
import { formatDouble } from '../data/double-text.ts'
import { bytesOf, NO_SLOT, ScanTable } from '../data/scan-table.ts'
import { type KeyOrder, ScoreTree, step } from '../data/score-tree.ts'
import type { AggregateSettings } from './aggregate-settings.ts'
import { type Aggregate, FREEZE_FROM_SIZE, ValueType } from './keyspace-port.ts'

export interface ScoredMember {
  /** One character per byte. */
  readonly member: string
  readonly score: number
}

const HEADER_BYTES = 64
/** A member as memory[start…end), and its score. */
export type MemberVisitor = (memory: Buffer, start: number, end: number, score: number) => void

/** Estimated bytes of a pair in the array beside its text. */
const PAIR_BYTES = 40

/** The form without an object per member. Members are known by the slot that they have in the table. */
class LargeSortedSet {
  readonly members: ScanTable
  /** By slot. */
  readonly scores: ChunkedFloat64Array
  readonly order: ScoreTree
  /** Where the member is that `scoreOf` was asked for last. */
  private found = NO_SLOT

  constructor(
    members: ScanTable,
    scores = new ChunkedFloat64Array(),
    makeOrder = (keys: KeyOrder) => new ScoreTree(keys),
  ) {
    this.members = members
    this.scores = scores
    this.order = makeOrder(members)
  }

  clone(): LargeSortedSet {
    const { members, scores, order } = this
    return new LargeSortedSet(members.clone(), scores.clone(), (keys) => order.clone(keys))
  }

  freeze(): LargeSortedSet {
    const { members, scores, order } = this
    return new LargeSortedSet(members.freeze(), scores.freeze(), (keys) => order.freeze(keys))
  }

  /** Undefined when it is no member. */
  scoreOf(memory: Uint8Array, start: number, end: number): number | undefined {
    this.found = this.members.find(memory, start, end)
    return this.found === NO_SLOT ? undefined : this.scores.get(this.found)
  }

  set(memory: Uint8Array, start: number, end: number, score: number): boolean {
    const old = this.scoreOf(memory, start, end)
    return this.setFound(memory, start, end, old, score)
  }

  /** As `set`, of the member that `scoreOf` was asked for last, and said `old`. */
  setFound(memory: Uint8Array, start: number, end: number, old: number | undefined, score: number): boolean {
    const { found, members, order, scores } = this
    if (old === undefined) {
      const slot = members.addMissing(memory, start, end)
      scores.reserve(slot + 1)
      scores.set(slot, score)
      order.insert(slot, score)
      return true
    }
    if (old === score) return false
    order.remove(found, old)
    scores.set(found, score)
    order.insert(found, score)
    return false
  }

  remove(slot: number): void {
    const { members, order, scores } = this
    const last = members.size - 1
    order.remove(slot, scores.get(slot))
    if (slot !== last) {
      const score = scores.get(last)
      order.rename(last, score, slot)
      scores.set(slot, score)
    }
    members.remove(slot)
    scores.trim(last)
  }
}

/** What a boundary is asked about: text is made only for one that looks at it. */
class SlotView implements ScoredMember {
  score = 0
  slot = 0
  private readonly members: ScanTable

  constructor(members: ScanTable) {
    this.members = members
  }

  get member(): string {
    return this.members.keyAt(this.slot)
  }
}

export class SortedSetValue implements Aggregate {
  readonly type = ValueType.sortedSet
  private readonly settings: AggregateSettings
  private small: ScoredMember[] = []
  private large: LargeSortedSet | undefined
  private memberBytes = 0
  private keepsNegativeZero = false

  private constructor(settings: AggregateSettings) {
    this.settings = settings
  }

  static empty(settings: AggregateSettings): SortedSetValue {
    return new SortedSetValue(settings)
  }

  /** Empty, to be filled and then ended with `built`. */
  static building(settings: AggregateSettings): SortedSetValue {
    const value = new SortedSetValue(settings)
    value.keepsNegativeZero = true
    return value
  }

  /** This value, in the form that it has from now on. */
  built(): this {
    this.keepsNegativeZero = false
    this.small.forEach((pair, index) => {
      if (Object.is(pair.score, -0)) this.small[index] = { member: pair.member, score: 0 }
    })
    return this
  }

  get encoding(): string {
    return this.large === undefined ? 'listpack' : 'skiplist'
  }

  get size(): number {
    return this.large === undefined ? this.small.length : this.large.members.size
  }

  get memoryBytes(): number {
    const { large, size } = this
    if (large === undefined) return HEADER_BYTES + this.memberBytes + size * PAIR_BYTES
    return HEADER_BYTES + large.members.memoryBytes + large.scores.byteLength + large.order.memoryBytes
  }

  get parts(): number {
    return this.large === undefined ? 1 : this.size
  }

  chainHistogram(): readonly number[] | undefined {
    return this.large?.members.chainHistogram()
  }

  clone(): SortedSetValue {
    const copy = new SortedSetValue(this.settings)
    copy.memberBytes = this.memberBytes
    copy.small = this.small.slice()
    copy.large = this.large?.clone()
    return copy
  }

  freeze(): SortedSetValue | undefined {
    if (this.large === undefined || this.size < FREEZE_FROM_SIZE) return undefined
    const view = new SortedSetValue(this.settings)
    view.large = this.large.freeze()
    return view
  }

  /** Undefined when it is no member. */
  score(member: string): number | undefined {
    if (this.large === undefined) return this.small.find((pair) => pair.member === member)?.score
    return this.scoreOfBytes(bytesOf(member), 0, member.length)
  }

  /** As `score`, of the member memory[start…end). */
  scoreOfBytes(memory: Buffer, start: number, end: number): number | undefined {
    const { large } = this
    if (large === undefined) return this.score(memory.toString('latin1', start, end))
    return large.scoreOf(memory, start, end)
  }

  /**
   * A score as the value holds it: a listpack has whole numbers up to 2^62 with all their digits, the large form
   * `%.17g`.
   */
  scoreText(score: number): string {
    const isWhole = this.large === undefined && Number.isInteger(score) && Math.abs(score) <= 2 ** 62
    return isWhole ? BigInt(score).toString() : formatDouble(score)
  }

  /** Adds the member, or changes its score (not NaN). True when it was added. */
  set(member: string, score: number): boolean {
    return this.put(member, score, false)
  }

  /** Adds a pair as it stands in a listpack or ziplist of a file: the member may be of any length, and the score -0. */
  load(member: string, score: number): boolean {
    return this.put(member, score, true)
  }

  private put(member: string, score: number, asItIs: boolean): boolean {
    const { large, small } = this
    if (large !== undefined) return large.set(bytesOf(member), 0, member.length, score)
    const index = small.findIndex((pair) => pair.member === member)
    if (index >= 0) {
      small.splice(index, 1)
    } else {
      const { limits } = this.settings
      const isLong = !asItIs && member.length > limits['zset-max-listpack-value']
      if (isLong || small.length + 1 > limits['zset-max-listpack-entries']) {
        return this.enlarge().set(bytesOf(member), 0, member.length, score)
      }
      this.memberBytes += member.length
    }
    const pair = { member, score: score === 0 && !asItIs && !this.keepsNegativeZero ? 0 : score }
    small.splice(
      this.rankOf((other) => !isBefore(other, pair)),
      0,
      pair,
    )
    return index < 0
  }

  /** As `set`, of the member memory[start…end). */
  setBytes(memory: Buffer, start: number, end: number, score: number): boolean {
    if (this.large !== undefined) return this.large.set(memory, start, end, score)
    return this.set(memory.toString('latin1', start, end), score)
  }

  /** As `setBytes`, of the member that `scoreOfBytes` was asked for last, and said `old`. */
  setFound(memory: Buffer, start: number, end: number, old: number | undefined, score: number): boolean {
    if (this.large !== undefined) return this.large.setFound(memory, start, end, old, score)
    return this.set(memory.toString('latin1', start, end), score)
  }

  /** True when it was a member. */
  remove(member: string): boolean {
    const { large, small } = this
    if (large !== undefined) {
      const slot = large.members.findText(member)
      if (slot !== NO_SLOT) large.remove(slot)
      return slot !== NO_SLOT
    }
    const index = small.findIndex((pair) => pair.member === member)
    if (index < 0) return false
    small.splice(index, 1)
    this.memberBytes -= member.length
    return true
  }

  /** How many members come before this one; undefined when it is no member. */
  rank(member: string): number | undefined {
    const { large } = this
    if (large !== undefined) {
      const slot = large.members.findText(member)
      return slot === NO_SLOT ? undefined : large.order.rank(slot, large.scores.get(slot))
    }
    const score = this.score(member)
    if (score === undefined) return undefined
    return this.rankOf((other) => !isBefore(other, { member, score }))
  }

  /** How many members come before a boundary, which divides those that are not behind it from those that are. */
  rankOf(isBehind: (pair: ScoredMember) => boolean): number {
    if (this.large !== undefined) {
      const view = new SlotView(this.large.members)
      return this.large.order.rankOf((score, slot) => {
        view.score = score
        view.slot = slot
        return isBehind(view)
      })
    }
    let low = 0
    let high = this.small.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBehind(this.small[middle] as ScoredMember)) high = middle
      else low = middle + 1
    }
    return low
  }

  at(rank: number): ScoredMember | undefined {
    const { large } = this
    if (large === undefined || rank < 0 || rank >= this.size) return this.small[rank]
    const { leaf, index } = large.order.at(rank)
    return { member: large.members.keyAt(leaf.slots[index] as number), score: leaf.scores[index] as number }
  }

  /** Members of ranks start…stop−1, from the last one if `reverse`. The set must not change meanwhile. */
  *range(start = 0, stop = this.size, reverse = false): Generator<ScoredMember> {
    const end = Math.min(stop, this.size)
    if (start >= end) return
    if (this.large === undefined) {
      for (let i = start; i < end; i++) yield this.small[reverse ? start + end - 1 - i : i] as ScoredMember
      return
    }
    const { members, order } = this.large
    const place = order.at(reverse ? end - 1 : start)
    for (let i = start; i < end; i++) {
      const { leaf, index } = place
      yield { member: members.keyAt(leaf.slots[index] as number), score: leaf.scores[index] as number }
      step(place, reverse)
    }
  }

  /** As `range`, without a text for each member. `visit` must not change the set. */
  visitRange(start: number, stop: number, reverse: boolean, visit: MemberVisitor): void {
    const { large, small } = this
    const end = Math.min(stop, this.size)
    if (start >= end) return
    if (large === undefined) {
      for (let i = start; i < end; i++) {
        const { member, score } = small[reverse ? start + end - 1 - i : i] as ScoredMember
        visit(bytesOf(member), 0, member.length, score)
      }
      return
    }
    const place = large.order.at(reverse ? end - 1 : start)
    for (let i = start; i < end; i++) {
      const { leaf, index } = place
      const key = large.members.key(leaf.slots[index] as number)
      visit(key.memory, key.start, key.end, leaf.scores[index] as number)
      step(place, reverse)
    }
  }

  /** Removes the members of ranks start…stop−1. */
  removeRange(start: number, stop: number): void {
    const { large, small } = this
    if (large === undefined) {
      for (const { member } of small.splice(start, stop - start)) this.memberBytes -= member.length
      return
    }
    for (let i = start; i < stop; i++) {
      const { leaf, index } = large.order.at(start)
      large.remove(leaf.slots[index] as number)
    }
  }

  /**
   * Steps through the members with SCAN's guarantee; the small form is visited at once. Returns the next cursor, 0 at
   * the end.
   */
  scan(cursor: number, count: number, visit: (pair: ScoredMember) => void): number {
    if (this.large === undefined) {
      for (const pair of this.small) visit(pair)
      return 0
    }
    const { members, scores } = this.large
    return members.scan(cursor, count, (slot) => visit({ member: members.keyAt(slot), score: scores.get(slot) }))
  }

  /** Takes the large form whatever the size. */
  becomeLarge(): void {
    if (this.large === undefined) this.enlarge()
  }

  private enlarge(): LargeSortedSet {
    const large = new LargeSortedSet(new ScanTable(this.settings.hashSeed, false))
    for (const { member, score } of this.small) large.set(bytesOf(member), 0, member.length, score)
    this.large = large
    this.small = []
    return large
  }
}

function isBefore(a: ScoredMember, b: ScoredMember): boolean {
  return a.score < b.score || (a.score === b.score && a.member < b.member)
}
