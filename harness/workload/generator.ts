/**
 * The generator of open-loop workloads: every client writes at fixed times. An operation begins at its intended time
 * whether or not earlier ones were answered, so a stall cannot hide itself (coordinated omission).
 */
import { keyHashSlot } from '../../engine/data/crc16.ts'
import type { Io, Timer } from '../../engine/io.ts'
import type { Recorder } from '../history/history.ts'
import { startShop } from '../shop/shop-load.ts'
import type { World, WorldNode } from '../world/world.ts'
import { ClusterClient } from './cluster-client.ts'
import { DATA_PREFIX } from './data-set.ts'
import type { Address } from './resp-client.ts'
import { startSaturation } from './saturation.ts'
import { ServerClient, type WorkloadClient, type WriteResult } from './server-client.ts'
import { TransactionGenerator } from './transactions.ts'
import { clientsByGroup, type OpenLoopSpec, type WorkloadSpec } from './workload.ts'

/** An operation that starts this much after its time shows that the generator itself is overloaded. */
const LATE_MS = 100
/**
 * Keys carry one of so many hash tags, each of a slot of its own: enough to spread, few enough to be read in groups.
 */
const TAGS = 64
/** Operations of one client that may wait for an answer; past it the client refuses to send more. */
const MAX_OUTSTANDING = 10_000

export interface GeneratorOptions {
  seeds: readonly Address[]
  /** Slots that keys may fall into; undefined: one server, and keys have no slots. */
  slots: readonly (readonly [from: number, to: number])[] | undefined
  /** Name of the node that listens on `host:port`. */
  nodeName(address: string): string
  /** The first one; loads that know no faults speak to it directly. */
  node: WorldNode
  recorder: Recorder
  /** How long operations begin. */
  durationMs: number
  /** The zero of the history's clock, in `world.nowMs()`. */
  zeroMs(): number
}

export interface Generator {
  /** Resolves when every client is connected. */
  ready: Promise<void>
  start(): void
  /** No new operations; resolves when all have ended. */
  stop(): Promise<void>
  /** Operations that began late. */
  readonly late: number
  close(): void
}

export function startGenerator(spec: WorkloadSpec, world: World, options: GeneratorOptions): Generator {
  if (spec.kind === 'saturation') return startSaturation(spec, world, options)
  if (spec.kind === 'transactions') return new TransactionGenerator(spec, world, options)
  return spec.kind === 'shop' ? startShop(spec, world, options) : new OpenLoopGenerator(spec, world, options)
}

/** One operation before it is sent. */
interface Operation {
  key: string
  /** What the key holds afterwards; empty where that is not looked at. */
  value: string
  words: readonly string[]
}

class OpenLoopGenerator implements Generator {
  readonly ready: Promise<void>
  private offered = 0
  late = 0
  private readonly spec: OpenLoopSpec
  private readonly world: World
  private readonly options: GeneratorOptions
  private readonly writers: Writer[]
  private readonly tags: readonly string[] | undefined
  private outstanding = 0
  private onIdle: (() => void) | undefined

  constructor(spec: OpenLoopSpec, world: World, options: GeneratorOptions) {
    this.spec = spec
    this.world = world
    this.options = options
    this.tags = options.slots === undefined ? undefined : tagsIn(options.slots)
    const clients = clientsByGroup(spec)
    this.writers = Object.entries(spec.groups).flatMap(([group, { ratePerSecond }]) => {
      const names = clients[group] ?? []
      const intervalMs = (1000 * names.length) / ratePerSecond
      return names.map(
        (name, i) => new Writer(this, name, group, world.clientIo(name), intervalMs, (i * intervalMs) / names.length),
      )
    })
    const { promise, resolve } = world.deferred<void>()
    this.ready = promise
    let missing = this.writers.length
    for (const writer of this.writers) {
      writer.client.start(() => {
        if (--missing === 0) resolve()
      })
    }
  }

  client(io: Io): WorkloadClient {
    const { seeds, slots } = this.options
    const { timeoutMs } = this.spec
    return slots === undefined
      ? new ServerClient(io, seeds[0] as Address, timeoutMs)
      : new ClusterClient(io, seeds, timeoutMs)
  }

  start(): void {
    for (const writer of this.writers) writer.start()
  }

