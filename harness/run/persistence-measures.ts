/**
 * Measures of saving and rewriting: stalls around administrative commands, and what rewrites of the append-only file
 * did.
 */
import type { CommandEvent, History, NodeEvent, Operation } from '../history/history.ts'
import { nearestRank } from '../quantile.ts'

/** An operation that began so long before a command may still be caught by it. */
const MARGIN_MS = 5

/**
 * The longest time that an operation took while a command during the workload acted (`stallMs`), and while none did
 * (`quietStallMs`): what the machine does by itself. With the distribution of both together.
 */
export function stallMeasures(history: History): Record<string, number> {
  const commands = history.of('command').filter((event) => event.atMs > 0)
  const answered = history.operations().filter((op) => op.outcome === 'ok')
  if (commands.length === 0 || answered.length === 0) return {}
  const latencies = answered.map(latencyMs).sort((a, b) => a - b)
  const during = answered.filter((op) => commands.some((event) => overlaps(op, event)))
  const quiet = answered.filter((op) => !commands.some((event) => overlaps(op, event)))
  return {
    stallMs: longest(during),
    quietStallMs: longest(quiet),
    p50Ms: round(nearestRank(latencies, 0.5) ?? 0),
    p99Ms: round(nearestRank(latencies, 0.99) ?? 0),
  }
}

function overlaps({ invokedMs, completedMs }: Operation, { atMs, doneMs }: CommandEvent): boolean {
  return completedMs >= atMs && invokedMs <= atMs + doneMs + MARGIN_MS
}

function latencyMs({ invokedMs, completedMs }: Operation): number {
  return completedMs - invokedMs
}

function longest(operations: readonly Operation[]): number {
  return round(operations.reduce((most, op) => Math.max(most, latencyMs(op)), 0))
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

/**
 * Of the rewrites that the server began by itself while it was observed: how many, how large the file was when the
 * first of them began, and how many times the size after the rewrite before it. Then the longest operation meanwhile,
 * and at other times.
 */
export function rewriteMeasures(history: History): Record<string, number> {
  const observed = observationsOfAof(history)
  if (observed.length === 0) return {}
  const rewrites = countedRewrites(observed)
  const [trigger] = automaticRewrites(history)
  if (trigger === undefined) return { rewrites }
  const triggerBytes = Math.max(sample(trigger.before, 'aofBytes'), sample(trigger.event, 'aofBytes'))
  const baseBytes = sample(trigger.before, 'aofBaseBytes')
  return {
    rewrites,
    triggerBytes,
    ...(baseBytes > 0 && { triggerGrowth: round(triggerBytes / baseBytes) }),
    ...rewriteStalls(history, observed),
  }
}

/** A server that is started anew counts from 0. */
function countedRewrites(observed: readonly NodeEvent[]): number {
  let total = 0
  for (let i = 1; i < observed.length; i++) {
    const before = sample(observed[i - 1] as NodeEvent, 'rewrites')
    const now = sample(observed[i] as NodeEvent, 'rewrites')
    total += now < before ? now : now - before
  }
  return total
}

function observationsOfAof(history: History): NodeEvent[] {
  return history.of('node').filter((event) => event.samples?.aofBytes !== undefined)
}

/** The observations before and at the beginning of each rewrite that nobody had asked for. */
export function automaticRewrites(history: History): { before: NodeEvent; event: NodeEvent }[] {
  const commands = history.of('command').filter(({ words }) => words[0]?.toUpperCase() === 'BGREWRITEAOF')
  const observed = observationsOfAof(history)
  return observed.flatMap((event, i) => {
    const before = observed[i - 1]
    if (before === undefined || sample(event, 'rewrites') <= sample(before, 'rewrites')) return []
    const isAsked = commands.some(({ atMs, doneMs }) => event.atMs >= atMs && event.atMs <= atMs + doneMs + 200)
    return isAsked ? [] : [{ before, event }]
  })
}

function rewriteStalls(history: History, observed: readonly NodeEvent[]): Record<string, number> {
  const spans = observed.flatMap((event, i) => {
    const next = observed[i + 1]
    if (next === undefined) return []
    const isRewriting = sample(event, 'rewriting') > 0 || sample(next, 'rewriting') > 0
    const began = sample(next, 'rewrites') > sample(event, 'rewrites')
    return isRewriting || began ? [{ fromMs: event.atMs, toMs: next.atMs }] : []
  })
  const answered = history.operations().filter((op) => op.outcome === 'ok')
  const isDuring = (op: Operation): boolean =>
    spans.some((span) => op.completedMs >= span.fromMs && op.invokedMs <= span.toMs)
  return {
    rewriteStallMs: longest(answered.filter(isDuring)),
    quietStallMs: longest(answered.filter((op) => !isDuring(op))),
  }
}

function sample(event: NodeEvent, name: string): number {
  return event.samples?.[name] ?? 0
}
