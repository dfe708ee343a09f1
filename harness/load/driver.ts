/**
 * Drives the load of one thread: clients with their connections, the pacing of operations, time-outs and reconnecting.
 * It is written against the Io port, so it runs in the simulator as well; on real time it spins on the event loop
 * where timers (one millisecond apart) would be too coarse.
 *
 * Closed loop: every reply makes room for the next operation of its client. Open loop: operations begin at their
 * planned times, on the clients in turn; where every client has its fill they wait in line, and their latency counts
 * from the planned time all the same. Load goes on through a failure: what cannot be sent is an error.
 */
import { randomFromText } from '../../engine/data/random.ts'
import type { Io, Random, Timer } from '../../engine/io.ts'
import { type Arrivals, createArrivals, shareOf } from './arrivals.ts'
import { type ClientOwner, DirectClient, type LoadClient } from './client.ts'
import type { Draws } from './command-shape.ts'
import { type ConsumerTally, type RunningConsumer, startConsumer } from './consumers.ts'
import { createIdSource, createNumberSource } from './key-distribution.ts'
import { LatencyCounts } from './latency-counts.ts'
import type { Endpoint } from './link.ts'
import { type AddressSpec, type ConsumerSpec, isOpenLoop, type LoadSpec } from './load-spec.ts'
import { type Capture, type CapturedCommand, CapturedShape } from './monitor-capture.ts'
import { capturedOperations, compileOperations, type Operation, thresholdsOf } from './operation.ts'
import { RoutedClient } from './routed-client.ts'
import { Tally } from './tally.ts'
import { addressOf, createTopology, type RunningTopology } from './topology.ts'

const LAG_PROBE_MS = 20
/** Below it the driver spins instead of setting a timer. */
const SPIN_US = 1500
/** Operations that are begun before input is looked at again. */
const BATCH = 256
/** How long an interrupted run waits for answers. */
const FAREWELL_MS = 500
const INTERRUPTED = 'the run was interrupted'

/** Why the target cannot be loaded; `refused`: it answers, and does not want us. */
export interface Unreachable {
  reason: string
  refused: boolean
}

export interface DriverOptions {
  io: Io
  spec: LoadSpec
  /** This thread among all of the run. */
  part: { index: number; of: number }
  /** Whether deferring in a loop lets time pass: on real time, not in the simulator. */
  spins: boolean
  onSecond?: Tally['onSecond']
  /** What `spec.replay` names. */
  capture?: Capture | undefined
}

export class Driver implements ClientOwner {
  readonly tally: Tally
  private readonly io: Io
  private readonly spec: LoadSpec
  private readonly spins: boolean
  private readonly part: DriverOptions['part']
  private readonly isFirst: boolean
  /** Those commands of a capture that are this thread's. */
  private readonly captured: readonly CapturedCommand[] | undefined
  private readonly capturedShape = new CapturedShape()
  private nextCaptured = 0
  private readonly clients: readonly LoadClient[]
  private readonly topology: RunningTopology | undefined
  private readonly operations: readonly Operation[]
  private readonly thresholds: readonly number[]
  private readonly arrivals: Arrivals | undefined
  private readonly backlog: number[] = []
  private backlogHead = 0
  private readonly dirty: LoadClient[] = []
  nowUs = 0
  private firstUs = 0
  private endUs = Number.POSITIVE_INFINITY
  private measureUs = 0
  private stoppedUs = 0
  private nextArrivalUs = 0
  private requestsLeft: number
  private inFlight = 0
  private turn = 0
  private isRunning = false
  private isClosed = false
  private topologyFailure: string | undefined
  /** At least one first attempt to connect has succeeded. */
  private isReached = false
  private firstFailure: Unreachable | undefined
  /** Those of each row of `spec.consumers`. */
  private consumers: readonly RunningConsumer[][] = []
  private endTimer: Timer | undefined
  private sweepTimer: Timer | undefined
  private lagTimer: Timer | undefined
  private onDone: (() => void) | undefined
  interrupted = false

