/**
 * A snapshot on its way to disk: everything goes to a temporary file, is synced, and takes its final name in one step.
 * Whatever goes wrong before that, the file that had the name is untouched.
 *
 * With incremental syncing the disk gets its work in portions, so that the last fsync is short and the fsyncs of the
 * append-only file do not queue behind a gigabyte. Redis's child blocks in each; here the walk waits for it.
 */
import { directoryOf } from '../data/path.ts'
import { type File, IoError } from '../io.ts'
import type { Server } from '../server/server.ts'
import { writeAll } from './aof-files.ts'

/** Redis's REDIS_AUTOSYNC_BYTES. */
const PORTION_BYTES = 4 * 1024 * 1024

export class SnapshotFile {
  private readonly server: Server
  private readonly path: string
  private readonly file: File
  private readonly incremental: boolean
  private unsyncedBytes = 0
  private syncing = false
  private failure: IoError | undefined
  private closed = false

  /** @throws IoError when the file cannot be made */
  constructor(server: Server, path: string, incremental: boolean) {
    this.server = server
    this.path = path
    this.incremental = incremental
    this.file = server.io.disk.open(path, 'create')
  }

  /** @throws IoError */
  write(chunk: Buffer): void {
    if (this.failure !== undefined) throw this.failure
    writeAll(this.file, chunk)
    this.unsyncedBytes += chunk.length
    if (!this.incremental || this.syncing || this.unsyncedBytes < PORTION_BYTES) return
    this.syncing = true
    this.unsyncedBytes = 0
    this.file.syncInBackground((failure) => {
      this.syncing = false
      this.failure ??= failure
    })
  }

  /** False while a portion is being synced and the next one is complete. */
  get canTakeMore(): boolean {
    return !this.syncing || this.unsyncedBytes < PORTION_BYTES
  }

  /** Waits for the disk. @throws IoError */
  sync(): void {
    if (this.failure !== undefined) throw this.failure
    this.file.sync()
  }

  /** The same without waiting. `done` comes later, and not at all after `discard`. */
  syncInBackground(done: (failure?: IoError) => void): void {
    this.file.syncInBackground((failure) => {
      if (!this.closed) done(this.failure ?? failure)
    })
  }

  /** Gives the synced file its name. It survives a power cut once the directory is synced. @throws IoError */
  moveTo(path: string): void {
    this.close()
    this.server.io.disk.rename(this.path, path)
  }

  /** `moveTo` and the sync of the directory. @throws IoError */
  replace(path: string): void {
    this.moveTo(path)
    this.server.io.disk.syncDirectory(directoryOf(path))
  }

  /** Gives up: nothing stays behind. */
  discard(): void {
    this.close()
    try {
      this.server.io.disk.remove(this.path)
    } catch (error) {
      if (!(error instanceof IoError)) throw error
    }
  }

  private close(): void {
    if (this.closed) return
    this.closed = true
    this.file.close()
  }
}
