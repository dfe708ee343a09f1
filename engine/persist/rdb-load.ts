/** Puts the keys of an RDB file into the databases: for loading at start and for full resynchronisation. */
import type { ByteRange } from '../data/listpack.ts'
import type { File } from '../io.ts'
import { LibraryError } from '../scripting/functions.ts'
import type { Server } from '../server/server.ts'
import { type Aggregate, type Entry, type KeyspacePort, NO_ENTRY } from '../store/keyspace-port.ts'
import { accessField } from './key-use.ts'
import { delayLoading } from './loading-progress.ts'
import { RdbReader } from './rdb-reader.ts'

/** The file is sound but does not fit this server. */
export class RdbContentError extends Error {}
/** The file has a key twice, or one that the database has already. */
export class RdbDuplicateKey extends RdbContentError {}

/** So many keys without elements are named in the log. */
const EMPTY_KEYS_LOGGED = 10

export interface LoadOptions {
  /** A primary leaves out what has expired meanwhile; a replica takes everything and waits for its primary's DEL. */
  dropExpired: boolean
  /** Keys of the file take the place of keys that are there. Otherwise such a key is an error. */
  replace?: boolean
}

export class RdbLoad {
  readonly reader: RdbReader
  keysLoaded = 0
  keysExpired = 0
  private keysEmpty = 0
  /** Aux fields of the file by name. */
  readonly aux = new Map<string, string>()
  private database: KeyspacePort

  constructor(server: Server, options: LoadOptions) {
    this.database = server.databases[0] as KeyspacePort
    const nowMs = server.io.clock.wallMs()
    this.reader = new RdbReader(
      {
        aux: (name, value) => this.aux.set(name, value),
        selectDatabase: (index) => {
          const database = server.databases[index]
          if (database === undefined) {
            throw new RdbContentError(
              `FATAL: Data file was created with a Redis server configured to handle more than ${server.databases.length} databases`,
            )
          }
          this.database = database
        },
        emptyKey: (key) => {
          if (this.keysEmpty++ >= EMPTY_KEYS_LOGGED) return
          server.log.notice(`rdbLoadObject skipping empty key: ${key.toString('latin1')}`)
        },
        functionLibrary: (source) => this.addLibrary(server, source, options.replace === true),
        resizeDatabase: (keys) => this.database.expect(keys),
        entry: (key, text, aggregate, expireAtMs, use) => {
          if (options.dropExpired && expireAtMs >= 0 && expireAtMs < nowMs) {
            this.keysExpired++
            return
          }
          if (options.replace) this.removeKey(key)
          const entry = this.add(key, text, aggregate, expireAtMs)
          const field = use === undefined ? undefined : accessField(server.config, use, nowMs)
          if (field !== undefined) this.database.setAccessed(entry, field)
          delayLoading(server)
        },
      },
      server.config.values.rdbchecksum && !server.debug.skipsChecksums,
      server.aggregateSettings,
    )
  }

  /** What the log says at the end. */
  get summary(): string {
    const counts = `keys loaded: ${this.keysLoaded}, keys expired: ${this.keysExpired}`
    const skipped = this.keysEmpty > 0 ? `, empty keys skipped: ${this.keysEmpty}` : ''
    return `Done loading RDB, ${counts}${skipped}.`
  }

  private addLibrary(server: Server, source: Buffer, replace: boolean): void {
    try {
      server.functions.load(Buffer.from(source), replace)
    } catch (error) {
      if (!(error instanceof LibraryError)) throw error
      throw new RdbContentError(`Failed loading functions: ${error.message}`)
    }
  }

  private removeKey({ memory, start, end }: ByteRange): void {
    const entry = this.database.findKey(memory.subarray(start, end))
    if (entry !== NO_ENTRY) this.database.remove(entry)
  }

