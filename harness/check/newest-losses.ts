/**
 * What a crash takes is the end of the history, never a hole in it: no write that survived was sent after a lost one
 * had been acknowledged. It holds for an append-only file cut off anywhere and for a snapshot of one moment; a store
 * that breaks it may keep an effect and lose its cause.
 *
 * "After" is by real time (acknowledged before the other was sent), so that concurrent writes may survive in any
 * combination. Sound, not complete: a hole among concurrent writes is not seen.
 */
import type { CheckResult } from '../../reports/result.ts'
import type { History } from '../history/history.ts'
import { crashesOf, findLostWrites, primaryContent } from './lost-writes.ts'

export function checkNewestLosses(history: History): CheckResult {
  const name = 'only the newest writes are lost'
  const unknown = (sentence: string): CheckResult => ({ name, verdict: 'unknown', sentence, evidence: [] })
  const lost = findLostWrites(history)
  const content = primaryContent(history)
  if (lost === undefined || content === undefined) return unknown('The data after the run were not read.')
  const crashes = crashesOf(history)
  if (crashes.length === 0) return unknown('No server crashed.')
  const evidence = crashes.flatMap(({ node, atMs, endMs }) => {
    const gone = lost.filter(({ operation, cause }) => {
      return cause === 'crash' && operation.node === node && operation.completedMs <= endMs
    })
    const first = gone[0]?.operation
    if (first === undefined) return []
    const survivors = history
      .operations()
      .filter((op) => op.invokedMs > first.completedMs && op.invokedMs < atMs && content.get(op.key) === op.value)
    return survivors.map((op) => ({
      atMs: op.invokedMs,
      text: `${op.key} survived, although it was sent at ${op.invokedMs} ms, after ${first.key} had been acknowledged (${first.completedMs} ms), which is lost`,
    }))
  })
  return {
    name,
    verdict: evidence.length === 0 ? 'pass' : 'fail',
    sentence:
      evidence.length === 0
        ? lost.length === 0
          ? 'Nothing is lost, so there is no hole.'
          : `The ${lost.length.toLocaleString('en-US')} lost writes are the newest: nothing that came after one of them survived.`
        : `${evidence.length} writes survived that were sent after a lost one had been acknowledged.`,
    evidence: evidence.slice(0, 20),
  }
}
