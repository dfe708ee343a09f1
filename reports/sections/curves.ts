/**
 * A measure over a parameter of the arms, one line for each kind of arm. Drawn as SVG with the numbers beside the
 * points: a handful of points needs no script. Both axes begin at 0, so that growth can be seen as what it is.
 */
import { percentOf, roundTicks, roundUp } from '../charts/axis.ts'
import { formatCount, formatMeasure, formatScaleEnd } from '../figures.ts'
import { type Html, html } from '../html.ts'
import type { Curve } from '../result.ts'

const HEIGHT = 240
/** Room above for the number of the highest point. */
const TOP = 18
const TICKS_MOST = 4
/** Between a point and its number, and between two numbers. */
const ABOVE = 9
const BELOW = 18
const LINE = 14
/** Points nearer than this leave no room for a number between them. */
const NEAR = 2 * LINE
/** Left of the first point there are the numbers of the scale. */
const LEFT_PERCENT = 7
/** Nearer to an edge, the number of a point begins or ends above it instead of having its middle there. */
const EDGE_PERCENT = 14

export function curvesSection(curves: readonly Curve[]): Html | false {
  const drawn = curves.filter(({ lines }) => lines.some(({ points }) => points.length > 1))
  return drawn.length > 0 && html`${drawn.map(figureOf)}`
}

function figureOf({ title, unit, over, lines: all }: Curve): Html {
  // Of arms that did not run nothing is known.
  const lines = all.filter((line) => line.points.length > 0)
  const points = lines.flatMap((line) => line.points)
  const widest = Math.max(...points.map(({ x }) => x)) * 1.05
  const xOf = (value: number): number => LEFT_PERCENT + (percentOf(value, widest) * (100 - LEFT_PERCENT)) / 100
  const yMax = roundUp(Math.max(1e-9, ...points.map(({ y }) => y)), TICKS_MOST)
  const yOf = (value: number): number => TOP + (HEIGHT - TOP) * (1 - value / yMax)
  const ticks = roundTicks(yMax, TICKS_MOST)
  const spoken = lines.map(
    ({ label, points: own }) =>
      `${label}: ${own.map(({ x, y }) => `${formatCount(x)}: ${formatMeasure(y, unit)}`).join(', ')}`,
  )
  return html`
  <figure class="curve">
    <figcaption>${title}<span class="legend">${lines.map(
      ({ label }, position) => html`<span><i class="swatch c-node-${position % 6}"></i>${label}</span>`,
    )}</span></figcaption>
    <div class="curve-plot">
      <svg height="${HEIGHT + 48}" role="img" aria-label="${title}. ${spoken.join('; ')}">
        ${ticks.map((value) => html`<line class="track" x1="0" x2="100%" y1="${yOf(value)}" y2="${yOf(value)}"/><text class="tick" x="0" y="${yOf(value) - 4}">${formatScaleEnd(value, unit)}</text>`)}
        ${lines.map((line, position) => lineOf(line.points, position, xOf, yOf))}
        ${[...new Set(points.map(({ x }) => x))].map((x) => valuesAt(points, x, unit, xOf, yOf))}
        ${[...new Set(points.map(({ x }) => x))].map((x) => html`<text class="tick" x="${xOf(x)}%" y="${HEIGHT + 32}" text-anchor="middle">${formatCount(x)}</text>`)}
        <text class="tick" x="100%" y="${HEIGHT + 46}" text-anchor="end">${over}</text>
      </svg>
    </div>
  </figure>`
}

function lineOf(
  points: Curve['lines'][number]['points'],
  position: number,
  xOf: (value: number) => number,
  yOf: (value: number) => number,
): Html {
  const ordered = [...points].sort((a, b) => a.x - b.x)
  return html`${ordered.map(({ x, y }, index) => {
    const before = ordered[index - 1]
    const at = xOf(x)
    return html`${
      before !== undefined &&
      html`<line class="curve-line s-node-${position % 6}" x1="${xOf(before.x)}%" y1="${yOf(before.y)}" x2="${at}%" y2="${yOf(y)}"/>`
    }<circle class="s-node-${position % 6}" cx="${at}%" cy="${yOf(y)}" r="4"/>`
  })}`
}

/** The numbers of the points above one another. */
function valuesAt(
  points: readonly { x: number; y: number }[],
  x: number,
  unit: string,
  xOf: (value: number) => number,
  yOf: (value: number) => number,
): Html {
  const column = points.filter((point) => point.x === x).sort((a, b) => b.y - a.y)
  const places = labelPlaces(column.map(({ y }) => yOf(y)))
  return html`${column.map(
    ({ y }, i) =>
      html`<text class="value" x="${xOf(x)}%" y="${places[i]}" text-anchor="${anchorAt(xOf(x))}">${formatMeasure(y, unit)}</text>`,
  )}`
}

function anchorAt(percent: number): 'start' | 'middle' | 'end' {
  if (percent < EDGE_PERCENT) return 'start'
  return percent > 100 - EDGE_PERCENT ? 'end' : 'middle'
}

/**
 * Where the numbers of points stand that are at these heights, from the top down: each above its point. Those of points
 * that are near one another are stacked in their order, above the highest, or below the lowest where there is no room.
 */
function labelPlaces(heights: readonly number[]): number[] {
  const places: number[] = []
  for (let start = 0, end = 1; start < heights.length; start = end, end = start + 1) {
    while (end < heights.length && (heights[end] as number) - (heights[end - 1] as number) < NEAR) end++
    const above = (heights[start] as number) - ABOVE - (end - start - 1) * LINE
    const wanted = above >= LINE ? above : (heights[end - 1] as number) + BELOW
    const first = Math.max(wanted, (places.at(-1) ?? 0) + LINE)
    for (let i = start; i < end; i++) places.push(first + (i - start) * LINE)
  }
  return places
}
