/**
 * INFO memory under Redis 7.0's names and in its order. `memory-account.ts` says what is counted; what belongs to an
 * allocator is told of the memory that keys and values were given (`allocator_active`, with room that is free at the
 * moment).
 */
import { humanBytes } from './info-fields.ts'
import { activeBytes } from './memory-figures.ts'
import type { RunningServer } from './running-server.ts'

type Field = readonly [name: string, value: string | number]

const sized = (name: string, bytes: number): Field[] => [
  [name, bytes],
  [`${name}_human`, humanBytes(bytes)],
]

const ratio = (part: number, whole: number): number => part / Math.max(1, whole)

export function memoryFields(server: RunningServer): Field[] {
  const { memory } = server
  memory.notePeak()
  const { residentBytes } = server.io.host.memory()
  const used = memory.usedBytes
  const overhead = memory.overheadBytes
  const { startupBytes, peakBytes } = memory
  const dataset = Math.max(0, used - overhead)
  return [
    ...sized('used_memory', used),
    ...sized('used_memory_rss', residentBytes),
    ...sized('used_memory_peak', peakBytes),
    ['used_memory_peak_perc', `${(ratio(used, peakBytes) * 100).toFixed(2)}%`],
    ['used_memory_overhead', overhead],
    ['used_memory_startup', startupBytes],
    ['used_memory_dataset', dataset],
    ['used_memory_dataset_perc', `${(ratio(dataset, used - startupBytes) * 100).toFixed(2)}%`],
    ...allocatorFields(server, used),
    ...scriptFields(server),
    ...limitFields(server),
    ...fragmentationFields(server, used, residentBytes),
    ...partFields(server),
  ]
}

function allocatorFields({ memory, io }: RunningServer, used: number): Field[] {
  const active = activeBytes(memory, used)
  return [
    ['allocator_allocated', used],
    ['allocator_active', active],
    ['allocator_resident', Math.max(active, io.host.memory().usedBytes)],
    ...sized('total_system_memory', io.host.memory().systemBytes),
  ]
}

/** Lua machines are not part of `used_memory`, as in Redis. */
function scriptFields({ scripting, functions }: RunningServer): Field[] {
  const { machineBytes, cacheBytes, scriptCount } = scripting
  return [
    ['used_memory_lua', machineBytes],
    ['used_memory_vm_eval', machineBytes],
    ['used_memory_lua_human', humanBytes(machineBytes)],
    ['used_memory_scripts_eval', cacheBytes],
    ['number_of_cached_scripts', scriptCount],
    ['number_of_functions', functions.functionCount],
    ['number_of_libraries', functions.libraries.size],
    ['used_memory_vm_functions', functions.machineBytes],
    ...sized('used_memory_vm_total', machineBytes + functions.machineBytes),
    ['used_memory_functions', functions.cacheBytes],
    ...sized('used_memory_scripts', cacheBytes + functions.cacheBytes),
  ]
}

function limitFields({ config }: RunningServer): Field[] {
  const { maxmemory, 'maxmemory-policy': policy } = config.values
  return [
    ['maxmemory', config.textOf('maxmemory')],
    ['maxmemory_human', humanBytes(maxmemory)],
    ['maxmemory_policy', policy],
  ]
}

function fragmentationFields({ memory, io }: RunningServer, used: number, residentBytes: number): Field[] {
  const active = activeBytes(memory, used)
  const resident = Math.max(active, io.host.memory().usedBytes)
  return [
    ['allocator_frag_ratio', ratio(active, used).toFixed(2)],
    ['allocator_frag_bytes', active - used],
    ['allocator_rss_ratio', ratio(resident, active).toFixed(2)],
    ['allocator_rss_bytes', resident - active],
    ['rss_overhead_ratio', ratio(residentBytes, resident).toFixed(2)],
    ['rss_overhead_bytes', residentBytes - resident],
    ['mem_fragmentation_ratio', ratio(residentBytes, used).toFixed(2)],
    ['mem_fragmentation_bytes', residentBytes - used],
  ]
}

function partFields({ memory, stats }: RunningServer): Field[] {
  const backlog = memory.partBytes('replication.backlog')
  return [
    ['mem_not_counted_for_evict', memory.notEvictableBytes],
    ['mem_replication_backlog', backlog],
    ['mem_total_replication_buffers', backlog],
    ['mem_clients_slaves', memory.clientBytes.replica],
    ['mem_clients_normal', memory.clientBytes.normal],
    ['mem_cluster_links', memory.partBytes('cluster.links')],
    ['mem_aof_buffer', memory.partBytes('aof.buffer')],
    ['mem_allocator', 'v8'],
    ['active_defrag_running', 0],
    ['lazyfree_pending_objects', 0],
    ['lazyfreed_objects', stats.lazilyFreedObjects],
  ]
}
