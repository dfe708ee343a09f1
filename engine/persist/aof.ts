/**
 * The append-only log put together: on and off, the load at start, rewrites and when they are due.
 *
 *     off ──► waiting ──► on       CONFIG SET appendonly yes: it is on once the first rewrite is complete
 *      ▲         │         │
 *      └─────────┴─────────┘       CONFIG SET appendonly no, and while a primary's data set replaces ours
 *
 * A rewrite never leaves the log without a complete state on disk. Each line is durable before the next:
 *
 *     1  everything written so far
 *     2  manifest: base 1, increments 1 and 2            from now on commands go to increment 2
 *     3  the data set as of this moment, in a temporary file
 *     4  manifest: base 2, increment 2; history: base 1 and increment 1
 *     5  the history is removed; manifest: base 2, increment 2
 *
 * Names, messages and limits are Redis 7.0's (aof.c).
 */
import type { Arguments } from '../commands/arguments.ts'
import { IoError } from '../io.ts'
import type { Server } from '../server/server.ts'
import { errorText } from '../server/system-errors.ts'
import { AofFiles } from './aof-files.ts'
import { AofLoad, AofLoadError } from './aof-load.ts'
import { AofLog } from './aof-log.ts'
import { AofManifestError } from './aof-manifest.ts'
import { AofRewrite } from './aof-rewrite.ts'
import { LoadingProgress } from './loading-progress.ts'
import { RewriteLimit } from './rewrite-limit.ts'

/** What the log needs to know of its surroundings. */
export interface AofSurroundings {
  /** A background save runs: no rewrite may begin. */
  isSaving(): boolean
  /** Loads in slices, calls back later with the last line for the log if it failed. */
  runLoad(load: AofLoad, progress: LoadingProgress, done: (failure?: string) => void): void
}

export class Aof {
  private readonly server: Server
  private readonly surroundings: AofSurroundings
  private readonly files: AofFiles
  readonly log: AofLog
  private readonly limit: RewriteLimit
  private state: 'off' | 'waiting' | 'on' = 'off'
  private rewrite: AofRewrite | undefined
  private rewriteScheduled = false
  /** Size of base and increments when the log was last complete without growth. */
  private baseBytes = 0
  /** Size of all files but the one that is written to. */
  private settledBytes = 0
  private lastRewriteFailed = false
  private lastRewriteSeconds = -1
  private rewrites = 0

  constructor(server: Server, surroundings: AofSurroundings) {
    this.server = server
    this.surroundings = surroundings
    this.files = new AofFiles(server)
    server.memory.count('aof.buffer', () => this.log.bufferedBytes)
    this.log = new AofLog(server, () => this.rewrite !== undefined || surroundings.isSaving())
    this.limit = new RewriteLimit(server)
    server.config.onApply('appendonly', () => this.followConfig())
  }

  get isOn(): boolean {
    return this.state !== 'off'
  }

  get isRewriting(): boolean {
    return this.rewrite !== undefined
  }

  /** Takes a command that was executed. */
  feed(databaseIndex: number, args: Arguments): void {
    // Until the first rewrite has begun there is nothing that commands could be added to.
    if (this.state === 'on' || this.rewrite !== undefined) this.log.append(databaseIndex, args)
  }

  private get currentBytes(): number {
    return this.settledBytes + this.log.offsetBytes
  }

  // Start

  /**
   * Loads the log and opens it. `done` comes later, with the last line for the server's log when the start must fail.
   */
  load(done: (failure?: string) => void): void {
    const { server } = this
    const startUs = server.io.clock.monotonicUs()
    const finish = (loaded: boolean): void => {
      if (loaded) {
        const seconds = (server.io.clock.monotonicUs() - startUs) / 1e6
        server.log.notice(`DB loaded from append only file: ${seconds.toFixed(3)} seconds`)
      }
      done(this.attempt(() => this.openAtStart()))
    }
    let load: { load: AofLoad; progress: LoadingProgress } | undefined
    const failure = this.attempt(() => {
      this.files.readManifest()
      load = this.prepareLoad()
    })
    if (failure !== undefined || load === undefined) {
      server.io.timers.defer(() => (failure === undefined ? finish(!this.files.manifest.isEmpty) : done(failure)))
      return
    }
    this.surroundings.runLoad(load.load, load.progress, (error) => {
      if (error !== undefined) done(error)
      else finish(true)
    })
  }

