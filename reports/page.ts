/**
 * The report of a run: one self-contained page built from a result and nothing else.
 *
 * Text, tables, lanes and ranges are plain HTML and SVG and need no script; rates, latencies and distributions are
 * drawn by Chart.js.
 */
import chartLibrary from 'chart.js/dist/chart.umd.min.js?raw'
import annotationPlugin from 'chartjs-plugin-annotation/dist/chartjs-plugin-annotation.min.js?raw'
import copyCommand from './charts/browser/copy-command.js?raw'
import drawCharts from './charts/browser/draw.js?raw'
import { armAxis, armPanels, type ChartData } from './charts/panels.ts'
import { renderDocument } from './document.ts'
import type { Result } from './result.ts'
import { armSection } from './sections/arm.ts'
import { campaignHistograms, campaignSection } from './sections/campaign.ts'
import { configurationSection } from './sections/configuration.ts'
import { lanePatterns } from './sections/lanes.ts'
import { overview } from './sections/overview.ts'
import { predictions } from './sections/predictions.ts'

/** The whole page, ready to be written to a file. A few hundred kilobytes, most of them Chart.js. */
export function renderPage(result: Result): string {
  const { scenario, verdict } = result
  return renderDocument({
    title: `${verdict}: ${scenario.title} (${scenario.name})`,
    generator: result.host.faultline,
    definitions: lanePatterns(),
    main: [
      overview(result),
      predictions(result),
      ...result.arms.map((arm, position) => armSection(arm, position, result)),
      campaignSection(result),
      configurationSection(result),
    ],
    data: chartData(result),
    scripts: [chartLibrary, annotationPlugin, drawCharts, copyCommand],
  })
}

function chartData(result: Result): ChartData {
  const arms = result.arms.map((arm, position) => {
    const panels = armPanels(arm, position, result).map(({ id, panel }) => [id, panel] as const)
    return [`timeline-${position}`, { ...armAxis(arm, result.arms), panels: Object.fromEntries(panels) }] as const
  })
  return { arms: Object.fromEntries(arms), histograms: campaignHistograms(result.campaign) }
}
