import { expect, test } from 'vitest'
import { compare, interleaved } from './comparison.ts'

const samples = (name: string, engine: number[], redis: number[]) => ({
  engine: engine.map((value) => ({ [name]: value })),
  redis: redis.map((value) => ({ [name]: value })),
})

test('rounds alternate who goes first, and both run in every one', async () => {
  const order: string[] = []
  const result = await interleaved(3, async (contender, round) => {
    order.push(`${contender} ${round}`)
    return { rate: round }
  })
  expect(order).toEqual(['redis 0', 'engine 0', 'engine 1', 'redis 1', 'redis 2', 'engine 2'])
  expect(result.engine).toEqual([{ rate: 0 }, { rate: 1 }, { rate: 2 }])
})

test('a rate meets its target from the ratio on, a cost up to it', () => {
  const rate = { name: 'rate', unit: 'requests/s', better: 'higher', targetRatio: 0.9 } as const
  expect(compare(rate, samples('rate', [90, 1, 900], [100, 50, 200])).met).toBe(true)
  expect(compare(rate, samples('rate', [89], [100])).met).toBe(false)
  const cost = { name: 'cpu', unit: 'µs', better: 'lower', targetRatio: 1.15 } as const
  expect(compare(cost, samples('cpu', [11.5], [10])).met).toBe(true)
  expect(compare(cost, samples('cpu', [11.6], [10])).met).toBe(false)
})

test('an absolute limit holds whatever the other server does, an allowance is added to the other', () => {
  const longest = { name: 'longest', unit: 'ms', better: 'lower', targetRatio: 1, targetMax: 10 } as const
  expect(compare(longest, samples('longest', [11], [20])).met).toBe(false)
  expect(compare(longest, samples('longest', [9], [20])).met).toBe(true)
  const p99 = { name: 'p99', unit: 'ms', better: 'lower', targetRatio: 1, allowance: 2 } as const
  expect(compare(p99, samples('p99', [2.9], [1])).met).toBe(true)
  expect(compare(p99, samples('p99', [3.1], [1])).met).toBe(false)
})

test('a figure that is missing meets no target', () => {
  const rate = { name: 'rate', unit: 'requests/s', better: 'higher', targetRatio: 0.9 } as const
  expect(compare(rate, samples('other', [1], [1])).met).toBe(false)
})
