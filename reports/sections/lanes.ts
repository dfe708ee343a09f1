/**
 * The upper part of an arm's timeline: numbered events, faults, and what each node was over time. SVG with positions in
 * percent of the plot, in a grid whose gutter is that of the charts below, so that everything stands below one axis.
 */

import { percentOf } from '../charts/axis.ts'
import type { ArmAxis } from '../charts/panels.ts'
import { formatMoment } from '../figures.ts'
import { type Html, html } from '../html.ts'
import type { ArmResult, NodeSpan, NodeTimeline } from '../result.ts'

const LANE_HEIGHT = 22

/** One row: a label in the gutter and an SVG over the plot. */
function lane(label: string, title: string, height: number, content: Html, kind: string): Html {
  return html`
    <div class="lane ${kind}"><div class="lane-label" title="${title}">${label}</div><svg height="${height}" role="img" aria-label="${title}">${content}</svg></div>`
}

/** Ticks of the shared time axis, with their labels. */
export function timeAxis(axis: ArmAxis, where: 'top' | 'bottom'): Html {
  const last = axis.ticksMs.length - 1
  const content = axis.ticksMs.map((ms, position) => {
    const x = percentOf(ms, axis.maxMs)
    const anchor = position === 0 ? 'start' : position === last && x > 97 ? 'end' : 'middle'
    const text = position === last ? `${ms / 1000} s` : `${ms / 1000}`
    return html`<text class="${position % 2 === 1 ? 'odd' : 'even'}" x="${x}%" y="12" text-anchor="${anchor}">${text}</text>`
  })
  return lane('time', 'seconds since the workload began', 16, html`${content}`, `axis axis-${where}`)
}

interface Marker {
  first: number
  last: number
  x: number
  row: number
}

/** Events nearer together than this share one marker, in percent of the plot. */
const SHARED_PERCENT = 1.6
/** A marker needs so much room on a narrow screen. */
const MARKER_PERCENT = 8
const MARKER_ROWS = 3
/** Further left it would cover the label of its lane. */
const MARKER_LEAST_PERCENT = 1.8

/** Markers `1`, `2–4`, … at the times of the events; where they would overlap they go to another row. */
export function eventMarkers(timesMs: readonly number[], maxMs: number): Marker[] {
  const markers: Marker[] = []
  timesMs.forEach((atMs, position) => {
    const x = percentOf(atMs, maxMs)
    const open = markers.at(-1)
    if (open !== undefined && x - open.x <= SHARED_PERCENT) {
      open.last = position
      return
    }
    const free = Array.from({ length: MARKER_ROWS }, (_, row) => row).find((row) =>
      markers.every((marker) => marker.row !== row || x - marker.x >= MARKER_PERCENT),
    )
    markers.push({ first: position, last: position, x, row: free ?? markers.length % MARKER_ROWS })
  })
  return markers
}

export function eventLane(timesMs: readonly number[], axis: ArmAxis): Html | undefined {
  if (timesMs.length === 0) return undefined
  const markers = eventMarkers(timesMs, axis.maxMs)
  const rows = Math.max(...markers.map((marker) => marker.row)) + 1
  const height = rows * 19 + 2
  const content = markers.map(({ first, last, x, row }) => {
    const text = first === last ? `${first + 1}` : `${first + 1}–${last + 1}`
    const width = 10 + text.length * 6.5
    const y = row * 19 + 1
    return html`<line class="event" x1="${x}%" x2="${x}%" y1="${y + 17}" y2="100%"/><svg class="marker" x="${Math.max(x, MARKER_LEAST_PERCENT)}%" y="${y}"><rect x="${-width / 2}" width="${width}" height="17" rx="8.5"/><text x="0" y="12.5" text-anchor="middle">${text}</text></svg>`
  })
  return lane('events', 'events, numbered as in the list below the charts', height, html`${content}`, 'markers')
}

