/**
 * The `Timers` port on Node.
 *
 * Node's timers count whole milliseconds of a clock that is read once per loop turn, so that they may fire up to a
 * millisecond early; and a delay above 2^31 − 1 ms fires at once. Both are cured in the same way: when Node's timer
 * fires, the monotonic clock decides, and what is left is armed again.
 */

import type { Clock, Timer, Timers } from '../io.ts'

const LONGEST_DELAY_MS = 0x7fffffff

export function createNodeTimers(clock: Clock): Timers {
  let deferred: (() => void)[] = []
  let running: (() => void)[] = []
  let scheduled = false

  /** `setImmediate` runs right after the poll phase: all input that was ready has been read by then. */
  const schedule = (): void => {
    scheduled = true
    setImmediate(runDeferred)
  }

  const runDeferred = (): void => {
    const batch = deferred
    deferred = running
    running = batch
    scheduled = false
    let next = 0
    try {
      while (next < batch.length) batch[next++]!()
    } finally {
      // Reached early only when a callback threw: what remains still runs, in its order.
      if (next < batch.length) {
        deferred.unshift(...batch.slice(next))
        if (!scheduled) schedule()
      }
      batch.length = 0
    }
  }

  return {
    after: (delayMs, callback) => new NodeTimer(clock, delayMs, callback),
    defer(callback) {
      deferred.push(callback)
      if (!scheduled) schedule()
    },
  }
}

class NodeTimer implements Timer {
  private readonly clock: Clock
  private readonly deadlineUs: number
  private readonly callback: () => void
  private timeout: NodeJS.Timeout

  constructor(clock: Clock, delayMs: number, callback: () => void) {
    const delayUs = delayMs > 0 ? delayMs * 1000 : 0
    this.clock = clock
    this.deadlineUs = clock.monotonicUs() + delayUs
    this.callback = callback
    this.timeout = this.arm(delayUs)
  }

  cancel(): void {
    clearTimeout(this.timeout)
  }

  private arm(remainingUs: number): NodeJS.Timeout {
    return setTimeout(() => this.fire(), Math.min(Math.ceil(remainingUs / 1000), LONGEST_DELAY_MS))
  }

  private fire(): void {
    const remainingUs = this.deadlineUs - this.clock.monotonicUs()
    if (remainingUs > 0) this.timeout = this.arm(remainingUs)
    else this.callback()
  }
}
