/**
 * How a replica takes the place of its failed primary: it waits 500 ms (so that the FAIL spreads), plus up to 500 ms
 * by chance, plus 1000 ms for every replica of the shard that has more data; asks all primaries for their vote in a
 * new epoch; and with a majority of them takes over the slots under that epoch. A primary votes once an epoch, and for
 * one shard at most once in two node timeouts.
 */
import { SLOT_COUNT } from '../data/crc16.ts'
import { resetManualFailover } from './manual-failover.ts'
import { type Header, MessageFlag } from './message.ts'
import { type ClusterNode, NodeFlag, nextSlot } from './node.ts'
import { broadcastPong, broadcastVoteRequest, sendVote } from './sending.ts'
import { setAsPrimary } from './slots.ts'
import { updateClusterState } from './state.ts'
import { type CannotFailover, type ClusterView, Scheduled } from './view.ts'

const FIXED_DELAY_MS = 500
const RANDOM_DELAY_MS = 500
const RANK_DELAY_MS = 1000
const MIN_VOTING_MS = 2000
const RELOG_MS = 5 * 60_000
const QUIET_MS = 5000

/** How many replicas of this one's shard have more data and may stand for election. */
function rankOf(view: ClusterView): number {
  const offset = view.environment.replicationOffset()
  const rivals = view.myself.primary?.replicas ?? []
  return rivals.filter((it) => it !== view.myself && !it.has(NodeFlag.noFailover) && it.offset > offset).length
}

/** One step of the election of this replica; called by the cron and whenever something relevant has happened. */
export function handleFailover(view: ClusterView): void {
  const { myself, election, manualFailover, environment } = view
  const { log, config } = environment
  view.scheduled &= ~Scheduled.failover
  const nowMs = view.nowMs()
  const ageMs = nowMs - election.atMs
  const votingMs = Math.max(view.nodeTimeoutMs * 2, MIN_VOTING_MS)
  const manual = manualFailover.endMs !== 0 && manualFailover.canStart

  const primary = myself.primary
  const mayStand = manual || (primary?.isFailed && !config['cluster-replica-no-failover'])
  if (myself.isPrimary || primary === undefined || !mayStand || primary.slotCount === 0) {
    view.cannotFailover = 'none'
    return
  }
  if (!manual && isDataTooOld(view)) {
    explainWaiting(view, 'data age')
    return
  }
  if (ageMs > votingMs * 2) {
    planElection(view)
    return
  }
  if (!election.sent && manualFailover.endMs === 0) updateRank(view)
  if (nowMs < election.atMs) explainWaiting(view, 'waiting for delay')
  else if (ageMs > votingMs) explainWaiting(view, 'expired')
  else if (!election.sent) requestVotes(view)
  else if (election.votes < view.quorum) explainWaiting(view, 'waiting for votes')
  else {
    log.warning("Failover election won: I'm the new master.")
    if (myself.configEpoch < election.epoch) {
      myself.configEpoch = election.epoch
      log.warning(`configEpoch set to ${myself.configEpoch} after successful failover`)
    }
    failoverPrimary(view)
  }
}

function requestVotes(view: ClusterView): void {
  const { election, environment } = view
  view.currentEpoch++
  election.epoch = view.currentEpoch
  environment.log.warning(`Starting a failover election for epoch ${view.currentEpoch}.`)
  broadcastVoteRequest(view)
  election.sent = true
  view.schedule(Scheduled.saveConfig | Scheduled.updateState | Scheduled.syncConfig)
}

/** Disconnected from the primary for longer than its failure explains. */
function isDataTooOld(view: ClusterView): boolean {
  const { config } = view.environment
  const factor = config['cluster-replica-validity-factor']
  let ageMs = view.environment.dataAgeMs()
  if (ageMs > view.nodeTimeoutMs) ageMs -= view.nodeTimeoutMs
  return factor > 0 && ageMs > config['repl-ping-replica-period'] * 1000 + view.nodeTimeoutMs * factor
}

function planElection(view: ClusterView): void {
  const { election, environment, manualFailover } = view
  const nowMs = view.nowMs()
  election.votes = 0
  election.sent = false
  election.rank = rankOf(view)
  election.atMs = nowMs + FIXED_DELAY_MS + environment.random.below(RANDOM_DELAY_MS) + election.rank * RANK_DELAY_MS
  if (manualFailover.endMs !== 0) {
    election.atMs = nowMs
    election.rank = 0
    view.schedule(Scheduled.failover)
  }
  environment.log.warning(
    `Start of election delayed for ${election.atMs - nowMs} milliseconds (rank #${election.rank}, offset ${environment.replicationOffset()}).`,
  )
  // The other replicas learn this one's offset, and rank themselves behind it if they have less.
  broadcastPong(view, 'shard replicas')
}

