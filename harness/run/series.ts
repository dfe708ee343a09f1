/** A history as aligned series: the `timeline` part of the result contract. Functions of the history only. */
import type { LoadSecond } from '../../reports/load-result.ts'
import type { FaultSpan, GroupSeries, NodeSpan, NodeTimeline, Timeline } from '../../reports/result.ts'
import { findLostWrites, hasUniqueWrites, LOSS_CAUSES, possibleCauses } from '../check/lost-writes.ts'
import type { History, LoadEvent, NodeEvent, Operation } from '../history/history.ts'
import { nearestRank } from '../quantile.ts'
import { findCut } from './measure.ts'
import { automaticRewrites } from './persistence-measures.ts'

/** Wide enough that a page draws at most so many points a series. */
const MAX_BUCKETS = 600
const MIN_BUCKET_MS = 100
const GAP_SAMPLE_MS = 200
const LOAD_BUCKET_MS = 1000
/** A command that takes less is one event, not two. */
const TOLD_MS = 20

export interface NodeIdentity {
  name: string
  address: string
  version: string
}

export function buildTimeline(history: History, nodes: readonly NodeIdentity[]): Timeline {
  const operations = history.operations()
  const durationMs = Math.ceil(
    Math.max(0, ...history.of('node').map((event) => event.atMs), ...lastOf(operations), ...lastFault(history)),
  )
  const load = history.of('load').at(-1)
  // The load driver counts by the second.
  const bucketMs =
    load === undefined ? Math.max(MIN_BUCKET_MS, Math.ceil(durationMs / MAX_BUCKETS / 100) * 100) : LOAD_BUCKET_MS
  const buckets = Math.max(1, Math.ceil((durationMs + 1) / bucketMs))
  return {
    durationMs,
    bucketMs,
    groups: [
      ...Object.entries(history.header().groups).map(([group, label]) =>
        groupSeries(group, label, operations, bucketMs, buckets),
      ),
      ...(load === undefined ? [] : [loadSeries(load, buckets)]),
    ],
    nodes: nodes.map((node) => nodeTimeline(node, history, durationMs)),
    replicationGap: replicationGap(history, durationMs),
    lostWrites: hasUniqueWrites(history) ? lostSeries(history, bucketMs, buckets) : [],
    samples: sampleSeries(history),
    events: moments(history, operations),
  }
}

export function faultSpans(history: History): FaultSpan[] {
  const faults = history.of('fault')
  const lastMs = history.end()?.atMs ?? 0
  return faults
    .filter((fault) => fault.state === 'start')
    .map((start) => {
      const end = faults.find((fault) => fault.state === 'end' && fault.name === start.name && fault.atMs >= start.atMs)
      return {
        name: start.name,
        description: start.description,
        startMs: start.atMs,
        endMs: end?.atMs ?? lastMs,
        tookHold: end?.tookHold ?? '',
      }
    })
}

function lastOf(operations: readonly Operation[]): number[] {
  return [operations.reduce((latest, op) => Math.max(latest, op.completedMs), 0)]
}

function lastFault(history: History): number[] {
  return history.of('fault').map((fault) => fault.atMs)
}

function groupSeries(
  group: string,
  label: string,
  operations: readonly Operation[],
  bucketMs: number,
  buckets: number,
): GroupSeries {
  const zeros = (): number[] => new Array<number>(buckets).fill(0)
  const counts = { ok: zeros(), fail: zeros(), unknown: zeros() }
  const latencies: number[][] = Array.from({ length: buckets }, () => [])
  for (const op of operations) {
    if (op.group !== group) continue
    const bucket = Math.min(buckets - 1, Math.floor(op.invokedMs / bucketMs))
    counts[op.outcome][bucket]!++
    if (op.outcome === 'ok') latencies[bucket]!.push(op.completedMs - op.invokedMs)
  }
  for (const bucket of latencies) bucket.sort((a, b) => a - b)
  const at = (share: number) => latencies.map((sorted) => rounded(nearestRank(sorted, share)))
  return { group, label, ...counts, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}

/** What the load driver counted in each second. */
function loadSeries({ atMs, result }: LoadEvent, buckets: number): GroupSeries {
  const first = Math.round(atMs / LOAD_BUCKET_MS)
  const bySecond = <T>(pick: (second: LoadSecond) => T, otherwise: T): T[] =>
    Array.from({ length: buckets }, (_, bucket) => {
      const second = result.seconds[bucket - first]
      return second === undefined ? otherwise : pick(second)
    })
  const latency = (name: 'p50Ms' | 'p99Ms' | 'maxMs'): (number | null)[] =>
    bySecond<number | null>(({ raw }) => (raw.count === 0 ? null : raw[name]), null)
  return {
    group: 'load',
    label: 'all connections',
    ok: bySecond(({ ok }) => ok, 0),
    fail: bySecond(({ errors }) => errors, 0),
    unknown: bySecond(({ timeouts }) => timeouts, 0),
    p50Ms: latency('p50Ms'),
    p99Ms: latency('p99Ms'),
    maxMs: latency('maxMs'),
  }
}

/** Null when there is nothing. */
function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 1000) / 1000
}

function nodeTimeline(node: NodeIdentity, history: History, durationMs: number): NodeTimeline {
  const spans: NodeSpan[] = []
  for (const event of history.of('node')) {
    if (event.node !== node.name) continue
    const last = spans.at(-1)
    if (last !== undefined) last.toMs = event.atMs
    const { epoch, clusterState } = event
    const role = event.role === 'loading' ? 'unknown' : event.role
    if (last?.role === role && last.epoch === epoch && last.clusterState === clusterState) continue
    spans.push({ fromMs: last === undefined ? 0 : event.atMs, toMs: event.atMs, role, epoch, clusterState })
  }
  const last = spans.at(-1)
  if (last !== undefined) last.toMs = durationMs
  return { ...node, spans }
}

