/**
 * The committed baseline (`reports/baseline.json`): the rounds of one run that was taken as good, with the reason why.
 * The rounds themselves are kept, not their mean, so that the interval of a difference knows the baseline's own spread.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import * as z from 'zod'
import { HarnessError } from '../errors.ts'

/** Where the baseline lies in the repository. */
export const BASELINE_FILE = 'reports/baseline.json'
const VERSION = 1

const hostSchema = z.object({
  cpu: z.string(),
  cores: z.number().int().positive(),
  platform: z.string(),
  node: z.string(),
})

export type GateHost = z.infer<typeof hostSchema>

const baselineSchema = z.object({
  version: z.literal(VERSION),
  takenAt: z.iso.datetime(),
  commit: z.string(),
  reason: z.string().min(1),
  host: hostSchema,
  /** Version of the redis-server that the ratios are to; null: the values are the engine's own. */
  control: z.string().nullable(),
  /** How long a round over all metrics took (median), ms. */
  roundMs: z.number().positive(),
  /** ln of the cost ratio (positive: dearer than the control), one a round. */
  metrics: z.record(z.string(), z.object({ unit: z.string(), logCosts: z.array(z.number()).min(2) })),
})

export type Baseline = z.infer<typeof baselineSchema>

/**
 * The baseline in `file`, or undefined when there is no such file. @throws {HarnessError} it is damaged or of another
 * version
 */
export function readBaseline(file: string): Baseline | undefined {
  if (!existsSync(file)) return undefined
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new HarnessError(
      'BASELINE',
      `${file} is not JSON (${(error as Error).message}): restore it or take a new baseline with --update-baseline.`,
    )
  }
  const outcome = baselineSchema.safeParse(value)
  if (outcome.success) return outcome.data
  const [issue] = outcome.error.issues
  throw new HarnessError(
    'BASELINE',
    `${file} is not a baseline of this Faultline (${issue?.path.join('.')}: ${issue?.message}): restore it or take a new one with --update-baseline.`,
  )
}

/** @throws {HarnessError} the file cannot be written */
export function writeBaseline(file: string, baseline: Omit<Baseline, 'version'>): void {
  const rounded = Object.fromEntries(
    Object.entries(baseline.metrics).map(([name, { unit, logCosts }]) => [
      name,
      // Five digits are far below the noise of a round.
      { unit, logCosts: logCosts.map((value) => Number(value.toFixed(5))) },
    ]),
  )
  try {
    writeFileSync(file, `${JSON.stringify({ version: VERSION, ...baseline, metrics: rounded }, null, 1)}\n`)
  } catch (error) {
    throw new HarnessError('BASELINE', `Cannot write the baseline: ${(error as Error).message}.`)
  }
}

/**
 * Whether rounds of this run may be compared with the baseline. Ratios to a control carry over from one machine to
 * another as far as anything does; values without one only mean something on the same host.
 */
export function whyNotComparable(baseline: Baseline, control: string | null, host: GateHost): string | undefined {
  if (control !== null && baseline.control !== null) return undefined
  if (control === null && baseline.control !== null) {
    return 'the baseline holds ratios to redis-server, and there is no redis-server on this machine'
  }
  if (control !== null) return 'the baseline was taken without redis-server, so its values are no ratios'
  const same = baseline.host.cpu === host.cpu && baseline.host.cores === host.cores && baseline.host.node === host.node
  return same
    ? undefined
    : `the baseline was taken without redis-server on another host (${baseline.host.cpu}, Node ${baseline.host.node})`
}
