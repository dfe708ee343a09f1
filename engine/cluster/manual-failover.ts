/**
 * CLUSTER FAILOVER: the replica asks its primary to pause its clients (MFSTART), learns the offset at which it paused,
 * waits until it has applied as much, and then stands for an election that voters grant although the primary is up.
 * The primary gives up after 5 s, and its pause ends after 10 s at the latest.
 */
import { failoverPrimary } from './election.ts'
import { bumpEpoch } from './epoch.ts'
import type { Link } from './link.ts'
import { MessageType } from './message.ts'
import type { ClusterNode } from './node.ts'
import { sendFailoverStart, sendPing } from './sending.ts'
import { type ClusterView, Scheduled } from './view.ts'

const TIMEOUT_MS = 5000
const PAUSE_FACTOR = 2

/** Forgets a manual failover; on a primary that was asked for one, clients go on. */
export function resetManualFailover(view: ClusterView): void {
  const { manualFailover } = view
  if (manualFailover.replica !== undefined) view.environment.resumeWrites()
  manualFailover.endMs = 0
  manualFailover.canStart = false
  manualFailover.replica = undefined
  manualFailover.primaryOffset = -1
}

/** CLUSTER FAILOVER on a replica. `force`: without the primary's help. `takeover`: without anybody's vote. */
export function startManualFailover(
  view: ClusterView,
  primary: ClusterNode,
  mode: 'safe' | 'force' | 'takeover',
): void {
  const { log } = view.environment
  resetManualFailover(view)
  view.manualFailover.endMs = view.nowMs() + TIMEOUT_MS
  if (mode === 'takeover') {
    log.warning('Taking over the master (user request).')
    bumpEpoch(view)
    failoverPrimary(view)
  } else if (mode === 'force') {
    log.warning('Forced failover user request accepted.')
    view.manualFailover.canStart = true
  } else {
    log.warning('Manual failover user request accepted.')
    sendFailoverStart(view, primary)
  }
}

/** MFSTART arrived: a replica of this primary wants to take over. */
export function acceptManualFailover(view: ClusterView, replica: ClusterNode, link: Link): void {
  const nowMs = view.nowMs()
  resetManualFailover(view)
  view.manualFailover.endMs = nowMs + TIMEOUT_MS
  view.manualFailover.replica = replica
  view.environment.pauseWrites(nowMs + TIMEOUT_MS * PAUSE_FACTOR)
  view.environment.log.warning(`Manual failover requested by replica ${replica.name}.`)
  // Tells the replica the offset at which the clients were paused.
  sendPing(view, link, MessageType.ping)
}

/** Replica: the primary said, while paused, where it stands. */
export function notePausedOffset(view: ClusterView, offset: number): void {
  view.manualFailover.primaryOffset = offset
  view.schedule(Scheduled.manualFailover)
  view.environment.log.warning(`Received replication offset for paused master manual failover: ${offset}`)
}

export function expireManualFailover(view: ClusterView): void {
  if (view.manualFailover.endMs === 0 || view.manualFailover.endMs >= view.nowMs()) return
  view.environment.log.warning('Manual failover timed out.')
  resetManualFailover(view)
}

/** Replica: may the election begin? Looks again soon while the stream of the primary is not fully applied. */
export function handleManualFailover(view: ClusterView): void {
  const { manualFailover, environment } = view
  if (manualFailover.endMs === 0 || manualFailover.canStart || manualFailover.primaryOffset === -1) return
  if (manualFailover.primaryOffset !== environment.replicationOffset()) {
    environment.soon()
    return
  }
  manualFailover.canStart = true
  environment.log.warning('All master replication stream processed, manual failover can start.')
  view.schedule(Scheduled.failover)
}
