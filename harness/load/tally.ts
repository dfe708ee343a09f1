/**
 * What one driver (one thread) counts while it runs. Everything in it can be cloned to another thread and merged there;
 * `summary.ts` makes the result of it. Times are µs from the start of measuring, latencies µs.
 *
 * Per operation this costs two to five records into arrays. The totals per second are folded once a second.
 */
import { LatencyCounts, type SparseCounts } from './latency-counts.ts'

const SLOWEST_KEPT = 200
/** Different texts of errors that are told apart; the rest is counted under one name. */
const ERROR_TEXTS_KEPT = 50

export interface CommandTally {
  sent: number
  ok: number
  errors: number
  timeouts: number
  misses: number
  raw: LatencyCounts
  /** From the intended time; left empty in a closed loop. */
  intended: LatencyCounts
}

export interface SecondTally {
  sent: number
  ok: number
  errors: number
  timeouts: number
  raw: SparseCounts
  intended: SparseCounts
}

export interface SlowTally {
  atUs: number
  latencyUs: number
  command: number
  client: number
}

export interface OutageTally {
  client: number
  fromUs: number
  toUs: number | null
  errors: number
}

export class Tally {
  readonly commands: CommandTally[]
  readonly seconds: SecondTally[] = []
  readonly outages: OutageTally[] = []
  readonly errors = new Map<string, { count: number; firstAtUs: number }>()
  /** Lateness of operations that nothing but the driver kept waiting (open loop). */
  readonly late = new LatencyCounts()
  /** Lateness of the event loop's timers. */
  readonly lag = new LatencyCounts()
  readonly slowest: SlowTally[] = []
  onSecond: ((second: SecondTally, index: number) => void) | undefined
  /** In the driver's clock. */
  lastOkUs = 0
  private readonly isOpen: boolean
  private readonly openOutages = new Map<number, OutageTally>()
  private readonly raw = new LatencyCounts()
  private readonly intended = new LatencyCounts()
  private sent = 0
  private ok = 0
  private failed = 0
  private timedOut = 0
  /** Operations with an intended time before it are warm-up and not counted. In the driver's clock. */
  private startUs = Number.POSITIVE_INFINITY
  private secondEndUs = Number.POSITIVE_INFINITY
  private slowFloorUs = -1

  constructor(commands: number, isOpen: boolean) {
    this.isOpen = isOpen
    this.commands = Array.from({ length: commands }, () => ({
      sent: 0,
      ok: 0,
      errors: 0,
      timeouts: 0,
      misses: 0,
      raw: new LatencyCounts(),
      intended: new LatencyCounts(),
    }))
  }

  /** Measuring begins at this moment of the driver's clock. */
  start(startUs: number): void {
    this.startUs = startUs
    this.secondEndUs = startUs + 1e6
  }

  /** An operation begins. Returns whether it is measured. */
  began(command: number, intendedUs: number, nowUs: number): boolean {
    if (intendedUs < this.startUs) return false
    if (nowUs >= this.secondEndUs) this.roll(nowUs)
    this.sent++
    this.commands[command]!.sent++
    return true
  }

  /** `count` operations of one batch, begun and answered together; `misses` of them with nil. */
  succeeded(
    command: number,
    client: number,
    intendedUs: number,
    sentUs: number,
    nowUs: number,
    count: number,
    misses: number,
  ): void {
    if (intendedUs < this.startUs) return
    if (nowUs >= this.secondEndUs) this.roll(nowUs)
    this.lastOkUs = nowUs
    const row = this.commands[command]!
    row.ok += count
    this.ok += count
    row.misses += misses
    const rawUs = nowUs - sentUs
    row.raw.record(rawUs, count)
    this.raw.record(rawUs, count)
    let latencyUs = rawUs
    if (this.isOpen) {
      latencyUs = nowUs - intendedUs
      row.intended.record(latencyUs, count)
      this.intended.record(latencyUs, count)
    }
    if (latencyUs > this.slowFloorUs) this.keepSlow(nowUs - this.startUs, latencyUs, command, client)
    if (this.openOutages.size > 0) this.endOutage(client, nowUs)
  }

  /** `text`: the error reply, or why there was none. */
  ended(command: number, client: number, intendedUs: number, nowUs: number, text: string, isTimeout: boolean): void {
    if (intendedUs < this.startUs) return
    if (nowUs >= this.secondEndUs) this.roll(nowUs)
    const row = this.commands[command]!
    if (isTimeout) {
      row.timeouts++
      this.timedOut++
    } else {
      row.errors++
      this.failed++
    }
    const atUs = nowUs - this.startUs
    const known = this.errors.get(text)
    if (known !== undefined) known.count++
    else if (this.errors.size < ERROR_TEXTS_KEPT) this.errors.set(text, { count: 1, firstAtUs: atUs })
    else this.countOther(atUs)
    const outage = this.openOutages.get(client)
    if (outage !== undefined) outage.errors++
    else {
      const opened: OutageTally = { client, fromUs: atUs, toUs: null, errors: 1 }
      this.openOutages.set(client, opened)
      this.outages.push(opened)
    }
  }

  /** The last second, which may not be whole, is folded too. */
  finish(nowUs: number): void {
    if (nowUs >= this.secondEndUs) this.roll(nowUs)
    if (this.sent + this.ok + this.failed + this.timedOut > 0) this.fold()
    this.slowest.sort((a, b) => a.atUs - b.atUs)
    this.secondEndUs = Number.POSITIVE_INFINITY
  }

  private roll(nowUs: number): void {
    while (nowUs >= this.secondEndUs) {
      this.fold()
      this.secondEndUs += 1e6
    }
  }

  private fold(): void {
    const second: SecondTally = {
      sent: this.sent,
      ok: this.ok,
      errors: this.failed,
      timeouts: this.timedOut,
      raw: this.raw.sparse(),
      intended: this.intended.sparse(),
    }
    this.seconds.push(second)
    this.raw.reset()
    this.intended.reset()
    this.sent = 0
    this.ok = 0
    this.failed = 0
    this.timedOut = 0
    this.onSecond?.(second, this.seconds.length - 1)
  }

  /** A heap with the least of the slowest on top. */
  private keepSlow(atUs: number, latencyUs: number, command: number, client: number): void {
    const { slowest } = this
    const entry = { atUs, latencyUs, command, client }
    if (slowest.length < SLOWEST_KEPT) {
      slowest.push(entry)
      if (slowest.length === SLOWEST_KEPT) {
        slowest.sort((a, b) => a.latencyUs - b.latencyUs)
        this.slowFloorUs = slowest[0]!.latencyUs
      }
      return
    }
    slowest[0] = entry
    let at = 0
    for (;;) {
      let least = at
      for (let child = 2 * at + 1; child <= 2 * at + 2; child++) {
        if (child < SLOWEST_KEPT && slowest[child]!.latencyUs < slowest[least]!.latencyUs) least = child
      }
      if (least === at) break
      slowest[at] = slowest[least]!
      slowest[least] = entry
      at = least
    }
    this.slowFloorUs = slowest[0]!.latencyUs
  }

  private endOutage(client: number, nowUs: number): void {
    const outage = this.openOutages.get(client)
    if (outage === undefined) return
    outage.toUs = nowUs - this.startUs
    this.openOutages.delete(client)
  }

  private countOther(atUs: number): void {
    const other = this.errors.get(OTHER_ERRORS)
    if (other === undefined) this.errors.set(OTHER_ERRORS, { count: 1, firstAtUs: atUs })
    else other.count++
  }
}

const OTHER_ERRORS = '(other errors)'
