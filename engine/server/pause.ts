/**
 * CLIENT PAUSE: for a time, clients' commands (all, or those that write) are held back; replicas go on.
 *
 * Several reasons can pause at the same time (CLIENT PAUSE, FAILOVER): each has a name, the server is paused until the
 * last one ends, and for all commands if any of them says so.
 */
import type { Timer, Timers } from '../io.ts'

export type PauseScope = 'all' | 'write'

/** A client whose command is held back. */
export interface Postponed {
  endPostponement(): void
}

export class Pause {
  private readonly reasons = new Map<string, { endMs: number; scope: PauseScope; timer: Timer }>()
  private waiting: Postponed[] = []
  private readonly timers: Timers

  constructor(timers: Timers) {
    this.timers = timers
  }

  get active(): boolean {
    return this.reasons.size > 0
  }

  /** A failover waits for a replica to catch up: the stream must not grow by itself (PING) meanwhile. */
  get forFailover(): boolean {
    for (const reason of this.reasons.keys()) if (reason.endsWith('failover')) return true
    return false
  }

  /** Whether a command must wait; `writes`: it may change data or be replicated. */
  holds(writes: boolean): boolean {
    for (const { scope } of this.reasons.values()) if (scope === 'all' || writes) return true
    return false
  }

  /** A second pause for the same reason never shortens or weakens the first one. */
  begin(reason: string, endMs: number, scope: PauseScope, nowMs: number): void {
    const before = this.reasons.get(reason)
    before?.timer.cancel()
    const latestMs = Math.max(endMs, before?.endMs ?? 0)
    const timer = this.timers.after(latestMs - nowMs, () => this.end(reason))
    this.reasons.set(reason, { endMs: latestMs, scope: before?.scope === 'all' ? 'all' : scope, timer })
  }

  end(reason: string): void {
    const pause = this.reasons.get(reason)
    if (pause === undefined) return
    pause.timer.cancel()
    this.reasons.delete(reason)
    // What is still held by another reason comes back to wait again.
    const waiting = this.waiting
    this.waiting = []
    for (const client of waiting) client.endPostponement()
  }

  wait(client: Postponed): void {
    this.waiting.push(client)
  }

  stop(): void {
    for (const { timer } of this.reasons.values()) timer.cancel()
    this.reasons.clear()
    this.waiting = []
  }
}
