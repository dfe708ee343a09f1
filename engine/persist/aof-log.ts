/**
 * The file that the append-only log is written to now, and when it is written and synced.
 *
 *     always     each turn: write, fdatasync, then the replies. A failure ends the server: what is answered must stay
 *     everysec   each turn: write, then the replies. Once a second fdatasync, in the background. While one runs, writes
 *                wait for it, for at most two seconds; then they are made all the same (and the system may block)
 *     no         each turn: write, then the replies. When it is synced is the system's business
 *
 * So with every setting a write is in the file, and survives the death of the process, before its reply is sent, with
 * one exception that is Redis's own: while a background fdatasync runs, replies do not wait for the write.
 *
 * A failed write leaves the commands in the buffer, undoes what was written of them, and refuses further writes until
 * it can be repeated with success. Rules, messages and counters are those of Redis 7.0's `flushAppendOnlyFile`.
 */
import type { Arguments } from '../commands/arguments.ts'
import { type File, IoError } from '../io.ts'
import type { Server } from '../server/server.ts'
import { errorText } from '../server/system-errors.ts'
import { AofBuffer } from './aof-buffer.ts'

const POSTPONED_SECONDS_MAX = 2
const ERROR_LOG_SECONDS = 30
const NOTHING_SYNCED = -1

export class AofLog {
  private readonly server: Server
  /** True while a rewrite is on its way: `no-appendfsync-on-rewrite` may then hold fsyncs back. */
  private readonly diskIsBusy: () => boolean
  private readonly buffer = new AofBuffer()
  private file: File | undefined
  /** Complete writes to `file`, in bytes. */
  private offset = 0
  /** As much of it is known, or about to be known, to be on the disk. */
  private syncedOffset = 0
  private selectedDatabase = -1
  private isStamping = false
  private stampSeconds = 0
  private postponedSinceSeconds = 0
  private lastSyncSeconds: number
  private lastErrorLogSeconds = Number.NEGATIVE_INFINITY
  private committing = false
  /** Background fsyncs that have not ended. */
  private syncsRunning = 0
  private writeError: IoError | undefined
  private syncError: IoError | undefined
  /** Writes that were made although an fsync was still running (`aof_delayed_fsync`). */
  delayedSyncs = 0
  private readonly commit = (): void => {
    this.committing = false
    this.flush()
  }

  constructor(server: Server, diskIsBusy: () => boolean) {
    this.server = server
    this.diskIsBusy = diskIsBusy
    this.lastSyncSeconds = this.nowSeconds()
    const follow = () => {
      this.isStamping = server.config.values['aof-timestamp-enabled']
    }
    follow()
    server.config.onChange('aof-timestamp-enabled', follow)
  }

  private nowSeconds(): number {
    return Math.floor(this.server.nowMs / 1000)
  }

  /** Bytes in the file. */
  get offsetBytes(): number {
    return this.offset
  }

  get bufferedBytes(): number {
    return this.buffer.length
  }

  get isPostponed(): boolean {
    return this.postponedSinceSeconds !== 0
  }

  get pendingSyncs(): number {
    return this.syncsRunning
  }

  /** Why writes must be refused now; undefined when all is well. */
  get failure(): IoError | undefined {
    return this.writeError ?? this.syncError
  }

  get lastWriteFailed(): boolean {
    return this.writeError !== undefined
  }

  // Which file

  /** Goes on at the end of `file`. */
  attach(file: File): void {
    this.file = file
    this.offset = file.sizeBytes
    this.syncedOffset = this.offset
    this.lastSyncSeconds = this.nowSeconds()
  }

  /** From now on `file` is written to, from its beginning. What went before is complete (`settle`). */
  switchTo(file: File): void {
    this.file?.close()
    this.attach(file)
    this.selectedDatabase = -1
  }

