/**
 * The way from one host to another, one direction. Each link is its own fault point.
 *
 * A packet takes the latency plus a random delay with an exponential-like tail. Faults are laid over a link and taken
 * away again in any order; each may be limited to the streams that match a filter (a plane: the bus, the clients, …).
 * Randomness is the link's own, seeded from the names of its ends: what happens elsewhere does not shift it.
 */

import { randomFromText } from '../../../engine/data/random.ts'
import type { Random } from '../../../engine/io.ts'

/** Who speaks to whom: the same for both directions of a stream. */
export interface Flow {
  /** Names of hosts. */
  readonly clientHost: string
  readonly serverHost: string
  /** Where the server listens: its address and port (0 for a Unix socket). */
  readonly serverAddress: string
  readonly serverPort: number
}

export interface LinkFault {
  /** Limits the fault to these streams; without it, all of the link. */
  matching?: (flow: Flow) => boolean
  /** Packets vanish. */
  cut?: boolean
  /** Added to every packet's way. */
  latencyUs?: number
  /** Mean of an additional random delay. */
  jitterUs?: number
  /** Share of packets lost, 0 to 1. TCP repeats them after its time-out. */
  lossRate?: number
  bandwidthBytesPerSecond?: number
  /** When given: counts the packets that the cut has swallowed. */
  packetsLost?: number
}

export interface LinkSettings {
  latencyUs: number
  /** Mean of the random part of the delay. */
  jitterUs: number
}

export class Link {
  readonly from: string
  readonly to: string
  readonly random: Random
  private readonly settings: LinkSettings
  private readonly faults = new Set<LinkFault>()
  private freeAtUs = 0

  constructor(from: string, to: string, settings: LinkSettings, seed: string) {
    this.from = from
    this.to = to
    this.settings = settings
    this.random = randomFromText(`${seed}/link/${from}>${to}`)
  }

  add(fault: LinkFault): void {
    this.faults.add(fault)
  }

  remove(fault: LinkFault): void {
    this.faults.delete(fault)
  }

  isCut(flow: Flow): boolean {
    if (this.faults.size === 0) return false
    for (const fault of this.faults) if (fault.cut === true && matches(fault, flow)) return true
    return false
  }

  /** Whether a packet that arrives now is lost. Draws only when a fault says so. */
  loses(flow: Flow): boolean {
    if (this.faults.size === 0) return false
    let lost = false
    for (const fault of this.faults) {
      if (!matches(fault, flow)) continue
      if (fault.cut === true) {
        lost = true
        if (fault.packetsLost !== undefined) fault.packetsLost++
      } else if (fault.lossRate !== undefined && this.random.fraction() < fault.lossRate) lost = true
    }
    return lost
  }

  /** When a packet of this size that leaves at `atUs` arrives. */
  arrivalUs(flow: Flow, atUs: number, sizeBytes: number): number {
    let leavesUs = atUs
    let delayUs = this.settings.latencyUs + this.tailUs(this.settings.jitterUs)
    if (this.faults.size > 0) {
      let bandwidth = Number.POSITIVE_INFINITY
      for (const fault of this.faults) {
        if (!matches(fault, flow)) continue
        delayUs += fault.latencyUs ?? 0
        if (fault.jitterUs !== undefined) delayUs += this.tailUs(fault.jitterUs)
        bandwidth = Math.min(bandwidth, fault.bandwidthBytesPerSecond ?? bandwidth)
      }
      if (bandwidth !== Number.POSITIVE_INFINITY) {
        leavesUs = Math.max(atUs, this.freeAtUs) + (sizeBytes * 1e6) / bandwidth
        this.freeAtUs = leavesUs
      }
    }
    return Math.ceil(leavesUs + delayUs)
  }

  /**
   * A delay with this mean whose tail falls by half with every ln 2 × mean, as an exponential distribution's does:
   * the count of leading zero bits is geometric. Whole-number steps instead of a logarithm, which another engine may
   * round differently.
   */
  private tailUs(meanUs: number): number {
    if (meanUs <= 0) return 0
    return (Math.clz32(this.random.uint32()) + this.random.uint32() / 0x100000000) * meanUs * (2 / 3)
  }
}

function matches(fault: LinkFault, flow: Flow): boolean {
  return fault.matching === undefined || fault.matching(flow)
}
