/**
 * Five writes that belong together, sent in four ways over networks of three latencies. What they take is round trips
 * times latency; what tears them apart is whoever is served in between.
 */
import {
  type Arm,
  at,
  between,
  count,
  delay,
  measured,
  named,
  parameter,
  product,
  scaled,
  scenario,
  seconds,
  standalone,
  sum,
  transactions,
} from '../../harness/scenario.ts'

type Mode = Parameters<typeof transactions>[0]

const CLIENTS = 4
const modes: Readonly<Record<Mode, { title: string; roundTrips: number }>> = {
  calls: { title: 'Five calls', roundTrips: 5 },
  pipeline: { title: 'One pipeline', roundTrips: 1 },
  multi: { title: 'MULTI … EXEC in one pipeline', roundTrips: 1 },
  script: { title: 'One EVALSHA', roundTrips: 1 },
}

const latency = named('latency', scaled(0.001, parameter('latencyMs')))
/** On a machine that others use, a process waits for its turn before it answers or passes on. */
const turn = named('turns of the processes', seconds(0, 0.06))
const torn = between(count(1), named('all transactions', measured('acknowledged', '')))
const maybe = between(count(0), named('all transactions', measured('acknowledged', '')))

const interruptions: Readonly<Record<Mode, { value: typeof torn; source: string }>> = {
  calls: { value: torn, source: 'between two calls of one client the server serves the others' },
  pipeline: {
    value: maybe,
    source: 'networking.c: the server runs what one read brought; a pipeline may come in several',
  },
  multi: { value: count(0), source: 'EXEC runs all commands at once' },
  script: { value: count(0), source: 'a script runs alone' },
}

function armOf(mode: Mode, latencyMs: number): [string, Arm] {
  const { title, roundTrips } = modes[mode]
  return [
    `${mode}-${latencyMs}ms`,
    {
      title: `${title}, ${latencyMs} ms`,
      config: {},
      parameters: { latencyMs, roundTrips },
      workload: transactions(mode, CLIENTS),
      ...(latencyMs > 0 && { timeline: [at(seconds(0), delay('server', latencyMs), seconds(1.4))] }),
      predict: {
        interrupted: { label: 'transactions with writes of others in between', unit: 'times', ...interruptions[mode] },
      },
    },
  ]
}

const names = Object.keys(modes) as Mode[]
const LATENCIES_MS = [0, 1, 10]

export default scenario({
  name: 'perf/lua-round-trips',
  title: 'Round trips and atomicity of scripts',
  claim:
    'A script replaces five round trips by one and is atomic; a pipeline saves the round trips too but is not atomic; scripts replace transactions.',
  topology: standalone({ config: { save: '' } }),
  arms: Object.fromEntries(names.flatMap((mode) => LATENCIES_MS.map((latencyMs) => armOf(mode, latencyMs)))),
  workload: transactions('calls', CLIENTS),
  timeline: [],
  duration: seconds(1.3),
  settle: seconds(20),
  predict: {
    transactionMs: {
      label: 'time of a transaction, median',
      unit: 'ms',
      value: product(named('round trips', parameter('roundTrips')), sum(latency, turn)),
      source: 'the latency is paid once for every answer that is waited for',
    },
  },
  // With 10 ms the network is what takes the time; a fifth of five round trips, with room for a busy machine.
  compare: (['pipeline', 'multi', 'script'] as const).map((mode) => ({
    measure: 'transactionMs',
    arm: `${mode}-10ms`,
    relation: 'less than' as const,
    than: 'calls-10ms',
    factor: 0.7,
  })),
  curves: [
    {
      title: 'Median time of five writes by network latency',
      measure: 'transactionMs',
      over: 'latencyMs',
      lines: Object.fromEntries(
        names.map((mode) => [modes[mode].title, LATENCIES_MS.map((latencyMs) => `${mode}-${latencyMs}ms`)]),
      ),
    },
  ],
  checks: [],
  advice: [
    'Over 10 ms of latency five calls took {calls-10ms.transactionMs} ms, a pipeline {pipeline-10ms.transactionMs} ms, MULTI {multi-10ms.transactionMs} ms and a script {script-10ms.transactionMs} ms: whatever saves round trips saves that much.',
    'Writes of others came between those of {calls-1ms.interrupted} of {calls-1ms.acknowledged} transactions as calls, {pipeline-1ms.interrupted} as pipelines, {multi-1ms.interrupted} in MULTI and {script-1ms.interrupted} in scripts: a pipeline is torn less often than calls, which is no promise.',
  ],
})
