/**
 * Saving the data set and loading it: SAVE, BGSAVE, save points, the load at start; the append-only log is `aof.ts`.
 * Redis forks a child for BGSAVE; here a `Snapshot` is walked in slices, so that there is one process and no copy of
 * its memory.
 *
 * Messages of the log are Redis's, also those of the child that does not exist.
 */
import type { Arguments } from '../commands/arguments.ts'
import { IoError } from '../io.ts'
import type { Server } from '../server/server.ts'
import { errorText } from '../server/system-errors.ts'
import { Aof } from './aof.ts'
import { AofLoadError } from './aof-load.ts'
import { AofManifestError } from './aof-manifest.ts'
import { LoadingProgress } from './loading-progress.ts'
import type { Outcome, Persistence } from './persistence-port.ts'
import { RdbError } from './rdb-input.ts'
import { RdbContentError, RdbFileLoad, RdbLoad } from './rdb-load.ts'
import { Snapshot } from './snapshot.ts'
import { SnapshotFile } from './snapshot-file.ts'

const CRON_MS = 100
/** After a failed background save the next attempt by a save point waits so long. */
const RETRY_SECONDS = 5
/** A replica whose log cannot be opened after a resync tries so often, once a second, and then ends. */
const RESUME_TRIES = 10

interface BackgroundSave {
  snapshot: Snapshot
  file: SnapshotFile
  startedMs: number
  changesAtStart: number
  /** Whoever waits for the end of this one (full resync from disk). */
  waiting: ((failure?: Error) => void)[]
}

/** Something that is loaded a few milliseconds at a time. */
interface SlicedLoad {
  /** True when it is complete. @throws RdbError, RdbContentError, AofLoadError, IoError */
  slice(): boolean
  close(): void
}

/** Starts nothing by itself but the cron of save points and rewrites. */
export function createPersistence(server: Server): Persistence {
  return new FilePersistence(server)
}

class FilePersistence implements Persistence {
  lastSaveSeconds: number
  private readonly server: Server
  private background: BackgroundSave | undefined
  private lastBackgroundFailed = false
  private lastTrySeconds = 0
  private lastDurationSeconds = -1
  private saves = 0
  private savedChanges = 0
  private saveScheduled = false
  private readonly aof: Aof
  private progress: LoadingProgress | undefined
  private loaded = { keys: 0, expired: 0 }
  private stopped = false

  constructor(server: Server) {
    this.server = server
    this.lastSaveSeconds = this.nowSeconds()
    this.aof = new Aof(server, {
      isSaving: () => this.background !== undefined,
      runLoad: (load, progress, done) => {
        this.run(load, progress, (failure) => {
          if (failure === undefined) this.loaded = load.counts
          done(failure)
        })
      },
    })
    server.every(CRON_MS, () => this.cron())
    server.info.add('persistence', () => this.infoFields())
  }

  private nowSeconds(): number {
    return Math.floor(this.server.io.clock.wallMs() / 1000)
  }

  get changesSinceSave(): number {
    return this.server.stats.changes - this.savedChanges
  }

  get savingInBackground(): boolean {
    return this.background !== undefined
  }

  get appendOnly(): boolean {
    return this.aof.isOn
  }

  private cron(): void {
    this.aof.cron()
    if (this.saveScheduled) this.startScheduledSave()
    else this.checkSavePoints()
  }

  // Saving

  save(): string | undefined {
    if (this.background !== undefined) return BACKGROUND_SAVE_RUNS
    return this.saveNow() ? undefined : 'ERR'
  }

  private saveNow(): boolean {
    const changesAtStart = this.server.stats.changes
    let file: SnapshotFile | undefined
    try {
      const target = this.openFile()
      file = target
      new Snapshot(this.server, {
        sink: (chunk) => target.write(chunk),
        replication: this.server.replication.position(),
      }).runAtOnce()
      target.sync()
      target.replace(this.path)
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      file?.discard()
      this.server.log.warning(`Write error saving DB on disk: ${errorText(error)}`)
      return false
    }
    this.server.log.notice('DB saved on disk')
    this.savedChanges = changesAtStart
    this.lastSaveSeconds = this.nowSeconds()
    this.lastBackgroundFailed = false
    this.saves++
    return true
  }

  private get path(): string {
    return this.server.config.pathOf(this.server.config.values.dbfilename)
  }

  private openFile(): SnapshotFile {
    const { config, io } = this.server
    const path = config.pathOf(`temp-${io.host.processId}.rdb`)
    return new SnapshotFile(this.server, path, config.values['rdb-save-incremental-fsync'])
  }

  requestBackgroundSave(schedule: boolean): Outcome {
    if (this.background !== undefined) return { error: BACKGROUND_SAVE_RUNS }
    if (this.server.inTransaction || (this.aof.isRewriting && schedule)) {
      this.saveScheduled = true
      return { status: 'Background saving scheduled' }
    }
    if (this.aof.isRewriting) return { error: OTHER_CHILD_RUNS }
    const refusal = this.saveInBackground()
    return refusal === undefined ? { status: 'Background saving started' } : { error: refusal }
  }

