/** The search over targets whose behaviour is a formula: it finds their limit, and doubts what the driver spoiled. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LoadResult, LoadVerdict } from '../../reports/load-result.ts'
import { findMax } from './find-max.ts'
import { LatencyCounts } from './latency-counts.ts'
import { defaultLoad, type LoadSpec } from './load-spec.ts'
import { missed, parseObjective } from './objective.ts'
import { summarize } from './summary.ts'
import { Tally } from './tally.ts'

const spec: LoadSpec = { ...defaultLoad, target: { kind: 'server', host: 'h', port: 1 } }

/** A result with this rate and latency (ms) for every operation. */
function result(ratePerSecond: number, latencyMs: number, verdict: LoadVerdict = 'pass'): LoadResult {
  const tally = new Tally(2, true)
  tally.start(0)
  for (let i = 0; i < 100; i++) {
    tally.began(0, 0, 0)
    tally.succeeded(0, 0, 0, 0, latencyMs * 1000, 1, 0)
  }
  const facts = { startedAt: '', elapsedMs: 0, measuredMs: 1000, cpu: 0, interrupted: false }
  const open = { ...spec, arrivals: { kind: 'constant', ratePerSecond } as const }
  const made = summarize([{ tally, received: [], busy: null }], { spec: open, ...facts })
  return {
    ...made,
    requestsPerSecond: ratePerSecond,
    verdict,
    reasons: verdict === 'pass' ? [] : ['the driver was late'],
  }
}

function search(objective: string, run: (rate: number, probe: number) => LoadResult) {
  let probe = 0
  return findMax(spec, {
    objective: parseObjective(objective),
    objectiveText: objective,
    firstPerSecond: 1000,
    probeMs: 10,
    signal: new AbortController().signal,
    run: async ({ arrivals }) => run((arrivals as { ratePerSecond: number }).ratePerSecond, probe++),
    onPoint: () => {},
  })
}

describe('searching the highest rate that meets an objective', () => {
  it('finds the limit of a target to 5 percent, wherever it lies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 50, max: 1_000_000 }), async (limit) => {
        const { bestPerSecond, verdict } = await search('p99=5ms', (rate) => result(rate, rate <= limit ? 1 : 50))
        expect(verdict).toBe('pass')
        expect(bestPerSecond).toBeLessThanOrEqual(limit)
        expect(bestPerSecond).toBeGreaterThan(limit / 1.06 - 1)
      }),
      { numRuns: 20 },
    )
  })

  it('measures a miss again before it counts', async () => {
    const { bestPerSecond } = await search('p99=5ms', (rate, probe) =>
      result(rate, probe % 2 === 1 || rate > 64_000 ? 50 : 1),
    )
    expect(bestPerSecond).toBeGreaterThan(30_000)
  })

  it('a target that does not keep up misses the objective, however short its latency', async () => {
    const { bestPerSecond } = await search('p99=5ms', (rate) => ({
      ...result(rate, 1),
      requestsPerSecond: Math.min(rate, 5000),
    }))
    expect(bestPerSecond).toBeLessThan(5200)
    expect(bestPerSecond).toBeGreaterThan(4700)
  })

  it('says unknown where the driver is what could not go on', async () => {
    const found = await search('p99=5ms', (rate) =>
      result(rate, rate > 20_000 ? 50 : 1, rate > 20_000 ? 'unknown' : 'pass'),
    )
    expect(found.verdict).toBe('unknown')
    expect(found.bestPerSecond).toBe(16_000)
    expect(found.reasons[0]).toContain('the driver was late')
  })

  it('fails where no rate meets it', async () => {
    const found = await search('p99=5ms', (rate) => result(rate, 50))
    expect([found.verdict, found.bestPerSecond]).toEqual(['fail', 0])
  })
})

describe('an objective', () => {
  it('is read in every unit, and names what was missed', () => {
    const objective = parseObjective('p99=500us,max<=1s,errors=1%')
    expect(objective.latencies.map(({ mostMs }) => mostMs)).toEqual([0.5, 1000])
    expect(missed(objective, result(1, 0.4))).toEqual([])
    expect(missed(objective, result(1, 0.6))).toEqual(['p99 was 0.6 ms, above 0.5 ms.'])
    const failing = { ...result(1, 0.4), counts: { sent: 100, ok: 98, errors: 1, timeouts: 1 } }
    expect(missed(objective, failing)).toEqual(['2.00 % of operations failed, above 1.00 %.'])
  })

  it.each(['p98=1ms', 'p99', 'p99=fast', 'p99=5%', ''])("refuses '%s' and says how to write one", (text) => {
    expect(() => parseObjective(text)).toThrow('--slo takes limits such as p99=5ms')
  })
})

describe('a generator that is the limit itself', () => {
  const verdictOf = (
    part: Partial<LoadSpec>,
    busy: number | null,
    lateUs: number,
    latencyUs: number,
    elapsedMs = 1000,
  ) => {
    const tally = new Tally(2, part.arrivals?.kind === 'constant')
    tally.start(0)
    tally.began(0, 0, 0)
    tally.succeeded(0, 0, 0, 0, latencyUs, 1, 0)
    tally.late.record(lateUs)
    const facts = { startedAt: '', elapsedMs, measuredMs: 1000, cpu: 1, interrupted: false }
    return summarize([{ tally, received: [], busy }], { spec: { ...spec, ...part }, ...facts })
  }
  const open = { arrivals: { kind: 'constant', ratePerSecond: 1 } } as const

  it('makes the result unknown, with the reason: a closed loop by its event loop, an open one by its lateness', () => {
    expect(verdictOf({}, 0.99, 0, 1000).reasons[0]).toContain('busy for 99 % of the time')
    expect(verdictOf({}, 0.99, 0, 1000, 20).reasons[0]).toContain('over after 20 ms')
    expect(verdictOf({}, 0.9, 0, 1000).verdict).toBe('pass')
    expect(verdictOf(open, null, 5000, 8000).reasons[0]).toContain('late by itself')
    // Late, but not what the latency is made of.
    expect(verdictOf(open, null, 5000, 900_000).verdict).toBe('pass')
    expect(verdictOf(open, null, 100, 200).verdict).toBe('pass')
  })

  it('nothing sent is nothing known', () => {
    const facts = { startedAt: '', elapsedMs: 0, measuredMs: 0, cpu: 0, interrupted: false }
    const empty = { tally: { ...new Tally(2, false), late: new LatencyCounts() }, received: [], busy: null }
    expect(summarize([empty], { spec, ...facts }).reasons).toEqual(['No operation was sent while measuring.'])
  })
})
