/**
 * Predicted against measured. One block of rows per measure, one row per arm, all arms of a measure on one scale: the
 * question is how the arms differ and whether each lies where it was said to lie. The plots are SVG with positions in
 * percent, so that they need no script and print sharply.
 */
import { percentOf, roundUp } from '../charts/axis.ts'
import {
  causeLabel,
  describeMeasure,
  formatCount,
  formatInterval,
  formatMeasure,
  formatScaleEnd,
  type Place,
  placeOf,
} from '../figures.ts'
import { type Html, html } from '../html.ts'
import type { ArmResult, Measured, Prediction, Result } from '../result.ts'
import { curvesSection } from './curves.ts'
import { goalsSection } from './goals.ts'
import { verdictMark, verdictShape } from './marks.ts'
import { percentileCurves } from './percentiles.ts'

export function predictions(result: Result): Html {
  const { arms } = result
  const measures = [...new Set(arms.flatMap((arm) => Object.keys(arm.predicted)))]
  return html`
<section id="predictions">
  <h2>Predicted and measured</h2>
  ${goalsSection(result)}
  ${armVerdicts(arms)}
  ${
    measures.length === 0
      ? html`<p class="note">This scenario predicts no numbers.</p>`
      : html`
  <table class="predictions" role="table">
    <thead role="rowgroup"><tr role="row">
      <th scope="col" role="columnheader">Arm</th><th scope="col" role="columnheader" class="number">Predicted</th>
      <th scope="col" role="columnheader" class="number">Measured</th><th scope="col" role="columnheader"></th>
      <th scope="col" role="columnheader" class="plot">Predicted range and measured value</th>
    </tr></thead>
    ${measures.map((measure) => measureRows(measure, result))}
  </table>`
  }
  ${curvesSection(result.curves)}
  ${percentileCurves(result)}
  ${countsTable(result)}
</section>`
}

function armVerdicts(arms: readonly ArmResult[]): Html {
  return html`
  <ul class="arm-verdicts">${arms.map(
    (arm, position) => html`
    <li><p class="arm-name">${verdictMark(arm.verdict)} <a href="#arm-${position}">${arm.title}</a></p>
      <p class="settings">${settingsOf(arm)}</p><p>${arm.sentence}</p></li>`,
  )}
  </ul>`
}

export function settingsOf(arm: ArmResult): Html[] {
  return Object.entries(arm.settings).map(([name, value]) => html`<code>${name} ${value}</code> `)
}

const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

function measureRows(measure: string, result: Result): Html {
  const { label, unit } = describeMeasure(measure, result)
  const rows = result.arms.flatMap((arm) => {
    const prediction = own(arm.predicted, measure)
    return prediction === undefined ? [] : [{ arm, prediction, value: own(arm.measured, measure) }]
  })
  const ends = rows.flatMap(({ prediction, value }) => [prediction.high, typeof value === 'number' ? value : 0])
  const max = roundUp(Math.max(1e-9, ...ends) * 1.02, 5)
  return html`
    <tbody role="rowgroup">
      <tr class="measure" role="row"><th colspan="4" scope="rowgroup" role="rowheader">${label}</th>
        <td role="cell" class="plot scale"><span>0</span><span>${formatScaleEnd(max, unit)}</span></td></tr>
      ${rows.map(({ arm, prediction, value }) => row(arm, prediction, value, max))}
      <tr class="derivation" role="row"><td colspan="5" role="cell">${derivations(rows)}</td></tr>
    </tbody>`
}

type Value = Measured[string] | undefined

function row(arm: ArmResult, prediction: Prediction, value: Value, max: number): Html {
  const place = placeOf(value, prediction)
  const measured = typeof value === 'number' ? formatMeasure(value, prediction.unit) : 'not measured'
  return html`
      <tr role="row"><th scope="row" role="rowheader">${arm.title}</th>
        <td role="cell" class="number">${formatInterval(prediction)}</td>
        <td role="cell" class="number measured">${measured}</td>
        <td role="cell" class="place">${placeMark(place)}</td>
        <td role="cell" class="plot">${intervalPlot(prediction, value, max, place)}</td></tr>`
}

