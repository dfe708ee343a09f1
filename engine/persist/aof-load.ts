/**
 * Replays the append-only log: the base, which is an RDB file or commands, then the increments, in slices, so that the
 * server answers meanwhile.
 *
 * A log that was cut off in its last command, or inside its last transaction, is a sound log of the time before, and
 * is made so (`aof-load-truncated`). Anything else that is wrong ends the load: with the file and the offset, and with
 * what `redis-check-aof --fix` would do about it. Messages are Redis 7.0's, with the offset added.
 */
import { Arguments } from '../commands/arguments.ts'
import { type File, IoError } from '../io.ts'
import type { Client } from '../server/client.ts'
import type { Server } from '../server/server.ts'
import { errorText } from '../server/system-errors.ts'
import type { AofFiles } from './aof-files.ts'
import { AofFormatError, AofInput } from './aof-input.ts'
import type { AofFileEntry } from './aof-manifest.ts'
import { delayLoading, type LoadingProgress } from './loading-progress.ts'
import { RdbError } from './rdb-input.ts'
import { RdbContentError, RdbFileLoad, RdbLoad } from './rdb-load.ts'

const SLICE_US = 5000
/** Between two looks at the clock. */
const STEP_COMMANDS = 64
/** Where no time passes during a turn (simulation), this many are a slice. */
const SLICE_COMMANDS = 8192
const SIGNATURE = Buffer.from('REDIS')

/** The log cannot be loaded; the reasons but the last are in the server's log. */
export class AofLoadError extends Error {}

/** Keys that came out of an RDB base. */
export interface AofLoadCounts {
  keys: number
  expired: number
}

export class AofLoad {
  readonly counts: AofLoadCounts = { keys: 0, expired: 0 }
  private readonly server: Server
  private readonly files: AofFiles
  private readonly progress: LoadingProgress
  private readonly entries: AofFileEntry[]
  private current: { entry: AofFileEntry; load: AofFileLoad; startUs: number } | undefined

  /** For the files of the manifest, which must be there. */
  constructor(server: Server, files: AofFiles, progress: LoadingProgress) {
    this.server = server
    this.files = files
    this.progress = progress
    this.entries = [...files.manifest.files]
  }

  /** True when everything is loaded. @throws AofLoadError, RdbError, RdbContentError, IoError */
  slice(): boolean {
    const { clock } = this.server.io
    const endUs = clock.monotonicUs() + SLICE_US
    do {
      if (this.current === undefined && !this.openNext()) return true
      if (!this.current?.load.slice(endUs)) return false
      this.endFile()
    } while (clock.monotonicUs() < endUs)
    return false
  }

  /** Safe to call at any time. */
  close(): void {
    this.current?.load.close()
    this.current = undefined
  }

  private openNext(): boolean {
    const entry = this.entries.shift()
    if (entry === undefined) return false
    const startUs = this.server.io.clock.monotonicUs()
    const isLast = this.entries.length === 0
    this.current = { entry, startUs, load: new AofFileLoad(this.server, this.files, entry, this.progress, isLast) }
    return true
  }

  private endFile(): void {
    const { current, server } = this
    if (current === undefined) return
    const { entry, load, startUs } = current
    this.counts.keys += load.counts.keys
    this.counts.expired += load.counts.expired
    this.close()
    this.progress.endFile(this.files.sizeOf(entry.name))
    const seconds = (server.io.clock.monotonicUs() - startUs) / 1e6
    const kind = entry.type === 'base' ? 'base' : 'incr'
    if (!load.isEmpty) server.log.notice(`DB loaded from ${kind} file ${entry.name}: ${seconds.toFixed(3)} seconds`)
  }
}

/** One file of the log. */
class AofFileLoad {
  readonly isEmpty: boolean
  readonly counts: AofLoadCounts = { keys: 0, expired: 0 }
  private readonly server: Server
  private readonly files: AofFiles
  private readonly name: string
  private readonly progress: LoadingProgress
  private readonly isLast: boolean
  private readonly file: File
  private readonly client: Client
  private readonly args = new Arguments()
  private rdb: RdbFileLoad | undefined
  private input: AofInput | undefined
  /** Where the command that began the running transaction starts. */
  private transactionOffset = 0
  private closed = false

  constructor(server: Server, files: AofFiles, entry: AofFileEntry, progress: LoadingProgress, isLast: boolean) {
    this.server = server
    this.files = files
    this.name = entry.name
    this.progress = progress
    this.isLast = isLast
    this.file = this.open()
    this.client = server.createInternalClient('primary')
    this.isEmpty = this.file.sizeBytes === 0
    const start = Buffer.alloc(SIGNATURE.length)
    this.file.read(start, 0)
    if (!start.equals(SIGNATURE)) {
      this.input = new AofInput(this.file, 0)
      return
    }
    server.log.notice(
      this.isOldStyle ? 'Reading RDB preamble from AOF file...' : 'Reading RDB base file on AOF loading...',
    )
    // Keys that have expired stay: the commands that follow were written when they were there.
    this.rdb = new RdbFileLoad(server, files.pathOf(this.name), new RdbLoad(server, { dropExpired: false }))
  }

