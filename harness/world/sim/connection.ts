/**
 * One end of a simulated stream: the `Connection` that the program sees, and the kernel's socket under it.
 *
 * The two have lives of their own. A program that destroys its connection leaves a socket that still delivers what
 * the kernel had taken, and answers RST to what arrives; a process that is paused leaves a socket that acknowledges
 * and buffers; and when the power is cut the socket is gone while its peer knows nothing.
 *
 * The rules of memory are enforced: a chunk is overwritten after `onData` returns, and bytes that `write` has kept
 * (it returned false) are checked for changes when the network takes them.
 */

import type { Connection, ConnectionHandlers } from '../../../engine/io.ts'
import { IoError } from '../../../engine/io.ts'
import { TaskKind } from './cpu.ts'
import type { HostNetwork } from './network.ts'
import type { Pipe, SegmentKind } from './pipe.ts'
import { SEGMENT_BYTES_MAX } from './pipe.ts'
import type { SimProcess } from './process.ts'

export interface Endpoint {
  localHost: string
  localPort: number
  remoteHost: string
  remotePort: number
  isUnixSocket: boolean
}

/** The caller's memory, and what it held at the call. */
interface KeptWrite {
  bytes: Buffer
  original: Buffer
}

const noHandlers: ConnectionHandlers = { onData() {}, onClose() {} }
const CHANGED_TOO_EARLY = 'bytes given to write() were changed before onDrain, although write() had returned false'
/** What a program finds in a chunk that it kept too long. */
const STALE_BYTE = 0xdb

export class SimConnection implements Connection {
  localHost: string
  localPort: number
  remoteHost: string
  remotePort: number
  readonly isUnixSocket: boolean

  /** Both directions; set when the handshake has made them. */
  out: Pipe | undefined
  in: Pipe | undefined
  /** The other end, once a SYN has reached it. */
  peer: SimConnection | undefined
  peerHost = ''
  /** The kernel does not know this socket (any more). */
  isGone = false
  unreadBytes = 0

  private readonly network: HostNetwork
  private readonly process: SimProcess
  private handlers: ConnectionHandlers = noHandlers
  private established = false
  private paused = false
  private programClosed = false
  private ending = false
  private finSent = false
  private finReceived = false
  private endDelivered = false
  private failure: IoError | undefined
  private kept: KeptWrite[] = []
  private keptBytes = 0
  private owesDrain = false
  private received: Buffer[] = []
  private readPosted = false
  private whenGone: (() => void) | undefined

  constructor(network: HostNetwork, process: SimProcess, endpoint: Endpoint) {
    this.network = network
    this.process = process
    this.localHost = endpoint.localHost
    this.localPort = endpoint.localPort
    this.remoteHost = endpoint.remoteHost
    this.remotePort = endpoint.remotePort
    this.isUnixSocket = endpoint.isUnixSocket
    network.connections.add(this)
  }

  // What the program does.

  setHandlers(handlers: ConnectionHandlers): void {
    this.handlers = handlers
  }

  write(bytes: Buffer): boolean {
    if (this.programClosed || this.ending || bytes.length === 0 || !this.process.alive) return true
    if (this.failure !== undefined) {
      this.postFailure()
      return true
    }
    if (!this.established || this.kept.length > 0) return this.keep(bytes)
    const nowUs = this.process.nowUs()
    const room = Math.min(this.out!.room(nowUs), bytes.length)
    if (room > 0) this.out!.send(Buffer.from(bytes.subarray(0, room)), nowUs)
    return room === bytes.length || this.keep(bytes.subarray(room))
  }

  get bufferedBytes(): number {
    return this.keptBytes
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.postRead()
  }

  end(): void {
    if (this.programClosed || this.ending || !this.process.alive) return
    this.ending = true
    this.sendFinWhenDrained()
  }

  destroy(): void {
    if (this.programClosed || !this.process.alive) return
    this.close(undefined)
  }

