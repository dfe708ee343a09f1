/**
 * One rewrite of the append-only log: the data set as it is now goes into a temporary file, in slices and without a
 * second process. What the manifest says before and after is the business of `aof.ts`.
 */
import type { Server } from '../server/server.ts'
import { AofCommandWriter } from './aof-commands.ts'
import { Snapshot } from './snapshot.ts'
import { SnapshotFile } from './snapshot-file.ts'

export class AofRewrite {
  readonly startedMs: number
  /** What the base is written in, and so how its name ends. */
  readonly suffix: 'rdb' | 'aof'
  private readonly server: Server
  private readonly file: SnapshotFile
  private readonly snapshot: Snapshot
  private ended = false

  /** Fixes the contents now. @throws IoError when the file cannot be made */
  constructor(server: Server, temporaryPath: string) {
    const { values } = server.config
    this.server = server
    this.startedMs = server.io.clock.wallMs()
    this.suffix = values['aof-use-rdb-preamble'] ? 'rdb' : 'aof'
    this.file = new SnapshotFile(server, temporaryPath, values['aof-rewrite-incremental-fsync'])
    const stampSeconds = values['aof-timestamp-enabled'] ? Math.floor(this.startedMs / 1000) : undefined
    this.snapshot = new Snapshot(server, {
      sink: (chunk) => this.file.write(chunk),
      replication: undefined,
      isAofBase: true,
      canTakeMore: () => this.file.canTakeMore,
      ...(this.suffix === 'rdb' ? {} : { writer: (sink) => new AofCommandWriter(sink, stampSeconds) }),
    })
  }

  /** Writes in slices and syncs. `done` is called once, later, and not after `cancel`. */
  run(done: (failure?: Error) => void): void {
    this.snapshot.run((failure) => {
      if (failure !== undefined) done(failure)
      else this.file.syncInBackground((error) => done(error))
    })
  }

  /** Writes and syncs all of it now. @throws IoError */
  runAtOnce(): void {
    this.snapshot.runAtOnce()
    this.file.sync()
  }

  /** Gives the complete file its name. @throws IoError */
  moveTo(path: string): void {
    this.ended = true
    this.file.moveTo(path)
  }

  /** Gives up and leaves nothing behind. Safe to call at any time. */
  cancel(): void {
    if (this.ended) return
    this.ended = true
    this.snapshot.cancel()
    this.file.discard()
  }

  get durationSeconds(): number {
    return Math.floor((this.server.io.clock.wallMs() - this.startedMs) / 1000)
  }
}
