/**
 * Comparing two servers fairly on a machine that is never quiet: rounds interleave them (A B, B A, A B …), so that both
 * see the same weather; a figure is the median of the rounds; and what is judged is the ratio of the medians, never an
 * absolute number.
 */
import { median } from '../quantile.ts'
import type { Contender } from './stand.ts'

/** One quantity of a case, and what is demanded of it. */
export interface MeasureSpec {
  name: string
  unit: string
  better: 'higher' | 'lower'
  /** engine ÷ redis must be at least (higher is better) or at most (lower is better) this. */
  targetRatio?: number
  /** The engine's own figure must not exceed this. */
  targetMax?: number
  /** Added to redis's figure before the ratio is taken: a difference that is granted (`p99 ≤ redis's + 2 ms`). */
  allowance?: number
}

export interface MeasureResult extends MeasureSpec {
  rounds: Record<Contender, number[]>
  median: Record<Contender, number>
  ratio: number
  /** Undefined: nothing is demanded. */
  met?: boolean
}

/** What a run of a case on one server gave, by the name of the measure. */
export type Sample = Readonly<Record<string, number>>

/** Runs `run` for both contenders, `rounds` times, in alternating order. */
export async function interleaved(
  rounds: number,
  run: (contender: Contender, round: number) => Promise<Sample>,
): Promise<Record<Contender, Sample[]>> {
  const samples: Record<Contender, Sample[]> = { engine: [], redis: [] }
  for (let round = 0; round < rounds; round++) {
    const order: Contender[] = round % 2 === 0 ? ['redis', 'engine'] : ['engine', 'redis']
    for (const contender of order) samples[contender].push(await run(contender, round))
  }
  return samples
}

export function compare(spec: MeasureSpec, samples: Readonly<Record<Contender, readonly Sample[]>>): MeasureResult {
  const valuesOf = (contender: Contender): number[] =>
    samples[contender].map((sample) => sample[spec.name] ?? Number.NaN)
  const rounds = { engine: valuesOf('engine'), redis: valuesOf('redis') }
  const medians = { engine: median(rounds.engine), redis: median(rounds.redis) }
  const ratio = medians.engine / (medians.redis + (spec.allowance ?? 0))
  const result: MeasureResult = { ...spec, rounds, median: medians, ratio }
  const { targetRatio, targetMax } = spec
  if (targetRatio === undefined && targetMax === undefined) return result
  const ratioMet = targetRatio === undefined || (spec.better === 'higher' ? ratio >= targetRatio : ratio <= targetRatio)
  return { ...result, met: ratioMet && (targetMax === undefined || medians.engine <= targetMax) }
}
