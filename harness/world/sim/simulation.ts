/**
 * A simulated world: virtual time, a network and any number of machines, all driven by one seed.
 *
 *   const simulation = createSimulation({ seed: '42' })
 *   const a = simulation.host('a', { addresses: ['10.0.0.1'] })
 *   const b = simulation.host('b', { addresses: ['10.0.0.2'] })
 *   a.start((io, host) => {
 *     const server = createServer(io, { port: 6379 })
 *     host.cpuMeter = () => server.stats.commandsProcessed
 *   })
 *   b.start((io) => io.network.connect({ host: '10.0.0.1', port: 6379 }, handlers))
 *
 *   await simulation.run(1_000)                                        // one virtual second
 *   const heal = simulation.cut({ from: 'a', to: 'b' })                // one direction
 *   const healBus = simulation.cut({ from: ['a', 'b'], to: ['a', 'b'], matching: (flow) => flow.serverPort > 10_000 })
 *   await simulation.run(12_000)
 *   heal()
 *   a.pause(); a.resume(); a.kill(); a.powerCut(); a.restart(); a.jumpClock(-5_000); a.driftClock(200)
 *   const mend = a.disk.impair({ slowdown: 50 })                       // or { failing: ['sync'] }, { full: true }
 *
 *   // A runner written with promises: everything it awaits must come from the simulation.
 *   await simulation.complete((async () => { await simulation.sleep(500); … })())
 *   simulation.traceHash()                                             // same seed and code: same hash, anywhere
 *
 * How virtual time and promises go together is told in scheduler.ts; what is and is not modelled of TCP in pipe.ts
 * and network.ts, of disks in disk.ts, of the CPU in cpu.ts and process.ts.
 */

import { randomFromText } from '../../../engine/data/random.ts'
import type { Random } from '../../../engine/io.ts'
import type { CpuCosts } from './cpu.ts'
import { defaultCpuCosts } from './cpu.ts'
import type { DiskSettings } from './disk.ts'
import { defaultDiskSettings, SimDisk } from './disk.ts'
import { SimHost } from './host.ts'
import type { LinkFault, LinkSettings } from './link.ts'
import type { LinkFaultPlace } from './network.ts'
import { SimNetwork } from './network.ts'
import type { StreamSettings } from './pipe.ts'
import { defaultStreamSettings } from './pipe.ts'
import { Scheduler } from './scheduler.ts'

export interface SimulationOptions {
  seed: string
  /** Between different hosts; 100 µs and a random part of 20 µs on average unless told otherwise. */
  link?: Partial<LinkSettings>
  /** From a host to itself; 10 µs and 3 µs. */
  loopback?: Partial<LinkSettings>
  stream?: Partial<StreamSettings>
}

export interface HostOptions {
  /** Literal addresses that belong to this host alone. `127.0.0.1` is always the host itself unless one claims it. */
  addresses: readonly string[]
  clockOffsetMs?: number
  driftPpm?: number
  cpu?: Partial<CpuCosts>
  disk?: Partial<DiskSettings>
  /** Timers are late by less than this, drawn for each; 1000 unless told otherwise. */
  timerLatenessUsMax?: number
}

export class Simulation {
  readonly seed: string
  readonly scheduler = new Scheduler()
  readonly network: SimNetwork
  readonly hosts = new Map<string, SimHost>()

  constructor(options: SimulationOptions) {
    this.seed = options.seed
    const settings = {
      link: { latencyUs: 100, jitterUs: 20, ...options.link },
      loopback: { latencyUs: 10, jitterUs: 3, ...options.loopback },
      stream: { ...defaultStreamSettings, ...options.stream },
    }
    this.network = new SimNetwork(this.scheduler, settings, options.seed)
  }

  host(name: string, options: HostOptions): SimHost {
    if (this.hosts.has(name)) throw new Error(`there is a host ${name} already`)
    const disk = { ...defaultDiskSettings, ...options.disk }
    const host = new SimHost({
      name,
      index: this.hosts.size + 1,
      addresses: options.addresses,
      seed: this.seed,
      scheduler: this.scheduler,
      costs: { ...defaultCpuCosts, ...options.cpu },
      timerLatenessUsMax: options.timerLatenessUsMax ?? 1000,
      disk: new SimDisk(this.scheduler, disk, this.random(`disk/${name}`)),
      network: this.network.addHost(name, options.addresses),
    })
    if (options.clockOffsetMs !== undefined) host.jumpClock(options.clockOffsetMs)
    if (options.driftPpm !== undefined) host.driftClock(options.driftPpm)
    this.hosts.set(name, host)
    return host
  }

  /** A stream of chance of its own for any purpose: what others draw does not shift it. */
  random(purpose: string): Random {
    return randomFromText(`${this.seed}/${purpose}`)
  }

  get nowUs(): number {
    return this.scheduler.nowUs
  }

  /** Lets this much virtual time pass. */
  run(durationMs: number): Promise<void> {
    return this.scheduler.run(this.scheduler.nowUs + durationMs * 1000)
  }

  /** Runs until the promise is settled; throws when `limitMs` of virtual time pass before. */
  complete<T>(promise: Promise<T>, limitMs = Number.POSITIVE_INFINITY): Promise<T> {
    return this.scheduler.complete(promise, this.scheduler.nowUs + limitMs * 1000)
  }

  sleep(delayMs: number): Promise<void> {
    return this.scheduler.sleep(delayMs)
  }

  /** Packets vanish, in the directions named. Returns the undo. */
  cut(place: LinkFaultPlace & Pick<LinkFault, 'matching'>): () => void {
    const { matching } = place
    return this.network.impair(place, matching === undefined ? { cut: true } : { cut: true, matching })
  }

  /** Latency, jitter, loss or bandwidth, in the directions named. Returns the undo. */
  degrade(place: LinkFaultPlace, fault: Omit<LinkFault, 'cut'>): () => void {
    return this.network.impair(place, fault)
  }

  /** 16 hexadecimal digits over everything that has happened so far. */
  traceHash(): string {
    return this.scheduler.trace.digest()
  }
}

export function createSimulation(options: SimulationOptions): Simulation {
  return new Simulation(options)
}