  /**
   * Everything that was taken so far is in the file and on the disk. Should the power fail, there must be no hole
   * between this file and the one that follows it; Redis leaves that to chance.
   * @throws IoError
   */
  settle(): void {
    const { file } = this
    if (file === undefined) return
    this.flush(true)
    if (this.buffer.length > 0) throw this.writeError ?? new IoError('EIO', 'the AOF buffer cannot be written')
    if (this.syncedOffset === this.offset && this.syncsRunning === 0) return
    file.sync()
    this.syncedOffset = this.offset
    this.lastSyncSeconds = this.nowSeconds()
  }

  /** Writes and syncs everything, and closes the file. Failures are in the log. */
  close(): void {
    this.flush(true)
    this.syncNow()
    this.file?.close()
    this.file = undefined
    this.discardBuffer()
    this.offset = 0
    this.syncedOffset = 0
    this.selectedDatabase = -1
    this.postponedSinceSeconds = 0
  }

  /** Waits until everything in the file is on the disk. */
  syncNow(): void {
    const { file, server } = this
    if (file === undefined) return
    try {
      file.sync()
      this.syncedOffset = this.offset
      this.lastSyncSeconds = this.nowSeconds()
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      server.log.warning(`Fail to fsync the AOF file: ${errorText(error)}`)
    }
  }

  /** Closes the file as it is: the server is gone. */
  abandon(): void {
    this.file?.close()
    this.file = undefined
  }

  discardBuffer(): void {
    this.buffer.drop(this.buffer.length)
  }

  /** The log is opened anew: what went wrong with the last file says nothing about this one. */
  forgetFailures(): void {
    const { log } = this.server
    if (this.syncError !== undefined) log.warning('AOF reopen, just ignore the AOF fsync error in bio job')
    if (this.writeError !== undefined) log.warning('AOF reopen, just ignore the last error.')
    this.syncError = undefined
    this.writeError = undefined
  }

  // Writing

  /** Takes a command; it is written before the replies of this turn leave. */
  append(databaseIndex: number, args: Arguments): void {
    const { buffer, server } = this
    if (this.isStamping) this.stamp()
    if (databaseIndex >= 0 && databaseIndex !== this.selectedDatabase) {
      this.selectedDatabase = databaseIndex
      buffer.select(databaseIndex)
    }
    buffer.command(args)
    if (this.committing) return
    this.committing = true
    server.commitBeforeReplies(this.commit)
  }

  private stamp(): void {
    const seconds = this.nowSeconds()
    if (seconds <= this.stampSeconds) return
    this.stampSeconds = seconds
    this.buffer.annotate(`TS:${seconds}`)
  }

  /** Every 100 ms: fsyncs that are due, writes that were postponed or have failed. */
  cron(): void {
    if (this.file === undefined) return
    if (this.buffer.length === 0 || this.isPostponed || this.writeError !== undefined) this.flush()
  }

  /** Writes what is there, and syncs, by the rules above. `force`: without waiting for a running fsync. */
  flush(force = false): void {
    if (this.file === undefined) return
    const policy = this.server.config.values.appendfsync
    if (this.buffer.length > 0) {
      if (policy === 'everysec' && !force && this.mustWait()) return
      if (!this.write()) return
    } else if (this.syncedOffset === this.offset) return
    this.syncByPolicy(policy)
  }

  /** While an fsync runs, a write would block. */
  private mustWait(): boolean {
    if (this.syncsRunning === 0) return false
    const now = this.nowSeconds()
    if (this.postponedSinceSeconds === 0) {
      this.postponedSinceSeconds = now
      return true
    }
    if (now - this.postponedSinceSeconds < POSTPONED_SECONDS_MAX) return true
    this.delayedSyncs++
    this.server.log.notice(
      'Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync to complete, this may slow down Redis.',
    )
    return false
  }

