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
import { type CommandShape, compileCommand, type Draws } from './command-shape.ts'
import { createIdSource, createNumberSource } from './key-distribution.ts'
import { Link, type LinkEnd, type LinkOwner } from './link.ts'
import type { LoadSpec, NumberSpec } from './load-spec.ts'
import { Tally } from './tally.ts'

const RECONNECT_MS = 50
const LAG_PROBE_MS = 20
/** Below it the driver spins instead of setting a timer. */
const SPIN_US = 1500
/** Operations that are begun before input is looked at again. */
const BATCH = 256
/** How long an interrupted run waits for answers. */
const FAREWELL_MS = 500
const INTERRUPTED = 'the run was interrupted'

export interface DriverOptions {
  io: Io
  spec: LoadSpec
  /** This thread among all of the run. */
  part: { index: number; of: number }
  /** Whether deferring in a loop lets time pass: on real time, not in the simulator. */
  spins: boolean
  onSecond?: Tally['onSecond']
}

interface Client {
  /** Among all threads. */
  index: number
  link: Link | undefined
  draws: Draws
  choice: Random
  /** Why there is no link now. */
  downReason: string
  /** The server itself said so. */
  refused: boolean
  reconnect: Timer | undefined
}

export class Driver implements LinkOwner {
  readonly tally: Tally
  private readonly io: Io
  private readonly spec: LoadSpec
  private readonly spins: boolean
  private readonly clients: Client[]
  private readonly shapes: readonly CommandShape[]
  private readonly thresholds: readonly number[]
  private readonly handshake: readonly (readonly string[])[]
  private readonly arrivals: Arrivals | undefined
  private readonly backlog: number[] = []
  private backlogHead = 0
  private dirty: Link[] = []
  private nowUs = 0
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
  private endTimer: Timer | undefined
  private sweepTimer: Timer | undefined
  private lagTimer: Timer | undefined
  private onPrepared: (() => void) | undefined
  private onDone: (() => void) | undefined
  private connecting = 0
  interrupted = false

  constructor({ io, spec, part, spins, onSecond }: DriverOptions) {
    this.io = io
    this.spec = spec
    this.spins = spins
    this.tally = new Tally(spec.commands.length, spec.arrivals.kind !== 'closed')
    this.tally.onSecond = onSecond
    this.handshake = handshakeOf(spec)
    this.shapes = compileAll(spec)
    this.thresholds = thresholdsOf(spec)
    this.requestsLeft = spec.requests === null ? Number.POSITIVE_INFINITY : shareOfWhole(spec.requests, part)
    const { arrivals } = spec
    this.arrivals =
      arrivals.kind === 'closed'
        ? undefined
        : shareOf(createArrivals(arrivals, randomFromText(`${spec.seed}/arrivals`)), part.index, part.of)
    const count = shareOfWhole(spec.connections, part)
    this.clients = Array.from({ length: count }, (_, i) => createClient(spec, part.index + i * part.of))
  }