  /** Replays at once what is on disk. @throws AofManifestError, AofLoadError, IoError */
  reload(): void {
    if (this.state === 'on') {
      this.log.flush(true)
      this.files.readManifest()
      this.files.removeHistory()
    }
    const { settledBytes, baseBytes } = this
    const load = this.prepareLoad()?.load
    this.settledBytes = settledBytes
    this.baseBytes = baseBytes
    if (load === undefined) return
    try {
      while (!load.slice());
    } finally {
      load.close()
    }
  }

  /** Undefined when there is nothing to load. @throws AofLoadError, IoError */
  private prepareLoad(): { load: AofLoad; progress: LoadingProgress } | undefined {
    const { files, server } = this
    files.upgradeOldFile()
    this.refuseOrphans()
    let totalBytes = 0
    for (const { name } of files.manifest.files) {
      if (!files.exists(name)) {
        throw new AofLoadError(
          `The AOF file ${name}, which the manifest names, doesn't exist: No such file or directory`,
        )
      }
      totalBytes += files.sizeOf(name)
    }
    this.settledBytes = totalBytes
    this.baseBytes = files.manifest.base === undefined ? 0 : files.sizeOf(files.manifest.base.name)
    this.warnOfEmptyBase()
    if (totalBytes === 0) return undefined
    const progress = new LoadingProgress(server, totalBytes)
    return { load: new AofLoad(server, files, progress), progress }
  }

  /**
   * Even a snapshot of nothing has bytes: an empty one has lost its data. Redis 7.0 starts without a word, and so that
   * a data directory of its does not fail here, this starts too; but it says so.
   */
  private warnOfEmptyBase(): void {
    const name = this.files.manifest.base?.name
    if (name?.endsWith('.rdb') && this.baseBytes === 0) {
      this.server.log.warning(`The base file ${name} is empty, which no snapshot is: its data is lost`)
    }
  }

  /** Data that no manifest names is not loaded, but not written over either; with no manifest at all it is refused. */
  private refuseOrphans(): void {
    const { files, server } = this
    const orphans = files.orphans()
    const [first] = orphans
    if (first === undefined) return
    if (files.manifest.isEmpty) {
      throw new AofLoadError(
        `The AOF directory ${server.config.values.appenddirname} has data (${first.name}) but no manifest that names it. Restore the manifest, or move the directory away to start without the data.`,
      )
    }
    for (const { name, sequence } of orphans) {
      server.log.warning(`The AOF file ${name} has data, but the manifest does not name it: it is left alone`)
      files.manifest = files.manifest.withIncrementsAfter(sequence)
    }
  }

  /** The last line for the log if `action` failed as only disks and files fail. */
  private attempt(action: () => void): string | undefined {
    try {
      action()
      return undefined
    } catch (error) {
      if (error instanceof AofManifestError) return this.explainManifest(error)
      if (error instanceof AofLoadError) return error.message
      if (error instanceof IoError) return `Fatal error with the AOF files: ${error.message}`
      throw error
    }
  }

  private explainManifest(error: AofManifestError): string {
    const { log } = this.server
    log.warning('*** FATAL AOF MANIFEST FILE ERROR ***')
    if (error.lineNumber > 0) {
      log.warning(`Reading the manifest file, at line ${error.lineNumber}`)
      log.warning(`>>> '${error.line}'`)
    }
    return error.message
  }

