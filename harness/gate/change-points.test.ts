/** Change points: found where a level changed, not where there is only noise. */
import { expect, test } from 'vitest'
import { freshChange, levelsOf } from './change-points.ts'
import { normalNoise } from './testing/noise.ts'

test('one level where nothing changed, in nearly every history', () => {
  const noise = normalNoise('null')
  let changed = 0
  for (let i = 0; i < 500; i++) {
    if (freshChange(Array.from({ length: 60 }, noise), 5) !== undefined) changed++
  }
  expect(changed).toBeLessThanOrEqual(2)
})

test('a shift of four deviations is found at its place, in both directions', () => {
  const noise = normalNoise('shift')
  for (const shift of [4, -4]) {
    let found = 0
    for (let i = 0; i < 100; i++) {
      const values = Array.from({ length: 60 }, (_, at) => noise() + (at >= 40 ? shift : 0))
      const [first, second] = levelsOf(values)
      if (second !== undefined && Math.abs(second.from - 40) <= 1 && first?.from === 0) found++
    }
    expect(found).toBeGreaterThanOrEqual(95)
  }
})

test('levels cover the history without gaps, and hold its means', () => {
  const noise = normalNoise('cover')
  const values = Array.from({ length: 90 }, (_, at) => noise() * 0.1 + Math.floor(at / 30))
  const levels = levelsOf(values)
  expect(levels.map(({ from, to }) => [from, to])).toEqual([
    [0, 30],
    [30, 60],
    [60, 90],
  ])
  for (const { from, to, mean } of levels) {
    expect(mean).toBeCloseTo(values.slice(from, to).reduce((sum, it) => sum + it, 0) / (to - from), 9)
  }
})

test('one odd night is no new level, and a short or constant history has one', () => {
  const noise = normalNoise('odd')
  const values = Array.from({ length: 40 }, () => noise() * 0.01)
  values[39] = 1
  expect(freshChange(values, 5)).toBeUndefined()
  expect(levelsOf([1, 2, 3])).toHaveLength(1)
  expect(levelsOf(Array(50).fill(3))).toEqual([{ from: 0, to: 50, mean: 3 }])
  expect(levelsOf([])).toEqual([])
})

test('only a young level is news', () => {
  const noise = normalNoise('young')
  const values = Array.from({ length: 60 }, (_, at) => noise() * 0.1 + (at >= 56 ? 1 : 0))
  expect(freshChange(values, 5)?.since).toBe(56)
  expect(freshChange(values, 5)?.by).toBeGreaterThan(0.8)
  expect(freshChange([...values, ...Array.from({ length: 10 }, () => 1 + noise() * 0.1)], 5)).toBeUndefined()
})
