/**
 * One direction of one connection: source socket, the stages of the toxics that work on it, destination socket.
 *
 * Without toxics a chunk goes from the `data` event straight into `write`; the only state is the back-pressure of the
 * destination. No timers, no queue, no copy.
 */
import type { Socket } from 'node:net'
import { type EndKind, type Receiver, Stage } from './stage.ts'
import type { Toxic } from './toxics/toxic.ts'

/** What a connection that is not dialled yet may send before it feels back-pressure. */
const UNDIALLED_BYTES = 256 * 1024

/** State of one direction, as GET /links shows it. */
export interface FlowReport {
  bytesIn: number
  bytesOut: number
  /** Bytes that a toxic, or the wait for a cut link, keeps from moving on. */
  heldBytes: number
  /** Names of the toxics at work, in the order in which bytes meet them. */
  toxics: string[]
}

/** The end of the chain: the destination socket, or the bytes for one that is not dialled yet. */
class Outlet implements Receiver {
  ready = true
  bytesOut = 0
  pendingBytes = 0
  #pending: Buffer[] = []
  #ended = false
  #destination: Socket | undefined
  readonly #onAbort: (kind: 'close' | 'reset') => void

  constructor(onAbort: (kind: 'close' | 'reset') => void) {
    this.#onAbort = onAbort
  }

  attach(destination: Socket, onRoom: () => void): void {
    this.#destination = destination
    destination.on('drain', () => {
      this.ready = true
      onRoom()
    })
    this.ready = true
    const pending = this.#pending
    this.#pending = []
    this.pendingBytes = 0
    for (const chunk of pending) this.push(chunk)
    if (this.ready) onRoom()
  }

  push(chunk: Buffer): void {
    const destination = this.#destination
    if (destination === undefined) {
      this.#pending.push(chunk)
      this.pendingBytes += chunk.length
      this.ready = this.pendingBytes < UNDIALLED_BYTES
      return
    }
    // Bytes for a host that is gone are never acknowledged: the sender's window fills up.
    if (this.#ended || destination.destroyed) {
      this.ready = false
      return
    }
    this.bytesOut += chunk.length
    if (!destination.write(chunk)) this.ready = false
  }

  end(kind: EndKind): void {
    if (kind !== 'fin') {
      this.#onAbort(kind)
      return
    }
    if (this.#ended) return
    this.#ended = true
    if (this.#destination?.destroyed === false) this.#destination.end()
  }

  dispose(): void {
    this.#ended = true
    this.#pending = []
    this.pendingBytes = 0
  }
}

export class Flow {
  #bytesIn = 0
  #stages: Stage[] = []
  #first: Receiver
  #paused = false
  #disposed = false
  #source: Socket | undefined
  readonly #outlet: Outlet
  readonly #random: () => number

  /** @param onAbort - a toxic or a reset of the source ends the whole connection, not only this direction. */
  constructor(random: () => number, onAbort: (kind: 'close' | 'reset') => void) {
    this.#random = random
    this.#outlet = new Outlet(onAbort)
    this.#first = this.#outlet
  }

  attachSource(source: Socket): void {
    this.#source = source
    source.on('data', (chunk: Buffer) => {
      this.#bytesIn += chunk.length
      this.#first.push(chunk)
      if (!this.#first.ready) this.#pause()
    })
  }

  attachDestination(destination: Socket): void {
    this.#outlet.attach(destination, this.#makeRoom)
  }

  /** The source sent a FIN (`fin`) or an RST (`reset`); it travels behind the bytes before it. */
  endOfSource(kind: 'fin' | 'reset'): void {
    this.#first.end(kind)
  }

  /** Puts a toxic to work on this direction, or gives the one at work its new attributes. */
  apply(toxic: Toxic): void {
    if (this.#disposed) return
    const present = this.#find(toxic)
    if (present !== undefined) {
      present.update(toxic.attributes)
      return
    }
    const { kind, name, sequence, attributes } = toxic
    const options = { kind, name, sequence, attributes, random: this.#random }
    const stage = new Stage({ ...options, next: this.#outlet, onRoom: this.#makeRoom })
    this.#stages.push(stage)
    this.#stages.sort((a, b) => a.sequence - b.sequence)
    this.#rewire()
    stage.start()
  }

  /** Takes a toxic off. What it held moves on: at once, or after the resume delay of a cut that held something. */
  remove(toxic: Toxic): void {
    const stage = this.#find(toxic)
    if (stage === undefined) return
    const resumeDelayMs = stage.kind.cutsLink ? (toxic.attributes.resumeDelayMs ?? 0) : 0
    if (resumeDelayMs > 0 && !stage.idle) stage.linger(resumeDelayMs, () => this.#excise(stage))
    else this.#excise(stage)
  }

  report(): FlowReport {
    const heldBytes = this.#stages.reduce((sum, stage) => sum + stage.heldBytes, this.#outlet.pendingBytes)
    const { bytesOut } = this.#outlet
    const toxics = this.#stages.filter((stage) => !stage.lingering).map((stage) => stage.name)
    return { bytesIn: this.#bytesIn, bytesOut, heldBytes, toxics }
  }

  dispose(): void {
    this.#disposed = true
    for (const stage of this.#stages) stage.dispose()
    this.#stages = []
    this.#outlet.dispose()
    this.#first = this.#outlet
  }

  #find(toxic: Toxic): Stage | undefined {
    return this.#stages.find((stage) => stage.sequence === toxic.sequence && !stage.lingering)
  }

  #excise(stage: Stage): void {
    stage.flush()
    stage.dispose()
    this.#stages = this.#stages.filter((other) => other !== stage)
    this.#rewire()
    this.#makeRoom()
  }

  #rewire(): void {
    this.#stages.forEach((stage, index) => {
      stage.next = this.#stages[index + 1] ?? this.#outlet
    })
    this.#first = this.#stages[0] ?? this.#outlet
  }

  /** Something downstream has room again: every stage has another go, the last first, then the source. */
  readonly #makeRoom = (): void => {
    for (let index = this.#stages.length - 1; index >= 0; index--) this.#stages[index]?.drain()
    if (!this.#first.ready || !this.#paused) return
    this.#paused = false
    this.#source?.resume()
  }

  #pause(): void {
    this.#paused = true
    this.#source?.pause()
  }
}
