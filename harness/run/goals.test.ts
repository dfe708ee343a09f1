import { expect, test } from 'vitest'
import type { ArmResult } from '../../reports/result.ts'
import { goalsOf } from './goals.ts'

const goal = { label: 'about 100,000', measure: 'opsPerSecond', capacity: 'perCpuSecond', atLeast: 100_000 }

function arm(target: string, opsPerSecond: number, perCpuSecond: number, verdict: ArmResult['verdict'] = 'pass') {
  const measured = { acknowledged: 1, refused: 0, unknown: 0, opsPerSecond, perCpuSecond }
  return { name: 'get', target, measured, verdict, sentence: 'The driver was busy.' }
}

const verdicts = (...arms: ReturnType<typeof arm>[]): string[] => goalsOf(goal, arms).map(({ verdict }) => verdict)

test('a rate at the figure reaches it, one below does not when the server itself is too slow', () => {
  expect(verdicts(arm('engine', 100_000, 100_000))).toEqual(['pass'])
  expect(verdicts(arm('engine', 99_999, 99_999))).toEqual(['fail'])
})

test('a server that lacked CPU time has missed nothing', () => {
  const [found] = goalsOf(goal, [arm('engine', 50_000, 200_000)])
  expect(found).toMatchObject({ verdict: 'unknown', sentence: 'Within reach: the server had 25 % of one CPU.' })
})

test('where redis-server falls short too it is the request or the machine, where it does not it is the engine', () => {
  expect(verdicts(arm('engine', 60_000, 60_000), arm('redis', 70_000, 70_000))).toEqual(['unknown', 'unknown'])
  expect(verdicts(arm('engine', 60_000, 60_000), arm('redis', 140_000, 140_000))).toEqual(['fail', 'pass'])
})

test('a saturated generator never reaches anything', () => {
  const [found] = goalsOf(goal, [arm('engine', 150_000, 150_000, 'unknown')])
  expect(found).toMatchObject({ verdict: 'unknown', sentence: 'The driver was busy.' })
})

test('an arm that measured no rate has no goal', () => {
  expect(goalsOf(goal, [{ ...arm('engine', 1, 1), measured: { acknowledged: 0, refused: 1, unknown: 0 } }])).toEqual([])
})
