/**
 * One simulated process: an event loop with a CPU that takes time, and the `Io` that the program in it sees.
 *
 * A task (a chunk that arrived, a timer that is due, …) is queued when it happens and run when the CPU is free. While
 * a task runs, virtual time stands still for the rest of the world, and the process has a time of its own that grows
 * with the work done: its clock shows it, and what it sends leaves at that time.
 *
 *   world:    ──┬──────────┬────┬──────────────────▶
 *            arrival 1   2    3
 *   process:    [ turn: 1 ]───[ turn: 2 and 3 ]     a turn handles what waits, then what was deferred
 *
 * A process that has ended runs nothing: its tasks, timers and connections are dropped, and `Io` calls by code that
 * is still on the stack have no effect, except that the disk throws (nothing may be written after death).
 */

import type { Disk, Host, Io, Network, Random, Timer, Timers } from '../../../engine/io.ts'
import { readLuaProgram } from '../../../engine/node/lua-program.ts'
import type { CpuCosts } from './cpu.ts'
import { TaskKind } from './cpu.ts'
import type { SimHost } from './host.ts'
import type { EventHandle, Scheduler } from './scheduler.ts'

interface Task {
  kind: TaskKind
  costUs: number
  run: () => void
}

/** What a shell says of a process that a signal has ended. */
const signalStatus = { SIGABRT: 134, SIGSEGV: 139 }

/** Thrown into the program of a process that no longer exists. */
export class ProcessEnded extends Error {
  constructor(hostName: string) {
    super(`the process on ${hostName} has ended`)
    this.name = 'ProcessEnded'
  }
}

export class SimProcess implements Io {
  readonly clock = {
    wallMs: () => Math.floor(this.machine.clock.wallUs(this.nowUs()) / 1000),
    wallUs: () => this.machine.clock.wallUs(this.nowUs()),
    monotonicUs: () => this.machine.clock.monotonicUs(this.nowUs()),
  }
  readonly timers: Timers
  readonly network: Network
  readonly disk: Disk
  readonly random: Random
  readonly host: Host
  readonly machine: SimHost
  alive = true

  private readonly scheduler: Scheduler
  private readonly costs: CpuCosts
  private readonly pendingTimers = new Set<SimTimer>()
  private queue: Task[] = []
  private deferred: (() => void)[] = []
  private turnScheduled = false
  private paused = false
  private inTask = false
  /** The process's own time while it runs a turn, and the time until which it is busy afterwards. */
  private localUs = 0
  private commandsAtTaskStart = 0
  private consumedUs = 0

  constructor(machine: SimHost, scheduler: Scheduler, costs: CpuCosts, ports: Pick<Io, 'random'>, processId: number) {
    this.machine = machine
    this.scheduler = scheduler
    this.costs = costs
    this.random = ports.random
    this.disk = machine.disk.openedBy(this)
    this.network = machine.network.openedBy(this)
    this.timers = {
      after: (delayMs, callback) => this.addTimer(delayMs, callback),
      defer: (callback) => {
        if (!this.alive) return
        this.deferred.push(callback)
        this.scheduleTurn()
      },
    }
    this.host = {
      processId,
      hostName: machine.name,
      platform: 'simulated',
      runtime: 'simulated',
      multiplexing: 'simulated',
      executable: '/faultline-engine',
      print: (line) => {
        if (this.alive) machine.printed(line, this.nowUs())
      },
      memory: () => machine.memoryMeter(),
      cpu: () => {
        const userUs = Math.round(this.consumedUs + this.spentInTaskUs())
        return { userUs, systemUs: 0, mainUserUs: userUs, mainSystemUs: 0 }
      },
      secretBytes: (count) => {
        const bytes = Buffer.alloc(count)
        this.random.fill(bytes)
        return bytes
      },
      sleep: (durationUs) => this.consume(durationUs),
      luaProgram: readLuaProgram,
      computed: (durationUs) => this.consume(durationUs),
      exit: (status) => machine.exited(this, status),
      crash: (signal) => machine.exited(this, signalStatus[signal]),
    }
  }

  /** True time, including what the running task has used of the CPU so far. */
  nowUs(): number {
    return this.inTask ? this.localUs + this.spentInTaskUs() : this.scheduler.nowUs
  }

  /** Queues work for the event loop. */
  post(kind: TaskKind, costUs: number, run: () => void): void {
    if (!this.alive) return
    this.queue.push({ kind, costUs, run })
    this.scheduleTurn()
  }

