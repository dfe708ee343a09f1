/**
 * A snapshot on its way from the primary into this replica's databases.
 *
 *     $123\r\n  123 bytes of RDB              (then the stream)
 *     $EOF:mark\r\n  RDB  mark                (then nothing, until we have acknowledged)
 *
 * By default the bytes go to a file first, as in Redis with `repl-diskless-load disabled`: the old data is served until
 * all of the new has arrived, and a primary that dies half-way costs nothing. When the databases are empty and
 * `on-empty-db` is set, they are loaded as they arrive. The position after the last byte is found by its length or
 * mark, and the loader must agree with it.
 */
import { type File, IoError, type Timer } from '../io.ts'
import { RdbError } from '../persist/rdb-input.ts'
import { RdbContentError, RdbFileLoad, RdbLoad } from '../persist/rdb-load.ts'
import type { Server } from '../server/server.ts'
import { removeSyncFile } from './sync-file.ts'

const MARK_BYTES = 40
const HEADER_BYTES_MAX = 1024

export interface TransferEvents {
  /** The databases are about to be emptied. */
  replacing(): void
  /** Everything is loaded. `rest`: what came after the snapshot. `databaseIndex`: selected in the stream there. */
  loaded(databaseIndex: number, rest: Buffer): void
  /** It cannot be completed; the reason is in the log. */
  failed(): void
  /** While loading from a file nothing more may come in. */
  pause(paused: boolean): void
}

export class SnapshotTransfer {
  /** Announced length; 0 while unknown or marked. */
  totalBytes = 0
  receivedBytes = 0
  private readonly server: Server
  private readonly events: TransferEvents
  private header: Buffer | undefined = Buffer.alloc(0)
  private mark: Buffer | undefined
  private tail: Buffer = Buffer.alloc(0)
  private target: MemoryTarget | FileTarget | undefined
  private rest: Buffer = Buffer.alloc(0)
  private timer: Timer | undefined
  private progress: { at(bytes: number): void } | undefined
  private fileLoad: RdbFileLoad | undefined
  private ended = false

  constructor(server: Server, events: TransferEvents) {
    this.server = server
    this.events = events
  }

  /** All bytes are here and are being loaded from disk: the primary is not needed any more. */
  get isReceived(): boolean {
    return this.fileLoad !== undefined
  }

