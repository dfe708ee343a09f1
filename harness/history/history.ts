/**
 * The history of one arm: everything that happened, in order, as events. Checks and measures are functions of it and
 * of nothing else, so that a saved history can be judged again.
 *
 * On disk: one JSON object a line, appended as it happens. Times are ms since the workload began.
 */

import type { LoadResult } from '../../reports/load-result.ts'

export type Outcome =
  /** The server said that it was done. */
  | 'ok'
  /** The server said that it was not done, or nothing was ever sent. */
  | 'fail'
  /** It may have happened: time-out, connection lost after sending. */
  | 'unknown'

export type HistoryEvent =
  | HeaderEvent
  | InvokeEvent
  | CompleteEvent
  | FaultEvent
  | CommandEvent
  | FigureEvent
  | LoadEvent
  | ShopEvent
  | TransactionsEvent
  | NodeEvent
  | ContentEvent
  | EndEvent

/** First of all. */
export interface HeaderEvent {
  type: 'header'
  version: 1
  scenario: string
  arm: string
  world: string
  target: string
  seed: number
  /** Label of each group of clients. */
  groups: Record<string, string>
  /** What the clients did; absent in old histories: `unique-writes`. */
  workload?: string
}

export interface InvokeEvent {
  type: 'invoke'
  /** Unique in the history, ascending. */
  id: number
  atMs: number
  client: string
  group: string
  key: string
  value: string
}

export interface CompleteEvent {
  type: 'complete'
  id: number
  atMs: number
  outcome: Outcome
  /** The node that answered last, empty when none did. */
  node: string
  /** First word and text of the error, for fail and unknown. */
  error?: string
}

export interface FaultEvent {
  type: 'fault'
  name: string
  state: 'start' | 'end'
  atMs: number
  description: string
  /** Machines (nodes and clients) on the small side of a partition; empty for other faults. */
  minority: string[]
  /** Node whose process, machine or disk has the fault; absent for faults of links. */
  node?: string
  /** At the end: what showed that it acted. */
  tookHold: string
}

/** An administrative command to a node, when its effect was over. */
export interface CommandEvent {
  type: 'command'
  /** When it was sent; 0 for what came before the workload. */
  atMs: number
  node: string
  words: string[]
  /** The reply as text, or `no answer`. */
  reply: string
  /** Until the reply. */
  replyMs: number
  /** Until what it began was over (a background save, a rewrite); the same as `replyMs` where nothing lasts longer. */
  doneMs: number
}

/** A number that the run observed by itself: a file's size, the time of a load. */
export interface FigureEvent {
  type: 'figure'
  atMs: number
  node: string
  name: string
  value: number
}

/** What the load driver measured, from `atMs` on. */
export interface LoadEvent {
  type: 'load'
  atMs: number
  /** CPU time that the server used meanwhile. */
  serverCpuMs: number
  result: LoadResult
}

/** What the shop sold under load, as its ledger, its stock and its customers have it. */
export interface ShopEvent {
  type: 'shop'
  atMs: number
  /** Units that are gone from the stock. */
  soldByStock: number
  /** See harness/shop/ledger.ts. */
  ledger: string[]
  /** What autocannon saw of all instances together. */
  http: {
    answered: number
    refused: number
    errors: number
    perSecond: number
    p50Ms: number
    p99Ms: number
    maxMs: number
  }
}

/** What transactions of five writes each left in the list that they share. */
export interface TransactionsEvent {
  type: 'transactions'
  atMs: number
  /** Of each transaction, in the order in which they ended. */
  tookMs: number[]
  /** The number of the transaction of every element. */
  list: number[]
}

/** What a node said of itself when asked. Not recorded while nothing has changed but the offset by little. */
export interface NodeEvent {
  type: 'node'
  atMs: number
  node: string
  /** `loading`: it answers that it is loading its data set. `down`: it does not answer. */
  role: 'primary' | 'replica' | 'loading' | 'down'
  /** Name of the node that a replica follows. */
  follows: string
  epoch: number | null
  /** Slot ranges that it claims to own: [from, to] pairs. */
  slots: [number, number][]
  clusterState: string
  offsetBytes: number
  /** More numbers that it said of itself, by name. */
  samples?: Record<string, number>
}

