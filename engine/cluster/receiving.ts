/**
 * What a message from another node changes. The order of the steps is Redis's, and matters: epochs first, then the
 * answer, then the sender's identity and role, then its slots, then what it says about others.
 */
import { SLOT_COUNT } from '../data/crc16.ts'
import { answerVoteRequest } from './election.ts'
import { resolveEpochCollision } from './epoch.ts'
import { markFailed, noteReachable } from './failure.ts'
import { processGossip } from './gossip.ts'
import type { Link } from './link.ts'
import { acceptManualFailover, notePausedOffset } from './manual-failover.ts'
import { type Body, decodeMessage, type Header, type Message, MessageFlag, MessageType, typeOf } from './message.ts'
import { type ClusterNode, NodeFlag, nextSlot } from './node.ts'
import { sendPing, sendUpdate } from './sending.ts'
import { claimSlots, setAsPrimary } from './slots.ts'
import { type ClusterView, isNodeName, Scheduled } from './view.ts'

type PingBody = Extract<Body, { gossip: unknown }>

/** Processes one message. False: the link is closed, nothing more may be read from it. */
export function receive(view: ClusterView, link: Link, bytes: Buffer): boolean {
  const type = typeOf(bytes)
  if (type < view.receivedMessages.length) view.receivedMessages[type] = (view.receivedMessages[type] ?? 0) + 1
  const message = decodeMessage(bytes)
  if (message === undefined) return true
  if (typeof message === 'string') {
    view.environment.log.warning(message)
    return true
  }
  if (type === view.droppedType) {
    view.environment.log.warning('Packet that matches debug drop filter')
    return true
  }
  const sender = senderOf(view, link, message.header)
  if (sender !== undefined) noteSender(view, sender, message.header)
  const { body } = message
  if ('gossip' in body) return receivePing(view, link, sender, message, body)
  receiveOther(view, link, sender, message)
  return true
}

/** The known node that sent a message; an incoming link is bound to it. */
function senderOf(view: ClusterView, link: Link, header: Header): ClusterNode | undefined {
  const known = link.node
  if (known !== undefined && !known.inHandshake && view.knows(known)) return known
  const sender = view.lookup(header.sender)
  if (sender !== undefined && link.inbound && link.node !== sender) {
    sender.inboundLink = link
    link.node = sender
  }
  return sender
}

function noteSender(view: ClusterView, sender: ClusterNode, header: Header): void {
  sender.dataReceivedMs = view.nowMs()
  if (sender.inHandshake) return
  view.currentEpoch = Math.max(view.currentEpoch, header.currentEpoch)
  if (header.configEpoch > sender.configEpoch) {
    sender.configEpoch = header.configEpoch
    view.schedule(Scheduled.saveConfig | Scheduled.syncConfig)
  }
  sender.offset = header.offset
  const { manualFailover, myself } = view
  const paused = (header.messageFlags & MessageFlag.paused) !== 0
  const fromMyPrimary = myself.isReplica && myself.primary === sender
  if (manualFailover.endMs !== 0 && fromMyPrimary && paused && manualFailover.primaryOffset === -1) {
    notePausedOffset(view, sender.offset)
  }
}

function receivePing(
  view: ClusterView,
  link: Link,
  sender: ClusterNode | undefined,
  message: Message,
  body: PingBody,
): boolean {
  const { header } = message
  if (body.type !== MessageType.pong) answerPing(view, link, sender, header, body)
  if (!link.inbound && !checkIdentity(view, link, sender, header)) return false

  if (sender !== undefined) {
    sender.flags = (sender.flags & ~NodeFlag.noFailover) | (header.flags & NodeFlag.noFailover)
    if (body.type === MessageType.ping && !sender.inHandshake) updateAddress(view, sender, link, header)
  }
  if (!link.inbound && body.type === MessageType.pong && link.node !== undefined) {
    link.node.pongReceivedMs = view.nowMs()
    link.node.pingSentMs = 0
    noteReachable(view, link.node)
  }
  if (sender === undefined) return true

  noteRole(view, sender, header)
  compareSlots(view, sender, header)
  if (view.myself.isPrimary && sender.isPrimary && header.configEpoch === view.myself.configEpoch) {
    resolveEpochCollision(view, sender)
  }
  processGossip(view, sender, body.gossip)
  for (const type of body.unknownExtensions) {
    view.environment.log.warning(`Received unknown extension type ${type}`)
  }
  sender.hostname = body.hostname
  return true
}

