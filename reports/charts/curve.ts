/** Curves over a scale that is not time (percentiles, rates), as SVG that needs no script. Both scales by decades. */
import { type Html, html } from '../html.ts'
import type { Colour } from './panels.ts'

export interface Curve {
  label: string
  colour: Colour
  points: readonly { x: number; y: number; isHollow?: boolean }[]
}

export interface CurvePlot {
  title: string
  /** What a reader who cannot see it should know. */
  summary: string
  curves: readonly Curve[]
  xTicks: readonly { at: number; label: string }[]
  xLabel: string
}

const WIDTH = 900
const HEIGHT = 300
const LEFT = 70
const BOTTOM = 36
const TOP = 10
const RIGHT = 14

/** Values in ms, on a logarithmic scale; x already scaled: ticks and points share its unit. */
export function curveFigure({ title, summary, curves, xTicks, xLabel }: CurvePlot): Html {
  const xs = [...curves.flatMap(({ points }) => points.map(({ x }) => x)), ...xTicks.map(({ at }) => at)]
  const ys = curves.flatMap(({ points }) => points.map(({ y }) => y))
  const positive = ys.filter((y) => y > 0)
  if (positive.length === 0) return html``
  const least = Math.floor(Math.log10(Math.min(...positive)))
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...positive))))
  const [left, right] = [Math.min(...xs), Math.max(...xs)]
  const x = (value: number): number => round(LEFT + ((value - left) / (right - left || 1)) * (WIDTH - LEFT - RIGHT))
  const y = (value: number): number => {
    const part = (Math.log10(Math.max(value, 10 ** least)) - least) / (most - least)
    return round(HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP))
  }
  const decades = Array.from({ length: most - least + 1 }, (_, step) => 10 ** (least + step))
  return html`
    <figure class="panel curve">
      <figcaption>${title}<span class="legend">${curves.map(
        ({ label, colour }) => html`<span><i class="swatch c-${colour}"></i>${label}</span>`,
      )}</span></figcaption>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}. ${summary}">
        ${decades.map(
          (value) =>
            html`<line class="rule" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/><text x="${LEFT - 8}" y="${y(value) + 4}" text-anchor="end">${milliseconds(value)}</text>`,
        )}
        ${xTicks.map(
          ({ at, label }) =>
            html`<line class="rule" x1="${x(at)}" x2="${x(at)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text x="${x(at)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${label}</text>`,
        )}
        <text x="${WIDTH - RIGHT}" y="${HEIGHT - 2}" text-anchor="end">${xLabel}</text>
        ${curves.map(
          ({ colour, points }) =>
            html`<polyline class="line-${colour}" points="${points.map((point) => `${x(point.x)},${y(point.y)}`).join(' ')}"/>`,
        )}
        ${curves.map(({ colour, points }) =>
          points
            .filter(({ isHollow }) => isHollow !== undefined)
            .map(
              (point) =>
                html`<circle class="line-${colour}${point.isHollow === true ? ' hollow' : ''}" cx="${x(point.x)}" cy="${y(point.y)}" r="4"/>`,
            ),
        )}
      </svg>
    </figure>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function milliseconds(value: number): string {
  return value >= 1000
    ? `${value / 1000} s`
    : value >= 1
      ? `${value} ms`
      : `${Number((value * 1000).toPrecision(1))} µs`
}