  private get isOldStyle(): boolean {
    return this.name === this.files.fileName
  }

  private open(): File {
    try {
      return this.server.io.disk.open(this.files.pathOf(this.name), 'read')
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      throw new AofLoadError(
        `Fatal error: can't open the append log file ${this.name} for reading: ${errorText(error)}`,
      )
    }
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.rdb?.close()
    this.file.close()
    this.client.close()
  }

  /** True when the file is loaded. */
  slice(endUs: number): boolean {
    if (this.input !== undefined) return this.replay(this.input, endUs)
    this.loadPreamble(this.rdb as RdbFileLoad)
    return false
  }

  private loadPreamble(rdb: RdbFileLoad): void {
    const { log } = this.server
    let complete = false
    try {
      complete = rdb.slice()
    } catch (error) {
      if (!(error instanceof RdbError || error instanceof RdbContentError)) throw error
      log.warning(error.message)
      const what = this.isOldStyle ? 'RDB preamble of the AOF file' : 'RDB base file'
      throw new AofLoadError(`Error reading the ${what} ${this.name}, AOF loading aborted`)
    }
    const { reader, keysLoaded, keysExpired } = rdb.load
    this.progress.usedMemoryBytes = rdb.load.usedMemoryBytes
    this.progress.at(reader.offsetBytes)
    if (!complete) return
    log.notice(rdb.load.summary)
    this.counts.keys = keysLoaded
    this.counts.expired = keysExpired
    if (this.isOldStyle) log.notice('Reading the remaining AOF tail...')
    this.input = new AofInput(this.file, reader.offsetBytes)
  }

  private replay(input: AofInput, endUs: number): boolean {
    const { clock } = this.server.io
    const stepCommands = this.server.config.values['key-load-delay'] === 0 ? STEP_COMMANDS : 1
    for (let commands = 0; commands < SLICE_COMMANDS; commands += stepCommands) {
      for (let i = 0; i < stepCommands; i++) if (!this.step(input)) return true
      if (clock.monotonicUs() >= endUs) break
    }
    this.progress.at(input.offsetBytes)
    return false
  }

  /** One command. False at the end of the file. */
  private step(input: AofInput): boolean {
    const { args, client } = this
    const start = input.offsetBytes
    let state: ReturnType<AofInput['next']>
    try {
      state = input.next(args)
    } catch (error) {
      if (error instanceof AofFormatError) this.refuseDamage(error.offsetBytes, start)
      throw error
    }
    if (state === 'command') {
      const queued = client.transaction !== undefined
      if (!this.server.replay(client, args)) {
        this.server.log.warning(`The command at offset ${start} of ${this.name} is unknown`)
        throw new AofLoadError(`Unknown command '${args.latin1(0)}' reading the append only file ${this.name}`)
      }
      delayLoading(this.server)
      if (!queued && client.transaction !== undefined) this.transactionOffset = start
      return true
    }
    if (client.transaction !== undefined) {
      this.server.log.warning(`Revert incomplete MULTI/EXEC transaction from AOF file ${this.name}`)
      this.cutOff(this.transactionOffset)
    } else if (state === 'cut') this.cutOff(input.offsetBytes)
    return false
  }

  private refuseDamage(offset: number, lastGood: number): never {
    this.server.log.warning(
      `The AOF file ${this.name} is damaged at offset ${offset}; commands are sound up to offset ${lastGood}`,
    )
    throw new AofLoadError(
      `Bad file format reading the append only file ${this.name}: make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>`,
    )
  }

  /** The file ends early: what is whole counts, if that is allowed and nothing comes after it. */
  private cutOff(soundBytes: number): void {
    const { config, io, log } = this.server
    if (config.values['aof-load-truncated']) {
      log.warning(`!!! Warning: short read while loading the AOF file ${this.name}!!!`)
      if (!this.isLast) throw new AofLoadError('Fatal error: the truncated file is not the last file')
      log.warning(`!!! Truncating the AOF ${this.name} at offset ${soundBytes} !!!`)
      try {
        const file = io.disk.open(this.files.pathOf(this.name), 'update')
        try {
          file.truncate(soundBytes)
          file.sync()
        } finally {
          file.close()
        }
        log.warning(`AOF ${this.name} loaded anyway because aof-load-truncated is enabled`)
        return
      } catch (error) {
        if (!(error instanceof IoError)) throw error
        log.warning(`Error truncating the AOF file ${this.name}: ${errorText(error)}`)
      }
    } else log.warning(`The AOF file ${this.name} ends in the middle of a command that starts at offset ${soundBytes}`)
    throw new AofLoadError(
      `Unexpected end of file reading the append only file ${this.name}. You can: 1) Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and restart the server.`,
    )
  }
}
