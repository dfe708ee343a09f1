/**
 * What the server's memory is used for, in bytes that it has counted itself: keys and values (arena, tables,
 * aggregates), clients, the replication backlog, and what other parts report. Reading it walks no heap, only the
 * databases' counters and a handful of parts, so that `maxmemory` can be compared with it before each command.
 *
 * JavaScript has no allocator to ask. What the runtime itself needs (code, garbage not collected yet) is not in
 * `used_memory` but in the difference to the resident set, as the overhead of the allocator is in Redis.
 */
import type { Server } from './server.ts'

/** Parts beside keys and clients, under the names of MEMORY STATS. */
export type MemoryPart = 'replication.backlog' | 'cluster.links' | 'aof.buffer' | 'lua.caches' | 'functions.caches'

/** Kinds that client memory is told apart by. */
export type ClientMemoryKind = 'normal' | 'replica' | 'primary'

export class MemoryAccount {
  /** What it holds with no key and no client. */
  readonly startupBytes: number
  peakBytes: number
  /** Counted clients; see `client-memory.ts`. */
  readonly clientBytes: Record<ClientMemoryKind, number> = { normal: 0, replica: 0, primary: 0 }
  private readonly server: Server
  private readonly parts = new Map<MemoryPart, () => number>()

  constructor(server: Server) {
    this.server = server
    this.startupBytes = this.usedBytes
    this.peakBytes = this.startupBytes
  }

  /** From now on `bytes` tells what this part holds. */
  count(part: MemoryPart, bytes: () => number): void {
    this.parts.set(part, bytes)
  }

  partBytes(part: MemoryPart): number {
    return this.parts.get(part)?.() ?? 0
  }

  /** Everything. */
  get usedBytes(): number {
    const { normal, replica, primary } = this.clientBytes
    let bytes = normal + replica + primary
    for (const database of this.server.databases) bytes += database.memoryBytes
    for (const part of this.parts.values()) bytes += part()
    return bytes
  }

  /**
   * What eviction does not count, since removing keys makes it grow: streams to replicas beyond the backlog, and the
   * AOF's buffer.
   */
  get notEvictableBytes(): number {
    return this.partBytes('aof.buffer') + this.server.replication.bytesBeyondBacklog
  }

  get databaseBytes(): number {
    return this.server.databases.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
  }

  /** Tables, not keys: of all databases. */
  get tableBytes(): number {
    return this.server.databases.reduce((sum, { tableBytes, expiryBytes }) => sum + tableBytes + expiryBytes, 0)
  }

  /** All that is not data. */
  get overheadBytes(): number {
    const { normal, replica, primary } = this.clientBytes
    let bytes = this.startupBytes + normal + replica + primary
    for (const part of this.parts.values()) bytes += part()
    const empty = this.server.databases.filter(({ size }) => size === 0)
    return (
      bytes + this.tableBytes - empty.reduce((sum, { tableBytes, expiryBytes }) => sum + tableBytes + expiryBytes, 0)
    )
  }

  /** Bytes taken from the system for keys and values, room that is free at the moment included. */
  get reservedBytes(): number {
    return this.server.databases.reduce((sum, database) => sum + database.reservedBytes, 0)
  }

  notePeak(): void {
    this.peakBytes = Math.max(this.peakBytes, this.usedBytes)
  }
}
