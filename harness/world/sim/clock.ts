/**
 * The clocks of one simulated machine.
 *
 * The monotonic clock starts at an origin of its own (so that comparing it between hosts shows as nonsense) and may
 * run fast or slow by some parts per million, as crystals do; the wall clock is the monotonic one plus an offset that
 * a fault may change at any time.
 */

/** Virtual time 0 is 2026-01-01T00:00:00Z on a host whose clock is right. */
export const EPOCH_US = 1_767_225_600_000_000

export class HostClock {
  private anchorTrueUs = 0
  private anchorMonotonicUs: number
  private wallMinusMonotonicUs: number
  private rate = 1

  constructor(originUs: number) {
    this.anchorMonotonicUs = originUs
    this.wallMinusMonotonicUs = EPOCH_US - originUs
  }

  monotonicUs(trueUs: number): number {
    return this.anchorMonotonicUs + (trueUs - this.anchorTrueUs) * this.rate
  }

  wallUs(trueUs: number): number {
    return Math.floor(this.monotonicUs(trueUs) + this.wallMinusMonotonicUs)
  }

  /** The first moment of true time at which the monotonic clock shows `monotonicUs` or more, at the present rate. */
  trueUs(monotonicUs: number): number {
    return Math.ceil(this.anchorTrueUs + (monotonicUs - this.anchorMonotonicUs) / this.rate)
  }

  /** Moves the wall clock; the monotonic clock does not notice. */
  jump(byUs: number): void {
    this.wallMinusMonotonicUs += byUs
  }

  /** From now on the host's clocks gain `ppm` microseconds per second of true time (lose, when negative). */
  setDrift(trueUs: number, ppm: number): void {
    this.anchorMonotonicUs = this.monotonicUs(trueUs)
    this.anchorTrueUs = trueUs
    this.rate = 1 + ppm / 1e6
  }
}
