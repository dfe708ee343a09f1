/**
 * The data set as bytes (an RDB file, or commands), at one point in time, while the server goes on serving.
 *
 * All databases start their snapshots at once; then they are walked in slices of at most a millisecond. A write to a
 * key that was not reached yet makes its keyspace visit the old value first. Such visits come for any database at any
 * time, so the file changes database (SELECTDB) as often as needed: readers do not mind. They also come between the
 * parts of a large aggregate: the writer keeps them until it is complete.
 */
import type { Timer } from '../io.ts'
import type { Server } from '../server/server.ts'
import type { Aggregate, SnapshotPart, SnapshotWalk } from '../store/keyspace-port.ts'
import { keyUse } from './key-use.ts'
import { type KeyUse, type RdbInfo, RdbWriter } from './rdb-writer.ts'

const SLICE_US = 1000
/** Between two looks at the clock. */
const STEP_ENTRIES = 32
/** Where no time passes during a turn (simulation), this many are a slice. */
const SLICE_ENTRIES = 4096
const POLL_MS = 10

/** What a snapshot is written in. */
export interface SnapshotWriter {
  readonly bytesWritten: number
  header(info: RdbInfo): void
  functionLibrary(source: Buffer): void
  selectDatabase(index: number): void
  resizeDatabase(keys: number, expiringKeys: number): void
  /** A large aggregate is written in parts; other entries may come between two of them. */
  entry(
    key: Buffer,
    text: Buffer | undefined,
    aggregate: Aggregate | undefined,
    expireAtMs: number,
    use: KeyUse | undefined,
  ): SnapshotPart | undefined
  /** Passes on everything that is still held. */
  end(): void
}

export interface SnapshotOptions {
  /** Takes the bytes in order, each chunk valid only during the call. May throw `IoError`: then the snapshot fails. */
  sink(chunk: Buffer): void
  /** Left out: an RDB file. */
  writer?(sink: (chunk: Buffer) => void): SnapshotWriter
  /** The base of an append-only file. */
  isAofBase?: boolean
  /** What it leaves out. */
  without?: { data: boolean; functions: boolean }
  /** Position in the replication stream that the snapshot corresponds to, as for `RdbInfo`. */
  replication: RdbInfo['replication']
  /** False while the receiver is behind: the walk waits. */
  canTakeMore?(): boolean
}

export class Snapshot {
  private readonly server: Server
  private readonly options: SnapshotOptions
  private readonly writer: SnapshotWriter
  private readonly walks: SnapshotWalk[] = []
  private readonly announced = new Set<number>()
  /** The eviction policy asks for it. */
  private readonly keepsUse: boolean
  private selected = -1
  private timer: Timer | undefined
  private failure: Error | undefined
  private ended = false

  /** Fixes the contents now. */
  constructor(server: Server, options: SnapshotOptions) {
    this.server = server
    this.options = options
    const { rdbchecksum, rdbcompression } = server.config.values
    this.keepsUse = keyUse(server.config, 0, server.nowMs) !== undefined
    const sink = (chunk: Buffer): void => this.pass(chunk)
    this.writer = options.writer?.(sink) ?? new RdbWriter({ sink, checksum: rdbchecksum, compression: rdbcompression })
    this.writer.header({
      createdSeconds: Math.floor(server.io.clock.wallMs() / 1000),
      usedMemoryBytes: server.memory.usedBytes,
      replication: options.replication,
      ...(options.isAofBase === undefined ? {} : { isAofBase: options.isAofBase }),
    })
    if (options.without?.functions !== true) {
      for (const { source } of server.functions.libraries.values()) this.writer.functionLibrary(source)
    }
    for (const database of options.without?.data === true ? [] : server.databases) {
      if (database.size === 0) continue
      // SWAPDB may give the database another number meanwhile: its keys belong to the one that it has now.
      const { index } = database
      const sizes = { keys: database.size, expiring: database.expiringSize }
      this.walks.push(
        database.snapshot({
          visit: (key, text, aggregate, expireAtMs, accessed) => {
            this.select(index, sizes)
            return this.writer.entry(key, text, aggregate, expireAtMs, this.useOf(accessed))
          },
        }),
      )
    }
  }

  get bytesWritten(): number {
    return this.writer.bytesWritten
  }

  /** Walks everything now. @throws what the sink threw */
  runAtOnce(): void {
    while (this.walks.length > 0 && this.failure === undefined) {
      const delayUs = this.keyDelayUs
      this.step(delayUs > 0 ? 1 : SLICE_ENTRIES)
      if (delayUs > 0 && !this.walks[0]?.isInsideEntry) this.server.io.host.sleep(delayUs)
    }
    this.finish()
    if (this.failure !== undefined) throw this.failure
  }

  /** Walks in slices. `done` is called once, not at once, and not after `cancel`. */
  run(done: (failure?: Error) => void): void {
    const delayMs = this.walks[0]?.isInsideEntry ? 0 : this.keyDelayUs / 1000
    this.timer = this.server.io.timers.after(delayMs, () => this.slice(done))
  }

  /** After each key, so that tests find the save still running. Only positive values mean anything here. */
  private get keyDelayUs(): number {
    return Math.max(0, this.server.config.values['rdb-key-save-delay'])
  }

  /** Ends it early. Safe to call at any time. */
  cancel(): void {
    this.timer?.cancel()
    this.ended = true
    for (const walk of this.walks.splice(0)) walk.cancel()
  }

  private slice(done: (failure?: Error) => void): void {
    if (this.options.canTakeMore?.() === false) {
      this.timer = this.server.io.timers.after(POLL_MS, () => this.slice(done))
      return
    }
    if (this.advance()) {
      this.finish()
      done(this.failure)
    } else this.run(done)
  }

  /** One slice. True when there is nothing left to do. */
  private advance(): boolean {
    const { clock } = this.server.io
    const endUs = clock.monotonicUs() + SLICE_US
    for (let entries = 0; entries < SLICE_ENTRIES; entries += STEP_ENTRIES) {
      if (this.walks.length === 0 || this.failure !== undefined) return true
      if (this.keyDelayUs > 0) {
        this.step(1)
        return false
      }
      this.step(STEP_ENTRIES)
      if (clock.monotonicUs() >= endUs) return false
    }
    return false
  }

  private step(entries: number): void {
    if (this.walks[0]?.advance(entries)) this.walks.shift()
  }

  private finish(): void {
    if (this.failure === undefined) this.writer.end()
    this.ended = true
    for (const walk of this.walks.splice(0)) walk.cancel()
  }

  private useOf(accessed: number): KeyUse | undefined {
    return this.keepsUse ? keyUse(this.server.config, accessed, this.server.nowMs) : undefined
  }

  private select(index: number, sizes: { keys: number; expiring: number }): void {
    if (this.selected === index) return
    this.selected = index
    this.writer.selectDatabase(index)
    if (this.announced.has(index)) return
    this.announced.add(index)
    this.writer.resizeDatabase(sizes.keys, sizes.expiring)
  }

  /** Never throws: it may run inside a client's write command, whose business a full disk is not. */
  private pass(chunk: Buffer): void {
    if (this.failure !== undefined || this.ended) return
    try {
      this.options.sink(chunk)
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error))
    }
  }
}
