/**
 * A point-in-time view of a storage that goes on changing, without a copy.
 *
 *     stamp of the storage   1        2 (snapshot begins)      3 (another begins)
 *     entry a   stamp 1      ·        unchanged: the walk finds it, stamp < 2, and visits it
 *     entry b   stamp 1      ·        changed: its old value is visited before, then stamp 2: the walk passes it
 *     entry c                         made now with stamp 2: the walk passes it
 *
 * The walk goes from the last record to the first. Each key that was there at the beginning is visited exactly once:
 * by the walk, or by the first change that comes before it.
 *
 * A large aggregate is frozen before it is visited, and walked in parts: it may change meanwhile, and one that changes
 * before its turn waits frozen until the walk has time for it. So no write waits for a large value to be visited, and
 * at most one is ever open.
 */
import type { Aggregate, SnapshotPart, SnapshotVisitor, SnapshotWalk } from './keyspace-port.ts'
import { FREE } from './record-table.ts'
import { AGGREGATE, INTEGER, type Storage } from './storage.ts'
import { integerText } from './text-form.ts'

/** About as much work as so many small entries. */
const PART_ENTRIES = 32

/** A large aggregate as it was before the first change. */
interface Waiting {
  readonly key: Buffer
  readonly value: Aggregate
  readonly expireAtMs: number
  readonly accessed: number
}

export class Snapshot implements SnapshotWalk {
  private readonly storage: Storage
  private readonly visitor: SnapshotVisitor
  /** Entries with a smaller stamp belong to this view. */
  private readonly stamp: number
  /** Entries from here on have been walked. */
  private cursor: number
  /** The aggregate that the walk is inside of: the entry at the cursor, or one that has waited. */
  private open: SnapshotPart | undefined
  /** It is a view that no write changes. */
  private openIsFrozen = false
  private readonly waiting: Waiting[] = []
  private cancelled = false
  private readonly onEnd: (snapshot: Snapshot) => void

  constructor(storage: Storage, visitor: SnapshotVisitor, stamp: number, onEnd: (snapshot: Snapshot) => void) {
    this.storage = storage
    this.visitor = visitor
    this.stamp = stamp
    this.cursor = storage.high
    this.onEnd = onEnd
  }

  /**
   * Passing over free records and those that were visited before costs as little as to count a tenth; a part of an
   * aggregate counts as `PART_ENTRIES`.
   */
  advance(entries: number): boolean {
    const { storage } = this
    for (let steps = entries * 10; steps > 0; steps--) {
      if (this.open !== undefined) {
        steps -= PART_ENTRIES * 10 - 1
        if (this.open()) this.open = undefined
        continue
      }
      if (this.waiting.length > 0) {
        steps -= 9
        this.openWaiting()
        continue
      }
      if (this.cursor === 0) break
      const entry = --this.cursor
      if (storage.kind(entry) === FREE || storage.stamp(entry) >= this.stamp) continue
      steps -= 9
      const frozen = this.frozen(entry)
      this.openPart(this.visit(entry, frozen), frozen !== undefined)
    }
    const complete = this.cursor === 0 && this.open === undefined && this.waiting.length === 0
    if (complete) this.onEnd(this)
    return complete
  }

  get isInsideEntry(): boolean {
    return this.open !== undefined
  }

  cancel(): void {
    this.cancelled = true
    this.cursor = 0
    this.open = undefined
    this.waiting.length = 0
    this.onEnd(this)
  }

  /**
   * The entry is about to change or go: freezes its value, or visits it, or what is missing of it, unless that was
   * done.
   */
  preserve(entry: number): void {
    if (entry < this.cursor) {
      if (this.storage.stamp(entry) < this.stamp) this.keep(entry)
    } else if (entry === this.cursor && this.open !== undefined && !this.openIsFrozen) {
      takeAll(this.open)
      this.open = undefined
    }
  }

  private keep(entry: number): void {
    const { storage } = this
    const value = this.frozen(entry)
    if (value === undefined) {
      takeAll(this.visit(entry))
      return
    }
    const key = Buffer.from(storage.keyWindow(entry))
    this.waiting.push({ key, value, expireAtMs: storage.expireAtMs(entry), accessed: storage.clock(entry) })
  }

  private openWaiting(): void {
    const { key, value, expireAtMs, accessed } = this.waiting.shift() as Waiting
    this.openPart(this.visitor.visit(key, undefined, value, expireAtMs, accessed), true)
  }

  private openPart(part: SnapshotPart | undefined, isFrozen: boolean): void {
    // A visitor may end its own snapshot.
    if (this.cancelled) return
    this.open = part
    this.openIsFrozen = isFrozen
  }

  private frozen(entry: number): Aggregate | undefined {
    return this.storage.kind(entry) === AGGREGATE ? this.storage.aggregate(entry)?.freeze?.() : undefined
  }

  private visit(entry: number, frozen?: Aggregate): SnapshotPart | undefined {
    const { storage, visitor } = this
    const key = storage.keyWindow(entry)
    const expireAtMs = storage.expireAtMs(entry)
    const accessed = storage.clock(entry)
    const kind = storage.kind(entry)
    if (kind === AGGREGATE) {
      return visitor.visit(key, undefined, frozen ?? storage.aggregate(entry), expireAtMs, accessed)
    }
    if (kind === INTEGER) {
      return visitor.visit(key, Buffer.from(integerText(storage, entry)), undefined, expireAtMs, accessed)
    }
    const start = storage.textStart(entry)
    const text = storage.textMemory(entry).subarray(start, start + storage.textLength(entry))
    return visitor.visit(key, text, undefined, expireAtMs, accessed)
  }
}

function takeAll(part: SnapshotPart | undefined): void {
  if (part !== undefined) while (!part());
}
