/**
 * Removes keys whose time has come although nobody asks for them: Redis's active expire cycle.
 *
 * Each round samples some keys that have an expiry. While more than a tolerated share of a database's sample was
 * expired, it is sampled again, within a budget of time: a share of the CPU for the slow cycle (called `hz` times a
 * second), about a millisecond for the fast one, which follows every 2 ms while the slow one ran out of time or many
 * stale keys are expected (Redis calls it at the end of each turn, at most so often). Only primaries expire; replicas
 * wait for the DEL.
 */
import type { Server } from '../server/server.ts'
import type { Entry, KeyspacePort } from './keyspace-port.ts'

const KEYS_PER_LOOP = 20
const FAST_DURATION_US = 1000
const SLOW_TIME_PERCENT = 25
const ACCEPTABLE_STALE_PERCENT = 10
const DATABASES_PER_CALL = 16
/** The clock is read once in so many rounds. */
const ROUNDS_PER_CLOCK = 16

/** A server that may have been stopped: then no timer goes on. */
export interface ExpiringServer extends Server {
  readonly stopped: boolean
}

interface Effort {
  keysPerLoop: number
  fastDurationUs: number
  slowTimePercent: number
  acceptableStalePercent: number
}

export class ActiveExpiry {
  /** INFO: estimated share of keys that are expired and still there, in percent. */
  stalePercent = 0
  /** INFO: how often a cycle ran out of time. */
  timeCapReachedCount = 0
  /** INFO: time spent in cycles. */
  usedUs = 0
  private readonly server: ExpiringServer
  private nextDatabase = 0
  private ranOutOfTime = false
  private fastScheduled = false
  private readonly averageTtls: number[] = []
  private readonly expired: Entry[] = []

  constructor(server: ExpiringServer) {
    this.server = server
  }

  /** INFO: estimated mean time to live of the keys that expire, 0 for no estimate. */
  averageTtlMs(database: KeyspacePort): number {
    return database.expiringSize === 0 ? 0 : Math.floor(this.averageTtls[database.index] ?? 0)
  }

  /** To be called `hz` times a second. */
  slowCycle(): void {
    const { hz } = this.server.config.values
    const effort = this.effort()
    this.cycle(effort, Math.max(1, (effort.slowTimePercent * 1_000_000) / hz / 100))
    this.scheduleFastCycle(effort)
  }

  private scheduleFastCycle(effort: Effort): void {
    const needed = this.ranOutOfTime || this.stalePercent >= effort.acceptableStalePercent
    if (!needed || this.fastScheduled) return
    this.fastScheduled = true
    this.server.io.timers.after((effort.fastDurationUs * 2) / 1000, () => {
      this.fastScheduled = false
      this.cycle(effort, effort.fastDurationUs)
      this.scheduleFastCycle(effort)
    })
  }

  private effort(): Effort {
    const level = this.server.config.values['active-expire-effort'] - 1
    return {
      keysPerLoop: KEYS_PER_LOOP + (KEYS_PER_LOOP / 4) * level,
      fastDurationUs: FAST_DURATION_US + (FAST_DURATION_US / 4) * level,
      slowTimePercent: SLOW_TIME_PERCENT + 2 * level,
      acceptableStalePercent: ACCEPTABLE_STALE_PERCENT - level,
    }
  }

  private cycle(effort: Effort, budgetUs: number): void {
    const { server } = this
    const isIdle =
      !server.activeExpiry || server.loading || server.pause.active || server.replication.role === 'replica'
    if (isIdle || server.stopped) {
      this.ranOutOfTime = false
      this.stalePercent = 0
      return
    }
    const { databases } = server
    const startUs = server.io.clock.monotonicUs()
    const deadlineUs = startUs + budgetUs
    const calls = this.ranOutOfTime ? databases.length : Math.min(DATABASES_PER_CALL, databases.length)
    this.ranOutOfTime = false
    let sampled = 0
    let expired = 0
    for (let i = 0; i < calls && !this.ranOutOfTime; i++) {
      const database = databases[this.nextDatabase++ % databases.length] as KeyspacePort
      for (let round = 1; database.expiringSize > 0; round++) {
        const sampledNow = Math.min(effort.keysPerLoop, database.expiringSize)
        const expiredNow = this.expireSample(database, sampledNow)
        sampled += sampledNow
        expired += expiredNow
        if (round % ROUNDS_PER_CLOCK === 0 && server.io.clock.monotonicUs() > deadlineUs) {
          this.ranOutOfTime = true
          this.timeCapReachedCount++
          break
        }
        if ((expiredNow * 100) / sampledNow <= effort.acceptableStalePercent) break
      }
    }
    const durationUs = server.io.clock.monotonicUs() - startUs
    this.usedUs += durationUs
    server.latency.add('expire-cycle', durationUs / 1000, server.nowMs)
    const percent = sampled === 0 ? 0 : (expired / sampled) * 100
    this.stalePercent = percent * 0.05 + this.stalePercent * 0.95
  }

  /** Samples `count` keys of the database and removes those whose time has come; returns how many. */
  private expireSample(database: KeyspacePort, count: number): number {
    const { server, expired } = this
    const { nowMs } = server
    let ttlSumMs = 0
    database.sampleExpiring(
      (limit) => server.io.random.below(limit),
      count,
      (entry) => {
        const ttlMs = database.expireAtMs(entry) - nowMs
        if (ttlMs < 0) expired.push(entry)
        else ttlSumMs += ttlMs
      },
    )
    for (const entry of expired) server.removeExpired(database, entry)
    const removed = expired.length
    expired.length = 0
    if (removed < count) this.averageTtl(database.index, ttlSumMs / (count - removed))
    return removed
  }

  /** A running average over the samples: a new one counts a fiftieth. */
  private averageTtl(index: number, sampleMs: number): void {
    const before = this.averageTtls[index] ?? 0
    this.averageTtls[index] = before === 0 ? sampleMs : (before / 50) * 49 + sampleMs / 50
  }
}
