/**
 * Lost acknowledged writes, counted by cause.
 *
 * A write is lost when the server acknowledged it and the shard's data after the run lack it (or hold another value:
 * keys are written once). The cause is told by where and when it was acknowledged, relative to the last partition that
 * began before the acknowledgement:
 *
 *     cause `minority-side`   a node on the small side acknowledged it between the cut and the end of the run
 *     cause `async-window`    acknowledged before the cut by a node of the small side: it had not reached a replica yet
 *     cause `other`           anything else: no known mechanism loses these
 *
 * An operation with an unknown end is never counted as lost.
 */
import type { CheckResult } from '../../reports/result.ts'
import type { FaultEvent, History, Operation } from '../history/history.ts'

export const LOSS_CAUSES = {
  'minority-side': 'acknowledged by the cut-off primary during the partition',
  'async-window': 'acknowledged just before the cut, not yet replicated',
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

/** In the order of acknowledgement. Undefined when the data after the run were not read. */
export function findLostWrites(history: History): readonly LostWrite[] | undefined {
  return history.derive('lost writes', () => compareWithContent(history))
}

function compareWithContent(history: History): LostWrite[] | undefined {
  const content = primaryContent(history)
  if (content === undefined) return undefined
  const cuts = history.of('fault').filter((fault) => fault.state === 'start' && fault.minority.length > 0)
  return history
    .operations()
    .filter((operation) => operation.outcome === 'ok' && content.get(operation.key) !== operation.value)
    .map((operation) => ({
      operation,
      cause: causeOf(operation, cuts),
      found: content.get(operation.key) ?? null,
    }))
    .sort((a, b) => a.operation.completedMs - b.operation.completedMs)
}

export function countByCause(lost: readonly LostWrite[]): Record<LossCause, number> {
  const counts = { 'minority-side': 0, 'async-window': 0, other: 0 }
  for (const { cause } of lost) counts[cause]++
  return counts
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
        ? `All ${lost.length} lost of ${acknowledged} acknowledged writes have a known cause.`
        : `${unexplained.length} of ${acknowledged} acknowledged writes were lost without a known cause.`,
    evidence: unexplained.slice(0, 20).map(({ operation, found }) => ({
      atMs: operation.completedMs,
      text: `${operation.client} set ${operation.key} on ${operation.node}, acknowledged; afterwards ${found === null ? 'missing' : `it is '${found}'`}`,
    })),
  }
}

/** Keys and values that the primaries held after the run. */
function primaryContent(history: History): Map<string, string> | undefined {
  const parts = history.of('content').filter((event) => event.role === 'primary')
  if (parts.length === 0) return undefined
  return new Map(parts.flatMap((event) => event.entries))
}

function causeOf(operation: Operation, cuts: readonly FaultEvent[]): LossCause {
  const before = cuts.filter((cut) => cut.atMs <= operation.completedMs).at(-1)
  if (before?.minority.includes(operation.node)) return 'minority-side'
  const next = cuts.find((cut) => cut.atMs > operation.completedMs)
  const wasClose = next !== undefined && next.atMs - operation.completedMs <= ASYNC_WINDOW_MS
  return wasClose && next.minority.includes(operation.node) ? 'async-window' : 'other'
}
