/**
 * The measuring loop: rounds over all metrics, interleaved, until each is known well enough or the budget is spent.
 * Every round measures all of them, so that a round can be taken as a whole: for the mean over the commands, and for
 * drawing rounds anew in the power table, where what one start of the servers has in common must stay together.
 */
import { median } from '../quantile.ts'
import { isPreciseEnough } from './judgement.ts'
import { logCost, MEAN, type Metric, meanRound, type Round, watchedMetrics, withMean } from './metric.ts'

export interface Sampler {
  /** One round of every metric on freshly started servers, by metric name. A round that lacks one does not count. */
  round(): Promise<ReadonlyMap<string, Round>>
}

export interface RoundsOptions {
  metrics: readonly Metric[]
  /** Of the mean over all metrics, which is watched beside them; null: not watched. */
  meanThreshold: number | null
  /** Log costs by metric name; those of the mean are made from them. */
  baseline: ReadonlyMap<string, readonly number[]>
  budgetMs: number
  /** Goes on until the budget is spent, however well the metrics are known. */
  isThorough?: boolean
  now: () => number
  signal?: AbortSignal
  onRound?: (rounds: number, unfinished: readonly Metric[]) => void
}

export interface Measured {
  /** Log costs by metric name, one a round: all of the same length. */
  samples: ReadonlyMap<string, readonly number[]>
  /** The rounds in the metric's own unit, for people. */
  rounds: ReadonlyMap<string, readonly Round[]>
  /** Median duration of a round; 0 without one. */
  roundMs: number
}

/** @throws what the sampler throws; an abort between rounds ends the loop with what there is */
export async function measureRounds(sampler: Sampler, options: RoundsOptions): Promise<Measured> {
  const { metrics, now, signal } = options
  const watched = watchedMetrics(metrics, options.meanThreshold)
  const baseline = withMean(metrics, options.baseline)
  const rounds = new Map<string, Round[]>(watched.map(({ name }) => [name, []]))
  const samples = new Map<string, number[]>(watched.map(({ name }) => [name, []]))
  const start = now()
  const durationsMs: number[] = []
  for (let count = 1; ; count++) {
    const unfinished = watched.filter(
      (metric) => !isPreciseEnough(metric, samples.get(metric.name) ?? [], baseline.get(metric.name) ?? null),
    )
    // A round that would not end within the budget is not begun.
    const longestMs = Math.max(0, ...durationsMs)
    const isEnough = unfinished.length === 0 && options.isThorough !== true
    if (isEnough || now() - start + longestMs > options.budgetMs || signal?.aborted) break
    const before = now()
    const found = new Map(await sampler.round())
    durationsMs.push(now() - before)
    if (metrics.every(({ name }) => found.has(name))) {
      found.set(MEAN, meanRound(metrics, found))
      for (const metric of watched) {
        const round = found.get(metric.name) as Round
        rounds.get(metric.name)?.push(round)
        samples.get(metric.name)?.push(logCost(metric, round))
      }
    }
    options.onRound?.(count, unfinished)
  }
  return { samples, rounds, roundMs: durationsMs.length === 0 ? 0 : median(durationsMs) }
}
