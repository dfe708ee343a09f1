/**
 * MEMORY DOCTOR: what Redis says about the memory of a server, by the same rules (object.c, getMemoryDoctorReport).
 */
import { activeBytes } from './memory-figures.ts'
import type { Server } from './server.ts'

/** Below this much in use there is nothing to say. */
const LITTLE_BYTES = 5 * 1024 * 1024
const MUCH_BYTES = 10 * 1024 * 1024
const CLIENT_BYTES = 200 * 1024
const SCRIPTS = 1000

const sentences = {
  peak: ' * Peak memory: In the past this instance used more than 150% the memory that is currently using. The allocator is normally not able to release memory after a peak, so you can expect to see a big fragmentation ratio, however this is actually harmless and is only due to the memory peak, and if the Redis instance Resident Set Size (RSS) is currently bigger than expected, the memory will be used as soon as you fill the Redis instance with more data. If the memory peak was only occasional and you want to try to reclaim memory, please try the MEMORY PURGE command, otherwise the only other option is to shutdown and restart the instance.',
  fragmentation:
    ' * High total RSS: This instance has a memory fragmentation and RSS overhead greater than 1.4 (this means that the Resident Set Size of the Redis process is much larger than the sum of the logical allocations Redis performed). This problem is usually due either to a large peak memory (check if there is a peak memory entry above in the report) or may result from a workload that causes the allocator to fragment memory a lot. If the problem is a large peak memory, then there is no issue. Otherwise, make sure you are using the Jemalloc allocator and not the default libc malloc. Note: The currently used allocator is "v8".',
  allocatorFragmentation:
    " * High allocator fragmentation: This instance has an allocator external fragmentation greater than 1.1. This problem is usually due either to a large peak memory (check if there is a peak memory entry above in the report) or may result from a workload that causes the allocator to fragment memory a lot. You can try enabling 'activedefrag' config option.",
  allocatorResident:
    ' * High allocator RSS overhead: This instance has an RSS memory overhead is greater than 1.1 (this means that the Resident Set Size of the allocator is much larger than the sum what the allocator actually holds). This problem is usually due to a large peak memory (check if there is a peak memory entry above in the report), you can try the MEMORY PURGE command to reclaim it.',
  processResident:
    ' * High process RSS overhead: This instance has non-allocator RSS memory overhead is greater than 1.1 (this means that the Resident Set Size of the Redis process is much larger than the RSS the allocator holds). This problem may be due to Lua scripts or Modules.',
  replicaBuffers:
    ' * Big replica buffers: The replica output buffers in this instance are greater than 10MB for each replica (on average). This likely means that there is some replica instance that is struggling receiving data, either because it is too slow or because of networking issues. As a result, data piles on the master output buffers. Please try to identify what replica is not receiving data correctly and why. You can use the INFO output in order to check the replicas delays and the CLIENT LIST command to check the output buffers of each replica.',
  clientBuffers:
    ' * Big client buffers: The clients output buffers in this instance are greater than 200K per client (on average). This may result from different causes, like Pub/Sub clients subscribed to channels bot not receiving data fast enough, so that data piles on the Redis instance output buffer, or clients sending commands with large replies or very large sequences of commands in the same pipeline. Please use the CLIENT LIST command in order to investigate the issue if it causes problems in your instance, or to understand better why certain clients are using a big amount of memory.',
  scripts:
    " * Many scripts: There seem to be many cached scripts in this instance (more than 1000). This may be because scripts are generated and `EVAL`ed, instead of being parameterized (with KEYS and ARGV), `SCRIPT LOAD`ed and `EVALSHA`ed. Unless `SCRIPT FLUSH` is called periodically, the scripts' caches may end up consuming most of your memory.",
} as const

const nothingToSee =
  "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be back to our programming as soon as I finished rebooting."
const noIssue =
  "Hi Sam, I can't find any memory issue in your instance. I can only account for what occurs on this base."
const beginning = 'Sam, I detected a few issues in this Redis instance memory implants:'
const farewell = "I'm here to keep you safe, Sam. I want to help you."

export function memoryReport(server: Server): string {
  const used = server.memory.usedBytes
  if (used < LITTLE_BYTES) return `${nothingToSee}\n`
  const found = issues(server, used).map((issue) => `${sentences[issue]}\n\n`)
  if (found.length === 0) return `${noIssue}\n`
  return `${beginning}\n\n${found.join('')}${farewell}\n`
}

function issues(server: Server, used: number): (keyof typeof sentences)[] {
  const { memory, io, replication, clients } = server
  const { residentBytes, usedBytes } = io.host.memory()
  const active = activeBytes(memory, used)
  const resident = Math.max(active, usedBytes)
  const exceeds = (whole: number, part: number, ratio: number): boolean =>
    whole / Math.max(1, part) > ratio && whole - part > MUCH_BYTES
  const replicas = replication.replicas.length
  const others = clients.count - replicas
  const holds: readonly (readonly [keyof typeof sentences, boolean])[] = [
    ['peak', memory.peakBytes / used > 1.5],
    ['fragmentation', exceeds(residentBytes, used, 1.4)],
    ['allocatorFragmentation', exceeds(active, used, 1.1)],
    ['allocatorResident', exceeds(resident, active, 1.1)],
    ['processResident', exceeds(residentBytes, resident, 1.1)],
    ['replicaBuffers', replicas > 0 && memory.clientBytes.replica / replicas > MUCH_BYTES],
    ['clientBuffers', others > 0 && memory.clientBytes.normal / others > CLIENT_BYTES],
    ['scripts', server.scripting.scriptCount > SCRIPTS],
  ]
  return holds.flatMap(([issue, is]) => (is ? [issue] : []))
}
