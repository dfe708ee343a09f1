/**
 * One toxic at work on one direction of one connection: a bounded queue, and the drain loop of every toxic.
 *
 *   source socket ─▶ Stage (latency) ─▶ Stage (partition) ─▶ Outlet ─▶ destination socket
 *                    queue + Pipe       queue + Pipe
 *
 * The loop is written here once; a toxic only answers, for the item at the head of the queue, what becomes of it
 * (`Step`). Items leave in the order they came, whatever a toxic answers: nothing in a stage can reorder a stream.
 *
 * Back-pressure: a stage is `ready` while it holds less than its capacity; a stage forwards only to a ready receiver,
 * and asks for more (`onRoom`) when it has room again. The last link of that chain is the source socket, which is
 * paused, so that the sender's kernel feels a full window as it would from a slow network.
 */
import type { Attributes, Item, Pipe, ToxicKind } from './toxics/toxic.ts'

/**
 * How a direction ends: `fin` is an orderly end that may be followed by bytes the other way; `close` is a toxic that
 * closes the connection, after the bytes before it; `reset` is an abort of the connection.
 */
export type EndKind = 'fin' | 'close' | 'reset'

/** Where bytes go next: a stage, or the outlet at the end of the chain. */
export interface Receiver {
  readonly ready: boolean
  push(chunk: Buffer): void
  end(kind: EndKind): void
}

export interface StageOptions {
  kind: ToxicKind
  name: string
  sequence: number
  attributes: Attributes
  random: () => number
  next: Receiver
  onRoom: () => void
}

const EMPTY = Buffer.alloc(0)
/** Past this many consumed slots at the front of the queue, the array is compacted. */
const COMPACT_AFTER = 1024

export class Stage implements Receiver {
  readonly name: string
  /** Order in which the toxics were added to the proxy; the chain keeps it. */
  readonly sequence: number
  readonly kind: ToxicKind
  next: Receiver
  heldBytes = 0
  /** True once the toxic was removed and its queue waits for the retransmission that resumes the stream. */
  lingering = false

  #attributes: Attributes
  #sinceMs = performance.now()
  #queue: Item[] = []
  #head = 0
  #timer: NodeJS.Timeout | undefined
  #draining = false
  #ended = false
  readonly #pipe: Pipe
  readonly #onRoom: () => void

