/** The gate's result in words: a table in Markdown for the step summary of a CI run, and JUnit XML. */
import { formatCount, formatMs } from './figures.ts'
import type { GateMetric, GateResult, GateVerdict } from './gate-result.ts'
import { escapeXml } from './junit.ts'
import { escapeMarkdown } from './markdown.ts'

const marks: Readonly<Record<GateVerdict, string>> = {
  pass: '✅ pass',
  regression: '❌ regression',
  improvement: '✅ improvement',
  'too noisy': '❓ too noisy',
}

/** `+5.2 %`. */
export function percentText(share: number): string {
  if (!Number.isFinite(share)) return share > 0 ? '+∞' : '−∞'
  return `${share < 0 ? '−' : '+'}${formatCount(Math.round(Math.abs(share) * 1000) / 10)} %`
}

/** Three significant digits: more than the noise of a run allows is not shown. */
export function ratioText(value: number | null): string {
  return value === null ? '–' : value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
}

/** What the metric's verdict rests on, in one sentence. */
export function explain(metric: GateMetric): string {
  const { change, recent, threshold, rounds } = metric
  if (metric.value === null) return 'No round succeeded.'
  const parts = [`${rounds} rounds`]
  if (change !== null) {
    parts.push(
      `${percentText(change.share)} cost against the baseline (${percentText(change.low)} … ${percentText(change.high)}), threshold ${formatCount(threshold * 100)} %`,
    )
  }
  if (recent !== null) {
    parts.push(`history: ${percentText(recent.share)} cost since ${recent.sinceCommit.slice(0, 12)}`)
  }
  return parts.join('; ')
}

/** A short summary in GitHub-flavoured Markdown, ending in a line break. */
export function renderGateMarkdown(result: GateResult): string {
  const against = result.control === null ? 'engine' : '× redis-server'
  const rows = result.metrics.map(
    (metric) =>
      `| ${escapeMarkdown(metric.title)} | ${marks[metric.verdict]} | ${ratioText(metric.value)} | ${ratioText(metric.low)} … ${ratioText(metric.high)} | ${metric.change === null ? '–' : percentText(metric.change.share)} | ${metric.rounds} |`,
  )
  return `${[
    `## ${marks[result.verdict]}: benchmark gate`,
    result.notes.map((note) => `- ${escapeMarkdown(note)}`).join('\n'),
    [
      `| metric | verdict | ${against} | 95 % interval | cost against baseline | rounds |`,
      '|---|---|---:|---:|---:|---:|',
      ...rows,
    ].join('\n'),
    escapeMarkdown(
      `Commit ${result.commit.slice(0, 12)}, ${result.host.cpu}, ${result.host.cores} cores, Node ${result.host.node}, ${formatMs(result.elapsedMs)}.`,
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`
}

/** JUnit XML: a metric is a test case, a regression a failure, `too noisy` an error. */
export function renderGateJunit(result: GateResult): string {
  const count = (verdict: GateVerdict) => result.metrics.filter((metric) => metric.verdict === verdict).length
  const counts = `tests="${result.metrics.length}" failures="${count('regression')}" errors="${count('too noisy')}"`
  const cases = result.metrics.map((metric) => {
    const name = escapeXml(metric.name)
    const text = escapeXml(explain(metric))
    const tag = metric.verdict === 'regression' ? 'failure' : metric.verdict === 'too noisy' ? 'error' : undefined
    const body = tag === undefined ? '' : `<${tag} message="${text}">${text}</${tag}>`
    return `    <testcase classname="gate" name="${name}" time="0">${body}</testcase>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="faultline" ${counts}>
  <testsuite name="gate" ${counts} skipped="0" time="${(result.elapsedMs / 1000).toFixed(3)}" timestamp="${escapeXml(result.startedAt)}">
${cases.join('')}  </testsuite>
</testsuites>
`
}
