/**
 * What a message says about third nodes: who is down, when somebody else heard from them, new addresses, new members.
 */
import { countFailureReports, noteReport } from './failure.ts'
import type { Gossip } from './message.ts'
import { type ClusterNode, NodeFlag } from './node.ts'
import { type ClusterView, isNodeName } from './view.ts'

/** A pong time of the near future is believed: clocks differ a little. */
const FUTURE_TOLERANCE_MS = 500

/** `sender` is undefined for the first MEET of a stranger: nothing is learned from it but what is known already. */
export function processGossip(view: ClusterView, sender: ClusterNode | undefined, entries: readonly Gossip[]): void {
  for (const entry of entries) {
    const node = view.lookup(entry.name)
    if (node !== undefined) noteGossip(view, sender, node, entry)
    else if (sender !== undefined && isNewMember(view, entry)) addMember(view, entry)
  }
}

const isDown = (entry: Gossip) => (entry.flags & (NodeFlag.failed | NodeFlag.suspected)) !== 0

function noteGossip(view: ClusterView, sender: ClusterNode | undefined, node: ClusterNode, entry: Gossip): void {
  if (sender?.isPrimary && node !== view.myself) noteReport(view, node, sender, isDown(entry))
  if (isDown(entry)) return

  // Somebody heard from it later than this node did: no need to PING it so soon.
  if (node.pingSentMs === 0 && countFailureReports(view, node) === 0) {
    const pongMs = entry.pongReceivedSeconds * 1000
    if (pongMs <= view.nowMs() + FUTURE_TOLERANCE_MS && pongMs > node.pongReceivedMs) node.pongReceivedMs = pongMs
  }
  // Unreachable here, reachable there, at another address: try that one.
  const moved = node.ip !== entry.ip || node.port !== entry.port || node.busPort !== entry.busPort
  if (node.has(NodeFlag.failed | NodeFlag.suspected) && !(entry.flags & NodeFlag.noAddress) && moved) {
    node.link?.close()
    setAddress(node, entry)
    node.flags &= ~NodeFlag.noAddress
  }
}

const isNewMember = (view: ClusterView, entry: Gossip): boolean =>
  (entry.flags & NodeFlag.noAddress) === 0 && isNodeName(entry.name) && !view.isBlacklisted(entry.name)

/**
 * A known node vouches for it, so no handshake is needed (and none is possible: its address may be another's by now).
 */
function addMember(view: ClusterView, entry: Gossip): void {
  const node = view.createNode(entry.name, entry.flags & ~NodeFlag.myself)
  setAddress(node, entry)
  view.addNode(node)
}

function setAddress(node: ClusterNode, entry: Gossip): void {
  node.ip = entry.ip
  node.port = entry.port
  node.plainPort = entry.plainPort
  node.busPort = entry.busPort
}
