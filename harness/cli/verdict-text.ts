/** The verdict as text for a terminal: predicted against measured for each arm, then what follows. */
import { styleText } from 'node:util'
import { formatBytes } from '../../reports/figures.ts'
import type { ArmResult, Prediction, Result, Verdict } from '../../reports/result.ts'
import { wrap } from './wrap.ts'

const MARKS: Record<Verdict, string> = { pass: '✓', fail: '✗', unknown: '?' }
const COLOURS = { pass: 'green', fail: 'red', unknown: 'yellow' } as const
/** Beside the label: two columns with intervals and values. */
const MIN_TABLE_COLUMNS = 72

/** Fits into `columns`; colours only when asked for. */
export function verdictText(result: Result, columns: number, colour: boolean): string {
  const paint = (verdict: Verdict, text: string): string => (colour ? styleText(COLOURS[verdict], text) : text)
  const heading = `${result.scenario.name}: ${result.verdict.toUpperCase()}`
  const lines = ['', paint(result.verdict, heading), ...wrap(result.sentence, columns, '  ')]
  for (const arm of result.arms) lines.push('', ...armLines(arm, columns, paint))
  lines.push(...notRunLines(result.notRun, columns))
  if (result.campaign !== null) lines.push('', ...campaignLines(result.campaign, columns, paint))
  if (result.advice.length > 0) {
    lines.push('', 'What follows for your configuration:')
    for (const sentence of result.advice) lines.push(...wrap(sentence, columns, '  '))
  }
  if (result.traceHash !== null) lines.push('', ...wrap(`Trace hash: ${result.traceHash}`, columns))
  lines.push('', ...wrap(`Again: ${result.command}`, columns), '')
  return lines.join('\n')
}

type Paint = (verdict: Verdict, text: string) => string

function armLines(arm: ArmResult, columns: number, paint: Paint): string[] {
  const lines = [`${paint(arm.verdict, MARKS[arm.verdict])} ${arm.title} (${arm.name})`]
  if (arm.verdict !== 'pass') lines.push(...wrap(arm.sentence, columns, '    '))
  const rows = Object.entries(arm.predicted).map(([name, prediction]) => {
    const value = arm.measured[name]
    return { prediction, value: typeof value === 'number' ? value : undefined }
  })
  if (columns >= MIN_TABLE_COLUMNS && rows.length > 0) {
    const labelWidth = columns - 4 - 20 - 14
    lines.push(`    ${''.padEnd(labelWidth)}${'predicted'.padStart(20)}${'measured'.padStart(12)}`)
    for (const { prediction, value } of rows) {
      const label =
        prediction.label.length > labelWidth - 1 ? `${prediction.label.slice(0, labelWidth - 2)}…` : prediction.label
      lines.push(
        `    ${label.padEnd(labelWidth)}${range(prediction).padStart(20)}${shown(value, prediction.unit).padStart(12)} ${mark(prediction, value, paint)}`,
      )
    }
  } else {
    for (const { prediction, value } of rows) {
      const text = `${prediction.label}: ${shown(value, prediction.unit)}, predicted ${range(prediction)}`
      lines.push(
        ...wrap(text, columns - 2, '    ').map((line, i) =>
          i === 0 ? `${line} ${mark(prediction, value, paint)}` : line,
        ),
      )
    }
  }
  const causes = Object.entries(arm.measured.lostWritesByCause ?? {})
  if (causes.length > 0) {
    const counts = causes.map(([cause, count]) => `${cause} ${grouped(count)}`).join(', ')
    lines.push(...wrap(`lost by cause: ${counts}`, columns, '    '))
  }
  const { acknowledged, refused, unknown } = arm.measured
  lines.push(
    ...wrap(
      `operations: ${grouped(acknowledged)} acknowledged, ${grouped(refused)} refused, ${grouped(unknown)} unknown`,
      columns,
      '    ',
    ),
  )
  for (const check of arm.checks) {
    const [first, ...rest] = wrap(check.sentence, columns, '      ')
    lines.push(`    ${paint(check.verdict, MARKS[check.verdict])} ${first?.trimStart() ?? ''}`, ...rest)
  }
  return lines
}

/** Arms that lack the same thing together. */
function notRunLines(notRun: Result['notRun'], columns: number): string[] {
  return [...new Set(notRun.map(({ reason }) => reason))].flatMap((reason) => {
    const names = notRun.filter((arm) => arm.reason === reason).map(({ arm }) => arm)
    return ['', ...wrap(`– not run: ${names.join(', ')}. ${reason}`, columns)]
  })
}

function campaignLines(campaign: NonNullable<Result['campaign']>, columns: number, paint: Paint): string[] {
  const lines: string[] = []
  const lastSeed = campaign.firstSeed + campaign.runs - 1
  lines.push(`${grouped(campaign.runs)} seeds (${campaign.firstSeed} … ${lastSeed})`)
  for (const arm of campaign.arms) {
    const verdict: Verdict = arm.fail > 0 ? 'fail' : arm.unknown > 0 ? 'unknown' : 'pass'
    lines.push(
      `  ${paint(verdict, MARKS[verdict])} ${arm.arm}: ${arm.pass} pass, ${arm.fail} fail, ${arm.unknown} unknown`,
    )
    for (const { label, unit, values, predictedLow, predictedHigh } of arm.measures) {
      const at = (quantile: number): string => shown(values[Math.round(quantile * (values.length - 1))], unit)
      const predicted =
        predictedLow === null || predictedHigh === null
          ? ''
          : `, predicted ${shown(predictedLow, unit)} … ${shown(predictedHigh, unit)}`
      lines.push(
        ...wrap(`${label}: ${at(0)} … ${at(0.5)} … ${at(1)} (least, median, most)${predicted}`, columns, '      '),
      )
    }
    for (const failure of arm.failures.slice(0, 3)) {
      lines.push(...wrap(`seed ${failure.seed}: ${failure.sentence}`, columns, '      '), `        ${failure.command}`)
    }
  }
  return lines
}

function mark({ low, high }: Prediction, value: number | undefined, paint: Paint): string {
  const verdict = value === undefined ? 'unknown' : value >= low && value <= high ? 'pass' : 'fail'
  return paint(verdict, MARKS[verdict])
}

function range({ low, high, unit }: Prediction): string {
  if (low === high) return shown(low, unit)
  if (unit === 'ms') return high < 1000 ? `${low} … ${high} ms` : `${inSeconds(low)} … ${inSeconds(high)} s`
  if (unit === 'bytes') return `${formatBytes(low)} … ${formatBytes(high)}`
  return `${grouped(low)} … ${grouped(high)}`
}

function shown(value: number | undefined, unit: string): string {
  if (value === undefined) return 'not measured'
  if (unit === 'ms') return value < 1000 ? `${grouped(value)} ms` : `${inSeconds(value)} s`
  return unit === 'bytes' ? formatBytes(value) : grouped(value)
}

function inSeconds(valueMs: number): string {
  return (valueMs / 1000).toFixed(2)
}

function grouped(value: number): string {
  return value.toLocaleString('en-US')
}
