/**
 * Up to a hundred or so entries of a stream in one listpack, byte for byte as Redis 7 keeps them: the fields of the
 * first entry stand at the head, and entries that have the same ones hold their values only.
 *
 *     head    live entries | deleted ones | n | field 1 … field n | 0
 *     entry   flags | ms − id.ms | sequence − id.sequence | [ n | ] [field] value … | number of elements before it
 *
 * `id`, from which the differences count, is that of the first entry, whether it is still there or not. An entry that
 * is deleted keeps its place and gets a flag.
 *
 * Beside the bytes, which Redis walks from the head, stands where every 16th entry begins: a walk to an id starts at
 * the last of these that is not behind it.
 *
 * Source of the format: the comment at the head of Redis's `t_stream.c`.
 */
import { END, LISTPACK_HEADER_BYTES, Listpack } from './listpack.ts'
import type { Identified } from './ordered-blocks.ts'
import { difference, StreamId } from './stream-id.ts'

export const DELETED = 1
export const SAME_FIELDS = 2

/** Texts as positions in one memory: arguments of a command, for instance. */
export interface Texts {
  readonly memory: Buffer
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

const INITIAL_BYTES = 256
/** Entries, deleted ones too, from one mark to the next. */
const MARK_EVERY = 16
/** Flags, the two differences. */
const FIXED_ELEMENTS = 3

export class StreamNode implements Identified {
  readonly id: StreamId
  readonly pack: Listpack
  /** Those that are not deleted. */
  entries: number
  deleted: number
  /** Of the fields at the head. */
  readonly fieldCount: number
  /** Position of the first entry; END when there is none, not even a deleted one. */
  bodyStart: number
  /** Where every `MARK_EVERY`th entry begins, counted from `bodyStart`. */
  private readonly marks: number[]

  private constructor(
    id: StreamId,
    pack: Listpack,
    entries: number,
    deleted: number,
    fieldCount: number,
    start: number,
    marks: number[],
  ) {
    this.id = id
    this.pack = pack
    this.entries = entries
    this.deleted = deleted
    this.fieldCount = fieldCount
    this.bodyStart = start
    this.marks = marks
  }

  /**
   * Without entries, for `append` to add the first one, whose fields are every second one of `texts` from `from` on.
   */
  static empty(id: StreamId, texts: Texts, from: number, fieldCount: number): StreamNode {
    const pack = Listpack.empty(INITIAL_BYTES)
    pack.appendInteger(0)
    pack.appendInteger(0)
    pack.appendInteger(fieldCount)
    for (let i = 0; i < fieldCount; i++) {
      const at = from + 2 * i
      pack.append(texts.memory, texts.starts[at] as number, texts.ends[at] as number)
    }
    pack.appendInteger(0)
    return new StreamNode(id, pack, 0, 0, fieldCount, pack.byteLength - 1, [])
  }

  /** A node from a file. Undefined when the listpack does not hold what it must. */
  static of(id: StreamId, pack: Listpack): StreamNode | undefined {
    const reader = new ElementReader(pack)
    const entries = reader.count()
    const deleted = reader.count()
    const fieldCount = reader.count()
    reader.skip(fieldCount)
    if (reader.count() !== 0 || reader.failed) return undefined
    const bodyStart = reader.position
    const marks: number[] = []
    let live = 0
    for (let i = 0; i < entries + deleted; i++) {
      if (i % MARK_EVERY === 0) marks.push(reader.position - bodyStart)
      const flags = reader.count()
      reader.integer()
      reader.integer()
      const same = (flags & SAME_FIELDS) !== 0
      const fields = same ? fieldCount : reader.count()
      reader.skip(same ? fields : 2 * fields)
      const elements = reader.count()
      if (reader.failed || flags > 3 || elements !== FIXED_ELEMENTS + (same ? fields : 2 * fields + 1)) return undefined
      if ((flags & DELETED) === 0) live++
    }
    if (reader.position !== END || live !== entries) return undefined
    const node = new StreamNode(id, pack, entries, deleted, fieldCount, bodyStart, marks)
    return node.isOrdered() ? node : undefined
  }

