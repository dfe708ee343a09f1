/** After healing and settling, every replica must hold exactly the keys and values of the primary that it follows. */
import type { CheckResult } from '../../reports/result.ts'
import type { ContentEvent, History } from '../history/history.ts'

export function checkConvergence(history: History): CheckResult {
  const name = 'replicas converge'
  const content = collect(history.of('content'))
  const replicas = [...content.values()].filter((node) => node.role === 'replica')
  if (replicas.length === 0) {
    return { name, verdict: 'unknown', sentence: 'No replica was read after the run.', evidence: [] }
  }
  if (history.end()?.settled === false) {
    return { name, verdict: 'fail', sentence: 'The topology had not settled when its time was up.', evidence: [] }
  }
  const evidence = replicas.flatMap((replica) => {
    const primary = content.get(replica.follows)
    if (primary?.role !== 'primary')
      return [{ text: `${replica.node} follows ${replica.follows || 'nobody'}, which is no primary` }]
    return differences(primary, replica)
  })
  const keys = replicas.reduce((sum, replica) => sum + replica.entries.size, 0)
  return {
    name,
    verdict: evidence.length === 0 ? 'pass' : 'fail',
    sentence:
      evidence.length === 0
        ? `${replicas.length} replicas hold the same ${keys} keys as their primaries.`
        : `${evidence.length} differences between replicas and their primaries.`,
    evidence: evidence.slice(0, 20),
  }
}

interface NodeContent {
  node: string
  role: 'primary' | 'replica'
  follows: string
  entries: Map<string, string>
}

function collect(parts: readonly ContentEvent[]): Map<string, NodeContent> {
  const nodes = new Map<string, NodeContent>()
  for (const { node, role, follows, entries } of parts) {
    const known = nodes.get(node) ?? { node, role, follows, entries: new Map<string, string>() }
    for (const [key, value] of entries) known.entries.set(key, value)
    nodes.set(node, known)
  }
  return nodes
}

function differences(primary: NodeContent, replica: NodeContent): { text: string }[] {
  const missing = [...primary.entries].filter(([key, value]) => replica.entries.get(key) !== value)
  const surplus = [...replica.entries.keys()].filter((key) => !primary.entries.has(key))
  return [
    ...missing.map(([key, value]) => ({
      text: `${key} is '${value}' on ${primary.node} and ${describe(replica.entries.get(key))} on ${replica.node}`,
    })),
    ...surplus.map((key) => ({ text: `${key} exists on ${replica.node} and not on ${primary.node}` })),
  ]
}

function describe(value: string | undefined): string {
  return value === undefined ? 'missing' : `'${value}'`
}