  /** Nagle's algorithm is not modelled: writes leave at once. */
  setNoDelay(_noDelay: boolean): void {}

  /** Probes are not modelled: they matter after minutes, and time-outs of the program come first. */
  setKeepAlive(_intervalSeconds: number): void {}

  // What the kernel does.

  get isPowered(): boolean {
    return this.network.isPowered
  }

  /** The program has handed over more than the kernel took. */
  get wantsRoom(): boolean {
    return this.kept.length > 0
  }

  /** The handshake is done: for the client when SYN-ACK arrives. */
  connected(): void {
    if (this.isGone || this.established) return
    this.established = true
    const nowUs = this.network.scheduler.nowUs
    this.out!.sendMark('handshake', nowUs)
    this.process.post(TaskKind.connect, this.process.perEventUs, () => {
      if (this.programClosed) return
      this.handlers.onConnect?.()
      this.postRead()
    })
    this.roomChanged()
    this.sendFinWhenDrained()
  }

  /** The server's program is about to get the connection. What has arrived is read after it has set its handlers. */
  accepted(): void {
    this.established = true
    this.postRead()
  }

  /** Acknowledgements have arrived: more of what the program wrote fits. */
  roomChanged(): void {
    if (!this.established || this.programClosed) return
    const nowUs = this.network.scheduler.nowUs
    while (this.kept.length > 0) {
      const first = this.kept[0]!
      const room = this.out!.room(nowUs)
      if (room === 0) {
        this.out!.watchDrain()
        return
      }
      const size = Math.min(room, first.bytes.length)
      const taken = first.original.subarray(0, size)
      if (!taken.equals(first.bytes.subarray(0, size))) throw new Error(CHANGED_TOO_EARLY)
      this.out!.send(taken, nowUs)
      this.keptBytes -= size
      if (size === first.bytes.length) this.kept.shift()
      else this.kept[0] = { bytes: first.bytes.subarray(size), original: first.original.subarray(size) }
    }
    if (this.owesDrain) {
      this.owesDrain = false
      this.process.post(TaskKind.drain, this.process.perEventUs, () => {
        if (!this.programClosed && this.kept.length === 0) this.handlers.onDrain?.()
      })
    }
    this.sendFinWhenDrained()
  }

  /** A segment reaches this end, in order. False when there is nobody to take it. */
  arrived(kind: SegmentKind, bytes: Buffer): boolean {
    if (this.isGone || (this.programClosed && kind === 'data')) {
      this.forget()
      this.answerWithReset()
      return false
    }
    if (kind === 'handshake') this.network.handshakeDone(this)
    else if (kind === 'fin') {
      this.finReceived = true
      this.postRead()
      this.forgetWhenFinished()
    } else {
      this.received.push(bytes)
      this.unreadBytes += bytes.length
      this.postRead()
    }
    return true
  }

  /** Tells the peer that this stream does not exist. A lost RST is not repeated. */
  answerWithReset(): void {
    const peer = this.peer
    const out = this.out
    if (peer === undefined || out === undefined) return
    this.network.scheduler.at(out.nextArrivalUs(this.network.scheduler.nowUs, 0), () => {
      if (!out.loses() && peer.isPowered) peer.wasReset()
    })
  }

  /** RST from the peer. */
  wasReset(): void {
    if (this.isGone) return
    if (this.established) this.failed(new IoError('ECONNRESET', 'connection reset by peer'))
    else this.failed(new IoError('ECONNREFUSED', `connect ECONNREFUSED ${this.remoteHost}:${this.remotePort}`))
  }

  /** The kernel has given up waiting for acknowledgements. */
  timedOut(): void {
    if (!this.isGone) this.failed(new IoError('ETIMEDOUT', 'connection timed out'))
  }

  /** The kernel ends the stream; the program learns it when it reads or writes. */
  failed(error: IoError): void {
    this.forget()
    this.failure = error
    if (this.programClosed) return
    if (this.established) this.postRead()
    else this.postFailure()
  }

