/**
 * One thread of a load: in this thread, or in a worker of its own. Both do the same three things: connect, run, hand
 * over what was counted.
 */
import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import type { Io } from '../../engine/io.ts'
import { createNodeIo } from '../../engine/node/io.ts'
import { HarnessError } from '../errors.ts'
import { createDeferred } from '../world/deferred.ts'
import { loadWorkerBundle } from '../world/programs.ts'
import { Driver, type Unreachable } from './driver.ts'
import { isOpenLoop, type LoadSpec } from './load-spec.ts'
import type { WorkerMessage, WorkerOrder } from './load-worker.ts'
import { readCapture } from './monitor-capture.ts'
import type { Part } from './summary.ts'
import type { SecondTally } from './tally.ts'
import type { Addresses } from './target-probe.ts'

const LAST_MESSAGES_MS = 200

export interface ThreadOutcome extends Part {
  measuredMs: number
  interrupted: boolean
}

export interface ThreadPart {
  index: number
  of: number
  /** What is known of the hosts at the start. */
  addresses: Addresses
}

type OnSecond = (second: SecondTally, index: number) => void

export class LocalThread {
  private readonly spec: LoadSpec
  private readonly driver: Driver
  private isRunning = false

  constructor(spec: LoadSpec, part: ThreadPart, onSecond: OnSecond) {
    this.spec = spec
    const io = this.createIo(part.addresses)
    this.driver = new Driver({ io, spec, part, spins: true, onSecond, capture: readCapture(spec) })
  }

  /** First connections go to known addresses; later ones by name, since a failover may show in the name service. */
  private createIo(addresses: Addresses): Io {
    const io = createNodeIo()
    const network: Io['network'] = {
      listen: (options, handlers) => io.network.listen(options, handlers),
      connect: (options, handlers) => {
        const known = this.isRunning ? undefined : addresses[options.host]
        return io.network.connect(known === undefined ? options : { ...options, host: known }, handlers)
      },
    }
    return { ...io, network }
  }

  /** Connects; resolves with why nothing can be reached, or with nothing. */
  async prepare(): Promise<Unreachable | undefined> {
    await new Promise<void>((resolve) => this.driver.prepare(resolve))
    return this.driver.unreachable
  }

  async run(): Promise<ThreadOutcome> {
    const { driver, spec } = this
    this.isRunning = true
    const before = performance.eventLoopUtilization()
    await new Promise<void>((resolve) => driver.start(resolve))
    // An open loop spins: its event loop is always busy, and its lateness tells instead.
    const isClosed = !isOpenLoop(spec)
    const busy = isClosed ? performance.eventLoopUtilization(before).utilization : null
    // What was published last may still be on its way.
    if (spec.consumers.length > 0) await new Promise((resolve) => setTimeout(resolve, LAST_MESSAGES_MS))
    const { tally, received, measuredMs, interrupted } = driver
    return { tally, received, busy, measuredMs, interrupted }
  }

  interrupt(): void {
    this.driver.interrupt()
  }

  async close(): Promise<void> {
    this.driver.close()
  }
}

export class WorkerThread {
  private readonly worker: Worker
  private readonly prepared = createDeferred<Unreachable | undefined>()
  private readonly outcome = createDeferred<ThreadOutcome>()

  constructor(spec: LoadSpec, part: ThreadPart, onSecond: OnSecond) {
    this.worker = new Worker(loadWorkerBundle(), { workerData: { spec, part } })
    // Whoever does not wait for one of them any more is not to be told.
    this.prepared.promise.catch(() => {})
    this.outcome.promise.catch(() => {})
    this.worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'prepared') this.prepared.resolve(message.unreachable)
      else if (message.type === 'second') onSecond(message.second, message.index)
      else this.outcome.resolve(message.outcome)
    })
    this.worker.on('error', (error) => this.lose(error.message))
    this.worker.on('exit', (status) => this.lose(`it ended with status ${status}`))
  }

  prepare(): Promise<Unreachable | undefined> {
    return this.prepared.promise
  }

  run(): Promise<ThreadOutcome> {
    this.order('run')
    return this.outcome.promise
  }

  interrupt(): void {
    this.order('interrupt')
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }

  private order(order: WorkerOrder): void {
    this.worker.postMessage(order)
  }

  private lose(reason: string): void {
    const error = new HarnessError('LOAD_TARGET', `A thread of the load driver failed: ${reason}.`)
    this.prepared.reject(error)
    this.outcome.reject(error)
  }
}