  constructor({ io, spec, part, spins, onSecond, capture }: DriverOptions) {
    this.io = io
    this.spec = spec
    this.spins = spins
    this.part = part
    this.isFirst = part.index === 0
    this.tally = new Tally(spec.commands.length, isOpenLoop(spec))
    this.tally.onSecond = onSecond
    this.captured = capture?.entries.filter(({ client }) => (client % spec.connections) % part.of === part.index)
    this.operations = capture === undefined ? compileOperations(spec) : capturedOperations(capture, this.capturedShape)
    this.thresholds = thresholdsOf(spec.commands)
    this.requestsLeft = spec.requests === null ? Number.POSITIVE_INFINITY : shareOfWhole(spec.requests, part)
    this.arrivals = this.createArrivals()
    this.topology = this.createTopology()
    const count = shareOfWhole(spec.connections, part)
    this.clients = Array.from({ length: count }, (_, i) => this.createClient(part.index + i * part.of))
  }

  private createArrivals(): Arrivals | undefined {
    const { spec, part, captured } = this
    const { arrivals, replay, seed } = spec
    if (captured !== undefined && replay !== null) {
      let next = 0
      return { next: () => (captured[next++]?.atUs ?? Number.POSITIVE_INFINITY) / replay.speed }
    }
    if (arrivals.kind === 'closed') return undefined
    return shareOf(createArrivals(arrivals, randomFromText(`${seed}/arrivals`)), part.index, part.of)
  }

  private createTopology(): RunningTopology | undefined {
    const { io, spec } = this
    const { target } = spec
    if (target.kind === 'server' || target.kind === 'unix') return undefined
    const onChange = (): void => {
      const nodes = this.topology?.nodes() ?? []
      for (const client of this.clients) if (client instanceof RoutedClient) client.forgetOthers(nodes)
    }
    return createTopology(target, { io, spec, onChange })
  }

  private createClient(index: number): LoadClient {
    const { io, spec, operations, topology } = this
    const { target } = spec
    const choice = randomFromText(`${spec.seed}/client/${index}`)
    const draws = createDraws(spec, index, choice, io)
    const setup = { io, index, choice, draws, operations, handshake: handshakeOf(spec) }
    if (topology !== undefined) return new RoutedClient(setup, this, topology)
    const address = target.kind === 'unix' ? { host: '', port: 0, path: target.path } : (target as Endpoint)
    return new DirectClient(setup, this, address)
  }

  /** Connects every client; `done` is called when each has succeeded or failed once. */
  prepare(done: () => void): void {
    this.sweep()
    const connect = (): void => {
      let connecting = this.clients.length + this.consumerCount()
      const oneDone = (): void => {
        if (--connecting === 0) this.io.timers.defer(done)
      }
      if (connecting === 0) this.io.timers.defer(done)
      for (const client of this.clients) {
        client.connect(() => {
          this.noteAttempt(client)
          oneDone()
        })
      }
      this.startConsumers(oneDone)
    }
    if (this.topology === undefined) connect()
    else {
      this.topology.start((failure) => {
        this.topologyFailure = failure
        if (failure === undefined) connect()
        else done()
      })
    }
  }

  /** Of a client's first attempt. Others may be under way by the time the last client has made its first. */
  private noteAttempt(client: LoadClient): void {
    if (client.downReason === undefined) this.isReached = true
    else {
      const refused = client instanceof DirectClient && client.isRefused
      this.firstFailure ??= { reason: client.downReason, refused }
    }
  }

  /** What the consumers of each row of the specification have received so far. */
  get received(): ConsumerTally[] {
    return this.consumers.map((row) => {
      const sum: ConsumerTally = { messages: 0, failures: 0, delivery: new LatencyCounts() }
      for (const { tally } of row) {
        sum.messages += tally.messages
        sum.failures += tally.failures
        sum.delivery.add(tally.delivery)
      }
      return sum
    })
  }

  /** All of them are in the first thread: a message arrives once at each, wherever it was sent. */
  private consumerCount(): number {
    return this.isFirst ? this.spec.consumers.reduce((sum, { connections }) => sum + connections, 0) : 0
  }

  private startConsumers(oneDone: () => void): void {
    const { io, spec, topology } = this
    const { target } = spec
    const node = (): AddressSpec | undefined => {
      if (topology === undefined) return target as Endpoint
      const name = topology.nodeFor(undefined, false, 0)
      return name === undefined ? undefined : addressOf(name)
    }
    const one = (row: ConsumerSpec) => (_: unknown, i: number) => startConsumer(io, row, i, spec, node, oneDone)
    this.consumers = this.isFirst ? spec.consumers.map((row) => Array.from({ length: row.connections }, one(row))) : []
  }