  /** @throws IoError */
  private openAtStart(): void {
    const { files, server } = this
    files.makeDirectory()
    let { manifest } = files
    if (manifest.isEmpty) {
      const base = new AofRewrite(server, files.temporaryBasePath)
      manifest = manifest.withNewBase(files.fileName, base.suffix)
      const name = manifest.base?.name as string
      try {
        base.runAtOnce()
        base.moveTo(files.pathOf(name))
      } catch (error) {
        base.cancel()
        throw error
      }
      server.log.notice(`Creating AOF base file ${name} on server start`)
    }
    const isNew = manifest.increments.length === 0
    if (isNew) manifest = manifest.withNewIncrement(files.fileName)
    const name = manifest.increments.at(-1)?.name as string
    const file = server.io.disk.open(files.pathOf(name), 'append')
    if (manifest !== files.manifest) files.persist(manifest)
    this.log.attach(file)
    this.settledBytes = manifest.files.slice(0, -1).reduce((sum, entry) => sum + files.sizeOf(entry.name), 0)
    this.state = 'on'
    server.log.notice(`${isNew ? 'Creating' : 'Opening'} AOF incr file ${name} on server start`)
    files.removeHistory()
  }

  // On and off

  private followConfig(): string | undefined {
    const { server } = this
    if (server.loading) return undefined
    if (!server.config.values.appendonly) this.stop()
    else if (this.state === 'off' && !this.start()) return 'Unable to turn on AOF. Check server logs.'
    return undefined
  }

  /** Turns the log on, with a rewrite. False when that cannot even begin; the log says why. */
  start(): boolean {
    const { server } = this
    if (this.state !== 'off') return true
    this.state = 'waiting'
    this.log.forgetFailures()
    if (this.surroundings.isSaving()) {
      this.rewriteScheduled = true
      server.log.notice(
        'AOF was enabled but there is already another background operation. An AOF background was scheduled to start when possible.',
      )
      return true
    }
    if (server.inTransaction) {
      this.rewriteScheduled = true
      server.log.notice('AOF was enabled during a transaction. An AOF background was scheduled to start when possible.')
      return true
    }
    if (this.rewrite !== undefined) {
      server.log.notice(
        'AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting a rewrite now.',
      )
      this.cancelRewrite()
    }
    if (this.startRewrite()) return true
    this.state = 'off'
    server.log.warning(
      "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs for more info about the error.",
    )
    return false
  }

  /** Turns the log off; what it holds stays. */
  stop(): void {
    if (this.state === 'off') return
    const wasWaiting = this.state === 'waiting'
    this.log.close()
    this.state = 'off'
    this.rewriteScheduled = false
    this.cancelRewrite()
    if (wasWaiting) this.removeTemporaryIncrement()
  }

  private removeTemporaryIncrement(): void {
    this.files.remove(this.files.pathOf(this.files.temporaryIncrement))
  }

  /** The server is gone: nothing is written any more. */
  abandon(): void {
    this.rewrite?.cancel()
    this.rewrite = undefined
    this.log.abandon()
    this.state = 'off'
  }

  /**
   * Flushes and syncs before the server ends. Undefined, or why it must not end (the first rewrite is not complete).
   */
  prepareShutdown(force: boolean): string | undefined {
    const { log } = this.server
    if (this.rewrite !== undefined) {
      if (this.state === 'waiting') {
        log.warning(force ? 'Writing initial AOF. Exit anyway.' : "Writing initial AOF, can't exit.")
        if (!force) return 'ERR Errors trying to SHUTDOWN. Check logs.'
      }
      log.warning('There is a child rewriting the AOF. Killing it!')
      this.cancelRewrite()
    }
    if (this.state === 'off') return undefined
    log.notice('Calling fsync() on the AOF file.')
    this.log.flush(true)
    this.log.syncNow()
    return undefined
  }

  // Rewriting

