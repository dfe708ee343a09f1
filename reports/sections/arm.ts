/** One arm: its timeline, events, checks, excerpt and outages, in the order in which a reviewer asks. */

import { percentOf } from '../charts/axis.ts'
import { type ArmAxis, armAxis, armPanels, type TitledPanel } from '../charts/panels.ts'
import { formatCount, formatMoment, formatMs, formatScaleEnd } from '../figures.ts'
import { type Html, html } from '../html.ts'
import type { ArmResult, CheckResult, Outage, Result } from '../result.ts'
import { eventLane, faultLanes, nodeLanes, timeAxis } from './lanes.ts'
import { verdictMark } from './marks.ts'
import { settingsOf } from './predictions.ts'

export function armSection(arm: ArmResult, position: number, result: Result): Html {
  const axis = armAxis(arm, result.arms)
  return html`
<section class="arm" id="arm-${position}">
  <p class="eyebrow">Arm ${position + 1} of ${result.arms.length}</p>
  <h2>${arm.title}</h2>
  <p class="arm-sentence">${verdictMark(arm.verdict)} ${arm.sentence}</p>
  <p class="settings">${settingsOf(arm)}</p>
  ${timeline(arm, position, axis, armPanels(arm, position, result))}
  ${faultList(arm)}
  ${eventList(arm)}
  ${checkList(arm)}
  ${excerpt(arm, position)}
  ${outageTable(arm, axis)}
</section>`
}

function timeline(arm: ArmResult, position: number, axis: ArmAxis, panels: readonly TitledPanel[]): Html {
  const times = sortedEvents(arm).map((event) => event.atMs)
  return html`
  <h3>Timeline</h3>
  <p class="key"><span><i class="swatch role-primary"></i>primary</span><span><i class="swatch role-replica"></i>replica</span><span><i class="swatch role-down"></i>no answer</span><span><i class="swatch state-fail"></i>cluster state fail</span><span><i class="swatch band"></i>fault</span><span class="when-script">Point at the timeline, or focus it and use the arrow keys, to read values.</span></p>
  <div class="timeline" id="timeline-${position}" tabindex="0" role="group" aria-label="Timeline of ${arm.title}; arrow keys move the reading line">
    ${eventLane(times, axis)}
    ${timeAxis(axis, 'top')}
    ${faultLanes(arm, axis)}
    ${nodeLanes(arm.timeline.nodes, axis)}
    <noscript><p class="note">The charts of rates, latencies, replication gap and losses are drawn by a script, and scripts are turned off. All tables on this page are complete without them.</p></noscript>
    ${panels.map(panelFigure)}
    ${timeAxis(axis, 'bottom')}
    <div class="crosshair" aria-hidden="true"><span class="crosshair-time"></span></div>
  </div>`
}

export function panelFigure({ id, title, summary, panel }: TitledPanel): Html {
  return html`
    <figure class="panel panel-${panel.kind}">
      <figcaption>${title}<span class="legend">${panel.series.map(
        (series, position) =>
          html`<span><i class="swatch c-${series.colour}"></i>${series.label} <output data-value="${id}-${position}"></output></span>`,
      )}${panel.series.length === 0 && 'none in this arm'}</span></figcaption>
      <div class="canvas"><canvas id="${id}" role="img" aria-label="${title}. ${summary}"></canvas></div>
    </figure>`
}

function faultList(arm: ArmResult): Html | false {
  return (
    arm.faults.length > 0 &&
    html`
  <h3>Faults</h3>
  <ul class="faults">${arm.faults.map(
    (fault) => html`
    <li><strong>${fault.name}</strong>, ${formatMoment(fault.startMs)} to ${formatMoment(fault.endMs)}: ${fault.description}.
      ${fault.tookHold === '' ? html`<strong class="bad">It never took hold.</strong>` : html`<span class="muted">Took hold: ${fault.tookHold}.</span>`}</li>`,
  )}</ul>`
  )
}

const EVENTS_MOST = 60

function sortedEvents(arm: ArmResult): ArmResult['timeline']['events'] {
  return [...arm.timeline.events].sort((a, b) => a.atMs - b.atMs).slice(0, EVENTS_MOST)
}

function eventList(arm: ArmResult): Html | false {
  const events = sortedEvents(arm)
  const more = arm.timeline.events.length - events.length
  return (
    events.length > 0 &&
    html`
  <h3>Events</h3>
  <ol class="events">${events.map(
    (event) =>
      html`<li><span class="moment">${formatMoment(event.atMs)}</span> <span><span class="node">${event.node}</span> ${event.text}</span></li>`,
  )}</ol>
  ${more > 0 && html`<p class="note">${formatCount(more)} more are in the JSON result.</p>`}`
  )
}

