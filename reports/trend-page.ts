/**
 * The trend page: every metric of the gate over its runs, with its interval, its levels and change points, and the
 * commit of each. Drawn as SVG without a script: a point's text appears when the pointer rests on it, and the table
 * below each drawing holds the same figures.
 */
import { ticksBetween } from './charts/axis.ts'
import { renderDocument } from './document.ts'
import { formatCount, formatDate } from './figures.ts'
import { percentText } from './gate-text.ts'
import { type Html, html } from './html.ts'
import type { Trend, TrendMetric, TrendRun } from './trend.ts'

const WIDTH = 960
const HEIGHT = 190
const LEFT = 58
const RIGHT = 12
const TOP = 10
const BOTTOM = 24
const TABLE_ROWS = 30

/** The whole page, ready to be written to a file. */
export function renderTrendPage(trend: Trend): string {
  const { runs, metrics } = trend
  const last = runs.at(-1)
  const changes = metrics.flatMap((metric) => changesOf(metric).map((change) => ({ metric, change })))
  return renderDocument({
    title: `Trend of ${metrics.length} metrics over ${runs.length} runs`,
    generator: trend.generator,
    main: [
      html`<header>
  <p class="eyebrow">Faultline · benchmark gate</p>
  <h1>Trend over ${formatCount(runs.length)} ${runs.length === 1 ? 'run' : 'runs'}</h1>
  ${
    last === undefined
      ? html`<p>The history is empty: every <code>npm run gate</code> adds a run to it.</p>`
      : html`<p>From ${formatDate(runs[0]?.at ?? last.at)} to ${formatDate(last.at)}. Newest: <code>${last.commit.slice(0, 12)}</code>, ${last.verdict}. Bars are 95 % intervals, horizontal lines the level between change points.</p>`
  }
  ${changeList(changes, runs)}
</header>`,
      ...metrics.map((metric) => metricSection(metric, runs)),
    ],
  })
}

interface Change {
  /** Position of the first point of the new level. */
  at: number
  before: number
  after: number
}

function changesOf({ levels }: TrendMetric): Change[] {
  return levels
    .slice(1)
    .map((level, i) => ({ at: level.from, before: levels[i]?.value ?? level.value, after: level.value }))
}

function isWorse({ better }: TrendMetric, { before, after }: Change): boolean {
  return better === 'less' ? after > before : after < before
}

function changeText(metric: TrendMetric, change: Change, runs: readonly TrendRun[]): Html {
  const run = runs[metric.points[change.at]?.run ?? 0]
  const worse = isWorse(metric, change)
  return html`${worse ? html`<strong class="bad">worse</strong>` : 'better'}: ${valueText(change.before)} → ${valueText(change.after)} (${percentText(change.after / change.before - 1)}) from <code>${run?.commit.slice(0, 12)}</code>, ${formatDate(run?.at ?? '')}`
}

function changeList(changes: readonly { metric: TrendMetric; change: Change }[], runs: readonly TrendRun[]): Html {
  if (changes.length === 0) return html`<p>No metric has a change point.</p>`
  return html`<h2 class="small">Change points</h2>
  <ul>${changes.map(({ metric, change }) => html`<li><a href="#${metric.name}">${metric.title}</a> ${changeText(metric, change, runs)}</li>`)}</ul>`
}

function valueText(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 })
}

function metricSection(metric: TrendMetric, runs: readonly TrendRun[]): Html {
  const { name, title, unit, better, points } = metric
  const last = points.at(-1)
  return html`<section id="${name}">
  <h2>${title}</h2>
  <p>${unit}, ${better} is better.${last !== undefined && html` Newest: <span class="figure">${valueText(last.value)}</span> (${valueText(last.low)} … ${valueText(last.high)}).`}</p>
  ${drawing(metric, runs)}
  ${table(metric, runs)}
</section>`
}

function drawing(metric: TrendMetric, runs: readonly TrendRun[]): Html | false {
  const { points, levels, title } = metric
  if (points.length === 0) return false
  const lowest = Math.min(...points.map(({ low }) => low))
  const highest = Math.max(...points.map(({ high }) => high))
  const margin = Math.max((highest - lowest) * 0.08, highest * 0.01)
  const bottom = lowest - margin
  const top = highest + margin
  const ticks = ticksBetween(bottom, top, 4)
  const x = (i: number) => LEFT + ((i + 0.5) / points.length) * (WIDTH - LEFT - RIGHT)
  const y = (value: number) => TOP + ((top - value) / (top - bottom)) * (HEIGHT - TOP - BOTTOM)
  const text = `${title}: ${points.length} runs, ${levels.length - 1} change points`
  return html`<svg class="trend" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${text}">
  ${ticks.map((tick) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}"/><text x="${LEFT - 6}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${valueText(tick)}</text>`)}
  ${changesOf(metric).map((change) => {
    const at = ((x(change.at) + x(change.at - 1)) / 2).toFixed(1)
    return html`<line class="change ${isWorse(metric, change) && 'bad'}" x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`
  })}
  ${levels.map(({ from, to, value }) => html`<line class="level" x1="${(x(from) - 4).toFixed(1)}" x2="${(x(to - 1) + 4).toFixed(1)}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>`)}
  ${points.map((point, i) => {
    const run = runs[point.run]
    const at = x(i).toFixed(1)
    return html`<g class="point"><title>${run?.commit.slice(0, 12)}, ${formatDate(run?.at ?? '')}: ${valueText(point.value)} (${valueText(point.low)} … ${valueText(point.high)})</title><line x1="${at}" x2="${at}" y1="${y(point.high).toFixed(1)}" y2="${y(point.low).toFixed(1)}"/><circle cx="${at}" cy="${y(point.value).toFixed(1)}" r="3"/></g>`
  })}
  <text x="${x(0).toFixed(1)}" y="${HEIGHT - 6}">${dayOf(runs[points[0]?.run ?? 0])}</text>
  ${points.length > 1 && html`<text x="${(WIDTH - RIGHT).toFixed(1)}" y="${HEIGHT - 6}" text-anchor="end">${dayOf(runs[points.at(-1)?.run ?? 0])}</text>`}
</svg>`
}

function dayOf(run: TrendRun | undefined): string {
  return run?.at.slice(0, 10) ?? ''
}

function table({ points, levels }: TrendMetric, runs: readonly TrendRun[]): Html | false {
  if (points.length === 0) return false
  const starts = new Set(levels.slice(1).map(({ from }) => from))
  const shown = points.map((point, i) => ({ point, i })).slice(-TABLE_ROWS)
  return html`<details><summary>Figures of the last ${shown.length} runs</summary>
  <div class="scroll"><table>
    <thead><tr><th scope="col">run</th><th scope="col">commit</th><th scope="col" class="number">value</th><th scope="col" class="number">95 % interval</th><th scope="col">change</th></tr></thead>
    <tbody>${shown.reverse().map(({ point, i }) => {
      const run = runs[point.run]
      return html`<tr><th scope="row">${formatDate(run?.at ?? '')}</th><td><code>${run?.commit.slice(0, 12)}</code></td><td class="number">${valueText(point.value)}</td><td class="number">${valueText(point.low)} … ${valueText(point.high)}</td><td>${starts.has(i) && 'new level'}</td></tr>`
    })}</tbody>
  </table></div></details>`
}
