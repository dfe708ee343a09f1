/**
 * What each canvas of the page shows, as plain data: the page carries it as JSON, and `browser/draw.js` hands it to
 * Chart.js. Everything that can be decided without a browser is decided here, where it is typed and tested: merging of
 * long series, scales, ticks, bands and lines.
 *
 * Scales are shared across arms (the same panel of two arms can be compared by eye), and all panels of an arm share one
 * time axis.
 */
import type { ArmResult, GroupSeries, Result } from '../result.ts'
import { roundTicks, roundUp } from './axis.ts'
import { mergeFactor, mergeFirst, mergeLargest, mergeSums } from './downsample.ts'

/** Colours by meaning; `style/page.css` gives each a value per colour scheme as `--c-NAME`. */
export type Colour =
  | 'ok'
  | 'fail'
  | 'unknown'
  | 'p50'
  | 'p99'
  | 'max'
  | 'loss-1'
  | 'loss-2'
  | 'loss-3'
  | `node-${number}`

export interface PanelSeries {
  label: string
  colour: Colour
  /** One value per entry of `xs`. */
  values: (number | null)[]
}

export interface TimePanel {
  kind: 'area' | 'line' | 'bars'
  scale: 'linear' | 'log'
  unit: 'per second' | 'ms' | 'bytes' | 'count'
  /** Start of each point's bucket (areas, bars) or its moment (lines), ms. */
  xs: number[]
  /** Width of a bucket, ms; 0 for moments. */
  widthMs: number
  series: PanelSeries[]
  yMin: number
  yMax: number
  yTicks: number[]
}

export interface HistogramPanel {
  kind: 'histogram'
  unit: string
  /** Ends of the bins: one more than there are counts. */
  edges: number[]
  counts: number[]
  low: number | null
  high: number | null
}

/** What the panels of one arm have in common. */
export interface ArmAxis {
  maxMs: number
  ticksMs: number[]
  bands: { fromMs: number; toMs: number }[]
  linesMs: number[]
}

/** Everything the browser needs. Keys of `panels` are the ids of the canvases. */
export interface ChartData {
  arms: Record<string, ArmAxis & { panels: Record<string, TimePanel> }>
  histograms: Record<string, HistogramPanel>
}

/** A panel with the words around it. */
export interface TitledPanel {
  id: string
  title: string
  /** What a reader who cannot see the chart should know. */
  summary: string
  panel: TimePanel
}

const TIME_TICKS_MOST = 14
const VALUE_TICKS_MOST = 4

/** The end of the time axis: one for all arms unless an arm would fill less than 60 % of it. */
export function axisEndMs(arm: ArmResult, arms: readonly ArmResult[]): number {
  const longest = Math.max(1, ...arms.map((other) => other.timeline.durationMs))
  const shortest = Math.min(...arms.map((other) => other.timeline.durationMs))
  return shortest >= 0.6 * longest ? longest : Math.max(1, arm.timeline.durationMs)
}

export function armAxis(arm: ArmResult, arms: readonly ArmResult[]): ArmAxis {
  const maxMs = axisEndMs(arm, arms)
  const apartMs = maxMs / 250
  const linesMs: number[] = []
  for (const { atMs } of [...arm.timeline.events].sort((a, b) => a.atMs - b.atMs)) {
    if (atMs - (linesMs.at(-1) ?? Number.NEGATIVE_INFINITY) >= apartMs) linesMs.push(atMs)
  }
  return {
    maxMs,
    ticksMs: roundTicks(maxMs / 1000, TIME_TICKS_MOST).map((seconds) => seconds * 1000),
    bands: arm.faults.map(({ startMs, endMs }) => ({ fromMs: startMs, toMs: endMs })),
    linesMs: linesMs.slice(0, 60),
  }
}

/** The panels of one arm, top to bottom. Panels without any data are left out. */
export function armPanels(arm: ArmResult, position: number, result: Pick<Result, 'arms'>): TitledPanel[] {
  const id = (name: string) => `chart-${position}-${name}`
  const { timeline } = arm
  const groups = timeline.groups.filter((group) => group.ok.length > 0)
  const rateMax = Math.max(0, ...result.arms.map(largestRate))
  return [
    ...groups.map((group, index) => ratePanel(id(`rate-${index}`), group, timeline.bucketMs, rateMax)),
    ...lostPanel(id('lost'), arm, result),
    ...groups.flatMap((group, index) => latencyPanel(id(`latency-${index}`), group, timeline.bucketMs, result)),
    ...gapPanel(id('gap'), arm),
    ...filePanel(id('file'), arm),
  ]
}

function linearScale(max: number): Pick<TimePanel, 'scale' | 'yMin' | 'yMax' | 'yTicks'> {
  const yMax = roundUp(max, VALUE_TICKS_MOST)
  return { scale: 'linear', yMin: 0, yMax, yTicks: roundTicks(yMax, VALUE_TICKS_MOST) }
}

function bucketStarts(length: number, bucketMs: number, factor: number): number[] {
  const starts = Array.from({ length }, (_, bucket) => bucket * bucketMs)
  return mergeFirst(starts, factor)
}

