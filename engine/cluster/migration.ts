/**
 * Replica migration: a replica of a primary that has several goes over to a primary that has lost its last one.
 * Exactly one does: the one with the smallest name among the replicas of the primaries that have most.
 */
import type { ClusterNode } from './node.ts'
import { NodeFlag } from './node.ts'
import { becomeReplicaOf } from './slots.ts'
import type { ClusterView } from './view.ts'

/** So long a primary must have been an orphan: its replicas may just be changing sides in a failover. */
const ORPHAN_DELAY_MS = 5000

/** `maxReplicas`: the greatest number of working replicas that a primary has. */
export function migrateReplica(view: ClusterView, maxReplicas: number): void {
  const { myself, environment } = view
  const primary = myself.primary
  if (view.state !== 'ok' || primary === undefined) return
  const staying = primary.replicas.filter((it) => !it.has(NodeFlag.failed | NodeFlag.suspected)).length
  if (staying <= environment.config['cluster-migration-barrier']) return

  let target: ClusterNode | undefined
  let candidate = myself
  const nowMs = view.nowMs()
  for (const node of view.nodes) {
    const replicas = node.isPrimary ? node.countWorkingReplicas() : 0
    const orphaned = !node.isReplica && !node.isFailed && node.has(NodeFlag.migrateTo) && replicas === 0
    if (!orphaned) node.orphanedMs = 0
    else {
      if (node.slotCount > 0) target ??= node
      node.orphanedMs ||= nowMs
    }
    if (replicas !== maxReplicas) continue
    for (const replica of node.replicas) if (replica.name < candidate.name) candidate = replica
  }
  if (target === undefined || candidate !== myself || nowMs - target.orphanedMs <= ORPHAN_DELAY_MS) return
  environment.log.warning(`Migrating to orphaned master ${target.name}`)
  becomeReplicaOf(view, target)
}
