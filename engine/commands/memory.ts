/**
 * MEMORY. The figures are this server's own: bytes of the JavaScript heap and the buffers beside it, and the store's
 * count of what keys and values hold. There is no allocator to ask, so `allocator.*` tells the process's.
 */
import { NO_ENTRY } from '../store/keyspace-port.ts'
import type { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { replyHelp } from './help.ts'
import { lookupQuietly } from './quiet-lookup.ts'
import { readInteger } from './reading.ts'

function usage(context: Context, args: Arguments): void {
  const { db, reply } = context
  for (let i = 3; i < args.count; i += 2) {
    if (!args.is(i, 'samples') || i + 1 >= args.count) {
      reply.error(errors.syntax)
      return
    }
    const samples = readInteger(args, i + 1)
    if (samples === undefined || samples < 0) {
      reply.error(samples === undefined ? errors.notInteger : errors.syntax)
      return
    }
  }
  const entry = lookupQuietly(context, 2)
  if (entry === NO_ENTRY) reply.nil()
  else reply.integer(db.memoryUsage(entry))
}

/** What STATS and MALLOC-STATS tell. */
function figures({ server }: Context) {
  const { usedBytes, residentBytes } = server.io.host.memory()
  const datasetBytes = server.databases.reduce((sum, database) => sum + database.memoryBytes, 0)
  const keys = server.databases.reduce((sum, database) => sum + database.size, 0)
  return { usedBytes, residentBytes, datasetBytes, keys, peakBytes: Math.max(server.peakMemoryBytes, usedBytes) }
}

function stats(context: Context): void {
  const { reply, server } = context
  const { usedBytes, residentBytes, datasetBytes, keys, peakBytes } = figures(context)
  const overhead = Math.max(0, usedBytes - datasetBytes)
  const ratio = residentBytes / Math.max(1, usedBytes)
  const whole: readonly (readonly [string, number])[] = [
    ['peak.allocated', peakBytes],
    ['total.allocated', usedBytes],
    ['startup.allocated', 0],
    ['overhead.total', overhead],
    ['keys.count', keys],
    ['keys.bytes-per-key', keys === 0 ? 0 : Math.floor(datasetBytes / keys)],
    ['dataset.bytes', datasetBytes],
    ['allocator.allocated', usedBytes],
    ['allocator.active', usedBytes],
    ['allocator.resident', residentBytes],
    ['fragmentation.bytes', residentBytes - usedBytes],
  ]
  const fractions: readonly (readonly [string, number])[] = [
    ['dataset.percentage', (datasetBytes / Math.max(1, usedBytes)) * 100],
    ['peak.percentage', (usedBytes / Math.max(1, peakBytes)) * 100],
    ['fragmentation', ratio],
  ]
  const filled = server.databases.filter((database) => database.size > 0)
  reply.map(whole.length + fractions.length + filled.length)
  for (const [name, value] of whole) {
    reply.latin1(name)
    reply.integer(value)
  }
  for (const [name, value] of fractions) {
    reply.latin1(name)
    reply.double(value)
  }
  for (const database of filled) {
    reply.latin1(`db.${database.index}`)
    reply.map(1)
    reply.latin1('overhead.hashtable.main')
    reply.integer(database.memoryBytes)
  }
}

/** Below this much data Redis's doctor has nothing to say either. */
const tooLittleBytes = 5 * 1024 * 1024

function doctor(context: Context): void {
  const { reply } = context
  const { usedBytes, datasetBytes, peakBytes } = figures(context)
  if (datasetBytes < tooLittleBytes) reply.verbatim('txt', nothingToSee)
  else if (peakBytes / usedBytes > 1.5) reply.verbatim('txt', `${issues}${peak}${farewell}`)
  else reply.verbatim('txt', noIssue)
}

const nothingToSee =
  "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be back to our programming as soon as I finished rebooting.\n"
const noIssue =
  "Hi Sam, I can't find any memory issue in your instance. I can only account for what occurs on this base.\n"
const issues = 'Sam, I detected a few issues in this Redis instance memory implants:\n\n'
const peak =
  ' * Peak memory: In the past this instance used more than 150% the memory that is currently using. The allocator is normally not able to release memory after a peak, so you can expect to see a big fragmentation ratio, however this is actually harmless and is only due to the memory peak, and if the Redis instance Resident Set Size (RSS) is currently bigger than expected, the memory will be used as soon as you fill the Redis instance with more data.\n\n'
const farewell = "I'm here to keep you safe, Sam. I want to help you.\n"

function mallocStats(context: Context): void {
  const { usedBytes, residentBytes, datasetBytes } = figures(context)
  context.reply.verbatim(
    'txt',
    `JavaScript heap and buffers: ${usedBytes}, keys and values: ${datasetBytes}, resident: ${residentBytes}\n`,
  )
}

const helpLines = [
  'DOCTOR',
  '    Return memory problems reports.',
  'MALLOC-STATS',
  '    Return internal statistics report from the memory allocator.',
  'PURGE',
  '    Attempt to purge dirty pages for reclamation by the allocator.',
  'STATS',
  '    Return information about the memory usage of the server.',
  'USAGE <key> [SAMPLES <count>]',
  '    Return memory in bytes used by <key> and its value. Nested values are',
  '    sampled up to <count> times (default: 5, 0 means sample all).',
]

const shared = { flags: [], categories: [], group: 'server', since: '4.0.0' }
const perShard = ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special']

export const memoryCommands: readonly Command[] = [
  {
    ...shared,
    name: 'memory',
    arity: -2,
    summary: 'A container for memory diagnostics commands',
    complexity: 'Depends on subcommand.',
    subcommands: [
      {
        ...shared,
        name: 'usage',
        arity: -3,
        flags: ['readonly'],
        keySpecs: oneKey('RO').map((spec) => ({ ...spec, begin: { index: 2 } })),
        summary: 'Estimate the memory usage of a key',
        complexity: 'O(N) where N is the number of samples.',
        arguments: [
          { name: 'key', type: 'key', keySpecIndex: 0 },
          { name: 'count', type: 'integer', token: 'SAMPLES', flags: ['optional'] },
        ],
        run: usage,
      },
      {
        ...shared,
        name: 'stats',
        arity: 2,
        summary: 'Show memory usage details',
        complexity: 'O(1)',
        tips: perShard,
        run: stats,
      },
      {
        ...shared,
        name: 'doctor',
        arity: 2,
        summary: 'Outputs memory problems report',
        complexity: 'O(1)',
        tips: perShard,
        run: doctor,
      },
      {
        ...shared,
        name: 'malloc-stats',
        arity: 2,
        summary: 'Show allocator internal stats',
        complexity: 'Depends on how much memory is allocated, could be slow',
        tips: perShard,
        run: mallocStats,
      },
      {
        ...shared,
        name: 'purge',
        arity: 2,
        summary: 'Ask the allocator to release memory',
        complexity: 'Depends on how much memory is allocated, could be slow',
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        // Memory goes back to the system when the collector decides so.
        run: ({ reply }) => reply.ok(),
      },
      {
        ...shared,
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        summary: 'Show helpful text about the different subcommands',
        complexity: 'O(1)',
        run: ({ reply }) => replyHelp(reply, 'MEMORY', helpLines),
      },
    ],
  },
]