/** Others may have told meanwhile that they have more data. */
function updateRank(view: ClusterView): void {
  const { election } = view
  const rank = rankOf(view)
  if (rank <= election.rank) return
  const addedMs = (rank - election.rank) * RANK_DELAY_MS
  election.atMs += addedMs
  election.rank = rank
  view.environment.log.warning(`Replica rank updated to #${rank}, added ${addedMs} milliseconds of delay.`)
}

const explanations: Record<Exclude<CannotFailover, 'none'>, string> = {
  'data age':
    "Disconnected from master for longer than allowed. Please check the 'cluster-replica-validity-factor' configuration option.",
  'waiting for delay': 'Waiting the delay before I can start a new failover.',
  expired: 'Failover attempt expired.',
  'waiting for votes': 'Waiting for votes, but majority still not reached.',
}

/** Logs why there is no failover: once a reason, every five minutes, and not while it is all going well. */
function explainWaiting(view: ClusterView, reason: Exclude<CannotFailover, 'none'>): void {
  const nowMs = view.nowMs()
  if (reason === view.cannotFailover && nowMs - view.cannotFailoverLoggedMs < RELOG_MS) return
  view.cannotFailover = reason
  const primary = view.myself.primary
  if (primary?.isFailed && nowMs - primary.failedMs < view.nodeTimeoutMs + QUIET_MS) return
  view.cannotFailoverLoggedMs = nowMs
  view.environment.log.warning(`Currently unable to failover: ${explanations[reason]}`)
}

/** Takes the primary's place. The new config epoch is set already. */
export function failoverPrimary(view: ClusterView): void {
  const { myself } = view
  const old = myself.primary
  if (myself.isPrimary || old === undefined) return
  setAsPrimary(view, myself)
  view.environment.becomePrimary()
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    if (!old.hasSlot(slot)) continue
    view.releaseSlot(slot)
    view.addSlot(myself, slot)
  }
  updateClusterState(view)
  view.environment.saveConfig(true)
  broadcastPong(view, 'all')
  resetManualFailover(view)
}

/** A replica asks for this primary's vote. */
export function answerVoteRequest(view: ClusterView, candidate: ClusterNode, request: Header): void {
  const { myself, environment } = view
  if (myself.isReplica || myself.slotCount === 0) return
  const refusal = whyNoVote(view, candidate, request)
  if (refusal !== undefined) {
    environment.log.warning(`Failover auth denied to ${candidate.name}: ${refusal}`)
    return
  }
  view.lastVoteEpoch = view.currentEpoch
  if (candidate.primary !== undefined) candidate.primary.votedMs = view.nowMs()
  view.schedule(Scheduled.saveConfig | Scheduled.syncConfig)
  sendVote(view, candidate)
  environment.log.warning(`Failover auth granted to ${candidate.name} for epoch ${view.currentEpoch}`)
}

function whyNoVote(view: ClusterView, candidate: ClusterNode, request: Header): string | undefined {
  const { currentEpoch } = view
  if (request.currentEpoch < currentEpoch) {
    return `reqEpoch (${request.currentEpoch}) < curEpoch(${currentEpoch})`
  }
  if (view.lastVoteEpoch === currentEpoch) return `already voted for epoch ${currentEpoch}`
  const primary = candidate.primary
  if (candidate.isPrimary) return 'it is a master node'
  if (primary === undefined) return "I don't know its master"
  const forced = (request.messageFlags & MessageFlag.forceAck) !== 0
  if (!primary.isFailed && !forced) return 'its master is up'
  const waitMs = view.nodeTimeoutMs * 2 - (view.nowMs() - primary.votedMs)
  if (waitMs > 0) return `can't vote about this master before ${waitMs} milliseconds`
  for (let slot = nextSlot(request.slots, 0); slot < SLOT_COUNT; slot = nextSlot(request.slots, slot + 1)) {
    const holder = view.slots[slot]
    if (holder !== undefined && holder.configEpoch > request.configEpoch) {
      return `slot ${slot} epoch (${holder.configEpoch}) > reqEpoch (${request.configEpoch})`
    }
  }
  return undefined
}
