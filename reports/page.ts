/**
 * The report: one self-contained HTML file built from a result and nothing else. Styles, scripts and data are inside;
 * the Content-Security-Policy forbids every request and every script and style but those named by their hash, so that
 * not even a mistake in escaping could run anything.
 *
 * Text, tables, lanes and ranges are plain HTML and SVG and need no script; rates, latencies and distributions are
 * drawn by Chart.js.
 */
import { createHash } from 'node:crypto'
import chartLibrary from 'chart.js/dist/chart.umd.min.js?raw'
import annotationPlugin from 'chartjs-plugin-annotation/dist/chartjs-plugin-annotation.min.js?raw'
import copyCommand from './charts/browser/copy-command.js?raw'
import drawCharts from './charts/browser/draw.js?raw'
import { armAxis, armPanels, type ChartData } from './charts/panels.ts'
import { Html, html, jsonForScript } from './html.ts'
import type { Result } from './result.ts'
import { armSection } from './sections/arm.ts'
import { campaignHistograms, campaignSection } from './sections/campaign.ts'
import { configurationSection } from './sections/configuration.ts'
import { lanePatterns } from './sections/lanes.ts'
import { overview } from './sections/overview.ts'
import { predictions } from './sections/predictions.ts'
import pageStyle from './style/page.css?raw'

/** Licences ask that their notice stays; the source maps named at the end of a library do not exist here. */
const scripts = [chartLibrary, annotationPlugin, drawCharts, copyCommand].map((script) =>
  script.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'),
)

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const policy = [
  "default-src 'none'",
  `script-src ${scripts.map(hashOf).join(' ')}`,
  `style-src ${hashOf(pageStyle)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** The whole page, ready to be written to a file. A few hundred kilobytes, most of them Chart.js. */
export function renderPage(result: Result): string {
  const { scenario, verdict } = result
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="Faultline ${result.host.faultline}">
<title>${verdict}: ${scenario.title} (${scenario.name})</title>
<style>${new Html(pageStyle)}</style>
</head>
<body>
${lanePatterns()}
<main>
${overview(result)}
${predictions(result)}
${result.arms.map((arm, position) => armSection(arm, position, result))}
${campaignSection(result)}
${configurationSection(result)}
</main>
<script type="application/json" id="chart-data">${jsonForScript(chartData(result))}</script>
${scripts.map((script) => html`<script>${new Html(script)}</script>\n`)}
</body>
</html>
`.text
}

function chartData(result: Result): ChartData {
  const arms = result.arms.map((arm, position) => {
    const panels = armPanels(arm, position, result).map(({ id, panel }) => [id, panel] as const)
    return [`timeline-${position}`, { ...armAxis(arm, result.arms), panels: Object.fromEntries(panels) }] as const
  })
  return { arms: Object.fromEntries(arms), histograms: campaignHistograms(result.campaign) }
}
