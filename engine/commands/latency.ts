/** LATENCY: spikes (`engine/server/latency.ts`) and the distribution of every command's duration. */
import type { Reply } from '../resp/reply.ts'
import type { CommandRecord } from '../server/command-table.ts'
import { drawSamples, type LatencySample } from '../server/latency.ts'
import type { Arguments } from './arguments.ts'
import type { Command, CommandFlag } from './command.ts'
import type { Context } from './context.ts'
import { replyHelp } from './help.ts'

const administration: readonly CommandFlag[] = ['admin', 'noscript', 'loading', 'stale']

function latest({ server, reply }: Context): void {
  const all = server.latency.all()
  reply.array(all.length)
  for (const [event, { samples, maxMs }] of all) {
    const last = samples.at(-1) as LatencySample
    reply.array(4)
    reply.latin1(event)
    reply.integer(last.unixSeconds)
    reply.integer(last.ms)
    reply.integer(maxMs)
  }
}

function history({ server, reply }: Context, args: Arguments): void {
  const samples = server.latency.of(args.latin1(2))?.samples ?? []
  reply.array(samples.length)
  for (const { unixSeconds, ms } of samples) {
    reply.array(2)
    reply.integer(unixSeconds)
    reply.integer(ms)
  }
}

function graph({ server, reply, nowMs }: Context, args: Arguments): void {
  const event = args.latin1(2)
  const series = server.latency.of(event)
  if (series === undefined) {
    reply.error(`ERR No samples available for event '${event}'`)
    return
  }
  const all = series.samples.map(({ ms }) => ms)
  const head = `${event} - high ${Math.max(...all)} ms, low ${Math.min(...all)} ms (all time high ${series.maxMs} ms)`
  const chart = drawSamples(series.samples, Math.floor(nowMs / 1000))
  reply.verbatim('txt', `${head}\n${'-'.repeat(80)}\n${chart}`)
}

function reset({ server, reply }: Context, args: Arguments): void {
  const events = Array.from({ length: args.count - 2 }, (_, i) => args.latin1(i + 2))
  reply.integer(server.latency.reset(events))
}

/** Commands by name, containers by all their subcommands; those that have not run are left out. */
function histogram({ server, reply }: Context, args: Arguments): void {
  const withSubcommands = (record: CommandRecord) => [record, ...(record.subcommands?.values() ?? [])]
  const chosen =
    args.count === 2
      ? server.commands.records.flatMap(withSubcommands)
      : Array.from({ length: args.count - 2 }, (_, i) => args.latin1(i + 2).toLowerCase()).flatMap((name) =>
          server.commands.records
            .flatMap(withSubcommands)
            .filter(({ fullName }) => fullName === name)
            .flatMap(withSubcommands),
        )
  const known = chosen.filter((record) => record.histogram !== undefined)
  reply.map(known.length)
  for (const record of known) replyHistogram(reply, record)
}

function replyHistogram(reply: Reply, { fullName, histogram }: CommandRecord): void {
  const steps = histogram?.cumulative() ?? []
  reply.latin1(fullName)
  reply.map(2)
  reply.latin1('calls')
  reply.integer(histogram?.total ?? 0)
  reply.latin1('histogram_usec')
  reply.map(steps.length)
  for (const [limitUs, count] of steps) {
    reply.integer(limitUs)
    reply.integer(count)
  }
}

