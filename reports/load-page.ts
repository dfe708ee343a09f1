/**
 * The page of a load: verdict, rate and percentiles, the run over time, the slowest operations, outages, the search.
 */
import chartLibrary from 'chart.js/dist/chart.umd.min.js?raw'
import annotationPlugin from 'chartjs-plugin-annotation/dist/chartjs-plugin-annotation.min.js?raw'
import { roundTicks, roundUp } from './charts/axis.ts'
import copyCommand from './charts/browser/copy-command.js?raw'
import drawCharts from './charts/browser/draw.js?raw'
import { type Curve, curveFigure } from './charts/curve.ts'
import { mergeFactor, mergeFirst, mergeLargest, mergeSums } from './charts/downsample.ts'
import type { ArmAxis, ChartData, TitledPanel } from './charts/panels.ts'
import { renderDocument } from './document.ts'
import { formatCount, formatDate, formatMs } from './figures.ts'
import { type Html, html } from './html.ts'
import type { LatencySummary, LoadResult, LoadSearch, LoadVerdict } from './load-result.ts'
import { panelFigure } from './sections/arm.ts'
import { timeAxis } from './sections/lanes.ts'
import { commandBlock, verdictMark } from './sections/marks.ts'

export interface LoadReport {
  results: readonly LoadResult[]
  search: LoadSearch | null
  /** What makes it anew; without secrets. */
  command: string
  host: { node: string; platform: string; cpus: number; faultline: string }
}

const SLOWEST_SHOWN = 15
const OUTAGES_SHOWN = 30
const SECOND_MS = 1000

export function renderLoadPage(report: LoadReport): string {
  const { results, search } = report
  const panels = results.map((result, run) => ({ axis: axisOf(result), panels: panelsOf(result, run) }))
  const charts: ChartData = {
    arms: Object.fromEntries(
      panels.map(({ axis, panels: list }, run) => [
        `timeline-${run}`,
        { ...axis, panels: Object.fromEntries(list.map(({ id, panel }) => [id, panel])) },
      ]),
    ),
    histograms: {},
  }
  return renderDocument({
    title: `${verdictOf(report)}: load on ${results[0]?.target ?? search?.target ?? ''}`,
    generator: report.host.faultline,
    main: [
      head(report),
      search === null ? false : searchSection(search),
      ...results.map((result, run) => runSection(result, run, panels[run]!)),
    ],
    data: charts,
    scripts: [chartLibrary, annotationPlugin, drawCharts, copyCommand],
  })
}

function verdictOf({ results, search }: LoadReport): LoadVerdict {
  const verdicts = search === null ? results.map(({ verdict }) => verdict) : [search.verdict]
  return verdicts.find((one) => one === 'fail') ?? verdicts.find((one) => one === 'unknown') ?? 'pass'
}

function head(report: LoadReport): Html {
  const { results, search, host, command } = report
  const verdict = verdictOf(report)
  const first = results[0] ?? search?.last ?? null
  const row = (name: string, value: Html | string) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`
  return html`
<header>
  <p class="eyebrow">Faultline · load</p>
  <h1>Load on ${search?.target ?? first?.target ?? ''}</h1>
  <div class="finding finding-${verdict}">
    <p class="finding-verdict">${verdictMark(verdict)}</p>
    <p class="finding-sentence">${search === null ? results.map(sentence).join(' ') : searchSentence(search)}</p>
  </div>
  <div class="overview">
    <div>
      <h2 class="small">How it was measured</h2>
      <p class="claim">${first !== null && explanation(first)}</p>
    </div>
    <div class="facts">
      <dl>
        ${first !== null && row('Started', formatDate(first.startedAt))}
        ${row('Took', formatMs(results.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0)))}
        ${row('Host of the driver', `${host.platform}, ${host.cpus} CPUs, Node ${host.node}`)}
        ${row('Faultline', host.faultline)}
      </dl>
      <h2 class="small">Run it again</h2>
      ${commandBlock('replay', command)}
    </div>
  </div>