function checkList(arm: ArmResult): Html {
  if (arm.checks.length === 0) return html`<h3>Checks</h3><p class="note">This scenario has no checks.</p>`
  return html`
  <h3>Checks</h3>
  <div class="checks">${arm.checks.map(checkBlock)}</div>`
}

const EVIDENCE_MOST = 100

/** Evidence lies open where a check did not pass; a check without any needs nothing to open. */
function checkBlock(check: CheckResult): Html {
  const head = html`${verdictMark(check.verdict)}<span class="check-name">${check.name}</span><span class="check-sentence">${check.sentence}</span>`
  if (check.evidence.length === 0) return html`<div class="check"><p class="check-head">${head}</p></div>`
  const more = check.evidence.length - EVIDENCE_MOST
  return html`<details class="check"${check.verdict !== 'pass' && html` open`}><summary class="check-head">${head}</summary>
    <ul class="evidence">${check.evidence
      .slice(0, EVIDENCE_MOST)
      .map(
        ({ atMs, text }) =>
          html`<li>${atMs !== undefined && html`<span class="moment">${formatMoment(atMs)}</span> `}<span>${text}</span></li>`,
      )}</ul>${more > 0 && html`<p class="note">${formatCount(more)} more are in the JSON result.</p>`}</details>`
}

function excerpt(arm: ArmResult, position: number): Html | false {
  return (
    arm.excerpt.length > 0 &&
    html`
  <h3>The telling lines of the history</h3>
  <pre class="excerpt" tabindex="0" aria-label="Excerpt of the history of arm ${position + 1}"><code>${arm.excerpt.join('\n')}</code></pre>
  ${arm.historyFile !== null && html`<p class="note">The whole history: <code>${arm.historyFile}</code></p>`}
  ${arm.traceHash !== null && html`<p class="note">Trace hash of this arm: <code class="hash">${arm.traceHash}</code></p>`}`
  )
}

const OUTAGES_MOST = 60
const OUTAGES_OPEN = 16

function outageTable(arm: ArmResult, axis: ArmAxis): Html {
  const { outages } = arm
  if (outages.length === 0)
    return html`<h3>Outages by client</h3><p class="note">No client saw an operation go wrong.</p>`
  const clients = new Set(outages.map((outage) => outage.client)).size
  const endMs = arm.timeline.durationMs
  const lengths = outages.map((outage) => (outage.endMs ?? endMs) - outage.startMs)
  const shown = outages.slice(0, OUTAGES_MOST)
  return html`
  <h3>Outages by client</h3>
  <details${outages.length <= OUTAGES_OPEN && html` open`}><summary>${formatCount(outages.length)} ${outages.length === 1 ? 'outage' : 'outages'} of ${formatCount(clients)} ${clients === 1 ? 'client' : 'clients'}; the longest ${formatMs(Math.max(...lengths))}</summary>
  <table class="outages" role="table"><thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Client</th><th scope="col" role="columnheader" class="number">From</th><th scope="col" role="columnheader" class="number">For</th><th scope="col" role="columnheader" class="number">Operations</th><th scope="col" role="columnheader" class="plot scale"><span>0</span><span>${formatScaleEnd(axis.maxMs, 'ms')}</span></th></tr></thead>
  <tbody role="rowgroup">${shown.map((outage) => outageRow(outage, arm, axis))}</tbody></table>
  ${outages.length > shown.length && html`<p class="note">${formatCount(outages.length - shown.length)} more are in the JSON result.</p>`}
  </details>`
}

function outageRow(outage: Outage, arm: ArmResult, axis: ArmAxis): Html {
  const endMs = outage.endMs ?? arm.timeline.durationMs
  const x = percentOf(outage.startMs, axis.maxMs)
  const width = Math.max(0.3, percentOf(endMs, axis.maxMs) - x)
  return html`<tr role="row"><th scope="row" role="rowheader">${outage.client} <span class="muted">${!outage.client.includes(outage.group) && outage.group}</span></th>
    <td role="cell" class="number">${formatMoment(outage.startMs)}</td><td role="cell" class="number">${formatMs(endMs - outage.startMs)}${outage.endMs === null && html` <strong class="bad">to the end</strong>`}</td>
    <td role="cell" class="number">${formatCount(outage.failedOperations)}</td>
    <td role="cell" class="plot"><svg class="range-plot" height="16" aria-hidden="true">${axis.bands.map(({ fromMs, toMs }) => html`<rect class="band" x="${percentOf(fromMs, axis.maxMs)}%" width="${percentOf(toMs, axis.maxMs) - percentOf(fromMs, axis.maxMs)}%" y="0" height="16"/>`)}<rect class="outage" x="${x}%" width="${width}%" y="5" height="6" rx="3"/></svg></td></tr>`
}
