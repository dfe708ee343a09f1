/** Scales shared by everything that is drawn: round tick values, and positions in percent of the plot. */

/** At most `most` round values (1, 2, 2.5 or 5 × 10ⁿ apart) from 0 up to `max`. */
export function roundTicks(max: number, most: number): number[] {
  if (!(max > 0)) return [0]
  const least = max / most
  const power = 10 ** Math.floor(Math.log10(least))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((it) => it >= least * (1 - 1e-9)) ?? 10 * power
  const ticks: number[] = []
  for (let count = 0; count * step <= max * (1 + 1e-9); count++) ticks.push(Number((count * step).toPrecision(12)))
  return ticks
}

/** At most `most` + 1 round values within [low, high], for scales that do not begin at 0. */
export function ticksBetween(low: number, high: number, most: number): number[] {
  const step = roundTicks(high - low, most)[1] ?? 1
  const first = Math.ceil(low / step - 1e-9)
  const count = Math.floor(high / step + 1e-9) - first + 1
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

/** The smallest round tick at or above `max`: a scale's end that can be labelled. */
export function roundUp(max: number, most: number): number {
  const ticks = roundTicks(max, most)
  const last = ticks.at(-1) ?? 0
  const step = ticks[1] ?? 1
  return last >= max * (1 - 1e-9) ? Math.max(last, step) : last + step
}

/** Where `value` lies between 0 and `max`, in percent with two decimals, kept inside the plot. */
export function percentOf(value: number, max: number): number {
  if (!(max > 0)) return 0
  return Math.round(Math.min(1, Math.max(0, value / max)) * 10_000) / 100
}
