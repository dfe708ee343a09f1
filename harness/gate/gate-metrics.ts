/**
 * What the gate watches: the CPU time that a request costs the server, for commands that take different ways through
 * the engine. CPU time and not requests per second: on a shared machine the driver and the neighbours decide how many
 * requests fit into a second, while the cost of one is the server's own (on a quiet machine the two say the same).
 */
import { defaultLoad, type LoadSpec } from '../load/load-spec.ts'
import { presetCommand } from '../load/presets.ts'
import type { Metric } from './metric.ts'

export interface GateMetricSpec extends Metric {
  /** What the driver does for one sample; target and duration are added. */
  load: Pick<LoadSpec, 'commands' | 'connections' | 'pipeline' | 'keys'>
}

/**
 * Well below the slow-down that the gate is to find (see `judgement.ts`): 5 % when every command feels it, 15 % when
 * one does. A round of one command scatters by 3 to 4 % on a quiet machine, the mean of all by 1 to 2 %.
 */
export const MEAN_THRESHOLD = 0.03
const THRESHOLD = 0.075
const CONNECTIONS = 50
/** Enough to leave the caches of the processor, few enough to be filled in a fraction of a round. */
export const GATE_KEYS = 100_000

function cpuPerRequest(command: string, pipeline: number, title: string): GateMetricSpec {
  const spec = presetCommand(command)
  if (spec === undefined) throw new Error(`the load driver has no command ${command}`)
  return {
    name: `${command}-p${pipeline}`,
    title: `${title}, pipeline ${pipeline}`,
    unit: 'CPU µs/request',
    better: 'less',
    threshold: THRESHOLD,
    load: {
      commands: [spec],
      connections: CONNECTIONS,
      pipeline,
      keys: { ...defaultLoad.keys, count: GATE_KEYS },
    },
  }
}

export const gateMetrics: readonly GateMetricSpec[] = [
  cpuPerRequest('get', 1, 'GET'),
  cpuPerRequest('set', 1, 'SET'),
  cpuPerRequest('get', 16, 'GET'),
  cpuPerRequest('set', 16, 'SET'),
  cpuPerRequest('incr', 16, 'INCR'),
  cpuPerRequest('hset', 16, 'HSET'),
  cpuPerRequest('zadd', 16, 'ZADD'),
  cpuPerRequest('lrange_100', 16, 'LRANGE of 100'),
]