</header>`
}

function nameOf({ commands }: LoadResult): string {
  return commands.map(({ name }) => name).join(' + ')
}

function sentence(result: LoadResult): string {
  const { requestsPerSecond, corrected, reasons } = result
  const rate = `${nameOf(result)}: ${formatCount(Math.round(requestsPerSecond))} requests per second, p99 ${corrected.p99Ms} ms.`
  return [rate, ...reasons].join(' ')
}

function searchSentence({ objective, bestPerSecond, verdict, reasons }: LoadSearch): string {
  const rate = formatCount(bestPerSecond)
  const found =
    verdict === 'pass'
      ? `The highest rate that meets ${objective} is ${rate} requests per second.`
      : `At least ${rate} requests per second meet ${objective}.`
  return [bestPerSecond === 0 ? `No rate was found that meets ${objective}.` : found, ...reasons].join(' ')
}

function isClosed({ spec }: LoadResult): boolean {
  return (spec as { arrivals?: { kind?: string } }).arrivals?.kind === 'closed'
}

function explanation(result: LoadResult): string {
  return isClosed(result)
    ? 'Closed loop: a connection sends the next request when an earlier one is answered. Corrected latencies fill in what stalled connections could not send (coordinated omission).'
    : 'Open loop: requests begin at planned times whatever becomes of earlier ones, and corrected latencies count from these times: a stall cannot hide itself.'
}

function runSection(
  result: LoadResult,
  run: number,
  { axis, panels }: { axis: ArmAxis; panels: readonly TitledPanel[] },
): Html {
  const { counts, driver } = result
  return html`
<section class="arm" id="run-${run}">
  <h2>${nameOf(result)}</h2>
  <p class="arm-sentence">${verdictMark(result.verdict)} ${sentence(result)}</p>
  <p>${formatCount(counts.sent)} operations sent: ${formatCount(counts.ok)} answered, ${formatCount(counts.errors)} errors, ${formatCount(counts.timeouts)} time-outs.${result.interrupted && ' The run was interrupted.'}</p>
  ${latencyTable(result)}
  ${percentileCurve(result)}
  <h3>Over time</h3>
  <div class="timeline" id="timeline-${run}" tabindex="0" role="group" aria-label="The run over time; arrow keys move the reading line">
    ${panels.map(panelFigure)}
    ${timeAxis(axis, 'bottom')}
    <div class="crosshair" aria-hidden="true"><span class="crosshair-time"></span></div>
  </div>
  ${slowestTable(result)}
  ${errorTable(result)}
  ${outageTable(result)}
  ${consumerTable(result)}
  <h3>The driver itself</h3>
  <p>${driver.threads} ${driver.threads === 1 ? 'thread' : 'threads'}, ${driver.cpu.toFixed(2)} cores${driver.busy !== null && `, event loop busy for ${Math.round(driver.busy * 100)} % of the time`}; event loop lag p99 ${driver.loopLagP99Ms} ms; operations sent late by itself p99 ${driver.lateP99Ms} ms.</p>
