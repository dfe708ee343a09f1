/** What is asked of a target: `p99=5ms,errors=0.1%`, and whether a result meets it. */
import type { LatencySummary, LoadResult } from '../../reports/load-result.ts'
import { HarnessError } from '../errors.ts'

/** Latencies count from the intended time. */
const percentiles = {
  p50: 'p50Ms',
  p90: 'p90Ms',
  p95: 'p95Ms',
  p99: 'p99Ms',
  'p99.9': 'p999Ms',
  'p99.99': 'p9999Ms',
  max: 'maxMs',
  mean: 'meanMs',
} as const satisfies Record<string, keyof LatencySummary>

type PercentileName = keyof typeof percentiles

export interface Objective {
  latencies: readonly { name: PercentileName; mostMs: number }[]
  /** Errors and time-outs as a part of what was sent. */
  errorsMost: number
}

/** Errors are at most 0.1 % unless something else is said. */
export function parseObjective(text: string): Objective {
  const bad = (part: string): HarnessError =>
    new HarnessError(
      'BAD_OPTION',
      `--slo takes limits such as p99=5ms,errors=0.1%, not '${part}'. Latencies: ${Object.keys(percentiles).join(', ')}.`,
    )
  const latencies: { name: PercentileName; mostMs: number }[] = []
  let errorsMost = 0.001
  for (const part of text.split(',')) {
    const match = /^([a-z0-9.]+)\s*(?:=|<=|≤)\s*(\d+(?:\.\d+)?)(us|µs|ms|s|%)?$/.exec(part.trim())
    if (match === null) throw bad(part)
    const [, name = '', number, unit = 'ms'] = match
    if (name === 'errors') {
      errorsMost = Number(number) / (unit === '%' ? 100 : 1)
    } else if (Object.hasOwn(percentiles, name) && unit !== '%') {
      const factor = unit === 's' ? 1000 : unit === 'ms' ? 1 : 0.001
      latencies.push({ name: name as PercentileName, mostMs: Number(number) * factor })
    } else throw bad(part)
  }
  return { latencies, errorsMost }
}

/** Sentences that say what was missed; empty: the objective is met. */
export function missed({ latencies, errorsMost }: Objective, { counts, corrected }: LoadResult): string[] {
  const sentences = latencies.flatMap(({ name, mostMs }) => {
    const value = corrected[percentiles[name]]
    return value <= mostMs ? [] : [`${name} was ${value} ms, above ${mostMs} ms.`]
  })
  const part = counts.sent === 0 ? 1 : (counts.errors + counts.timeouts) / counts.sent
  if (part > errorsMost) {
    sentences.push(
      `${(part * 100).toPrecision(3)} % of operations failed, above ${(errorsMost * 100).toPrecision(3)} %.`,
    )
  }
  return sentences
}
