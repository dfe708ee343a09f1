/** What a bench gives: as JSON for machines (`--json`), as a table for people. */
import { styleText } from 'node:util'
import type { MeasureResult } from './comparison.ts'

export interface CaseResult {
  name: string
  title: string
  measures: MeasureResult[]
}

export interface BenchResult {
  schema: 'faultline-bench/1'
  bench: string
  /** ISO 8601. */
  startedAt: string
  host: { processor: string; cores: number; memoryBytes: number; kernel: string }
  versions: Readonly<Record<string, string>>
  /** Of each server in each case, and the share of the full number of requests. */
  rounds: number
  scale: number
  cases: CaseResult[]
}

const HEADINGS = ['', 'engine', 'redis', 'ratio', 'target'] as const
const WIDTHS = [18, 12, 12, 9, 10] as const

export function tableHeading(): string {
  return `${HEADINGS.map((heading, i) => (i === 0 ? heading.padEnd(WIDTHS[0]) : heading.padStart(WIDTHS[i] as number))).join('')}\n`
}

/** One case: its title, then a line for each measure. */
export function caseText({ name, title, measures }: CaseResult, colour: boolean): string {
  const lines = measures.map((measure) => measureLine(measure, colour))
  return `${name}: ${title}\n${lines.join('')}`
}

function measureLine(measure: MeasureResult, colour: boolean): string {
  const { unit, median, ratio, met } = measure
  const columns = [shown(median.engine), shown(median.redis), `× ${ratio.toFixed(2)}`, targetText(measure)]
  const mark = met === undefined ? '' : met ? ' ✓' : ' ✗'
  const line = `  ${unit.padEnd(WIDTHS[0] - 2)}${columns.map((text, i) => text.padStart(WIDTHS[i + 1] as number)).join('')}${mark}`
  if (!colour || met === undefined) return `${line}\n`
  return `${styleText(met ? 'green' : 'red', line)}\n`
}

function targetText({ better, targetRatio, targetMax }: MeasureResult): string {
  const sign = better === 'higher' ? '≥' : '≤'
  const ratio = targetRatio === undefined ? [] : [`${sign} ${targetRatio}`]
  const limit = targetMax === undefined ? [] : [`≤ ${targetMax}`]
  return [...ratio, ...limit].join(', ')
}

function shown(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value.toPrecision(3)
}