</section>`
}

const summaryColumns: readonly [string, keyof LatencySummary][] = [
  ['p50', 'p50Ms'],
  ['p90', 'p90Ms'],
  ['p99', 'p99Ms'],
  ['p99.9', 'p999Ms'],
  ['p99.99', 'p9999Ms'],
  ['max', 'maxMs'],
]

function latencyTable({ raw, corrected, commands }: LoadResult): Html {
  const row = (name: string, summary: LatencySummary) =>
    html`<tr><th scope="row">${name}</th>${summaryColumns.map(([, key]) => html`<td class="number">${summary[key].toFixed(3)}</td>`)}</tr>`
  return html`
  <h3>Latency in milliseconds</h3>
  <div class="scroll"><table>
    <thead><tr><td></td>${summaryColumns.map(([title]) => html`<th scope="col" class="number">${title}</th>`)}</tr></thead>
    <tbody>
      ${row('all, corrected', corrected)}
      ${row('all, raw', raw)}
      ${commands.length > 1 && commands.map((command) => row(`${command.name}, corrected`, command.corrected))}
    </tbody>
  </table></div>`
}

/** Percentiles as HdrHistogram plots them: every decade of rarity takes the same room. */
function percentileCurve({ raw, corrected }: LoadResult): Html {
  const rarity = (percentile: number, count: number): number =>
    Math.log10(1 / Math.max(1 - percentile / 100, 1 / Math.max(count, 1)))
  const curve = (label: string, colour: Curve['colour'], histogram: LoadResult['raw']): Curve => ({
    label,
    colour,
    points: histogram.curve.map(([percentile, ms]) => ({ x: rarity(percentile, histogram.count), y: ms })),
  })
  const most = Math.log10(Math.max(10, raw.count))
  const ticks = [0, 50, 90, 99, 99.9, 99.99, 99.999, 99.9999].filter((it) => -Math.log10(1 - it / 100) <= most)
  return curveFigure({
    title: 'Latency by percentile',
    summary: `Half of all within ${corrected.p50Ms} ms, 99 % within ${corrected.p99Ms} ms.`,
    curves: [curve('corrected', 'max', corrected), curve('raw', 'p50', raw)],
    xTicks: ticks.map((it) => ({ at: -Math.log10(1 - it / 100), label: String(it) })),
    xLabel: 'percentile',
  })
}

function axisOf({ seconds }: LoadResult): ArmAxis {
  const maxMs = Math.max(1, seconds.length) * SECOND_MS
  const ticksMs = roundTicks(maxMs / SECOND_MS, 14).map((second) => second * SECOND_MS)
  return { maxMs, ticksMs, bands: [], linesMs: [] }
}

function panelsOf({ seconds, slowest }: LoadResult, run: number): TitledPanel[] {
  const factor = mergeFactor(seconds.length)
  const xs = mergeFirst(
    seconds.map(({ atMs }) => atMs),
    factor,
  )
  const widthMs = SECOND_MS * factor
  const rates = (of: (second: LoadResult['seconds'][number]) => number): number[] =>
    mergeSums(seconds.map(of), factor).map((sum) => Math.round(sum / factor))
  const [ok, errors, timeouts] = [rates((it) => it.ok), rates((it) => it.errors), rates((it) => it.timeouts)]
  const rateMax = roundUp(Math.max(1, ...ok.map((value, i) => value + (errors[i] ?? 0) + (timeouts[i] ?? 0))), 4)
  const latencies = (key: keyof LatencySummary): (number | null)[] =>
    mergeLargest(
      seconds.map(({ corrected }) => (corrected.count === 0 ? null : corrected[key])),
      factor,
    )
  const series = { max: latencies('maxMs'), p99: latencies('p99Ms'), p50: latencies('p50Ms') }
  const known = Object.values(series)
    .flat()
    .filter((value): value is number => value !== null && value > 0)
  const first = Math.floor(Math.log10(Math.min(1, ...known)))
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(1, ...known))))
  const yTicks = Array.from({ length: last - first + 1 }, (_, step) => Number((10 ** (first + step)).toPrecision(1)))
  return [
    {
      id: `chart-${run}-rate`,
      title: 'Requests per second',
      summary: `${ok.length} points.`,
      panel: {
        kind: 'area',
        scale: 'linear',
        unit: 'per second',
        xs,
        widthMs,
        series: [
          { label: 'answered', colour: 'ok', values: ok },
          { label: 'errors', colour: 'fail', values: errors },
          { label: 'time-outs', colour: 'unknown', values: timeouts },
        ],
        yMin: 0,
        yMax: rateMax,
        yTicks: roundTicks(rateMax, 4),
      },
    },
    {
      id: `chart-${run}-latency`,
      title: 'Latency, corrected',
      summary: `The slowest operation took ${Math.max(0, ...slowest.map(({ latencyMs }) => latencyMs))} ms.`,
      panel: {
        kind: 'line',
        scale: 'log',
        unit: 'ms',
        xs: xs.map((atMs) => atMs + widthMs / 2),
        widthMs: 0,
        series: (['max', 'p99', 'p50'] as const).map((name) => ({ label: name, colour: name, values: series[name] })),
        yMin: 10 ** first,
        yMax: 10 ** last,
        yTicks,
      },
    },
  ]
}

function slowestTable({ slowest }: LoadResult): Html | false {
  if (slowest.length === 0) return false
  const worst = [...slowest].sort((a, b) => b.latencyMs - a.latencyMs).slice(0, SLOWEST_SHOWN)
  return table(
    'The slowest operations',
    ['ended after', 'took', 'command', 'client'],
    worst.map(({ atMs, latencyMs, command, client }) => [
      `${(atMs / 1000).toFixed(3)} s`,
      `${latencyMs} ms`,
      command,
      String(client),
    ]),
  )
}

function errorTable({ errors }: LoadResult): Html | false {
  if (errors.length === 0) return false
  const rows = errors.map(({ text, count, firstAtMs }) => [
    formatCount(count),
    `${(firstAtMs / 1000).toFixed(3)} s`,
    text,
  ])
  return table('Errors and time-outs', ['number', 'first after', 'text'], rows)
}

function outageTable({ outages }: LoadResult): Html | false {
  if (outages.length === 0) return false
  const longest = [...outages]
    .sort((a, b) => (b.toMs ?? Number.MAX_VALUE) - b.fromMs - ((a.toMs ?? Number.MAX_VALUE) - a.fromMs))
    .slice(0, OUTAGES_SHOWN)
  return table(
    `Outages of clients: first error to first success (${outages.length}, the longest first)`,
    ['client', 'began after', 'lasted', 'errors'],
    longest.map(({ client, fromMs, toMs, errors }) => [
      String(client),
      `${(fromMs / 1000).toFixed(3)} s`,
      toMs === null ? 'until the end' : `${((toMs - fromMs) / 1000).toFixed(3)} s`,
      formatCount(errors),
    ]),
  )
}

function consumerTable({ consumers }: LoadResult): Html | false {
  if (consumers.length === 0) return false
  const rows = consumers.map(({ name, connections, messages, delivery }) => [
    name,
    String(connections),
    formatCount(messages),
    `${delivery.p50Ms} ms`,
    `${delivery.p99Ms} ms`,
    `${delivery.maxMs} ms`,
  ])
  return table('Delivery to consumers', ['consumer', 'connections', 'messages', 'p50', 'p99', 'max'], rows)
}

function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): Html {
  return html`
  <h3>${title}</h3>
  <div class="scroll"><table>
    <thead><tr>${heads.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
    <tbody>${rows.map((cells) => html`<tr>${cells.map((text) => html`<td>${text}</td>`)}</tr>`)}</tbody>
  </table></div>`
}

function searchSection(search: LoadSearch): Html {
  const sorted = [...search.points].sort((a, b) => a.ratePerSecond - b.ratePerSecond)
  const curve = (label: string, colour: Curve['colour'], key: 'p50Ms' | 'p99Ms' | 'p999Ms'): Curve => ({
    label,
    colour,
    points: sorted.map((point) => ({
      x: Math.log10(point.ratePerSecond),
      y: point[key],
      isHollow: point.outcome !== 'met',
    })),
  })
  const [least, most] = [sorted[0]?.ratePerSecond ?? 1, sorted.at(-1)?.ratePerSecond ?? 1]
  const ticks = [1, 2, 5]
    .flatMap((factor) => Array.from({ length: 9 }, (_, power) => factor * 10 ** power))
    .filter((rate) => rate >= least && rate <= most)
    .sort((a, b) => a - b)
  const every = Math.ceil(ticks.length / 10)
  return html`
<section id="search">
  <h2>Latency by rate</h2>
  <p>${searchSentence(search)} Hollow points missed the objective.</p>
  ${curveFigure({
    title: 'Corrected latency at each rate offered',
    summary: searchSentence(search),
    curves: [curve('p99.9', 'max', 'p999Ms'), curve('p99', 'p99', 'p99Ms'), curve('p50', 'p50', 'p50Ms')],
    xTicks: ticks.filter((_, i) => i % every === 0).map((rate) => ({ at: Math.log10(rate), label: formatCount(rate) })),
    xLabel: 'requests per second',
  })}
  ${table(
    'Measurements in their order',
    ['offered per second', 'answered', 'p50', 'p99', 'p99.9', 'objective'],
    search.points.map((point) => [
      formatCount(Math.round(point.ratePerSecond)),
      formatCount(Math.round(point.answeredPerSecond)),
      `${point.p50Ms} ms`,
      `${point.p99Ms} ms`,
      `${point.p999Ms} ms`,
      point.outcome === 'driver' ? 'driver too slow' : point.outcome,
    ]),
  )}
</section>`
}