function doctor({ server, reply }: Context): void {
  const { values } = server.config
  if (values['latency-monitor-threshold'] === 0) {
    reply.verbatim('txt', monitoringIsOff)
    return
  }
  const all = server.latency.all()
  if (all.length === 0) {
    reply.verbatim('txt', noSpikes)
    return
  }
  const spikes = all.map(([event, { samples, maxMs }], i) => `${i + 1}. ${event}: ${describe(samples, maxMs)}\n`)
  const slowerThanUs = values['slowlog-log-slower-than']
  const advice: string[] = []
  if (slowerThanUs < 0) {
    advice.push(
      `- There are latency issues with potentially slow commands you are using. Try to enable the Slow Log Redis feature using the command 'CONFIG SET slowlog-log-slower-than ${values['latency-monitor-threshold'] * 1000}'. If the Slow log is disabled Redis is not able to log slow commands execution for you.\n`,
    )
  } else if (slowerThanUs / 1000 > values['latency-monitor-threshold']) {
    advice.push(
      `- Your current Slow Log configuration only logs events that are slower than your configured latency monitor threshold. Please use 'CONFIG SET slowlog-log-slower-than ${values['latency-monitor-threshold'] * 1000}'.\n`,
    )
  }
  advice.push(inspectSlowLog, largeObjects)
  reply.verbatim(
    'txt',
    `Dave, I have observed latency spikes in this Redis instance. You don't mind talking about it, do you Dave?\n\n${spikes.join('')}\nI have a few advices for you:\n\n${advice.join('')}`,
  )
}

/** Mean, mean deviation and period of the samples, as Redis computes them (in whole milliseconds). */
function describe(samples: readonly LatencySample[], maxMs: number): string {
  const average = Math.floor(samples.reduce((sum, { ms }) => sum + ms, 0) / samples.length)
  const deviation = Math.floor(samples.reduce((sum, { ms }) => sum + Math.abs(ms - average), 0) / samples.length)
  const seconds = (samples.at(-1)?.unixSeconds ?? 0) - (samples[0]?.unixSeconds ?? 0)
  const period = Math.max(1, seconds) / samples.length
  return `${samples.length} latency spikes (average ${average}ms, mean deviation ${deviation}ms, period ${period.toFixed(2)} sec). Worst all time event ${maxMs}ms.`
}

const monitoringIsOff =
  "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. You may use \"CONFIG SET latency-monitor-threshold <milliseconds>.\" in order to enable it. If we weren't in a deep space mission I'd suggest to take a look at https://redis.io/topics/latency-monitor.\n"
const noSpikes =
  'Dave, no latency spike was observed during the lifetime of this Redis instance, not in the slightest bit. I honestly think you ought to sit down calmly, take a stress pill, and think things over.\n'
const inspectSlowLog =
  '- Check your Slow Log to understand what are the commands you are running which are too slow to execute. Please check https://redis.io/commands/slowlog for more information.\n'
const largeObjects =
  '- Deleting, expiring or evicting (because of maxmemory policy) large objects is a blocking operation. If you have very large objects that are often deleted, expired, or evicted, try to fragment those objects into multiple smaller objects.\n'

const helpLines = [
  'DOCTOR',
  '    Return a human readable latency analysis report.',
  'GRAPH <event>',
  '    Return an ASCII latency graph for the <event> class.',
  'HISTORY <event>',
  '    Return time-latency samples for the <event> class.',
  'LATEST',
  '    Return the latest latency samples for all events.',
  'RESET [<event> ...]',
  '    Reset latency data of one or more <event> classes.',
  '    (default: reset all data for all event classes)',
  'HISTOGRAM [COMMAND ...]',
  '    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.',
  '    If no commands are specified then all histograms are replied.',
]

const special = ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special']
const shared = { flags: administration, categories: [], group: 'server', since: '2.8.13', complexity: 'O(1)' }

export const latencyCommands: readonly Command[] = [
  {
    name: 'latency',
    arity: -2,
    flags: [],
    categories: [],
    group: 'server',
    subcommands: [
      {
        ...shared,
        name: 'latest',
        arity: 2,
        tips: special,
        run: latest,
      },
      {
        ...shared,
        name: 'history',
        arity: 3,
        tips: special,
        run: history,
      },
      {
        ...shared,
        name: 'graph',
        arity: 3,
        tips: special,
        run: graph,
      },
      {
        ...shared,
        name: 'reset',
        arity: -2,
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        run: reset,
      },
      {
        ...shared,
        name: 'doctor',
        arity: 2,
        tips: special,
        run: doctor,
      },
      {
        ...shared,
        name: 'histogram',
        arity: -2,
        tips: special,
        run: histogram,
      },
      {
        ...shared,
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        run: ({ reply }) => replyHelp(reply, 'LATENCY', helpLines),
      },
    ],
  },
]
