/**
 * How good the gate is: the share of runs in which it says what, by the slow-down that was planted. Whole runs are
 * simulated, from the baseline through the sequential rule to the verdict, on rounds drawn from noise that was recorded
 * on a real machine, so the table is about the code that judges a night and not about a formula.
 */
import { randomFromText } from '../../engine/data/random.ts'
import type { Random } from '../../engine/io.ts'
import { judge, overall } from './judgement.ts'
import type { GateVerdict, Metric, Round } from './metric.ts'
import { measureRounds, type Sampler } from './rounds.ts'
import { median } from './statistics.ts'

export interface PowerSettings {
  metrics: readonly Metric[]
  /** Log costs of real rounds by metric name; only their spread matters. */
  recorded: ReadonlyMap<string, readonly number[]>
  /** Share by which every command is slowed down: 0.05 is 5 %. */
  planted: number
  /** Names of the metrics that feel it; all when absent. */
  affected?: readonly string[]
  runs: number
  budgetMs: number
  /** How long one round over all metrics takes on a real machine. */
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

async function simulateRun(settings: PowerSettings, random: Random): Promise<{ verdict: GateVerdict; rounds: number }> {
  const { metrics, recorded, planted, affected, roundMs, budgetMs, baselineRounds } = settings
  const noiseOf = (name: string) => recorded.get(name) ?? []
  const draw = (name: string) => {
    const noise = noiseOf(name)
    return noise[random.below(noise.length)] as number
  }
  const baseline = new Map(
    metrics.map(({ name }) => [name, Array.from({ length: baselineRounds }, () => draw(name))] as const),
  )
  let nowMs = 0
  let longest = 0
  const sampler: Sampler = {
    async round(wanted) {
      // Starting the servers is about a quarter of a round, whatever is measured.
      nowMs += roundMs * (0.25 + (0.75 * wanted.length) / metrics.length)
      return new Map(wanted.map((metric) => [metric.name, slowed(metric, draw(metric.name))]))
    },
  }
  const slowed = (metric: Metric, cost: number): Round => {
    const slower = affected === undefined || affected.includes(metric.name) ? Math.log1p(planted) : 0
    const value = Math.exp(metric.better === 'less' ? cost + slower : -cost - slower)
    return { engine: value, control: 1 }
  }
  const { samples } = await measureRounds(sampler, {
    metrics,
    baseline,
    budgetMs,
    now: () => nowMs,
    onRound: (count) => {
      longest = count
    },
  })
  const verdicts = metrics.map((metric) => {
    return judge(metric, samples.get(metric.name) ?? [], baseline.get(metric.name) ?? null).verdict
  })
  return { verdict: overall(verdicts), rounds: longest }
}
