/** What the trend page shows: every metric of the gate over its runs, as plain data in the metric's own unit. */

export interface Trend {
  /** ISO 8601. */
  generatedAt: string
  /** Version of Faultline. */
  generator: string
  /** Oldest first. */
  runs: TrendRun[]
  metrics: TrendMetric[]
}

export interface TrendRun {
  at: string
  commit: string
  verdict: string
  /** Version of the redis-server that the values are ratios to; null: absolute values. */
  control: string | null
}

export interface TrendMetric {
  name: string
  title: string
  /** Of the values: `× redis-server`, or the metric's own unit. */
  unit: string
  better: 'less' | 'more'
  /** One a run that measured the metric, in the order of the runs. */
  points: { run: number; value: number; low: number; high: number }[]
  /** Constant levels between change points; positions are of `points`, `to` is exclusive. */
  levels: { from: number; to: number; value: number }[]
}