  /** Connects every client; `done` is called when each has succeeded or failed once. */
  prepare(done: () => void): void {
    this.onPrepared = done
    this.connecting = this.clients.length
    this.sweep()
    for (const client of this.clients) this.connect(client)
    if (this.connecting === 0) this.io.timers.defer(() => this.prepared())
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
      this.endTimer = this.io.timers.after(warmupMs + durationMs, () => this.stopWhenSent())
    }
    this.probeLag(this.nowUs)
    if (this.arrivals !== undefined) {
      this.nextArrivalUs = this.firstUs + this.arrivals.next()
      this.pace()
    } else {
      for (const client of this.clients) {
        if (client.link?.isReady === true) this.fill(client, client.link)
      }
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
      for (const client of this.clients) client.link?.close(INTERRUPTED)
    })
  }

  close(): void {
    this.isClosed = true
    this.isRunning = false
    for (const timer of [this.endTimer, this.sweepTimer, this.lagTimer]) timer?.cancel()
    for (const client of this.clients) {
      client.reconnect?.cancel()
      client.link?.close('the run is over')
    }
  }

  tick(): number {
    this.nowUs = this.io.clock.monotonicUs()
    return this.nowUs
  }

  ready(link: Link): void {
    this.prepared()
    const client = this.clientOf(link)
    if (this.isRunning && this.arrivals === undefined) this.fill(client, link)
  }

  answered(link: Link, command: number, intendedUs: number, sentUs: number, count: number, misses: number): void {
    this.inFlight -= count
    this.tally.succeeded(command, link.client, intendedUs, sentUs, this.nowUs, count, misses)
  }

  refused(link: Link, command: number, intendedUs: number, error: string): void {
    this.inFlight--
    this.tally.ended(command, link.client, intendedUs, this.nowUs, error, false)
  }

  lost(link: Link, command: number, intendedUs: number, reason: string, isTimeout: boolean): void {
    this.inFlight--
    this.tally.ended(command, link.client, intendedUs, this.nowUs, reason, isTimeout)
  }

  received(link: Link): void {
    if (this.isRunning) {
      if (this.arrivals === undefined) this.fill(this.clientOf(link), link)
      else if (this.backlogHead < this.backlog.length) this.sendBacklog(link)
    } else this.finishWhenIdle()
  }

  closed(link: Link, { reason, refused, isTimeout }: LinkEnd): void {
    const client = this.clientOf(link)
    if (client.link === link) client.link = undefined
    client.downReason = reason
    client.refused = refused
    this.tick()
    this.prepared()
    if (this.isClosed) return
    if (this.isRunning && this.arrivals === undefined && !link.wasReady && this.takeOne()) {
      // The client tried to do something and could not.
      const command = this.chooseCommand(client)
      this.fail(command, client.index, this.nowUs, reason, isTimeout)
    }
    if (this.isRunning || this.onDone === undefined) {
      client.reconnect = this.io.timers.after(link.hasServed ? 0 : RECONNECT_MS, () => this.connect(client))
    } else this.finishWhenIdle()
  }

  /** No new operations; those in flight may end. */
  private stop(): void {
    if (!this.isRunning) return
    this.isRunning = false
    this.stoppedUs = this.tick()
    this.finishWhenIdle()
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
      this.fail(this.chooseCommand(client), client.index, backlog[this.backlogHead]!, reason, isTimeout)
    }
    if (this.planIsOver()) this.stopWhenSent()
  }

  private planIsOver(): boolean {
    return this.requestsLeft <= 0 || this.nowUs >= this.endUs || this.nextArrivalUs >= this.endUs
  }

  private prepared(): void {
    if (this.connecting > 0) this.connecting--
    if (this.connecting > 0 || this.onPrepared === undefined) return
    const { onPrepared } = this
    this.onPrepared = undefined
    onPrepared()
  }

  /** Why not one client has a connection; undefined: at least one has. */
  get unreachable(): { reason: string; refused: boolean } | undefined {
    if (this.clients.length === 0 || this.clients.some(({ link }) => link?.isReady === true)) return undefined
    const { downReason, refused } = this.clients[0]!
    return { reason: downReason, refused }
  }

  /** From the beginning of measuring to the end of the plan, or to the last answer where that is later. */
  get measuredMs(): number {
    return Math.max(0, (Math.max(this.stoppedUs, this.tally.lastOkUs) - this.measureUs) / 1000)
  }

  private connect(client: Client): void {
    if (this.isClosed || client.link !== undefined) return
    client.link = new Link(this.io, client.index, this, { target: this.spec.target, handshake: this.handshake })
  }

  private clientOf(link: Link): Client {
    const first = this.clients[0]!.index
    const step = this.clients.length > 1 ? this.clients[1]!.index - first : 1
    return this.clients[(link.client - first) / step]!
  }

  /** Closed loop: as many operations as the pipeline is deep. */
  private fill(client: Client, link: Link): void {
    const { pipeline } = this.spec
    const { nowUs } = this
    while (link.inFlight < pipeline && this.takeOne()) this.send(client, link, nowUs)
    link.flush()
    if (this.requestsLeft <= 0) this.stop()
  }

  /** Whether one more operation may begin; it is then counted off. */
  private takeOne(): boolean {
    if (!this.isRunning || this.nowUs >= this.endUs || this.requestsLeft <= 0) return false
    if (this.nowUs >= this.measureUs) this.requestsLeft--
    return true
  }

  private send(client: Client, link: Link, intendedUs: number): void {
    const command = this.shapes.length === 1 ? 0 : this.chooseCommand(client)
    this.tally.began(command, intendedUs, this.nowUs)
    this.inFlight++
    link.add(this.shapes[command]!, command, client.draws, intendedUs, this.nowUs)
  }

  private chooseCommand({ choice }: Client): number {
    const { thresholds } = this
    const drawn = choice.uint32()
    let command = 0
    while (drawn >= thresholds[command]!) command++
    return command
  }

  private fail(command: number, client: number, intendedUs: number, reason: string, isTimeout: boolean): void {
    this.tally.began(command, intendedUs, this.nowUs)
    this.tally.ended(command, client, intendedUs, this.nowUs, reason, isTimeout)
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
    if (this.requestsLeft <= 0 || this.nextArrivalUs >= this.endUs) {
      this.stopWhenSent()
      return
    }
    const waitUs = this.nextArrivalUs - nowUs
    if (!this.spins) this.io.timers.after(Math.max(0, waitUs / 1000), () => this.pace())
    else if (waitUs < SPIN_US) this.io.timers.defer(this.paceAgain)
    else this.io.timers.after((waitUs - SPIN_US) / 1000, this.paceAgain)
  }

  private readonly paceAgain = (): void => this.pace()

  /** One operation that is due, on the next client that has room. */
  private begin(intendedUs: number): void {
    const { clients, spec } = this
    for (let tries = 0; tries < clients.length; tries++) {
      const client = clients[this.turn++ % clients.length]!
      const { link } = client
      if (link === undefined) {
        this.fail(this.chooseCommand(client), client.index, intendedUs, client.downReason, false)
        return
      }
      if (link.inFlight < spec.pipeline) {
        if (intendedUs >= this.measureUs) this.tally.late.record(this.nowUs - intendedUs)
        this.sendDirty(client, link, intendedUs)
        return
      }
    }
    this.backlog.push(intendedUs)
  }

  private sendBacklog(link: Link): void {
    const client = this.clientOf(link)
    while (this.backlogHead < this.backlog.length && link.inFlight < this.spec.pipeline) {
      this.send(client, link, this.backlog[this.backlogHead++]!)
    }
    if (this.backlogHead > 4096 && this.backlogHead * 2 > this.backlog.length) {
      this.backlog.splice(0, this.backlogHead)
      this.backlogHead = 0
    }
    link.flush()
    if (this.planIsOver()) this.stopWhenSent()
  }

  private sendDirty(client: Client, link: Link, intendedUs: number): void {
    if (!link.isDirty) {
      link.isDirty = true
      this.dirty.push(link)
    }
    this.send(client, link, intendedUs)
  }

  private flushDirty(): void {
    for (const link of this.dirty) {
      link.isDirty = false
      link.flush()
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
    for (const { link } of this.clients) {
      if (link !== undefined && link.waitingSinceUs() <= timedOutUs) {
        link.close(`no answer within ${timeoutMs} ms`, timedOutUs)
      }
    }
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

function createClient(spec: LoadSpec, index: number): Client {
  const random = randomFromText(`${spec.seed}/client/${index}`)
  const { count, distribution } = spec.keys
  return {
    index,
    link: undefined,
    choice: random,
    downReason: 'not connected yet',
    refused: false,
    reconnect: undefined,
    draws: {
      ids: createIdSource(distribution, count, random, { index, of: spec.connections }),
      uniformIds: createIdSource({ kind: 'uniform' }, count, random, { index, of: spec.connections }),
      valueBytes: createNumberSource(spec.valueBytes, random),
      ttlSeconds: createNumberSource(spec.ttlSeconds, random),
      lastId: 0,
      sequence: 0,
    },
  }
}

function compileAll(spec: LoadSpec): CommandShape[] {
  const { valueBytes } = spec
  const valueBytesMax = highest(valueBytes)
  const valueText = Buffer.alloc(Math.max(1, valueBytesMax))
  const random = randomFromText(`${spec.seed}/values`)
  for (let i = 0; i < valueText.length; i++) valueText[i] = 97 + random.below(26)
  const fixedValueBytes = valueBytes.kind === 'fixed' ? valueBytes.value : undefined
  const idDigits = String(spec.keys.count - 1).length
  const options = { keyPrefix: spec.keys.prefix, idDigits, valueBytesMax, fixedValueBytes, valueText }
  return spec.commands.map(({ words }) => compileCommand(words, options))
}

function highest(spec: NumberSpec): number {
  return spec.kind === 'fixed' ? spec.value : spec.high
}

/** Bounds in [0, 2^32] below which a draw means the command; the last is always above every draw. */
function thresholdsOf({ commands }: LoadSpec): number[] {
  const total = commands.reduce((sum, { weight }) => sum + weight, 0)
  let sum = 0
  return commands.map(({ weight }, i) => {
    sum += weight
    return i === commands.length - 1 ? Number.POSITIVE_INFINITY : (sum / total) * 2 ** 32
  })
}

/** Part `index` of a whole number that is dealt out to `of`. */
function shareOfWhole(whole: number, { index, of }: { index: number; of: number }): number {
  return Math.floor(whole / of) + (index < whole % of ? 1 : 0)
}

function handshakeOf({ protocol, credentials, database }: LoadSpec): string[][] {
  const words: string[][] = []
  const user = credentials?.user ?? null
  if (protocol === 3) {
    words.push(['HELLO', '3', ...(credentials === null ? [] : ['AUTH', user ?? 'default', credentials.password])])
  } else if (credentials !== null) {
    words.push(user === null ? ['AUTH', credentials.password] : ['AUTH', user, credentials.password])
  }
  if (database > 0) words.push(['SELECT', String(database)])
  // A server that wants a password says so here, not in the first operation.
  words.push(['PING'])
  return words
}
