/**
 * One direction of a TCP stream, as the kernels at both ends see it.
 *
 *   program ─write─▶ [ send buffer: unsent | in flight | lost ] ──link──▶ [ receive buffer ] ─read─▶ program
 *                                   ▲                                            │
 *                                   └────────────── acknowledgements ────────────┘
 *
 * Nothing is lost, doubled or reordered; it stalls. A packet that meets a cut is `lost`, and so is everything behind
 * it: it waits for the sender's retransmission, whose time-out starts at 200 ms and doubles up to 120 s, as Linux's
 * does (TCP_RTO_MIN, TCP_RTO_MAX). So a stream resumes not when a cut heals but at the next retransmission: after a
 * cut of 12 s at 12.6 s, after one of 13 s only at 25.4 s. That is long, and true: it is why systems that rely on TCP
 * alone come back late. After 924.6 s without acknowledgement (tcp_retries2 = 15) the stream dies with ETIMEDOUT.
 *
 * Acknowledgements travel the other link and are lost with it: then the data arrives, and yet the sender's buffer
 * fills up. They are not events: a list says when each arrives, and is read when somebody needs room.
 */

import type { SimConnection } from './connection.ts'
import type { Flow, Link } from './link.ts'
import type { EventHandle, Scheduler } from './scheduler.ts'

export interface StreamSettings {
  sendBufferBytes: number
  receiveBufferBytes: number
  retransmitMsMin: number
  retransmitMsMax: number
  /** Without an acknowledgement for this long a stream dies. */
  streamTimeoutMs: number
  /** SYNs are repeated after 1, 3, 7, … s; the connection attempt fails after this long. */
  connectTimeoutMs: number
}

export const defaultStreamSettings: StreamSettings = {
  sendBufferBytes: 256 * 1024,
  receiveBufferBytes: 256 * 1024,
  retransmitMsMin: 200,
  retransmitMsMax: 120_000,
  streamTimeoutMs: 924_600,
  connectTimeoutMs: 127_000,
}

export const SEGMENT_BYTES_MAX = 64 * 1024
/** One segment in 16 is cut in two at a random place, and one pair of writes in two is joined: TCP keeps no borders. */
const SPLIT_ONE_IN = 16

export type SegmentKind = 'handshake' | 'data' | 'fin'

interface Segment {
  kind: SegmentKind
  bytes: Buffer
}

const noBytes = Buffer.alloc(0)

export class Pipe {
  private readonly scheduler: Scheduler
  private readonly settings: StreamSettings
  private readonly link: Link
  private readonly reverse: Link
  private readonly flow: Flow
  private readonly sender: SimConnection
  private readonly receiver: SimConnection

  private unsent: Segment[] = []
  private lost: Segment[] = []
  private lostBytes = 0
  private inFlightBytes = 0
  /** Accepted from the program and not yet acknowledged. */
  private keptBytes = 0
  private ackTimes: number[] = []
  private ackBytes: number[] = []
  private ackHead = 0
  /** Arrived, but the acknowledgement was lost. */
  private unheardBytes = 0
  private windowUpdateScheduled = false

  private drainEvent: EventHandle = 0
  private retransmitEvent: EventHandle = 0
  private retransmitMs: number
  private retransmitting = false
  private stalledSinceUs = 0
  private lastArrivalUs = 0
  private lastSent: Segment | undefined
  private lastSentUs = -1
  private dead = false

  constructor(
    scheduler: Scheduler,
    settings: StreamSettings,
    links: { link: Link; reverse: Link; flow: Flow },
    sender: SimConnection,
    receiver: SimConnection,
  ) {
    this.scheduler = scheduler
    this.settings = settings
    this.link = links.link
    this.reverse = links.reverse
    this.flow = links.flow
    this.sender = sender
    this.receiver = receiver
    this.retransmitMs = settings.retransmitMsMin
  }

  /** Nothing more will be sent or delivered. */
  die(): void {
    this.dead = true
    this.unsent = []
    this.lost = []
    this.scheduler.cancel(this.retransmitEvent)
    this.scheduler.cancel(this.drainEvent)
  }

