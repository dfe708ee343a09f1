/**
 * Keys that will be looked up soon: their hashes, computed once, and where in the order of them the look-ups are.
 *
 * Look-ups come in the order in which the keys lie in memory, several for one key perhaps, and some keys are never
 * looked up: so the place only moves forward, up to the key that is asked for.
 */
/** More are not taken. */
export const ANNOUNCED_KEYS_MAX = 64

/** Where `count` keys lie: memory[starts[i]…ends[i]). */
export interface KeyPlaces {
  memory: Uint8Array
  readonly starts: readonly number[]
  readonly ends: readonly number[]
  count: number
}

export class AnnouncedKeys {
  /** Where the keys lie; undefined: nothing is announced. */
  memory: Uint8Array | undefined = undefined
  /** Of the key that `isNext` has just found. */
  hash = 0
  private readonly starts = new Int32Array(ANNOUNCED_KEYS_MAX)
  private readonly ends = new Int32Array(ANNOUNCED_KEYS_MAX)
  readonly hashes = new Int32Array(ANNOUNCED_KEYS_MAX)
  count = 0
  private next = 0
  /** Keeps the reads of `Storage.fetch` alive. */
  fetched = 0

  get isFull(): boolean {
    return this.count === ANNOUNCED_KEYS_MAX
  }

  begin(memory: Uint8Array): void {
    this.memory = memory
    this.count = 0
    this.next = 0
  }

  add(start: number, end: number, hash: number): void {
    const { count } = this
    this.starts[count] = start
    this.ends[count] = end
    this.hashes[count] = hash
    this.count = count + 1
  }

  end(): void {
    this.memory = undefined
  }

  /** Whether the key at `memory[start…end)` was announced; then `hash` is its hash. */
  isNext(start: number, end: number): boolean {
    let next = this.next
    while (next < this.count && (this.starts[next] as number) < start) next++
    this.next = next
    if (next >= this.count || this.starts[next] !== start || this.ends[next] !== end) return false
    this.hash = this.hashes[next] as number
    return true
  }
}
