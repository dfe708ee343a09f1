/**
 * Searches the highest rate that meets an objective.
 *
 * An open loop at doubling rates climbs until the objective is missed, then the interval between the last rate that
 * met it and the first that did not is halved until its ends are 5 % apart. A miss is measured again before it counts,
 * since one disturbance of the machine is no limit of the target; and what comes out is measured once more, longer.
 * When the driver cannot offer a rate, the search ends with what it could offer and says so: that is no limit of the
 * target's.
 */
import type { LoadResult, LoadSearch, SearchPoint } from '../../reports/load-result.ts'
import type { LoadSpec } from './load-spec.ts'
import { missed, type Objective } from './objective.ts'
import { targetName } from './summary.ts'

/** The ends of the interval are this close when the search ends. */
const PRECISION = 1.05
const PROBES_MOST = 40
/** The last measurement is longer by this. */
const CONFIRMATION = 3
/** A target that answers less than this part of what is offered does not keep up, whatever its latency. */
const KEPT_UP = 0.97

export interface FindMaxOptions {
  objective: Objective
  objectiveText: string
  firstPerSecond: number
  probeMs: number
  signal: AbortSignal
  run(spec: LoadSpec): Promise<LoadResult>
  onPoint(point: SearchPoint): void
}

type Outcome = 'met' | 'missed' | 'driver'

export async function findMax(spec: LoadSpec, options: FindMaxOptions): Promise<LoadSearch> {
  return new Search(spec, options).find()
}

class Search {
  private readonly spec: LoadSpec
  private readonly options: FindMaxOptions
  private readonly points: SearchPoint[] = []
  private reason = ''
  private lastResult: LoadResult | undefined

  constructor(spec: LoadSpec, options: FindMaxOptions) {
    this.spec = spec
    this.options = options
  }

  async find(): Promise<LoadSearch> {
    const { low, high, outcome } = await this.climb()
    if (outcome === 'driver') return this.result(low, 'unknown', this.reason)
    if (high === undefined) return this.result(low, 'unknown', 'The search was interrupted.')
    const best = await this.bisect(low, high)
    if (this.options.signal.aborted) return this.result(best, 'unknown', 'The search was interrupted.')
    if (best === 0) {
      return this.result(
        0,
        'fail',
        `Not even ${grouped(this.points.at(-1)?.ratePerSecond ?? 0)} requests per second met it: ${this.reason}`,
      )
    }
    return this.confirm(best)
  }

  private async climb(): Promise<{ low: number; high: number | undefined; outcome: Outcome }> {
    let low = 0
    let rate = this.options.firstPerSecond
    for (;;) {
      const outcome = await this.twice(rate)
      if (outcome === 'driver') return { low, high: undefined, outcome }
      if (this.isOver()) return { low, high: undefined, outcome: 'met' }
      if (outcome === 'missed') return { low, high: rate, outcome }
      low = rate
      rate *= 2
    }
  }

  /** From below too: when the first rate of all is missed, lower ones are tried down to one request per second. */
  private async bisect(from: number, to: number): Promise<number> {
    let low = from
    let high = to
    while (high / Math.max(low, 1) > PRECISION && high > 1 && !this.isOver()) {
      const rate = Math.round(low === 0 ? high / 4 : Math.sqrt(low * high))
      if (rate === low || rate < 1) break
      if ((await this.twice(rate)) === 'met') low = rate
      else high = rate
    }
    return low
  }

  private async confirm(best: number): Promise<LoadSearch> {
    let rate = best
    while (rate >= 1 && !this.isOver()) {
      const outcome = await this.probe(rate, this.options.probeMs * CONFIRMATION)
      if (outcome === 'met') return this.result(rate, 'pass', '')
      if (outcome === 'driver') return this.result(rate, 'unknown', this.reason)
      rate = Math.floor(rate * 0.95)
    }
    return this.result(rate, 'unknown', 'No rate met the objective when it was measured longer.')
  }

  private async twice(ratePerSecond: number): Promise<Outcome> {
    const first = await this.probe(ratePerSecond, this.options.probeMs)
    return first === 'met' || this.isOver() ? first : this.probe(ratePerSecond, this.options.probeMs)
  }

  private async probe(ratePerSecond: number, durationMs: number): Promise<Outcome> {
    const result = await this.options.run({
      ...this.spec,
      arrivals: { kind: 'constant', ratePerSecond },
      requests: null,
      durationMs,
      warmupMs: Math.min(1000, durationMs / 4),
    })
    this.lastResult = result
    const reasons = missed(this.options.objective, result)
    const isSlow = result.requestsPerSecond < KEPT_UP * ratePerSecond
    if (isSlow) reasons.push(`It answered ${grouped(result.requestsPerSecond)} per second only.`)
    if (result.verdict === 'fail') reasons.push(...result.reasons)
    const isMet = reasons.length === 0
    // A miss that the driver has a part in says nothing about the target.
    const outcome = isMet ? 'met' : result.verdict === 'unknown' && result.counts.ok > 0 ? 'driver' : 'missed'
    if (!isMet) this.reason = outcome === 'driver' ? (result.reasons[0] ?? '') : (reasons[0] ?? '')
    const { p50Ms, p99Ms, p999Ms } = result.corrected
    const answered = result.requestsPerSecond
    const point: SearchPoint = { ratePerSecond, answeredPerSecond: answered, p50Ms, p99Ms, p999Ms, outcome }
    this.points.push(point)
    this.options.onPoint(point)
    return outcome
  }

  private isOver(): boolean {
    return this.options.signal.aborted || this.points.length >= PROBES_MOST
  }

  private result(bestPerSecond: number, verdict: LoadSearch['verdict'], reason: string): LoadSearch {
    return {
      format: 'faultline-load-search',
      version: 1,
      verdict,
      reasons: reason === '' ? [] : [reason],
      target: targetName(this.spec.target),
      objective: this.options.objectiveText,
      bestPerSecond,
      points: this.points,
      last: this.lastResult ?? null,
    }
  }
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
