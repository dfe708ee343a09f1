/**
 * A sorted set: members in the order of their scores (and bytes, where scores are equal). While it is small it is an
 * ordered array, which answers to the name of the listpack that Redis holds in its place and becomes one in RDB files;
 * then a skip list for the order and a hash table for the scores. It never goes back.
 *
 * A listpack cannot hold -0: it becomes 0 in the small form, as in Redis.
 */
import { NO_SLOT, ScanTable } from '../data/scan-table.ts'
import { NO_NODE, Skiplist } from '../data/skiplist.ts'
import { formatDouble } from '../resp/writer.ts'
import type { AggregateSettings } from './aggregate-settings.ts'
import { type Aggregate, ValueType } from './keyspace-port.ts'

export interface ScoredMember {
  /** One character per byte. */
  readonly member: string
  readonly score: number
}

const HEADER_BYTES = 64
/** Estimated bytes beside its text: of a pair in the array, of a node, of a link. */
const PAIR_BYTES = 40
const NODE_BYTES = 24
const LINK_BYTES = 8

interface Large {
  readonly list: Skiplist
  readonly scores: ScanTable<number>
}

export class SortedSetValue implements Aggregate {
  readonly type = ValueType.sortedSet
  private readonly settings: AggregateSettings
  private small: ScoredMember[] = []
  private large: Large | undefined
  private memberBytes = 0

  private constructor(settings: AggregateSettings) {
    this.settings = settings
  }

  static empty(settings: AggregateSettings): SortedSetValue {
    return new SortedSetValue(settings)
  }

  get encoding(): string {
    return this.large === undefined ? 'listpack' : 'skiplist'
  }

  get size(): number {
    return this.large === undefined ? this.small.length : this.large.list.size
  }

  get memoryBytes(): number {
    const { large, size } = this
    if (large === undefined) return HEADER_BYTES + this.memberBytes + size * PAIR_BYTES
    return HEADER_BYTES + large.scores.memoryBytes + size * NODE_BYTES + large.list.links * LINK_BYTES
  }

  get parts(): number {
    return this.large === undefined ? 1 : this.size
  }

  chainHistogram(): readonly number[] | undefined {
    return this.large?.scores.chainHistogram()
  }

  clone(): SortedSetValue {
    const copy = new SortedSetValue(this.settings)
    copy.memberBytes = this.memberBytes
    if (this.large === undefined) {
      copy.small = this.small.slice()
      return copy
    }
    const { list, scores } = this.large
    copy.large = { list: list.clone(heights(this.settings)), scores: scores.clone() }
    return copy
  }

  /** Undefined when it is no member. */
  score(member: string): number | undefined {
    if (this.large === undefined) return this.small.find((pair) => pair.member === member)?.score
    const slot = this.large.scores.findText(member)
    return slot === NO_SLOT ? undefined : this.large.scores.valueAt(slot)
  }

  /** A score as the value holds it: a listpack has whole numbers up to 2^62 with all their digits, the large form `%.17g`. */
  scoreText(score: number): string {
    const isWhole = this.large === undefined && Number.isInteger(score) && Math.abs(score) <= 2 ** 62
    return isWhole ? BigInt(score).toString() : formatDouble(score)
  }

  /** Adds the member, or changes its score (not NaN). True when it was added. */
  set(member: string, score: number): boolean {
    const { large, small } = this
    if (large !== undefined) return setLarge(large, member, score)
    const index = small.findIndex((pair) => pair.member === member)
    if (index >= 0) {
      small.splice(index, 1)
    } else {
      const { limits } = this.settings
      if (small.length + 1 > limits['zset-max-listpack-entries'] || member.length > limits['zset-max-listpack-value']) {
        return setLarge(this.enlarge(), member, score)
      }
      this.memberBytes += member.length
    }
    const pair = { member, score: score === 0 ? 0 : score }
    small.splice(
      this.rankOf((other) => !isBefore(other, pair)),
      0,
      pair,
    )
    return index < 0
  }

  /** True when it was a member. */
  remove(member: string): boolean {
    const { large, small } = this
    if (large !== undefined) {
      const slot = large.scores.findText(member)
      if (slot === NO_SLOT) return false
      large.list.remove(large.scores.valueAt(slot), member)
      large.scores.remove(slot)
      return true
    }
    const index = small.findIndex((pair) => pair.member === member)
    if (index < 0) return false
    small.splice(index, 1)
    this.memberBytes -= member.length
    return true
  }

  /** How many members come before this one; undefined when it is no member. */
  rank(member: string): number | undefined {
    const score = this.score(member)
    if (score === undefined) return undefined
    return this.rankOf((other) => !isBefore(other, { member, score }))
  }

  /** How many members come before a boundary, which divides those that are not behind it from those that are. */
  rankOf(isBehind: (pair: ScoredMember) => boolean): number {
    if (this.large !== undefined) return this.large.list.rankOf(isBehind)
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
    if (this.large === undefined) return this.small[rank]
    const { list } = this.large
    const node = list.at(rank)
    return node === NO_NODE ? undefined : { member: list.member(node), score: list.score(node) }
  }

  /** Members of ranks start…stop−1, from the last one if `reverse`. The set must not change meanwhile. */
  *range(start = 0, stop = this.size, reverse = false): Generator<ScoredMember> {
    const end = Math.min(stop, this.size)
    if (start >= end) return
    if (this.large === undefined) {
      for (let i = start; i < end; i++) yield this.small[reverse ? start + end - 1 - i : i] as ScoredMember
      return
    }
    const { list } = this.large
    let node = list.at(reverse ? end - 1 : start)
    for (let i = start; i < end; i++) {
      yield { member: list.member(node), score: list.score(node) }
      node = reverse ? list.previous(node) : list.after(node)
    }
  }

  /** Steps through the members with SCAN's guarantee; the small form is visited at once. Returns the next cursor, 0 at the end. */
  scan(cursor: number, count: number, visit: (pair: ScoredMember) => void): number {
    if (this.large === undefined) {
      for (const pair of this.small) visit(pair)
      return 0
    }
    const { scores } = this.large
    return scores.scan(cursor, count, (slot) => visit({ member: scores.keyAt(slot), score: scores.valueAt(slot) }))
  }

  /** Takes the large form whatever the size. */
  becomeLarge(): void {
    if (this.large === undefined) this.enlarge()
  }

  private enlarge(): Large {
    const large: Large = { list: new Skiplist(heights(this.settings)), scores: new ScanTable(this.settings.hashSeed) }
    for (const { member, score } of this.small) setLarge(large, member, score)
    this.large = large
    this.small = []
    return large
  }
}

function setLarge({ list, scores }: Large, member: string, score: number): boolean {
  const slot = scores.findText(member)
  if (slot === NO_SLOT) {
    scores.insert(member, score)
    list.insert(score, member)
    return true
  }
  const old = scores.valueAt(slot)
  if (old === score) return false
  list.rescore(old, member, score)
  scores.setValueAt(slot, score)
  return false
}

/** Heights are drawn from a generator of the list's own (Marsaglia's xorshift32), so that the same server makes the same list. */
function heights({ hashSeed }: AggregateSettings): () => number {
  let state = hashSeed[0] | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

function isBefore(a: ScoredMember, b: ScoredMember): boolean {
  return a.score < b.score || (a.score === b.score && a.member < b.member)
}