  /** Whether the ids grow from entry to entry, from `id` on. */
  private isOrdered(): boolean {
    const last = StreamId.max()
    for (let at = this.pack.last(); ; ) {
      const flagsAt = this.flagsBefore(at)
      if (flagsAt === END) return true
      const own = new StreamId()
      this.readId(flagsAt, own)
      if (own.compare(this.id) < 0 || own.compare(last) > 0 || (own.compare(last) === 0 && !last.isMax)) return false
      Object.assign(last, own)
      at = this.pack.previous(flagsAt)
    }
  }

  clone(): StreamNode {
    return this.copy(this.pack.clone())
  }

  /** As it is now, for reading. */
  freeze(): StreamNode {
    return this.copy(this.pack.freeze())
  }

  private copy(pack: Listpack): StreamNode {
    const { id, entries, deleted, fieldCount, bodyStart, marks } = this
    return new StreamNode(id, pack, entries, deleted, fieldCount, bodyStart, marks.slice())
  }

  get fieldsStart(): number {
    const { pack } = this
    return pack.next(pack.next(pack.next(LISTPACK_HEADER_BYTES)))
  }

  /** Adds an entry behind the others. */
  append(id: StreamId, texts: Texts, from: number, fieldCount: number): void {
    const { pack, marks } = this
    const isMarked = (this.entries + this.deleted) % MARK_EVERY === 0
    this.setCounts(this.entries + 1, this.deleted)
    if (isMarked) marks.push(pack.byteLength - 1 - this.bodyStart)
    const same = fieldCount === this.fieldCount && this.hasFields(texts, from)
    pack.appendInteger(same ? SAME_FIELDS : 0)
    appendDifference(pack, id.msHigh, id.msLow, this.id.msHigh, this.id.msLow)
    appendDifference(pack, id.sequenceHigh, id.sequenceLow, this.id.sequenceHigh, this.id.sequenceLow)
    if (!same) pack.appendInteger(fieldCount)
    const { memory, starts, ends } = texts
    const end = from + 2 * fieldCount
    for (let at = same ? from + 1 : from; at < end; at += same ? 2 : 1) {
      pack.append(memory, starts[at] as number, ends[at] as number)
    }
    pack.appendInteger(FIXED_ELEMENTS + (same ? fieldCount : 2 * fieldCount + 1))
  }

  private hasFields({ memory, starts, ends }: Texts, from: number): boolean {
    const { pack } = this
    let position = this.fieldsStart
    for (let i = 0; i < this.fieldCount; i++) {
      const at = from + 2 * i
      if (!pack.equals(position, memory, starts[at] as number, ends[at] as number)) return false
      position = pack.next(position)
    }
    return true
  }

  /** The entry with its flags at `position` is deleted from now on. The counts are the caller's business. */
  markDeleted(position: number): void {
    this.pack.replaceInteger(position, this.pack.integer(position) | DELETED)
  }

  setCounts(entries: number, deleted: number): void {
    const { pack } = this
    const before = pack.byteLength
    pack.replaceInteger(LISTPACK_HEADER_BYTES, entries)
    if (deleted !== this.deleted) pack.replaceInteger(pack.next(LISTPACK_HEADER_BYTES), deleted)
    this.entries = entries
    this.deleted = deleted
    if (this.bodyStart !== END) this.bodyStart += pack.byteLength - before
  }

  /** Reads the id of the entry with its flags at `position` into `id`. */
  readId(position: number, id: StreamId): void {
    const { pack } = this
    const at = pack.next(position)
    addDifference(pack, at, this.id, id, true)
    addDifference(pack, pack.next(at), this.id, id, false)
  }

