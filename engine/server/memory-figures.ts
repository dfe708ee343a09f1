/** The figures of MEMORY STATS, under Redis 7.0's names and in its order. */
import type { MemoryAccount } from './memory-account.ts'
import type { Server } from './server.ts'

export interface MemoryFigure {
  name: string
  value: number
  /** A ratio or a percentage, not bytes. */
  isFraction: boolean
}

/** Memory taken from the system for what is used, with room that is free at the moment. */
export function activeBytes(memory: MemoryAccount, used: number): number {
  return Math.max(used, used + memory.reservedBytes - memory.databaseBytes)
}

const whole = (name: string, value: number): MemoryFigure => ({ name, value: Math.floor(value), isFraction: false })
const fraction = (name: string, part: number, all: number): MemoryFigure => ({
  name,
  value: part / Math.max(1, all),
  isFraction: true,
})

/** What belongs to each database comes before `overhead.total`. */
export function memoryFigures(server: Server): MemoryFigure[] {
  const { memory } = server
  memory.notePeak()
  const used = memory.usedBytes
  const { startupBytes, peakBytes, overheadBytes, clientBytes } = memory
  const dataset = Math.max(0, used - overheadBytes)
  const keys = server.databases.reduce((sum, { size }) => sum + size, 0)
  return [
    whole('peak.allocated', peakBytes),
    whole('total.allocated', used),
    whole('startup.allocated', startupBytes),
    whole('replication.backlog', memory.partBytes('replication.backlog')),
    whole('clients.slaves', clientBytes.replica),
    whole('clients.normal', clientBytes.normal),
    whole('cluster.links', memory.partBytes('cluster.links')),
    whole('aof.buffer', memory.partBytes('aof.buffer')),
    whole('lua.caches', memory.partBytes('lua.caches')),
    whole('functions.caches', memory.partBytes('functions.caches')),
    whole('overhead.total', overheadBytes),
    whole('keys.count', keys),
    whole('keys.bytes-per-key', keys === 0 ? 0 : (used - startupBytes) / keys),
    whole('dataset.bytes', dataset),
    fraction('dataset.percentage', dataset * 100, used - startupBytes),
    fraction('peak.percentage', used * 100, peakBytes),
    ...allocator(server, used),
  ]
}

function allocator({ memory, io }: Server, used: number): MemoryFigure[] {
  const { residentBytes, usedBytes } = io.host.memory()
  const active = activeBytes(memory, used)
  const resident = Math.max(active, usedBytes)
  return [
    whole('allocator.allocated', used),
    whole('allocator.active', active),
    whole('allocator.resident', resident),
    fraction('allocator-fragmentation.ratio', active, used),
    whole('allocator-fragmentation.bytes', active - used),
    fraction('allocator-rss.ratio', resident, active),
    whole('allocator-rss.bytes', resident - active),
    fraction('rss-overhead.ratio', residentBytes, resident),
    whole('rss-overhead.bytes', residentBytes - resident),
    fraction('fragmentation', residentBytes, used),
    whole('fragmentation.bytes', residentBytes - used),
  ]
}
