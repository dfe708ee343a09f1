/**
 * Percentile curves: the latency that so many percent of the operations stayed below, a plot for each arm with a line
 * for each server. The horizontal axis gives every further nine as much room as the one before, the vertical one every
 * power of ten: the tail is what is looked for, and both targets of an arm share one scale with all other arms.
 */
import { formatMs } from '../figures.ts'
import { type Html, html } from '../html.ts'
import type { ArmResult, Result } from '../result.ts'

const HEIGHT = 120
/** 50 %, 90 %, 99 % and so on, and where the axis ends. */
const NINES_MOST = 4
const TARGETS: Readonly<Record<string, string>> = { engine: 'engine', redis: 'redis-server' }

type Point = readonly [percentile: number, ms: number]
type Curve = ArmResult & { latencyCurve: Point[] }

interface Scale {
  lowest: number
  highest: number
}

export function percentileCurves({ arms }: Pick<Result, 'arms'>): Html | false {
  const drawn = arms.filter((arm): arm is Curve => (arm.latencyCurve ?? []).length > 1)
  if (drawn.length === 0) return false
  const latencies = drawn.flatMap(({ latencyCurve }) => latencyCurve.map(([, ms]) => ms).filter((ms) => ms > 0))
  const lowest = Math.floor(Math.log10(Math.min(...latencies)))
  const scale = { lowest, highest: Math.max(lowest + 1, Math.ceil(Math.log10(Math.max(...latencies)))) }
  const targets = [...new Set(drawn.map(({ target }) => target))]
  const names = [...new Set(drawn.map(({ name }) => name))]
  return html`
  <h3>Percentile curves</h3>
  <p class="key">${targets.map((target, position) => html`<span><i class="swatch c-node-${position % 6}"></i>${TARGETS[target] ?? target}</span>`)}<span>Latency from sending to answer, at load; the axis across gives each further nine the same room.</span></p>
  <div class="percentiles">${names.map((name) =>
    plot(
      drawn.filter((arm) => arm.name === name),
      targets,
      scale,
    ),
  )}</div>`
}

/** 0 % is at 0, 90 % at a quarter, 99 % at a half, 99.9 % at three quarters; 99.99 % and more at the right edge. */
function xOf(percentile: number): number {
  const nines = -Math.log10(Math.max(10 ** -NINES_MOST, 1 - percentile / 100))
  return round((nines / NINES_MOST) * 100)
}

function yOf(ms: number, { lowest, highest }: Scale): number {
  const power = ms > 0 ? Math.log10(ms) : lowest
  return round(100 - (100 * (power - lowest)) / (highest - lowest))
}

function plot(arms: readonly Curve[], targets: readonly string[], scale: Scale): Html {
  const powers = Array.from({ length: scale.highest - scale.lowest + 1 }, (_, i) => scale.lowest + i)
  const [first] = arms
  const title = arms.length > 1 ? (first?.title ?? '').replace(/, [^,]*$/, '') : first?.title
  const spoken = arms.map(({ target, latencyCurve }) => {
    const at = (wanted: number) => formatMs(latencyCurve.find(([percentile]) => percentile >= wanted)?.[1] ?? 0)
    return `${TARGETS[target] ?? target}: half below ${at(50)}, 99 % below ${at(99)}`
  })
  return html`<figure><figcaption>${title}</figcaption><svg height="${HEIGHT + 20}" role="img" aria-label="${title}. ${spoken.join('; ')}">
      ${powers.map((power) => {
        const y = (yOf(10 ** power, scale) * HEIGHT) / 100
        return html`<line class="track" x1="0" x2="100%" y1="${y}" y2="${y}"/>${power < scale.highest && html`<text class="tick" x="0" y="${y - 3}">${formatMs(10 ** power)}</text>`}`
      })}
      ${[90, 99, 99.9].map((percentile) => html`<line class="track" x1="${xOf(percentile)}%" x2="${xOf(percentile)}%" y1="0" y2="${HEIGHT}"/><text class="tick" x="${xOf(percentile)}%" y="${HEIGHT + 15}" text-anchor="middle">${percentile} %</text>`)}
      <svg x="0" y="0" width="100%" height="${HEIGHT}" viewBox="0 0 100 100" preserveAspectRatio="none">${arms.map(
        ({ target, latencyCurve }) =>
          html`<path class="curve-line s-node-${targets.indexOf(target) % 6}" d="${pathOf(latencyCurve, scale)}"/>`,
      )}</svg></svg></figure>`
}

function pathOf(points: readonly Point[], scale: Scale): string {
  return points.map(([percentile, ms], i) => `${i === 0 ? 'M' : 'L'}${xOf(percentile)} ${yOf(ms, scale)}`).join('')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
