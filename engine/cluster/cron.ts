/**
 * What a node does by itself: ten times a second it connects, greets, watches and elects; at the end of a turn it does
 * what the turn's messages asked for.
 */
import { handleFailover } from './election.ts'
import { watchNode } from './failure.ts'
import { expireManualFailover, handleManualFailover } from './manual-failover.ts'
import { MessageType } from './message.ts'
import { migrateReplica } from './migration.ts'
import { type ClusterNode, NodeFlag } from './node.ts'
import { sendPing } from './sending.ts'
import { updateClusterState } from './state.ts'
import { type ClusterView, Scheduled } from './view.ts'

export const CRON_PERIOD_MS = 100
const ROUNDS_PER_RANDOM_PING = 10
const CANDIDATES_PER_RANDOM_PING = 5
const MIN_HANDSHAKE_MS = 1000

/** Every 100 ms. */
export function clusterCron(view: ClusterView): void {
  const { myself, environment } = view
  view.cronRounds++
  keepConnected(view)
  if (view.cronRounds % ROUNDS_PER_RANDOM_PING === 0) pingRandomNode(view)
  const watched = watchNodes(view)

  const primary = myself.primary
  if (myself.isReplica && !environment.isReplicating() && primary !== undefined && !primary.has(NodeFlag.noAddress)) {
    environment.replicaOf(primary.ip, primary.port)
  }
  expireManualFailover(view)
  if (myself.isReplica) {
    handleManualFailover(view)
    handleFailover(view)
    const { orphans, maxReplicas, myReplicas } = watched
    const mayMigrate = environment.config['cluster-allow-replica-migration']
    if (orphans > 0 && maxReplicas >= 2 && myReplicas === maxReplicas && mayMigrate) migrateReplica(view, maxReplicas)
  }
  if (watched.newSuspects || view.state === 'fail') updateClusterState(view)
}

/** Drops handshakes that lead nowhere and links that are clogged; connects to everybody else. */
function keepConnected(view: ClusterView): void {
  const handshakeMs = Math.max(view.nodeTimeoutMs, MIN_HANDSHAKE_MS)
  view.suspectedNodes = 0
  for (const node of [...view.nodes]) {
    closeLinksOverLimit(view, node)
    if (node.has(NodeFlag.myself | NodeFlag.noAddress)) continue
    if (node.isSuspected) view.suspectedNodes++
    if (node.inHandshake && view.nowMs() - node.createdMs > handshakeMs) view.removeNode(node)
    else if (node.link === undefined) node.link = view.environment.connect(node)
  }
}

function closeLinksOverLimit(view: ClusterView, node: ClusterNode): void {
  const limitBytes = view.environment.config['cluster-link-sendbuf-limit']
  if (limitBytes === 0) return
  for (const link of [node.link, node.inboundLink]) {
    if (link === undefined || link.bufferedBytes <= limitBytes) continue
    view.environment.log.warning(
      `Freeing cluster link(${link.inbound ? 'from' : 'to'} node ${node.name}, used memory: ${link.bufferedBytes}) due to exceeding send buffer memory limit.`,
    )
    link.close()
    view.linksOverLimit++
  }
}

/** Of five nodes drawn by chance the one that was silent longest gets a PING. */
function pingRandomNode(view: ClusterView): void {
  let oldest: ClusterNode | undefined
  for (let i = 0; i < CANDIDATES_PER_RANDOM_PING; i++) {
    const node = view.randomNode()
    if (node.link === undefined || node.pingSentMs !== 0) continue
    if (node.has(NodeFlag.myself | NodeFlag.handshake)) continue
    if (oldest === undefined || oldest.pongReceivedMs > node.pongReceivedMs) oldest = node
  }
  if (oldest?.link === undefined) return
  view.environment.log.debug(`Pinging node ${oldest.name}`)
  sendPing(view, oldest.link, MessageType.ping)
}

/** Looks at every node once, and counts on the way what replica migration needs to know. */
function watchNodes(view: ClusterView) {
  const { myself } = view
  const seen = { newSuspects: false, orphans: 0, maxReplicas: 0, myReplicas: 0 }
  for (const node of view.nodes) {
    if (node.has(NodeFlag.myself | NodeFlag.noAddress | NodeFlag.handshake)) continue
    if (myself.isReplica && node.isPrimary && !node.isFailed) {
      const replicas = node.countWorkingReplicas()
      if (replicas === 0 && node.slotCount > 0 && node.has(NodeFlag.migrateTo)) seen.orphans++
      seen.maxReplicas = Math.max(seen.maxReplicas, replicas)
      if (myself.primary === node) seen.myReplicas = replicas
    }
    if (watchNode(view, node)) seen.newSuspects = true
  }
  return seen
}

/** At the end of a turn: what its messages, commands and timers scheduled. */
export function runScheduled(view: ClusterView): void {
  const work = view.scheduled
  view.scheduled = 0
  if (work & Scheduled.manualFailover) {
    if (view.myself.isReplica) {
      handleManualFailover(view)
      handleFailover(view)
    }
  } else if (work & Scheduled.failover) {
    handleFailover(view)
  }
  if (work & Scheduled.updateState) updateClusterState(view)
  if (work & Scheduled.saveConfig) view.environment.saveConfig((work & Scheduled.syncConfig) !== 0)
}
