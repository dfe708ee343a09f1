import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomFromText } from './random.ts'
import { sample } from './sample.ts'

test('a sample has so many different numbers below the limit', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), fc.string(), (count, more, seed) => {
      const random = randomFromText(seed)
      const chosen = sample(count, count + more, (limit) => random.below(limit))
      expect(new Set(chosen).size).toBe(count)
      for (const number of chosen) expect(number >= 0 && number < count + more).toBe(true)
    }),
  )
})

test('each choice comes as often as another', () => {
  const random = randomFromText('choices')
  const seen = new Map<string, number>()
  for (let i = 0; i < 12_000; i++) {
    const choice = sample(2, 4, (limit) => random.below(limit)).join()
    seen.set(choice, (seen.get(choice) ?? 0) + 1)
  }
  expect(seen.size).toBe(12)
  for (const times of seen.values()) expect(Math.abs(times - 1000)).toBeLessThan(150)
})