  private startScheduledSave(): void {
    if (this.background !== undefined || this.aof.isRewriting || this.server.loading) return
    if (this.lastBackgroundFailed && this.nowSeconds() - this.lastTrySeconds <= RETRY_SECONDS) return
    if (this.saveInBackground() === undefined) this.saveScheduled = false
  }

  rewriteInBackground(): Outcome {
    return this.aof.rewriteInBackground()
  }

  feed(databaseIndex: number, args: Arguments): void {
    this.aof.feed(databaseIndex, args)
  }

  reloadLog(): boolean {
    const { server } = this
    server.loading = true
    try {
      this.aof.reload()
      return true
    } catch (error) {
      server.log.warning(this.explainFailure(error))
      return false
    } finally {
      server.loading = false
    }
  }

  suspendLog(): void {
    this.aof.stop()
  }

  resumeLog(tries = RESUME_TRIES): void {
    const { server } = this
    if (this.stopped || !server.config.values.appendonly || this.aof.start()) return
    if (tries > 1) {
      server.log.warning(
        'Failed enabling the AOF after successful master synchronization! Trying it again in one second.',
      )
      server.io.timers.after(1000, () => this.resumeLog(tries - 1))
      return
    }
    server.log.warning(
      "FATAL: this replica instance finished the synchronization with its master, but the AOF can't be turned on. Exiting now.",
    )
    server.abort(1)
  }

  saveInBackground(whenDone?: (failure?: Error) => void): string | undefined {
    if (this.background !== undefined) return BACKGROUND_SAVE_RUNS
    const { server } = this
    this.lastTrySeconds = this.nowSeconds()
    let file: SnapshotFile
    try {
      file = this.openFile()
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      server.log.warning(`Failed opening the temp RDB file for saving: ${error.message}`)
      this.lastBackgroundFailed = true
      return 'ERR'
    }
    const snapshot = new Snapshot(server, {
      sink: (chunk) => file.write(chunk),
      replication: server.replication.position(),
      canTakeMore: () => file.canTakeMore,
    })
    const changesAtStart = server.stats.changes
    const waiting = whenDone === undefined ? [] : [whenDone]
    this.background = { snapshot, file, startedMs: server.io.clock.wallMs(), changesAtStart, waiting }
    this.saves++
    server.log.notice(`Background saving started by pid ${server.io.host.processId}`)
    snapshot.run((failure) => {
      if (failure !== undefined) this.endBackground(failure)
      else file.syncInBackground((error) => this.endBackground(error ?? this.place(file)))
    })
    return undefined
  }

  /** Undefined, or why the file could not take its name. */
  private place(file: SnapshotFile): Error | undefined {
    try {
      file.replace(this.path)
      return undefined
    } catch (error) {
      if (error instanceof IoError) return error
      throw error
    }
  }

  private endBackground(failure: Error | undefined): void {
    const { background, server } = this
    if (background === undefined) return
    this.background = undefined
    this.lastDurationSeconds = Math.floor((server.io.clock.wallMs() - background.startedMs) / 1000)
    this.lastBackgroundFailed = failure !== undefined
    if (failure === undefined) {
      server.log.notice('DB saved on disk')
      server.log.notice('Background saving terminated with success')
      this.savedChanges = background.changesAtStart
      this.lastSaveSeconds = this.nowSeconds()
    } else {
      background.file.discard()
      server.log.warning(`Write error saving DB on disk: ${failure.message}`)
      server.log.warning('Background saving error')
    }
    for (const callback of background.waiting) callback(failure)
  }

  /** Gives up a running background save. Who waits for it is told. */
  private abandonBackground(): void {
    const { background } = this
    if (background === undefined) return
    this.background = undefined
    background.snapshot.cancel()
    background.file.discard()
    for (const callback of background.waiting) callback(new IoError('ECANCELED', 'Background saving was given up'))
  }

  private checkSavePoints(): void {
    if (this.background !== undefined || this.aof.isRewriting || this.server.loading) return
    const now = this.nowSeconds()
    const changes = this.changesSinceSave
    for (const point of this.server.config.values.save) {
      if (changes < point.changes || now - this.lastSaveSeconds <= point.seconds) continue
      if (this.lastBackgroundFailed && now - this.lastTrySeconds <= RETRY_SECONDS) continue
      this.server.log.notice(`${point.changes} changes in ${point.seconds} seconds. Saving...`)
      this.saveInBackground()
      return
    }
  }

  prepareShutdown(save: boolean | undefined, force: boolean): string | undefined {
    const { server } = this
    if (this.background !== undefined) {
      server.log.warning('There is a child saving an .rdb. Killing it!')
      this.abandonBackground()
    }
    const refusal = this.aof.prepareShutdown(force)
    if (refusal !== undefined) return refusal
    if (!(save ?? server.config.values.save.length > 0) || server.loading) return undefined
    server.log.notice('Saving the final RDB snapshot before exiting.')
    if (this.saveNow()) return undefined
    server.log.warning("Error trying to save the DB, can't exit.")
    return 'ERR Errors trying to SHUTDOWN. Check logs.'
  }

