/**
 * One simulated machine: a name, addresses, clocks, a disk that survives everything, a kernel with sockets, and at
 * most one process.
 *
 * What a fault does to it:
 *
 * | fault      | process               | kernel                                    | disk                             |
 * |------------|-----------------------|-------------------------------------------|----------------------------------|
 * | pause      | runs nothing, waits   | acknowledges and buffers                  |                                  |
 * | kill       | gone with its memory  | closes the sockets: FIN, or RST if unread | keeps what was written           |
 * | power cut  | gone with its memory  | gone: nothing is sent, nothing answered   | keeps what was synced, and some  |
 */

import { randomFromText } from '../../../engine/data/random.ts'
import type { Io, MemoryUse, Random } from '../../../engine/io.ts'
import { HostClock } from './clock.ts'
import type { CpuCosts } from './cpu.ts'
import { TaskKind } from './cpu.ts'
import type { SimDisk } from './disk.ts'
import type { HostNetwork } from './network.ts'
import { SimProcess } from './process.ts'
import type { Scheduler } from './scheduler.ts'

/** Builds the program of a host, at its first start and at every later one. */
export type Program = (io: Io, host: SimHost) => void

export interface PrintedLine {
  timeUs: number
  line: string
}

export interface HostParts {
  name: string
  index: number
  addresses: readonly string[]
  seed: string
  scheduler: Scheduler
  costs: CpuCosts
  timerLatenessUsMax: number
  disk: SimDisk
  network: HostNetwork
}

export class SimHost {
  readonly name: string
  /** The order in which hosts were made, from 1; part of the trace. */
  readonly index: number
  readonly addresses: readonly string[]
  readonly clock: HostClock
  readonly disk: SimDisk
  readonly network: HostNetwork
  /** Everything that processes of this host have printed. */
  readonly lines: PrintedLine[] = []
  /** Commands executed by the process so far; the owner of the process sets it when it starts one. */
  cpuMeter: () => number = noCommands
  /** The answer to `io.host.memory()`: a simulated process has no memory to measure, so the owner may say. */
  memoryMeter: () => MemoryUse = noMemory
  /** Status of the last process that ended by itself. */
  exitStatus: number | undefined
  powered = true
  paused = false

  private readonly scheduler: Scheduler
  private readonly costs: CpuCosts
  private readonly seed: string
  private readonly chance: Random
  private readonly timerLatenessUsMax: number
  private program: Program | undefined
  private current: SimProcess | undefined
  private starts = 0

  constructor(parts: HostParts) {
    this.name = parts.name
    this.index = parts.index
    this.addresses = parts.addresses
    this.scheduler = parts.scheduler
    this.costs = parts.costs
    this.timerLatenessUsMax = parts.timerLatenessUsMax
    this.disk = parts.disk
    this.network = parts.network
    this.seed = `${parts.seed}/host/${parts.name}`
    this.chance = randomFromText(`${this.seed}/chance`)
    this.clock = new HostClock(1_000_000 * (1 + this.chance.below(100_000)))
  }

  /** The running process, undefined when there is none. */
  get process(): SimProcess | undefined {
    return this.current
  }

  /** Starts a process with this program; a machine without power is switched on. */
  start(program: Program): SimProcess {
    if (this.current !== undefined) throw new Error(`${this.name} runs a process already`)
    this.program = program
    this.powered = true
    this.paused = false
    this.starts++
    this.cpuMeter = noCommands
    this.memoryMeter = noMemory
    this.exitStatus = undefined
    const random = randomFromText(`${this.seed}/process/${this.starts}`)
    const processId = this.index * 1000 + this.starts
    const process = new SimProcess(this, this.scheduler, this.costs, { random }, processId)
    this.current = process
    process.post(TaskKind.start, 0, () => program(process, this))
    return process
  }

  /** Starts the last program anew, on the same disk. */
  restart(): SimProcess {
    if (this.program === undefined) throw new Error(`${this.name} has never run a program`)
    return this.start(this.program)
  }

  /** SIGSTOP. */
  pause(): void {
    this.paused = true
    this.current?.pause()
  }

  /** SIGCONT. */
  resume(): void {
    this.paused = false
    this.current?.resume()
  }

  /** SIGKILL. Nothing happens when no process runs. */
  kill(): void {
    const process = this.current
    if (process === undefined) return
    this.current = undefined
    this.paused = false
    process.end()
    this.network.processEnded(this.scheduler.nowUs)
    this.disk.processEnded()
  }

  /** The machine is dead at once; `start` or `restart` switches it on again. */
  powerCut(): void {
    const process = this.current
    this.current = undefined
    this.paused = false
    this.powered = false
    process?.end()
    this.network.powerLost()
    this.disk.powerLost()
  }

  /** Moves the wall clock by so many milliseconds, in either direction. */
  jumpClock(byMs: number): void {
    this.clock.jump(Math.round(byMs * 1000))
  }

  /** The clocks gain `ppm` microseconds per second (lose, when negative). Timers follow. */
  driftClock(ppm: number): void {
    this.clock.setDrift(this.scheduler.nowUs, ppm)
    this.current?.rearmTimers()
  }

  /** For the process: `io.host.exit`. The kernel cleans up as after a kill. */
  exited(process: SimProcess, status: number): void {
    if (process !== this.current) return
    const sinceUs = process.nowUs()
    this.exitStatus = status
    this.current = undefined
    process.end()
    this.network.processEnded(sinceUs)
    this.disk.processEnded()
  }

  printed(line: string, timeUs: number): void {
    this.lines.push({ timeUs, line })
  }

  timerLatenessUs(): number {
    return this.timerLatenessUsMax > 0 ? this.chance.below(this.timerLatenessUsMax) : 0
  }

  /** An exception in a simulated process is a bug: it says where and when. */
  described(error: unknown): unknown {
    if (error instanceof Error && !error.message.includes('of virtual time on ')) {
      error.message = `${error.message} (at ${this.scheduler.nowUs} µs of virtual time on ${this.name})`
    }
    return error
  }
}

const noCommands = (): number => 0
const noMemory = (): MemoryUse => ({ residentBytes: 0, usedBytes: 0, systemBytes: 0 })
