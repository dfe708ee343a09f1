/** The statistics of the gate against values of tables and against their own promises. */

import { expect, test } from 'vitest'
import { randomFromText } from '../../engine/data/random.ts'
import { median } from '../quantile.ts'
import { bootstrapInterval, normalQuantile, studentQuantile, trimmedError, trimmedMean } from './statistics.ts'
import { normalNoise } from './testing/noise.ts'

test('the trimmed mean is the mean of the middle 60 %', () => {
  expect(trimmedMean(Float64Array.from([1, 2, 3, 4, 1000]))).toBe(3)
  expect(trimmedMean(Float64Array.from([5]))).toBe(5)
})

test.each([
  // Tables of the normal and of Student's distribution.
  [normalQuantile(0.975), 1.95996],
  [normalQuantile(0.9995), 3.29053],
  [studentQuantile(0.975, 10), 2.22814],
  [studentQuantile(0.9995, 11), 4.437],
  [studentQuantile(0.9995, 30), 3.646],
])('a quantile is %f, in the table %f', (own, table) => {
  expect(Math.abs(own / table - 1)).toBeLessThan(0.005)
})

test('the standard error of the trimmed mean is the spread that repeated samples have', () => {
  const noise = normalNoise('error')
  const means = []
  const errors = []
  for (let i = 0; i < 600; i++) {
    const sample = Array.from({ length: 25 }, noise)
    means.push(trimmedMean(Float64Array.from(sample)))
    errors.push(trimmedError(sample))
  }
  const spread = Math.sqrt(means.reduce((sum, it) => sum + it * it, 0) / means.length)
  expect(median(errors) / spread).toBeGreaterThan(0.9)
  expect(median(errors) / spread).toBeLessThan(1.1)
  expect(trimmedError([1])).toBe(Number.POSITIVE_INFINITY)
})

test('a bootstrap interval of 95 % holds the true value in about 95 % of all samples', () => {
  const noise = normalNoise('interval')
  const random = randomFromText('bootstrap')
  let held = 0
  const RUNS = 400
  for (let i = 0; i < RUNS; i++) {
    const sample = Array.from({ length: 20 }, noise)
    const { low, high } = bootstrapInterval([sample], ([it]) => trimmedMean(it as Float64Array), {
      confidence: 0.95,
      random,
    })
    if (low <= 0 && high >= 0) held++
  }
  expect(held / RUNS).toBeGreaterThan(0.92)
  expect(held / RUNS).toBeLessThan(0.985)
})

test('too few values for a spread give an interval without ends', () => {
  const interval = bootstrapInterval([[1]], ([it]) => trimmedMean(it as Float64Array), {
    confidence: 0.95,
    random: randomFromText('few'),
  })
  expect(interval).toEqual({ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY })
})