  /** Begins; `done` is called when the last operation has ended. */
  start(done: () => void): void {
    this.onDone = done
    const { durationMs, warmupMs } = this.spec
    this.firstUs = this.tick()
    this.measureUs = this.firstUs + warmupMs * 1000
    this.tally.start(this.measureUs)
    this.isRunning = true
    if (durationMs !== null) {
      this.endUs = this.measureUs + durationMs * 1000
      this.endTimer = this.io.timers.after(warmupMs + durationMs, () => this.endPlan())
    }
    this.probeLag(this.nowUs)
    if (this.arrivals !== undefined) {
      this.nextArrivalUs = this.firstUs + this.arrivals.next()
      this.pace()
    } else {
      for (const client of this.clients) this.fill(client)
    }
    this.finishWhenIdle()
  }

  /** Ends early: no new operations, those in flight may end within half a second. */
  interrupt(): void {
    this.interrupted = true
    if (this.onDone === undefined) return
    this.tick()
    this.expireBacklog(Number.POSITIVE_INFINITY, INTERRUPTED, false)
    this.stop()
    this.endTimer?.cancel()
    this.endTimer = this.io.timers.after(FAREWELL_MS, () => {
      for (const client of this.clients) client.close(INTERRUPTED)
    })
  }

  close(): void {
    this.isClosed = true
    this.isRunning = false
    for (const timer of [this.endTimer, this.sweepTimer, this.lagTimer]) timer?.cancel()
    this.topology?.close()
    for (const consumer of this.consumers.flat()) consumer.close()
    for (const client of this.clients) client.close('the run is over')
  }

  tick(): number {
    this.nowUs = this.io.clock.monotonicUs()
    return this.nowUs
  }

  room(client: LoadClient): void {
    if (!this.isRunning) this.finishWhenIdle()
    else if (this.arrivals === undefined) this.fill(client)
    else if (this.backlogHead < this.backlog.length) this.sendBacklog(client)
  }

  answered(
    client: LoadClient,
    command: number,
    intendedUs: number,
    sentUs: number,
    count: number,
    misses: number,
  ): void {
    this.inFlight -= count
    this.tally.succeeded(command, client.index, intendedUs, sentUs, this.nowUs, count, misses)
  }

  failed(client: LoadClient, command: number, intendedUs: number, text: string, isTimeout: boolean): void {
    this.inFlight--
    this.tally.ended(command, client.index, intendedUs, this.nowUs, text, isTimeout)
    if (!this.isRunning && this.inFlight === 0) this.io.timers.defer(() => this.finishWhenIdle())
  }

  /** In a closed loop the client tried to do something and could not. */
  attemptFailed(client: LoadClient, reason: string, isTimeout: boolean): void {
    if (!this.isRunning || this.arrivals !== undefined || !this.takeOne()) return
    this.fail(client, this.nowUs, reason, isTimeout)
    if (this.requestsLeft <= 0) this.stop()
  }

  /** No new operations; those in flight may end. */
  private stop(): void {
    if (!this.isRunning) return
    this.isRunning = false
    this.stoppedUs = this.tick()
    this.finishWhenIdle()
  }

  /** Time is up. Arrivals that are due and were not begun, because this thread was held up, still are: see `pace`. */
  private endPlan(): void {
    this.tick()
    if (this.arrivals === undefined || this.planIsOver()) this.stopWhenSent()
  }

  /** The plan is over: what is due and waits in line is still sent. */
  private stopWhenSent(): void {
    this.tick()
    if (this.backlogHead === this.backlog.length) this.stop()
  }

  private expireBacklog(untilUs: number, reason: string, isTimeout: boolean): void {
    const { backlog } = this
    for (; this.backlogHead < backlog.length && backlog[this.backlogHead]! <= untilUs; this.backlogHead++) {
      const client = this.clients[this.turn++ % this.clients.length]!
      this.fail(client, backlog[this.backlogHead]!, reason, isTimeout)
    }
    if (this.planIsOver()) this.stopWhenSent()
  }

