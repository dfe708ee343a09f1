/**
 * Reads RDB files of versions 1 to 12 as their bytes arrive: from a file in slices, or from a primary's socket.
 * redis-server 7.0 refuses versions 11 and 12 (Redis 7.2 and 7.4); here they are read as far as their values are of
 * types that exist here.
 *
 * Nothing is skipped in silence: a type, an operation or a damaged byte that cannot be understood ends the load with an
 * `RdbError` that names it and its offset. Expiry is reported, not judged.
 */
import type { ByteRange } from '../data/listpack.ts'
import type { AggregateSettings } from '../store/aggregate-settings.ts'
import type { Aggregate } from '../store/keyspace-port.ts'
import { Crc64 } from './crc64.ts'
import { opcode, RDB_TYPE_STRING, RDB_VERSION, RDB_VERSION_MAX, rdbTypeNames, sinceVersion } from './rdb-format.ts'
import { EMPTY_VALUE, NEED_MORE, RdbError, RdbInput } from './rdb-input.ts'
import { type AggregateLoader, aggregateLoaders } from './rdb-types.ts'
import type { KeyUse } from './rdb-writer.ts'

/** Buffers and ranges are valid only during the call. What a visitor throws comes out of `RdbReader.advance`. */
export interface RdbVisitor {
  aux(name: string, value: string): void
  /** The keys that follow belong to this database. */
  selectDatabase(index: number): void
  /** How many keys are about to come. */
  resizeDatabase?(keys: number, expiringKeys: number): void
  /** Exactly one of `text` and `aggregate` is given. `expireAtMs` is -1 for a key that does not expire. */
  entry(
    key: ByteRange,
    text: ByteRange | undefined,
    aggregate: Aggregate | undefined,
    expireAtMs: number,
    use: KeyUse | undefined,
  ): void
  /** A key without elements, which is left out. */
  emptyKey?(key: Buffer): void
  /** Source text of a function library. Without this method a file with functions is refused. */
  functionLibrary?(source: Buffer): void
}

const NO_BYTES = Buffer.alloc(0)

export class RdbReader {
  private readonly input = new RdbInput()
  private readonly visitor: RdbVisitor
  private readonly verifyChecksum: boolean
  private readonly settings: AggregateSettings
  private version = 0
  private ended = false
  private expireAtMs = -1
  private use: KeyUse | undefined
  /** A value that is being read in steps. */
  private loader: AggregateLoader | undefined
  private loaderKey: Buffer | undefined
  /** Given to the visitor instead of windows on the input, which cost as much as a look-up. */
  private readonly key: ByteRange = { memory: NO_BYTES, start: 0, end: 0 }
  private readonly text: ByteRange = { memory: NO_BYTES, start: 0, end: 0 }

  /** `verifyChecksum` is `rdbchecksum`; `settings` are those of the server that will hold the values. */
  constructor(visitor: RdbVisitor, verifyChecksum: boolean, settings: AggregateSettings) {
    this.visitor = visitor
    this.verifyChecksum = verifyChecksum
    this.settings = settings
  }

  get offsetBytes(): number {
    return this.input.offsetBytes
  }

  /** Takes a copy of `chunk`; nothing is read before `advance`. */
  feed(chunk: Uint8Array): void {
    this.input.feed(chunk)
  }

  /**
   * Reads up to `items` operations (a key, an aux field, an element of a large value).
   * @returns `more`: call again; `starved`: feed first; `end`: the file is complete and its checksum is right.
   * @throws RdbError
   */
  advance(items = Number.POSITIVE_INFINITY): 'more' | 'starved' | 'end' {
    for (let count = 0; count < items; count++) {
      if (this.ended) return 'end'
      if (!this.input.ready) return 'starved'
      try {
        this.step()
        this.input.commit()
      } catch (error) {
        if (error === NEED_MORE) {
          this.input.unwind()
          return 'starved'
        }
        if (error !== EMPTY_VALUE) throw error
        this.leaveOut()
      }
    }
    return this.ended ? 'end' : 'more'
  }

