/**
 * JavaScript objects by number, for records whose value cannot lie in the arena. Chunked, so that many of them never
 * have to be copied at once.
 */

const CHUNK_SHIFT = 12
const CHUNK_MASK = (1 << CHUNK_SHIFT) - 1

export class ObjectTable<T> {
  private readonly chunks: (T | undefined)[][] = []
  private count = 0
  private readonly free: number[] = []

  get(index: number): T {
    return (this.chunks[index >>> CHUNK_SHIFT] as T[])[index & CHUNK_MASK] as T
  }

  set(index: number, value: T | undefined): void {
    const chunk = this.chunks[index >>> CHUNK_SHIFT] as (T | undefined)[]
    chunk[index & CHUNK_MASK] = value
  }

  /** Returns the object's number. */
  add(value: T): number {
    const index = this.free.pop() ?? this.count++
    if (index >>> CHUNK_SHIFT === this.chunks.length) this.chunks.push([])
    this.set(index, value)
    return index
  }

  remove(index: number): void {
    this.set(index, undefined)
    this.free.push(index)
    if (this.free.length < this.count) return
    this.chunks.length = 0
    this.free.length = 0
    this.count = 0
  }
}
