/** What a run of the benchmark gate found, as plain data: the terminal, Markdown and JUnit are made from it alone. */

export type GateVerdict = 'pass' | 'regression' | 'improvement' | 'too noisy'

export interface GateResult {
  verdict: GateVerdict
  /** ISO 8601. */
  startedAt: string
  elapsedMs: number
  commit: string
  /** Version of the redis-server that was measured in the same run; null when there is none. */
  control: string | null
  host: { cpu: string; cores: number; platform: string; node: string }
  /** What was compared with; null when nothing was. */
  baseline: { takenAt: string; commit: string; reason: string } | null
  /** What a reader has to know about the comparison, one sentence each. */
  notes: string[]
  metrics: GateMetric[]
}

export interface GateMetric {
  name: string
  title: string
  unit: string
  better: 'less' | 'more'
  /** The smallest change that counts, as a share. */
  threshold: number
  verdict: GateVerdict
  rounds: number
  /** Median of the rounds, in `unit`; null when no round succeeded. */
  engine: number | null
  control: number | null
  /** engine / control (or the engine's own value) and its 95 % interval. */
  value: number | null
  low: number
  high: number
  /** How much dearer than the baseline, as a share (negative: cheaper), with its 99.9 % interval. */
  change: { share: number; low: number; high: number } | null
  /** A lasting change that the history shows, by change points. */
  recent: { share: number; sinceCommit: string } | null
}
