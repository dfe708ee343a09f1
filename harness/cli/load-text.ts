/** A load result for a terminal: rate, percentiles, a histogram, and what to know about errors and outages. */
import type { LatencyHistogram, LoadResult, LoadSearch, SearchPoint } from '../../reports/load-result.ts'
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
    `${result.target}: ${grouped(result.requestsPerSecond)} requests per second`,
    `  ${grouped(counts.sent)} sent, ${grouped(counts.ok)} ok, ${grouped(counts.errors)} errors, ${grouped(counts.timeouts)} time-outs in ${(result.elapsedMs / 1000).toFixed(2)} s`,
    '',
    ...percentileTable(result),
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
  if (result.interrupted) lines.push('', '  Interrupted: these are the results so far.')
  if (result.verdict !== 'pass') lines.push('', `  ${result.verdict.toUpperCase()}`)
  for (const reason of result.reasons) lines.push(...wrap(reason, columns, '  '))
  lines.push('')
  return lines.join('\n')
}

/** One measurement of a search, as it is made. */
export function searchPointLine({ ratePerSecond, answeredPerSecond, p50Ms, p99Ms, outcome }: SearchPoint): string {
  const words = { met: 'met', missed: 'missed', driver: 'the driver could not offer it' }
  return `${grouped(Math.round(ratePerSecond)).padStart(12)}/s: ${grouped(Math.round(answeredPerSecond))} answered, p50 ${p50Ms} ms, p99 ${p99Ms} ms: ${words[outcome]}\n`
}

/** What a search found, and latency over rate as bars by decades. */
export function searchText(
  { objective, bestPerSecond, verdict, reasons, points }: LoadSearch,
  columns: number,
): string {
  const least = verdict === 'pass' ? '' : 'at least '
  const lines = ['', `Highest rate that meets ${objective}: ${least}${grouped(bestPerSecond)} requests per second`]
  for (const reason of reasons) lines.push(...wrap(reason, columns, '  '))
  const sorted = [...points].sort((a, b) => a.ratePerSecond - b.ratePerSecond)
  const logs = sorted.map(({ p99Ms }) => Math.log10(Math.max(p99Ms, 0.001)))
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))]
  const width = Math.max(10, Math.min(columns, 100) - 34)
  lines.push('', `  p99 by rate (bars by decades, ${10 ** low} to ${10 ** high} ms)`)
  sorted.forEach(({ ratePerSecond, p99Ms, outcome }, i) => {
    const bar = (outcome === 'met' ? '█' : '░').repeat(
      Math.max(1, Math.round(((logs[i]! - low) / (high - low || 1)) * width)),
    )
    lines.push(`  ${grouped(Math.round(ratePerSecond)).padStart(11)}/s ${p99Ms.toFixed(3).padStart(10)} ms ${bar}`)
  })
  lines.push('')
  return `${lines.join('\n')}\n`
}

function percentileTable({ raw, corrected, commands }: LoadResult): string[] {
  const rows: [string, LatencyHistogram | LoadResult['commands'][number]['raw']][] = [
    ['all, from sending', raw],
    ['all, from the intended time', corrected],
  ]
  if (commands.length > 1) for (const command of commands) rows.push([command.name, command.corrected])
  const width = Math.max(...rows.map(([name]) => name.length))
  const heads = ['p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max']
  const cell = (text: string): string => text.padStart(9)
  return [
    `  ${'latency in ms'.padEnd(width)}${heads.map(cell).join('')}`,
    ...rows.map(
      ([name, it]) =>
        `  ${name.padEnd(width)}${[it.p50Ms, it.p90Ms, it.p99Ms, it.p999Ms, it.p9999Ms, it.maxMs].map((value) => cell(value.toFixed(3))).join('')}`,
    ),
  ]
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
    ? 'Closed loop: the second line fills in what stalled connections could not send (coordinated omission).'
    : 'Open loop: the second line counts from the planned time, so that a stall cannot hide itself.'
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
