/**
 * What this server believes about its cluster: the nodes, who serves which slot, the epochs, and the state of an
 * election. One object holds it all; the rules that change it stand in the files beside this one, each a function of
 * the view (as Redis's cluster.c works on one `clusterState`).
 *
 * Invariants: `slots[s] === node` exactly when `node.hasSlot(s)`; `node.replicas` and `replica.primary` mirror each
 * other; nodes are visited in the order in which they became known, so that a run can be repeated.
 */
import { SLOT_COUNT } from '../data/crc16.ts'
import type { ClusterEnvironment } from './environment.ts'
import { messageTypeNames, NAME_LENGTH } from './message.ts'
import { ClusterNode, NodeFlag } from './node.ts'

/** Work that waits for the end of the turn. */
export const Scheduled = {
  failover: 1,
  updateState: 2,
  saveConfig: 4,
  syncConfig: 8,
  manualFailover: 16,
} as const

/** A node that was forgotten is not learned again from gossip for so long. */
const BLACKLIST_MS = 60_000

export type CannotFailover = 'none' | 'data age' | 'waiting for delay' | 'expired' | 'waiting for votes'

export class ClusterView {
  readonly environment: ClusterEnvironment
  readonly myself: ClusterNode
  private readonly byName = new Map<string, ClusterNode>()
  /** All nodes, this one included, oldest acquaintance first. */
  readonly nodes: ClusterNode[] = []
  readonly slots: (ClusterNode | undefined)[] = new Array(SLOT_COUNT).fill(undefined)
  /** How many slots have an owner. */
  assignedSlots = 0
  /** Grows with every change of `slots`: what is derived from all slots is kept until then. */
  slotsVersion = 0
  readonly migratingTo = new Map<number, ClusterNode>()
  readonly importingFrom = new Map<number, ClusterNode>()
  private readonly blacklist = new Map<string, number>()

  currentEpoch = 0
  lastVoteEpoch = 0
  state: 'ok' | 'fail' = 'fail'
  /** Primaries that serve slots: the electorate. */
  size = 1
  suspectedNodes = 0
  scheduled = 0

  /** Of a replica: the election that it is, was or will be standing in. */
  readonly election = { atMs: 0, votes: 0, sent: false, rank: 0, epoch: 0 }
  /** CLUSTER FAILOVER under way until `endMs` (0: none). On the primary `replica` is who asked for it. */
  readonly manualFailover = {
    endMs: 0,
    canStart: false,
    replica: undefined as ClusterNode | undefined,
    primaryOffset: -1,
  }
  cannotFailover: CannotFailover = 'none'
  cannotFailoverLoggedMs = 0

  /** When the state was first judged, and when this node last saw itself in a minority. */
  firstUpdateMs = 0
  minorityMs = 0

  cronRounds = 0
  gossipRounds = 0
  readonly sentMessages: number[] = messageTypeNames.map(() => 0)
  readonly receivedMessages: number[] = messageTypeNames.map(() => 0)
  linksOverLimit = 0
  /** Messages of this type are ignored; −1: none (DEBUG DROP-CLUSTER-PACKET-FILTER). */
  droppedType = -1

  constructor(environment: ClusterEnvironment, myName: string | undefined) {
    this.environment = environment
    this.myself = this.createNode(myName, NodeFlag.myself)
    this.addNode(this.myself)
  }

  nowMs(): number {
    return this.environment.nowMs()
  }

  get nodeTimeoutMs(): number {
    return this.environment.config['cluster-node-timeout']
  }

  /** Votes that an election, and agreeing nodes that a FAIL, needs. */
  get quorum(): number {
    return Math.floor(this.size / 2) + 1
  }

  schedule(work: number): void {
    this.scheduled |= work
    this.environment.beforeSleep()
  }

  /** A node that is not yet part of the view. Without a name it gets a random one (a handshake). */
  createNode(name: string | undefined, flags: number): ClusterNode {
    return new ClusterNode(name ?? this.randomName(), flags, this.nowMs())
  }

  randomName(): string {
    const bytes = Buffer.alloc(NAME_LENGTH / 2)
    this.environment.random.fill(bytes)
    return bytes.toString('hex')
  }

  addNode(node: ClusterNode): void {
    this.byName.set(node.name, node)
    this.nodes.push(node)
  }

  lookup(name: string): ClusterNode | undefined {
    return this.byName.get(name)
  }

  knows(node: ClusterNode): boolean {
    return this.byName.get(node.name) === node
  }

  rename(node: ClusterNode, name: string): void {
    this.environment.log.debug(`Renaming node ${node.name} into ${name}`)
    this.byName.delete(node.name)
    node.name = name
    this.byName.set(name, node)
  }

  /** Removes the node with its slots, its reports about others and its links. */
  removeNode(node: ClusterNode): void {
    for (const [slot, target] of this.migratingTo) if (target === node) this.migratingTo.delete(slot)
    for (const [slot, source] of this.importingFrom) if (source === node) this.importingFrom.delete(slot)
    this.releaseSlotsOf(node)
    for (const other of this.nodes) if (other !== node) other.removeFailureReport(node)
    for (const replica of node.replicas) replica.primary = undefined
    node.primary?.removeReplica(node)
    this.byName.delete(node.name)
    this.nodes.splice(this.nodes.indexOf(node), 1)
    node.link?.close()
    node.inboundLink?.close()
  }

  randomNode(): ClusterNode {
    return this.nodes[this.environment.random.below(this.nodes.length)] as ClusterNode
  }

  /** The primary and the replicas of the node's shard. */
  shardOf(node: ClusterNode): ClusterNode[] {
    const primary = node.isPrimary ? node : node.primary
    return primary === undefined ? [node] : [primary, ...primary.replicas]
  }

  /** Gives an unassigned slot to the node. False when somebody has it. */
  addSlot(node: ClusterNode, slot: number): boolean {
    if (this.slots[slot] !== undefined) return false
    this.slots[slot] = node
    this.assignedSlots++
    this.slotsVersion++
    // A primary with its first slot deserves a replica if any other primary has one.
    if (node.setSlot(slot) && node.slotCount === 1 && this.anyPrimaryHasReplicas()) node.flags |= NodeFlag.migrateTo
    return true
  }

  private anyPrimaryHasReplicas(): boolean {
    return this.nodes.some((node) => !node.isReplica && node.replicas.length > 0)
  }

  /** False when nobody had it. */
  releaseSlot(slot: number): boolean {
    const node = this.slots[slot]
    if (node === undefined) return false
    if (this.shardOf(node).includes(this.myself)) this.environment.dropShardChannels(slot)
    node.clearSlot(slot)
    this.slots[slot] = undefined
    this.assignedSlots--
    this.slotsVersion++
    return true
  }

  releaseSlotsOf(node: ClusterNode): void {
    for (let slot = 0; slot < SLOT_COUNT && node.slotCount > 0; slot++) if (node.hasSlot(slot)) this.releaseSlot(slot)
  }

  /** Ends all migrating and importing states. */
  closeSlots(): void {
    this.migratingTo.clear()
    this.importingFrom.clear()
  }

  addToBlacklist(name: string): void {
    this.blacklist.set(name, this.nowMs() + BLACKLIST_MS)
  }

  isBlacklisted(name: string): boolean {
    const nowMs = this.nowMs()
    for (const [other, untilMs] of this.blacklist) if (untilMs < nowMs) this.blacklist.delete(other)
    return this.blacklist.has(name)
  }
}

/** Forty digits or small letters: what a node may be called. */
export const isNodeName = (name: string): boolean => /^[a-z0-9]{40}$/.test(name)