  /** Room in the send buffer, in bytes. */
  room(atUs: number): number {
    this.collectAcknowledgements(atUs)
    return Math.max(0, this.settings.sendBufferBytes - this.keptBytes)
  }

  /** Takes over `bytes`, which must belong to the network from now on. */
  send(bytes: Buffer, atUs: number): void {
    this.keptBytes += bytes.length
    let offset = 0
    while (offset < bytes.length) {
      let size = Math.min(bytes.length - offset, SEGMENT_BYTES_MAX)
      if (size > 1 && this.link.random.below(SPLIT_ONE_IN) === 0) size = 1 + this.link.random.below(size - 1)
      this.submit({ kind: 'data', bytes: bytes.subarray(offset, offset + size) }, atUs)
      offset += size
    }
  }

  sendMark(kind: 'handshake' | 'fin', atUs: number): void {
    this.submit({ kind, bytes: noBytes }, atUs)
  }

  /** The sender's program waits for room: it is told when acknowledgements arrive. */
  watchDrain(): void {
    if (this.drainEvent !== 0 || this.dead || this.ackHead === this.ackTimes.length) return
    this.drainEvent = this.scheduler.at(this.ackTimes[this.ackHead]!, () => {
      this.drainEvent = 0
      if (!this.dead) this.sender.roomChanged()
    })
  }

  /** The receiver's program has read: the window is open again, which the sender learns a moment later. */
  windowOpened(atUs: number): void {
    if (this.unsent.length === 0 || this.windowUpdateScheduled || this.dead) return
    this.windowUpdateScheduled = true
    this.scheduler.at(this.reverse.arrivalUs(this.flow, atUs, 0), () => {
      this.windowUpdateScheduled = false
      if (this.dead) return
      if (this.reverse.loses(this.flow)) {
        this.armRetransmission(this.scheduler.nowUs)
      } else this.sendUnsent(this.scheduler.nowUs)
    })
  }

  /** The reverse link has been cut: acknowledgements on their way are lost. */
  acknowledgementsCut(): void {
    if (!this.reverse.isCut(this.flow)) return
    const nowUs = this.scheduler.nowUs
    let kept = this.ackHead
    while (kept < this.ackTimes.length && this.ackTimes[kept]! <= nowUs) kept++
    if (kept === this.ackTimes.length) return
    for (let index = kept; index < this.ackTimes.length; index++) this.unheardBytes += this.ackBytes[index]!
    this.ackTimes.length = kept
    this.ackBytes.length = kept
    this.armRetransmission(nowUs)
  }

  /** When a packet sent at `atUs` arrives, not before those sent earlier in this direction. */
  nextArrivalUs(atUs: number, sizeBytes: number): number {
    this.lastArrivalUs = Math.max(this.lastArrivalUs, this.link.arrivalUs(this.flow, atUs, sizeBytes))
    return this.lastArrivalUs
  }

  /** Whether a packet that arrives now is lost on the way. */
  loses(): boolean {
    return this.link.loses(this.flow)
  }

  private submit(segment: Segment, atUs: number): void {
    if (this.dead) return
    if (this.unsent.length > 0 || this.windowIsFull()) this.unsent.push(segment)
    else if (!this.join(segment, atUs)) this.transmit(segment, atUs)
  }

  private windowIsFull(): boolean {
    return this.inFlightBytes + this.lostBytes + this.receiver.unreadBytes >= this.settings.receiveBufferBytes
  }

  /** Writes of one moment may share a packet. */
  private join(segment: Segment, atUs: number): boolean {
    const last = this.lastSent
    if (last === undefined || last.kind !== 'data' || segment.kind !== 'data' || this.lastSentUs !== atUs) return false
    if (last.bytes.length + segment.bytes.length > SEGMENT_BYTES_MAX || this.link.random.below(2) === 0) return false
    last.bytes = Buffer.concat([last.bytes, segment.bytes])
    this.inFlightBytes += segment.bytes.length
    return true
  }

