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
 */
import type { Aggregate, SnapshotVisitor, SnapshotWalk } from './keyspace-port.ts'
import { FREE } from './record-table.ts'
import { AGGREGATE, INTEGER, type Storage } from './storage.ts'
import { integerText } from './text-form.ts'

export class Snapshot implements SnapshotWalk {
  private readonly storage: Storage
  private readonly visitor: SnapshotVisitor
  /** Entries with a smaller stamp belong to this view. */
  private readonly stamp: number
  /** Entries from here on have been walked. */
  private cursor: number
  private readonly onEnd: (snapshot: Snapshot) => void

  constructor(storage: Storage, visitor: SnapshotVisitor, stamp: number, onEnd: (snapshot: Snapshot) => void) {
    this.storage = storage
    this.visitor = visitor
    this.stamp = stamp
    this.cursor = storage.high
    this.onEnd = onEnd
  }

  /** Passing over free records and those that were visited before costs as little as to count a tenth. */
  advance(entries: number): boolean {
    const { storage } = this
    for (let steps = entries * 10; this.cursor > 0 && steps > 0; steps--) {
      const entry = --this.cursor
      if (storage.kind(entry) === FREE || storage.stamp(entry) >= this.stamp) continue
      steps -= 9
      this.visit(entry)
    }
    if (this.cursor === 0) this.onEnd(this)
    return this.cursor === 0
  }

  cancel(): void {
    this.cursor = 0
    this.onEnd(this)
  }

  /** The entry is about to change or go: visits its value unless that has been done. */
  preserve(entry: number): void {
    if (entry < this.cursor && this.storage.stamp(entry) < this.stamp) this.visit(entry)
  }

  private visit(entry: number): void {
    const { storage, visitor } = this
    const key = storage.keyWindow(entry)
    const expireAtMs = storage.expireAtMs(entry)
    const kind = storage.kind(entry)
    if (kind === AGGREGATE) {
      visitor.visit(key, undefined, storage.aggregate(entry) as Aggregate, expireAtMs)
    } else if (kind === INTEGER) {
      visitor.visit(key, Buffer.from(integerText(storage, entry)), undefined, expireAtMs)
    } else {
      const start = storage.textStart(entry)
      const text = storage.textMemory(entry).subarray(start, start + storage.textLength(entry))
      visitor.visit(key, text, undefined, expireAtMs)
    }
  }
}
