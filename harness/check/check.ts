/**
 * Checks: pure functions from a history to a verdict with evidence. Each kind has a file of its own; this is their
 * table. Every check ships with histories that it must reject (its test).
 */
import type { CheckResult } from '../../reports/result.ts'
import type { History } from '../history/history.ts'
import { checkConvergence } from './convergence.ts'
import { checkExplainedLosses } from './lost-writes.ts'
import { checkNewestLosses } from './newest-losses.ts'
import { checkOnePrimaryPerEpoch } from './primary-per-epoch.ts'
import { checkRecovery } from './recovery.ts'
import { checkSameAnswers } from './same-answers.ts'

export type CheckSpec =
  | { kind: 'only-explained-losses'; causes: readonly string[] }
  | { kind: 'no-two-primaries-in-one-epoch' }
  | { kind: 'replicas-converge' }
  | { kind: 'recovers-within'; afterHealMs: number; group: string }
  | { kind: 'losses-are-newest' }
  | { kind: 'same-answers'; words: readonly string[] }

/** Acknowledged writes may be lost for the named causes only (see lost-writes.ts), never for another. */
export function onlyExplainedLosses(causes: readonly string[]): CheckSpec {
  return { kind: 'only-explained-losses', causes }
}

/** Never two nodes that own one slot under one configuration epoch. */
export function noTwoPrimariesInOneEpoch(): CheckSpec {
  return { kind: 'no-two-primaries-in-one-epoch' }
}

/** After the run every replica holds exactly what its primary holds. */
export function replicasConverge(): CheckSpec {
  return { kind: 'replicas-converge' }
}

/** Every client of `group` succeeds again within `afterHealMs` of the end of the last fault. */
export function recoversWithin(afterHealMs: number, group: string): CheckSpec {
  return { kind: 'recovers-within', afterHealMs, group }
}

/** What a crash takes is the end of the history, never a hole in it. */
export function lossesAreNewest(): CheckSpec {
  return { kind: 'losses-are-newest' }
}

/** Each time the run asked this, it got the same answer. */
export function sameAnswers(words: readonly string[]): CheckSpec {
  return { kind: 'same-answers', words }
}

export function runCheck(spec: CheckSpec, history: History): CheckResult {
  switch (spec.kind) {
    case 'only-explained-losses':
      return checkExplainedLosses(history, spec.causes)
    case 'no-two-primaries-in-one-epoch':
      return checkOnePrimaryPerEpoch(history)
    case 'replicas-converge':
      return checkConvergence(history)
    case 'recovers-within':
      return checkRecovery(history, spec.afterHealMs, spec.group)
    case 'losses-are-newest':
      return checkNewestLosses(history)
    case 'same-answers':
      return checkSameAnswers(history, spec.words)
  }
}
