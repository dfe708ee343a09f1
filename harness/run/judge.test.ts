import { expect, test } from 'vitest'
import type { HistoryEvent } from '../history/history.ts'
import { crashEvents, plantedHistory } from '../history/testing/planted.ts'
import {
  count,
  measured,
  product,
  rate,
  type Scenario,
  saturation,
  scaled,
  scenario,
  seconds,
  standalone,
  sum,
  uniqueWrites,
} from '../scenario.ts'
import { brokenComparisons, fillAdvice, judgeArm, runVerdict } from './judge.ts'
import { factsFor } from './run-scenario.ts'
import { curvesOf, sideBySide } from './side-by-side.ts'

const lost = { label: 'lost', unit: 'writes' as const, value: count(0), source: 'test' }

function example(changes: Partial<Scenario> = {}): Scenario {
  return scenario({
    name: 'test/example',
    title: 'Example',
    claim: 'None.',
    topology: standalone({ config: { hz: '10' } }),
    arms: {
      one: { title: 'One', config: {}, parameters: { keys: 10 } },
      two: {
        title: 'Two',
        config: {},
        parameters: { keys: 20 },
        predict: { lostWrites: { ...lost, value: product(rate('all'), seconds(0, 0.5)) } },
      },
    },
    workload: uniqueWrites({ groups: { all: { label: 'all', clients: 1, ratePerSecond: 10 } }, timeoutMs: 100 }),
    timeline: [],
    duration: seconds(3),
    settle: seconds(1),
    predict: { lostWrites: lost },
    compare: [],
    checks: [],
    advice: [],
    ...changes,
  })
}

function judge(definition: Scenario, arm: string, extra: readonly HistoryEvent[] = [], target = 'engine') {
  const history = plantedHistory(
    [{ atMs: 5600 }, { atMs: 6900, lost: true }],
    [...crashEvents('replica-1', 7000), ...extra],
  )
  Object.assign(history.header(), { target })
  return judgeArm(definition, arm, history, { nodes: [], version: '7' }, factsFor(definition, arm, {}))
}

const figure = (name: string, value: number): HistoryEvent => ({
  type: 'figure',
  atMs: 7500,
  node: 'server',
  name,
  value,
})

test('a measure outside its prediction fails the arm; a prediction of the arm wins over that of the scenario', () => {
  expect(judge(example(), 'one')).toMatchObject({ verdict: 'fail', sentence: 'lost: 1 writes, predicted 0 … 0' })
  expect(judge(example(), 'two')).toMatchObject({ verdict: 'pass', settings: { keys: '20' } })
})

test('a prediction that builds on another measure follows it, and fails without it', () => {
  const value = sum(scaled(2, measured('saveMs', 'ms')), seconds(0.01))
  const definition = example({ predict: { stallMs: { label: 'stall', unit: 'ms', value, source: 'test' } } })
  const only = { ...definition, arms: { one: { title: 'One', config: {} } } }
  const told = judge(only, 'one', [figure('saveMs', 100), figure('stallMs', 210)])
  expect(told.predicted.stallMs).toMatchObject({ low: 210, high: 210 })
  expect(told.verdict).toBe('pass')
  expect(judge(only, 'one', [figure('stallMs', 210)]).verdict).toBe('fail')
})

test('a ratio keeps three decimals, outwards', () => {
  const ratio = { label: 'ratio', unit: 'ratio' as const, value: count(0.70001, 1.1), source: 'test' }
  const definition = { ...example({ predict: { ratio } }), arms: { one: { title: 'One', config: {} } } }
  expect(judge(definition, 'one', [figure('ratio', 1)]).predicted.ratio).toMatchObject({ low: 0.7, high: 1.1 })
})

