/**
 * `maxmemory`: before a command runs, keys are removed until what is used fits again (Redis's evict.c).
 *
 * A single round is bounded in time by `maxmemory-eviction-tenacity`; what remains is done by a timer, between the
 * commands of clients, which may go on meanwhile. Only when there is nothing that may be removed are commands that
 * need memory refused.
 */
import type { Timer } from '../io.ts'
import { type EvictionOrder, EvictionPool, type SampleOptions } from '../store/eviction-pool.ts'
import { type Entry, type KeyspacePort, NO_ENTRY } from '../store/keyspace-port.ts'
import type { RunningServer } from './running-server.ts'

/** `full`: nothing may be removed any more and it is still too much. `running`: not done yet. */
type Outcome = 'ok' | 'running' | 'full'

const KEYS_PER_CLOCK = 16
/** Up to this tenacity the time for one round grows by 50 µs a step, then by 15 %. */
const LINEAR_TENACITY = 10
const LINEAR_STEP_US = 50
const GROWTH = 1.15
const ENDLESS_TENACITY = 100

export class Eviction {
  /** Whether `maxmemory` is set, or the store near its own limit: the only thing that a command has to ask. */
  isLimited = false
  /** The outcome before the running command: a script asks it for the commands that it runs. */
  isOutOfMemory = false
  private readonly server: RunningServer
  private readonly pool = new EvictionPool()
  private storeNearlyFull = false
  private nextDatabase = 0
  private timer: Timer | undefined
  /** Monotonic µs since there is too much; 0: there is not. */
  private exceededSinceUs = 0
  private exceededUs = 0

  constructor(server: RunningServer) {
    this.server = server
    const { config } = server
    config.onChange('maxmemory', () => this.limitChanged())
    config.onChange('maxmemory-policy', () => this.pool.clear())
    this.isLimited = config.values.maxmemory > 0
  }

  /** Milliseconds in which there was too much, altogether and now. */
  get exceededMs(): { total: number; current: number } {
    const currentUs = this.exceededSinceUs === 0 ? 0 : this.server.io.clock.monotonicUs() - this.exceededSinceUs
    return { total: Math.floor((this.exceededUs + currentUs) / 1000), current: Math.floor(currentUs / 1000) }
  }

  /** By the cron: the store's own bound (16 GiB of small keys and values) is far enough away to be seen coming. */
  watchStore(): void {
    this.storeNearlyFull = this.server.databases.some((database) => database.isNearlyFull)
    this.isLimited = this.storeNearlyFull || this.server.config.values.maxmemory > 0
    if (!this.isLimited) this.isOutOfMemory = false
  }

  /** Makes room. False: there is none, and a command that needs memory must not run. */
  makeRoom(): boolean {
    // What a slow script wants to propagate must not be mixed with removals.
    if (this.server.scripting.running !== undefined) return true
    const outcome = this.perform()
    this.isOutOfMemory = outcome === 'full' || this.storeNearlyFull
    return !this.isOutOfMemory
  }

  resetStatistics(): void {
    this.exceededUs = 0
    this.exceededSinceUs = 0
  }

  stop(): void {
    this.timer?.cancel()
  }

  private limitChanged(): void {
    const { config, log, memory } = this.server
    const { maxmemory } = config.values
    this.watchStore()
    if (maxmemory === 0) return
    const used = memory.usedBytes - memory.notEvictableBytes
    if (maxmemory < used) {
      log.warning(
        `WARNING: the new maxmemory value set via CONFIG SET (${maxmemory}) is smaller than the current memory usage (${used}). This will result in key eviction and/or the inability to accept new write commands depending on the maxmemory-policy.`,
      )
    }
    this.continueLater()
  }

  /** Not while data are loaded or must stay as they are, and not on a replica that leaves it to its primary. */
  private get isAllowed(): boolean {
    const { config, loading, pause, replication } = this.server
    if (loading || pause.active) return false
    return !(replication.role === 'replica' && config.values['replica-ignore-maxmemory'])
  }

  private excessBytes(): number {
    const { config, memory } = this.server
    const { maxmemory } = config.values
    if (maxmemory === 0) return 0
    const used = memory.usedBytes
    return used <= maxmemory ? 0 : Math.max(0, used - memory.notEvictableBytes - maxmemory)
  }

  private perform(): Outcome {
    if (!this.isAllowed) return 'ok'
    const excessBytes = this.excessBytes()
    const outcome = excessBytes === 0 ? 'ok' : this.evict(excessBytes)
    this.noteExceeding(outcome !== 'ok')
    return outcome
  }