/** Part of a node's data after the run: keys with their values. */
export interface ContentEvent {
  type: 'content'
  atMs: number
  node: string
  role: 'primary' | 'replica'
  follows: string
  entries: [key: string, value: string][]
  /** Keys beside those of the workload, which are counted only. */
  otherKeys?: number
}

/** Last of all: the run was complete. */
export interface EndEvent {
  type: 'end'
  atMs: number
  /** False when the topology had not settled by the deadline. */
  settled: boolean
  /** Operations that the generator could not offer at their time, of all. */
  lateOperations: number
  /** See `World.processorWait`; absent where it is null, and in histories of before. */
  processorWait?: number
}

/** One operation with its beginning and end put together. */
export interface Operation {
  id: number
  client: string
  group: string
  key: string
  value: string
  invokedMs: number
  completedMs: number
  outcome: Outcome
  node: string
  error: string
}

/** Receives events in order. */
export interface Recorder {
  record(event: HistoryEvent): void
}

export class History implements Recorder {
  readonly events: HistoryEvent[] = []
  /** What was derived from the events, kept until another one is recorded. */
  private readonly derived = new Map<string, { events: number; value: unknown }>()

  record(event: HistoryEvent): void {
    this.events.push(event)
  }

  header(): HeaderEvent {
    const first = this.events[0]
    if (first?.type !== 'header') throw new Error('a history begins with its header')
    return first
  }

  end(): EndEvent | undefined {
    const last = this.events.at(-1)
    return last?.type === 'end' ? last : undefined
  }

  of<Type extends HistoryEvent['type']>(type: Type): readonly Extract<HistoryEvent, { type: Type }>[] {
    return this.derive(type, () =>
      this.events.filter((event): event is Extract<HistoryEvent, { type: Type }> => event.type === type),
    )
  }

  /** Computes `name` once for as long as no event is added. Checks use it for what several of them need. */
  derive<Value>(name: string, compute: () => Value): Value {
    const known = this.derived.get(name)
    if (known?.events === this.events.length) return known.value as Value
    const value = compute()
    this.derived.set(name, { events: this.events.length, value })
    return value
  }

  /**
   * In the order of invocation. An operation that never completed may have happened: `unknown`, completed at the end.
   */
  operations(): readonly Operation[] {
    return this.derive('operations', () => this.pairOperations())
  }

  private pairOperations(): Operation[] {
    const byId = new Map<number, Operation>()
    const endMs = this.end()?.atMs ?? 0
    for (const event of this.events) {
      if (event.type === 'invoke') {
        const { id, client, group, key, value, atMs } = event
        const open = { completedMs: endMs, outcome: 'unknown' as const, node: '', error: 'never completed' }
        byId.set(id, { id, client, group, key, value, invokedMs: atMs, ...open })
      } else if (event.type === 'complete') {
        const operation = byId.get(event.id)
        if (operation === undefined) throw new Error(`operation ${event.id} completed before it was invoked`)
        operation.completedMs = event.atMs
        operation.outcome = event.outcome
        operation.node = event.node
        operation.error = event.error ?? ''
      }
    }
    return [...byId.values()]
  }

  /** Parses a saved history. Throws a sentence that names the line that is damaged. */
  static parse(text: string): History {
    const history = new History()
    const lines = text.split('\n')
    lines.forEach((line, index) => {
      if (line === '') return
      try {
        history.record(JSON.parse(line) as HistoryEvent)
      } catch {
        throw new Error(`line ${index + 1} of the history is not JSON: was the run interrupted?`)
      }
    })
    return history
  }

  /** One event a line. */
  serialize(): string {
    return `${this.events.map((event) => JSON.stringify(event)).join('\n')}\n`
  }
}
