/**
 * Never two primaries for one slot in one epoch.
 *
 * Redis Cluster allows two nodes to believe for a while that they own a slot: the one with the greater configuration
 * epoch wins when they meet. What must never be is two owners under the *same* epoch, because then nothing decides
 * (Redis cluster specification, "configEpoch conflicts resolution").
 */
import type { CheckResult } from '../../reports/result.ts'
import type { History } from '../history/history.ts'

export function checkOnePrimaryPerEpoch(history: History): CheckResult {
  const name = 'one primary per slot and epoch'
  const claims = history.of('node').filter((event) => event.role === 'primary' && event.slots.length > 0)
  if (claims.length === 0) {
    return { name, verdict: 'unknown', sentence: 'No primary was ever seen to own a slot.', evidence: [] }
  }
  /** By epoch: the owner of each slot that was ever claimed in it. */
  const ownersByEpoch = new Map<number, Map<number, string>>()
  const conflicts = new Map<string, { atMs: number; text: string }>()
  /** A node mostly says the same again: only what is new needs a look at every slot. */
  const seen = new Set<string>()
  for (const { atMs, node, epoch, slots } of claims) {
    const claim = `${node} ${epoch} ${slots.join(' ')}`
    if (epoch === null || seen.has(claim)) continue
    seen.add(claim)
    const owners = ownersByEpoch.get(epoch) ?? new Map<number, string>()
    ownersByEpoch.set(epoch, owners)
    for (const [from, to] of slots) {
      for (let slot = from; slot <= to; slot++) {
        const owner = owners.get(slot)
        if (owner === undefined) owners.set(slot, node)
        else if (owner !== node) {
          const pair = `${owner} ${node} ${epoch}`
          if (conflicts.has(pair)) break
          conflicts.set(pair, { atMs, text: `${owner} and ${node} both owned slot ${slot} in epoch ${epoch}` })
        }
      }
    }
  }
  const evidence = [...conflicts.values()]
  return {
    name,
    verdict: evidence.length === 0 ? 'pass' : 'fail',
    sentence:
      evidence.length === 0
        ? `In ${claims.length} observations of ${ownersByEpoch.size} epochs no slot had two primaries in one epoch.`
        : `${evidence.length} pairs of nodes owned a slot in the same epoch.`,
    evidence,
  }
}