/** Operations per second in every point of a group, by outcome. */
function rates(group: GroupSeries, bucketMs: number) {
  const factor = mergeFactor(group.ok.length)
  const perSecond = (counts: readonly number[]) =>
    mergeSums(counts, factor).map((sum) => Math.round((sum / factor / bucketMs) * 100_000) / 100)
  return { factor, ok: perSecond(group.ok), fail: perSecond(group.fail), unknown: perSecond(group.unknown) }
}

function largestRate({ timeline }: ArmResult): number {
  return timeline.groups.reduce((largest, group) => {
    const { ok, fail, unknown } = rates(group, timeline.bucketMs)
    return ok.reduce(
      (most, value, index) => Math.max(most, value + (fail[index] ?? 0) + (unknown[index] ?? 0)),
      largest,
    )
  }, 0)
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

function ratePanel(id: string, group: GroupSeries, bucketMs: number, rateMax: number): TitledPanel {
  const { factor, ok, fail, unknown } = rates(group, bucketMs)
  return {
    id,
    title: `Operations per second · ${group.label}`,
    summary: `${sumOf(group.ok)} acknowledged, ${sumOf(group.fail)} refused, ${sumOf(group.unknown)} with an unknown end.`,
    panel: {
      kind: 'area',
      unit: 'per second',
      xs: bucketStarts(group.ok.length, bucketMs, factor),
      widthMs: bucketMs * factor,
      series: [
        { label: 'ok', colour: 'ok', values: ok },
        { label: 'fail', colour: 'fail', values: fail },
        { label: 'unknown', colour: 'unknown', values: unknown },
      ],
      ...linearScale(rateMax),
    },
  }
}

function lostPanel(id: string, arm: ArmResult, result: Pick<Result, 'arms'>): TitledPanel[] {
  const { lostWrites, bucketMs } = arm.timeline
  const length = Math.max(0, ...lostWrites.map((series) => series.perBucket.length))
  if (length === 0 || result.arms.every((it) => it.timeline.lostWrites.every((one) => sumOf(one.perBucket) === 0)))
    return []
  const factor = mergeFactor(length)
  const most = Math.max(1, ...result.arms.map(largestLoss))
  const seen = lostWrites.filter((series) => sumOf(series.perBucket) > 0)
  const total = lostWrites.reduce((sum, series) => sum + sumOf(series.perBucket), 0)
  return [
    {
      id,
      title: `Lost acknowledged writes per ${formatBucket(bucketMs * factor)}, when they were acknowledged`,
      summary: `${total} acknowledged writes lost.`,
      panel: {
        kind: 'bars',
        unit: 'count',
        xs: bucketStarts(length, bucketMs, factor),
        widthMs: bucketMs * factor,
        series: seen.map(({ cause, label, perBucket }) => ({
          label,
          colour: lossColour(lostWrites.findIndex((series) => series.cause === cause)),
          values: mergeSums(perBucket, factor),
        })),
        ...linearScale(most),
      },
    },
  ]
}

function formatBucket(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`
}

/** Causes beyond the third share its colour: their labels tell them apart. */
export function lossColour(position: number): Colour {
  return `loss-${Math.min(3, position + 1) as 1 | 2 | 3}`
}

function largestLoss({ timeline }: ArmResult): number {
  const length = Math.max(0, ...timeline.lostWrites.map((series) => series.perBucket.length))
  const factor = mergeFactor(length)
  const merged = timeline.lostWrites.map((series) => mergeSums(series.perBucket, factor))
  let largest = 0
  for (let point = 0; point * factor < length; point++) {
    largest = Math.max(largest, sumOf(merged.map((series) => series[point] ?? 0)))
  }
  return largest
}

/** Decades around all latencies of all arms, so that every latency panel has the same scale. */
function latencyScale(result: Pick<Result, 'arms'>): Pick<TimePanel, 'scale' | 'yMin' | 'yMax' | 'yTicks'> {
  let lowest = Number.POSITIVE_INFINITY
  let highest = 0
  for (const { timeline } of result.arms) {
    for (const { p50Ms, p99Ms, maxMs } of timeline.groups) {
      for (const value of [...p50Ms, ...p99Ms, ...maxMs]) {
        if (value === null || value <= 0) continue
        lowest = Math.min(lowest, value)
        highest = Math.max(highest, value)
      }
    }
  }
  if (highest === 0) return { scale: 'log', yMin: 0.1, yMax: 10, yTicks: [0.1, 1, 10] }
  const first = Math.max(-3, Math.floor(Math.log10(lowest)))
  const last = Math.max(first + 1, Math.ceil(Math.log10(highest)))
  const yTicks = Array.from({ length: last - first + 1 }, (_, step) => Number((10 ** (first + step)).toPrecision(1)))
  return { scale: 'log', yMin: 10 ** first, yMax: 10 ** last, yTicks }
}

function latencyPanel(id: string, group: GroupSeries, bucketMs: number, result: Pick<Result, 'arms'>): TitledPanel[] {
  if (group.maxMs.every((value) => value === null)) return []
  const factor = mergeFactor(group.maxMs.length)
  const scale = latencyScale(result)
  const values = (series: readonly (number | null)[]) =>
    mergeLargest(series, factor).map((value) =>
      value === null ? null : Math.max(scale.yMin, Number(value.toPrecision(4))),
    )
  const highest = Math.max(...group.maxMs.map((value) => value ?? 0))
  return [
    {
      id,
      title: `Latency of acknowledged operations · ${group.label}`,
      summary: `The slowest acknowledged operation took ${highest} ms.`,
      panel: {
        kind: 'line',
        unit: 'ms',
        xs: bucketStarts(group.maxMs.length, bucketMs, factor).map((startMs) => startMs + (bucketMs * factor) / 2),
        widthMs: 0,
        series: [
          { label: 'max', colour: 'max', values: values(group.maxMs) },
          { label: 'p99', colour: 'p99', values: values(group.p99Ms) },
          { label: 'p50', colour: 'p50', values: values(group.p50Ms) },
        ],
        ...scale,
      },
    },
  ]
}

function gapPanel(id: string, arm: ArmResult): TitledPanel[] {
  const { timesMs, series } = arm.timeline.replicationGap
  const known = series.filter(({ bytes }) => bytes.some((value) => value !== null))
  if (timesMs.length === 0 || known.length === 0) return []
  const factor = mergeFactor(timesMs.length)
  const highest = Math.max(0, ...known.flatMap(({ bytes }) => bytes.map((value) => value ?? 0)))
  const yMax = 2 ** Math.ceil(Math.log2(Math.max(1024, highest)))
  return [
    {
      id,
      title: 'Replication offset gap: bytes a replica is behind its primary',
      summary: `At most ${highest} bytes.`,
      panel: {
        kind: 'line',
        unit: 'bytes',
        scale: 'linear',
        xs: mergeFirst(timesMs, factor),
        widthMs: 0,
        series: known.map(({ node, bytes }) => ({
          label: node,
          colour: `node-${series.findIndex((one) => one.node === node) % 6}` as const,
          values: mergeLargest(bytes, factor),
        })),
        yMin: 0,
        yMax,
        yTicks: [0, yMax / 2, yMax],
      },
    },
  ]
}

const FILE_SERIES: Readonly<Record<string, { label: string; colour: Colour }>> = {
  aofBytes: { label: 'now', colour: 'node-0' },
  aofBaseBytes: { label: 'after the last rewrite', colour: 'node-1' },
}

/** How the append-only file grew and was rewritten. */
function filePanel(id: string, arm: ArmResult): TitledPanel[] {
  const found = arm.timeline.samples.filter(({ name }) => Object.hasOwn(FILE_SERIES, name))
  const [first] = found
  if (first === undefined || found.every(({ name }) => name !== 'aofBytes')) return []
  const series = found.filter(({ node, timesMs }) => node === first.node && timesMs.length === first.timesMs.length)
  const factor = mergeFactor(first.timesMs.length)
  const highest = Math.max(0, ...series.flatMap(({ values }) => values))
  const yMax = 2 ** Math.ceil(Math.log2(Math.max(1024, highest)))
  return [
    {
      id,
      title: 'Size of the append-only file',
      summary: `At most ${highest} bytes.`,
      panel: {
        kind: 'line',
        unit: 'bytes',
        scale: 'linear',
        xs: mergeFirst(first.timesMs, factor),
        widthMs: 0,
        series: series.map(({ name, values }) => ({
          ...(FILE_SERIES[name] as { label: string; colour: Colour }),
          values: mergeLargest(values, factor),
        })),
        yMin: 0,
        yMax,
        yTicks: [0, yMax / 2, yMax],
      },
    },
  ]
}

const BINS_MOST = 36

/**
 * Bins of equal width over values and predicted range together. Their number is the square root of the number of
 * values: few seeds give few bins.
 */
export function histogram(
  values: readonly number[],
  unit: string,
  low: number | null,
  high: number | null,
): HistogramPanel {
  const ends = [...values, ...[low, high].filter((end) => end !== null)]
  const least = ends.length === 0 ? 0 : ends.reduce((a, b) => Math.min(a, b))
  const most = ends.length === 0 ? 1 : ends.reduce((a, b) => Math.max(a, b))
  const spread = most > least ? most - least : Math.max(1, Math.abs(most) * 0.1)
  const from = least >= 0 ? Math.max(0, least - spread * 0.04) : least - spread * 0.04
  const bins = Math.max(6, Math.min(BINS_MOST, Math.ceil(2 * Math.sqrt(values.length))))
  const width = (least + spread * 1.04 - from) / bins
  const counts = new Array<number>(bins).fill(0)
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((value - from) / width)))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  const edges = Array.from({ length: bins + 1 }, (_, edge) => Number((from + edge * width).toPrecision(8)))
  return { kind: 'histogram', unit, edges, counts, low, high }
}
