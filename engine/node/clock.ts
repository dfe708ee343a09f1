/**
 * The `Clock` port on Node.
 *
 * `Date.now()` follows the system's wall clock, with its jumps, but counts whole milliseconds. Microseconds come from
 * the monotonic clock plus an offset, held inside the millisecond that `Date.now()` shows: the offset settles within a
 * few calls, follows every jump at once, and `wallUs` never disagrees with `wallMs`.
 */

// The global `performance` is a getter that looks itself up at every use: the module's binding is a third cheaper.
import { performance } from 'node:perf_hooks'
import type { Clock } from '../io.ts'

export function createNodeClock(): Clock {
  let wallMinusMonotonicUs = performance.timeOrigin * 1000

  const monotonicUs = (): number => performance.now() * 1000

  return {
    wallMs: () => Date.now(),
    wallUs() {
      const earliestUs = Date.now() * 1000
      const nowUs = monotonicUs()
      let wallUs = Math.floor(wallMinusMonotonicUs + nowUs)
      if (wallUs < earliestUs || wallUs > earliestUs + 999) {
        wallUs = wallUs < earliestUs ? earliestUs : earliestUs + 999
        wallMinusMonotonicUs = wallUs - nowUs
      }
      return wallUs
    },
    monotonicUs,
  }
}