/** PING and MEET are answered, by whomever they were sent; MEET also makes the sender's acquaintance. */
function answerPing(
  view: ClusterView,
  link: Link,
  sender: ClusterNode | undefined,
  header: Header,
  body: PingBody,
): void {
  const { myself, environment } = view
  const isMeet = body.type === MessageType.meet
  // The sender reached this node at the address that the socket has: that is this node's address.
  if (
    (isMeet || myself.ip === '') &&
    environment.config['cluster-announce-ip'] === '' &&
    link.localHost !== myself.ip
  ) {
    myself.ip = link.localHost
    environment.log.warning(`IP address for this node updated to ${myself.ip}`)
    view.schedule(Scheduled.saveConfig)
  }
  if (isMeet && sender === undefined) {
    // Role and name follow when it answers the PING that this node will send.
    const node = view.createNode(undefined, NodeFlag.handshake)
    node.ip = header.ip === '' ? link.remoteHost : header.ip
    node.port = header.port
    node.plainPort = header.plainPort
    node.busPort = header.busPort
    view.addNode(node)
    view.schedule(Scheduled.saveConfig)
    processGossip(view, undefined, body.gossip)
  }
  sendPing(view, link, MessageType.pong)
}

/** Is the node at the other end the one that this link was made for? False when the link had to be closed. */
function checkIdentity(view: ClusterView, link: Link, sender: ClusterNode | undefined, header: Header): boolean {
  const node = link.node
  const { log } = view.environment
  if (node === undefined || !isNodeName(header.sender)) {
    link.close()
    return false
  }
  if (node.inHandshake) {
    if (sender !== undefined) {
      log.verbose(`Handshake: we already know node ${sender.name}, updating the address if needed.`)
      updateAddress(view, sender, link, header)
      view.removeNode(node)
      return false
    }
    view.rename(node, header.sender)
    log.debug(`Handshake with node ${node.name} completed.`)
    node.flags = (node.flags & ~NodeFlag.handshake) | (header.flags & (NodeFlag.primary | NodeFlag.replica))
    view.schedule(Scheduled.saveConfig)
  } else if (node.name !== header.sender) {
    const ageMs = view.nowMs() - node.createdMs
    log.debug(
      `PONG contains mismatching sender ID. About node ${node.name} added ${ageMs} ms ago, having flags ${node.flags}`,
    )
    node.forgetAddress()
    link.close()
    view.schedule(Scheduled.saveConfig)
    return false
  }
  return true
}

/** The sender has moved: connect to its new address; and if it is this node's primary, replicate from there. */
function updateAddress(view: ClusterView, node: ClusterNode, link: Link, header: Header): void {
  if (link === node.link) return
  const ip = header.ip === '' ? link.remoteHost : header.ip
  const { port, busPort, plainPort } = header
  if (node.port === port && node.busPort === busPort && node.plainPort === plainPort && node.ip === ip) return
  node.ip = ip
  node.port = port
  node.plainPort = plainPort
  node.busPort = busPort
  node.link?.close()
  node.flags &= ~NodeFlag.noAddress
  view.environment.log.warning(`Address updated for node ${node.name}, now ${node.ip}:${node.port}`)
  if (view.myself.isReplica && view.myself.primary === node) view.environment.replicaOf(node.ip, node.port)
  view.schedule(Scheduled.saveConfig | Scheduled.updateState)
}

