/**
 * What clients hold (input not run yet, transactions, replies not sent yet), and `maxmemory-clients`: when all of it
 * together is too much, the largest clients have to go (Redis's client eviction).
 *
 * A client is counted anew when its replies pile up, by the cron, and while a limit depends on it after each chunk of
 * its input, so that the totals can be asked at any time.
 */
import type { ClientConnection } from './connection.ts'
import type { ClientMemoryKind } from './memory-account.ts'
import type { RunningServer } from './running-server.ts'

/** Sizes that differ by less than a factor of two count as equal; those below and above these bounds too. */
const BUCKET_MIN_LOG = 15
const BUCKET_MAX_LOG = 33
const BUCKETS = BUCKET_MAX_LOG - BUCKET_MIN_LOG + 1

/** The bucket of a client that holds so much, from 0. */
function bucketOf(bytes: number): number {
  const log = Math.floor(Math.log2(Math.max(1, bytes))) + 1
  return Math.min(Math.max(log, BUCKET_MIN_LOG), BUCKET_MAX_LOG) - BUCKET_MIN_LOG
}

export class ClientMemory {
  /** A limit depends on the totals: clients are counted after each chunk of input, else by the cron. */
  isPrecise = false
  private readonly server: RunningServer

  constructor(server: RunningServer) {
    this.server = server
    const check = () => {
      this.isPrecise = this.limitBytes > 0 || server.config.values.maxmemory > 0
      this.enforce()
    }
    check()
    server.config.onChange('maxmemory-clients', check)
    server.config.onChange('maxmemory', check)
  }

  /** `maxmemory-clients` in bytes; 0: no limit. */
  get limitBytes(): number {
    const { 'maxmemory-clients': limit, maxmemory } = this.server.config.values
    return limit < 0 ? Math.floor((maxmemory * -limit) / 100) : limit
  }

  /** Counts a client anew. */
  update(client: ClientConnection): void {
    const bytes = client.closed ? 0 : client.memoryBytes
    const kind: ClientMemoryKind = client.kind === 'replica' || client.kind === 'primary' ? client.kind : 'normal'
    const { counted } = client
    const { clientBytes } = this.server.memory
    clientBytes[counted.kind] -= counted.bytes
    clientBytes[kind] += bytes
    counted.kind = kind
    counted.bytes = bytes
  }

  noteInput(client: ClientConnection): void {
    this.update(client)
    this.enforce()
  }

  /** Evicts as long as there is too much. Largest bucket first, in it who came first. */
  enforce(): void {
    const limit = this.limitBytes
    if (limit === 0 || !this.isTooMuch(limit)) return
    const buckets = this.buckets()
    for (let bucket = BUCKETS - 1; bucket >= 0; bucket--) {
      for (const client of buckets[bucket] ?? []) {
        if (!this.isTooMuch(limit)) return
        this.server.log.notice(`Evicting client: ${this.server.clients.describe(client)}`)
        this.server.stats.evictedClients++
        client.close()
      }
    }
    this.server.log.warning('Over client maxmemory after evicting all evictable clients')
  }

  /** Exempt clients count as well, as in Redis. */
  private isTooMuch(limit: number): boolean {
    return this.server.memory.clientBytes.normal >= limit
  }

  /** A line for each bucket, as DEBUG CLIENT-EVICTION prints it; undefined without a limit. */
  describe(): string | undefined {
    if (this.limitBytes === 0) return undefined
    for (const client of this.server.clients as Iterable<ClientConnection>) this.update(client)
    const lines = this.buckets().map((clients, bucket) => {
      const from = bucket === 0 ? 0 : 2 ** (bucket + BUCKET_MIN_LOG - 1)
      const to = 2 ** (bucket + BUCKET_MIN_LOG) - 1
      const range =
        bucket === BUCKETS - 1
          ? `${`${from}+`.padEnd(23)}`
          : `${String(from).padStart(10)} - ${String(to).padStart(10)}`
      const bytes = clients.reduce((sum, { counted }) => sum + counted.bytes, 0)
      return `bucket ${range}: tot-mem: ${String(bytes).padStart(10)}, clients: ${clients.length}\n`
    })
    return lines.join('')
  }

  /** Clients that may be evicted, by size. */
  private buckets(): ClientConnection[][] {
    const buckets: ClientConnection[][] = Array.from({ length: BUCKETS }, () => [])
    for (const client of this.server.clients as Iterable<ClientConnection>) {
      const { counted, noEvict } = client
      if (counted.kind === 'normal' && !noEvict) buckets[bucketOf(counted.bytes)]?.push(client)
    }
    return buckets
  }
}
