/**
 * How good the gate is: the share of runs in which it says what, by the slow-down that was planted. Whole runs are
 * simulated, from the baseline through the sequential rule to the verdict, on rounds drawn from noise that was recorded
 * on a real machine, so the table is about the code that judges a night and not about a formula.
 */
import { randomFromText } from '../../engine/data/random.ts'
import type { Random } from '../../engine/io.ts'
import { median } from '../quantile.ts'
import { judge, overall } from './judgement.ts'
import { type GateVerdict, type Metric, type Round, watchedMetrics, withMean } from './metric.ts'
import { measureRounds, type Sampler } from './rounds.ts'

export interface PowerSettings {
  metrics: readonly Metric[]
  /** Of the mean over all metrics. */
  meanThreshold: number
  /** Log costs of real rounds by metric name, of equal length; only their spread matters. */
  recorded: ReadonlyMap<string, readonly number[]>
  /** Share by which every command is slowed down: 0.05 is 5 %. */
  planted: number
  /** Names of the metrics that feel it; all when absent. */
  affected?: readonly string[]
  runs: number
  budgetMs: number
  /** How long one round takes on a real machine. */
  roundMs: number
  /** Rounds of the baseline. */
  baselineRounds: number
  seed: string
}

export interface PowerRow {
  planted: number
  runs: number
  /** Share of the runs by verdict. */
  shares: Record<GateVerdict, number>
  medianRounds: number
}

export async function simulatePower(settings: PowerSettings): Promise<PowerRow> {
  const counts: Record<GateVerdict, number> = { pass: 0, regression: 0, improvement: 0, 'too noisy': 0 }
  const rounds: number[] = []
  for (let run = 0; run < settings.runs; run++) {
    const random = randomFromText(`${settings.seed} ${settings.planted} ${run}`)
    const outcome = await simulateRun(settings, random)
    counts[outcome.verdict]++
    rounds.push(outcome.rounds)
  }
  const share = (verdict: GateVerdict) => counts[verdict] / settings.runs
  return {
    planted: settings.planted,
    runs: settings.runs,
    shares: {
      pass: share('pass'),
      regression: share('regression'),
      improvement: share('improvement'),
      'too noisy': share('too noisy'),
    },
    medianRounds: median(rounds),
  }
}

/** Rounds that are drawn together, for 100 s: what lasts longer than one (a busy neighbour) stays in the noise. */
const BLOCK_ROUNDS = 4

async function simulateRun(settings: PowerSettings, random: Random): Promise<{ verdict: GateVerdict; rounds: number }> {
  const { metrics, meanThreshold, recorded, planted, affected, roundMs, budgetMs, baselineRounds } = settings
  const thenRounds = drawRounds(recorded, random)
  const then = Array.from({ length: baselineRounds }, thenRounds)
  const baseline = new Map(metrics.map(({ name }) => [name, then.map((round) => round.get(name) ?? 0)] as const))
  const slowed = (metric: Metric, cost: number): Round => {
    const slower = affected === undefined || affected.includes(metric.name) ? Math.log1p(planted) : 0
    const value = Math.exp(metric.better === 'less' ? cost + slower : -cost - slower)
    return { engine: value, control: 1 }
  }
  let nowMs = 0
  let count = 0
  const nextRound = drawRounds(recorded, random)
  const sampler: Sampler = {
    async round() {
      nowMs += roundMs
      const costs = nextRound()
      return new Map(metrics.map((metric) => [metric.name, slowed(metric, costs.get(metric.name) ?? 0)]))
    },
  }
  const { samples } = await measureRounds(sampler, {
    metrics,
    meanThreshold,
    baseline,
    budgetMs,
    now: () => nowMs,
    onRound: (rounds) => {
      count = rounds
    },
  })
  const costsThen = withMean(metrics, baseline)
  const verdicts = watchedMetrics(metrics, meanThreshold).map((metric) => {
    return judge(metric, samples.get(metric.name) ?? [], costsThen.get(metric.name) ?? null).verdict
  })
  return { verdict: overall(verdicts), rounds: count }
}

/**
 * Whole rounds (log cost by metric), drawn from the recorded ones in blocks of neighbours: a moving block bootstrap.
 */
function drawRounds(
  recorded: ReadonlyMap<string, readonly number[]>,
  random: Random,
): () => ReadonlyMap<string, number> {
  const length = Math.min(...[...recorded.values()].map((costs) => costs.length))
  let at = 0
  let left = 0
  return () => {
    if (left === 0) {
      left = Math.min(BLOCK_ROUNDS, length)
      at = random.below(length - left + 1)
    }
    left--
    const index = at++
    return new Map([...recorded].map(([name, costs]) => [name, costs[index] as number]))
  }
}
