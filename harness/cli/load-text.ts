/**
 * A load result for a terminal: rate, percentiles, a histogram, and what to know about errors and outages. Everything
 * fits into the columns that there are, down to 40, but for `-q`, which promises one line.
 */
import type { LatencyHistogram, LoadResult, LoadSearch, SearchPoint } from '../../reports/load-result.ts'
import type { LoadProgress } from '../load/load.ts'
import { wrap } from './wrap.ts'

/** What `-q` prints. */
export function loadLine(result: LoadResult): string {
  const { corrected } = result
  const names = result.commands.map(({ name }) => name).join('+')
  const flaws = result.verdict === 'pass' ? '' : ` (${result.verdict})`
  return `${names}: ${grouped(result.requestsPerSecond)} requests per second, p50=${corrected.p50Ms} ms, p99=${corrected.p99Ms} ms${flaws}\n`
}

export function loadText(result: LoadResult, columns: number): string {
  const { counts, raw, corrected, driver } = result
  const lines = [
    '',
    ...wrap(`${result.target}: ${grouped(result.requestsPerSecond)} requests per second`, columns),
    ...wrap(
      `${grouped(counts.sent)} sent, ${grouped(counts.ok)} ok, ${grouped(counts.errors)} errors, ${grouped(counts.timeouts)} time-outs in ${(result.elapsedMs / 1000).toFixed(2)} s`,
      columns,
      '  ',
    ),
    '',
    ...percentileLines(result, columns),
    '',
    ...histogramLines(corrected, Math.min(columns, 100)),
  ]
  if (raw.count > 0) lines.push('', ...wrap(explanation(result), columns, '  '))
  for (const { text, count, firstAtMs } of result.errors.slice(0, 5)) {
    lines.push(...wrap(`${grouped(count)} × ${text} (first after ${(firstAtMs / 1000).toFixed(2)} s)`, columns, '  '))
  }
  for (const { name, connections, messages, delivery } of result.consumers) {
    const text = `${name}: ${grouped(messages)} messages at ${connections} connections, delivered in p50 ${delivery.p50Ms} ms, p99 ${delivery.p99Ms} ms, at most ${delivery.maxMs} ms`
    lines.push(...wrap(text, columns, '  '))
  }
  lines.push(...outageLines(result, columns))
  const busy = driver.busy === null ? '' : `, event loop busy ${Math.round(driver.busy * 100)} %`
  lines.push(
    '',
    ...wrap(
      `Driver: ${driver.threads} thread${driver.threads === 1 ? '' : 's'}, ${driver.cpu.toFixed(2)} cores${busy}, event loop lag p99 ${driver.loopLagP99Ms} ms`,
      columns,
      '  ',
    ),
  )
  if (result.interrupted) lines.push('', ...wrap('Interrupted: these are the results so far.', columns, '  '))
  if (result.verdict !== 'pass') lines.push('', `  ${result.verdict.toUpperCase()}`)
  for (const reason of result.reasons) lines.push(...wrap(reason, columns, '  '))
  lines.push('')
  return lines.join('\n')
}

/** One second of measuring, in one line: a longer one could not be written over. */
export function progressText(name: string, { second, ok, failed }: LoadProgress, columns: number): string {
  const time = `${String(second + 1).padStart(5)} s  `
  const failures = failed > 0 ? `, ${grouped(failed)} failed` : ''
  const wide = `${time}${name}: ${grouped(ok)} requests per second${failures}`
  const narrow = `${time}${grouped(ok)}/s${failures}`
  return wide.length < columns ? wide : narrow.slice(0, columns - 1)
}

/** One measurement of a search, as it is made. */
export function searchPointText(point: SearchPoint, columns: number): string {
  const { ratePerSecond, answeredPerSecond, p50Ms, p99Ms, outcome } = point
  const words = { met: 'met', missed: 'missed', driver: 'the driver could not offer it' }
  const rate = `${grouped(Math.round(ratePerSecond)).padStart(12)}/s: `
  const text = `${grouped(Math.round(answeredPerSecond))} answered, p50 ${p50Ms} ms, p99 ${p99Ms} ms: ${words[outcome]}`
  const [first, ...rest] = wrap(text, columns, ' '.repeat(rate.length))
  return `${[rate + first?.trimStart(), ...rest].join('\n')}\n`
}