  /** What was fed past the end of the file. */
  rest(): Buffer {
    return this.input.takeRest()
  }

  /** The file has no more bytes than were fed. @throws RdbError when it is not complete. */
  finish(): void {
    if (this.ended) return
    throw new RdbError('Unexpected end of file', this.input.offsetBytes + this.input.takeRest().length)
  }

  private step(): void {
    if (this.version === 0) this.readHeader()
    else if (this.loader !== undefined) this.stepLoader(this.loader)
    else this.readOperation(this.input.byte())
  }

  private readHeader(): void {
    const head = this.input.bytes(9).toString('latin1')
    const version = /^REDIS\d{4}$/.test(head) ? Number(head.slice(5)) : -1
    if (version === -1) throw new RdbError('Wrong signature trying to load DB from file', 0)
    if (version < 1 || version > RDB_VERSION_MAX) throw new RdbError(`Can't handle RDB format version ${version}`, 5)
    this.version = version
  }

  private readOperation(code: number): void {
    const input = this.input
    if (this.version < (sinceVersion[code] ?? 0)) input.fail(unknownType(code))
    switch (code) {
      case opcode.end:
        this.readEnd()
        break
      case opcode.aux: {
        const name = input.string().toString('latin1')
        this.visitor.aux(name, input.string().toString('latin1'))
        break
      }
      case opcode.selectDatabase:
        this.visitor.selectDatabase(input.length())
        break
      case opcode.resizeDatabase: {
        const keys = input.length()
        const expiringKeys = input.length()
        this.visitor.resizeDatabase?.(keys, expiringKeys)
        break
      }
      case opcode.expiryMs:
        this.expireAtMs = expiry(Number(input.bytes(8).readBigInt64LE()))
        break
      case opcode.expirySeconds:
        this.expireAtMs = expiry(input.bytes(4).readInt32LE() * 1000)
        break
      case opcode.idle:
        this.use = { idleSeconds: input.length() }
        break
      case opcode.frequency:
        this.use = { frequency: input.byte() }
        break
      case opcode.slotInfo:
        // Slot number and two size hints of Redis 7.4 and Valkey: they say nothing about contents.
        for (let i = 0; i < 3; i++) input.length()
        break
      case opcode.function2:
        this.readFunction()
        break
      case opcode.functionPreRelease:
        input.fail('Pre-release function format not supported')
        break
      case opcode.moduleAux:
        input.fail('The file contains module AUX data, which this server cannot load')
        break
      default:
        this.readKey(code)
    }
  }

  private readFunction(): void {
    if (this.visitor.functionLibrary === undefined)
      this.input.fail('The file contains functions, which cannot be loaded')
    this.visitor.functionLibrary?.(this.input.string())
  }

  private readKey(type: number): void {
    if (type === RDB_TYPE_STRING) {
      this.input.text(this.key)
      this.input.text(this.text)
      this.emit(this.text, undefined)
      return
    }
    const start = aggregateLoaders[type]
    if (start === undefined) {
      const offset = this.input.offsetBytes - 1
      throw new RdbError(unknownType(type), offset)
    }
    this.loaderKey = Buffer.from(this.input.string())
    this.loader = start(this.settings)
  }

  private stepLoader(loader: AggregateLoader): void {
    if (!loader.step(this.input)) return
    this.loader = undefined
    const { key, loaderKey } = this
    key.memory = loaderKey as Buffer
    key.start = 0
    key.end = key.memory.length
    this.emit(undefined, loader.value)
  }

  /** The value that was being read has no elements. */
  private leaveOut(): void {
    this.input.commit()
    this.loader = undefined
    this.visitor.emptyKey?.(this.loaderKey as Buffer)
    this.expireAtMs = -1
    this.use = undefined
  }

