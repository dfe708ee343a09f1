/**
 * The keyspace in its simplest form: one `Map`, one object per key, snapshots by copying everything. Far too slow and
 * too large for real use, and easy to see correct: the property tests hold `keyspace.ts` against it.
 *
 * Entries are numbers that are given out in order and never used twice. Walks go from the newest to the oldest, so that
 * what was there at the start of a SCAN is always still ahead of its cursor.
 */
import { keyHashSlot } from '../../data/crc16.ts'
import { isCanonicalInteger, parseSafeInteger } from '../../data/decimal.ts'
import type { Reply } from '../../resp/reply.ts'
import {
  type Aggregate,
  type Entry,
  type KeyspacePort,
  NO_ENTRY,
  type SnapshotVisitor,
  type SnapshotWalk,
  ValueType,
} from '../keyspace-port.ts'

interface Cell {
  key: Buffer
  value: Buffer | Aggregate
  /** Only of strings. */
  encoding: 'int' | 'embstr' | 'raw'
  expireAtMs: number
  accessClock: number
}

/** Redis's limit between embstr and raw. */
const EMBEDDED_LIMIT_BYTES = 44
const CELL_BYTES = 64

export class ReferenceKeyspace implements KeyspacePort {
  index: number
  accessClock = 0
  private readonly entries = new Map<string, Entry>()
  private readonly cells = new Map<Entry, Cell>()
  private nextEntry = 0

  constructor(options: { index: number }) {
    this.index = options.index
  }

  get size(): number {
    return this.cells.size
  }

  get expiringSize(): number {
    let count = 0
    for (const cell of this.cells.values()) if (cell.expireAtMs >= 0) count++
    return count
  }

  get memoryBytes(): number {
    let bytes = 0
    for (const entry of this.cells.keys()) bytes += this.memoryUsage(entry)
    return bytes
  }

  find(memory: Uint8Array, start: number, end: number): Entry {
    return this.entries.get(latin1(memory, start, end)) ?? NO_ENTRY
  }

  announce(): void {}

  endAnnouncement(): void {}

  findKey(key: Uint8Array): Entry {
    return this.find(key, 0, key.length)
  }

  key(entry: Entry): Buffer {
    return Buffer.from(this.cell(entry).key)
  }

  type(entry: Entry): ValueType {
    const { value } = this.cell(entry)
    return isText(value) ? ValueType.string : value.type
  }

  encoding(entry: Entry): string {
    const cell = this.cell(entry)
    return isText(cell.value) ? cell.encoding : cell.value.encoding
  }

  memoryUsage(entry: Entry): number {
    const { key, value } = this.cell(entry)
    return CELL_BYTES + key.length + (isText(value) ? value.length : value.memoryBytes)
  }

  text(entry: Entry): Buffer {
    return Buffer.from(this.peekText(entry))
  }

  peekText(entry: Entry): Buffer {
    const { value } = this.cell(entry)
    if (!isText(value)) throw new Error('not a string')
    return value
  }

  textLength(entry: Entry): number {
    return this.peekText(entry).length
  }

  sendText(entry: Entry, reply: Reply): void {
    reply.bulk(this.peekText(entry))
  }

  integer(entry: Entry): number {
    const text = this.peekText(entry)
    return this.cell(entry).encoding === 'int' ? parseSafeInteger(text, 0, text.length) : Number.NaN
  }

  setText(key: Uint8Array, keyStart: number, keyEnd: number, value: Uint8Array, start: number, end: number): Entry {
    const entry = this.setPlainText(key, keyStart, keyEnd, value, start, end)
    if (isCanonicalInteger(value, start, end)) this.cell(entry).encoding = 'int'
    return entry
  }

  setPlainText(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
  ): Entry {
    const copy = Buffer.from(value.subarray(start, end))
    return this.put(key, keyStart, keyEnd, copy, copy.length <= EMBEDDED_LIMIT_BYTES ? 'embstr' : 'raw')
  }

  makeText(key: Uint8Array, keyStart: number, keyEnd: number, lengthBytes: number): Buffer {
    const value = Buffer.alloc(lengthBytes)
    this.setExpireAtMs(this.put(key, keyStart, keyEnd, value, 'raw'), -1)
    return value
  }

  setInteger(key: Uint8Array, keyStart: number, keyEnd: number, value: number): Entry {
    return this.put(key, keyStart, keyEnd, Buffer.from(String(value)), 'int')
  }

  replaceText(entry: Entry, value: Uint8Array, start: number, end: number): void {
    const { key } = this.cell(entry)
    this.setText(key, 0, key.length, value, start, end)
  }

  replaceInteger(entry: Entry, value: number): void {
    const { key } = this.cell(entry)
    this.setInteger(key, 0, key.length, value)
  }

  editText(entry: Entry, lengthBytes: number): Buffer {
    const old = this.peekText(entry)
    const value = Buffer.alloc(Math.max(old.length, lengthBytes))
    old.copy(value)
    const cell = this.cell(entry)
    cell.value = value
    cell.encoding = 'raw'
    return value
  }

