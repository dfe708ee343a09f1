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

/** ln of the cost of a round: of the ratio when there is a control, else of the engine's own value. */
export function logCost(metric: Metric, round: Round): number {
  const value = Math.log(round.engine / (round.control ?? 1))
  return metric.better === 'less' ? value : -value
}

/** The ratio (or value) as people read it, from a log cost. */
export function fromLogCost(metric: Pick<Metric, 'better'>, cost: number): number {
  return Math.exp(metric.better === 'less' ? cost : -cost)
}
