/** Instantaneous metrics of INFO: a counter's mean rate over the last 16 samples, one every 100 ms. */
export class Rate {
  perSecond = 0
  private readonly counter: () => number
  private readonly samples: number[] = []
  private next = 0
  private lastCount = 0
  private lastMs = 0

  constructor(counter: () => number) {
    this.counter = counter
  }

  sample(nowMs: number): void {
    const count = this.counter()
    const elapsedMs = nowMs - this.lastMs
    if (this.lastMs > 0 && elapsedMs > 0) {
      this.samples[this.next] = (Math.max(0, count - this.lastCount) * 1000) / elapsedMs
      this.next = (this.next + 1) % SAMPLES
      this.perSecond = this.samples.reduce((sum, sample) => sum + sample, 0) / SAMPLES
    }
    this.lastCount = count
    this.lastMs = nowMs
  }
}

const SAMPLES = 16
