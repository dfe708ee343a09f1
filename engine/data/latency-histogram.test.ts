import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LatencyHistogram } from './latency-histogram.ts'

const durations = fc.array(fc.double({ min: 0.001, max: 900_000, noNaN: true }), { minLength: 1, maxLength: 200 })

test('percentiles are within 1 % of the exact ones', () => {
  fc.assert(
    fc.property(durations, fc.double({ min: 0, max: 100, noNaN: true }), (values, percentile) => {
      const histogram = new LatencyHistogram()
      for (const value of values) histogram.record(value)
      const rank = Math.max(1, Math.floor((percentile / 100) * values.length + 0.5))
      const exact = values.sort((a, b) => a - b)[rank - 1] as number
      const estimate = histogram.percentileUs(percentile)
      expect(Math.abs(estimate - exact)).toBeLessThanOrEqual(exact * 0.01 + 0.001)
    }),
  )
})

test('cumulative counts grow to the total, at the limits that Redis prints', () => {
  const limits = [
    1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227, 8454, 16908, 33816, 67633, 135266, 270532, 541065, 1082130,
  ]
  fc.assert(
    fc.property(durations, (values) => {
      const histogram = new LatencyHistogram()
      for (const value of values) histogram.record(value)
      const steps = histogram.cumulative()
      expect(steps.at(-1)?.[1]).toBe(values.length)
      for (const [limit, count] of steps) {
        expect(limits).toContain(limit)
        expect(values.filter((value) => value <= limit * 0.98).length).toBeLessThanOrEqual(count)
        expect(values.filter((value) => value <= limit * 1.03 + 1).length).toBeGreaterThanOrEqual(count)
      }
    }),
  )
})