/** A primary says no name of a primary; a replica says whose it is. */
function noteRole(view: ClusterView, sender: ClusterNode, header: Header): void {
  if (header.primary === '') {
    setAsPrimary(view, sender)
    return
  }
  if (sender.isPrimary) {
    view.releaseSlotsOf(sender)
    sender.flags = (sender.flags & ~(NodeFlag.primary | NodeFlag.migrateTo)) | NodeFlag.replica
    view.schedule(Scheduled.saveConfig | Scheduled.updateState)
  }
  const primary = view.lookup(header.primary)
  if (primary === undefined || sender.primary === primary) return
  sender.primary?.removeReplica(sender)
  primary.addReplica(sender)
  sender.primary = primary
  view.schedule(Scheduled.saveConfig)
}

/** Takes over what the sender claims rightly, and corrects it where somebody has a greater epoch. */
function compareSlots(view: ClusterView, sender: ClusterNode, header: Header): void {
  const owner = sender.isPrimary ? sender : sender.primary
  if (owner === undefined || Buffer.compare(owner.slots, header.slots) === 0) return
  if (sender.isPrimary) claimSlots(view, sender, header.configEpoch, header.slots)
  for (let slot = nextSlot(header.slots, 0); slot < SLOT_COUNT; slot = nextSlot(header.slots, slot + 1)) {
    const holder = view.slots[slot]
    if (holder === undefined || holder === sender || holder.configEpoch <= header.configEpoch) continue
    view.environment.log.verbose(
      `Node ${sender.name} has old slots configuration, sending an UPDATE message about ${holder.name}`,
    )
    sendUpdate(view, sender.link, holder)
    return
  }
}

/** Everything that is not PING, PONG or MEET. From strangers it is ignored. */
function receiveOther(view: ClusterView, link: Link, sender: ClusterNode | undefined, message: Message): void {
  const { header, body } = message
  const { log } = view.environment
  if ('unknown' in body) {
    log.warning(`Received unknown packet type: ${body.type}`)
    return
  }
  if (sender === undefined) {
    if (body.type === MessageType.fail) {
      log.notice(`Ignoring FAIL message from unknown node ${header.sender} about ${body.about}`)
    }
    return
  }
  switch (body.type) {
    case MessageType.fail:
      receiveFail(view, header.sender, body.about)
      break
    case MessageType.publish:
    case MessageType.publishShard: {
      const sharded = body.type === MessageType.publishShard
      view.environment.deliver(Buffer.from(body.channel), Buffer.from(body.message), sharded)
      break
    }
    case MessageType.authRequest:
      answerVoteRequest(view, sender, header)
      break
    case MessageType.authAck:
      if (!sender.isPrimary || sender.slotCount === 0 || header.currentEpoch < view.election.epoch) break
      view.election.votes++
      view.schedule(Scheduled.failover)
      break
    case MessageType.failoverStart:
      if (sender.primary === view.myself) acceptManualFailover(view, sender, link)
      break
    case MessageType.update:
      receiveUpdate(view, body.about, body.configEpoch, body.slots)
      break
  }
}

function receiveFail(view: ClusterView, reporter: string, about: string): void {
  const node = view.lookup(about)
  if (node === undefined || node.has(NodeFlag.failed | NodeFlag.myself)) return
  view.environment.log.notice(`FAIL message received from ${reporter} about ${about}`)
  markFailed(view, node)
}

function receiveUpdate(view: ClusterView, about: string, configEpoch: number, slots: Uint8Array): void {
  const node = view.lookup(about)
  if (node === undefined || node.configEpoch >= configEpoch) return
  if (node.isReplica) setAsPrimary(view, node)
  node.configEpoch = configEpoch
  view.schedule(Scheduled.saveConfig | Scheduled.syncConfig)
  claimSlots(view, node, configEpoch, slots)
}
