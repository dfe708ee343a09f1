/**
 * The driver in virtual time: what it offers, what it counts, and what a stall, a crash or an interruption does to it.
 */
import { describe, expect, it } from 'vitest'
import { type Io, IoError } from '../../engine/io.ts'
import type { LoadCounts, LoadResult } from '../../reports/load-result.ts'
import { createSimulation } from '../world/sim/simulation.ts'
import { Driver } from './driver.ts'
import { defaultLoad } from './load-spec.ts'
import { type SimulatedLoad, simulateLoad } from './testing/simulated-load.ts'

const add = (rows: readonly LoadCounts[]): LoadCounts => ({
  sent: rows.reduce((sum, row) => sum + row.sent, 0),
  ok: rows.reduce((sum, row) => sum + row.ok, 0),
  errors: rows.reduce((sum, row) => sum + row.errors, 0),
  timeouts: rows.reduce((sum, row) => sum + row.timeouts, 0),
})

/** The result at the end, in which every operation has one end, and is found once in each view. */
async function accounted(load: SimulatedLoad): Promise<LoadResult> {
  const result = await load.finish()
  const { counts } = result
  expect(counts.ok + counts.errors + counts.timeouts).toBe(counts.sent)
  expect(add(result.commands)).toEqual(counts)
  expect(add(result.seconds)).toEqual(counts)
  expect(result.raw.count).toBe(counts.ok)
  expect(result.errors.reduce((sum, { count }) => sum + count, 0)).toBe(counts.errors + counts.timeouts)
  return result
}

const constant = { kind: 'constant', ratePerSecond: 500 } as const

describe('an undisturbed run', () => {
  it('closed loop: always so many operations in flight, for the time that was asked for', async () => {
    const load = await simulateLoad({ durationMs: 2000, pipeline: 3 })
    const result = await accounted(load)
    expect(result.verdict).toBe('pass')
    expect(result.counts.errors + result.counts.timeouts).toBe(0)
    // Little's law: operations in flight = rate × time in the system.
    const inFlight = (result.requestsPerSecond * result.raw.meanMs) / 1000
    expect(inFlight).toBeGreaterThan(0.9 * 4 * 3)
    expect(inFlight).toBeLessThan(1.1 * 4 * 3)
    expect(result.seconds.length).toBeGreaterThanOrEqual(2)
    expect(result.outages).toEqual([])
  })

  it('ends after exactly so many requests', async () => {
    const load = await simulateLoad({ durationMs: null, requests: 1237, pipeline: 7 })
    const result = await accounted(load)
    expect(result.counts.sent).toBe(1237)
  })

  it('open loop: sends what was planned, and counts a warm-up in nothing', async () => {
    const load = await simulateLoad({ durationMs: 2000, warmupMs: 1000, arrivals: constant, pipeline: 100 })
    const result = await accounted(load)
    expect(result.counts.sent).toBe(1000)
    expect(result.verdict).toBe('pass')
  })

  it('open loop: sends the whole plan, though the driver itself is held up when time is up', async () => {
    // More is due afterwards than is begun in one go.
    const arrivals = { kind: 'constant', ratePerSecond: 2000 } as const
    const load = await simulateLoad({ durationMs: 2000, arrivals, pipeline: 1000 })
    await load.simulation.run(1700)
    load.driverHost.pause()
    await load.simulation.run(1000)
    load.driverHost.resume()
    const result = await accounted(load)
    expect(result.counts.sent).toBe(4000)
    expect(result.corrected.maxMs).toBeGreaterThan(900)
  })

  it('open loop: a plan that ends with a pause lasts as long as was asked for', async () => {
    const arrivals = { kind: 'burst', ratePerSecond: 0, size: 10, everyMs: 1000 } as const
    const load = await simulateLoad({ durationMs: 1500, arrivals, pipeline: 100 })
    const result = await load.finish()
    expect(result.counts.sent).toBe(20)
    expect(result.requestsPerSecond).toBeCloseTo(20 / 1.5, 1)
  })

  it('mixes commands by their weights', async () => {
    const load = await simulateLoad({
      durationMs: null,
      requests: 4000,
      commands: [
        { name: 'SET', words: ['SET', '__key__', '__data__'], weight: 1 },
        { name: 'GET', words: ['GET', '__key__'], weight: 3 },
      ],
    })
    const result = await load.finish()
    const [set, get] = result.commands
    expect(set!.sent).toBeGreaterThan(900)
    expect(set!.sent).toBeLessThan(1100)
    expect(get!.misses).toBeGreaterThan(0)
    expect(set!.misses).toBe(0)
  })

  it('does the same for the same seed, and something else for another', async () => {
    const run = async (seed: number) => {
      const load = await simulateLoad({ durationMs: 300, seed, arrivals: { kind: 'poisson', ratePerSecond: 400 } })
      return load.finish()
    }
    const [first, again, other] = [await run(1), await run(1), await run(2)]
    expect(again).toEqual(first)
    expect(other.counts.sent).not.toBe(first.counts.sent)
  })

  it('counts error replies as errors of their text', async () => {
    const load = await simulateLoad({
      durationMs: null,
      requests: 10,
      commands: [{ name: 'X', words: ['NOSUCH'], weight: 1 }],
    })
    const result = await accounted(load)
    expect(result.counts).toEqual({ sent: 10, ok: 0, errors: 10, timeouts: 0 })
    expect(result.errors[0]!.text).toContain("ERR unknown command 'NOSUCH'")
    expect(result.verdict).toBe('unknown')
    expect(result.reasons[0]).toContain('No operation succeeded')
  })
})

