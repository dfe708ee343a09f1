/**
 * Long series made short enough to draw: neighbouring buckets are merged into one. Counts are added, so that totals
 * stay true; of latencies and gaps the largest is kept, because a peak is what a reader looks for and a mean would hide
 * it. Only the page is shortened, never the JSON.
 */

/** A plot is at most about 1,400 px wide; more points than this do not show. */
export const POINTS_MAX = 400

/** How many neighbours become one point. */
export function mergeFactor(length: number, pointsMax = POINTS_MAX): number {
  return Math.max(1, Math.ceil(length / pointsMax))
}

export function mergeSums(values: readonly number[], factor: number): number[] {
  return merge(values, factor, (part) => part.reduce((sum, value) => sum + value, 0))
}

/** The largest of each group; null where the group has no value at all. */
export function mergeLargest(values: readonly (number | null)[], factor: number): (number | null)[] {
  return merge(values, factor, (part) => {
    const known = part.filter((value) => value !== null)
    return known.length === 0 ? null : known.reduce((a, b) => Math.max(a, b))
  })
}

/** The first of each group: for the times that go with merged values. */
export function mergeFirst(values: readonly number[], factor: number): number[] {
  return values.filter((_, position) => position % factor === 0)
}

function merge<T, U>(values: readonly T[], factor: number, join: (part: readonly T[]) => U): U[] {
  const merged: U[] = []
  for (let start = 0; start < values.length; start += factor) merged.push(join(values.slice(start, start + factor)))
  return merged
}
