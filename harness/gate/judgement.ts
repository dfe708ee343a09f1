/**
 * From rounds to a verdict on one metric.
 *
 * A metric has regressed when its cost is above the baseline's by more than the threshold *and* the interval of the
 * difference excludes zero. The threshold keeps differences out that nobody wants to hear of, the interval those that
 * are chance. Rounds go on until the standard error is so small beside the threshold (`PRECISION`) that, for normal
 * noise, a run without a difference crosses it with a probability of 0.02 %, and a difference of twice the threshold
 * stays below it as rarely.
 */
import { randomFromText } from '../../engine/data/random.ts'
import type { GateVerdict, Metric } from './metric.ts'
import { bootstrapInterval, type Interval, trimmedError, trimmedMean } from './statistics.ts'

/** The threshold is this many standard errors when enough has been measured. */
const PRECISION = 3.5
/** Of the interval of a difference; one metric of ten that are watched then errs in 0.05 % of all nights. */
const CONFIDENCE = 0.999
/** Fewer rounds say too little about their own spread. */
export const MINIMUM_ROUNDS = 15

export interface Judgement {
  metric: Metric
  verdict: GateVerdict
  /** Log costs of this run, one a round. */
  samples: readonly number[]
  /** Location and interval of this run, as log cost. */
  cost: number
  interval: Interval
  /** Against the baseline, in log cost (0.05 is 5 % worse); null without a baseline. */
  change: { cost: number; interval: Interval } | null
}

/** The verdict without a baseline is `pass` once the metric is known well enough to become one. */
export function judge(metric: Metric, samples: readonly number[], baseline: readonly number[] | null): Judgement {
  if (samples.length < 2) {
    const interval = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
    return { metric, samples, verdict: 'too noisy', cost: samples[0] ?? 0, interval, change: null }
  }
  const seed = `${metric.name} ${samples.length}`
  const cost = trimmedMean(Float64Array.from(samples))
  const interval = bootstrapInterval([samples], ([own]) => trimmedMean(own as Float64Array), {
    confidence: 0.95,
    random: randomFromText(seed),
  })
  const own = { metric, samples, cost, interval }
  const noisy: GateVerdict = isPreciseEnough(metric, samples, baseline) ? 'pass' : 'too noisy'
  if (baseline === null) return { ...own, verdict: noisy, change: null }
  const change = {
    cost: cost - trimmedMean(Float64Array.from(baseline)),
    interval: bootstrapInterval(
      [samples, baseline],
      ([now, then]) => trimmedMean(now as Float64Array) - trimmedMean(then as Float64Array),
      { confidence: CONFIDENCE, random: randomFromText(`${seed} difference`) },
    ),
  }
  return { ...own, verdict: verdictOf(metric, change) ?? noisy, change }
}

function verdictOf(metric: Metric, change: { cost: number; interval: Interval }): GateVerdict | undefined {
  const worse = Math.log1p(metric.threshold)
  if (change.cost > worse && change.interval.low > 0) return 'regression'
  if (change.cost < -worse && change.interval.high < 0) return 'improvement'
  return undefined
}

/** The rule by which a metric gets no further round: enough rounds, and their location known well enough. */
export function isPreciseEnough(
  metric: Metric,
  samples: readonly number[],
  baseline: readonly number[] | null,
): boolean {
  if (samples.length < MINIMUM_ROUNDS) return false
  const error = Math.hypot(trimmedError(samples), baseline === null ? 0 : trimmedError(baseline))
  return error * PRECISION <= Math.log1p(metric.threshold)
}

/** One verdict for all: a regression counts most, then what could not be told. */
export function overall(verdicts: readonly GateVerdict[]): GateVerdict {
  for (const verdict of ['regression', 'too noisy', 'improvement'] as const) {
    if (verdicts.includes(verdict)) return verdict
  }
  return 'pass'
}
