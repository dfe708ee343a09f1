/**
 * Messages to other nodes: the header that tells about this node, and which third nodes a PING mentions.
 *
 * A PING mentions a tenth of all nodes, at least three, drawn at random, and in addition every node that this one
 * cannot reach: so that within two node timeouts a majority hears of a failure with near certainty.
 */
import { announcedPorts } from './environment.ts'
import type { Link } from './link.ts'
import {
  encodeBare,
  encodeFail,
  encodePing,
  encodePublish,
  encodeUpdate,
  type Gossip,
  type Header,
  MessageFlag,
  MessageType,
  typeOf,
} from './message.ts'
import { type ClusterNode, NodeFlag } from './node.ts'
import type { ClusterView } from './view.ts'

type PingType = typeof MessageType.ping | typeof MessageType.pong | typeof MessageType.meet

const MIN_GOSSIP = 3
const GOSSIP_SHARE = 10
/** How often a node is drawn, per wanted entry. */
const DRAWS_PER_ENTRY = 3

function buildHeader(view: ClusterView): Header {
  const { myself, environment } = view
  // A replica speaks of its primary's slots and epoch; its flags tell that it is not in charge of them.
  const owner = myself.isReplica && myself.primary !== undefined ? myself.primary : myself
  const paused = myself.isPrimary && view.manualFailover.endMs !== 0
  return {
    ...announcedPorts(environment.config),
    currentEpoch: view.currentEpoch,
    configEpoch: owner.configEpoch,
    offset: environment.replicationOffset(),
    sender: myself.name,
    slots: owner.slots,
    primary: myself.primary?.name ?? '',
    ip: environment.config['cluster-announce-ip'],
    flags: myself.flags,
    state: view.state === 'ok' ? 0 : 1,
    messageFlags: paused ? MessageFlag.paused : 0,
  }
}

function send(view: ClusterView, link: Link, bytes: Buffer): void {
  const type = typeOf(bytes)
  view.sentMessages[type] = (view.sentMessages[type] ?? 0) + 1
  link.send(bytes)
}

function broadcast(view: ClusterView, bytes: Buffer): void {
  for (const node of view.nodes) {
    if (node.link !== undefined && !node.has(NodeFlag.myself | NodeFlag.handshake)) send(view, node.link, bytes)
  }
}

/** PING, PONG or MEET on a link. A PING to a node starts the clock of its answer. */
export function sendPing(view: ClusterView, link: Link, type: PingType): void {
  if (type === MessageType.ping && !link.inbound && link.node !== undefined) link.node.pingSentMs = view.nowMs()
  send(view, link, encodePing(buildHeader(view), type, chooseGossip(view), view.myself.hostname))
}

function chooseGossip(view: ClusterView): Gossip[] {
  const round = ++view.gossipRounds
  // Two are never mentioned: this node and the receiver.
  let fresh = view.nodes.length - 2
  const wanted = Math.min(Math.max(Math.floor(view.nodes.length / GOSSIP_SHARE), MIN_GOSSIP), fresh)
  const entries: Gossip[] = []
  for (let draws = wanted * DRAWS_PER_ENTRY; fresh > 0 && entries.length < wanted && draws > 0; draws--) {
    const node = view.randomNode()
    if (node === view.myself || node.isSuspected || node.gossipRound === round) continue
    const idle = node.link === undefined && node.slotCount === 0
    if (idle || node.has(NodeFlag.handshake | NodeFlag.noAddress)) {
      fresh--
      continue
    }
    node.gossipRound = round
    entries.push(describe(node))
    fresh--
  }
  let suspected = view.suspectedNodes
  for (const node of suspected > 0 ? view.nodes : []) {
    if (suspected <= 0) break
    if (!node.isSuspected || node.has(NodeFlag.handshake | NodeFlag.noAddress)) continue
    entries.push(describe(node))
    suspected--
  }
  return entries
}

function describe(node: ClusterNode): Gossip {
  return {
    name: node.name,
    pingSentSeconds: Math.floor(node.pingSentMs / 1000),
    pongReceivedSeconds: Math.floor(node.pongReceivedMs / 1000),
    ip: node.ip,
    port: node.port,
    busPort: node.busPort,
    flags: node.flags,
    plainPort: node.plainPort,
  }
}

/** An unasked PONG spreads news about this node: to all, or to the replicas of its shard. */
export function broadcastPong(view: ClusterView, to: 'all' | 'shard replicas'): void {
  const { myself } = view
  for (const node of view.nodes) {
    if (node.link === undefined || node === myself || node.inHandshake) continue
    const ofShard =
      node.isReplica && node.primary !== undefined && (node.primary === myself || node.primary === myself.primary)
    if (to === 'all' || ofShard) sendPing(view, node.link, MessageType.pong)
  }
}

export function broadcastFail(view: ClusterView, about: ClusterNode): void {
  broadcast(view, encodeFail(buildHeader(view), about.name))
}

/** Tells the node on the link who really serves the slots of `about`. */
export function sendUpdate(view: ClusterView, link: Link | undefined, about: ClusterNode): void {
  if (link !== undefined) send(view, link, encodeUpdate(buildHeader(view), about.name, about.configEpoch, about.slots))
}

export function broadcastPublish(view: ClusterView, channel: Buffer, message: Buffer, sharded: boolean): void {
  if (!sharded) {
    broadcast(view, encodePublish(buildHeader(view), MessageType.publish, channel, message))
    return
  }
  const bytes = encodePublish(buildHeader(view), MessageType.publishShard, channel, message)
  for (const node of view.shardOf(view.myself)) {
    if (node !== view.myself && node.link !== undefined) send(view, node.link, bytes)
  }
}

/** Asks everybody for a vote; primaries answer. */
export function broadcastVoteRequest(view: ClusterView): void {
  const header = buildHeader(view)
  if (view.manualFailover.endMs !== 0) header.messageFlags |= MessageFlag.forceAck
  broadcast(view, encodeBare(header, MessageType.authRequest))
}

export function sendVote(view: ClusterView, candidate: ClusterNode): void {
  if (candidate.link !== undefined) send(view, candidate.link, encodeBare(buildHeader(view), MessageType.authAck))
}

export function sendFailoverStart(view: ClusterView, primary: ClusterNode): void {
  if (primary.link !== undefined) send(view, primary.link, encodeBare(buildHeader(view), MessageType.failoverStart))
}
