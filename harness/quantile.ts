/** Quantiles of a few values that lie in memory; latencies of a load are counted instead (load/latency-counts.ts). */

/** The middle value, or the mean of the two in the middle. @throws {RangeError} no values */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('a median needs at least one value')
  const sorted = Float64Array.from(values).sort()
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

/** Nearest rank: the least value of an ascending list that `share` of them do not exceed; undefined of none. */
export function nearestRank(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
}