  /** Takes the next bytes from the primary. */
  feed(chunk: Buffer): void {
    if (this.ended) return
    try {
      const payload = this.header === undefined ? chunk : this.readHeader(chunk)
      if (payload !== undefined && payload.length > 0) this.receive(payload)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Gives up: what was loaded half is removed. */
  cancel(): void {
    if (this.ended) return
    this.ended = true
    this.timer?.cancel()
    this.fileLoad?.close()
    if (this.target instanceof FileTarget) this.target.discard()
    if (!this.server.loading) return
    this.server.persistence.endLoading()
    this.server.emptyDatabases()
  }

  private fail(error: unknown): void {
    const { log } = this.server
    if (error instanceof TransferError) log.warning(error.message)
    else if (error instanceof RdbError || error instanceof RdbContentError) {
      const source = this.target instanceof FileTarget ? 'disk' : 'socket'
      log.warning(`Failed trying to load the MASTER synchronization DB from ${source}: ${error.message}`)
    } else if (error instanceof IoError) {
      log.warning(
        `Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: ${error.message}`,
      )
    } else throw error
    this.cancel()
    this.events.failed()
  }

  /** Undefined until the header line is complete; then what follows it. */
  private readHeader(chunk: Buffer): Buffer | undefined {
    const { log, config } = this.server
    let bytes = Buffer.concat([this.header as Buffer, chunk])
    // Empty lines keep the link alive while the primary prepares.
    while (bytes[0] === 10) bytes = bytes.subarray(1)
    const end = bytes.indexOf(10)
    if (end < 0) {
      if (bytes.length > HEADER_BYTES_MAX) throw new TransferError('I/O error reading bulk count from MASTER: too long')
      this.header = bytes
      return undefined
    }
    this.header = undefined
    const line = bytes.toString('latin1', 0, end).replace(/\r$/, '')
    if (line.startsWith('-')) throw new TransferError(`MASTER aborted replication with an error: ${line.slice(1)}`)
    if (!line.startsWith('$')) {
      throw new TransferError(
        `Bad protocol from MASTER, the first byte is not '$' (we received '${line}'), are you sure the host and port are right?`,
      )
    }
    const empty = this.server.databases.every((database) => database.size === 0)
    const direct = config.values['repl-diskless-load'] === 'on-empty-db' && empty
    const to = direct ? 'to parser' : 'to disk'
    if (line.startsWith('$EOF:') && line.length === 5 + MARK_BYTES) {
      this.mark = Buffer.from(line.slice(5), 'latin1')
      log.notice(`MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF ${to}`)
    } else {
      this.totalBytes = Number(line.slice(1))
      log.notice(`MASTER <-> REPLICA sync: receiving ${this.totalBytes} bytes from master ${to}`)
    }
    this.target = direct ? new MemoryTarget(this.startLoading()) : new FileTarget(this.server)
    return bytes.subarray(end + 1)
  }

  private receive(payload: Buffer): void {
    if (this.mark === undefined) {
      const wanted = this.totalBytes - this.receivedBytes
      const part = payload.subarray(0, wanted)
      this.store(part)
      if (part.length < wanted) return
      this.complete(payload.subarray(wanted))
      return
    }
    // The mark may be cut anywhere: its length is always held back.
    const held = Buffer.concat([this.tail, payload])
    const ends = held.length >= MARK_BYTES && held.subarray(-MARK_BYTES).equals(this.mark)
    const keep = Math.min(MARK_BYTES, held.length)
    this.store(held.subarray(0, held.length - keep))
    this.tail = Buffer.from(held.subarray(held.length - keep))
    if (ends) this.complete(Buffer.alloc(0))
  }

  private store(bytes: Buffer): void {
    this.receivedBytes += bytes.length
    if (bytes.length > 0) this.target?.write(bytes)
    this.progress?.at(this.receivedBytes)
  }

  private startLoading(): RdbLoad {
    const { server } = this
    this.events.replacing()
    server.log.notice('MASTER <-> REPLICA sync: Flushing old data')
    // What is loaded now is not the history that the log has. It begins anew when everything is there.
    server.persistence.suspendLog()
    server.emptyDatabases()
    this.progress = server.persistence.beginLoading(this.totalBytes)
    server.log.notice('MASTER <-> REPLICA sync: Loading DB in memory')
    return new RdbLoad(server, { dropExpired: false })
  }

  /** All bytes of the snapshot are here. */
  private complete(rest: Buffer): void {
    this.rest = Buffer.from(rest)
    if (this.target instanceof MemoryTarget) {
      this.target.load.reader.finish()
      this.finish(this.target.load)
      return
    }
    const path = (this.target as FileTarget).commit()
    this.events.pause(true)
    this.fileLoad = new RdbFileLoad(this.server, path, this.startLoading())
    this.timer = this.server.io.timers.after(0, () => this.loadSlice())
  }

  private loadSlice(): void {
    const load = this.fileLoad as RdbFileLoad
    this.progress?.at(load.load.reader.offsetBytes)
    try {
      if (!load.slice()) {
        this.timer = this.server.io.timers.after(0, () => this.loadSlice())
        return
      }
    } catch (error) {
      this.fail(error)
      return
    }
    load.close()
    this.finish(load.load)
    this.events.pause(false)
  }

  private finish(load: RdbLoad): void {
    this.ended = true
    this.server.persistence.endLoading()
    this.server.log.notice(load.summary)
    this.server.log.notice('MASTER <-> REPLICA sync: Finished with success')
    if (this.target instanceof FileTarget) {
      removeSyncFile(
        this.server,
        'Removing the RDB file obtained from the master. This replica has persistence disabled',
      )
    }
    this.server.persistence.resumeLog()
    this.events.loaded(Number(load.aux.get('repl-stream-db') ?? 0), this.rest)
  }
}

class TransferError extends Error {}

class MemoryTarget {
  readonly load: RdbLoad

  constructor(load: RdbLoad) {
    this.load = load
  }

  write(bytes: Buffer): void {
    this.load.reader.feed(bytes)
    this.load.reader.advance()
  }
}

/** `temp-SECONDS.PID.rdb`, which becomes the server's own RDB file. */
class FileTarget {
  private readonly server: Server
  private readonly temporaryPath: string
  private file: File | undefined

  constructor(server: Server) {
    const { io, config } = server
    this.server = server
    const seconds = Math.floor(io.clock.wallMs() / 1000)
    this.temporaryPath = config.pathOf(`temp-${seconds}.${io.host.processId}.rdb`)
    this.file = io.disk.open(this.temporaryPath, 'create')
  }

  write(bytes: Buffer): void {
    for (let from = 0; from < bytes.length; ) {
      const written = this.file?.write(bytes.subarray(from)) ?? 0
      if (written === 0) throw new IoError('ENOSPC', 'No space left on device')
      from += written
    }
  }

  /** Path of the file under its final name. */
  commit(): string {
    const { io, config } = this.server
    const path = config.pathOf(config.values.dbfilename)
    this.file?.sync()
    this.file?.close()
    this.file = undefined
    io.disk.rename(this.temporaryPath, path)
    io.disk.syncDirectory(config.values.dir)
    return path
  }

  discard(): void {
    if (this.file === undefined) return
    this.file.close()
    this.file = undefined
    this.server.io.disk.remove(this.temporaryPath)
  }
}
