/** Sorted sets in RDB files: what Redis 7.0 writes, and what its predecessors wrote. */

import { parseLenientDouble } from '../data/double-text.ts'
import { END, Listpack } from '../data/listpack.ts'
import type { AggregateSettings } from '../store/aggregate-settings.ts'
import { SortedSetValue } from '../store/sorted-set-value.ts'
import { PART_ELEMENTS } from './rdb-format.ts'
import type { RdbInput } from './rdb-input.ts'
import type { AggregateLoader, AggregateWriter } from './rdb-types.ts'
import { ziplistTexts } from './ziplist.ts'

const RDB_TYPE_ZSET = 3
const RDB_TYPE_ZSET_2 = 5
const RDB_TYPE_ZSET_ZIPLIST = 12
const RDB_TYPE_ZSET_LISTPACK = 17

/** Lengths of a score's text that stand for what has no digits. */
const NOT_A_NUMBER = 253
const INFINITE = 254
const NEGATIVE_INFINITE = 255

export const sortedSetWriter: AggregateWriter = {
  rdbType: (value) => (value.encoding === 'listpack' ? RDB_TYPE_ZSET_LISTPACK : RDB_TYPE_ZSET_2),
  *write(output, aggregate) {
    const value = aggregate as SortedSetValue
    if (value.encoding === 'listpack') {
      output.string(packed(value).serialized())
      return
    }
    output.length(value.size)
    // From the largest to the smallest, so that Redis inserts each at the head of its list.
    let written = 0
    for (const { member, score } of value.range(0, value.size, true)) {
      output.string(Buffer.from(member, 'latin1'))
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleLE(score)
      output.raw(bytes)
      if (++written % PART_ELEMENTS === 0) yield
    }
  },
}

/** Members and scores by turns. */
function packed(value: SortedSetValue): Listpack {
  const pack = Listpack.empty()
  for (const { member, score } of value.range()) {
    for (const text of [member, value.scoreText(score)]) {
      const bytes = Buffer.from(text, 'latin1')
      pack.append(bytes, 0, bytes.length)
    }
  }
  return pack
}

/** A count, then members with their scores. */
class PairsLoader implements AggregateLoader {
  readonly value: SortedSetValue
  private readonly readScore: (input: RdbInput) => number
  private missing = -1

  constructor(settings: AggregateSettings, readScore: (input: RdbInput) => number) {
    this.value = SortedSetValue.building(settings)
    this.readScore = readScore
  }

  step(input: RdbInput): boolean {
    if (this.missing < 0) {
      const count = input.length()
      if (count === 0) input.skipEmpty()
      this.missing = count
      return false
    }
    const member = input.string().toString('latin1')
    const score = this.readScore(input)
    if (Number.isNaN(score)) input.fail('Zset with NAN score detected')
    if (!this.value.set(member, score)) input.fail('Zset with dup elements detected')
    if (--this.missing > 0) return false
    this.value.built()
    return true
  }
}

function binaryScore(input: RdbInput): number {
  return input.bytes(8).readDoubleLE()
}

function textScore(input: RdbInput): number {
  const length = input.byte()
  if (length === NOT_A_NUMBER) return Number.NaN
  if (length === INFINITE) return Number.POSITIVE_INFINITY
  if (length === NEGATIVE_INFINITE) return Number.NEGATIVE_INFINITY
  return parseLenientDouble(input.bytes(length).toString('latin1')) ?? Number.NaN
}

/** The whole in one string. */
class PackedLoader implements AggregateLoader {
  readonly value: SortedSetValue
  private readonly texts: (bytes: Buffer) => readonly string[] | undefined

  constructor(settings: AggregateSettings, texts: (bytes: Buffer) => readonly string[] | undefined) {
    this.value = SortedSetValue.empty(settings)
    this.texts = texts
  }

  step(input: RdbInput): boolean {
    const texts = this.texts(input.string())
    if (texts === undefined || texts.length % 2 !== 0) return input.fail('Zset integrity check failed')
    if (texts.length === 0) input.skipEmpty()
    for (let i = 0; i < texts.length; i += 2) {
      const score = parseLenientDouble(texts[i + 1] as string)
      if (score === undefined || !this.value.load(texts[i] as string, score)) input.fail('Zset integrity check failed')
    }
    return true
  }
}

function listpackTexts(bytes: Buffer): string[] | undefined {
  const pack = Listpack.parse(bytes)
  if (pack === undefined) return undefined
  const texts: string[] = []
  for (let at = pack.first(); at !== END; at = pack.next(at)) texts.push(pack.latin1(at))
  return texts
}

function oldTexts(bytes: Buffer): string[] | undefined {
  return ziplistTexts(bytes)?.map((text) => text.toString('latin1'))
}

export const sortedSetLoaders: Record<number, (settings: AggregateSettings) => AggregateLoader> = {
  [RDB_TYPE_ZSET]: (settings) => new PairsLoader(settings, textScore),
  [RDB_TYPE_ZSET_2]: (settings) => new PairsLoader(settings, binaryScore),
  [RDB_TYPE_ZSET_LISTPACK]: (settings) => new PackedLoader(settings, listpackTexts),
  [RDB_TYPE_ZSET_ZIPLIST]: (settings) => new PackedLoader(settings, oldTexts),
}