  private noteExceeding(exceeds: boolean): void {
    const nowUs = this.server.io.clock.monotonicUs()
    if (exceeds) {
      if (this.exceededSinceUs === 0) this.exceededSinceUs = nowUs
    } else if (this.exceededSinceUs !== 0) {
      this.exceededUs += nowUs - this.exceededSinceUs
      this.exceededSinceUs = 0
    }
  }

  private evict(excessBytes: number): Outcome {
    const { server } = this
    const { clock } = server.io
    const policy = server.config.values['maxmemory-policy']
    if (policy === 'noeviction') return 'full'
    const startUs = clock.monotonicUs()
    const limitUs = this.roundLimitUs()
    let freedBytes = 0
    let outcome: Outcome = this.timer === undefined ? 'ok' : 'running'
    for (let keys = 1; freedBytes < excessBytes; keys++) {
      const found = policy.endsWith('random') ? this.randomKey(policy) : this.bestKey(policy)
      if (found === undefined) {
        outcome = 'full'
        break
      }
      freedBytes += this.remove(found.database, found.entry)
      if (keys % KEYS_PER_CLOCK === 0 && clock.monotonicUs() - startUs > limitUs) {
        this.continueLater()
        outcome = 'running'
        break
      }
    }
    server.latency.add('eviction-cycle', (clock.monotonicUs() - startUs) / 1000, server.nowMs)
    return outcome
  }

  private roundLimitUs(): number {
    const tenacity = this.server.config.values['maxmemory-eviction-tenacity']
    if (tenacity <= LINEAR_TENACITY) return LINEAR_STEP_US * tenacity
    if (tenacity >= ENDLESS_TENACITY) return Number.POSITIVE_INFINITY
    return LINEAR_STEP_US * LINEAR_TENACITY * GROWTH ** (tenacity - LINEAR_TENACITY)
  }

  private bestKey(policy: string): { database: KeyspacePort; entry: Entry } | undefined {
    const { server, pool } = this
    const volatileOnly = policy.startsWith('volatile')
    const options: SampleOptions = {
      order: policy.slice(-3) as EvictionOrder,
      volatileOnly,
      samples: server.config.values['maxmemory-samples'],
      nowMs: server.nowMs,
      decayMinutes: server.config.values['lfu-decay-time'],
      draw: (limit) => server.io.random.below(limit),
    }
    for (;;) {
      let keys = 0
      for (const database of server.databases) {
        const here = volatileOnly ? database.expiringSize : database.size
        if (here > 0) pool.populate(database, options)
        keys += here
      }
      if (keys === 0) return undefined
      const best = pool.take(volatileOnly)
      if (best !== undefined) return { database: best.database, entry: best.database.findKey(best.key) }
    }
  }

  /** Databases take turns. */
  private randomKey(policy: string): { database: KeyspacePort; entry: Entry } | undefined {
    const { databases, io } = this.server
    const volatileOnly = policy.startsWith('volatile')
    for (let i = 0; i < databases.length; i++) {
      const database = databases[++this.nextDatabase % databases.length] as KeyspacePort
      let found: Entry = NO_ENTRY
      database.sample(
        volatileOnly,
        (limit) => io.random.below(limit),
        1,
        (entry) => {
          found = entry
        },
      )
      if (found !== NO_ENTRY) return { database, entry: found }
    }
    return undefined
  }

  /** Returns how many bytes that has freed. */
  private remove(database: KeyspacePort, entry: Entry): number {
    const { server } = this
    const { clock } = server.io
    const key = database.key(entry)
    const before = database.memoryBytes
    const startUs = clock.monotonicUs()
    database.remove(entry)
    server.latency.add('eviction-del', (clock.monotonicUs() - startUs) / 1000, server.nowMs)
    server.stats.evictedKeys++
    server.keyTouched(database, key)
    server.events.notify('evicted', 'evicted', key, database.index)
    const word = server.config.values['lazyfree-lazy-eviction'] ? 'UNLINK' : 'DEL'
    server.propagate(database.index, [word, key])
    return before - database.memoryBytes
  }

  /** Goes on from a timer, until it is enough. */
  private continueLater(): void {
    if (this.timer !== undefined) return
    this.timer = this.server.io.timers.after(0, () => {
      this.timer = undefined
      if (!this.server.stopped && this.perform() === 'running') this.continueLater()
    })
  }
}
