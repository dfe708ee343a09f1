/**
 * Which key is to go: Redis's approximation of LRU, LFU and TTL order. Some keys are sampled; the best candidates seen
 * so far wait in a pool of sixteen, over many evictions, so that with time it holds about the worst of all keys.
 *
 * A key in the pool may have been used, changed or removed since; it is looked up again when its turn comes.
 */
import { idleSeconds, lfuUses } from './access-clock.ts'
import { type KeyspacePort, NO_ENTRY } from './keyspace-port.ts'

const POOL_SIZE = 16
/** More uses than a counter can have. */
const USES_MAX = 255

/** Which property makes a key a candidate. */
export type EvictionOrder = 'lru' | 'lfu' | 'ttl'

export interface SampleOptions {
  order: EvictionOrder
  /** Only keys with an expiry. */
  volatileOnly: boolean
  /** `maxmemory-samples` */
  samples: number
  nowMs: number
  /** `lfu-decay-time` */
  decayMinutes: number
  /** Gives a whole number in [0, limit). */
  draw(limit: number): number
}

export interface Candidate {
  readonly database: KeyspacePort
  readonly key: Buffer
  /** The higher, the sooner it goes. */
  readonly score: number
}

export class EvictionPool {
  /** By score, the best candidate last. */
  private readonly candidates: Candidate[] = []

  /** Samples the database and keeps what is better than what is here. */
  populate(database: KeyspacePort, options: SampleOptions): void {
    database.sample(options.volatileOnly, options.draw, options.samples, (entry) => {
      const score = scoreOf(database, entry, options)
      const { candidates } = this
      if (candidates.length === POOL_SIZE && score <= (candidates[0] as Candidate).score) return
      let place = 0
      while (place < candidates.length && (candidates[place] as Candidate).score < score) place++
      const key = database.key(entry)
      if (candidates.some((other) => other.database === database && other.key.equals(key))) return
      candidates.splice(place, 0, { database, key, score })
      if (candidates.length > POOL_SIZE) candidates.shift()
    })
  }

  /** The best candidate that is still there (and has an expiry, if it must); undefined when none is left. */
  take(volatileOnly: boolean): Candidate | undefined {
    for (;;) {
      const best = this.candidates.pop()
      if (best === undefined) return undefined
      const entry = best.database.findKey(best.key)
      if (entry !== NO_ENTRY && (!volatileOnly || best.database.expireAtMs(entry) >= 0)) return best
    }
  }

  /** After the policy has changed scores mean something else. */
  clear(): void {
    this.candidates.length = 0
  }
}

function scoreOf(database: KeyspacePort, entry: number, options: SampleOptions): number {
  if (options.order === 'ttl') return -database.expireAtMs(entry)
  const field = database.accessed(entry)
  if (options.order === 'lru') return idleSeconds(field, options.nowMs)
  return USES_MAX - lfuUses(field, options.nowMs, options.decayMinutes)
}