/** What a search found, and latency over rate as bars by decades. */
export function searchText(
  { objective, bestPerSecond, verdict, reasons, points }: LoadSearch,
  columns: number,
): string {
  const least = verdict === 'pass' ? '' : 'at least '
  const found = `Highest rate that meets ${objective}: ${least}${grouped(bestPerSecond)} requests per second`
  const lines = ['', ...wrap(found, columns)]
  for (const reason of reasons) lines.push(...wrap(reason, columns, '  '))
  const sorted = [...points].sort((a, b) => a.ratePerSecond - b.ratePerSecond)
  const logs = sorted.map(({ p99Ms }) => Math.log10(Math.max(p99Ms, 0.001)))
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))]
  const width = Math.max(10, Math.min(columns, 100) - 34)
  lines.push('', ...wrap(`p99 by rate (bars by decades, ${10 ** low} to ${10 ** high} ms)`, columns, '  '))
  sorted.forEach(({ ratePerSecond, p99Ms, outcome }, i) => {
    const bar = (outcome === 'met' ? '█' : '░').repeat(
      Math.max(1, Math.round(((logs[i]! - low) / (high - low || 1)) * width)),
    )
    lines.push(`  ${grouped(Math.round(ratePerSecond)).padStart(11)}/s ${p99Ms.toFixed(3).padStart(10)} ms ${bar}`)
  })
  lines.push('')
  return `${lines.join('\n')}\n`
}

const PERCENTILE_WIDTH = 9

/** A table; where it is too wide, each of its rows below its name. */
function percentileLines({ raw, corrected, commands }: LoadResult, columns: number): string[] {
  const rows: [string, LatencyHistogram | LoadResult['commands'][number]['raw']][] = [
    ['all, from sending', raw],
    ['all, from the intended time', corrected],
  ]
  if (commands.length > 1) for (const command of commands) rows.push([command.name, command.corrected])
  const heads = ['p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max']
  const figures = rows.map(([name, it]) => {
    const values = [it.p50Ms, it.p90Ms, it.p99Ms, it.p999Ms, it.p9999Ms, it.maxMs]
    return { name, values: values.map((value) => value.toFixed(3).padStart(PERCENTILE_WIDTH)) }
  })
  const title = 'latency in ms'
  const width = Math.max(title.length, ...rows.map(([name]) => name.length))
  if (columns < 2 + width + heads.length * PERCENTILE_WIDTH) {
    const labelWidth = Math.max(...heads.map((head) => head.length))
    const cells = figures.map(({ values }) => values.map((value, i) => heads[i]!.padEnd(labelWidth) + value))
    return [
      `  ${title}`,
      ...figures.flatMap(({ name }, i) => [...wrap(name, columns, '  '), ...grid(cells[i]!, columns)]),
    ]
  }
  return [
    `  ${title.padEnd(width)}${heads.map((head) => head.padStart(PERCENTILE_WIDTH)).join('')}`,
    ...figures.map(({ name, values }) => `  ${name.padEnd(width)}${values.join('')}`),
  ]
}

/** Cells of one width, as many beside each other as fit. */
function grid(cells: readonly string[], columns: number): string[] {
  const [indent, gap] = ['    ', '  ']
  const width = (cells[0]?.length ?? 0) + gap.length
  const across = Math.max(1, Math.floor((columns - indent.length + gap.length) / width))
  return Array.from({ length: Math.ceil(cells.length / across) }, (_, row) => {
    return indent + cells.slice(row * across, (row + 1) * across).join(gap)
  })
}

/** How many operations took up to so long. */
function histogramLines({ bars, count }: LatencyHistogram, columns: number): string[] {
  const most = Math.max(...bars.map(([, of]) => of))
  const width = Math.max(10, columns - 34)
  return bars.map(([upToMs, of]) => {
    const percent = (100 * of) / count
    const bar = '█'.repeat(of > 0 ? Math.max(1, Math.round((of / most) * width)) : 0)
    return `  ≤ ${String(upToMs).padStart(6)} ms ${percent.toFixed(percent < 1 ? 4 : 1).padStart(8)} % ${bar}`
  })
}

function explanation({ spec }: LoadResult): string {
  const isClosed = (spec as { arrivals: { kind: string } }).arrivals.kind === 'closed'
  return isClosed
    ? 'Closed loop: “from the intended time” fills in what stalled connections could not send (coordinated omission).'
    : 'Open loop: “from the intended time” counts from the plan, so that a stall cannot hide itself.'
}

function outageLines({ outages }: LoadResult, columns: number): string[] {
  if (outages.length === 0) return []
  const ended = outages.filter(({ toMs }) => toMs !== null)
  const longest = Math.max(0, ...ended.map(({ fromMs, toMs }) => (toMs ?? 0) - fromMs))
  const clients = new Set(outages.map(({ client }) => client)).size
  const open = outages.length - ended.length
  const text = `Outages (first error to first success) of ${clients} clients: ${outages.length}${ended.length > 0 ? `, the longest ${(longest / 1000).toFixed(3)} s` : ''}${open > 0 ? `; ${open} lasted until the end` : ''}.`
  return wrap(text, columns, '  ')
}

function grouped(value: number): string {
  return value.toLocaleString('en-US')
}