  stop(): void {
    this.stopped = true
    this.abandonBackground()
    this.aof.abandon()
  }

  writeRefusal(): string | undefined {
    const { values } = this.server.config
    const refuse = this.lastBackgroundFailed && values['stop-writes-on-bgsave-error'] && values.save.length > 0
    return refuse ? MISCONFIGURED : this.aof.writeRefusal()
  }

  // Loading

  load(done: (failure?: string) => void): void {
    const { server } = this
    if (server.config.values.appendonly) {
      this.aof.load(done)
      return
    }
    const startedUs = server.io.clock.monotonicUs()
    const status = server.io.disk.status(this.path)
    if (status === undefined) {
      server.io.timers.defer(done)
      return
    }
    let file: RdbFileLoad
    try {
      file = new RdbFileLoad(
        server,
        this.path,
        new RdbLoad(server, { dropExpired: server.replication.role === 'primary' }),
      )
    } catch (error) {
      server.io.timers.defer(() => done(this.explainFailure(error)))
      return
    }
    const { load } = file
    const progress = new LoadingProgress(server, status.sizeBytes)
    file.onProgress = (bytes) => {
      progress.at(bytes)
      progress.usedMemoryBytes = load.usedMemoryBytes
    }
    this.run(file, progress, (failure) => {
      if (failure !== undefined) return done(failure)
      this.loaded = { keys: load.keysLoaded, expired: load.keysExpired }
      if (load.replication !== undefined) server.replication.restorePosition(load.replication)
      server.log.notice(load.summary)
      const seconds = (server.io.clock.monotonicUs() - startedUs) / 1e6
      server.log.notice(`DB loaded from disk: ${seconds.toFixed(3)} seconds`)
      done()
    })
  }

  beginLoading(totalBytes: number): LoadingProgress {
    this.server.loading = true
    this.progress = new LoadingProgress(this.server, totalBytes)
    return this.progress
  }

  endLoading(): void {
    this.server.loading = false
    this.progress = undefined
  }

  /** One slice a turn: whatever has come in meanwhile is handled between two of them. */
  private run(load: SlicedLoad, progress: LoadingProgress, done: (failure?: string) => void): void {
    const { server } = this
    server.loading = true
    this.progress = progress
    const end = (failure?: string): void => {
      load.close()
      this.endLoading()
      done(failure)
    }
    const slice = (): void => {
      if (this.stopped) {
        load.close()
        return
      }
      server.refreshClock()
      let complete = false
      try {
        complete = load.slice()
      } catch (error) {
        end(this.explainFailure(error))
        return
      }
      if (complete) end()
      else server.io.timers.defer(slice)
    }
    server.io.timers.defer(slice)
  }

  /** The last line for the log, when the others are written. */
  private explainFailure(error: unknown): string {
    const { log } = this.server
    if (error instanceof AofLoadError || error instanceof AofManifestError) return error.message
    if (error instanceof RdbError || error instanceof RdbContentError) {
      log.warning(error.message)
      return 'Terminating server after rdb file reading failure.'
    }
    if (error instanceof IoError) return `Fatal error loading the DB: ${errorText(error)}. Exiting.`
    throw error
  }

  private infoFields(): readonly (readonly [string, string | number])[] {
    const { background, server } = this
    const runningSeconds =
      background === undefined ? -1 : Math.floor((server.io.clock.wallMs() - background.startedMs) / 1000)
    return [
      ['loading', server.loading ? 1 : 0],
      ['async_loading', 0],
      ['current_cow_peak', 0],
      ['current_cow_size', 0],
      ['current_cow_size_age', 0],
      ['current_fork_perc', '0.00'],
      ['current_save_keys_processed', 0],
      ['current_save_keys_total', 0],
      ['rdb_changes_since_last_save', this.changesSinceSave],
      ['rdb_bgsave_in_progress', background === undefined ? 0 : 1],
      ['rdb_last_save_time', this.lastSaveSeconds],
      ['rdb_last_bgsave_status', this.lastBackgroundFailed ? 'err' : 'ok'],
      ['rdb_last_bgsave_time_sec', this.lastDurationSeconds],
      ['rdb_current_bgsave_time_sec', runningSeconds],
      ['rdb_saves', this.saves],
      ['rdb_last_cow_size', 0],
      ['rdb_last_load_keys_expired', this.loaded.expired],
      ['rdb_last_load_keys_loaded', this.loaded.keys],
      ...this.aof.infoFields(),
      ['module_fork_in_progress', 0],
      ['module_fork_last_cow_size', 0],
      ...this.aof.sizeFields(),
      ...(this.progress?.infoFields() ?? []),
    ]
  }
}

const BACKGROUND_SAVE_RUNS = 'ERR Background save already in progress'
const OTHER_CHILD_RUNS =
  "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."
const MISCONFIGURED =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that " +
  'may modify the data set are disabled, because this instance is configured to report errors during writes if RDB ' +
  'snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.'
