/**
 * The history of gate runs: one JSON line a run, appended, so that two runs can never damage each other's line and CI
 * can keep the file from night to night.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import * as z from 'zod'
import { HarnessError } from '../errors.ts'

const entrySchema = z.object({
  at: z.iso.datetime(),
  commit: z.string(),
  control: z.string().nullable(),
  host: z.string(),
  verdict: z.enum(['pass', 'regression', 'improvement', 'too noisy']),
  metrics: z.record(
    z.string(),
    z.object({
      title: z.string(),
      unit: z.string(),
      better: z.enum(['less', 'more']),
      rounds: z.number().int(),
      /** ln of the cost (positive: dearer than the control), and its 95 % interval. */
      cost: z.number(),
      low: z.number(),
      high: z.number(),
    }),
  ),
})

export type HistoryEntry = z.infer<typeof entrySchema>

/**
 * All entries of the file in its order; none when there is no file. A line that was cut short (a full disk, a killed
 * run) is passed over.
 * @throws {HarnessError} a line is of another format; the message names it
 */
export function readGateHistory(file: string): HistoryEntry[] {
  if (!existsSync(file)) return []
  const entries: HistoryEntry[] = []
  for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    const value = parse(line)
    if (value === undefined) continue
    const outcome = entrySchema.safeParse(value)
    if (!outcome.success) {
      throw new HarnessError(
        'GATE_HISTORY',
        `${file}, line ${i + 1}, is not an entry of the gate's history: remove the line, or name another file with --history.`,
      )
    }
    entries.push(outcome.data)
  }
  return entries
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** @throws {HarnessError} the file cannot be written */
export function appendGateHistory(file: string, entry: HistoryEntry): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    // A line that an earlier run left unfinished must not swallow this one.
    const gap = existsSync(file) && !readFileSync(file, 'utf8').match(/(^|\n)$/) ? '\n' : ''
    appendFileSync(file, `${gap}${JSON.stringify(entry)}\n`)
  } catch (error) {
    throw new HarnessError('GATE_HISTORY', `Cannot write the gate's history: ${(error as Error).message}.`)
  }
}