  /** Of an open loop. A plan with a pause at its end lasts until the pause is over. */
  private planIsOver(): boolean {
    const { requestsLeft, nextArrivalUs, endUs } = this
    if (requestsLeft <= 0 || nextArrivalUs === Number.POSITIVE_INFINITY) return true
    return nextArrivalUs >= endUs && this.nowUs >= endUs
  }

  /** Why nothing can be loaded; undefined: at least one client has had a connection. */
  get unreachable(): Unreachable | undefined {
    if (this.topologyFailure !== undefined) return { reason: this.topologyFailure, refused: false }
    return this.isReached ? undefined : this.firstFailure
  }

  /** From the beginning of measuring to the end of the plan, or to the last answer where that is later. */
  get measuredMs(): number {
    return Math.max(0, (Math.max(this.stoppedUs, this.tally.lastOkUs) - this.measureUs) / 1000)
  }

  /** Closed loop: as many operations as the pipeline is deep. */
  private fill(client: LoadClient): void {
    const { pipeline } = this.spec
    const { nowUs } = this
    while (!client.isResting && client.inFlight < pipeline && this.takeOne()) this.send(client, nowUs)
    client.flush()
    if (this.requestsLeft <= 0) this.stop()
  }

  /** Whether one more operation may begin; it is then counted off. */
  private takeOne(): boolean {
    if (!this.isRunning || this.nowUs >= this.endUs || this.requestsLeft <= 0) return false
    if (this.nowUs >= this.measureUs) this.requestsLeft--
    return true
  }

  private send(client: LoadClient, intendedUs: number): void {
    const operation = this.operations.length === 1 ? this.operations[0]! : this.choose(client)
    this.tally.began(operation.index, intendedUs, this.nowUs)
    this.inFlight++
    client.begin(operation, intendedUs)
  }

  private choose({ choice }: LoadClient): Operation {
    const { thresholds } = this
    const drawn = choice.uint32()
    let command = 0
    while (drawn >= thresholds[command]!) command++
    return this.operations[command]!
  }

  /** An operation that is over before it was sent. */
  private fail(client: LoadClient, intendedUs: number, reason: string, isTimeout: boolean): void {
    const { index } = this.choose(client)
    this.tally.began(index, intendedUs, this.nowUs)
    this.tally.ended(index, client.index, intendedUs, this.nowUs, reason, isTimeout)
  }

  /** Open loop: begins what is due, then waits for the next. */
  private pace(): void {
    if (!this.isRunning || this.arrivals === undefined) return
    const nowUs = this.tick()
    let begun = 0
    while (this.nextArrivalUs <= nowUs && this.nextArrivalUs < this.endUs && begun < BATCH) {
      if (this.requestsLeft <= 0) break
      if (this.nextArrivalUs >= this.measureUs) this.requestsLeft--
      this.begin(this.nextArrivalUs)
      this.nextArrivalUs = this.firstUs + this.arrivals.next()
      begun++
    }
    if (begun > 0) this.flushDirty()
    if (this.planIsOver()) {
      this.stopWhenSent()
      return
    }
    if (this.nextArrivalUs >= this.endUs) return
    const waitUs = this.nextArrivalUs - nowUs
    if (!this.spins) this.io.timers.after(Math.max(0, waitUs / 1000), () => this.pace())
    else if (waitUs < SPIN_US) this.io.timers.defer(this.paceAgain)
    else this.io.timers.after((waitUs - SPIN_US) / 1000, this.paceAgain)
  }

  private readonly paceAgain = (): void => this.pace()

  /** One operation that is due, on the next client that has room. */
  private begin(intendedUs: number): void {
    const { clients, spec } = this
    if (this.captured !== undefined) {
      this.beginCaptured(this.captured[this.nextCaptured++]!, intendedUs)
      return
    }
    for (let tries = 0; tries < clients.length; tries++) {
      const client = clients[this.turn++ % clients.length]!
      if (client.downReason !== undefined) {
        this.fail(client, intendedUs, client.downReason, false)
        return
      }
      if (client.inFlight < spec.pipeline) {
        if (intendedUs >= this.measureUs) this.tally.late.record(this.nowUs - intendedUs)
        this.markDirty(client)
        this.send(client, intendedUs)
        return
      }
    }
    this.backlog.push(intendedUs)
  }

