/**
 * The measuring loop: rounds over all metrics, interleaved, until each is known well enough or the budget is spent.
 * A metric that is known well enough rests, so that the budget goes to those that are not.
 */
import { isPreciseEnough } from './judgement.ts'
import { logCost, type Metric, type Round } from './metric.ts'
import { median } from './statistics.ts'

export interface Sampler {
  /** One round of these metrics on freshly started servers, by metric name. A metric that failed is absent. */
  round(metrics: readonly Metric[]): Promise<ReadonlyMap<string, Round>>
}

export interface RoundsOptions {
  metrics: readonly Metric[]
  /** Log costs by metric name. */
  baseline: ReadonlyMap<string, readonly number[]>
  budgetMs: number
  now: () => number
  signal?: AbortSignal
  onRound?: (rounds: number, samples: ReadonlyMap<string, readonly number[]>, unfinished: readonly Metric[]) => void
}

export interface Measured {
  /** Log costs by metric name, one a round. */
  samples: ReadonlyMap<string, readonly number[]>
  /** The last rounds in the metric's own unit, for people. */
  rounds: ReadonlyMap<string, readonly Round[]>
  /** Median duration of the rounds over all metrics; 0 without one. */
  roundMs: number
}

/** @throws what the sampler throws; an abort between rounds ends the loop with what there is */
export async function measureRounds(sampler: Sampler, options: RoundsOptions): Promise<Measured> {
  const { metrics, baseline, now, signal } = options
  const rounds = new Map<string, Round[]>(metrics.map(({ name }) => [name, []]))
  const samples = new Map<string, number[]>(metrics.map(({ name }) => [name, []]))
  const start = now()
  const durationsMs: number[] = []
  let longestMs = 0
  for (let count = 1; ; count++) {
    const unfinished = metrics.filter(
      (metric) => !isPreciseEnough(metric, samples.get(metric.name) ?? [], baseline.get(metric.name) ?? null),
    )
    // A round that would not end within the budget is not begun.
    if (unfinished.length === 0 || now() - start + longestMs > options.budgetMs || signal?.aborted) break
    const before = now()
    for (const [name, round] of await sampler.round(unfinished)) {
      const metric = metrics.find((one) => one.name === name)
      if (metric === undefined) continue
      rounds.get(name)?.push(round)
      samples.get(name)?.push(logCost(metric, round))
    }
    const durationMs = now() - before
    longestMs = Math.max(longestMs, durationMs)
    if (unfinished.length === metrics.length) durationsMs.push(durationMs)
    options.onRound?.(count, samples, unfinished)
  }
  return { samples, rounds, roundMs: durationsMs.length === 0 ? 0 : median(durationsMs) }
}
