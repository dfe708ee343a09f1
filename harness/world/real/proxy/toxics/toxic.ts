/**
 * What a toxic is. A kind of toxic is one file of this folder and one row of registry.ts: its numeric attributes, and
 * a `pipe` that says what becomes of the bytes. The queue, the timers, the order and the back-pressure are stage.ts.
 */
import type { EndKind } from '../stage.ts'

/** The numeric attributes of one toxic, defaults filled in. */
export type Attributes = Readonly<Record<string, number>>

export type Stream = 'upstream' | 'downstream'

/** A toxic on a proxy. An update changes the object, whose `sequence` is its identity. */
export interface Toxic {
  readonly name: string
  readonly kind: ToxicKind
  /** upstream: bytes from the dialler to the node; downstream: bytes from the node to the dialler. */
  readonly stream: Stream
  /** Order in which the toxics of the proxy were added. */
  readonly sequence: number
  /** Probability that it works on a given connection. */
  toxicity: number
  attributes: Attributes
  /** Our extension: the source addresses whose connections it works on; undefined for all. */
  sources: readonly string[] | undefined
}

/** One run of bytes in a stage's queue, or (with `end`) the marker that the direction ends here. */
export interface Item {
  chunk: Buffer
  readonly end: EndKind | null
  /** When it came into the stage, performance.now() milliseconds. */
  readonly arrivedMs: number
  /** For the pipe's own use, set as the item arrives: its random draw. 0 until then. */
  draw: number
}

/** What becomes of the item at the head of the queue. */
export type Step =
  /** Send on its first `bytes` bytes (an end marker as a whole), then end the direction if `thenEnd` says so. */
  | { do: 'pass'; bytes: number; thenEnd?: EndKind }
  /** Ask again at this time, performance.now() milliseconds. */
  | { do: 'wait'; untilMs: number }
  /** Keep it until the toxic changes or goes. */
  | { do: 'hold' }
  | { do: 'drop' }
  /** End the direction now; what is queued and what still comes is lost. */
  | { do: 'end'; end: EndKind }

/** A toxic at work on one direction of one connection. Its state lives in the closure that made it. */
export interface Pipe {
  /** Called as an item enters the queue. */
  arrive?(item: Item): void
  step(head: Item, nowMs: number): Step
  /** A moment at which the toxic ends the direction by itself, whether bytes flow or not. */
  deadline?(): { atMs: number; end: EndKind } | undefined
}

/** What a pipe may read. Functions, since an update changes the attributes under a running pipe. */
export interface PipeContext {
  attributes(): Attributes
  /** When the toxic took hold of this connection, or was last updated. */
  sinceMs(): number
  random(): number
}

export interface ToxicKind {
  readonly type: string
  /** Attribute names with their defaults: whole numbers, never negative. */
  readonly fields: Readonly<Record<string, number>>
  /** How many bytes its queue takes before it exerts back-pressure. */
  capacityBytes(attributes: Attributes): number
  pipe(context: PipeContext): Pipe
  /** @returns what is wrong with the attributes together, or undefined. */
  validate?(attributes: Attributes): string | undefined
  /** Removing the toxic closes the connections it worked on (Toxiproxy does so where bytes were lost). */
  readonly closesOnRemoval?: true
  /**
   * The toxic is an IP-level cut: new connections over the link are not dialled while it is there, a reset purges what
   * it holds, and its attribute `resumeDelayMs` delays what it held when it goes.
   */
  readonly cutsLink?: true
}

export const PASS: Step = { do: 'pass', bytes: Number.POSITIVE_INFINITY }
export const HOLD: Step = { do: 'hold' }
export const DROP: Step = { do: 'drop' }

/** Queue of a toxic that has no reason for a long one. */
export const SMALL_QUEUE_BYTES = 64 * 1024

/** An attribute by name; the registry has filled in every field of the kind. */
export function attribute(context: PipeContext, name: string): number {
  return context.attributes()[name] ?? 0
}
