/** The head of the page: what was tested, what came out, what follows, and the circumstances. */
import { formatDate, formatMs } from '../figures.ts'
import { type Html, html } from '../html.ts'
import type { Result } from '../result.ts'
import { commandBlock, verdictMark } from './marks.ts'

const worlds = { real: 'real processes, sockets and disks', sim: 'simulator (virtual time)' } as const

export function overview(result: Result): Html {
  const { scenario, advice, arms, campaign } = result
  return html`
<header>
  <p class="eyebrow">Faultline · ${scenario.name}</p>
  <h1>${scenario.title}</h1>
  <div class="finding finding-${result.verdict}">
    <p class="finding-verdict">${verdictMark(result.verdict)}</p>
    <p class="finding-sentence">${result.sentence}</p>
  </div>
  ${notRun(result)}
  <div class="overview">
    <div>
      <h2 class="small">Claim under test</h2>
      <p class="claim">${scenario.claim}</p>
      ${
        advice.length > 0 &&
        html`<h2 class="small">What follows for your configuration</h2>
      <ul class="advice">${advice.map((sentence) => html`<li>${sentence}</li>`)}</ul>`
      }
    </div>
    ${facts(result)}
  </div>
  <nav aria-label="Sections">
    <a href="#predictions">Predicted and measured</a>
    ${arms.map((arm, position) => html`<a href="#arm-${position}">${arm.title}</a>`)}
    ${campaign !== null && html`<a href="#campaign">Campaign</a>`}
    <a href="#configuration">Configuration</a>
  </nav>
</header>`
}

/** Arms that could not run there, those with the same reason together: never passed over in silence. */
function notRun(result: Result): Html | false {
  const reasons = [...new Set(result.notRun.map(({ reason }) => reason))]
  return (
    reasons.length > 0 &&
    html`
  <div class="not-run">${reasons.map((reason) => {
    const titles = result.notRun.filter((arm) => arm.reason === reason).map(({ title }) => title)
    return html`<p><strong>Not run:</strong> ${titles.join('; ')}. <span class="muted">${reason} The verdict is that of the other arms.</span></p>`
  })}</div>`
  )
}

function facts(result: Result): Html {
  const { target, world, seed, settings, startedAt, elapsedMs, host } = result
  const given = Object.entries(settings).map(([name, value]) => html`<code>${name} ${value}</code> `)
  const row = (name: string, value: Html | string | number) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`
  return html`
    <div class="facts">
      <dl>
        ${row('Target', `${target.kind} ${target.version}`)}
        ${row('World', worlds[world])}
        ${row('Seed', html`<span class="figure">${seed}</span>`)}
        ${given.length > 0 && row('Settings given', html`<span class="settings">${given}</span>`)}
        ${row('Started', formatDate(startedAt))}
        ${row('Took', formatMs(elapsedMs))}
        ${row('Host', `${host.platform}, ${host.cpus} CPUs, Node ${host.node}`)}
        ${row('Faultline', host.faultline)}
        ${result.traceHash !== null && row('Trace hash', html`<code class="hash">${result.traceHash}</code>`)}
      </dl>
      <h2 class="small">Run it again</h2>
      ${commandBlock('replay', result.command)}
    </div>`
}
