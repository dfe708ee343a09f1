/**
 * The value of a hash: a listpack of field, value, field, value … while it is small, then a table. It never goes back.
 *
 * A field that is there is named by a place: a position in the listpack, or a slot of the table. Places are valid until
 * the next change. In the table, fields and values are text with one character per byte.
 */
import { END, Listpack } from '../data/listpack.ts'
import { type HashSeed, ScanTable } from '../data/scan-table.ts'
import type { Reply } from '../resp/reply.ts'
import type { AggregateSettings } from './aggregate-settings.ts'
import { type Aggregate, ValueType } from './keyspace-port.ts'

/** No such field, and the end of a walk. */
export const NO_FIELD = -1

/** Redis does not let listpacks grow beyond a gigabyte. */
const LISTPACK_MAX_BYTES = 1 << 30
const OBJECT_BYTES = 64
/** Header and pointer of a value in the table. */
const VALUE_BYTES = 24

export class HashValue implements Aggregate {
  readonly type = ValueType.hash
  private pack: Listpack | undefined
  private table: ScanTable<string> | undefined
  private valueBytes = 0

  private constructor(pack: Listpack | undefined, table: ScanTable<string> | undefined) {
    this.pack = pack
    this.table = table
  }

  static empty(): HashValue {
    return new HashValue(Listpack.empty(), undefined)
  }

  /** Takes over a listpack of pairs with different fields. */
  static ofListpack(pack: Listpack, settings: AggregateSettings): HashValue {
    const hash = new HashValue(pack, undefined)
    if (hash.size > settings.limits['hash-max-listpack-entries']) hash.convert(settings.hashSeed)
    return hash
  }

  get encoding(): string {
    return this.pack === undefined ? 'hashtable' : 'listpack'
  }

  get size(): number {
    return this.table?.size ?? (this.pack as Listpack).count / 2
  }

  get memoryBytes(): number {
    if (this.pack !== undefined) return OBJECT_BYTES + this.pack.reservedBytes
    const table = this.table as ScanTable<string>
    return OBJECT_BYTES + table.memoryBytes + table.size * VALUE_BYTES + this.valueBytes
  }

  /** The compact form, if that is the one in use. */
  get listpack(): Listpack | undefined {
    return this.pack
  }

  get parts(): number {
    return this.table?.size ?? 1
  }

  chainHistogram(): readonly number[] | undefined {
    return this.table?.chainHistogram()
  }

  clone(): HashValue {
    const copy = new HashValue(this.pack?.clone(), this.table?.clone())
    copy.valueBytes = this.valueBytes
    return copy
  }

  // ————— Reading

  /** Where the field memory[start…end) is, or NO_FIELD. */
  find(memory: Uint8Array, start: number, end: number): number {
    if (this.table !== undefined) return this.table.find(memory, start, end)
    const pack = this.pack as Listpack
    return pack.find(pack.first(), 2, memory, start, end)
  }

  /** The first field, or NO_FIELD. */
  first(): number {
    if (this.table !== undefined) return this.table.size > 0 ? 0 : NO_FIELD
    return (this.pack as Listpack).first()
  }

  next(place: number): number {
    if (this.table !== undefined) return place + 1 < this.table.size ? place + 1 : NO_FIELD
    const pack = this.pack as Listpack
    return pack.next(pack.next(place))
  }

  /** The field at `index`, from 0 to `size` − 1. */
  at(index: number): number {
    return this.table === undefined ? (this.pack as Listpack).at(index * 2) : index
  }

  /** One character per byte. */
  field(place: number): string {
    return this.table?.keyAt(place) ?? (this.pack as Listpack).latin1(place)
  }

  /** One character per byte. */
  value(place: number): string {
    if (this.table !== undefined) return this.table.valueAt(place)
    const pack = this.pack as Listpack
    return pack.latin1(pack.next(place))
  }

  valueLength(place: number): number {
    if (this.table !== undefined) return this.table.valueAt(place).length
    const pack = this.pack as Listpack
    const { start, end } = pack.read(pack.next(place))
    return end - start
  }

  sendField(place: number, reply: Reply): void {
    if (this.table !== undefined) reply.latin1(this.table.keyAt(place))
    else sendEntry(this.pack as Listpack, place, reply)
  }

  sendValue(place: number, reply: Reply): void {
    if (this.table !== undefined) reply.latin1(this.table.valueAt(place))
    else sendEntry(this.pack as Listpack, (this.pack as Listpack).next(place), reply)
  }

  /** Any field: each as likely as another. `draw(limit)` gives a whole number in [0, limit). */
  random(draw: (limit: number) => number): number {
    return this.at(draw(this.size))
  }

  /** As `ScanTable.scan`; the compact form is visited as a whole. */
  scan(cursor: number, count: number, visit: (place: number) => void): number {
    if (this.table !== undefined) return this.table.scan(cursor, count, visit)
    for (let place = this.first(); place !== NO_FIELD; place = this.next(place)) visit(place)
    return 0
  }

  // ————— Changing

  /** Writes field[fieldStart…fieldEnd) = value[start…end). True when the field is new. */
  set(
    settings: AggregateSettings,
    field: Uint8Array,
    fieldStart: number,
    fieldEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const { limits, hashSeed } = settings
    if (this.pack !== undefined) {
      const limit = limits['hash-max-listpack-value']
      const bytes = fieldEnd - fieldStart + end - start
      const isLong = fieldEnd - fieldStart > limit || end - start > limit
      if (isLong || this.pack.byteLength + bytes > LISTPACK_MAX_BYTES) this.convert(hashSeed)
    }
    if (this.pack === undefined) {
      const table = this.table as ScanTable<string>
      const slot = table.find(field, fieldStart, fieldEnd)
      const text = latin1(value, start, end)
      this.valueBytes += text.length
      if (slot === NO_FIELD) {
        table.insertMissed(latin1(field, fieldStart, fieldEnd), text)
        return true
      }
      this.valueBytes -= table.valueAt(slot).length
      table.setValueAt(slot, text)
      return false
    }
    const pack = this.pack
    const place = pack.find(pack.first(), 2, field, fieldStart, fieldEnd)
    if (place !== END) {
      pack.replace(pack.next(place), value, start, end)
      return false
    }
    pack.append(field, fieldStart, fieldEnd)
    pack.append(value, start, end)
    if (this.size > limits['hash-max-listpack-entries']) this.convert(hashSeed)
    return true
  }

  remove(place: number): void {
    if (this.table !== undefined) {
      this.valueBytes -= this.table.valueAt(place).length
      this.table.remove(place)
    } else (this.pack as Listpack).remove(place, 2)
  }

  private convert(seed: HashSeed): void {
    const table = new ScanTable<string>(seed)
    for (let place = this.first(); place !== NO_FIELD; place = this.next(place)) {
      const value = this.value(place)
      this.valueBytes += value.length
      table.insert(this.field(place), value)
    }
    this.table = table
    this.pack = undefined
  }

  /** Uses a table from now on: for a loader that knows that there will be too many fields. */
  expectMany(settings: AggregateSettings): void {
    if (this.pack !== undefined) this.convert(settings.hashSeed)
  }
}

function sendEntry(pack: Listpack, position: number, reply: Reply): void {
  const { memory, start, end } = pack.read(position)
  reply.bulk(memory, start, end)
}

function latin1(memory: Uint8Array, start: number, end: number): string {
  return (memory as Buffer).toString('latin1', start, end)
}
