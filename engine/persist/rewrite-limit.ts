/**
 * After three failures in a row rewrites wait, one minute, then two, four, … up to an hour (Redis's
 * `aofRewriteLimited`).
 */
import type { Server } from '../server/server.ts'

const FAILURES_ALLOWED = 3
const DELAY_MINUTES_MAX = 60

export class RewriteLimit {
  /** In a row. */
  failures = 0
  private readonly server: Server
  private delayMinutes = 0
  private nextMs = 0

  constructor(server: Server) {
    this.server = server
  }

  /** Whether a rewrite that is due must wait. Ask only when it is due: a wait begins with the question. */
  holds(): boolean {
    const { log, nowMs } = this.server
    if (this.failures < FAILURES_ALLOWED) {
      this.delayMinutes = 0
      this.nextMs = 0
      return false
    }
    if (this.nextMs !== 0) {
      if (nowMs < this.nextMs) return true
      this.nextMs = 0
      return false
    }
    this.delayMinutes = Math.min(DELAY_MINUTES_MAX, this.delayMinutes * 2 || 1)
    this.nextMs = nowMs + this.delayMinutes * 60_000
    log.warning(
      `Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ${this.delayMinutes} minutes`,
    )
    return true
  }
}