  /** The client is given, so that the order of each client of the capture is kept. */
  private beginCaptured({ client: number, command, bytes }: CapturedCommand, intendedUs: number): void {
    const { part, spec, nowUs } = this
    const client = this.clients[((number % spec.connections) - part.index) / part.of]!
    this.tally.began(command, intendedUs, nowUs)
    if (client.downReason !== undefined) {
      this.tally.ended(command, client.index, intendedUs, nowUs, client.downReason, false)
      return
    }
    this.tally.late.record(nowUs - intendedUs)
    this.inFlight++
    this.capturedShape.bytes = bytes
    this.markDirty(client)
    client.begin(this.operations[command]!, intendedUs)
  }

  private markDirty(client: LoadClient): void {
    if (client.isDirty) return
    client.isDirty = true
    this.dirty.push(client)
  }

  private sendBacklog(client: LoadClient): void {
    while (this.backlogHead < this.backlog.length && client.inFlight < this.spec.pipeline) {
      this.send(client, this.backlog[this.backlogHead++]!)
    }
    if (this.backlogHead > 4096 && this.backlogHead * 2 > this.backlog.length) {
      this.backlog.splice(0, this.backlogHead)
      this.backlogHead = 0
    }
    client.flush()
    if (this.planIsOver()) this.stopWhenSent()
  }

  private flushDirty(): void {
    for (const client of this.dirty) {
      client.isDirty = false
      client.flush()
    }
    this.dirty.length = 0
  }

  private finishWhenIdle(): void {
    if (this.isRunning || this.inFlight > 0 || this.onDone === undefined) return
    const { onDone } = this
    this.onDone = undefined
    this.tally.finish(this.tick())
    onDone()
  }

  /** Ends what has waited too long. */
  private sweep(): void {
    if (this.isClosed) return
    const { timeoutMs } = this.spec
    const timedOutUs = this.tick() - timeoutMs * 1000
    for (const client of this.clients) client.expire(timedOutUs, `no answer within ${timeoutMs} ms`)
    if (this.backlogHead < this.backlog.length) {
      this.expireBacklog(timedOutUs, `no free connection within ${timeoutMs} ms`, true)
    }
    this.sweepTimer = this.io.timers.after(Math.min(100, Math.max(1, timeoutMs / 20)), () => this.sweep())
  }

  private probeLag(dueUs: number): void {
    if (this.isClosed) return
    if (this.nowUs >= this.measureUs) this.tally.lag.record(Math.max(1, this.io.clock.monotonicUs() - dueUs))
    const nextUs = this.io.clock.monotonicUs() + LAG_PROBE_MS * 1000
    this.lagTimer = this.io.timers.after(LAG_PROBE_MS, () => this.probeLag(nextUs))
  }
}

function createDraws(spec: LoadSpec, index: number, random: Random, io: Io): Draws {
  const { count, distribution } = spec.keys
  const place = { index, of: spec.connections }
  return {
    ids: createIdSource(distribution, count, random, place),
    uniformIds: createIdSource({ kind: 'uniform' }, count, random, place),
    valueBytes: createNumberSource(spec.valueBytes, random),
    ttlSeconds: createNumberSource(spec.ttlSeconds, random),
    lastId: 0,
    sequence: 0,
    wallUs: () => io.clock.wallUs(),
  }
}

/** Part `index` of a whole number that is dealt out to `of`. */
function shareOfWhole(whole: number, { index, of }: { index: number; of: number }): number {
  return Math.floor(whole / of) + (index < whole % of ? 1 : 0)
}

function handshakeOf({ protocol, credentials, database, scripts, target }: LoadSpec): string[][] {
  const words: string[][] = []
  const user = credentials?.user ?? null
  if (protocol === 3) {
    words.push(['HELLO', '3', ...(credentials === null ? [] : ['AUTH', user ?? 'default', credentials.password])])
  } else if (credentials !== null) {
    words.push(user === null ? ['AUTH', credentials.password] : ['AUTH', user, credentials.password])
  }
  if (database > 0) words.push(['SELECT', String(database)])
  for (const { source } of scripts) words.push(['SCRIPT', 'LOAD', source])
  // Only then does a replica of a cluster answer reads.
  if (target.kind === 'cluster' && target.reads === 'replicas') words.push(['READONLY'])
  // A server that wants a password says so here, not in the first operation.
  words.push(['PING'])
  return words
}
