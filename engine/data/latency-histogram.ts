/**
 * Durations from 1 ns to 1 s with two significant digits, as the high dynamic range histogram of Redis keeps them.
 *
 * Every power of two has 128 counters, so that a counter's width is below 1 % of its value:
 *
 *     ns       0 … 255    256 … 511    512 … 1023   1024 … 2047
 *     counter  0 … 255    256 … 383    384 … 511    512 … 639
 *     width    1          2            4            8
 */
export class LatencyHistogram {
  /** How many durations were recorded. */
  total = 0
  private readonly counters = new Uint32Array(COUNTERS)

  record(microseconds: number): void {
    const ns = Math.min(Math.max(Math.round(microseconds * 1000), 1), NS_MAX)
    this.counters[counterOf(ns)]!++
    this.total++
  }

  /**
   * How many durations lie below each power of two microseconds that adds some: pairs of the limit in whole
   * microseconds (1, 2, 4, 8, 16, 33, 66 …, the upper end of its counter) and the count up to it.
   */
  cumulative(): [limitUs: number, count: number][] {
    const steps: [number, number][] = []
    let counter = 0
    let count = 0
    for (let limit = 1024; count < this.total; limit *= 2) {
      const before = count
      for (; counter <= Math.min(counterOf(limit), COUNTERS - 1); counter++) count += this.counters[counter] as number
      if (count > before) steps.push([Math.floor(upperEnd(counterOf(limit)) / 1000), count])
    }
    return steps
  }

  /** The duration in microseconds that `percentile` per cent do not exceed; 0 when nothing was recorded. */
  percentileUs(percentile: number): number {
    const wanted = Math.max(1, Math.floor((percentile / 100) * this.total + 0.5))
    let count = 0
    for (let counter = 0; counter < COUNTERS; counter++) {
      count += this.counters[counter] as number
      if (count >= wanted) return upperEnd(counter) / 1000
    }
    return 0
  }
}

const NS_MAX = 1_000_000_000
const COUNTERS = counterOf(NS_MAX) + 1

function counterOf(ns: number): number {
  const shift = Math.max(0, 24 - Math.clz32(ns))
  return shift * 128 + (ns >>> shift)
}

/** The longest duration in ns that `counter` stands for. */
function upperEnd(counter: number): number {
  if (counter < 256) return counter
  const shift = (counter >> 7) - 1
  return (counter - shift * 128 + 1) * 2 ** shift - 1
}
