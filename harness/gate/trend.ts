/** The history of the gate as the trend page shows it, and what it says of the newest run. */
import type { Trend, TrendMetric } from '../../reports/trend.ts'
import { freshChange, levelsOf } from './change-points.ts'
import type { HistoryEntry } from './gate-history.ts'
import { fromLogCost, type Metric } from './metric.ts'

/**
 * Runs with and without a control are different series; only those like the newest are shown. Metrics come in the order
 * of the newest run that had them.
 */
export function trendOf(history: readonly HistoryEntry[], generatedAt: string, generator: string): Trend {
  const newest = history.at(-1)
  const entries = history.filter(({ control }) => (control === null) === (newest?.control === null))
  const names = new Set([...entries].reverse().flatMap(({ metrics }) => Object.keys(metrics)))
  return {
    generatedAt,
    generator,
    runs: entries.map(({ at, commit, verdict, control }) => ({ at, commit, verdict, control })),
    metrics: [...names].map((name) => trendOfMetric(name, entries)),
  }
}

function trendOfMetric(name: string, entries: readonly HistoryEntry[]): TrendMetric {
  const measured = entries.flatMap((entry, run) => {
    const metric = entry.metrics[name]
    return metric === undefined ? [] : [{ ...metric, run, control: entry.control }]
  })
  const newest = measured.at(-1)
  const better = newest?.better ?? 'less'
  const value = (cost: number) => fromLogCost({ better }, cost)
  return {
    name,
    title: newest?.title ?? name,
    unit: newest?.control === null ? (newest?.unit ?? '') : '× redis-server',
    better,
    points: measured.map(({ run, cost, low, high }) => {
      const ends = [value(low), value(high)].sort((a, b) => a - b)
      return { run, value: value(cost), low: ends[0] as number, high: ends[1] as number }
    }),
    levels: levelsOf(measured.map(({ cost }) => cost)).map(({ from, to, mean }) => ({ from, to, value: value(mean) })),
  }
}

/** Nights after which a new level is old news: the baseline or a fix should have dealt with it. */
const YOUNGEST_LEVEL_RUNS = 4

/**
 * A lasting change that no single night shows, found by change points: by how much in log cost, and since which commit.
 */
export function recentChange(
  history: readonly HistoryEntry[],
  metric: Metric,
  control: string | null,
): { by: number; commit: string } | undefined {
  const entries = history.filter(
    (entry) => (entry.control === null) === (control === null) && entry.metrics[metric.name],
  )
  const costs = entries.map(({ metrics }) => metrics[metric.name]?.cost ?? 0)
  const change = freshChange(costs, YOUNGEST_LEVEL_RUNS)
  // Half the threshold: several nights together know more than one.
  if (change === undefined || Math.abs(change.by) < Math.log1p(metric.threshold) / 2) return undefined
  return { by: change.by, commit: entries[change.since]?.commit ?? '' }
}
