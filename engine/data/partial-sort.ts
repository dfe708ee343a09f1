/**
 * Sorts so far that the first `wanted` items are right, and leaves the rest as it falls (Redis's pqsort.c): quicksort
 * after Bentley and McIlroy ("Engineering a sort function", 1993) that does not descend into parts nobody asked for.
 *
 * It is not stable. Which of several equal items come first follows from each step of the algorithm, and clients see it
 * (SORT with LIMIT, GEOSEARCH with COUNT): so the steps are Redis's.
 */
export function partialSort<T>(
  items: T[],
  compare: (a: T, b: T) => number,
  firstWanted: number,
  lastWanted: number,
): void {
  new PartialSort(items, compare, firstWanted, lastWanted).sort(0, items.length)
}

/** Up to so many items are sorted by insertion. */
const FEW = 7
/** From more items on the pivot is the median of three medians. */
const MANY = 40

class PartialSort<T> {
  private readonly items: T[]
  private readonly compare: (a: T, b: T) => number
  private readonly firstWanted: number
  private readonly lastWanted: number

  constructor(items: T[], compare: (a: T, b: T) => number, firstWanted: number, lastWanted: number) {
    this.items = items
    this.compare = compare
    this.firstWanted = firstWanted
    this.lastWanted = lastWanted
  }

  sort(start: number, count: number): void {
    if (count < FEW) {
      this.insertionSort(start, count)
      return
    }
    this.swap(start, this.pivot(start, count))
    const { smaller, larger } = this.partition(start, count)
    if (smaller > 1 && this.isWanted(start, smaller)) this.sort(start, smaller)
    if (larger > 1 && this.isWanted(start + count - larger, larger)) this.sort(start + count - larger, larger)
  }

  private isWanted(start: number, count: number): boolean {
    return this.lastWanted >= start && this.firstWanted < start + count
  }

  private at(index: number): T {
    return this.items[index] as T
  }

  private order(a: number, b: number): number {
    return this.compare(this.at(a), this.at(b))
  }

  private swap(a: number, b: number): void {
    const kept = this.at(a)
    this.items[a] = this.at(b)
    this.items[b] = kept
  }

  private insertionSort(start: number, count: number): void {
    for (let i = start + 1; i < start + count; i++) {
      for (let j = i; j > start && this.order(j - 1, j) > 0; j--) this.swap(j, j - 1)
    }
  }

  private pivot(start: number, count: number): number {
    let low = start
    let middle = start + Math.floor(count / 2)
    let high = start + count - 1
    if (count === FEW) return middle
    if (count > MANY) {
      const eighth = Math.floor(count / 8)
      low = this.median(low, low + eighth, low + 2 * eighth)
      middle = this.median(middle - eighth, middle, middle + eighth)
      high = this.median(high - 2 * eighth, high - eighth, high)
    }
    return this.median(low, middle, high)
  }

  private median(a: number, b: number, c: number): number {
    if (this.order(a, b) < 0) {
      if (this.order(b, c) < 0) return b
      return this.order(a, c) < 0 ? c : a
    }
    if (this.order(b, c) > 0) return b
    return this.order(a, c) < 0 ? a : c
  }

  /**
   * Around the pivot, which lies at `start`. While it runs,
   *
   *     equal │ smaller │ not seen │ larger │ equal
   *           ↑ left    ↑ up  down ↑        ↑ right
   *
   * and then the equal ones move into the middle.
   */
  private partition(start: number, count: number): { smaller: number; larger: number } {
    let left = start + 1
    let up = start + 1
    let down = start + count - 1
    let right = down
    for (;;) {
      for (; up <= down; up++) {
        const order = this.order(up, start)
        if (order > 0) break
        if (order === 0) this.swap(left++, up)
      }
      for (; up <= down; down--) {
        const order = this.order(down, start)
        if (order < 0) break
        if (order === 0) this.swap(down, right--)
      }
      if (up > down) break
      this.swap(up++, down--)
    }
    const end = start + count
    this.swapRuns(start, up, Math.min(left - start, up - left))
    this.swapRuns(up, end, Math.min(right - down, end - right - 1))
    return { smaller: up - left, larger: right - down }
  }

  /** Exchanges the `count` items at `start` with those before `end`. */
  private swapRuns(start: number, end: number, count: number): void {
    for (let i = 0; i < count; i++) this.swap(start + i, end - count + i)
  }
}
