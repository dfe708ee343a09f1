/** A campaign: what many seeds of the same scenario did, arm by arm, and how to see each failing seed again. */
import { type HistogramPanel, histogram } from '../charts/panels.ts'
import { campaignVerdict, formatCount, formatInterval, formatMeasure, formatOutcomes } from '../figures.ts'
import { type Html, html } from '../html.ts'
import type { Campaign, Result } from '../result.ts'
import { commandBlock, verdictMark } from './marks.ts'

type CampaignArm = Campaign['arms'][number]
type CampaignMeasure = CampaignArm['measures'][number]

const histogramId = (arm: number, measure: number) => `histogram-${arm}-${measure}`
const isDrawn = (measure: CampaignMeasure) => measure.values.length > 0

export function campaignSection(result: Result): Html | false {
  const { campaign } = result
  if (campaign === null) return false
  const { runs, firstSeed } = campaign
  return html`
<section id="campaign">
  <h2>Campaign of ${formatCount(runs)} ${runs === 1 ? 'seed' : 'seeds'}</h2>
  <p>Seeds ${firstSeed} to ${firstSeed + Math.max(0, runs - 1)}. Each chart shows how many seeds measured a value; the band is the predicted range.</p>
  ${campaign.arms.map((arm, position) => armDistribution(arm, position, result))}
</section>`
}

/** Charts by canvas id. */
export function campaignHistograms(campaign: Campaign | null): Record<string, HistogramPanel> {
  const charts: Record<string, HistogramPanel> = {}
  campaign?.arms.forEach((arm, armPosition) => {
    arm.measures.forEach((measure, position) => {
      if (!isDrawn(measure)) return
      const { values, unit, predictedLow, predictedHigh } = measure
      charts[histogramId(armPosition, position)] = histogram(values, unit, predictedLow, predictedHigh)
    })
  })
  return charts
}

function armDistribution(arm: CampaignArm, position: number, result: Result): Html {
  const title = result.arms.find(({ name }) => name === arm.arm)?.title ?? arm.arm
  return html`
  <h3>${title}</h3>
  <p>${verdictMark(campaignVerdict(arm))} ${formatOutcomes(arm)}</p>
  <div class="histograms">${arm.measures.map((measure, index) => distribution(measure, histogramId(position, index)))}</div>
  ${failures(arm, position)}`
}

/** Nearest rank of an ascending list. */
function quantile(values: readonly number[], fraction: number): number {
  return values[Math.max(0, Math.ceil(fraction * values.length) - 1)] ?? 0
}

function distribution(measure: CampaignMeasure, id: string): Html {
  const { label, unit, values, predictedLow: low, predictedHigh: high } = measure
  if (!isDrawn(measure))
    return html`<figure class="histogram"><figcaption>${label}</figcaption><p class="note">No seed measured it.</p></figure>`
  const figures = `median ${formatMeasure(quantile(values, 0.5), unit)}, from ${formatMeasure(values[0] ?? 0, unit)} to ${formatMeasure(values.at(-1) ?? 0, unit)}`
  const inside =
    low === null || high === null ? undefined : values.filter((value) => value >= low && value <= high).length
  return html`<figure class="histogram">
      <figcaption>${label}</figcaption>
      <div class="canvas"><canvas id="${id}" role="img" aria-label="${label}: ${figures}"></canvas></div>
      <p class="note">${figures}${
        low !== null &&
        high !== null &&
        html`<br>predicted ${formatInterval({ low, high, unit })}: ${formatCount(inside ?? 0)} of ${formatCount(values.length)} inside`
      }</p></figure>`
}

const FAILURES_MOST = 25

function failures(arm: CampaignArm, position: number): Html | false {
  if (arm.failures.length === 0) return false
  const shown = arm.failures.slice(0, FAILURES_MOST)
  const more = arm.failures.length - shown.length
  return html`
  <details open class="failures"><summary>${formatCount(arm.failures.length)} ${arm.failures.length === 1 ? 'seed' : 'seeds'} did not pass</summary>
    <ul>${shown.map(({ seed, sentence, command }, index) => html`<li><p><strong class="figure">seed ${seed}</strong>: ${sentence}</p>${commandBlock(`seed-${position}-${index}`, command)}</li>`)}</ul>
    ${more > 0 && html`<p class="note">${formatCount(more)} more are in the JSON result.</p>`}
  </details>`
}
