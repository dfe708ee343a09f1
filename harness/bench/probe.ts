/**
 * What another client feels meanwhile: one PING after the other, a short while apart, and the time of the slowest
 * answer. That is the longest stall of the server, seen from outside (and of the machine: compare with redis-server in
 * the same run).
 */
import type { BenchServer } from './stand.ts'

const PAUSE_MS = 0.5

export class Probe {
  longestMs = 0
  private readonly client
  private readonly io
  private stopped = false
  private onIdle: (() => void) | undefined

  constructor(server: BenchServer) {
    this.client = server.connect()
    this.io = server.io
    this.ask()
  }

  /** Resolves with the longest answer time in milliseconds, once the last answer is there. */
  stop(): Promise<number> {
    this.stopped = true
    return new Promise((resolve) => {
      this.onIdle = () => {
        this.client.close()
        resolve(this.longestMs)
      }
    })
  }

  private ask(): void {
    const sentUs = this.io.clock.monotonicUs()
    this.client.send(['PING'], () => {
      this.longestMs = Math.max(this.longestMs, (this.io.clock.monotonicUs() - sentUs) / 1000)
      this.io.timers.after(PAUSE_MS, () => {
        if (this.stopped) this.onIdle?.()
        else this.ask()
      })
    })
  }
}
