/** The sequential rule on a simulated machine, and the power of the whole. */
import { expect, test } from 'vitest'
import type { Metric, Round } from './metric.ts'
import { simulatePower } from './power.ts'
import { measureRounds, type Sampler } from './rounds.ts'
import { normalNoise } from './testing/noise.ts'

const metrics: Metric[] = ['get', 'set', 'zadd'].map((name) => ({
  name,
  title: name,
  unit: 'µs',
  better: 'less',
  threshold: 0.025,
}))

/** A machine whose rounds take 10 s each, with this spread for each metric. */
function machine(spreads: Readonly<Record<string, number>>): {
  sampler: Sampler
  now: () => number
  asked: string[][]
} {
  const noise = normalNoise('machine')
  let nowMs = 0
  const asked: string[][] = []
  const sampler: Sampler = {
    async round(wanted) {
      nowMs += 10_000
      asked.push(wanted.map(({ name }) => name))
      return new Map<string, Round>(
        wanted.map(({ name }) => [name, { engine: Math.exp((spreads[name] ?? 0) * noise()), control: 1 }]),
      )
    },
  }
  return { sampler, now: () => nowMs, asked }
}

test('a metric that is known well enough rests; the others go on', async () => {
  const { sampler, now, asked } = machine({ get: 0.001, set: 0.001, zadd: 0.04 })
  const { samples } = await measureRounds(sampler, { metrics, baseline: new Map(), budgetMs: 3_600_000, now })
  expect(asked[0]).toEqual(['get', 'set', 'zadd'])
  expect(asked.at(-1)).toEqual(['zadd'])
  expect(samples.get('get')?.length).toBe(15)
  expect(samples.get('zadd')?.length).toBeGreaterThan(15)
})

test('no round is begun that would not end within the budget', async () => {
  const { sampler, now, asked } = machine({ get: 1, set: 1, zadd: 1 })
  await measureRounds(sampler, { metrics, baseline: new Map(), budgetMs: 65_000, now })
  expect(asked).toHaveLength(6)
  expect(now()).toBe(60_000)
})

test('an abort ends the rounds with what there is', async () => {
  const { sampler, now } = machine({ get: 1, set: 1, zadd: 1 })
  const abort = new AbortController()
  const { samples } = await measureRounds(sampler, {
    metrics,
    baseline: new Map(),
    budgetMs: 3_600_000,
    now,
    signal: abort.signal,
    onRound: (count) => {
      if (count === 4) abort.abort()
    },
  })
  expect(samples.get('get')).toHaveLength(4)
})

test('runs without a difference pass, a planted 5 % is caught, and the same seed says the same', async () => {
  const noise = normalNoise('recorded')
  const recorded = new Map(metrics.map(({ name }) => [name, Array.from({ length: 200 }, () => 0.03 * noise())]))
  const settings = { metrics, recorded, runs: 40, budgetMs: 900_000, roundMs: 8_000, baselineRounds: 60, seed: 'test' }
  const none = await simulatePower({ ...settings, planted: 0 })
  expect(none.shares.regression + none.shares.improvement).toBe(0)
  const five = await simulatePower({ ...settings, planted: 0.05 })
  expect(five.shares.regression).toBeGreaterThanOrEqual(0.95)
  expect(await simulatePower({ ...settings, planted: 0.05 })).toEqual(five)
})