function placeMark(place: Place | undefined): Html {
  if (place === undefined)
    return html`<span class="verdict verdict-unknown">${verdictShape('unknown')}<span>unknown</span></span>`
  const verdict = place === 'inside' ? 'pass' : 'fail'
  return html`<span class="verdict verdict-${verdict}">${verdictShape(verdict)}<span>${place}</span></span>`
}

/** The predicted range as a bar, the measured value as a diamond on it; outside, the diamond is hollow and red. */
function intervalPlot(prediction: Prediction, value: Value, max: number, place: Place | undefined): Html {
  const low = percentOf(prediction.low, max)
  const width = Math.max(0.4, percentOf(prediction.high, max) - low)
  const at = typeof value === 'number' ? percentOf(value, max) : undefined
  return html`<svg class="interval" height="22" aria-hidden="true"><line class="track" x1="0" x2="100%" y1="11" y2="11"/><rect class="range" x="${low}%" y="4" width="${width}%" height="14" rx="2"/>${
    at !== undefined &&
    html`<svg class="point" x="${at}%" y="11"><path class="${place === 'inside' ? 'inside' : 'outside'}" d="M0-7 7 0 0 7-7 0Z"/></svg>`
  }</svg>`
}

function derivations(rows: readonly { arm: ArmResult; prediction: Prediction }[]): Html {
  const sources = [...new Set(rows.map(({ prediction }) => prediction.source))]
  return html`<details><summary>How this is predicted</summary>
        <dl>${rows.map(
          ({ arm, prediction }) => html`<div><dt>${arm.title}</dt>
          <dd><code>${prediction.formula}</code><br><code>= ${prediction.derivation}</code><br><code>= ${formatInterval(prediction)}</code></dd></div>`,
        )}
          <div><dt>${sources.length === 1 ? 'Source' : 'Sources'}</dt><dd>${sources.join('; ')}</dd></div></dl></details>`
}

/** Other units say what is counted, and so does the label. */
const COUNTED_WITH_UNIT: ReadonlySet<string> = new Set(['ms', 'bytes', 'ratio', 'ops/s'])

/** Everything that was counted, arms side by side: operations by outcome, losses by cause, and other measures. */
function countsTable(result: Result): Html {
  const { arms } = result
  const predicted = new Set(arms.flatMap((arm) => Object.keys(arm.predicted)))
  const names = [...new Set(arms.flatMap((arm) => Object.keys(arm.measured)))]
  const cell = (value: Value, unit: string) =>
    html`<td class="number">${typeof value === 'number' ? formatMeasure(value, COUNTED_WITH_UNIT.has(unit) ? unit : '') : '–'}</td>`
  const rows = names.flatMap((name): Html[] => {
    const { label, unit } = describeMeasure(name, result)
    const values = arms.map((arm) => own(arm.measured, name))
    if (values.every((value) => value === undefined || typeof value === 'number')) {
      if (predicted.has(name) && name !== 'lostWrites') return []
      return [html`<tr><th scope="row">${label}</th>${values.map((value) => cell(value, unit))}</tr>`]
    }
    const keys = [...new Set(values.flatMap((value) => (typeof value === 'object' ? Object.keys(value) : [])))]
    return keys.map((key) => {
      const parts = values.map((value) => (typeof value === 'object' ? own(value, key) : undefined))
      const words = name === 'lostWritesByCause' ? causeLabel(key, result) : `${label}: ${key}`
      return html`<tr class="part"><th scope="row">${words}</th>${parts.map((part) => cell(part, unit))}</tr>`
    })
  })
  return html`
  <h3>Counted in each arm</h3>
  <div class="scroll" tabindex="0" role="region" aria-label="Counts by arm"><table class="counts">
    <thead><tr><td></td>${arms.map((arm) => html`<th scope="col" class="number">${arm.title}</th>`)}</tr></thead>
    <tbody>
      <tr><th scope="row">operations in all</th>${arms.map(({ measured }) => html`<td class="number">${formatCount(measured.acknowledged + measured.refused + measured.unknown)}</td>`)}</tr>
      ${rows}</tbody>
  </table></div>`
}
