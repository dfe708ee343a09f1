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
  rounds: () => number
} {
  const noise = normalNoise('machine')
  let nowMs = 0
  let rounds = 0
  const sampler: Sampler = {
    async round() {
      nowMs += 10_000
      rounds++
      return new Map<string, Round>(
        metrics.map(({ name }) => [name, { engine: Math.exp((spreads[name] ?? 0) * noise()), control: 1 }]),
      )
    },
  }
  return { sampler, now: () => nowMs, rounds: () => rounds }
}

test('rounds go on until the last metric is known well enough', async () => {
  const quiet = machine({ get: 0.001, set: 0.001, zadd: 0.001 })
  const common = { metrics, meanThreshold: null, baseline: new Map(), budgetMs: 3_600_000 }
  expect((await measureRounds(quiet.sampler, { ...common, now: quiet.now })).samples.get('get')).toHaveLength(15)
  const thorough = machine({ get: 0.001, set: 0.001, zadd: 0.001 })
  await measureRounds(thorough.sampler, { ...common, budgetMs: 600_000, isThorough: true, now: thorough.now })
  expect(thorough.rounds()).toBe(60)
  const { sampler, now } = machine({ get: 0.001, set: 0.001, zadd: 0.04 })
  const { samples } = await measureRounds(sampler, { ...common, now })
  expect(samples.get('zadd')?.length).toBeGreaterThan(15)
  expect(samples.get('get')).toHaveLength(samples.get('zadd')?.length ?? 0)
})

test('the mean over the commands is in every round, beside them', async () => {
  const { sampler, now } = machine({ get: 0.1, set: 0.2, zadd: 0.3 })
  const { samples, rounds } = await measureRounds(sampler, {
    metrics,
    meanThreshold: 0.5,
    baseline: new Map(),
    budgetMs: 65_000,
    now,
  })
  const costs = metrics.map(({ name }) => samples.get(name) ?? [])
  const means = costs[0]?.map((_, i) => costs.reduce((sum, one) => sum + (one[i] ?? 0), 0) / costs.length) ?? []
  expect(means).toHaveLength(6)
  for (const [i, mean] of means.entries()) {
    expect(samples.get('all')?.[i]).toBeCloseTo(mean, 10)
    expect(rounds.get('all')?.[i]?.engine).toBeCloseTo(Math.exp(mean), 10)
  }
})

test('a round in which a metric failed does not count', async () => {
  const { sampler, now } = machine({})
  let odd = false
  const failing: Sampler = {
    async round() {
      odd = !odd
      const found = new Map(await sampler.round())
      if (odd) found.delete('set')
      return found
    },
  }
  const { samples } = await measureRounds(failing, {
    metrics,
    meanThreshold: 0.1,
    baseline: new Map(),
    budgetMs: 65_000,
    now,
  })
  expect([...samples.values()].map(({ length }) => length)).toEqual([3, 3, 3, 3])
})

test('no round is begun that would not end within the budget', async () => {
  const { sampler, now, rounds } = machine({ get: 1, set: 1, zadd: 1 })
  await measureRounds(sampler, { metrics, meanThreshold: null, baseline: new Map(), budgetMs: 65_000, now })
  expect(rounds()).toBe(6)
  expect(now()).toBe(60_000)
})

test('an abort ends the rounds with what there is', async () => {
  const { sampler, now } = machine({ get: 1, set: 1, zadd: 1 })
  const abort = new AbortController()
  const { samples } = await measureRounds(sampler, {
    metrics,
    meanThreshold: null,
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
  // A start of the servers is good or bad for all commands alike, and each has its own noise besides.
  const starts = Array.from({ length: 200 }, () => 0.02 * noise())
  const recorded = new Map(metrics.map(({ name }) => [name, starts.map((start) => start + 0.05 * noise())]))
  const settings = {
    metrics: metrics.map((metric) => ({ ...metric, threshold: 0.075 })),
    meanThreshold: 0.025,
    recorded,
    runs: 40,
    budgetMs: 900_000,
    roundMs: 6_000,
    baselineRounds: 200,
    seed: 'test',
  }
  const none = await simulatePower({ ...settings, planted: 0 })
  expect(none.shares.regression + none.shares.improvement).toBe(0)
  const five = await simulatePower({ ...settings, planted: 0.05 })
  expect(five.shares.regression).toBeGreaterThanOrEqual(0.95)
  expect(await simulatePower({ ...settings, planted: 0.05 })).toEqual(five)
  // One command alone has to be three times as slow to be seen as surely.
  const single = await simulatePower({ ...settings, planted: 0.15, affected: ['set'] })
  expect(single.shares.regression).toBeGreaterThanOrEqual(0.95)
})
