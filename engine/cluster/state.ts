/**
 * Is the cluster up, as far as this node can tell? It is down when a slot has no working owner (unless full coverage
 * is not required) or when this node does not reach a majority of the primaries that serve slots. A primary becomes
 * writable again only some time after it started, and some time after it was in a minority: by then it has heard
 * whether somebody took its slots over.
 */
import { SLOT_COUNT } from '../data/crc16.ts'
import { NodeFlag } from './node.ts'
import { type ClusterView, Scheduled } from './view.ts'

const MAX_REJOIN_DELAY_MS = 5000
const MIN_REJOIN_DELAY_MS = 500
const WRITABLE_DELAY_MS = 2000

export function updateClusterState(view: ClusterView): void {
  const nowMs = view.nowMs()
  view.scheduled &= ~Scheduled.updateState
  if (view.firstUpdateMs === 0) view.firstUpdateMs = nowMs
  const starting = nowMs - view.firstUpdateMs < WRITABLE_DELAY_MS
  if (view.myself.isPrimary && view.state === 'fail' && starting) return

  const covered = !view.environment.config['cluster-require-full-coverage'] || allSlotsServed(view)
  const reachable = countElectorate(view)
  if (reachable < view.quorum) view.minorityMs = nowMs
  const state = covered && reachable >= view.quorum ? 'ok' : 'fail'
  if (state === view.state) return

  const rejoinDelayMs = Math.min(Math.max(view.nodeTimeoutMs, MIN_REJOIN_DELAY_MS), MAX_REJOIN_DELAY_MS)
  if (state === 'ok' && view.myself.isPrimary && nowMs - view.minorityMs < rejoinDelayMs) return
  view.environment.log.warning(`Cluster state changed: ${state}`)
  view.state = state
}

function allSlotsServed(view: ClusterView): boolean {
  return view.assignedSlots === SLOT_COUNT && !view.nodes.some((node) => node.slotCount > 0 && node.isFailed)
}

/** Brings `view.size` up to date; returns how many of those primaries this node can reach. */
function countElectorate(view: ClusterView): number {
  const electorate = view.nodes.filter((node) => node.isPrimary && node.slotCount > 0)
  view.size = electorate.length
  return electorate.filter((node) => !node.has(NodeFlag.failed | NodeFlag.suspected)).length
}