/** Bands of all faults, behind a lane. */
function bands(axis: ArmAxis): Html {
  return html`${axis.bands.map(({ fromMs, toMs }) => {
    const x = percentOf(fromMs, axis.maxMs)
    return html`<rect class="band" x="${x}%" width="${percentOf(toMs, axis.maxMs) - x}%" y="0" height="100%"/>`
  })}${axis.linesMs.map((ms) => html`<line class="event" x1="${percentOf(ms, axis.maxMs)}%" x2="${percentOf(ms, axis.maxMs)}%" y1="0" y2="100%"/>`)}`
}

export function faultLanes(arm: ArmResult, axis: ArmAxis): Html {
  return html`${arm.faults.map((fault) => {
    const x = percentOf(fault.startMs, axis.maxMs)
    const width = Math.max(0.3, percentOf(fault.endMs, axis.maxMs) - x)
    const words = `${fault.name}: ${fault.description}, ${formatMoment(fault.startMs)} to ${formatMoment(fault.endMs)}`
    return lane(
      'fault',
      words,
      LANE_HEIGHT,
      html`<svg x="${x}%" width="${width}%" height="${LANE_HEIGHT}"><title>${words}</title><rect class="fault${fault.tookHold === '' && ' idle'}" x="0" y="1" width="100%" height="${LANE_HEIGHT - 2}"/><text x="6" y="15">${fault.name}${fault.tookHold === '' && ' (never took hold)'}</text></svg>`,
      'fault',
    )
  })}`
}

export function nodeLanes(nodes: readonly NodeTimeline[], axis: ArmAxis): Html {
  return html`${nodes.map((node) => {
    const spans = html`${bands(axis)}${node.spans.map((span) => spanMark(span, axis))}`
    return lane(node.name, describeNode(node), LANE_HEIGHT, spans, 'node')
  })}`
}

function describeSpan(span: NodeSpan): string {
  const epoch = span.epoch === null ? '' : `, epoch ${span.epoch}`
  const state = span.clusterState === '' ? '' : `, cluster state ${span.clusterState}`
  return `${span.role}${epoch}${state}, ${formatMoment(span.fromMs)} to ${formatMoment(span.toMs)}`
}

const SPANS_TOLD_MOST = 12

function describeNode({ name, address, version, spans }: NodeTimeline): string {
  const told = spans.slice(0, SPANS_TOLD_MOST).map(describeSpan)
  const more = spans.length > SPANS_TOLD_MOST ? [`and ${spans.length - SPANS_TOLD_MOST} more`] : []
  return `${name} (${address}, version ${version}): ${[...told, ...more].join('; ')}`
}

/**
 * A span is labelled with what fits: role and epoch, the epoch, or nothing. What is too long is clipped by its own box.
 */
function spanMark(span: NodeSpan, axis: ArmAxis): Html {
  const x = percentOf(span.fromMs, axis.maxMs)
  const width = Math.max(0.15, percentOf(span.toMs, axis.maxMs) - x)
  const epoch = span.epoch === null ? '' : String(span.epoch)
  const label =
    width >= 14
      ? html`<text x="6" y="15">${span.role}${epoch !== '' && html` · <tspan class="wide">epoch </tspan>${epoch}`}</text>`
      : width >= 3 && epoch !== '' && html`<text x="4" y="15">${epoch}</text>`
  return html`<svg x="${x}%" width="${width}%" height="${LANE_HEIGHT}"><title>${describeSpan(span)}</title><rect class="role-${span.role}" x="0" y="2" width="100%" height="${LANE_HEIGHT - 4}"/>${
    span.clusterState === 'fail' &&
    html`<rect class="state-fail" x="0" y="2" width="100%" height="${LANE_HEIGHT - 4}"/>`
  }${label}</svg>`
}

/** Patterns that the lanes refer to; once a page. */
export function lanePatterns(): Html {
  return html`<svg class="patterns" width="0" height="0" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="2.4" height="6"/></pattern></defs></svg>`
}
