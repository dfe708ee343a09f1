/**
 * How many requests one thread serves, by command, pipeline depth and number of connections; engine and redis-server in
 * turn. What a run reaches depends on the machine and on who else uses it, so what is predicted is the work done in a
 * second of the server's own CPU time; the rate by the clock stands beside it with the figure of 100,000.
 */
import { type Arm, between, command, count, saturation, scenario, seconds, standalone } from '../../harness/scenario.ts'

const KEYS = 10_000

interface Request {
  words: readonly string[]
  /** What it works on must be there. */
  filledBy?: string
  /** Elements that one request touches: each costs about a tenth of a request of its own. */
  elements?: number
}

const requests: Readonly<Record<string, Request>> = {
  GET: {
    words: ['GET', '__key__'],
    filledBy: `for i = 0, ${KEYS - 1} do redis.call('SET', string.format('data:%012d', i), 'xxx') end`,
  },
  SET: { words: ['SET', '__key__', '__data__'] },
  INCR: { words: ['INCR', 'data:counter:__id__'] },
  LPUSH: { words: ['LPUSH', 'data:list', '__data__'] },
  HSET: { words: ['HSET', 'data:hash', 'field:__id__', '__data__'] },
  SADD: { words: ['SADD', 'data:set', 'element:__id__'] },
  ZADD: { words: ['ZADD', 'data:sorted', '__id__', 'element:__again__'] },
  LRANGE: {
    words: ['LRANGE', 'data:list', '0', '99'],
    filledBy: `for i = 1, 1000 do redis.call('RPUSH', 'data:list', 'xxx') end`,
    elements: 100,
  },
  MSET: { words: ['MSET', ...Array.from({ length: 10 }, () => ['__key__', '__data__']).flat()], elements: 10 },
}

const FIGURE = 100_000

/**
 * "About 100,000" on machines that differ by a factor of two; requests of many elements are so much rarer. The upper
 * end says that something was counted wrongly.
 */
function served(name: string, { elements = 0 }: Request, pipeline: number) {
  return {
    perCpuSecond: {
      label: "requests per second of the server's CPU time",
      unit: 'ops/s' as const,
      value: between(count(Math.floor(FIGURE / 2 / (1 + elements / 10))), count(pipeline > 1 ? 3_000_000 : 600_000)),
      source: elements === 0 ? 'redis-benchmark' : `redis-benchmark; ${name} touches ${elements} elements a request`,
    },
  }
}

function armsOf(name: string): [string, Arm][] {
  const request = requests[name] as Request
  return [1, 16].flatMap((pipeline) =>
    [1, 50, 500].map((connections): [string, Arm] => [
      `${name.toLowerCase()}-p${pipeline}-c${connections}`,
      {
        title: `${name} P${pipeline} × ${connections}`,
        config: {},
        parameters: { pipeline, connections },
        ...(connections !== 50 && { optional: true }),
        workload: saturation({
          connections,
          pipeline,
          words: request.words,
          keys: KEYS,
          valueBytes: 3,
          warmupRequests: 40_000,
          driverMayBeFull: true,
        }),
        ...(request.filledBy !== undefined && { before: [command('server', ['EVAL', request.filledBy, '0'])] }),
        // A single connection without a pipeline waits for the network most of the time: no figure is claimed for it.
        ...(connections * pipeline > 1 && { predict: served(name, request, pipeline) }),
      },
    ]),
  )
}

const names = Object.keys(requests)
const linesFor = (pipeline: number) =>
  Object.fromEntries(names.map((name) => [name, [1, 50, 500].map((n) => `${name.toLowerCase()}-p${pipeline}-c${n}`)]))

export default scenario({
  name: 'perf/qps',
  title: 'Requests per second',
  claim: 'One thread with I/O multiplexing serves about 100,000 requests a second.',
  worlds: ['real'],
  target: 'both',
  topology: standalone({ config: { save: '' } }),
  arms: Object.fromEntries(names.flatMap(armsOf)),
  workload: saturation({ connections: 50, pipeline: 1, words: ['PING'], keys: KEYS, valueBytes: 3 }),
  timeline: [],
  duration: seconds(1.5),
  settle: seconds(20),
  predict: {},
  require: [
    {
      measure: 'serverCpuMs',
      atLeast: seconds(0.25),
      because: 'Other programs had the machine',
    },
  ],
  goal: {
    label: 'about 100,000 requests a second',
    measure: 'opsPerSecond',
    capacity: 'perCpuSecond',
    atLeast: FIGURE,
  },
  sideBySide: {
    perCpuSecond: {
      label: "our engine's requests per second of CPU time over redis-server's",
      unit: 'ratio',
      value: between(count(0.25), count(8)),
      source:
        'the aim is at least 1; the CPU time of the engine includes compiling its own code, most of it in the first seconds',
    },
  },
  curves: [1, 16].map((pipeline) => ({
    title: `Requests per second of CPU time by number of connections, pipeline ${pipeline}`,
    measure: 'perCpuSecond',
    over: 'connections',
    lines: linesFor(pipeline),
  })),
  compare: names.map((name) => ({
    measure: 'perCpuSecond',
    arm: `${name.toLowerCase()}-p16-c50`,
    relation: 'not less than' as const,
    than: `${name.toLowerCase()}-p1-c50`,
    // Where the command itself is what costs, a pipeline saves little.
    tolerance: 0.4,
  })),
  checks: [],
  advice: [
    'GET over 50 connections: {get-p1-c50.opsPerSecond} requests a second by the clock, {get-p1-c50.perCpuSecond} per second of CPU time; with a pipeline of 16: {get-p16-c50.opsPerSecond} and {get-p16-c50.perCpuSecond}. Pipelines save system calls, which are most of the cost of a small request.',
    'The figure is one of small requests: LRANGE of 100 elements reached {lrange-p1-c50.perCpuSecond} requests per second of CPU time, MSET of ten keys {mset-p1-c50.perCpuSecond}.',
  ],
})
