/**
 * Which keys are in which hash slot: one doubly linked list of entries per slot, through typed arrays, as Redis 7 keeps
 * it beside its dictionary entries. Only a cluster node pays for it: 8 bytes a key.
 */
import { ChunkedInt32Array } from '../data/chunked-array.ts'
import { SLOT_COUNT } from '../data/crc16.ts'

export class SlotIndex {
  private readonly counts = new Int32Array(SLOT_COUNT)
  /** Entry + 1, 0 for none; the same in the links. */
  private readonly first = new Int32Array(SLOT_COUNT)
  private readonly next = new ChunkedInt32Array()
  private readonly previous = new ChunkedInt32Array()

  count(slot: number): number {
    return this.counts[slot] ?? 0
  }

  add(entry: number, slot: number): void {
    this.next.reserve(entry + 1)
    this.previous.reserve(entry + 1)
    const first = this.first[slot] as number
    this.next.set(entry, first)
    this.previous.set(entry, 0)
    if (first > 0) this.previous.set(first - 1, entry + 1)
    this.first[slot] = entry + 1
    this.counts[slot]!++
  }

  remove(entry: number, slot: number): void {
    const next = this.next.get(entry)
    const previous = this.previous.get(entry)
    if (previous > 0) this.next.set(previous - 1, next)
    else this.first[slot] = next
    if (next > 0) this.previous.set(next - 1, previous)
    this.counts[slot]!--
  }

  /** Up to `limit` entries of the slot. */
  entries(slot: number, limit: number): number[] {
    const entries: number[] = []
    for (let link = this.first[slot] ?? 0; link > 0 && entries.length < limit; link = this.next.get(link - 1)) {
      entries.push(link - 1)
    }
    return entries
  }
}
