/**
 * The value of a hash: a listpack of field, value, field, value … while it is small, then a table. It never goes back.
 *
 * A field that is there is named by a place: a position in the listpack, or a slot of the table. Places are valid until
 * the next change.
 */
import type { AnnouncedKeys, KeyPlaces } from '../data/announced-keys.ts'
import { type ByteRange, END, Listpack } from '../data/listpack.ts'
import { type HashSeed, ScanTable } from '../data/scan-table.ts'
import type { Reply } from '../resp/reply.ts'
import type { AggregateSettings } from './aggregate-settings.ts'
import { type Aggregate, FREEZE_FROM_SIZE, ValueType } from './keyspace-port.ts'

/** No such field, and the end of a walk. */
export const NO_FIELD = -1

/** Redis does not let listpacks grow beyond a gigabyte. */
const LISTPACK_MAX_BYTES = 1 << 30
const OBJECT_BYTES = 64

export class HashValue implements Aggregate {
  readonly type = ValueType.hash
  private pack: Listpack | undefined
  private table: ScanTable | undefined

  private constructor(pack: Listpack | undefined, table: ScanTable | undefined) {
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
    return OBJECT_BYTES + (this.pack?.reservedBytes ?? (this.table as ScanTable).memoryBytes)
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
    return new HashValue(this.pack?.clone(), this.table?.clone())
  }

  freeze(): HashValue | undefined {
    if (this.table === undefined || this.table.size < FREEZE_FROM_SIZE) return undefined
    return new HashValue(undefined, this.table.freeze())
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

  announceMembers(keys: KeyPlaces, announced: AnnouncedKeys): void {
    this.table?.announce(keys, announced)
  }

  /** One character per byte. */
  field(place: number): string {
    return this.table?.keyAt(place) ?? (this.pack as Listpack).latin1(place)
  }

  /** One character per byte. */
  value(place: number): string {
    if (this.table !== undefined) {
      const { memory, start, end } = this.table.value(place)
      return memory.toString('latin1', start, end)
    }
    const pack = this.pack as Listpack
    return pack.latin1(pack.next(place))
  }

  valueLength(place: number): number {
    const { pack, table } = this
    const { start, end } = table?.value(place) ?? (pack as Listpack).read((pack as Listpack).next(place))
    return end - start
  }

  sendField(place: number, reply: Reply): void {
    sendRange(this.table?.key(place) ?? (this.pack as Listpack).read(place), reply)
  }

  sendValue(place: number, reply: Reply): void {
    const { pack, table } = this
    sendRange(table?.value(place) ?? (pack as Listpack).read((pack as Listpack).next(place)), reply)
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
    if (this.table !== undefined) return this.table.put(field, fieldStart, fieldEnd, value, start, end) >= 0
    const pack = this.pack as Listpack
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
    if (this.table !== undefined) this.table.remove(place)
    else (this.pack as Listpack).remove(place, 2)
  }

  private convert(seed: HashSeed): void {
    const table = new ScanTable(seed, true)
    for (let place = this.first(); place !== NO_FIELD; place = this.next(place)) {
      const field = Buffer.from(this.field(place), 'latin1')
      const value = Buffer.from(this.value(place), 'latin1')
      table.put(field, 0, field.length, value, 0, value.length)
    }
    this.table = table
    this.pack = undefined
  }

  /** Uses a table from now on: for a loader that knows that there will be too many fields. */
  expectMany(settings: AggregateSettings): void {
    if (this.pack !== undefined) this.convert(settings.hashSeed)
  }
}

function sendRange({ memory, start, end }: ByteRange, reply: Reply): void {
  reply.bulk(memory, start, end)
}