  private add(
    { memory, start, end }: ByteRange,
    text: ByteRange | undefined,
    aggregate: Aggregate | undefined,
    expireAtMs: number,
  ): Entry {
    const database = this.database
    const sizeBefore = database.size
    const entry =
      text === undefined
        ? database.setAggregate(memory, start, end, aggregate as Aggregate)
        : database.setText(memory, start, end, text.memory, text.start, text.end)
    if (database.size === sizeBefore) {
      const key = memory.toString('latin1', start, end)
      throw new RdbDuplicateKey(`RDB has duplicated key '${key}' in DB ${database.index}`)
    }
    if (expireAtMs >= 0) database.setExpireAtMs(entry, expireAtMs)
    this.keysLoaded++
    return entry
  }

  /** Of the server that wrote the file; 0 when it does not say. */
  get usedMemoryBytes(): number {
    return Number(this.aux.get('used-mem') ?? 0)
  }

  /** Where in the replication stream the contents stand, if the file says so. */
  get replication(): { id: string; offset: number; databaseIndex: number } | undefined {
    const id = this.aux.get('repl-id')
    const offset = Number(this.aux.get('repl-offset') ?? -1)
    if (id === undefined || id.length !== 40 || !(offset >= 0)) return undefined
    return { id, offset, databaseIndex: Number(this.aux.get('repl-stream-db') ?? 0) }
  }
}

const LOAD_CHUNK_BYTES = 64 * 1024
const LOAD_ITEMS = 512
const LOAD_SLICE_US = 5000

/** A file that is being loaded: some milliseconds of work a turn. */
export class RdbFileLoad {
  readonly load: RdbLoad
  private readonly server: Server
  private readonly file: File
  private readonly chunk = Buffer.allocUnsafe(LOAD_CHUNK_BYTES)
  private position = 0
  private announced = false
  private closed = false
  /** Told the position in the file after each slice. */
  onProgress: ((bytes: number) => void) | undefined = undefined

  /** @throws IoError when the file cannot be opened */
  constructor(server: Server, path: string, load: RdbLoad) {
    this.server = server
    this.load = load
    this.file = server.io.disk.open(path, 'read')
  }

  /** True when the file is complete. @throws RdbError, RdbContentError, IoError */
  slice(): boolean {
    const complete = this.advance()
    this.onProgress?.(this.load.reader.offsetBytes)
    return complete
  }

  private advance(): boolean {
    const { clock } = this.server.io
    const endUs = clock.monotonicUs() + LOAD_SLICE_US
    const { reader } = this.load
    for (let chunks = 0; chunks < LOAD_ITEMS; ) {
      const state = reader.advance(this.server.config.values['key-load-delay'] === 0 ? LOAD_ITEMS : 1)
      this.announce()
      if (state === 'end') return true
      if (state === 'starved') {
        chunks++
        const bytes = this.file.read(this.chunk, this.position)
        if (bytes === 0) reader.finish()
        this.position += bytes
        reader.feed(this.chunk.subarray(0, bytes))
      }
      if (clock.monotonicUs() >= endUs) break
    }
    return false
  }

  /** Logs what the file says about itself, once it has said it. */
  private announce(): void {
    const { aux, keysLoaded } = this.load
    const createdSeconds = Number(aux.get('ctime'))
    if (this.announced || (!aux.has('used-mem') && keysLoaded === 0)) return
    this.announced = true
    const { log, io } = this.server
    if (aux.has('redis-ver')) log.notice(`Loading RDB produced by version ${aux.get('redis-ver')}`)
    if (aux.has('ctime')) {
      log.notice(`RDB age ${Math.max(0, Math.floor(io.clock.wallMs() / 1000) - createdSeconds)} seconds`)
    }
    if (aux.has('used-mem')) {
      log.notice(`RDB memory usage when created ${(this.load.usedMemoryBytes / 1048576).toFixed(2)} Mb`)
    }
    if (aux.get('aof-base') === '1') log.notice('RDB is base AOF')
  }

  /** Safe to call twice. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.file.close()
  }
}
