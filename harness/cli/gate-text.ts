/** The gate's result for a terminal. */
import { styleText } from 'node:util'
import type { GateResult, GateVerdict } from '../../reports/gate-result.ts'
import { explain, percentText, ratioText } from '../../reports/gate-text.ts'
import { wrap } from './wrap.ts'

const MARKS: Record<GateVerdict, string> = { pass: '✓', regression: '✗', improvement: '✓', 'too noisy': '?' }
const COLOURS = { pass: 'green', regression: 'red', improvement: 'green', 'too noisy': 'yellow' } as const
/** Title, ratio with its interval, change, rounds. */
const TABLE_COLUMNS = 76

/** Fits into `columns`; colours only when asked for. */
export function gateText(result: GateResult, columns: number, colour: boolean): string {
  const paint = (verdict: GateVerdict, text: string) => (colour ? styleText(COLOURS[verdict], text) : text)
  const unit = result.control === null ? 'engine' : '× redis'
  const lines = ['', paint(result.verdict, `gate: ${result.verdict.toUpperCase()}`)]
  for (const note of result.notes) lines.push(...wrap(note, columns, '  '))
  lines.push('')
  const wide = columns >= TABLE_COLUMNS
  const titleWidth = columns - (TABLE_COLUMNS - 26)
  if (wide) {
    lines.push(
      `  ${''.padEnd(titleWidth)}${unit.padStart(9)}${'95 % interval'.padStart(17)}${'change'.padStart(10)}${'rounds'.padStart(8)}`,
    )
  }
  for (const metric of result.metrics) {
    const change = metric.change === null ? '–' : percentText(metric.change.share)
    const interval = `${ratioText(metric.low)} … ${ratioText(metric.high)}`
    const mark = paint(metric.verdict, MARKS[metric.verdict])
    if (wide) {
      const title = metric.title.slice(0, titleWidth - 1).padEnd(titleWidth)
      lines.push(
        `${mark} ${title}${ratioText(metric.value).padStart(9)}${interval.padStart(17)}${change.padStart(10)}${String(metric.rounds).padStart(8)}`,
      )
    } else {
      lines.push(
        `${mark} ${metric.title}`,
        ...wrap(`${ratioText(metric.value)} ${unit} (${interval})`, columns, '    '),
      )
    }
    if (metric.verdict !== 'pass' || metric.recent !== null) lines.push(...wrap(explain(metric), columns, '    '))
  }
  return `${lines.join('\n')}\n`
}
