/**
 * A client that talks to several nodes: it keeps a connection to each that it needs, sends every operation to the node
 * that the topology names, follows MOVED and ASK, and says when a node does not answer. Requests are kept until they
 * are answered, because they may have to be sent once more.
 */
import { keyHashSlot } from '../../engine/data/crc16.ts'
import type { Timer } from '../../engine/io.ts'
import { ClientBase, type ClientOwner, type ClientSetup, type LoadClient, RECONNECT_MS } from './client.ts'
import { type HeldRequest, Link, type LinkEnd, type LinkOwner } from './link.ts'
import type { Operation } from './operation.ts'
import { addressOf, type Topology } from './topology.ts'

/** Redis's own clients follow at most 5 (redis-cli) to 16 (ioredis). */
const REDIRECTS_MOST = 5
/** Errors that say: ask again who is who. */
const DOUBTS = /^(READONLY|CLUSTERDOWN|MASTERDOWN|LOADING|TRYAGAIN)/

export class RoutedClient extends ClientBase implements LoadClient, LinkOwner {
  inFlight = 0
  /** Some node can always be tried. */
  readonly downReason = undefined
  isResting = false
  private readonly topology: Topology
  private readonly links = new Map<string, Link>()
  private readonly names = new Map<Link, string>()
  /** Nodes that could not be reached: until when they are left alone, and why. */
  private readonly shunned = new Map<string, { untilUs: number; reason: string }>()
  private scratch = Buffer.allocUnsafeSlow(4096)
  private turn: number
  private rest: Timer | undefined

  constructor(setup: ClientSetup, owner: ClientOwner, topology: Topology) {
    super(setup, owner)
    this.topology = topology
    this.turn = setup.index
  }

  connect(onFirst: () => void): void {
    for (const node of this.topology.nodes()) this.linkTo(node)
    onFirst()
  }

  begin(operation: Operation, intendedUs: number): void {
    if (operation.shape.maxBytes > this.scratch.length) {
      this.scratch = Buffer.allocUnsafeSlow(operation.shape.maxBytes)
    }
    const end = operation.shape.encode(this.scratch, 0, this.draws)
    const bytes = Buffer.from(this.scratch.subarray(0, end))
    this.inFlight++
    const request = { operation, bytes, intendedUs, sentUs: this.owner.nowUs, redirects: 0 }
    const slot = operation.keyIndex === undefined ? undefined : slotOf(bytes, operation.keyIndex)
    const node = this.topology.nodeFor(slot, operation.isRead, this.turn++)
    if (node === undefined) {
      this.topology.doubt()
      this.giveUp(request, 'no node is known for it')
    } else this.sendTo(node, request, false)
  }

  flush(): void {
    for (const link of this.links.values()) link.flush()
  }

  expire(timedOutUs: number, reason: string): void {
    for (const link of this.links.values()) if (link.waitingSinceUs() <= timedOutUs) link.close(reason, timedOutUs)
  }

  close(reason: string): void {
    this.isClosed = true
    this.rest?.cancel()
    for (const link of [...this.links.values()]) link.close(reason)
  }

  /** Connections to nodes that have left are closed. */
  forgetOthers(nodes: readonly string[]): void {
    for (const [node, link] of [...this.links])
      if (!nodes.includes(node)) link.close('the node is not in charge any more')
    this.shunned.clear()
  }

  ready(_link: Link): void {}

  answered(_link: Link, command: number, intendedUs: number, sentUs: number, count: number, misses: number): void {
    this.inFlight -= count
    this.owner.answered(this, command, intendedUs, sentUs, count, misses)
  }

  refused(link: Link, command: number, intendedUs: number, error: string, held: HeldRequest | undefined): void {
    const [code, slot, target] = error.split(' ')
    if ((code === 'MOVED' || code === 'ASK') && target !== undefined && held !== undefined) {
      // An empty host means: the same as that of the node that answered.
      const node = target.startsWith(':') ? `${addressOf(this.names.get(link) ?? '').host}${target}` : target
      if (code === 'MOVED') this.topology.moved(Number(slot), node)
      if (held.redirects < REDIRECTS_MOST) {
        this.sendTo(node, { ...held, redirects: held.redirects + 1 }, code === 'ASK')
        return
      }
    }
    if (DOUBTS.test(error)) this.topology.doubt()
    this.inFlight--
    this.owner.failed(this, command, intendedUs, error, false)
    this.reconnectForScripts(link, error)
  }

  lost(_link: Link, command: number, intendedUs: number, reason: string, isTimeout: boolean): void {
    this.inFlight--
    this.owner.failed(this, command, intendedUs, reason, isTimeout)
  }

  received(_link: Link): void {
    this.owner.room(this)
    // Redirected requests wait in links that were not asked for anything else.
    this.flush()
  }

  closed(link: Link, { reason }: LinkEnd): void {
    const node = this.names.get(link) ?? ''
    this.names.delete(link)
    if (this.links.get(node) === link) this.links.delete(node)
    this.owner.tick()
    if (this.isClosed) return
    this.topology.doubt()
    if (!link.hasServed) this.shunned.set(node, { untilUs: this.owner.nowUs + RECONNECT_MS * 1000, reason })
    this.restNow()
  }

  private sendTo(node: string, request: HeldRequest, isAsking: boolean): void {
    const shunned = this.shunned.get(node)
    if (shunned !== undefined && shunned.untilUs > this.owner.nowUs) {
      this.topology.doubt()
      this.giveUp(request, shunned.reason)
    } else this.linkTo(node).addHeld(request, isAsking)
  }

  private linkTo(node: string): Link {
    const known = this.links.get(node)
    if (known !== undefined) return known
    const { io, operations, handshake } = this.setup
    const link = new Link(io, this, { address: addressOf(node), operations, handshake })
    this.links.set(node, link)
    this.names.set(link, node)
    return link
  }

  /** It could not be sent; the next one waits a little, or a closed loop would fail as fast as it can. */
  private giveUp({ operation, intendedUs }: HeldRequest, reason: string): void {
    this.inFlight--
    this.owner.failed(this, operation.index, intendedUs, reason, false)
    this.restNow()
  }

  private restNow(): void {
    if (this.rest !== undefined || this.isClosed) return
    this.isResting = true
    this.rest = this.setup.io.timers.after(RECONNECT_MS, () => {
      this.rest = undefined
      this.isResting = false
      this.owner.tick()
      this.owner.room(this)
    })
  }
}

/** Slot of word `index` of an encoded request. */
function slotOf(bytes: Buffer, index: number): number {
  let at = bytes.indexOf(LF) + 1
  for (let word = 0; ; word++) {
    let length = 0
    for (at++; bytes[at] !== CR; at++) length = length * 10 + bytes[at]! - ZERO
    at += 2
    if (word === index) return keyHashSlot(bytes, at, at + length)
    at += length + 2
  }
}

const LF = 10
const CR = 13
const ZERO = 48
