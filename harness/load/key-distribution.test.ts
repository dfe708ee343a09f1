import { describe, expect, it } from 'vitest'
import { randomFromText } from '../../engine/data/random.ts'
import { createIdSource, createNumberSource } from './key-distribution.ts'
import type { KeyDistribution } from './load-spec.ts'

const DRAWS = 200_000

function histogramOf(distribution: KeyDistribution, count: number): number[] {
  const source = createIdSource(distribution, count, randomFromText('fixed seed'), { index: 0, of: 1 })
  const counts = new Array<number>(count).fill(0)
  let outside = 0
  for (let i = 0; i < DRAWS; i++) {
    const id = source.next()
    if (Number.isInteger(id) && id >= 0 && id < count) counts[id]!++
    else outside++
  }
  expect(outside).toBe(0)
  return counts
}

/** Pearson's statistic, over its degrees of freedom. With n degrees, above 1 + 5 sqrt(2/n) once in a million. */
function expectFit(counts: readonly number[], probability: (id: number) => number): void {
  const weights = counts.map((_, id) => probability(id))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const statistic = counts.reduce((sum, count, id) => {
    const expected = (DRAWS * weights[id]!) / total
    return sum + (count - expected) ** 2 / expected
  }, 0)
  const degrees = counts.length - 1
  expect(statistic / degrees).toBeLessThan(1 + 5 * Math.sqrt(2 / degrees))
  // Too good a fit would be no chance either.
  expect(statistic / degrees).toBeGreaterThan(1 - 5 * Math.sqrt(2 / degrees))
}

describe('drawing ids', () => {
  it('uniform: every id alike', () => {
    expectFit(histogramOf({ kind: 'uniform' }, 500), () => 1)
  })

  it.each([0.5, 0.99, 1, 1.1, 2])('zipf with exponent %d: proportional to 1 / rank^exponent', (exponent) => {
    expectFit(histogramOf({ kind: 'zipf', exponent }, 100), (id) => (id + 1) ** -exponent)
  })

  it('gaussian: the bell around the middle', () => {
    const counts = histogramOf({ kind: 'gaussian', deviation: 20 }, 100)
    expectFit(counts, (id) => Math.exp(-((id + 0.5 - 50) ** 2) / (2 * 20 ** 2)))
  })

  it('hot: the share that was asked for goes to the first keys, evenly', () => {
    const counts = histogramOf({ kind: 'hot', keys: 0.1, share: 0.9 }, 100)
    expectFit(counts, (id) => (id < 10 ? 0.9 / 10 : 0.1 / 90))
  })

  it('sequential: all clients together pass through every id in turn', () => {
    const sources = [0, 1, 2].map((index) =>
      createIdSource({ kind: 'sequential' }, 9, randomFromText(''), { index, of: 3 }),
    )
    const ids = Array.from({ length: 9 }, (_, i) => sources[i % 3]!.next())
    expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(sources[0]!.next()).toBe(0)
  })

  it('draws the same ids for the same seed', () => {
    expect(histogramOf({ kind: 'zipf', exponent: 1.1 }, 50)).toEqual(histogramOf({ kind: 'zipf', exponent: 1.1 }, 50))
  })
})

describe('drawing numbers', () => {
  it('keeps to the range; a skewed one is mostly small', () => {
    const uniform = createNumberSource({ kind: 'uniform', low: 10, high: 1000 }, randomFromText('u'))
    const skewed = createNumberSource({ kind: 'skewed', low: 10, high: 1000 }, randomFromText('s'))
    const drawn = (source: () => number) => Array.from({ length: 10_000 }, source).sort((a, b) => a - b)
    const [even, small] = [drawn(uniform), drawn(skewed)]
    for (const values of [even, small]) {
      expect(values[0]).toBeGreaterThanOrEqual(10)
      expect(values.at(-1)).toBeLessThanOrEqual(1000)
    }
    expect(even[5000]).toBeGreaterThan(450)
    expect(even[5000]).toBeLessThan(560)
    // The geometric middle of 10 and 1000 is 100.
    expect(small[5000]).toBeGreaterThan(90)
    expect(small[5000]).toBeLessThan(110)
  })
})
