/**
 * Epochs: the cluster's logical clock. `currentEpoch` is the highest ever heard of; a primary's `configEpoch` is the
 * one under which it claims its slots, and the greater one wins. Elections make unique ones by majority; resharding
 * and takeovers make one without asking, and two primaries that end with the same one part here.
 */
import type { ClusterNode } from './node.ts'
import { type ClusterView, Scheduled } from './view.ts'

export function maxEpoch(view: ClusterView): number {
  return view.nodes.reduce((max, node) => Math.max(max, node.configEpoch), view.currentEpoch)
}

/** Takes a new highest config epoch without any vote. False when this node has the highest already. */
export function bumpEpoch(view: ClusterView): boolean {
  const { myself } = view
  if (myself.configEpoch !== 0 && myself.configEpoch === maxEpoch(view)) return false
  view.currentEpoch++
  myself.configEpoch = view.currentEpoch
  view.schedule(Scheduled.saveConfig | Scheduled.syncConfig)
  view.environment.log.warning(`New configEpoch set to ${myself.configEpoch}`)
  return true
}

/**
 * Two primaries with one config epoch: the one with the smaller name moves to a new one. The greatest name never
 * moves, so any number of colliding nodes end with different epochs.
 */
export function resolveEpochCollision(view: ClusterView, other: ClusterNode): void {
  const { myself } = view
  if (other.configEpoch !== myself.configEpoch || !other.isPrimary || !myself.isPrimary) return
  if (other.name <= myself.name) return
  view.currentEpoch++
  myself.configEpoch = view.currentEpoch
  view.environment.saveConfig(true)
  view.environment.log.verbose(
    `WARNING: configEpoch collision with node ${other.name}. configEpoch set to ${myself.configEpoch}`,
  )
}
