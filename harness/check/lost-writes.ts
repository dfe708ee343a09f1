/**
 * Lost acknowledged writes, counted by cause.
 *
 * A write is lost when the server acknowledged it and the shard's data after the run lack it (or hold another value:
 * keys are written once). The cause is told by where and when it was acknowledged, relative to the last partition that
 * began before the acknowledgement, or to the next crash of the node:
 *
 *     cause `minority-side`   a node on the small side acknowledged it between the cut and the end of the run
 *     cause `async-window`    acknowledged before the cut by a node of the small side: it had not reached a replica yet
 *     cause `crash`           acknowledged before its node was killed or lost its power: it was not on disk yet
 *     cause `other`           anything else: no known mechanism loses these
 *
 * An operation with an unknown end is never counted as lost.
 */
import type { CheckResult } from '../../reports/result.ts'
import type { FaultEvent, History, Operation } from '../history/history.ts'

export const LOSS_CAUSES = {
  'minority-side': 'acknowledged by the cut-off primary during the partition',
  'async-window': 'acknowledged just before the cut, not yet replicated',
  crash: 'acknowledged before the crash, not yet on disk',
  other: 'no known cause',
} as const

export type LossCause = keyof typeof LOSS_CAUSES

/** How long before the cut an acknowledged write may plausibly still be on its way to the replica. */
const ASYNC_WINDOW_MS = 1000

export interface LostWrite {
  operation: Operation
  cause: LossCause
  /** What is there instead; null: nothing. */
  found: string | null
}

/** Whether each write of this history can be looked for: it has a key of its own. */
export function hasUniqueWrites(history: History): boolean {
  return (history.header().workload ?? 'unique-writes') === 'unique-writes'
}

/** In the order of acknowledgement. Undefined when the data after the run were not read. */
export function findLostWrites(history: History): readonly LostWrite[] | undefined {
  return history.derive('lost writes', () => compareWithContent(history))
}

/** A death of a node's process, from the moment when it was ordered to the moment when the node was back. */
export interface Crash {
  node: string
  atMs: number
  endMs: number
}

/** In the order of time. A crash that did not end lasts to the end of the history. */
export function crashesOf(history: History): readonly Crash[] {
  const faults = history.of('fault').filter((fault) => fault.name === 'kill' || fault.name === 'power-cut')
  return faults.flatMap(({ name, node, state, atMs }): Crash[] => {
    if (state !== 'start' || node === undefined) return []
    const end = faults.find(
      (fault) => fault.state === 'end' && fault.node === node && fault.name === name && fault.atMs >= atMs,
    )
    return [{ node, atMs, endMs: end?.atMs ?? Number.POSITIVE_INFINITY }]
  })
}

/** The causes that can occur in this history, by what happened in it. */
export function possibleCauses(history: History): LossCause[] {
  const isCut = history.of('fault').some((fault) => fault.minority.length > 0)
  const hasCrash = crashesOf(history).length > 0
  return [
    ...(isCut ? (['minority-side', 'async-window'] as const) : []),
    ...(hasCrash ? (['crash'] as const) : []),
    'other',
  ]
}

function compareWithContent(history: History): LostWrite[] | undefined {
  const content = primaryContent(history)
  if (content === undefined) return undefined
  const cuts = history.of('fault').filter((fault) => fault.state === 'start' && fault.minority.length > 0)
  const crashes = crashesOf(history)
  return history
    .operations()
    .filter((operation) => operation.outcome === 'ok' && content.get(operation.key) !== operation.value)
    .map((operation) => ({
      operation,
      cause: causeOf(operation, cuts, crashes),
      found: content.get(operation.key) ?? null,
    }))
    .sort((a, b) => a.operation.completedMs - b.operation.completedMs)
}

export function countByCause(history: History): Record<string, number> {
  const lost = findLostWrites(history) ?? []
  const countOf = (cause: LossCause): number => lost.filter((write) => write.cause === cause).length
  return Object.fromEntries(possibleCauses(history).map((cause) => [cause, countOf(cause)]))
}

export function checkExplainedLosses(history: History, causes: readonly string[]): CheckResult {
  const name = 'only explained losses'
  const lost = findLostWrites(history)
  if (lost === undefined) {
    return { name, verdict: 'unknown', sentence: 'The data after the run were not read.', evidence: [] }
  }
  const acknowledged = history.operations().filter((operation) => operation.outcome === 'ok').length
  if (acknowledged === 0) return { name, verdict: 'unknown', sentence: 'No write was acknowledged.', evidence: [] }
  const unexplained = lost.filter(({ cause }) => !causes.includes(cause))
  return {
    name,
    verdict: unexplained.length === 0 ? 'pass' : 'fail',
    sentence:
      unexplained.length === 0
        ? lost.length === 0
          ? `None of ${acknowledged} acknowledged writes is lost.`
          : `All ${lost.length} lost of ${acknowledged} acknowledged writes have a known cause.`
        : `${unexplained.length} of ${acknowledged} acknowledged writes were lost without a known cause.`,
    evidence: unexplained.slice(0, 20).map(({ operation, found }) => ({
      atMs: operation.completedMs,
      text: `${operation.client} set ${operation.key} on ${operation.node}, acknowledged; afterwards ${found === null ? 'missing' : `it is '${found}'`}`,
    })),
  }
}

/** Keys and values that the primaries held after the run; undefined when they were not read. */
export function primaryContent(history: History): Map<string, string> | undefined {
  const parts = history.of('content').filter((event) => event.role === 'primary')
  if (parts.length === 0) return undefined
  return new Map(parts.flatMap((event) => event.entries))
}

function causeOf(operation: Operation, cuts: readonly FaultEvent[], crashes: readonly Crash[]): LossCause {
  // The acknowledgement of a write just before the crash may be seen after it was ordered.
  if (crashes.some(({ node, endMs }) => node === operation.node && operation.completedMs <= endMs)) return 'crash'
  const before = cuts.filter((cut) => cut.atMs <= operation.completedMs).at(-1)
  if (before?.minority.includes(operation.node)) return 'minority-side'
  const next = cuts.find((cut) => cut.atMs > operation.completedMs)
  const wasClose = next !== undefined && next.atMs - operation.completedMs <= ASYNC_WINDOW_MS
  return wasClose && next.minority.includes(operation.node) ? 'async-window' : 'other'
}
