/**
 * Saving the data set and loading it: SAVE, BGSAVE, save points, the load at start. Redis forks a child for BGSAVE;
 * here a `Snapshot` is walked in slices, so that there is one process and no copy of its memory.
 *
 * Messages of the log are Redis's, also those of the child that does not exist.
 */
import { IoError, type Timer } from '../io.ts'
import type { Server } from '../server/server.ts'
import type { Persistence } from './persistence-port.ts'
import { RdbFile } from './rdb-file.ts'
import { RdbError } from './rdb-input.ts'
import { RdbContentError, RdbFileLoad, RdbLoad } from './rdb-load.ts'
import { Snapshot } from './snapshot.ts'

const CRON_MS = 100
/** After a failed background save the next attempt by a save point waits so long. */
const RETRY_SECONDS = 5

interface BackgroundSave {
  snapshot: Snapshot
  file: RdbFile
  startedMs: number
  changesAtStart: number
  /** Whoever waits for the end of this one (full resync from disk). */
  waiting: ((failure?: Error) => void)[]
}

/** Starts nothing by itself but the cron of save points. */
export function createPersistence(server: Server): Persistence {
  return new RdbPersistence(server)
}

class RdbPersistence implements Persistence {
  lastSaveSeconds: number
  private readonly server: Server
  private background: BackgroundSave | undefined
  private lastBackgroundFailed = false
  private lastTrySeconds = 0
  private lastDurationSeconds = -1
  private saves = 0
  private savedChanges = 0
  private loadTimer: Timer | undefined
  private loaded = { keys: 0, expired: 0 }

  constructor(server: Server) {
    this.server = server
    this.lastSaveSeconds = this.nowSeconds()
    server.every(CRON_MS, () => this.checkSavePoints())
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

  // Saving

  save(): string | undefined {
    if (this.background !== undefined) return BACKGROUND_SAVE_RUNS
    return this.saveNow() ? undefined : 'ERR'
  }

  private saveNow(): boolean {
    const changesAtStart = this.server.stats.changes
    let file: RdbFile | undefined
    try {
      const target = new RdbFile(this.server)
      file = target
      new Snapshot(this.server, {
        sink: (chunk) => target.write(chunk),
        replication: this.server.replication.position(),
      }).runAtOnce()
      target.commit()
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      file?.discard()
      this.server.log.warning(`Write error saving DB on disk: ${error.message}`)
      return false
    }
    this.server.log.notice('DB saved on disk')
    this.savedChanges = changesAtStart
    this.lastSaveSeconds = this.nowSeconds()
    this.lastBackgroundFailed = false
    this.saves++
    return true
  }

  saveInBackground(whenDone?: (failure?: Error) => void): string | undefined {
    if (this.background !== undefined) return BACKGROUND_SAVE_RUNS
    const { server } = this
    this.lastTrySeconds = this.nowSeconds()
    let file: RdbFile
    try {
      file = new RdbFile(server)
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      server.log.warning(`Failed opening the temp RDB file for saving: ${error.message}`)
      this.lastBackgroundFailed = true
      return 'ERR'
    }
    const snapshot = new Snapshot(server, {
      sink: (chunk) => file.write(chunk),
      replication: server.replication.position(),
    })
    const changesAtStart = server.stats.changes
    const waiting = whenDone === undefined ? [] : [whenDone]
    this.background = { snapshot, file, startedMs: server.io.clock.wallMs(), changesAtStart, waiting }
    this.saves++
    server.log.notice(`Background saving started by pid ${server.io.host.processId}`)
    snapshot.run((failure) => {
      if (failure !== undefined) {
        file.discard()
        this.endBackground(failure)
      } else file.commitInBackground((outcome) => this.endBackground(outcome))
    })
    return undefined
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
    if (this.background !== undefined || this.server.loading) return
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

  prepareShutdown(save: boolean | undefined): string | undefined {
    const { server } = this
    this.loadTimer?.cancel()
    if (this.background !== undefined) {
      server.log.warning('There is a child saving an .rdb. Killing it!')
      this.abandonBackground()
    }
    if (!(save ?? server.config.values.save.length > 0) || server.loading) return undefined
    server.log.notice('Saving the final RDB snapshot before exiting.')
    if (this.saveNow()) return undefined
    server.log.warning("Error trying to save the DB, can't exit.")
    return 'ERR Errors trying to SHUTDOWN. Check logs.'
  }

  writeRefusal(): string | undefined {
    const { values } = this.server.config
    const refuse = this.lastBackgroundFailed && values['stop-writes-on-bgsave-error'] && values.save.length > 0
    return refuse ? MISCONFIGURED : undefined
  }

  // Loading

  load(done: (failure?: string) => void): void {
    const { server } = this
    const path = server.config.pathOf(server.config.values.dbfilename)
    const startedUs = server.io.clock.monotonicUs()
    if (server.io.disk.status(path) === undefined) {
      server.io.timers.defer(done)
      return
    }
    server.loading = true
    const load = new RdbLoad(server, { dropExpired: server.replication.role === 'primary' })
    const run = new RdbFileLoad(server, path, load)
    const slice = (): void => {
      let complete = false
      try {
        complete = run.slice()
      } catch (error) {
        run.close()
        done(this.explainFailure(error))
        return
      }
      if (!complete) {
        this.loadTimer = server.io.timers.after(0, slice)
        return
      }
      run.close()
      this.loaded = { keys: run.load.keysLoaded, expired: run.load.keysExpired }
      server.loading = false
      const position = run.load.replication
      if (position !== undefined) server.replication.restorePosition(position)
      server.log.notice(`Done loading RDB, keys loaded: ${this.loaded.keys}, keys expired: ${this.loaded.expired}.`)
      const seconds = (server.io.clock.monotonicUs() - startedUs) / 1e6
      server.log.notice(`DB loaded from disk: ${seconds.toFixed(3)} seconds`)
      done()
    }
    this.loadTimer = server.io.timers.after(0, slice)
  }

  /** The last line for the log, when the others are written. */
  private explainFailure(error: unknown): string {
    const { log } = this.server
    if (error instanceof RdbError || error instanceof RdbContentError) {
      log.warning(error.message)
      return 'Terminating server after rdb file reading failure.'
    }
    if (error instanceof IoError) return `Fatal error loading the DB: ${error.message}. Exiting.`
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
      ['aof_enabled', 0],
      ['aof_rewrite_in_progress', 0],
      ['aof_rewrite_scheduled', 0],
      ['aof_last_rewrite_time_sec', -1],
      ['aof_current_rewrite_time_sec', -1],
      ['aof_last_bgrewrite_status', 'ok'],
      ['aof_rewrites', 0],
      ['aof_rewrites_consecutive_failures', 0],
      ['aof_last_write_status', 'ok'],
      ['aof_last_cow_size', 0],
      ['module_fork_in_progress', 0],
      ['module_fork_last_cow_size', 0],
    ]
  }
}

const BACKGROUND_SAVE_RUNS = 'ERR Background save already in progress'
const MISCONFIGURED =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that " +
  'may modify the data set are disabled, because this instance is configured to report errors during writes if RDB ' +
  'snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.'