  private emit(text: ByteRange | undefined, aggregate: Aggregate | undefined): void {
    this.visitor.entry(this.key, text, aggregate, this.expireAtMs, this.use)
    this.expireAtMs = -1
    this.use = undefined
  }

  private readEnd(): void {
    // Versions before 5 have no checksum. Zeros mean that the writer had it turned off.
    if (this.version >= 5) {
      const stored = this.input.bytes(8)
      const computed = this.input.checksumBefore(8)
      if (this.verifyChecksum && !stored.equals(computed) && !stored.equals(NO_CHECKSUM)) {
        throw new RdbError(
          `Wrong RDB checksum expected: (${hex(computed)}) but got (${hex(stored)})`,
          this.input.offsetBytes - 8,
        )
      }
    }
    this.ended = true
  }
}

/**
 * The sources in a payload of FUNCTION DUMP, or undefined when its version or checksum is not acceptable.
 * @throws RdbError when the payload is accepted and yet not readable
 */
export function readLibraryPayload(payload: Buffer, verifyChecksum: boolean): Buffer[] | undefined {
  const input = openPayload(payload, verifyChecksum)
  if (input === undefined) return undefined
  const sources: Buffer[] = []
  const size = payload.length - PAYLOAD_END_BYTES
  try {
    while (input.offsetBytes < size) {
      if (input.byte() !== opcode.function2) return input.fail('given type is not a function')
      sources.push(Buffer.from(input.string()))
    }
    return sources
  } catch (error) {
    if (error === NEED_MORE) return input.fail('failed loading the given functions payload')
    throw error
  }
}

/** What comes before version and checksum; undefined when they are not acceptable. */
function openPayload(payload: Buffer, verifyChecksum: boolean): RdbInput | undefined {
  const end = payload.length - PAYLOAD_END_BYTES
  if (end < 0) return undefined
  const version = payload.readUInt16LE(end)
  const crc = new Crc64()
  crc.update(payload, 0, end + 2)
  const stored = payload.subarray(end + 2)
  if (version > RDB_VERSION) return undefined
  if (verifyChecksum && !stored.equals(crc.bytes())) return undefined
  const input = new RdbInput()
  input.feed(payload.subarray(0, end))
  return input
}

/**
 * The value in a DUMP payload, or undefined when its version or checksum is not acceptable.
 * @throws RdbError when the payload is accepted and yet not readable
 */
export function readDumpPayload(
  payload: Buffer,
  settings: AggregateSettings,
  verifyChecksum = true,
): { text?: Buffer; aggregate?: Aggregate } | undefined {
  if (payload.length <= PAYLOAD_END_BYTES) return undefined
  const input = openPayload(payload, verifyChecksum)
  if (input === undefined) return undefined
  try {
    const type = input.byte()
    if (type === RDB_TYPE_STRING) return { text: Buffer.from(input.string()) }
    const loader = type in sinceVersion ? undefined : aggregateLoaders[type]?.(settings)
    if (loader === undefined) return input.fail(unknownType(type))
    while (!loader.step(input)) input.commit()
    return { aggregate: loader.value }
  } catch (error) {
    if (error === NEED_MORE) return input.fail('Unexpected end of payload')
    if (error === EMPTY_VALUE) return input.fail('Empty value')
    throw error
  }
}

/** -1 stands for none, as in Redis; everything else before 1970 is over as much as 1970. */
function expiry(timeMs: number): number {
  return timeMs === -1 ? -1 : Math.max(0, timeMs)
}

/** Version and checksum. */
const PAYLOAD_END_BYTES = 10
const NO_CHECKSUM = Buffer.alloc(8)

function unknownType(type: number): string {
  const name = rdbTypeNames[type]
  return name === undefined ? `Unknown RDB encoding type ${type}` : `Cannot load RDB type ${type} (${name})`
}

/** A stored checksum as a hexadecimal number. */
function hex(bytes: Buffer): string {
  return Buffer.from(bytes)
    .reverse()
    .toString('hex')
    .replace(/^0+(?=.)/, '')
}