  appendText(entry: Entry, memory: Uint8Array, start: number, end: number): void {
    const { length } = this.peekText(entry)
    this.editText(entry, length + end - start).set(memory.subarray(start, end), length)
  }

  aggregate(entry: Entry): Aggregate {
    const { value } = this.cell(entry)
    if (isText(value)) throw new Error('not an aggregate')
    return value
  }

  setAggregate(key: Uint8Array, keyStart: number, keyEnd: number, value: Aggregate): Entry {
    return this.put(key, keyStart, keyEnd, value, 'raw')
  }

  willChange(_entry: Entry): void {}

  changed(_entry: Entry): void {}

  expireAtMs(entry: Entry): number {
    return this.cell(entry).expireAtMs
  }

  setExpireAtMs(entry: Entry, expireAtMs: number): void {
    this.cell(entry).expireAtMs = expireAtMs
  }

  remove(entry: Entry): void {
    const { key } = this.cell(entry)
    this.entries.delete(latin1(key, 0, key.length))
    this.cells.delete(entry)
  }

  expect(): void {}

  clear(): void {
    this.entries.clear()
    this.cells.clear()
  }

  accessed(entry: Entry): number {
    return this.cell(entry).accessClock
  }

  setAccessed(entry: Entry, clock: number): void {
    this.cell(entry).accessClock = clock
  }

  maintain(): boolean {
    return false
  }

  scan(cursor: bigint, count: number, visit: (entry: Entry) => void): bigint {
    const limit = cursor === 0n ? this.nextEntry : Number(cursor)
    const ahead = [...this.cells.keys()].filter((entry) => entry < limit).sort((a, b) => b - a)
    for (const entry of ahead.slice(0, count)) visit(entry)
    return ahead.length > count ? BigInt(ahead[count - 1] as number) : 0n
  }

  randomEntry(draw: (limit: number) => number): Entry {
    if (this.size === 0) return NO_ENTRY
    return [...this.cells.keys()][draw(this.size)] as Entry
  }

  readonly tableBytes = 0
  readonly expiryBytes = 0
  readonly reservedBytes = 0
  readonly isNearlyFull = false

  sample(expiringOnly: boolean, draw: (limit: number) => number, count: number, visit: (entry: Entry) => void): void {
    for (let i = 0; i < count; i++) {
      if (expiringOnly) this.sampleExpiring(draw, 1, visit)
      else if (this.size > 0) visit(this.randomEntry(draw))
    }
  }

  sampleExpiring(draw: (limit: number) => number, count: number, visit: (entry: Entry) => void): void {
    const expiring = [...this.cells].filter(([, cell]) => cell.expireAtMs >= 0).map(([entry]) => entry)
    if (expiring.length === 0) return
    const first = draw(expiring.length)
    for (let i = 0; i < Math.min(count, expiring.length); i++) {
      visit(expiring[(first + i) % expiring.length] as Entry)
    }
  }

  chainHistogram(): readonly number[] {
    return [0, this.size]
  }

  countInSlot(slot: number): number {
    return this.keysInSlot(slot, this.size).length
  }

  keysInSlot(slot: number, limit: number): Buffer[] {
    const keys = [...this.cells.values()].map((cell) => cell.key).filter((key) => keyHashSlot(key) === slot)
    return keys.slice(0, limit).map((key) => Buffer.from(key))
  }

  snapshot(visitor: SnapshotVisitor): SnapshotWalk {
    const copies = [...this.cells.values()].map((cell) => ({
      ...cell,
      value: isText(cell.value) ? Buffer.from(cell.value) : cell.value.clone(),
    }))
    let next = 0
    return {
      isInsideEntry: false,
      advance(entries: number): boolean {
        for (const end = Math.min(next + entries, copies.length); next < end; next++) {
          const { key, value, expireAtMs, accessClock } = copies[next] as Cell
          const [text, aggregate] = isText(value) ? [value, undefined] : [undefined, value]
          const part = visitor.visit(key, text, aggregate, expireAtMs, accessClock)
          if (part !== undefined) while (!part());
        }
        return next >= copies.length
      },
      cancel(): void {
        next = copies.length
      },
    }
  }

  private cell(entry: Entry): Cell {
    const cell = this.cells.get(entry)
    if (cell === undefined) throw new Error('no such entry')
    return cell
  }

  private put(
    memory: Uint8Array,
    start: number,
    end: number,
    value: Buffer | Aggregate,
    encoding: Cell['encoding'],
  ): Entry {
    const name = latin1(memory, start, end)
    const existing = this.entries.get(name)
    if (existing !== undefined) {
      Object.assign(this.cell(existing), { value, encoding })
      return existing
    }
    const entry = this.nextEntry++
    this.entries.set(name, entry)
    const key = Buffer.from(memory.subarray(start, end))
    this.cells.set(entry, { key, value, encoding, expireAtMs: -1, accessClock: this.accessClock })
    return entry
  }
}

function isText(value: Buffer | Aggregate): value is Buffer {
  return Buffer.isBuffer(value)
}

function latin1(memory: Uint8Array, start: number, end: number): string {
  return Buffer.from(memory.buffer, memory.byteOffset + start, end - start).toString('latin1')
}
