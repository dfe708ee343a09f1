/**
 * A client of the load, as the driver sees it, what all of them have, and the usual one: a single connection to a
 * single server, opened anew whenever it is lost. `routed-client.ts` has the one that chooses among several nodes.
 */
import type { Io, Random, Timer } from '../../engine/io.ts'
import type { Draws } from './command-shape.ts'
import { type Endpoint, Link, type LinkEnd, type LinkOwner } from './link.ts'
import type { Operation } from './operation.ts'

/** After a connection that could not be used, the next attempt waits. */
export const RECONNECT_MS = 50

export interface LoadClient {
  /** Among all clients of all threads. */
  readonly index: number
  readonly choice: Random
  readonly draws: Draws
  readonly inFlight: number
  /** Why nothing can be sent now; the owner's `room` is called when it can. Undefined: it can. */
  readonly downReason: string | undefined
  /** A closed loop waits: the last attempt failed just now. */
  readonly isResting: boolean
  isDirty: boolean
  /** Opens connections; `onFirst` is called when the first attempts have succeeded or failed. */
  connect(onFirst: () => void): void
  /** One operation begins. */
  begin(operation: Operation, intendedUs: number): void
  /** Sends what has begun. */
  flush(): void
  /** Operations that were sent at or before this moment have timed out. */
  expire(timedOutUs: number, reason: string): void
  /** Ends what is in flight with this reason, and does not connect any more. */
  close(reason: string): void
}

/** What clients tell the driver. */
export interface ClientOwner {
  readonly nowUs: number
  /** Reads the clock. */
  tick(): number
  /** The client can take more operations. */
  room(client: LoadClient): void
  answered(client: LoadClient, command: number, intendedUs: number, sentUs: number, count: number, misses: number): void
  /** One operation has ended without success. */
  failed(client: LoadClient, command: number, intendedUs: number, text: string, isTimeout: boolean): void
  /** An attempt to connect has failed while there was nothing in flight. */
  attemptFailed(client: LoadClient, reason: string, isTimeout: boolean): void
}

export interface ClientSetup {
  io: Io
  index: number
  choice: Random
  draws: Draws
  operations: readonly Operation[]
  handshake: readonly (readonly string[])[]
}

/** What clients have in common, wherever they send. */
export abstract class ClientBase {
  readonly index: number
  readonly choice: Random
  readonly draws: Draws
  isDirty = false
  protected readonly setup: ClientSetup
  protected readonly owner: ClientOwner
  protected isClosed = false

  constructor(setup: ClientSetup, owner: ClientOwner) {
    this.index = setup.index
    this.choice = setup.choice
    this.draws = setup.draws
    this.setup = setup
    this.owner = owner
  }

  tick(): number {
    return this.owner.tick()
  }

  /** The handshake of the next connection loads the scripts again. */
  protected reconnectForScripts(link: Link, error: string): void {
    if (error.startsWith('NOSCRIPT')) this.setup.io.timers.defer(() => link.close('scripts were gone'))
  }
}

export class DirectClient extends ClientBase implements LoadClient, LinkOwner {
  downReason: string | undefined = 'not connected yet'
  /** The server itself does not want us. */
  isRefused = false
  private readonly address: Endpoint
  private link: Link | undefined
  private reconnect: Timer | undefined
  private onFirst: (() => void) | undefined

  constructor(setup: ClientSetup, owner: ClientOwner, address: Endpoint) {
    super(setup, owner)
    this.address = address
  }

  get isResting(): boolean {
    return this.link === undefined || !this.link.isReady
  }

  get inFlight(): number {
    return this.link === undefined ? 0 : this.link.inFlight
  }

  connect(onFirst: () => void): void {
    this.onFirst = onFirst
    this.open()
  }

  begin(operation: Operation, intendedUs: number): void {
    this.link?.add(operation, this.draws, intendedUs, this.owner.nowUs)
  }

  flush(): void {
    this.link?.flush()
  }

  expire(timedOutUs: number, reason: string): void {
    if (this.link !== undefined && this.link.waitingSinceUs() <= timedOutUs) this.link.close(reason, timedOutUs)
  }

  close(reason: string): void {
    this.isClosed = true
    this.reconnect?.cancel()
    this.link?.close(reason)
  }

  ready(_link: Link): void {
    this.downReason = undefined
    this.firstDone()
    this.owner.room(this)
  }

  answered(_link: Link, command: number, intendedUs: number, sentUs: number, count: number, misses: number): void {
    this.owner.answered(this, command, intendedUs, sentUs, count, misses)
  }

  refused(link: Link, command: number, intendedUs: number, error: string): void {
    this.owner.failed(this, command, intendedUs, error, false)
    this.reconnectForScripts(link, error)
  }

  lost(_link: Link, command: number, intendedUs: number, reason: string, isTimeout: boolean): void {
    this.owner.failed(this, command, intendedUs, reason, isTimeout)
  }

  received(_link: Link): void {
    this.owner.room(this)
  }

  closed(link: Link, { reason, refused, isTimeout }: LinkEnd): void {
    if (this.link === link) this.link = undefined
    this.downReason = reason
    this.isRefused = refused
    this.owner.tick()
    this.firstDone()
    if (this.isClosed) return
    if (!link.wasReady) this.owner.attemptFailed(this, reason, isTimeout)
    if (link.hasServed) this.open()
    else this.reconnect = this.setup.io.timers.after(RECONNECT_MS, () => this.open())
  }

  private open(): void {
    if (this.isClosed || this.link !== undefined) return
    const { io, operations, handshake } = this.setup
    this.link = new Link(io, this, { address: this.address, operations, handshake })
    // What begins meanwhile goes out when it stands.
    if (this.onFirst === undefined) this.downReason = undefined
  }

  private firstDone(): void {
    const { onFirst } = this
    this.onFirst = undefined
    onFirst?.()
  }
}
