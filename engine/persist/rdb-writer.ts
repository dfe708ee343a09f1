/**
 * Writes RDB files of version 10 (Redis 7.0): for SAVE, BGSAVE, full resynchronisation and, without the frame, DUMP.
 *
 *     REDIS0010  aux…  { SELECTDB RESIZEDB { [expiry] [idle|frequency] type key value }… }…  EOF  crc64
 */
import type { Aggregate, SnapshotPart } from '../store/keyspace-port.ts'
import { Crc64 } from './crc64.ts'
import { opcode, RDB_TYPE_STRING, RDB_VERSION } from './rdb-format.ts'
import { RdbOutput, type RdbOutputOptions } from './rdb-output.ts'
import { type AggregateWriter, aggregateWriters } from './rdb-types.ts'

/** What the data set's owner wants to find again (aux fields). */
export interface RdbInfo {
  /** Unix time in seconds. */
  createdSeconds: number
  usedMemoryBytes: number
  /** Position in the replication stream that the contents correspond to. */
  replication?: { id: string; offset: number; databaseIndex: number } | undefined
  /** The file is the base of an append-only file. */
  isAofBase?: boolean
}

/** How recently or how often a key was used, when the eviction policy keeps account of it. */
export type KeyUse = { idleSeconds: number } | { frequency: number }

/** Aggregates of fewer parts are written at once. */
const PARTS_AT_ONCE = 8

export class RdbWriter {
  private readonly file: RdbOutput
  private readonly options: RdbOutputOptions
  /** The file; while an aggregate is being written to it in parts, memory for what belongs behind that. */
  private output: RdbOutput
  private heldBytes = 0

  constructor(options: RdbOutputOptions) {
    this.options = options
    this.file = new RdbOutput(options)
    this.output = this.file
  }

  get bytesWritten(): number {
    return this.file.bytesWritten + this.heldBytes
  }

  header(info: RdbInfo): void {
    this.output.raw(Buffer.from(`REDIS${String(RDB_VERSION).padStart(4, '0')}`))
    this.aux('redis-ver', '7.0.15')
    this.aux('redis-bits', '64')
    this.aux('ctime', String(info.createdSeconds))
    this.aux('used-mem', String(info.usedMemoryBytes))
    if (info.replication !== undefined) {
      this.aux('repl-stream-db', String(info.replication.databaseIndex))
      this.aux('repl-id', info.replication.id)
      this.aux('repl-offset', String(info.replication.offset))
    }
    this.aux('aof-base', info.isAofBase ? '1' : '0')
  }

  private aux(name: string, value: string): void {
    this.output.byte(opcode.aux)
    this.output.text(name)
    this.output.text(value)
  }

  functionLibrary(source: Buffer): void {
    this.output.byte(opcode.function2)
    this.output.string(source)
  }

  selectDatabase(index: number): void {
    this.output.byte(opcode.selectDatabase)
    this.output.length(index)
  }

  /** A hint for the reader: how many keys will follow, and how many of them expire. */
  resizeDatabase(keys: number, expiringKeys: number): void {
    this.output.byte(opcode.resizeDatabase)
    this.output.length(keys)
    this.output.length(expiringKeys)
  }

  /**
   * Exactly one of `text` and `aggregate` is given. `expireAtMs` is -1 for a key that does not expire. The parts of a
   * large aggregate lie one behind the other in the file: what comes meanwhile waits in memory for the last of them.
   */
  entry(
    key: Buffer,
    text: Buffer | undefined,
    aggregate: Aggregate | undefined,
    expireAtMs: number,
    use?: KeyUse,
  ): SnapshotPart | undefined {
    const output = this.output
    if (expireAtMs >= 0) {
      output.byte(opcode.expiryMs)
      output.timeMs(expireAtMs)
    }
    if (use !== undefined) writeUse(output, use)
    if (text !== undefined) {
      output.byte(RDB_TYPE_STRING)
      output.string(key)
      output.string(text)
      return undefined
    }
    const value = aggregate as Aggregate
    const writer = writerOf(value)
    output.byte(writer.rdbType(value))
    output.string(key)
    const parts = writer.write(output, value)
    for (let i = 0; i < PARTS_AT_ONCE; i++) if (parts.next().done) return undefined
    return this.inParts(parts)
  }

  private inParts(parts: Iterator<void, void>): SnapshotPart {
    const outer = this.output
    const held: Buffer[] = []
    const sink = (chunk: Buffer): void => {
      held.push(Buffer.from(chunk))
      this.heldBytes += chunk.length
    }
    const inner = new RdbOutput({ ...this.options, sink, checksum: false })
    this.output = inner
    return () => {
      if (!parts.next().done) return false
      inner.flush()
      for (const chunk of held) {
        outer.raw(chunk)
        this.heldBytes -= chunk.length
      }
      this.output = outer
      return true
    }
  }

  /** Ends the file and passes on everything that is still held. */
  end(): void {
    if (this.output !== this.file) throw new Error('the last parts of an entry are missing')
    this.output.byte(opcode.end)
    this.output.finish()
  }

  /** Passes on what is held, so that a receiver need not wait for a full chunk. */
  flush(): void {
    this.file.flush()
  }
}

function writeUse(output: RdbOutput, use: KeyUse): void {
  if ('idleSeconds' in use) {
    output.byte(opcode.idle)
    output.length(use.idleSeconds)
  } else {
    output.byte(opcode.frequency)
    output.byte(use.frequency)
  }
}

function writerOf(value: Aggregate): AggregateWriter {
  const writer = aggregateWriters[value.type]
  if (writer === undefined) throw new Error(`no RDB writer for values of type ${value.type}`)
  return writer
}

/** What FUNCTION DUMP answers: the libraries as in a file, version and checksum as with DUMP. */
export function dumpLibraries(sources: readonly Buffer[], compression: boolean): Buffer {
  const chunks: Buffer[] = []
  const output = new RdbOutput({ sink: (chunk) => chunks.push(Buffer.from(chunk)), checksum: false, compression })
  for (const source of sources) {
    output.byte(opcode.function2)
    output.string(source)
  }
  return closePayload(output, chunks)
}

/** What DUMP answers: type, value, RDB version (2 bytes, little endian), CRC-64 of all before it. */
export function dumpPayload(text: Buffer | undefined, aggregate: Aggregate | undefined, compression: boolean): Buffer {
  const chunks: Buffer[] = []
  const output = new RdbOutput({ sink: (chunk) => chunks.push(Buffer.from(chunk)), checksum: false, compression })
  if (text !== undefined) {
    output.byte(RDB_TYPE_STRING)
    output.string(text)
  } else {
    const value = aggregate as Aggregate
    const writer = writerOf(value)
    output.byte(writer.rdbType(value))
    const parts = writer.write(output, value)
    while (!parts.next().done);
  }
  return closePayload(output, chunks)
}

function closePayload(output: RdbOutput, chunks: readonly Buffer[]): Buffer {
  output.raw(Buffer.from([RDB_VERSION & 255, RDB_VERSION >> 8]))
  output.flush()
  const crc = new Crc64()
  for (const chunk of chunks) crc.update(chunk)
  return Buffer.concat([...chunks, crc.bytes()])
}