function replicationGap(history: History, durationMs: number): Timeline['replicationGap'] {
  const events = history.of('node')
  const replicas = [...new Set(events.filter((event) => event.role === 'replica').map((event) => event.node))].sort()
  const latest = new Map<string, NodeEvent>()
  const timesMs: number[] = []
  const series = replicas.map((node) => ({ node, bytes: [] as (number | null)[] }))
  let next = 0
  for (let timeMs = GAP_SAMPLE_MS; timeMs <= durationMs; timeMs += GAP_SAMPLE_MS) {
    for (; next < events.length && events[next]!.atMs <= timeMs; next++) latest.set(events[next]!.node, events[next]!)
    timesMs.push(timeMs)
    for (const { node, bytes } of series) bytes.push(gapOf(latest.get(node), latest))
  }
  return { timesMs, series }
}

/**
 * The two offsets are asked at slightly different moments: a replica that looks ahead of its primary is level with it.
 */
function gapOf(replica: NodeEvent | undefined, latest: ReadonlyMap<string, NodeEvent>): number | null {
  if (replica?.role !== 'replica') return null
  const primary = latest.get(replica.follows)
  if (primary === undefined || primary.role !== 'primary') return null
  return Math.max(0, primary.offsetBytes - replica.offsetBytes)
}

function lostSeries(history: History, bucketMs: number, buckets: number): Timeline['lostWrites'] {
  const lost = findLostWrites(history) ?? []
  return possibleCauses(history).map((cause) => {
    const perBucket = new Array<number>(buckets).fill(0)
    for (const write of lost) {
      if (write.cause !== cause) continue
      perBucket[Math.min(buckets - 1, Math.floor(write.operation.completedMs / bucketMs))]!++
    }
    return { cause, label: LOSS_CAUSES[cause], perBucket }
  })
}

/** What nodes said of themselves in numbers, as far as it ever changed. */
function sampleSeries(history: History): Timeline['samples'] {
  const series = new Map<string, Timeline['samples'][number]>()
  for (const { atMs, node, samples } of history.of('node')) {
    for (const [name, value] of Object.entries(samples ?? {})) {
      const known = series.get(`${node} ${name}`) ?? { node, name, timesMs: [], values: [] }
      known.timesMs.push(atMs)
      known.values.push(value)
      series.set(`${node} ${name}`, known)
    }
  }
  return [...series.values()].filter(({ values }) => values.some((value) => value !== values[0]))
}

function roleChange({ role, epoch }: NodeEvent): string {
  if (role === 'down') return 'does not answer'
  if (role === 'loading') return 'is loading its data set'
  return `becomes ${role}${epoch === null ? '' : ` (epoch ${epoch})`}`
}

function commandMoments(history: History): Timeline['events'] {
  return history.of('command').flatMap(({ atMs, node, words, replyMs, doneMs }) => {
    const text = words.join(' ')
    if (atMs === 0) return [{ atMs, node, text: `${text}, before the workload (${Math.round(doneMs)} ms)` }]
    return [
      { atMs, node, text: `${text} is sent` },
      ...(replyMs > TOLD_MS ? [{ atMs: atMs + replyMs, node, text: `${text} is answered` }] : []),
      ...(doneMs > replyMs + TOLD_MS ? [{ atMs: atMs + doneMs, node, text: `what ${text} began is over` }] : []),
    ]
  })
}

/** A rewrite that began by itself shows in the server's count of them. */
function rewriteMoments(history: History): Timeline['events'] {
  return automaticRewrites(history).map(({ event }) => ({
    atMs: event.atMs,
    node: event.node,
    text: 'rewrites its append-only file by itself',
  }))
}

/** Changes of role and state per node, and the edges of the cut-off side's service. */
function moments(history: History, operations: readonly Operation[]): Timeline['events'] {
  const events: Timeline['events'] = []
  const latest = new Map<string, NodeEvent>()
  for (const event of history.of('node')) {
    const before = latest.get(event.node)
    latest.set(event.node, event)
    if (before === undefined) continue
    const { atMs, node } = event
    if (before.role !== event.role) events.push({ atMs, node, text: roleChange(event) })
    if (before.clusterState !== event.clusterState && event.clusterState !== '') {
      events.push({ atMs, node, text: `cluster state ${event.clusterState}` })
    }
  }
  events.push(...commandMoments(history), ...rewriteMoments(history))
  const cut = findCut(history)
  if (cut !== undefined) {
    const minority = operations.filter((op) => cut.minority.includes(op.client) && op.completedMs > cut.atMs)
    const refusal = minority.filter((op) => op.outcome === 'fail').sort((a, b) => a.completedMs - b.completedMs)[0]
    const acknowledged = minority.filter((op) => op.outcome === 'ok' && cut.minority.includes(op.node))
    const last = acknowledged.sort((a, b) => b.completedMs - a.completedMs)[0]
    if (last !== undefined)
      events.push({ atMs: last.completedMs, node: last.node, text: 'last write acknowledged while cut off' })
    if (refusal !== undefined)
      events.push({ atMs: refusal.completedMs, node: refusal.node, text: `first refusal: ${refusal.error}` })
  }
  return events.sort((a, b) => a.atMs - b.atMs)
}