/** Coordinated omission: a server that does nothing for a second out of ten. */
describe('a stall of one second', () => {
  const stalled = async (part: Parameters<typeof simulateLoad>[0]) => {
    const load = await simulateLoad({ durationMs: 10_000, ...part })
    await load.simulation.run(4000)
    load.server.pause()
    await load.simulation.run(1000)
    load.server.resume()
    const result = await accounted(load)
    expect(result.counts.ok).toBe(result.counts.sent)
    return result
  }

  it('shows in an open loop at its full length, though few operations were on their way', async () => {
    for (const pipeline of [1, 1000]) {
      const { corrected, raw } = await stalled({ arrivals: constant, pipeline })
      // A tenth of all operations were planned during the stall: their waits are spread over 0 … 1 s.
      expect(corrected.p95Ms).toBeGreaterThan(400)
      expect(corrected.p999Ms).toBeGreaterThan(950)
      expect(corrected.maxMs).toBeGreaterThan(990)
      if (pipeline === 1) expect(raw.p99Ms).toBeLessThan(100)
    }
  })

  it('hides in the raw latencies of a closed loop, and is filled in by the correction', async () => {
    const { corrected, raw, slowest } = await stalled({ pipeline: 1 })
    expect(raw.p999Ms).toBeLessThan(10)
    expect(raw.maxMs).toBeGreaterThan(990)
    expect(corrected.p95Ms).toBeGreaterThan(400)
    expect(corrected.p999Ms).toBeGreaterThan(900)
    // Each of the four connections had one operation in it.
    const slow = slowest.filter(({ latencyMs }) => latencyMs > 900)
    expect(slow).toHaveLength(4)
    for (const { atMs } of slow) expect(atMs).toBeGreaterThan(4900)
  })
})

