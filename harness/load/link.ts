/**
 * One connection of the driver: requests are written into one buffer that goes out in one write per batch, operations
 * in flight wait in a ring of typed arrays, replies are only scanned for their ends.
 *
 *     ring:   head ─▶ [command | intended | sent | count] … ◀─ tail       replies come in the order of requests
 *
 * Operations that begin together have one place in the ring, and what is answered together is counted together: at a
 * depth of 16 most of the work is done once for 16 operations. A batch that has the form of the one before is not
 * encoded again; only the ids in it are overwritten.
 */
import type { Connection, Io } from '../../engine/io.ts'
import { encodeRequest } from '../../engine/resp/request.ts'
import type { CommandShape, Draws } from './command-shape.ts'
import type { Operation } from './operation.ts'
import { ReplyScanner, type ReplySink } from './reply-scanner.ts'

/** What a link tells its driver. */
export interface LinkOwner {
  ready(link: Link): void
  /** `count` operations that began together were answered; `misses` of them with nil. */
  answered(link: Link, command: number, intendedUs: number, sentUs: number, count: number, misses: number): void
  /** One operation was answered with an error. `held`: what was sent, where it was sent with `addHeld`. */
  refused(link: Link, command: number, intendedUs: number, error: string, held: HeldRequest | undefined): void
  /** One operation will have no answer: the connection is lost. */
  lost(link: Link, command: number, intendedUs: number, reason: string, isTimeout: boolean): void
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

/** A request that is kept until it is answered, since it may have to be sent elsewhere (MOVED, ASK). */
export interface HeldRequest {
  operation: Operation
  bytes: Buffer
  intendedUs: number
  sentUs: number
  redirects: number
}

export interface LinkOptions {
  address: Endpoint
  operations: readonly Operation[]
  /** Sent first; the link is ready when each has been answered without an error. At least one command. */
  handshake: readonly (readonly string[])[]
}

export type Endpoint = { host: string; port: number; path?: string }

const BUFFER_BYTES = 16 * 1024
/** A power of two. */
const FIRST_PLACES = 16

export class Link implements ReplySink {
  isReady = false
  isClosed = false
  /** In the driver's list of links with something to flush. */
  isDirty = false
  wasReady = false
  /** At least one operation was answered. */
  hasServed = false
  inFlight = 0
  private readonly owner: LinkOwner
  private readonly operations: readonly Operation[]
  private readonly held: (HeldRequest & { skip: number })[] = []
  private heldHead = 0
  private readonly connection: Connection
  private readonly scanner = new ReplyScanner()
  private readonly openedUs: number
  private handshakeLeft: number
  private out = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  private outBytes = 0
  /** The view that was written last: most batches have one length. */
  private view: Buffer | undefined
  /**
   * What the buffer still holds from batches before: requests of this command one after another, up to `stampedBytes`.
   */
  private stamped: CommandShape | undefined
  private stampedBytes = 0
  private commands = new Int32Array(FIRST_PLACES)
  private counts = new Int32Array(FIRST_PLACES)
  private intended = new Float64Array(FIRST_PLACES)
  private sent = new Float64Array(FIRST_PLACES)
  private head = 0
  /** Of the ring that are in use. */
  private places = 0
  private mask = FIRST_PLACES - 1
  /** Answered operations of the place at the head that the owner does not know of yet. */
  private answered = 0
  private misses = 0
  /** Replies to the operation at the head that have come, where it has several. */
  private partial = 0
  private partialError: string | undefined

