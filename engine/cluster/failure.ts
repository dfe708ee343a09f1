/**
 * Who is down. A node that does not answer for a node timeout is *suspected* (PFAIL) by this node alone; when a
 * majority of primaries suspects it, within twice the timeout, it has *failed* (FAIL), and whoever finds that out
 * tells everybody.
 */
import { MessageType } from './message.ts'
import { type ClusterNode, NodeFlag } from './node.ts'
import { broadcastFail, sendPing } from './sending.ts'
import { type ClusterView, Scheduled } from './view.ts'

const REPORT_VALIDITY_FACTOR = 2
const FAIL_UNDO_FACTOR = 2

export const countFailureReports = (view: ClusterView, node: ClusterNode): number =>
  node.countFailureReports(view.nowMs(), view.nodeTimeoutMs * REPORT_VALIDITY_FACTOR)

/** A primary said in its gossip that it cannot (or can) reach the node. */
export function noteReport(view: ClusterView, node: ClusterNode, reporter: ClusterNode, unreachable: boolean): void {
  const { log } = view.environment
  if (unreachable) {
    if (node.addFailureReport(reporter, view.nowMs())) {
      log.verbose(`Node ${reporter.name} reported node ${node.name} as not reachable.`)
    }
    markFailedIfAgreed(view, node)
  } else if (node.removeFailureReport(reporter)) {
    countFailureReports(view, node)
    log.verbose(`Node ${reporter.name} reported node ${node.name} is back online.`)
  }
}

function markFailedIfAgreed(view: ClusterView, node: ClusterNode): void {
  if (!node.isSuspected || node.isFailed) return
  const agreeing = countFailureReports(view, node) + (view.myself.isPrimary ? 1 : 0)
  if (agreeing < view.quorum) return
  view.environment.log.notice(`Marking node ${node.name} as failing (quorum reached).`)
  markFailed(view, node)
  broadcastFail(view, node)
}

export function markFailed(view: ClusterView, node: ClusterNode): void {
  node.flags = (node.flags & ~NodeFlag.suspected) | NodeFlag.failed
  node.failedMs = view.nowMs()
  view.schedule(Scheduled.updateState | Scheduled.saveConfig)
}

/** A PONG arrived: the node is not suspected any more, and perhaps not failed. */
export function noteReachable(view: ClusterView, node: ClusterNode): void {
  if (node.isSuspected) {
    node.flags &= ~NodeFlag.suspected
    view.schedule(Scheduled.saveConfig | Scheduled.updateState)
  } else if (node.isFailed) {
    clearFailureIfAllowed(view, node)
  }
}

/**
 * Without slots nothing depends on the node: it is up at once. A primary with slots stays failed for twice the
 * timeout, so that its replicas can finish taking over; after that nobody did.
 */
function clearFailureIfAllowed(view: ClusterView, node: ClusterNode): void {
  const { log } = view.environment
  if (node.isReplica || node.slotCount === 0) {
    const what = node.isReplica ? 'replica' : 'master without slots'
    log.notice(`Clear FAIL state for node ${node.name}: ${what} is reachable again.`)
  } else if (node.isPrimary && view.nowMs() - node.failedMs > view.nodeTimeoutMs * FAIL_UNDO_FACTOR) {
    log.notice(
      `Clear FAIL state for node ${node.name}: is reachable again and nobody is serving its slots after some time.`,
    )
  } else {
    return
  }
  node.flags &= ~NodeFlag.failed
  view.schedule(Scheduled.updateState | Scheduled.saveConfig)
}

/**
 * One look at a node in the cron: reconnect after half a timeout of silence, PING when the last PONG is that old,
 * suspect after a whole one. True when the node has just become suspected.
 */
export function watchNode(view: ClusterView, node: ClusterNode): boolean {
  const nowMs = view.nowMs()
  const timeoutMs = view.nodeTimeoutMs
  const pingDelayMs = nowMs - node.pingSentMs
  const dataDelayMs = nowMs - node.dataReceivedMs

  const silent = pingDelayMs > timeoutMs / 2 && dataDelayMs > timeoutMs / 2
  if (node.link !== undefined && nowMs - node.link.createdMs > timeoutMs && node.pingSentMs !== 0 && silent) {
    node.link.close()
  }
  if (node.link !== undefined && node.pingSentMs === 0 && nowMs - node.pongReceivedMs > timeoutMs / 2) {
    sendPing(view, node.link, MessageType.ping)
    return false
  }
  if (node.link !== undefined && view.myself.isPrimary && view.manualFailover.replica === node) {
    sendPing(view, node.link, MessageType.ping)
    return false
  }
  if (node.pingSentMs === 0) return false
  // Any data proves life: under load a PONG may be late behind other messages.
  if (Math.min(pingDelayMs, dataDelayMs) <= timeoutMs) return false
  if (node.has(NodeFlag.suspected | NodeFlag.failed)) return false
  view.environment.log.debug(`*** NODE ${node.name} possibly failing`)
  node.flags |= NodeFlag.suspected
  return true
}