test('a requirement that is not met makes the arm unknown, whatever was measured', () => {
  const because = 'The machine stalled'
  const most = example({ require: [{ measure: 'quietStallMs', atMost: seconds(0.3), because }] })
  expect(judge(most, 'two', [figure('quietStallMs', 300)]).verdict).toBe('pass')
  expect(judge(most, 'two', [figure('quietStallMs', 301)])).toMatchObject({
    verdict: 'unknown',
    sentence: 'The machine stalled: longest operation at other times 301 ms, at most 300 is allowed.',
  })
  expect(judge(most, 'two').verdict).toBe('unknown')
  const least = example({ require: [{ measure: 'cpuShare', atLeast: count(0.9), because }] })
  expect(judge(least, 'two', [figure('cpuShare', 0.89)]).verdict).toBe('unknown')
  expect(judge(least, 'two', [figure('cpuShare', 0.9)]).verdict).toBe('pass')
})

test('where others had the machine, figures say nothing, but that nothing may be lost still holds', () => {
  const stallMs = { label: 'stall', unit: 'ms' as const, value: seconds(0, 0.1), source: 'test' }
  const starved = figure('processorWait', 0.61)
  const slow = [figure('stallMs', 180), starved]
  const timed = example({ predict: { stallMs } })
  const only = { ...timed, arms: { one: { title: 'One', config: {} } } }
  expect(judge(only, 'one', slow)).toMatchObject({
    verdict: 'unknown',
    sentence:
      'Others had the machine: the nodes waited for a processor in 61 % of the time in which they had work. ' +
      'stall: 180 ms, predicted 0 … 100',
  })
  expect(judge(only, 'one', [figure('stallMs', 180), figure('processorWait', 0.2)]).verdict).toBe('fail')
  expect(judge(only, 'one', [starved]).verdict).toBe('fail')
  expect(judge(example(), 'one', [starved]).sentence).toBe('lost: 1 writes, predicted 0 … 0')
})

test('a starved arm is not compared', () => {
  const compare = [{ measure: 'stallMs', arm: 'two', relation: 'less than' as const, than: 'one' }]
  const definition = example({ compare })
  const arms = (...more: HistoryEvent[]) => [
    judge(definition, 'one', [figure('stallMs', 100)]),
    judge(definition, 'two', [figure('stallMs', 200), ...more]),
  ]
  expect(brokenComparisons(definition, arms())).toHaveLength(1)
  expect(brokenComparisons(definition, arms(figure('processorWait', 0.61)))).toEqual([])
})

test('arms are compared with a factor, on each target by itself, and not where a run says nothing', () => {
  const compare = [{ measure: 'stallMs', arm: 'two', relation: 'less than' as const, than: 'one', factor: 0.5 }]
  const definition = example({ compare })
  const arms = (target: string, one: number, two: number) => [
    judge(definition, 'one', [figure('stallMs', one)], target),
    judge(definition, 'two', [figure('stallMs', two)], target),
  ]
  expect(brokenComparisons(definition, arms('engine', 100, 49))).toEqual([])
  expect(brokenComparisons(definition, arms('engine', 100, 51))).toEqual([
    'Expected longest operation while the command acted of two (51) to be less than 0.5 × that of one (100).',
  ])
  expect(brokenComparisons(definition, [...arms('engine', 100, 49), ...arms('redis', 60, 29)])).toEqual([])
  const silent = arms('engine', 100, 51).map((arm) => ({ ...arm, verdict: 'unknown' as const }))
  expect(brokenComparisons(definition, silent)).toEqual([])
  expect(runVerdict(definition, silent)).toMatchObject({ verdict: 'unknown' })
})

test('advice is filled in for each target', () => {
  const definition = example({ advice: ['Lost {two.lostWrites}.', 'Lost {three.lostWrites}.', 'Always the same.'] })
  const arms = [judge(definition, 'two'), judge(definition, 'two', [], 'redis')]
  expect(fillAdvice(definition, arms.slice(0, 1), {})).toEqual(['Lost 1.', 'Always the same.'])
  expect(fillAdvice(definition, arms, {})).toEqual(['engine: Lost 1.', 'redis: Lost 1.', 'Always the same.'])
})