describe('a server that fails', () => {
  it('load goes on: time-outs, then success, and the outage of every client is known', async () => {
    const load = await simulateLoad({ durationMs: 8000, timeoutMs: 500, pipeline: 2 })
    await load.simulation.run(2000)
    load.server.pause()
    await load.simulation.run(3000)
    load.server.resume()
    const result = await accounted(load)
    expect(result.counts.timeouts).toBeGreaterThan(8)
    expect(result.outages).toHaveLength(4)
    for (const { fromMs, toMs, errors } of result.outages) {
      expect(fromMs).toBeGreaterThan(2400)
      expect(fromMs).toBeLessThan(2700)
      expect(toMs).toBeGreaterThan(4900)
      expect(toMs).toBeLessThan(5700)
      expect(errors).toBeGreaterThanOrEqual(2)
    }
    expect(result.seconds.at(-1)!.ok).toBeGreaterThan(0)
  })

  it.each(['closed', 'open'])('%s loop: a crash is errors until the server is back', async (kind) => {
    const load = await simulateLoad({
      durationMs: 5000,
      arrivals: kind === 'open' ? constant : { kind: 'closed' },
      pipeline: kind === 'open' ? 100 : 1,
    })
    await load.simulation.run(1000)
    load.server.kill()
    await load.simulation.run(1000)
    load.server.restart()
    const result = await accounted(load)
    expect(result.counts.errors).toBeGreaterThan(20)
    if (kind === 'open') expect(result.counts.sent).toBe(2500)
    expect(result.outages.length).toBeGreaterThanOrEqual(4)
    for (const { toMs } of result.outages) expect(toMs).not.toBeNull()
    expect(result.seconds.at(-2)!.errors).toBe(0)
  })

  it('an outage without end is told as such', async () => {
    const load = await simulateLoad({ durationMs: 2000, arrivals: constant })
    await load.simulation.run(1000)
    load.server.kill()
    const result = await accounted(load)
    expect(result.outages.at(-1)!.toMs).toBeNull()
    expect(result.verdict).toBe('fail')
    expect(result.reasons[0]).toMatch(/From [01]\.\d\d s on until the end nothing succeeded/)
  })
})

describe('an interrupted run', () => {
  it.each(['closed', 'open'])('%s loop: ends soon with what was done so far', async (kind) => {
    const arrivals = kind === 'open' ? constant : ({ kind: 'closed' } as const)
    const load = await simulateLoad({ durationMs: 60_000, arrivals, pipeline: 1 })
    await load.simulation.run(1500)
    load.server.pause()
    await load.simulation.run(200)
    load.driver.interrupt()
    const result = await accounted(load)
    expect(result.interrupted).toBe(true)
    expect(result.counts.ok).toBeGreaterThan(100)
    expect(result.counts.errors).toBeGreaterThanOrEqual(4)
    expect(result.errors[0]!.text).toBe('the run was interrupted')
    expect(result.seconds.length).toBeLessThanOrEqual(3)
  })
})

describe('a target that nobody reaches', () => {
  it('is unreachable, also when some clients already try again while others still wait', async () => {
    const simulation = createSimulation({ seed: 'unreachable' })
    let attempts = 0
    let found: Driver['unreachable'] = { reason: 'not prepared yet', refused: false }
    simulation.host('driver', { addresses: ['10.0.0.2'] }).start((io) => {
      // The first attempt fails at once, all others after a second.
      const connect: Io['network']['connect'] = (options, handlers) => {
        const delayMs = attempts++ === 0 ? 1 : 1000
        const never = { onConnect() {}, onData() {}, onClose() {} }
        io.timers.after(delayMs, () => handlers.onClose(new IoError('ECONNREFUSED', 'ECONNREFUSED')))
        return io.network.connect(options, never)
      }
      const network = { ...io.network, connect }
      const target = { kind: 'server', host: '10.9.9.9', port: 6379 } as const
      const spec = { ...defaultLoad, target, connections: 3 }
      const driver = new Driver({ io: { ...io, network }, spec, part: { index: 0, of: 1 }, spins: false })
      driver.prepare(() => {
        found = driver.unreachable
        driver.close()
      })
    })
    await simulation.run(3000)
    expect(found).toEqual({ reason: 'ECONNREFUSED', refused: false })
    expect(attempts).toBeGreaterThan(3)
  })
})