  private transmit(segment: Segment, atUs: number): void {
    if (this.lost.length > 0) {
      this.lose(segment)
      return
    }
    this.inFlightBytes += segment.bytes.length
    this.lastSent = segment
    this.lastSentUs = atUs
    const arrivesUs = this.nextArrivalUs(atUs, segment.bytes.length)
    this.scheduler.at(arrivesUs, () => this.arrive(segment, atUs))
  }

  private sendUnsent(atUs: number): void {
    while (this.unsent.length > 0 && !this.windowIsFull()) this.transmit(this.unsent.shift()!, atUs)
  }

  private arrive(segment: Segment, sentUs: number): void {
    if (this.lastSent === segment) this.lastSent = undefined
    if (this.dead) return
    this.inFlightBytes -= segment.bytes.length
    if (this.lost.length > 0 || !this.receiver.isPowered || this.loses()) {
      this.lose(segment)
      this.armRetransmission(sentUs)
      return
    }
    this.deliver(segment)
  }

  private lose(segment: Segment): void {
    this.lost.push(segment)
    this.lostBytes += segment.bytes.length
  }

  private deliver(segment: Segment): void {
    if (this.receiver.arrived(segment.kind, segment.bytes)) this.acknowledge(segment.bytes.length)
  }

  private acknowledge(bytes: number): void {
    const nowUs = this.scheduler.nowUs
    if (this.reverse.isCut(this.flow)) {
      this.unheardBytes += bytes
      this.armRetransmission(nowUs)
      return
    }
    const total = bytes + this.unheardBytes
    this.unheardBytes = 0
    if (total === 0) return
    this.ackTimes.push(this.reverse.arrivalUs(this.flow, nowUs, 0))
    this.ackBytes.push(total)
    if (this.sender.wantsRoom) this.watchDrain()
  }

  private collectAcknowledgements(atUs: number): void {
    while (this.ackHead < this.ackTimes.length && this.ackTimes[this.ackHead]! <= atUs) {
      this.keptBytes -= this.ackBytes[this.ackHead]!
      this.ackHead++
    }
    if (this.ackHead > 64 && this.ackHead * 2 > this.ackTimes.length) {
      this.ackTimes.splice(0, this.ackHead)
      this.ackBytes.splice(0, this.ackHead)
      this.ackHead = 0
    }
  }

  /** Starts the retransmission timer for what was sent at `sinceUs`, unless it runs. */
  private armRetransmission(sinceUs: number): void {
    if (this.retransmitEvent !== 0 || this.retransmitting) return
    this.retransmitMs = this.settings.retransmitMsMin
    this.stalledSinceUs = sinceUs
    this.scheduleRetransmission(sinceUs)
  }

  private scheduleRetransmission(sinceUs: number): void {
    const leavesUs = Math.max(sinceUs + this.retransmitMs * 1000, this.scheduler.nowUs)
    this.retransmitEvent = this.scheduler.at(leavesUs, () => {
      if (leavesUs >= this.stalledSinceUs + this.settings.streamTimeoutMs * 1000) {
        this.sender.timedOut()
        return
      }
      const arrivesUs = this.nextArrivalUs(leavesUs, this.lostBytes)
      this.retransmitEvent = this.scheduler.at(arrivesUs, () => {
        this.retransmitEvent = 0
        if (!this.retransmissionSucceeds() && !this.dead) {
          this.retransmitMs = Math.min(this.retransmitMs * 2, this.settings.retransmitMsMax)
          this.scheduleRetransmission(leavesUs)
        }
      })
    })
  }

  /** A retransmission arrives, or not. True when the sender has nothing left to repeat. */
  private retransmissionSucceeds(): boolean {
    if (!this.receiver.isPowered || this.loses()) return false
    if (this.receiver.isGone) {
      this.receiver.answerWithReset()
      return true
    }
    this.retransmitting = true
    const segments = this.lost
    this.lost = []
    this.lostBytes = 0
    for (const segment of segments) this.deliver(segment)
    this.retransmitting = false
    if (this.dead) return true
    if (this.reverse.isCut(this.flow)) return false
    this.acknowledge(0)
    this.sendUnsent(this.scheduler.nowUs)
    return true
  }
}
