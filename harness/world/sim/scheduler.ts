/**
 * Virtual time: a heap of events, each at a whole microsecond, run one after the other.
 *
 * Order is (time, order of scheduling): nothing else decides, so a run depends on its inputs alone. The heap is 4-ary
 * over typed arrays; an event is a callback in a numbered slot. Cancelling empties the slot at once and leaves the
 * heap's entry to be skipped (and swept when such entries outnumber the living).
 *
 *   heap:  times     [ 10 | 12 | 15 | 12 | … ]      callbacks: [ f | – | g | … ]   (– : cancelled or free)
 *          sequences [  3 |  7 |  9 |  8 | … ]                   ^
 *          slots     [  0 |  2 |  … ] ───────────────────────────┘
 *
 * Asynchronous code on virtual time. A runner may `await scheduler.sleep(ms)` or a promise that is settled through
 * `wake`. Events run synchronously; only when one has woken somebody does the loop stop, let one turn of the real
 * event loop pass (all microtasks are done then, however many there are) and go on. So awaiting code runs at a moment
 * of virtual time that depends on the events alone. This holds as long as such code awaits nothing but promises that
 * come from virtual time: awaiting a real file, socket or timer would make the run depend on the machine. A promise
 * that an event resolves without `wake` is still deterministic, its continuation only runs late (at the next wake).
 */

import { Trace } from './trace.ts'

/** Identifies a scheduled event; 0 is none. */
export type EventHandle = number

const SLOT_BITS = 22
const SLOTS_MAX = 2 ** SLOT_BITS
const CAPACITY_AT_START = 1024

export class Scheduler {
  readonly trace = new Trace()
  /** Microseconds since the run's start. */
  nowUs = 0
  /** Events run so far, for figures. */
  eventsRun = 0

  private times = new Float64Array(CAPACITY_AT_START)
  private sequences = new Float64Array(CAPACITY_AT_START)
  private slots = new Int32Array(CAPACITY_AT_START)
  private length = 0
  private cancelled = 0
  private nextSequence = 1
  private readonly callbacks: ((() => void) | undefined)[] = [undefined]
  private readonly generations: number[] = [0]
  private readonly freeSlots: number[] = []
  private woken = false
  private running = false

  /** Runs `callback` at `timeUs` (rounded up to a whole microsecond, never before now). */
  at(timeUs: number, callback: () => void): EventHandle {
    const slot = this.freeSlots.pop() ?? this.newSlot()
    this.callbacks[slot] = callback
    this.push(timeUs > this.nowUs ? Math.ceil(timeUs) : this.nowUs, this.nextSequence++, slot)
    return this.generations[slot]! * SLOTS_MAX + slot
  }

  after(delayUs: number, callback: () => void): EventHandle {
    return this.at(this.nowUs + delayUs, callback)
  }

  /** The event will not run. Nothing happens when it has run, or was cancelled before, or `handle` is 0. */
  cancel(handle: EventHandle): void {
    const slot = handle % SLOTS_MAX
    if (slot === 0 || this.generations[slot] !== (handle - slot) / SLOTS_MAX || !this.callbacks[slot]) return
    this.callbacks[slot] = undefined
    this.cancelled++
    if (this.cancelled > 1024 && this.cancelled * 2 > this.length) this.sweep()
  }

  /** Events that wait to be run. */
  get pending(): number {
    return this.length - this.cancelled
  }

  /** Resolves at a later moment of virtual time. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(Math.max(0, delayMs) * 1000, () => this.wake(resolve))
    })
  }

  /** Calls `resolve` of an awaited promise and lets the code that awaits it run before the next event. */
  wake(resolve: () => void): void {
    this.woken = true
    resolve()
  }

  /** Runs everything up to and including `untilUs`; virtual time is `untilUs` afterwards. */
  async run(untilUs: number): Promise<void> {
    await this.exclusively(async () => {
      await turn()
      while (this.runUntilWoken(untilUs)) await turn()
      this.nowUs = Math.max(this.nowUs, untilUs)
    })
  }

  /**
   * Runs until `promise` is settled, and passes on how. Throws when virtual time passes `limitUs` or nothing is left to
   * run.
   */
  async complete<T>(promise: Promise<T>, limitUs = Number.POSITIVE_INFINITY): Promise<T> {
    let settled = false
    const settle = (): void => {
      settled = true
    }
    promise.then(settle, settle)
    await this.exclusively(async () => {
      await turn()
      while (!settled && this.runUntilWoken(limitUs)) await turn()
    })
    if (!settled) {
      const why = this.pending === 0 ? 'no event is left' : `the limit of ${limitUs} µs is reached`
      throw new Error(`at ${this.nowUs} µs of virtual time ${why}, and the awaited promise is not settled`)
    }
    return promise
  }