  /** BGREWRITEAOF. What to answer. */
  rewriteInBackground(): { status: string } | { error: string } {
    if (this.rewrite !== undefined) {
      return { error: 'ERR Background append only file rewriting already in progress' }
    }
    if (this.surroundings.isSaving() || this.server.inTransaction) {
      this.rewriteScheduled = true
      // Somebody asks for it: earlier failures do not make him wait.
      this.limit.failures = 0
      return { status: 'Background append only file rewriting scheduled' }
    }
    if (this.startRewrite()) return { status: 'Background append only file rewriting started' }
    return {
      error: "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
    }
  }

  /** Every 100 ms: what was scheduled, what has grown too large, what waits for the disk. */
  cron(): void {
    if (this.state !== 'off') this.log.cron()
    if (this.rewrite !== undefined || this.surroundings.isSaving() || this.server.loading) return
    if (this.rewriteScheduled) {
      if (!this.limit.holds()) this.startRewrite()
      return
    }
    if (this.state !== 'on') return
    const { 'auto-aof-rewrite-percentage': percentage, 'auto-aof-rewrite-min-size': minBytes } =
      this.server.config.values
    if (percentage === 0 || this.currentBytes <= Number(minBytes)) return
    const growth = Math.floor((this.currentBytes * 100) / (this.baseBytes || 1)) - 100
    if (growth < percentage || this.limit.holds()) return
    this.server.log.notice(`Starting automatic rewriting of AOF on ${growth}% growth`)
    this.startRewrite()
  }

  private startRewrite(): boolean {
    const { server } = this
    let rewrite: AofRewrite | undefined
    try {
      this.files.makeDirectory()
      // First, since it may fail: nothing has changed then.
      rewrite = new AofRewrite(server, this.files.temporaryBasePath)
      if (this.state !== 'off') this.openNewIncrement()
    } catch (error) {
      rewrite?.cancel()
      if (!(error instanceof IoError)) throw error
      server.log.warning(`Can't rewrite append only file in background: ${errorText(error)}`)
      this.lastRewriteFailed = true
      return false
    }
    const started = rewrite
    this.rewrite = started
    this.rewrites++
    this.rewriteScheduled = false
    server.log.notice(`Background append only file rewriting started by pid ${server.io.host.processId}`)
    started.run((failure) => this.endRewrite(started, failure))
    return true
  }

  /**
   * From here on commands go to a file that follows the snapshot.
   * @throws IoError; then commands go where they went
   */
  private openNewIncrement(): void {
    const { files, log, server } = this
    log.settle()
    const isFirst = this.state === 'waiting'
    const manifest = isFirst ? files.manifest : files.manifest.withNewIncrement(files.fileName)
    const name = isFirst ? files.temporaryIncrement : (manifest.increments.at(-1)?.name as string)
    const file = server.io.disk.open(files.pathOf(name), 'create')
    try {
      if (!isFirst) files.persist(manifest)
      server.log.notice(`Creating AOF incr file ${name} on background rewrite`)
    } finally {
      if (files.manifest === manifest) {
        this.settledBytes = this.currentBytes
        log.switchTo(file)
      } else file.close()
    }
  }

  private endRewrite(rewrite: AofRewrite, failure: Error | undefined): void {
    if (this.rewrite !== rewrite) return
    const { log } = this.server
    if (failure !== undefined) {
      log.warning(`Write error writing append only file on disk: ${failure.message}`)
      log.warning('Background AOF rewrite terminated with error')
      this.rewriteFailed()
      return
    }
    log.notice(`Successfully created the temporary AOF base file ${this.files.temporaryBaseName}`)
    log.notice('Background AOF rewrite terminated with success')
    try {
      this.install(rewrite)
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      log.warning(`Error trying to install the rewritten AOF: ${errorText(error)}`)
      this.rewriteFailed()
      return
    }
    this.rewrite = undefined
    this.lastRewriteSeconds = rewrite.durationSeconds
    this.files.removeHistory()
    this.lastRewriteFailed = false
    this.limit.failures = 0
    log.notice('Background AOF rewrite finished successfully')
    if (this.state === 'waiting') this.state = 'on'
  }

