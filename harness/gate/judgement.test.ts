/** Verdicts on rounds with known differences. */
import { expect, test } from 'vitest'
import { isPreciseEnough, judge, MINIMUM_ROUNDS, overall } from './judgement.ts'
import { fromLogCost, logCost, type Metric } from './metric.ts'
import { normalNoise } from './testing/noise.ts'

const metric: Metric = { name: 'get-p1', title: 'GET', unit: 'µs', better: 'less', threshold: 0.025 }

function rounds(seed: string, count: number, mean: number, spread = 0.02): number[] {
  const noise = normalNoise(seed)
  return Array.from({ length: count }, () => mean + spread * noise())
}

test('a cost 5 % above the baseline is a regression, 5 % below an improvement, 1 % is nothing', () => {
  const baseline = rounds('baseline', 60, 0.1)
  expect(judge(metric, rounds('now', 60, 0.15), baseline).verdict).toBe('regression')
  expect(judge(metric, rounds('now', 60, 0.05), baseline).verdict).toBe('improvement')
  expect(judge(metric, rounds('now', 60, 0.11), baseline).verdict).toBe('pass')
})

test('what the noise hides is too noisy, not a pass', () => {
  expect(judge(metric, rounds('now', 20, 0.1, 0.2), rounds('baseline', 20, 0.1, 0.2)).verdict).toBe('too noisy')
  expect(judge(metric, [0.1, 0.1], rounds('baseline', 60, 0.1)).verdict).toBe('too noisy')
  expect(judge(metric, rounds('now', 20, 0.1, 0.2), null).verdict).toBe('too noisy')
})

test('without a baseline there is no change, and enough rounds pass', () => {
  const judged = judge(metric, rounds('now', 60, 0.1), null)
  expect(judged.verdict).toBe('pass')
  expect(judged.change).toBeNull()
  expect(judged.interval.low).toBeLessThan(judged.cost)
  expect(judged.interval.high).toBeGreaterThan(judged.cost)
})

test('more is better turns the sign', () => {
  const throughput: Metric = { ...metric, better: 'more' }
  expect(logCost(throughput, { engine: 90, control: 100 })).toBeCloseTo(Math.log(100 / 90), 12)
  expect(logCost(metric, { engine: 90, control: 100 })).toBeCloseTo(Math.log(0.9), 12)
  expect(logCost(metric, { engine: 90, control: null })).toBeCloseTo(Math.log(90), 12)
  expect(fromLogCost(throughput, logCost(throughput, { engine: 90, control: 100 }))).toBeCloseTo(0.9, 12)
})

test('rounds end when the location is known well enough, and never before the least number of them', () => {
  expect(isPreciseEnough(metric, rounds('few', MINIMUM_ROUNDS - 1, 0, 1e-6), null)).toBe(false)
  expect(isPreciseEnough(metric, rounds('enough', MINIMUM_ROUNDS, 0, 1e-6), null)).toBe(true)
  expect(isPreciseEnough(metric, rounds('wide', 30, 0, 0.2), null)).toBe(false)
  // A vague baseline makes any number of rounds vague.
  expect(isPreciseEnough(metric, rounds('many', 5000, 0), rounds('vague', 16, 0, 0.2))).toBe(false)
})

test('a regression counts most, then what could not be told', () => {
  expect(overall(['pass', 'too noisy', 'regression'])).toBe('regression')
  expect(overall(['improvement', 'too noisy', 'pass'])).toBe('too noisy')
  expect(overall(['improvement', 'pass'])).toBe('improvement')
  expect(overall(['pass'])).toBe('pass')
})
