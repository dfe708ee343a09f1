import { afterEach, describe, expect, it, vi } from 'vitest'
import { createNodeClock } from './clock.ts'

describe('the clock of a process', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('resolves microseconds, not only the milliseconds of Date', () => {
    const clock = createNodeClock()
    let fractions = 0
    for (let round = 0; round < 10_000; round++) if (clock.wallUs() % 1000 !== 0) fractions++
    expect(fractions).toBeGreaterThan(1000)
  })

  it('does not run backwards while the wall clock does not', () => {
    const clock = createNodeClock()
    let last = clock.wallUs()
    for (let round = 0; round < 10_000; round++) {
      const now = clock.wallUs()
      expect(now).toBeGreaterThanOrEqual(last)
      last = now
    }
  })

  it.each([3_600_000, -3_600_000, 5, -5])('follows at once when the wall clock jumps by %i ms', (jumpMs) => {
    const clock = createNodeClock()
    clock.wallUs()
    const real = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => real() + jumpMs)
    const before = clock.wallMs()
    const us = clock.wallUs()
    const after = clock.wallMs()
    expect(Math.floor(us / 1000)).toBeGreaterThanOrEqual(before)
    expect(Math.floor(us / 1000)).toBeLessThanOrEqual(after)
    expect(Math.abs(us / 1000 - real() - jumpMs)).toBeLessThan(1000)
  })
})
