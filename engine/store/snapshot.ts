/**
 * A point-in-time view of a storage that goes on changing, without a copy.
 *
 *     stamp of the storage   1        2 (snapshot begins)      3 (another begins)
 *     entry a   stamp 1      ·        unchanged: the walk finds it, stamp < 2, and visits it
 *     entry b   stamp 1      ·        changed: its old value is visited before, then it gets stamp 2 and the walk passes it
 *     entry c                         made now with stamp 2: the walk passes it
 *
 * The walk goes from the last record to the first. Each key that was there at the beginning is visited exactly once:
 * by the walk, or by the first change that comes before it.
 *
 * A large aggregate is walked in parts. Whoever changes it meanwhile has all that is missing visited first; so at most
 * one is ever open, nothing is copied, and the aggregate need not bear changes under the walk.
 */
import type { Aggregate, SnapshotPart, SnapshotVisitor, SnapshotWalk } from './keyspace-port.ts'
import { FREE } from './record-table.ts'
import { AGGREGATE, INTEGER, type Storage } from './storage.ts'
import { integerText } from './text-form.ts'

/** About as much work as so many small entries. */
const PART_ENTRIES = 32

export class Snapshot implements SnapshotWalk {
  private readonly storage: Storage
  private readonly visitor: SnapshotVisitor
  /** Entries with a smaller stamp belong to this view. */
  private readonly stamp: number
  /** Entries from here on have been walked. */
  private cursor: number
  /** The aggregate that the walk is inside of: the entry at the cursor. */
  private open: SnapshotPart | undefined
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
      if (this.cursor === 0) break
      const entry = --this.cursor
      if (storage.kind(entry) === FREE || storage.stamp(entry) >= this.stamp) continue
      steps -= 9
      const rest = this.visit(entry)
      // A visitor may end its own snapshot.
      if (!this.cancelled) this.open = rest
    }
    const complete = this.cursor === 0 && this.open === undefined
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
    this.onEnd(this)
  }

  /** The entry is about to change or go: visits its value, or what is missing of it, unless that has been done. */
  preserve(entry: number): void {
    if (entry < this.cursor) {
      if (this.storage.stamp(entry) < this.stamp) takeAll(this.visit(entry))
    } else if (entry === this.cursor && this.open !== undefined) {
      takeAll(this.open)
      this.open = undefined
    }
  }

  private visit(entry: number): SnapshotPart | undefined {
    const { storage, visitor } = this
    const key = storage.keyWindow(entry)
    const expireAtMs = storage.expireAtMs(entry)
    const kind = storage.kind(entry)
    if (kind === AGGREGATE) {
      return visitor.visit(key, undefined, storage.aggregate(entry) as Aggregate, expireAtMs)
    }
    if (kind === INTEGER) {
      return visitor.visit(key, Buffer.from(integerText(storage, entry)), undefined, expireAtMs)
    }
    const start = storage.textStart(entry)
    const text = storage.textMemory(entry).subarray(start, start + storage.textLength(entry))
    return visitor.visit(key, text, undefined, expireAtMs)
  }
}

function takeAll(part: SnapshotPart | undefined): void {
  if (part !== undefined) while (!part());
}