  constructor(options: StageOptions) {
    this.kind = options.kind
    this.name = options.name
    this.sequence = options.sequence
    this.next = options.next
    this.#attributes = options.attributes
    this.#onRoom = options.onRoom
    const read = { attributes: () => this.#attributes, sinceMs: () => this.#sinceMs, random: options.random }
    this.#pipe = options.kind.pipe(read)
  }

  get ready(): boolean {
    return this.heldBytes < this.kind.capacityBytes(this.#attributes)
  }

  get idle(): boolean {
    return this.#head === this.#queue.length
  }

  /** Starts the toxic's own clock (a timeout counts from the moment the toxic takes hold, without any byte). */
  start(): void {
    this.drain()
  }

  push(chunk: Buffer): void {
    if (this.#ended) return
    this.#enqueue(chunk, null)
  }

  end(kind: EndKind): void {
    if (kind === 'reset') {
      // An aborting host purges its send queue: bytes that a cut kept from crossing are gone with it.
      if (this.kind.cutsLink) this.#clear()
      if (this.#ended) this.next.end(kind)
    }
    if (this.#ended) return
    this.#enqueue(EMPTY, kind)
  }

  /** New attributes take effect on what is queued, too. */
  update(attributes: Attributes): void {
    this.#attributes = attributes
    this.#sinceMs = performance.now()
    this.drain()
  }

  /** Passes on everything queued, in order and at once, and stops: what removing a toxic does. */
  flush(): void {
    this.#stopTimer()
    while (!this.idle) this.#forward(this.#take())
    if (this.#ended) return
    this.#ended = true
    if (this.kind.closesOnRemoval) this.next.end('close')
  }

  /** Holds what is queued for `delayMs` more, then calls `done`; new bytes queue up behind. */
  linger(delayMs: number, done: () => void): void {
    this.lingering = true
    this.#stopTimer()
    this.#timer = setTimeout(done, delayMs)
  }

  /** Frees the timer and the queue; nothing comes out of this stage any more. */
  dispose(): void {
    this.#ended = true
    this.#stopTimer()
    this.#clear()
  }

  /** The drain loop: works off the head of the queue until the toxic or the next receiver says to stop. */
  drain(): void {
    if (this.#draining || this.lingering) return
    this.#draining = true
    this.#stopTimer()
    const wasReady = this.ready
    const wakeMs = this.#workOff()
    this.#draining = false
    if (this.#ended && this.idle) this.#stopTimer()
    else if (Number.isFinite(wakeMs)) this.#wakeAt(wakeMs)
    if (!wasReady && this.ready) this.#onRoom()
  }

  /** @returns when to look again, in performance.now() milliseconds; Infinity when only an event can move the head. */
  #workOff(): number {
    for (;;) {
      const deadline = this.#ended ? undefined : this.#pipe.deadline?.()
      const nowMs = performance.now()
      if (deadline !== undefined && nowMs >= deadline.atMs) {
        this.#finish(deadline.end)
        return Number.POSITIVE_INFINITY
      }
      const wakeMs = deadline?.atMs ?? Number.POSITIVE_INFINITY
      const item = this.#queue[this.#head]
      if (item === undefined) return wakeMs
      // Before the toxic is asked: it counts what it lets pass. The end of the stream needs no room.
      if (item.end === null && !this.next.ready) return wakeMs
      const step = this.#pipe.step(item, nowMs)
      if (step.do === 'hold') return wakeMs
      if (step.do === 'wait') return Math.min(wakeMs, step.untilMs)
      if (step.do === 'drop') {
        this.#take()
      } else if (step.do === 'end') {
        this.#finish(step.end)
        return Number.POSITIVE_INFINITY
      } else {
        this.#forward(step.bytes >= item.chunk.length ? this.#take() : this.#slice(item, step.bytes))
        if (step.thenEnd !== undefined) {
          this.#finish(step.thenEnd)
          return Number.POSITIVE_INFINITY
        }
      }
    }
  }

  /** The toxic itself ends the direction: what is queued behind is lost, and so is what still comes. */
  #finish(kind: EndKind): void {
    this.#clear()
    this.#ended = true
    this.next.end(kind)
  }

  #enqueue(chunk: Buffer, end: EndKind | null): void {
    const wasIdle = this.idle
    const item: Item = { chunk, end, arrivedMs: performance.now(), draw: 0 }
    this.#pipe.arrive?.(item)
    this.#queue.push(item)
    this.heldBytes += chunk.length
    // Behind another item there is nothing to decide yet: the head's timer, the next receiver or a caller wakes us.
    if (wasIdle) this.drain()
  }

  #take(): Item {
    const item = this.#queue[this.#head]
    if (item === undefined) throw new Error('took from an empty stage')
    this.#head++
    this.heldBytes -= item.chunk.length
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    } else if (this.#head > COMPACT_AFTER) {
      this.#queue.splice(0, this.#head)
      this.#head = 0
    }
    return item
  }

  /** Splits the first `bytes` off the head, which stays in the queue with the rest. */
  #slice(item: Item, bytes: number): Item {
    const front: Item = { ...item, chunk: item.chunk.subarray(0, bytes) }
    item.chunk = item.chunk.subarray(bytes)
    this.heldBytes -= bytes
    return front
  }

  #forward(item: Item): void {
    if (item.end === null) {
      if (item.chunk.length > 0) this.next.push(item.chunk)
      return
    }
    this.#ended = true
    this.next.end(item.end)
  }

  #clear(): void {
    this.#queue = []
    this.#head = 0
    this.heldBytes = 0
  }

  #wakeAt(atMs: number): void {
    // setTimeout may fire a fraction of a millisecond early; drain() then just arms it again.
    this.#timer = setTimeout(
      () => this.drain(),
      Math.min(Math.max(1, Math.ceil(atMs - performance.now())), 2 ** 31 - 1),
    )
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