  /** One event after the other, without a turn of the real event loop. For code that awaits nothing. */
  runSynchronously(untilUs: number): void {
    while (this.runUntilWoken(untilUs));
    this.nowUs = Math.max(this.nowUs, untilUs)
  }

  private async exclusively(body: () => Promise<void>): Promise<void> {
    if (this.running) throw new Error('virtual time is already running: await the earlier run first')
    this.running = true
    try {
      await body()
    } finally {
      this.running = false
    }
  }

  /** True when it stopped because somebody was woken, false when nothing is left until `untilUs`. */
  private runUntilWoken(untilUs: number): boolean {
    this.woken = false
    while (this.length > 0 && this.times[0]! <= untilUs) {
      const timeUs = this.times[0]!
      const slot = this.slots[0]!
      this.pop()
      const callback = this.callbacks[slot]
      this.release(slot)
      if (callback === undefined) {
        this.cancelled--
        continue
      }
      this.nowUs = timeUs
      this.eventsRun++
      this.trace.mixNumber(timeUs)
      callback()
      if (this.woken) return true
    }
    return false
  }

  private newSlot(): number {
    if (this.callbacks.length >= SLOTS_MAX) throw new Error('too many pending events')
    this.callbacks.push(undefined)
    this.generations.push(0)
    return this.callbacks.length - 1
  }

  private release(slot: number): void {
    this.callbacks[slot] = undefined
    this.generations[slot] = (this.generations[slot]! + 1) % 0x7fffffff
    this.freeSlots.push(slot)
  }

  private push(timeUs: number, sequence: number, slot: number): void {
    if (this.length === this.times.length) this.grow()
    this.siftUp(this.length++, timeUs, sequence, slot)
  }

  private siftUp(start: number, timeUs: number, sequence: number, slot: number): void {
    const { times, sequences, slots } = this
    let index = start
    while (index > 0) {
      const parent = (index - 1) >> 2
      const parentTime = times[parent]!
      if (parentTime < timeUs || (parentTime === timeUs && sequences[parent]! < sequence)) break
      times[index] = parentTime
      sequences[index] = sequences[parent]!
      slots[index] = slots[parent]!
      index = parent
    }
    times[index] = timeUs
    sequences[index] = sequence
    slots[index] = slot
  }

  private pop(): void {
    const last = --this.length
    if (last > 0) this.siftDown(0, this.times[last]!, this.sequences[last]!, this.slots[last]!)
  }

  private siftDown(start: number, timeUs: number, sequence: number, slot: number): void {
    const { times, sequences, slots, length } = this
    let index = start
    for (;;) {
      const first = index * 4 + 1
      if (first >= length) break
      const end = first + 4 < length ? first + 4 : length
      let least = first
      for (let child = first + 1; child < end; child++) {
        const difference = times[child]! - times[least]!
        if (difference < 0 || (difference === 0 && sequences[child]! < sequences[least]!)) least = child
      }
      const difference = times[least]! - timeUs
      if (difference > 0 || (difference === 0 && sequences[least]! > sequence)) break
      times[index] = times[least]!
      sequences[index] = sequences[least]!
      slots[index] = slots[least]!
      index = least
    }
    times[index] = timeUs
    sequences[index] = sequence
    slots[index] = slot
  }

  private grow(): void {
    const times = new Float64Array(this.times.length * 2)
    const sequences = new Float64Array(times.length)
    const slots = new Int32Array(times.length)
    times.set(this.times)
    sequences.set(this.sequences)
    slots.set(this.slots)
    this.times = times
    this.sequences = sequences
    this.slots = slots
  }

  /** Throws the cancelled entries out and restores the heap's order. */
  private sweep(): void {
    const count = this.length
    this.length = 0
    for (let index = 0; index < count; index++) {
      const slot = this.slots[index]!
      // An entry moves only to places already read: the kept ones are never more than the seen ones.
      if (this.callbacks[slot] === undefined) this.release(slot)
      else this.push(this.times[index]!, this.sequences[index]!, slot)
    }
    this.cancelled = 0
  }
}

/** One turn of the real event loop: every microtask that is due has run afterwards. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