  /** False: it has failed, and nothing is to be synced. */
  private write(): boolean {
    const { buffer, server } = this
    const file = this.file as File
    const wanted = buffer.length
    if (server.debug.aofFlushSleepUs > 0) server.io.host.sleep(server.debug.aofFlushSleepUs)
    const startUs = server.io.clock.monotonicUs()
    let written = 0
    let error: IoError | undefined
    try {
      written = file.write(buffer.bytes())
    } catch (thrown) {
      if (!(thrown instanceof IoError)) throw thrown
      error = thrown
    }
    this.noteLatency(startUs)
    this.postponedSinceSeconds = 0
    if (written < wanted) {
      this.undoWrite(file, written, wanted, error)
      return false
    }
    if (this.writeError !== undefined) {
      server.log.warning('AOF write error looks solved, Redis can write again.')
      this.writeError = undefined
    }
    this.offset += wanted
    buffer.drop(wanted)
    return true
  }

  private undoWrite(file: File, written: number, wanted: number, error: IoError | undefined): void {
    const { server } = this
    const now = this.nowSeconds()
    const log = now - this.lastErrorLogSeconds > ERROR_LOG_SECONDS ? server.log : undefined
    if (log !== undefined) this.lastErrorLogSeconds = now
    if (error !== undefined) log?.warning(`Error writing to the AOF file: ${errorText(error)}`)
    else log?.warning(`Short write while writing to the AOF file: (nwritten=${written}, expected=${wanted})`)
    let left = 0
    try {
      // Also after an error some of the bytes may be there.
      if (file.sizeBytes !== this.offset) file.truncate(this.offset)
    } catch (failure) {
      if (!(failure instanceof IoError)) throw failure
      left = Math.max(0, sizeOf(file) - this.offset)
      log?.warning(
        `Could not remove short write from the append-only file.  Redis may refuse to load the AOF the next time it starts.  ftruncate: ${errorText(failure)}`,
      )
    }
    if (server.config.values.appendfsync === 'always') {
      server.log.warning("Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...")
      server.abort(1)
      return
    }
    this.writeError = error ?? new IoError('ENOSPC', 'No space left on device')
    this.offset += left
    this.buffer.drop(left)
  }

  private syncByPolicy(policy: 'everysec' | 'always' | 'no'): void {
    const { server } = this
    if (server.config.values['no-appendfsync-on-rewrite'] && this.diskIsBusy()) return
    if (policy === 'always') this.syncAlways()
    else if (policy === 'everysec' && this.nowSeconds() > this.lastSyncSeconds) {
      if (this.syncsRunning === 0) this.syncInBackground()
      this.lastSyncSeconds = this.nowSeconds()
    }
  }

  private syncAlways(): void {
    const { server } = this
    const startUs = server.io.clock.monotonicUs()
    try {
      this.file?.sync()
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      server.log.warning(
        `Can't persist AOF for fsync error when the AOF fsync policy is 'always': ${errorText(error)}. Exiting...`,
      )
      server.abort(1)
      return
    }
    server.latency.add('aof-fsync-always', (server.io.clock.monotonicUs() - startUs) / 1000, server.nowMs)
    this.syncedOffset = this.offset
    this.lastSyncSeconds = this.nowSeconds()
  }

  private syncInBackground(): void {
    const { server } = this
    this.syncsRunning++
    this.syncedOffset = this.offset
    this.file?.syncInBackground((error) => {
      this.syncsRunning--
      if (error !== undefined) {
        if (this.syncError === undefined) server.log.warning(`Fail to fsync the AOF file: ${errorText(error)}`)
        // Tried again in a second. Redis would not, and refuse writes for ever, since none can come to be synced.
        this.syncedOffset = NOTHING_SYNCED
      }
      this.syncError = error
    })
  }

  private noteLatency(startUs: number): void {
    const { server } = this
    if (server.config.values['latency-monitor-threshold'] === 0) return
    const durationMs = (server.io.clock.monotonicUs() - startUs) / 1000
    const kind = this.syncsRunning > 0 ? 'pending-fsync' : this.diskIsBusy() ? 'active-child' : 'alone'
    server.latency.add(`aof-write-${kind}`, durationMs, server.nowMs)
    server.latency.add('aof-write', durationMs, server.nowMs)
  }
}

function sizeOf(file: File): number {
  try {
    return file.sizeBytes
  } catch {
    return 0
  }
}