  /**
   * Position of an entry from which a walk forward meets every entry whose id is `id` or greater; END when there is
   * none.
   */
  before(id: StreamId): number {
    const mark = this.marksUpTo(id)
    return mark === 0 ? this.bodyStart : this.bodyStart + (this.marks[mark - 1] as number)
  }

  /**
   * Last element of an entry from which a walk backward meets every entry whose id is `id` or less; END when there is
   * none.
   */
  behind(id: StreamId): number {
    const mark = this.marks[this.marksUpTo(id)]
    return mark === undefined ? this.pack.last() : this.pack.previous(this.bodyStart + mark)
  }

  /** How many marked entries have an id that is not greater. */
  private marksUpTo(id: StreamId): number {
    const { marks, bodyStart } = this
    let low = 0
    let high = marks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      this.readId(bodyStart + (marks[middle] as number), markedId)
      if (markedId.compare(id) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Where the flags of the entry are whose number of elements stands at `position`; END at the head. */
  flagsBefore(position: number): number {
    const { pack } = this
    let at = position
    const elements = pack.integer(position)
    if (elements === 0) return END
    for (let i = 0; i < elements; i++) at = pack.previous(at)
    return at
  }

  /** The id of the last entry, deleted or not; undefined when there is none. */
  lastId(): StreamId | undefined {
    const at = this.flagsBefore(this.pack.last())
    if (at === END) return undefined
    const id = new StreamId()
    this.readId(at, id)
    return id
  }
}

const markedId = new StreamId()

function appendDifference(pack: Listpack, high: number, low: number, fromHigh: number, fromLow: number): void {
  const value = difference(high, low, fromHigh, fromLow)
  if (!Number.isNaN(value)) pack.appendInteger(value)
  else pack.appendInt64(BigInt.asIntN(64, whole(high, low) - whole(fromHigh, fromLow)))
}

function whole(high: number, low: number): bigint {
  return (BigInt(high) << 31n) | BigInt(low)
}

const UNIT = 2 ** 31
/** Lower parts and differences below this stay exact together. */
const SMALL = 2 ** 52

/** Sets one of the numbers of `id` to that of `from` plus what stands at `position`, modulo 2^64. */
function addDifference(pack: Listpack, position: number, from: StreamId, id: StreamId, isMs: boolean): void {
  const high = isMs ? from.msHigh : from.sequenceHigh
  const low = isMs ? from.msLow : from.sequenceLow
  const added = pack.integer(position)
  let newHigh = high
  let newLow = low + added
  if (Number.isNaN(added) || added > SMALL || newLow < 0) {
    const sum = BigInt.asUintN(64, whole(high, low) + pack.int64(position))
    newHigh = Number(sum >> 31n)
    newLow = Number(sum & 0x7fffffffn)
  } else if (newLow >= UNIT) {
    const carry = Math.floor(newLow / UNIT)
    newHigh += carry
    newLow -= carry * UNIT
    if (newHigh >= 2 ** 33) newHigh -= 2 ** 33
  }
  if (isMs) {
    id.msHigh = newHigh
    id.msLow = newLow
  } else {
    id.sequenceHigh = newHigh
    id.sequenceLow = newLow
  }
}

/** Reads elements one after the other, and remembers when one was missing or not of its kind. */
class ElementReader {
  position: number
  failed = false
  private readonly pack: Listpack

  constructor(pack: Listpack) {
    this.pack = pack
    this.position = pack.first()
  }

  integer(): number {
    if (this.position === END || !this.pack.isInteger(this.position)) {
      this.failed = true
      return 0
    }
    const value = this.pack.integer(this.position)
    this.position = this.pack.next(this.position)
    return value
  }

  /** A number that counts something in the listpack. */
  count(): number {
    const value = this.integer()
    if (value >= 0 && value <= this.pack.count) return value
    this.failed = true
    return 0
  }

  skip(elements: number): void {
    for (let i = 0; i < elements; i++) {
      if (this.position === END) {
        this.failed = true
        return
      }
      this.position = this.pack.next(this.position)
    }
  }
}
