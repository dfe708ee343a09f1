/** MEMORY. What is counted, and how, is in `engine/server/memory-account.ts`. */
import type { Reply } from '../resp/reply.ts'
import { memoryFigures } from '../server/memory-figures.ts'
import { memoryReport } from '../server/memory-report.ts'
import { type KeyspacePort, NO_ENTRY } from '../store/keyspace-port.ts'
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

function stats({ reply, server }: Context): void {
  const filled = server.databases.filter((database) => database.size > 0)
  const figures = memoryFigures(server)
  reply.map(figures.length + filled.length)
  for (const { name, value, isFraction } of figures) {
    if (name === 'overhead.total') for (const database of filled) databaseStats(reply, database)
    reply.latin1(name)
    if (isFraction) reply.double(value)
    else reply.integer(value)
  }
}

function databaseStats(reply: Reply, { index, tableBytes, expiryBytes }: KeyspacePort): void {
  reply.latin1(`db.${index}`)
  reply.map(3)
  reply.latin1('overhead.hashtable.main')
  reply.integer(tableBytes)
  reply.latin1('overhead.hashtable.expires')
  reply.integer(expiryBytes)
  // Part of the table here.
  reply.latin1('overhead.hashtable.slot-to-keys')
  reply.integer(0)
}

function doctor({ reply, server }: Context): void {
  reply.verbatim('txt', memoryReport(server))
}

function mallocStats({ reply, server }: Context): void {
  const { memory, io } = server
  const { usedBytes, residentBytes } = io.host.memory()
  reply.verbatim(
    'txt',
    `JavaScript heap and buffers: ${usedBytes}, keys and values: ${memory.databaseBytes} in ${memory.reservedBytes}, resident: ${residentBytes}\n`,
  )
}

const PURGE_STEPS_MAX = 10_000

/** Moves what is left of half-empty memory together, so that the rest can be given back. */
function purge({ reply, server }: Context): void {
  for (const database of server.databases) {
    for (let steps = 0; steps < PURGE_STEPS_MAX && database.maintain(); steps++);
  }
  reply.ok()
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
    subcommands: [
      {
        ...shared,
        name: 'usage',
        arity: -3,
        flags: ['readonly'],
        keySpecs: oneKey('RO').map((spec) => ({ ...spec, begin: { index: 2 } })),
        run: usage,
      },
      {
        ...shared,
        name: 'stats',
        arity: 2,
        tips: perShard,
        run: stats,
      },
      {
        ...shared,
        name: 'doctor',
        arity: 2,
        tips: perShard,
        run: doctor,
      },
      {
        ...shared,
        name: 'malloc-stats',
        arity: 2,
        tips: perShard,
        run: mallocStats,
      },
      {
        ...shared,
        name: 'purge',
        arity: 2,
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        run: purge,
      },
      {
        ...shared,
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        run: ({ reply }) => replyHelp(reply, 'MEMORY', helpLines),
      },
    ],
  },
]
