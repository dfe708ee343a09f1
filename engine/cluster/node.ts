/**
 * One node of the cluster as this server sees it, this server included.
 *
 * Times are Unix time in ms by this server's clock; 0 means never. The flags are those of the wire format.
 */
import { SLOT_COUNT } from '../data/crc16.ts'
import type { Link } from './link.ts'
import { BITMAP_BYTES } from './message.ts'

export const NodeFlag = {
  primary: 1,
  replica: 2,
  /** This server cannot reach it (PFAIL). */
  suspected: 4,
  /** A majority of the primaries cannot reach it (FAIL). */
  failed: 8,
  myself: 16,
  /** No PONG from it yet: its name is a placeholder. */
  handshake: 32,
  noAddress: 64,
  /** Greet it with MEET instead of PING. */
  meet: 128,
  /** A primary that has, had, or should have replicas: replicas may migrate to it. */
  migrateTo: 256,
  noFailover: 512,
} as const

const flagNames: readonly (readonly [flag: number, name: string])[] = [
  [NodeFlag.myself, 'myself'],
  [NodeFlag.primary, 'master'],
  [NodeFlag.replica, 'slave'],
  [NodeFlag.suspected, 'fail?'],
  [NodeFlag.failed, 'fail'],
  [NodeFlag.handshake, 'handshake'],
  [NodeFlag.noAddress, 'noaddr'],
  [NodeFlag.noFailover, 'nofailover'],
]

/** As `CLUSTER NODES` and nodes.conf have them. */
export function flagsToText(flags: number): string {
  const names = flagNames.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name)
  return names.length === 0 ? 'noflags' : names.join(',')
}

/** Undefined: an unknown word among them. */
export function flagsFromText(text: string): number | undefined {
  let flags = 0
  for (const word of text.toLowerCase().split(',')) {
    if (word === 'noflags') continue
    const row = flagNames.find(([, name]) => name === word)
    if (row === undefined) return undefined
    flags |= row[0]
  }
  return flags
}

/** Shared by all nodes without slots: never written to. */
const noSlots = new Uint8Array(BITMAP_BYTES)

export interface FailureReport {
  reporter: ClusterNode
  atMs: number
}

export class ClusterNode {
  name: string
  flags: number
  readonly createdMs: number
  configEpoch = 0
  slotCount = 0
  private bitmap: Uint8Array = noSlots
  /** Of a primary. */
  readonly replicas: ClusterNode[] = []
  /** Of a replica; undefined while it is not known. */
  primary: ClusterNode | undefined
  /** Number of the last PING that mentioned this node. */
  gossipRound = 0
  /** When the PING was sent that is not answered yet; 0: none is under way. */
  pingSentMs = 0
  pongReceivedMs = 0
  dataReceivedMs = 0
  failedMs = 0
  /** When this server last voted for a replica of this node. */
  votedMs = 0
  orphanedMs = 0
  /** Replication offset that it announced last. */
  offset = 0
  ip = ''
  hostname = ''
  port = 0
  /** Plain port of a TLS node; otherwise 0. */
  plainPort = 0
  busPort = 0
  /** Towards the node. */
  link: Link | undefined
  /** From the node. */
  inboundLink: Link | undefined
  failureReports: FailureReport[] = []

  constructor(name: string, flags: number, createdMs: number) {
    this.name = name
    this.flags = flags
    this.createdMs = createdMs
  }

  has(flags: number): boolean {
    return (this.flags & flags) !== 0
  }

  get isPrimary(): boolean {
    return (this.flags & NodeFlag.primary) !== 0
  }

  get isReplica(): boolean {
    return (this.flags & NodeFlag.replica) !== 0
  }

  get isFailed(): boolean {
    return (this.flags & NodeFlag.failed) !== 0
  }

  get isSuspected(): boolean {
    return (this.flags & NodeFlag.suspected) !== 0
  }

  get inHandshake(): boolean {
    return (this.flags & NodeFlag.handshake) !== 0
  }

  /** The bitmap of its slots: 2048 bytes, not to be changed by the caller. */
  get slots(): Uint8Array {
    return this.bitmap
  }

  hasSlot(slot: number): boolean {
    return hasBit(this.bitmap, slot)
  }

  /** False when it had the slot already. */
  setSlot(slot: number): boolean {
    if (this.hasSlot(slot)) return false
    if (this.bitmap === noSlots) this.bitmap = new Uint8Array(BITMAP_BYTES)
    this.bitmap[slot >> 3] = (this.bitmap[slot >> 3] as number) | (1 << (slot & 7))
    this.slotCount++
    return true
  }

  clearSlot(slot: number): void {
    if (!this.hasSlot(slot)) return
    this.bitmap[slot >> 3] = (this.bitmap[slot >> 3] as number) & ~(1 << (slot & 7))
    this.slotCount--
  }

  addReplica(replica: ClusterNode): void {
    if (this.replicas.includes(replica)) return
    this.replicas.push(replica)
    this.flags |= NodeFlag.migrateTo
  }

  removeReplica(replica: ClusterNode): void {
    const index = this.replicas.indexOf(replica)
    if (index < 0) return
    this.replicas.splice(index, 1)
    if (this.replicas.length === 0) this.flags &= ~NodeFlag.migrateTo
  }

  countWorkingReplicas(): number {
    return this.replicas.filter((replica) => !replica.isFailed).length
  }

  /** `reporter` cannot reach this node. True when it had not said so before. */
  addFailureReport(reporter: ClusterNode, nowMs: number): boolean {
    const report = this.failureReports.find((it) => it.reporter === reporter)
    if (report !== undefined) {
      report.atMs = nowMs
      return false
    }
    this.failureReports.push({ reporter, atMs: nowMs })
    return true
  }

  /** True when there was a report of `reporter`. */
  removeFailureReport(reporter: ClusterNode): boolean {
    const before = this.failureReports.length
    if (before === 0) return false
    this.failureReports = this.failureReports.filter((it) => it.reporter !== reporter)
    return this.failureReports.length < before
  }

  /** Reports that are not older than `validityMs` (twice the node timeout); older ones are dropped. */
  countFailureReports(nowMs: number, validityMs: number): number {
    if (this.failureReports.length > 0) {
      this.failureReports = this.failureReports.filter((it) => nowMs - it.atMs <= validityMs)
    }
    return this.failureReports.length
  }

  forgetAddress(): void {
    this.flags |= NodeFlag.noAddress
    this.ip = ''
    this.port = 0
    this.plainPort = 0
    this.busPort = 0
  }
}

const hasBit = (bitmap: Uint8Array, slot: number): boolean => ((bitmap[slot >> 3] as number) & (1 << (slot & 7))) !== 0

/** The first slot from `start` on whose bit is set; SLOT_COUNT when there is none. Eight empty slots are one step. */
export function nextSlot(bitmap: Uint8Array, start: number): number {
  let slot = start
  while (slot < SLOT_COUNT) {
    if ((bitmap[slot >> 3] as number) >> (slot & 7) === 0) slot = (slot | 7) + 1
    else if (hasBit(bitmap, slot)) return slot
    else slot++
  }
  return SLOT_COUNT
}