  async stop(): Promise<void> {
    for (const writer of this.writers) writer.stop()
    if (this.outstanding === 0) return
    const { promise, resolve } = this.world.deferred<void>()
    this.onIdle = () => resolve()
    await promise
  }

  close(): void {
    for (const writer of this.writers) {
      writer.stop()
      writer.client.close()
    }
  }

  nowMs(): number {
    return round(this.world.nowMs() - this.options.zeroMs())
  }

  /** A client's operation number `serial`, from 1; `id` is its number in the history. */
  private operation(client: string, serial: number, id: number): Operation {
    if (this.spec.kind === 'unique-writes') {
      const tag = this.tags === undefined ? 'unique' : `{${this.tags[serial % this.tags.length]}}`
      const key = `${tag}:${client}:${serial}`
      return { key, value: String(id), words: ['SET', key, String(id)] }
    }
    const { keys, valueBytes } = this.spec
    const key = `${DATA_PREFIX}overwritten:${id % keys}`
    return { key, value: '', words: ['SET', key, String(id).padEnd(valueBytes, 'x')] }
  }

  /** Records the beginning. */
  begin(writer: Writer, serial: number, intendedMs: number): { id: number; operation: Operation } {
    const id = ++this.offered
    const operation = this.operation(writer.name, serial, id)
    this.outstanding++
    if (this.nowMs() - intendedMs > LATE_MS) this.late++
    const { name: client, group } = writer
    const { key, value } = operation
    this.options.recorder.record({ type: 'invoke', id, atMs: intendedMs, client, group, key, value })
    return { id, operation }
  }

  end(id: number, { outcome, node, error }: WriteResult): void {
    const atMs = this.nowMs()
    const event = { type: 'complete' as const, id, atMs, outcome, node: node === '' ? '' : this.options.nodeName(node) }
    this.options.recorder.record(error === '' ? event : { ...event, error })
    if (--this.outstanding === 0) this.onIdle?.()
  }
}

/** One client: its own machine, connection and keys. */
class Writer {
  readonly name: string
  readonly group: string
  readonly client: WorkloadClient
  private readonly owner: OpenLoopGenerator
  private readonly io: Io
  private readonly intervalMs: number
  private readonly offsetMs: number
  private timer: Timer | undefined
  private intendedMs = 0
  private outstanding = 0
  private serial = 0

  constructor(owner: OpenLoopGenerator, name: string, group: string, io: Io, intervalMs: number, offsetMs: number) {
    this.owner = owner
    this.name = name
    this.group = group
    this.io = io
    this.intervalMs = intervalMs
    this.offsetMs = offsetMs
    this.client = owner.client(io)
  }

  start(): void {
    this.intendedMs = this.offsetMs
    this.schedule()
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = undefined
  }

  private schedule(): void {
    this.timer = this.io.timers.after(this.intendedMs - this.owner.nowMs(), () => {
      // All operations whose time has come, so that a late timer does not lower the rate.
      while (this.intendedMs <= this.owner.nowMs()) {
        this.write(round(this.intendedMs))
        this.intendedMs += this.intervalMs
      }
      this.schedule()
    })
  }

  private write(intendedMs: number): void {
    const { id, operation } = this.owner.begin(this, ++this.serial, intendedMs)
    if (this.outstanding >= MAX_OUTSTANDING) {
      this.owner.end(id, {
        outcome: 'fail',
        node: '',
        error: `not sent: ${MAX_OUTSTANDING} operations wait for an answer`,
      })
      return
    }
    this.outstanding++
    this.client.send(operation.key, operation.words, (result) => {
      this.outstanding--
      this.owner.end(id, result)
    })
  }
}

/** History times have microseconds. */
function round(timeMs: number): number {
  return Math.round(timeMs * 1000) / 1000
}

/** Hash tags (`k0`, `k1`, …) that fall into the wanted slots. */
function tagsIn(slots: NonNullable<GeneratorOptions['slots']>): string[] {
  const tags: string[] = []
  for (let i = 0; tags.length < TAGS; i++) {
    const slot = keyHashSlot(Buffer.from(`k${i}`))
    if (slots.some(([from, to]) => slot >= from && slot <= to)) tags.push(`k${i}`)
  }
  return tags
}
