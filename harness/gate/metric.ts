/**
 * What the gate watches, and what it says of it. A metric is sampled in rounds; each round measures the engine and the
 * control (redis-server) one after the other. All arithmetic is on `cost` logarithms: ln(engine / control), with the
 * sign turned for metrics where more is better, so that a positive difference always means worse.
 */

export interface Metric {
  /** Stable, used in the baseline and the history: `get-p1`. */
  name: string
  title: string
  unit: string
  better: 'less' | 'more'
  /** The smallest lasting change that counts, as a share: 0.025 is 2.5 %. */
  threshold: number
}

/** One round of one metric, in the metric's unit. `control` is null where no redis-server is. */
export interface Round {
  engine: number
  control: number | null
}

export type { GateVerdict } from '../../reports/gate-result.ts'

/** Name of the mean in results and history; a baseline does not hold it, but the rounds that it is made from. */
export const MEAN = 'all'

/**
 * All metrics as one: the mean of their log costs in the same round. What slows every command down shows here long
 * before it shows in any one of them, because their noise is mostly their own.
 */
function meanMetric(threshold: number): Metric {
  return { name: MEAN, title: 'All commands (mean)', unit: 'CPU µs/request', better: 'less', threshold }
}

/** What is watched: the metrics, after the mean over them unless it has no threshold. */
export function watchedMetrics(metrics: readonly Metric[], meanThreshold: number | null): readonly Metric[] {
  return meanThreshold === null ? metrics : [meanMetric(meanThreshold), ...metrics]
}

/** The round of the mean from those of all metrics: geometric means. */
export function meanRound(metrics: readonly Metric[], rounds: ReadonlyMap<string, Round>): Round {
  const mean = (costOf: (round: Round) => number) => {
    const costs = metrics.map(({ name, better }) => {
      const cost = costOf(rounds.get(name) as Round)
      return better === 'less' ? cost : 1 / cost
    })
    return geometricMean(costs)
  }
  const control = metrics.every(({ name }) => rounds.get(name)?.control !== null)
  return { engine: mean(({ engine }) => engine), control: control ? mean((round) => round.control ?? 1) : null }
}

/** Log costs by metric with those of the mean added; it stays absent when a metric lacks rounds. */
export function withMean(
  metrics: readonly Metric[],
  costs: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, readonly number[]> {
  const all = metrics.map(({ name }) => costs.get(name) ?? [])
  const length = Math.max(0, ...all.map((one) => one.length))
  if (length === 0 || all.some((one) => one.length !== length)) return costs
  const means = Array.from({ length }, (_, i) => all.reduce((sum, one) => sum + (one[i] as number), 0) / all.length)
  return new Map([...costs, [MEAN, means]])
}

/** Share of the passes that is ignored at each end. */
const IGNORED_SHARE = 0.25

/**
 * One round from several passes, each of which measured both servers right after one another: the geometric means of
 * the passes in the middle by cost. A neighbour that comes or goes between the two servers of a pass spoils its ratio
 * by tens of per cent; such passes are at the ends. @throws {RangeError} no passes
 */
export function roundOfPasses(passes: readonly Round[]): Round {
  if (passes.length === 0) throw new RangeError('a round needs at least one pass')
  const cut = Math.floor(passes.length * IGNORED_SHARE)
  const kept = [...passes].sort((a, b) => ratioOf(a) - ratioOf(b)).slice(cut, passes.length - cut)
  const isControlled = kept.every(({ control }) => control !== null)
  return {
    engine: geometricMean(kept.map(({ engine }) => engine)),
    control: isControlled ? geometricMean(kept.map(({ control }) => control ?? 1)) : null,
  }
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

/** What the engine takes of what the control takes; the engine's own value without one. */
function ratioOf({ engine, control }: Round): number {
  return engine / (control ?? 1)
}

/** ln of the cost of a round: of the ratio when there is a control, else of the engine's own value. */
export function logCost(metric: Metric, round: Round): number {
  const value = Math.log(ratioOf(round))
  return metric.better === 'less' ? value : -value
}

/** The ratio (or value) as people read it, from a log cost. */
export function fromLogCost(metric: Pick<Metric, 'better'>, cost: number): number {
  return Math.exp(metric.better === 'less' ? cost : -cost)
}
