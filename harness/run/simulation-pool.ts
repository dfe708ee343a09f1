/**
 * Simulations on all cores: one worker thread each, started when first needed. An outcome does not depend on which
 * worker ran it, nor on what ran before.
 */
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { HarnessError, interrupted } from '../errors.ts'
import { simulationWorkerBundle } from '../world/programs.ts'
import type { ArmOutcome } from './run-scenario.ts'
import type { SimulationJob, SimulationReply } from './simulation-worker.ts'

/**
 * A simulation is over before V8 has optimised all of it. Compiling to baseline code at once, and optimising less
 * eagerly, makes three arms on two cores about 15 % faster (medians of four runs each: 3.15 s against 3.75 s). CPU time
 * of the first two arms of a process, smallest of five: 1.94 s with a budget of 300,000, 1.79 s with 450,000, 1.78 s
 * with 600,000; 1.93 s with 1,200,000; 2.47 s without flags.
 */
const V8_FLAGS = ['--always-sparkplug', '--interrupt-budget=600000']

interface Waiting {
  job: SimulationJob
  resolve(outcome: ArmOutcome): void
  reject(error: Error): void
}

export class SimulationPool {
  private readonly size: number
  private readonly idle: Worker[] = []
  private readonly workers = new Set<Worker>()
  private readonly queue: Waiting[] = []
  private readonly running = new Map<Worker, Waiting>()
  private readonly signal: AbortSignal
  private readonly onAbort = (): void => this.abort()

  /** `jobs`: how many there will be, so that no worker is started in vain. */
  constructor(jobs: number, signal: AbortSignal) {
    this.size = Math.max(1, Math.min(availableParallelism(), jobs))
    this.signal = signal
    signal.addEventListener('abort', this.onAbort)
    for (const flag of V8_FLAGS) setFlagsFromString(flag)
  }

  /** Rejects with the worker's error, or INTERRUPTED. */
  run(job: SimulationJob): Promise<ArmOutcome> {
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) {
        reject(interrupted())
        return
      }
      this.queue.push({ job, resolve, reject })
      this.startNext()
    })
  }

  async close(): Promise<void> {
    this.signal.removeEventListener('abort', this.onAbort)
    await Promise.all([...this.workers].map((worker) => worker.terminate()))
  }

  private startNext(): void {
    if (this.queue.length === 0) return
    const worker = this.idle.pop() ?? (this.workers.size < this.size ? this.startWorker() : undefined)
    if (worker === undefined) return
    const waiting = this.queue.shift() as Waiting
    this.running.set(worker, waiting)
    worker.postMessage(waiting.job)
  }

  private startWorker(): Worker {
    // A simulation makes much short-lived garbage: a large young generation is collected less often.
    const worker = new Worker(simulationWorkerBundle(), { resourceLimits: { maxYoungGenerationSizeMb: 128 } })
    this.workers.add(worker)
    worker.on('message', (reply: SimulationReply) => {
      const waiting = this.running.get(worker)
      this.running.delete(worker)
      this.idle.push(worker)
      if ('error' in reply) waiting?.reject(failure(waiting.job, reply.error))
      else waiting?.resolve(reply)
      this.startNext()
    })
    worker.on('error', (error) => this.lose(worker, error.message))
    worker.on('exit', (status) => this.lose(worker, `its worker thread ended with status ${status}`))
    return worker
  }

  private lose(worker: Worker, reason: string): void {
    this.workers.delete(worker)
    const waiting = this.running.get(worker)
    this.running.delete(worker)
    waiting?.reject(this.signal.aborted ? interrupted() : failure(waiting.job, reason))
  }

  private abort(): void {
    for (const { reject } of this.queue.splice(0)) reject(interrupted())
    for (const worker of this.workers) void worker.terminate()
  }
}

function failure({ arm, seed }: SimulationJob, reason: string): HarnessError {
  return new HarnessError('SIMULATION', `Arm ${arm} of seed ${seed} could not be simulated: ${reason}`)
}
