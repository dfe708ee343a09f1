/**
 * A set: an intset while all members are integers and there are few of them, else a hash table. As in Redis, a set that
 * has become a table stays one. Members are text with one character per byte.
 */
import type { AnnouncedKeys, KeyPlaces } from '../data/announced-keys.ts'
import { parseInt64, parseSafeInteger, writeSafeInteger } from '../data/decimal.ts'
import { type Int64, IntSet } from '../data/intset.ts'
import type { ByteRange } from '../data/listpack.ts'
import { NO_SLOT, ScanTable } from '../data/scan-table.ts'
import type { Reply } from '../resp/reply.ts'
import type { AggregateSettings } from './aggregate-settings.ts'
import { type Aggregate, FREEZE_FROM_SIZE, ValueType } from './keyspace-port.ts'

/** No intset has more members, whatever `set-max-intset-entries` says (as in Redis). */
const INTSET_LIMIT = 2 ** 30
const HEADER_BYTES = 64
const LONGEST_INT64_TEXT = 20

export class SetValue implements Aggregate {
  readonly type = ValueType.set
  private readonly settings: AggregateSettings
  private members: IntSet | ScanTable

  private constructor(settings: AggregateSettings, members: IntSet | ScanTable) {
    this.settings = settings
    this.members = members
  }

  static empty(settings: AggregateSettings): SetValue {
    return new SetValue(settings, IntSet.empty())
  }

  /** Takes the intset over; it becomes a table when it is longer than the configuration allows. */
  static ofIntegers(settings: AggregateSettings, integers: IntSet): SetValue {
    const value = new SetValue(settings, integers)
    value.limit()
    return value
  }

  get encoding(): string {
    return this.members instanceof IntSet ? 'intset' : 'hashtable'
  }

  get size(): number {
    return this.members.size
  }

  get memoryBytes(): number {
    return HEADER_BYTES + this.members.memoryBytes
  }

  get parts(): number {
    return this.members instanceof IntSet ? 1 : this.members.size
  }

  chainHistogram(): readonly number[] | undefined {
    return this.members instanceof IntSet ? undefined : this.members.chainHistogram()
  }

  announceMembers(keys: KeyPlaces, announced: AnnouncedKeys): void {
    if (this.members instanceof ScanTable) this.members.announce(keys, announced)
  }

  clone(): SetValue {
    const { members } = this
    return new SetValue(this.settings, members instanceof IntSet ? members.clone() : members.clone())
  }

  freeze(): SetValue | undefined {
    const { members } = this
    if (members instanceof IntSet || members.size < FREEZE_FROM_SIZE) return undefined
    return new SetValue(this.settings, members.freeze())
  }

  /** The intset's bytes, valid until the next change; undefined of a table. */
  get intsetBytes(): Buffer | undefined {
    return this.members instanceof IntSet ? this.members.serialized() : undefined
  }

  has(member: string): boolean {
    const { members } = this
    if (!(members instanceof IntSet)) return members.findText(member) !== NO_SLOT
    const value = integerOf(member)
    return value !== undefined && members.has(value)
  }

  /** As `has`, of the member memory[start…end). */
  hasBytes(memory: Buffer, start: number, end: number): boolean {
    const { members } = this
    if (members instanceof IntSet) return this.has(memory.toString('latin1', start, end))
    return members.find(memory, start, end) !== NO_SLOT
  }

  /** As `add`, of the member memory[start…end). */
  addBytes(memory: Buffer, start: number, end: number): boolean {
    const { members } = this
    if (members instanceof IntSet) return this.add(memory.toString('latin1', start, end))
    return members.add(memory, start, end) >= 0
  }

  /** True when it was not there yet. */
  add(member: string): boolean {
    const { members } = this
    if (!(members instanceof IntSet)) {
      return members.addText(member) >= 0
    }
    const value = integerOf(member)
    if (value === undefined) {
      this.toTable(members).addText(member)
      return true
    }
    const added = members.add(value)
    if (added) this.limit()
    return added
  }

  /** True when it was there. */
  remove(member: string): boolean {
    const { members } = this
    if (members instanceof IntSet) {
      const value = integerOf(member)
      return value !== undefined && members.remove(value)
    }
    const slot = members.findText(member)
    if (slot === NO_SLOT) return false
    members.remove(slot)
    return true
  }

  /** As `remove`, of the member memory[start…end). */
  removeBytes(memory: Buffer, start: number, end: number): boolean {
    const { members } = this
    if (members instanceof IntSet) return this.remove(memory.toString('latin1', start, end))
    const slot = members.find(memory, start, end)
    if (slot !== NO_SLOT) members.remove(slot)
    return slot !== NO_SLOT
  }

  /** Any index below `size`; ascending in an intset, in no particular order in a table. */
  at(index: number): string {
    const { members } = this
    return members instanceof IntSet ? String(members.at(index)) : members.keyAt(index)
  }

  /** The bytes of the member of `at`; one object, valid until the next read of any set, or change of this one. */
  bytesAt(index: number): ByteRange {
    const { members } = this
    return members instanceof IntSet ? integerText(members.at(index)) : members.key(index)
  }

  /** The member of `at`, as one bulk reply. */
  sendAt(index: number, reply: Reply): void {
    const { memory, start, end } = this.bytesAt(index)
    reply.bulk(memory, start, end)
  }

  /** All members, in the order of `at`. */
  send(reply: Reply): void {
    const { size } = this
    for (let i = 0; i < size; i++) this.sendAt(i, reply)
  }

  /** Removes the member of `at`. Another one may get its index. */
  removeAt(index: number): void {
    const { members } = this
    if (members instanceof IntSet) members.remove(members.at(index))
    else members.remove(index)
  }

  /** Members in the order of `at`. The set must not change meanwhile. */
  *[Symbol.iterator](): Generator<string> {
    const { size } = this
    for (let i = 0; i < size; i++) yield this.at(i)
  }

  /**
   * Steps through the members with SCAN's guarantee; an intset is visited at once. Returns the next cursor, 0 at the
   * end.
   */
  scan(cursor: number, count: number, visit: (member: string) => void): number {
    const { members } = this
    if (members instanceof IntSet) {
      for (const member of this) visit(member)
      return 0
    }
    return members.scan(cursor, count, (slot) => visit(members.keyAt(slot)))
  }

  private limit(): void {
    const { members } = this
    const limit = Math.min(this.settings.limits['set-max-intset-entries'], INTSET_LIMIT)
    if (members instanceof IntSet && members.size > limit) this.toTable(members)
  }

  private toTable(integers: IntSet): ScanTable {
    const table = new ScanTable(this.settings.hashSeed, false)
    for (let i = 0; i < integers.size; i++) table.addText(String(integers.at(i)))
    this.members = table
    return table
  }
}

/** The integer whose only decimal text this is, within int64. */
function integerOf(text: string): Int64 | undefined {
  const { length } = text
  if (length === 0 || length > LONGEST_INT64_TEXT) return undefined
  for (let i = 0; i < length; i++) scratch[i] = text.charCodeAt(i)
  const safe = parseSafeInteger(scratch, 0, length)
  return Number.isNaN(safe) ? parseInt64(scratch, 0, length) : safe
}

function integerText(value: Int64): ByteRange {
  const { memory } = digits
  digits.end = typeof value === 'bigint' ? memory.write(value.toString(), 'latin1') : writeSafeInteger(memory, value)
  return digits
}

const digits: ByteRange = { memory: Buffer.alloc(LONGEST_INT64_TEXT), start: 0, end: 0 }

const scratch = Buffer.alloc(LONGEST_INT64_TEXT)
