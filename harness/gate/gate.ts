/** One run of the gate: from rounds, baseline and history to its result. */
import type { GateMetric, GateResult } from '../../reports/gate-result.ts'
import { median } from '../quantile.ts'
import { type Baseline, type GateHost, whyNotComparable } from './baseline.ts'
import type { HistoryEntry } from './gate-history.ts'
import { type Judgement, judge, overall } from './judgement.ts'
import { fromLogCost, type Metric, watchedMetrics, withMean } from './metric.ts'
import { type Measured, measureRounds, type RoundsOptions, type Sampler } from './rounds.ts'
import { recentChange } from './trend.ts'

export interface GateOptions {
  sampler: Sampler
  metrics: readonly Metric[]
  /** Of the mean over all metrics; null: not watched. */
  meanThreshold: number | null
  baseline: Baseline | undefined
  history: readonly HistoryEntry[]
  /** Version of redis-server, null without one. */
  control: string | null
  commit: string
  host: GateHost
  budgetMs: number
  /** Uses all of the budget: what becomes a baseline adds its error to that of every later run. */
  isThorough: boolean
  signal: AbortSignal
  onRound: NonNullable<RoundsOptions['onRound']>
}

export interface GateOutcome {
  result: GateResult
  entry: HistoryEntry
  /** Log costs by metric: what a new baseline keeps. */
  samples: ReadonlyMap<string, readonly number[]>
  /** Median duration of the rounds that measured everything. */
  roundMs: number
}

export async function runGate(options: GateOptions): Promise<GateOutcome> {
  const { sampler, metrics, meanThreshold, baseline, control, host, budgetMs, isThorough, signal, onRound } = options
  const startedAt = new Date().toISOString()
  const startMs = performance.now()
  const unusable = baseline === undefined ? undefined : whyNotComparable(baseline, control, host)
  const usable = unusable === undefined ? baseline : undefined
  const known = new Map(Object.entries(usable?.metrics ?? {}).map(([name, { logCosts }]) => [name, logCosts] as const))
  const measured = await measureRounds(sampler, {
    metrics,
    meanThreshold,
    baseline: known,
    budgetMs,
    isThorough,
    now: () => performance.now(),
    signal,
    onRound,
  })
  const then = withMean(metrics, known)
  const judgements = watchedMetrics(metrics, meanThreshold).map((metric) =>
    judge(metric, measured.samples.get(metric.name) ?? [], then.get(metric.name) ?? null),
  )
  const entry = historyEntry(options, startedAt, judgements)
  const shown = judgements.map((judgement) => shownMetric(judgement, measured, [...options.history, entry], control))
  entry.verdict = overall(shown.map(({ verdict }) => verdict))
  const result: GateResult = {
    verdict: entry.verdict,
    startedAt,
    elapsedMs: Math.round(performance.now() - startMs),
    commit: options.commit,
    control,
    host,
    baseline: usable === undefined ? null : { takenAt: usable.takenAt, commit: usable.commit, reason: usable.reason },
    notes: notesFor(options, unusable),
    metrics: shown,
  }
  return { result, entry, samples: measured.samples, roundMs: measured.roundMs }
}

function notesFor({ baseline, control }: GateOptions, unusable: string | undefined): string[] {
  const notes: string[] = []
  if (control === null) {
    notes.push(
      'There is no redis-server on this machine, so values are the engine’s own and only comparable on this host. Install one for ratios (Debian: apt-get install redis-server).',
    )
  }
  if (baseline === undefined) {
    notes.push('There is no baseline yet: take one with npm run gate -- --update-baseline "why".')
  } else if (unusable === undefined) {
    notes.push(`Baseline of ${baseline.takenAt.slice(0, 10)} (${baseline.commit.slice(0, 12)}): ${baseline.reason}`)
  } else {
    notes.push(`Not compared with the baseline: ${unusable}.`)
  }
  return notes
}

function shownMetric(
  judgement: Judgement,
  { rounds }: Measured,
  history: readonly HistoryEntry[],
  control: string | null,
): GateMetric {
  const { metric, samples, cost, interval, change } = judgement
  const own = rounds.get(metric.name) ?? []
  const controls = own.flatMap((round) => (round.control === null ? [] : [round.control]))
  const recent = recentChange(history, metric, control)
  const verdict = recent !== undefined && recent.by > 0 ? 'regression' : judgement.verdict
  const ends = [fromLogCost(metric, interval.low), fromLogCost(metric, interval.high)].sort((a, b) => a - b)
  return {
    name: metric.name,
    title: metric.title,
    unit: metric.unit,
    better: metric.better,
    threshold: metric.threshold,
    verdict,
    rounds: samples.length,
    engine: own.length === 0 ? null : median(own.map(({ engine }) => engine)),
    control: controls.length === 0 ? null : median(controls),
    value: own.length === 0 ? null : fromLogCost(metric, cost),
    low: ends[0] as number,
    high: ends[1] as number,
    change:
      change === null
        ? null
        : {
            share: Math.expm1(change.cost),
            low: Math.expm1(change.interval.low),
            high: Math.expm1(change.interval.high),
          },
    recent: recent === undefined ? null : { share: Math.expm1(recent.by), sinceCommit: recent.commit },
  }
}

function historyEntry(
  { control, commit, host }: GateOptions,
  at: string,
  judgements: readonly Judgement[],
): HistoryEntry {
  const measured = judgements.filter(({ samples }) => samples.length > 1)
  return {
    at,
    commit,
    control,
    host: `${host.cpu}, ${host.cores} cores, Node ${host.node}`,
    verdict: 'pass',
    metrics: Object.fromEntries(
      measured.map(({ metric, samples, cost, interval }) => [
        metric.name,
        {
          title: metric.title,
          unit: metric.unit,
          better: metric.better,
          rounds: samples.length,
          cost,
          low: interval.low,
          high: interval.high,
        },
      ]),
    ),
  }
}
