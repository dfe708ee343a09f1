/** Every client of a group must succeed again within a given time of the end of the last fault. */
import type { CheckResult } from '../../reports/result.ts'
import type { History } from '../history/history.ts'

export function checkRecovery(history: History, afterHealMs: number, group: string): CheckResult {
  const name = `${group} clients recover`
  const heal = history
    .of('fault')
    .filter((fault) => fault.state === 'end')
    .at(-1)
  if (heal === undefined) return { name, verdict: 'unknown', sentence: 'No fault was healed.', evidence: [] }
  const operations = history.operations().filter((operation) => operation.group === group)
  const clients = [...new Set(operations.map((operation) => operation.client))].sort()
  if (clients.length === 0)
    return { name, verdict: 'unknown', sentence: `No client of ${group} was active.`, evidence: [] }
  const recoveries = clients.map((client) => {
    const success = operations.find((op) => op.client === client && op.outcome === 'ok' && op.completedMs >= heal.atMs)
    return { client, afterMs: success === undefined ? Number.POSITIVE_INFINITY : success.completedMs - heal.atMs }
  })
  const late = recoveries.filter((recovery) => recovery.afterMs > afterHealMs)
  const slowest = Math.max(...recoveries.map((recovery) => recovery.afterMs))
  return {
    name,
    verdict: late.length === 0 ? 'pass' : 'fail',
    sentence:
      late.length === 0
        ? `All ${clients.length} clients succeeded again within ${Math.round(slowest)} ms of healing.`
        : `${late.length} of ${clients.length} clients did not succeed within ${afterHealMs} ms of healing.`,
    evidence: late.map(({ client, afterMs }) => ({
      text: Number.isFinite(afterMs)
        ? `${client} succeeded after ${Math.round(afterMs)} ms`
        : `${client} never succeeded`,
    })),
  }
}