test('side by side the engine gets the ratio to redis-server, which is judged', () => {
  const value = count(0.5, 3)
  const definition = example({ sideBySide: { opsPerSecond: { label: 'ratio', unit: 'ratio', value, source: 'test' } } })
  const both = (ours: number, theirs: number) =>
    sideBySide(
      definition,
      [
        judge(definition, 'two', [figure('opsPerSecond', ours)]),
        judge(definition, 'two', [figure('opsPerSecond', theirs)], 'redis'),
      ],
      {},
    )
  const [good, other] = both(900, 1000)
  expect(good).toMatchObject({ title: 'Two, engine', verdict: 'pass', measured: { opsPerSecondRatio: 0.9 } })
  expect(other).toMatchObject({ title: 'Two, redis-server', verdict: 'pass' })
  expect(other?.predicted.opsPerSecondRatio).toBeUndefined()
  expect(both(400, 1000)[0]).toMatchObject({ verdict: 'fail', sentence: 'ratio: 0.4, predicted 0.5 … 3' })
})

test('side by side, a run to compare with that says nothing makes the ratio say nothing', () => {
  const value = count(0.5, 3)
  const definition = example({ sideBySide: { opsPerSecond: { label: 'ratio', unit: 'ratio', value, source: 'test' } } })
  const ours = judge(definition, 'two', [figure('opsPerSecond', 400)])
  const theirs = judge(definition, 'two', [figure('opsPerSecond', 1000)], 'redis')
  const [arm] = sideBySide(
    definition,
    [ours, { ...theirs, verdict: 'unknown', sentence: 'Others had the machine.' }],
    {},
  )
  expect(arm).toMatchObject({ verdict: 'unknown', sentence: expect.stringContaining('Others had the machine.') })
})

test('a curve has a line for each kind of arm and target, and no point where nothing was measured', () => {
  const curves = [{ title: 'Curve', measure: 'stallMs', over: 'keys', lines: { SAVE: ['one', 'two'] } }]
  const definition = example({ curves })
  const engine = [judge(definition, 'one', [figure('stallMs', 5)]), judge(definition, 'two')]
  expect(curvesOf(definition, engine)).toEqual([
    { title: 'Curve', unit: 'ms', over: 'keys', lines: [{ label: 'SAVE', points: [{ x: 10, y: 5 }] }] },
  ])
  const redis = judge(definition, 'two', [figure('stallMs', 7)], 'redis')
  expect(curvesOf(definition, [...engine, redis])[0]?.lines.map(({ label }) => label)).toEqual([
    'SAVE, engine',
    'SAVE, redis-server',
  ])
})

test('a driver at its limit makes a rate unknown, but not the CPU time of the server', () => {
  const result = {
    verdict: 'unknown',
    reasons: ['The driver was busy.'],
    seconds: [],
    requestsPerSecond: 100,
    counts: { sent: 100, ok: 100, errors: 0, timeouts: 0 },
    raw: { p50Ms: 1, p99Ms: 1, maxMs: 1, curve: [] },
    driver: { loopLagP99Ms: 0, cpu: 1 },
  }
  const load = { type: 'load', atMs: 7500, serverCpuMs: 500, result } as unknown as HistoryEvent
  const workload = (driverMayBeFull: boolean) =>
    saturation({ connections: 1, pipeline: 1, words: ['PING'], keys: 1, valueBytes: 1, driverMayBeFull })
  const predict = {
    perCpuSecond: { label: 'per CPU second', unit: 'ops/s' as const, value: count(200), source: 'test' },
  }
  const arms = { one: { title: 'One', config: {} } }
  const told = (mayBeFull: boolean, more: object = {}) =>
    judge(example({ arms, predict, workload: workload(mayBeFull) }), 'one', [
      { ...load, result: { ...result, ...more } } as unknown as HistoryEvent,
    ])
  expect(told(false)).toMatchObject({ verdict: 'unknown', sentence: 'The driver was busy.' })
  expect(told(true).verdict).toBe('pass')
  expect(told(true, { verdict: 'fail', reasons: ['From 1 s on nothing succeeded.'] }).verdict).toBe('unknown')
})
