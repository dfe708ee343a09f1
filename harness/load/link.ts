/**
 * One connection of the driver: requests are written into one buffer that goes out in one write per batch, operations
 * in flight wait in a ring of typed arrays, replies are only scanned for their ends.
 *
 *     ring:   head ─▶ [command | intended | sent] … ◀─ tail       replies come in the order of requests
 */
import type { Connection, Io } from '../../engine/io.ts'
import { encodeRequest } from '../../engine/resp/request.ts'
import type { CommandShape, Draws } from './command-shape.ts'
import type { TargetSpec } from './load-spec.ts'
import { ReplyScanner, type ReplySink } from './reply-scanner.ts'

/** What a link tells its driver. */
export interface LinkOwner {
  ready(link: Link): void
  /** One operation was answered. `error`: the text of an error reply. `isNil`: there was nothing. */
  answered(
    link: Link,
    command: number,
    intendedUs: number,
    sentUs: number,
    error: string | undefined,
    isNil: boolean,
  ): void
  /** One operation will have no answer: the connection is lost. */
  lost(link: Link, command: number, intendedUs: number, sentUs: number, reason: string, isTimeout: boolean): void
  /** A chunk of replies has been handled. */
  received(link: Link): void
  /** Called once, after every `lost`. */
  closed(link: Link, end: LinkEnd): void
  /** Stamps the moment before the replies of a chunk are handled. */
  tick(): number
}

export interface LinkEnd {
  reason: string
  /** The server answered the handshake with the error that is the reason. */
  refused: boolean
  /** The server did not answer in time. */
  isTimeout: boolean
}

export interface LinkOptions {
  target: TargetSpec
  /** Sent first; the link is ready when each has been answered without an error. At least one command. */
  handshake: readonly (readonly string[])[]
}

const BUFFER_BYTES = 16 * 1024

export class Link implements ReplySink {
  readonly client: number
  isReady = false
  isClosed = false
  /** In the driver's list of links with something to flush. */
  isDirty = false
  wasReady = false
  /** At least one operation was answered. */
  hasServed = false
  inFlight = 0
  private readonly owner: LinkOwner
  private readonly connection: Connection
  private readonly scanner = new ReplyScanner()
  private readonly openedUs: number
  private handshakeLeft: number
  private out = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  private outBytes = 0
  /** The view that was written last: most batches have one length. */
  private view: Buffer | undefined
  private commands = new Int32Array(64)
  private intended = new Float64Array(64)
  private sent = new Float64Array(64)
  private head = 0
  private mask = 63

  constructor(io: Io, client: number, owner: LinkOwner, { target, handshake }: LinkOptions) {
    this.client = client
    this.owner = owner
    this.openedUs = owner.tick()
    this.handshakeLeft = handshake.length
    const address = target.kind === 'unix' ? { host: '', port: 0, path: target.path } : target
    this.connection = io.network.connect(address, {
      onConnect: () => {
        this.connection.write(Buffer.concat(handshake.map((words) => encodeRequest(words))))
      },
      onData: (chunk) => this.receive(chunk),
      onClose: (error) => this.close(error?.code ?? 'the server closed the connection'),
    })
    this.connection.setNoDelay(true)
  }

  /** Adds an operation to the batch; `flush` sends it. */
  add(shape: CommandShape, command: number, draws: Draws, intendedUs: number, nowUs: number): void {
    if (this.inFlight > this.mask) this.growRing()
    const place = (this.head + this.inFlight) & this.mask
    this.commands[place] = command
    this.intended[place] = intendedUs
    this.sent[place] = nowUs
    this.inFlight++
    if (this.outBytes + shape.maxBytes > this.out.length) this.growBuffer(shape.maxBytes)
    this.outBytes = shape.encode(this.out, this.outBytes, draws)
  }

  flush(): void {
    const { outBytes } = this
    if (outBytes === 0 || !this.isReady) return
    let { view } = this
    if (view === undefined || view.length !== outBytes) {
      view = this.out.subarray(0, outBytes)
      this.view = view
    }
    this.outBytes = 0
    if (this.connection.write(view)) return
    // The network keeps the memory.
    this.out = Buffer.allocUnsafeSlow(BUFFER_BYTES)
    this.view = undefined
  }

  /** Since when the server owes an answer, to the handshake or to the oldest operation, in µs; Infinity: it owes none. */
  waitingSinceUs(): number {
    if (!this.isReady) return this.openedUs
    return this.inFlight === 0 ? Number.POSITIVE_INFINITY : this.sent[this.head]!
  }

  /** Operations in flight that were sent at or before `timedOutUs` have timed out, others are lost. */
  close(reason: string, timedOutUs = Number.NEGATIVE_INFINITY, refused = false): void {
    if (this.isClosed) return
    this.isClosed = true
    this.isReady = false
    this.connection.destroy()
    while (this.inFlight > 0) {
      const place = this.head
      this.shift()
      const isTimeout = this.sent[place]! <= timedOutUs
      const text = isTimeout || timedOutUs === Number.NEGATIVE_INFINITY ? reason : 'connection closed after a time-out'
      this.owner.lost(this, this.commands[place]!, this.intended[place]!, this.sent[place]!, text, isTimeout)
    }
    this.owner.closed(this, { reason, refused, isTimeout: timedOutUs > Number.NEGATIVE_INFINITY })
  }

  reply(type: number, value: number, error: string | undefined): void {
    if (this.handshakeLeft > 0) {
      this.shakeHands(error)
      return
    }
    // Not an answer to anything: an out-of-band message.
    if (type === PUSH || this.inFlight === 0) return
    const place = this.head
    this.shift()
    this.hasServed = true
    this.owner.answered(
      this,
      this.commands[place]!,
      this.intended[place]!,
      this.sent[place]!,
      error,
      value < 0 && type !== COLON,
    )
  }

  private receive(chunk: Buffer): void {
    if (this.isClosed) return
    this.owner.tick()
    try {
      this.scanner.feed(chunk, this)
    } catch (error) {
      this.close(`the peer does not speak RESP: ${(error as Error).message}`)
      return
    }
    if (!this.isClosed) this.owner.received(this)
  }

  private shakeHands(error: string | undefined): void {
    // A user who may not PING is a user all the same.
    if (error !== undefined && !error.startsWith('NOPERM')) {
      this.close(error, Number.NEGATIVE_INFINITY, true)
      return
    }
    if (--this.handshakeLeft === 0) this.becomeReady()
  }

  private becomeReady(): void {
    this.isReady = true
    this.wasReady = true
    this.owner.tick()
    this.owner.ready(this)
    this.flush()
  }

  private shift(): void {
    this.head = (this.head + 1) & this.mask
    this.inFlight--
  }

  private growRing(): void {
    const size = (this.mask + 1) * 2
    const commands = new Int32Array(size)
    const intended = new Float64Array(size)
    const sent = new Float64Array(size)
    for (let i = 0; i < this.inFlight; i++) {
      const from = (this.head + i) & this.mask
      commands[i] = this.commands[from]!
      intended[i] = this.intended[from]!
      sent[i] = this.sent[from]!
    }
    this.commands = commands
    this.intended = intended
    this.sent = sent
    this.head = 0
    this.mask = size - 1
  }

  private growBuffer(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.out.length * 2, this.outBytes + bytes))
    this.out.copy(larger, 0, 0, this.outBytes)
    this.out = larger
    this.view = undefined
  }
}

const COLON = 58
const PUSH = 62