  constructor(io: Io, owner: LinkOwner, { address, operations, handshake }: LinkOptions) {
    this.owner = owner
    this.operations = operations
    this.openedUs = owner.tick()
    this.handshakeLeft = handshake.length
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
  add({ shape, index: command }: Operation, draws: Draws, intendedUs: number, nowUs: number): void {
    const last = (this.head + this.places - 1) & this.mask
    if (
      this.places > 0 &&
      this.commands[last] === command &&
      this.intended[last] === intendedUs &&
      this.sent[last] === nowUs
    ) {
      this.counts[last] = this.counts[last]! + 1
    } else this.takePlace(command, intendedUs, nowUs)
    this.inFlight++
    const at = this.outBytes
    if (this.stamped === shape && at + shape.maxBytes <= this.stampedBytes) {
      shape.overwrite(this.out, at, draws)
      this.outBytes = at + shape.maxBytes
    } else this.encode(shape, draws)
  }

  /**
   * The same for bytes that are kept. `isAsking`: the node serves this slot to those who were sent here by ASK only.
   */
  addHeld(request: HeldRequest, isAsking: boolean): void {
    this.takePlace(request.operation.index, request.intendedUs, request.sentUs)
    this.inFlight++
    this.held.push({ ...request, skip: isAsking ? 1 : 0 })
    const bytes = isAsking ? Buffer.concat([ASKING, request.bytes]) : request.bytes
    if (this.outBytes + bytes.length > this.out.length) this.growBuffer(bytes.length)
    this.outBytes += bytes.copy(this.out, this.outBytes)
    this.stamped = undefined
  }

  private takePlace(command: number, intendedUs: number, nowUs: number): void {
    if (this.places > this.mask) this.growRing()
    const place = (this.head + this.places) & this.mask
    this.commands[place] = command
    this.counts[place] = 1
    this.intended[place] = intendedUs
    this.sent[place] = nowUs
    this.places++
  }

  private encode(shape: CommandShape, draws: Draws): void {
    const at = this.outBytes
    if (at + shape.maxBytes > this.out.length) this.growBuffer(shape.maxBytes)
    this.outBytes = shape.encode(this.out, at, draws)
    if (!shape.isFixed) this.stamped = undefined
    else if (at === 0) this.stamped = shape
    else if (this.stamped !== shape) this.stamped = undefined
    this.stampedBytes = this.outBytes
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
    this.stamped = undefined
  }

  /**
   * Since when the server owes an answer, to the handshake or to the oldest operation, in µs; Infinity: it owes none.
   */
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
    this.tellAnswered()
    for (; this.places > 0; this.places--, this.head = (this.head + 1) & this.mask) {
      const { head } = this
      const isTimeout = this.sent[head]! <= timedOutUs
      const text = isTimeout || timedOutUs === Number.NEGATIVE_INFINITY ? reason : 'connection closed after a time-out'
      for (let count = this.counts[head]!; count > 0; count--) {
        this.inFlight--
        this.owner.lost(this, this.commands[head]!, this.intended[head]!, text, isTimeout)
      }
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
    const { head } = this
    const operation = this.operations[this.commands[head]!]!
    const first = this.held[this.heldHead]
    if (first !== undefined && first.skip > 0) {
      first.skip--
      return
    }
    if (operation.replies > 1) {
      this.partialError ??= error
      if (++this.partial < operation.replies) return
    }
    let failure = error
    if (operation.replies > 1) {
      failure = this.partialError
      this.partial = 0
      this.partialError = undefined
    }
    if (operation.waitReplicas > 0 && failure === undefined && value < operation.waitReplicas) {
      failure = `WAIT: ${value} of ${operation.waitReplicas} replicas acknowledged`
    }
    this.finishHead(head, failure, value < 0 && type !== COLON)
  }

  private finishHead(head: number, error: string | undefined, isNil: boolean): void {
    this.hasServed = true
    this.inFlight--
    const held = this.held.length === 0 ? undefined : this.takeHeld()
    if (error === undefined) {
      this.answered++
      if (isNil) this.misses++
    } else {
      this.tellAnswered()
      this.counts[head] = this.counts[head]! - 1
      this.owner.refused(this, this.commands[head]!, this.intended[head]!, error, held)
    }
    if (this.counts[head] === this.answered) {
      this.tellAnswered()
      this.head = (head + 1) & this.mask
      this.places--
    }
  }

  private takeHeld(): HeldRequest | undefined {
    const held = this.held[this.heldHead++]
    if (this.heldHead === this.held.length || this.heldHead > 1024) {
      this.held.splice(0, this.heldHead)
      this.heldHead = 0
    }
    return held
  }

  private tellAnswered(): void {
    const { answered, head, misses } = this
    if (answered === 0) return
    this.answered = 0
    this.misses = 0
    this.counts[head] = this.counts[head]! - answered
    this.owner.answered(this, this.commands[head]!, this.intended[head]!, this.sent[head]!, answered, misses)
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
    if (this.isClosed) return
    this.tellAnswered()
    this.owner.received(this)
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

  private growRing(): void {
    const size = (this.mask + 1) * 2
    const rotated = <T extends Int32Array | Float64Array>(from: T, to: T): T => {
      for (let i = 0; i < this.places; i++) to[i] = from[(this.head + i) & this.mask]!
      return to
    }
    this.commands = rotated(this.commands, new Int32Array(size))
    this.counts = rotated(this.counts, new Int32Array(size))
    this.intended = rotated(this.intended, new Float64Array(size))
    this.sent = rotated(this.sent, new Float64Array(size))
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

const ASKING = encodeRequest(['ASKING'])
const COLON = 58
const PUSH = 62
