import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomFromText } from '../../engine/data/random.ts'
import { type Arrivals, createArrivals, shareOf } from './arrivals.ts'
import type { ArrivalsSpec } from './load-spec.ts'

const plan = (spec: Exclude<ArrivalsSpec, { kind: 'closed' }>): Arrivals => createArrivals(spec, randomFromText('seed'))
const take = (arrivals: Arrivals, count: number): number[] => Array.from({ length: count }, () => arrivals.next())
const until = (arrivals: Arrivals, endUs: number): number[] => {
  const times: number[] = []
  for (let at = arrivals.next(); at < endUs; at = arrivals.next()) times.push(at)
  return times
}

const anyPlan: fc.Arbitrary<Exclude<ArrivalsSpec, { kind: 'closed' }>> = fc.oneof(
  fc.record({ kind: fc.constantFrom('constant', 'poisson'), ratePerSecond: fc.integer({ min: 1, max: 1e6 }) }),
  fc.record({
    kind: fc.constant('ramp'),
    fromPerSecond: fc.integer({ min: 0, max: 10_000 }),
    toPerSecond: fc.integer({ min: 1, max: 10_000 }),
    overMs: fc.integer({ min: 1, max: 10_000 }),
  }),
  fc.record({
    kind: fc.constant('staircase'),
    ratesPerSecond: fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 5 }),
    stepMs: fc.integer({ min: 1, max: 1000 }),
  }),
  fc.record({
    kind: fc.constant('burst'),
    ratePerSecond: fc.integer({ min: 0, max: 1000 }),
    size: fc.integer({ min: 1, max: 50 }),
    everyMs: fc.integer({ min: 1, max: 1000 }),
  }),
) as never

describe('planned arrivals', () => {
  it('never go back in time, and n threads together make the plan of one', () => {
    fc.assert(
      fc.property(anyPlan, fc.integer({ min: 1, max: 4 }), (spec, threads) => {
        const whole = take(plan(spec), 120)
        for (let i = 1; i < whole.length; i++) expect(whole[i]).toBeGreaterThanOrEqual(whole[i - 1]!)
        const parts = Array.from({ length: threads }, (_, i) => take(shareOf(plan(spec), i, threads), 120 / threads))
        const together = Array.from({ length: Math.floor(120 / threads) * threads }, (_, i) => {
          return parts[i % threads]![Math.floor(i / threads)]
        })
        expect(together).toEqual(whole.slice(0, together.length))
      }),
    )
  })

  it('constant: evenly, without drift', () => {
    expect(take(plan({ kind: 'constant', ratePerSecond: 3 }), 4)).toEqual([0, 1e6 / 3, 2e6 / 3, 1e6])
  })

  it('poisson: exponential gaps', () => {
    const times = take(plan({ kind: 'poisson', ratePerSecond: 1000 }), 50_001)
    const gaps = times.slice(1).map((time, i) => time - times[i]!)
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    expect(mean).toBeGreaterThan(980)
    expect(mean).toBeLessThan(1020)
    // Ten classes of equal probability: chi-square with 9 degrees of freedom is above 42 once in 300,000.
    const classes = new Array<number>(10).fill(0)
    for (const gap of gaps) classes[Math.floor(10 * (1 - Math.exp(-gap / 1000)))]!++
    const statistic = classes.reduce((sum, count) => sum + (count - 5000) ** 2 / 5000, 0)
    expect(statistic).toBeLessThan(42)
  })

  it('ramp: as many as the area under the line, then the last rate', () => {
    const times = until(plan({ kind: 'ramp', fromPerSecond: 100, toPerSecond: 300, overMs: 10_000 }), 20e6)
    const between = (fromS: number, toS: number) => times.filter((at) => at >= fromS * 1e6 && at < toS * 1e6).length
    expect(between(0, 1)).toBe(110)
    expect(between(0, 10)).toBe(2000)
    expect(between(9, 10)).toBe(290)
    expect(between(10, 20)).toBe(3000)
    const down = until(plan({ kind: 'ramp', fromPerSecond: 100, toPerSecond: 0, overMs: 1000 }), 60e6)
    expect(down).toHaveLength(50)
  })

  it('staircase: each rate for its time', () => {
    const times = until(plan({ kind: 'staircase', ratesPerSecond: [10, 100, 20], stepMs: 1000 }), 5e6)
    const perSecond = [0, 1, 2, 3, 4].map((second) => times.filter((at) => Math.floor(at / 1e6) === second).length)
    expect(perSecond).toEqual([10, 100, 20, 20, 20])
  })

  it('burst: all at once, over an even rate', () => {
    const times = until(plan({ kind: 'burst', ratePerSecond: 10, size: 50, everyMs: 500 }), 1e6)
    expect(times.filter((at) => at === 0)).toHaveLength(51)
    expect(times.filter((at) => at === 500_000)).toHaveLength(51)
    expect(times).toHaveLength(110)
  })
})