  /** The new base, and what was written since, become the log. @throws IoError; then the log is what it was */
  private install(rewrite: AofRewrite): void {
    const { files, server } = this
    const before = files.manifest
    let manifest = before.withNewBase(files.fileName, rewrite.suffix)
    const baseName = manifest.base?.name as string
    const placed: string[] = []
    try {
      rewrite.moveTo(files.pathOf(baseName))
      placed.push(baseName)
      server.log.notice(`Successfully renamed the temporary AOF base file ${files.temporaryBaseName} into ${baseName}`)
      if (this.state === 'waiting') {
        manifest = manifest.withNewIncrement(files.fileName)
        const name = manifest.increments.at(-1)?.name as string
        server.io.disk.rename(files.pathOf(files.temporaryIncrement), files.pathOf(name))
        placed.push(name)
        server.log.notice(`Successfully renamed the temporary AOF incr file ${files.temporaryIncrement} into ${name}`)
      }
      files.persist(manifest.withReplacedIncrements(this.state === 'off' ? 0 : 1))
    } catch (error) {
      if (files.manifest === before) for (const name of placed) files.remove(files.pathOf(name))
      throw error
    }
    this.settledBytes = files.sizeOf(baseName)
    this.baseBytes = this.state === 'off' ? this.baseBytes : this.currentBytes
  }

  private rewriteFailed(): void {
    const seconds = this.rewrite?.durationSeconds ?? 0
    this.rewrite?.cancel()
    this.rewrite = undefined
    this.lastRewriteSeconds = seconds
    this.lastRewriteFailed = true
    this.limit.failures++
    if (this.state !== 'waiting') return
    this.log.discardBuffer()
    this.removeTemporaryIncrement()
    this.rewriteScheduled = true
  }

  private cancelRewrite(): void {
    if (this.rewrite === undefined) return
    this.server.log.notice(`Killing running AOF rewrite child: ${this.server.io.host.processId}`)
    this.rewrite.cancel()
    this.rewrite = undefined
  }

  // What is known about it

  writeRefusal(): string | undefined {
    const failure = this.state === 'off' ? undefined : this.log.failure
    return failure && `MISCONF Errors writing to the AOF file: ${errorText(failure)}`
  }

  infoFields(): readonly (readonly [string, string | number])[] {
    const { rewrite } = this
    return [
      ['aof_enabled', this.state === 'off' ? 0 : 1],
      ['aof_rewrite_in_progress', rewrite === undefined ? 0 : 1],
      ['aof_rewrite_scheduled', this.rewriteScheduled ? 1 : 0],
      ['aof_last_rewrite_time_sec', this.lastRewriteSeconds],
      ['aof_current_rewrite_time_sec', rewrite === undefined ? -1 : rewrite.durationSeconds],
      ['aof_last_bgrewrite_status', this.lastRewriteFailed ? 'err' : 'ok'],
      ['aof_rewrites', this.rewrites],
      ['aof_rewrites_consecutive_failures', this.limit.failures],
      ['aof_last_write_status', this.log.failure === undefined ? 'ok' : 'err'],
      ['aof_last_cow_size', 0],
    ]
  }

  /** Only while the log is on. */
  sizeFields(): readonly (readonly [string, string | number])[] {
    if (this.state === 'off') return []
    return [
      ['aof_current_size', this.currentBytes],
      ['aof_base_size', this.baseBytes],
      ['aof_pending_rewrite', this.rewriteScheduled ? 1 : 0],
      ['aof_buffer_length', this.log.bufferedBytes],
      ['aof_pending_bio_fsync', this.log.pendingSyncs],
      ['aof_delayed_fsync', this.log.delayedSyncs],
    ]
  }
}
