/** The contract of `Clock`, `Timers`, `Random` and `Host`. */

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Io } from '../io.ts'
import { Bench } from './bench.ts'
import type { MakeWorld } from './world.ts'

export function timeContract(makeWorld: MakeWorld): void {
  let bench: Bench
  let io: Io
  beforeEach(async () => {
    bench = new Bench(await makeWorld())
    io = bench.world.server
  })
  afterEach(() => bench.close())

  describe('the clock', () => {
    it('shows one wall time in whole milliseconds and whole microseconds', () => {
      for (let round = 0; round < 200; round++) {
        const before = io.clock.wallMs()
        const microseconds = io.clock.wallUs()
        const after = io.clock.wallMs()
        expect(Number.isInteger(before) && Number.isInteger(microseconds)).toBe(true)
        expect(Math.floor(microseconds / 1000)).toBeGreaterThanOrEqual(before)
        expect(Math.floor(microseconds / 1000)).toBeLessThanOrEqual(after)
      }
      expect(io.clock.wallMs()).toBeGreaterThan(Date.UTC(2020, 0))
    })

    it('has a monotonic reading that never runs backwards and passes as fast as the wall time', async () => {
      let last = io.clock.monotonicUs()
      const startUs = last
      const startWallUs = io.clock.wallUs()
      for (let round = 0; round < 50; round++) {
        await bench.world.turn()
        const now = io.clock.monotonicUs()
        expect(now).toBeGreaterThanOrEqual(last)
        last = now
      }
      let fired = false
      io.timers.after(50, () => {
        fired = true
      })
      await bench.world.until(() => fired)
      const passedUs = io.clock.monotonicUs() - startUs
      expect(passedUs).toBeGreaterThanOrEqual(50_000)
      expect(Math.abs(io.clock.wallUs() - startWallUs - passedUs)).toBeLessThan(20_000)
    })
  })

  describe('timers', () => {
    it('fire once, never early and never at once, for any delay', async () => {
      const delays = fc.array(fc.double({ min: -5, max: 30, noNaN: true }), { minLength: 1, maxLength: 12 })
      await fc.assert(
        fc.asyncProperty(delays, async (delaysMs) => {
          const fired = delaysMs.map(() => 0)
          for (const [index, delayMs] of delaysMs.entries()) {
            const startUs = io.clock.monotonicUs()
            io.timers.after(delayMs, () => {
              fired[index]!++
              expect(io.clock.monotonicUs() - startUs).toBeGreaterThanOrEqual(Math.max(0, delayMs) * 1000)
            })
          }
          expect(fired.every((count) => count === 0)).toBe(true)
          await bench.world.until(() => fired.every((count) => count > 0))
          await bench.world.turn()
          expect(fired.every((count) => count === 1)).toBe(true)
        }),
        { numRuns: 15 },
      )
    })

    it('measure the wall clock too: after whole milliseconds it shows at least so many more', async () => {
      let checked = 0
      for (let delayMs = 1; delayMs <= 20; delayMs++) {
        const startMs = io.clock.wallMs()
        io.timers.after(delayMs, () => {
          expect(io.clock.wallMs() - startMs).toBeGreaterThanOrEqual(delayMs)
          checked++
        })
      }
      await bench.world.until(() => checked === 20)
    })

    it('fire in the order of their deadlines when these are well apart', async () => {
      const order: number[] = []
      for (const delayMs of [60, 20, 40]) io.timers.after(delayMs, () => order.push(delayMs))
      await bench.world.until(() => order.length === 3)
      expect(order).toEqual([20, 40, 60])
    })

    it('do not fire after cancel, which may be called twice and late', async () => {
      let calls = 0
      const count = (): void => {
        calls++
      }
      const cancelled = io.timers.after(5, count)
      const fired = io.timers.after(5, count)
      cancelled.cancel()
      cancelled.cancel()
      const inside = io.timers.after(10, count)
      io.timers.after(7, () => inside.cancel())
      await bench.world.until(() => calls === 1)
      let later = false
      io.timers.after(20, () => {
        later = true
      })
      await bench.world.until(() => later)
      fired.cancel()
      expect(calls).toBe(1)
    })

    it('wait also for delays of more than 2^31 ms', async () => {
      let fired = false
      const timer = io.timers.after(2 ** 32, () => {
        fired = true
      })
      await bench.world.settle()
      expect(fired).toBe(false)
      timer.cancel()
    })
  })

  describe('defer', () => {
    it('runs once, later, in the order of the calls, before timers that are not yet due', async () => {
      const order: string[] = []
      io.timers.after(30, () => order.push('timer'))
      for (const name of ['a', 'b', 'c']) io.timers.defer(() => order.push(name))
      expect(order).toEqual([])
      await bench.world.until(() => order.includes('timer'))
      expect(order).toEqual(['a', 'b', 'c', 'timer'])
    })

    it('called inside a deferred callback runs in a later round', async () => {
      const order: string[] = []
      io.timers.defer(() => {
        order.push('first')
        io.timers.defer(() => order.push('nested'))
      })
      io.timers.defer(() => order.push('second'))
      await bench.world.until(() => order.length === 3)
      expect(order).toEqual(['first', 'second', 'nested'])
    })

    it('called in onData runs after it, once for each call', async () => {
      const { client, server } = await bench.pair()
      const order: string[] = []
      server.whenData = () => {
        io.timers.defer(() => order.push('flush'))
        order.push('data')
      }
      client.connection.write(Buffer.from('x'))
      await bench.world.until(() => order.length === 2)
      await bench.world.settle()
      expect(order).toEqual(['data', 'flush'])
    })
  })

  describe('random numbers', () => {
    it('stay in their ranges and reach all of them', () => {
      const seen = new Set<number>()
      let highBits = 0
      for (let round = 0; round < 2000; round++) {
        const word = io.random.uint32()
        expect(word >>> 0).toBe(word)
        highBits |= word
        const fraction = io.random.fraction()
        expect(fraction >= 0 && fraction < 1).toBe(true)
        seen.add(io.random.below(10))
      }
      expect(highBits >>> 0).toBe(0xffffffff)
      expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(io.random.below(1)).toBe(0)
      const bytes = new Uint8Array(64)
      io.random.fill(bytes)
      expect(new Set(bytes).size).toBeGreaterThan(20)
    })

    it('differ between nodes', () => {
      const draw = (node: Io): string => [1, 2, 3, 4].map(() => node.random.uint32()).join()
      expect(draw(bench.world.client)).not.toBe(draw(bench.world.server))
    })
  })

  it('the host sleeps, and nothing else of its process happens meanwhile', async () => {
    const order: string[] = []
    let passedUs = 0
    io.timers.after(0, () => {
      io.timers.after(1, () => order.push('timer'))
      const startUs = io.clock.monotonicUs()
      io.host.sleep(20_000)
      passedUs = io.clock.monotonicUs() - startUs
      order.push('slept')
    })
    await bench.world.until(() => order.length === 2)
    expect(order).toEqual(['slept', 'timer'])
    expect(passedUs).toBeGreaterThanOrEqual(19_000)
  })

  it('the host tells about its process', () => {
    expect(io.host.processId).toBeGreaterThan(0)
    expect(io.host.hostName.length).toBeGreaterThan(0)
    const { userUs, systemUs } = io.host.cpu()
    expect(userUs).toBeGreaterThanOrEqual(0)
    expect(systemUs).toBeGreaterThanOrEqual(0)
    const { residentBytes, usedBytes } = io.host.memory()
    expect(residentBytes).toBeGreaterThanOrEqual(0)
    expect(usedBytes).toBeGreaterThanOrEqual(0)
  })
}
