import { expect, test } from 'vitest'
import { median, nearestRank } from './quantile.ts'

test('the median is the middle one, or the mean of the two in the middle; there is none of nothing', () => {
  expect(median([5, 1, 100])).toBe(5)
  expect(median([4, 1, 2, 100])).toBe(3)
  expect(median([7])).toBe(7)
  expect(() => median([])).toThrow(RangeError)
})

test('a median of what lacks a figure is none', () => {
  expect(median([Number.NaN])).toBeNaN()
  expect(median([1, Number.NaN])).toBeNaN()
})

test('the nearest rank is one of the values', () => {
  const sorted = [1, 2, 3, 4]
  expect([0, 0.25, 0.5, 0.51, 0.99, 1].map((share) => nearestRank(sorted, share))).toEqual([1, 1, 2, 3, 4, 4])
  expect(nearestRank([], 0.5)).toBeUndefined()
})