  /** Work that blocks the process, such as a synchronous fsync. */
  consume(durationUs: number): void {
    if (this.inTask) this.localUs += durationUs
    else this.localUs = Math.max(this.localUs, this.scheduler.nowUs) + durationUs
    this.consumedUs += durationUs
  }

  get perChunkUs(): number {
    return this.costs.perChunkUs
  }

  get perByteUs(): number {
    return this.costs.perByteUs
  }

  get perEventUs(): number {
    return this.costs.perEventUs
  }

  get perFileWriteUs(): number {
    return this.costs.perFileWriteUs
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    if (this.queue.length > 0 || this.deferred.length > 0) this.scheduleTurn()
  }

  /** The clock's rate has changed: what was planned for a reading of the clock moves in true time. */
  rearmTimers(): void {
    for (const timer of this.pendingTimers) timer.rearm()
  }

  /** Memory and timers are gone. What the kernel does with the sockets is the machine's business. */
  end(): void {
    this.alive = false
    this.queue = []
    this.deferred = []
    for (const timer of this.pendingTimers) timer.cancel()
  }

  private addTimer(delayMs: number, callback: () => void): Timer {
    const latenessUs = this.machine.timerLatenessUs()
    const deadlineUs = this.clock.monotonicUs() + (delayMs > 0 ? delayMs * 1000 : 0)
    const timer = new SimTimer(this, this.scheduler, this.pendingTimers, deadlineUs, latenessUs, callback)
    if (this.alive) timer.rearm()
    return timer
  }

  private spentInTaskUs(): number {
    return this.inTask ? (this.machine.cpuMeter() - this.commandsAtTaskStart) * this.costs.perCommandUs : 0
  }

  private scheduleTurn(): void {
    if (this.turnScheduled || this.paused) return
    this.turnScheduled = true
    this.scheduler.at(Math.max(this.localUs, this.scheduler.nowUs), () => this.turn())
  }

  /** One turn of the event loop. Runs as an event of its own, so that everything due at the same time is in it. */
  private turn(): void {
    this.turnScheduled = false
    if (!this.alive || this.paused) return
    this.localUs = Math.max(this.localUs, this.scheduler.nowUs)
    const tasks = this.queue
    this.queue = []
    for (const task of tasks) {
      this.runTask(task.kind, task.costUs, task.run)
      if (!this.alive) return
    }
    const deferred = this.deferred
    this.deferred = []
    for (const callback of deferred) {
      this.runTask(TaskKind.deferred, 0, callback)
      if (!this.alive) return
    }
    if (this.queue.length > 0 || this.deferred.length > 0) this.scheduleTurn()
  }

  private runTask(kind: TaskKind, costUs: number, run: () => void): void {
    const { trace } = this.scheduler
    trace.mix(this.machine.index)
    trace.mix(kind)
    this.localUs += costUs
    this.consumedUs += costUs
    this.commandsAtTaskStart = this.machine.cpuMeter()
    this.inTask = true
    try {
      run()
    } catch (error) {
      if (!(error instanceof ProcessEnded && !this.alive)) throw this.machine.described(error)
    } finally {
      const spentUs = this.alive ? this.spentInTaskUs() : 0
      this.localUs += spentUs
      this.consumedUs += spentUs
      this.inTask = false
    }
  }
}

/**
 * A timer of a simulated process. It is due when the host's monotonic clock shows the deadline, and then a little
 * later, as real timers are.
 */
class SimTimer implements Timer {
  private readonly process: SimProcess
  private readonly scheduler: Scheduler
  private readonly pending: Set<SimTimer>
  private readonly deadlineUs: number
  private readonly latenessUs: number
  private readonly callback: () => void
  private event: EventHandle = 0
  private over = false

  constructor(
    process: SimProcess,
    scheduler: Scheduler,
    pending: Set<SimTimer>,
    deadlineUs: number,
    latenessUs: number,
    callback: () => void,
  ) {
    this.process = process
    this.scheduler = scheduler
    this.pending = pending
    this.deadlineUs = deadlineUs
    this.latenessUs = latenessUs
    this.callback = callback
    pending.add(this)
  }

  cancel(): void {
    this.over = true
    this.pending.delete(this)
    this.scheduler.cancel(this.event)
  }

  rearm(): void {
    this.scheduler.cancel(this.event)
    const dueUs = this.process.machine.clock.trueUs(this.deadlineUs) + this.latenessUs
    this.event = this.scheduler.at(dueUs, () => {
      this.pending.delete(this)
      this.process.post(TaskKind.timer, this.process.perEventUs, () => {
        if (!this.over) this.callback()
      })
    })
  }
}