  /** The process has died: its socket is closed as `destroy` would. */
  processEnded(atUs: number): void {
    if (!this.programClosed) {
      this.programClosed = true
      this.closeSocket(atUs)
    }
  }

  /** Without power nothing is sent, not even a reset. */
  powerLost(): void {
    this.programClosed = true
    this.forget()
  }

  /** Calls back when the kernel forgets the socket before the handshake is done. */
  onceGone(callback: () => void): void {
    this.whenGone = callback
  }

  private keep(bytes: Buffer): boolean {
    this.kept.push({ bytes, original: Buffer.from(bytes) })
    this.keptBytes += bytes.length
    this.owesDrain = true
    if (this.established) this.out!.watchDrain()
    return false
  }

  private sendFinWhenDrained(): void {
    if (!this.ending || this.finSent || !this.established || this.kept.length > 0) return
    this.finSent = true
    this.out!.sendMark('fin', this.process.nowUs())
    if (this.endDelivered) this.close(undefined)
  }

  private postRead(): void {
    if (this.readPosted || this.paused || this.programClosed || !this.established) return
    if (this.received.length === 0 && this.failure === undefined && (!this.finReceived || this.endDelivered)) return
    this.readPosted = true
    this.process.post(TaskKind.read, this.process.perChunkUs, () => {
      this.readPosted = false
      if (this.paused || this.programClosed) return
      this.read()
      this.postRead()
    })
  }

  private read(): void {
    if (this.received.length > 0) {
      const chunk = this.takeChunk()
      this.process.consume(chunk.length * this.process.perByteUs)
      this.network.scheduler.trace.mixBytes(chunk)
      this.handlers.onData(chunk)
      chunk.fill(STALE_BYTE)
      this.in!.windowOpened(this.process.nowUs())
      return
    }
    if (this.failure !== undefined) this.close(this.failure)
    else if (this.finReceived && !this.endDelivered) this.deliverEnd()
  }

  /** What one call of read() with the program's buffer would give. */
  private takeChunk(): Buffer {
    let count = 1
    let size = this.received[0]!.length
    while (count < this.received.length && size + this.received[count]!.length <= SEGMENT_BYTES_MAX) {
      size += this.received[count]!.length
      count++
    }
    this.unreadBytes -= size
    if (count === 1) return this.received.shift()!
    return Buffer.concat(this.received.splice(0, count), size)
  }

  private deliverEnd(): void {
    this.endDelivered = true
    if (this.handlers.onEnd === undefined) {
      this.close(undefined)
      return
    }
    this.handlers.onEnd()
    if (this.finSent && !this.programClosed) this.close(undefined)
  }

  private postFailure(): void {
    if (!this.programClosed) this.close(this.failure)
  }

  /** The program's end of it: `onClose` is the last that it hears. */
  private close(error: IoError | undefined): void {
    this.programClosed = true
    this.closeSocket(this.process.nowUs())
    this.process.post(TaskKind.close, this.process.perEventUs, () => {
      const { handlers } = this
      this.handlers = noHandlers
      handlers.onClose(error)
    })
  }

  /** What was not read is answered with RST; otherwise FIN follows what the kernel has taken. */
  private closeSocket(atUs: number): void {
    this.kept = []
    this.keptBytes = 0
    if (this.isGone) return
    if (!this.established || this.unreadBytes > 0) {
      this.answerWithReset()
      this.forget()
      return
    }
    if (!this.finSent) {
      this.finSent = true
      this.out!.sendMark('fin', atUs)
    }
    this.forgetWhenFinished()
  }

  private forgetWhenFinished(): void {
    if (this.programClosed && this.finSent && this.finReceived) this.network.connections.delete(this)
  }

  private forget(): void {
    this.isGone = true
    this.whenGone?.()
    this.out?.die()
    this.network.connections.delete(this)
  }
}
