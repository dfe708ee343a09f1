/**
 * The files of the append-only log on disk: a directory with a manifest and the files that it names.
 *
 *     DIR/appendonlydir/appendonly.aof.manifest
 *     DIR/appendonlydir/appendonly.aof.2.base.rdb
 *     DIR/appendonlydir/appendonly.aof.2.incr.aof
 *
 * A manifest replaces the one before in one step: written aside, synced, renamed, directory synced. Everything that it
 * names is durable under its name by then, because contents are synced before and names with the same directory.
 */
import { directoryOf, resolvePath } from '../data/path.ts'
import { type File, IoError } from '../io.ts'
import type { Server } from '../server/server.ts'
import { errorText } from '../server/system-errors.ts'
import { AofManifest } from './aof-manifest.ts'

export class AofFiles {
  manifest = AofManifest.empty
  private readonly server: Server

  constructor(server: Server) {
    this.server = server
  }

  /** `appendfilename` */
  get fileName(): string {
    return this.server.config.values.appendfilename
  }

  get directory(): string {
    return this.server.config.pathOf(this.server.config.values.appenddirname)
  }

  pathOf(name: string): string {
    return resolvePath(this.directory, name)
  }

  exists(name: string): boolean {
    return this.server.io.disk.status(this.pathOf(name)) !== undefined
  }

  /** 0 when it is not there. */
  sizeOf(name: string): number {
    return this.server.io.disk.status(this.pathOf(name))?.sizeBytes ?? 0
  }

  private get manifestName(): string {
    return `${this.fileName}.manifest`
  }

  /** Where data is gathered while the first rewrite is under way. */
  get temporaryIncrement(): string {
    return `temp-${this.fileName}.incr`
  }

  /** Where a rewrite writes; the process id keeps two servers in one directory apart. */
  get temporaryBasePath(): string {
    return this.server.config.pathOf(`temp-rewriteaof-bg-${this.server.io.host.processId}.aof`)
  }

  get temporaryBaseName(): string {
    return this.temporaryBasePath.slice(directoryOf(this.temporaryBasePath).length + 1)
  }

  /** @throws AofManifestError, IoError */
  readManifest(): void {
    const { disk } = this.server.io
    const path = this.pathOf(this.manifestName)
    if (disk.status(path) === undefined) {
      this.manifest = AofManifest.empty
      return
    }
    const file = disk.open(path, 'read')
    try {
      const bytes = Buffer.alloc(file.sizeBytes)
      this.manifest = AofManifest.parse(bytes.toString('utf8', 0, file.read(bytes, 0)))
    } finally {
      file.close()
    }
  }

  /**
   * Increments with data in them that come after all that the manifest names, by number. The manifest has been lost
   * then, or its end; or the server died while the log was being turned on. Redis writes over them.
   */
  orphans(): { name: string; sequence: number }[] {
    const { disk } = this.server.io
    if (disk.status(this.directory)?.isDirectory !== true) return []
    const prefix = `${this.fileName}.`
    return disk.list(this.directory).flatMap((name) => {
      const number = name.startsWith(prefix) ? /^(\d+)\.incr\.aof$/.exec(name.slice(prefix.length))?.[1] : undefined
      const sequence = Number(number ?? 0)
      return sequence > this.manifest.lastIncrement && this.sizeOf(name) > 0 ? [{ name, sequence }] : []
    })
  }

  /** @throws IoError */
  makeDirectory(): void {
    const { disk } = this.server.io
    if (disk.status(this.directory)?.isDirectory) return
    disk.makeDirectory(this.directory)
    disk.syncDirectory(directoryOf(this.directory))
  }

  /**
   * Makes `manifest` the one that counts.
   * @throws IoError; then `manifest` tells which of the two is on disk. When it is the new one, only its name was not
   * synced: after a power cut it may be the old one, so the files of both must stay
   */
  persist(manifest: AofManifest): void {
    const { disk } = this.server.io
    const temporaryPath = this.pathOf(`temp-${this.manifestName}`)
    const file = disk.open(temporaryPath, 'create')
    try {
      writeAll(file, Buffer.from(manifest.toString()))
      file.sync()
    } finally {
      file.close()
    }
    disk.rename(temporaryPath, this.pathOf(this.manifestName))
    this.manifest = manifest
    disk.syncDirectory(this.directory)
  }

  /** Removes what a rewrite has replaced. A failure does no harm: it is tried again later. */
  removeHistory(): void {
    const { config, log } = this.server
    if (config.values['aof-disable-auto-gc'] || this.manifest.history.length === 0) return
    for (const { name } of this.manifest.history) {
      log.notice(`Removing the history file ${name} in the background`)
      this.remove(this.pathOf(name))
    }
    try {
      this.persist(this.manifest.withoutHistory())
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      log.warning(`Fail to persist the AOF manifest: ${errorText(error)}`)
    }
  }

  /** Removes a file if it is there. */
  remove(path: string): void {
    try {
      this.server.io.disk.remove(path)
    } catch (error) {
      if (!(error instanceof IoError)) throw error
    }
  }

  /**
   * A single file of before Redis 7.0 becomes the base of the new form. Nothing happens unless there is one and it is
   * the whole log. Stopped half-way it goes on at the next start: the manifest names the file before it has moved.
   * @throws IoError
   */
  upgradeOldFile(): void {
    const { config, io, log } = this.server
    const oldPath = config.pathOf(this.fileName)
    if (io.disk.status(oldPath)?.isDirectory !== false) return
    const { base, increments, isEmpty } = this.manifest
    const halfWay = base?.name === this.fileName && increments.length === 0 && !this.exists(this.fileName)
    if (!isEmpty && !halfWay) return
    this.makeDirectory()
    this.persist(AofManifest.ofOldFile(this.fileName))
    io.disk.rename(oldPath, this.pathOf(this.fileName))
    io.disk.syncDirectory(this.directory)
    io.disk.syncDirectory(directoryOf(oldPath))
    log.notice(
      `Successfully migrated an old-style AOF configuration (${this.fileName}) into the AOF directory (${config.values.appenddirname}).`,
    )
  }
}

/** @throws IoError also when the disk is full */
export function writeAll(file: File, bytes: Buffer): void {
  for (let from = 0; from < bytes.length; ) {
    const written = file.write(bytes.subarray(from))
    if (written === 0) throw new IoError('ENOSPC', 'No space left on device')
    from += written
  }
}
