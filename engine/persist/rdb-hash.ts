/** Hashes in RDB files: what Redis 7.0 writes, and what its predecessors wrote. */
import { END, Listpack } from '../data/listpack.ts'
import type { AggregateSettings } from '../store/aggregate-settings.ts'
import { HashValue, NO_FIELD } from '../store/hash-value.ts'
import type { Aggregate } from '../store/keyspace-port.ts'
import { PART_ELEMENTS } from './rdb-format.ts'
import type { RdbInput } from './rdb-input.ts'
import type { RdbOutput } from './rdb-output.ts'
import type { AggregateLoader, AggregateWriter } from './rdb-types.ts'
import { ziplistTexts, zipmapTexts } from './ziplist.ts'

export const RDB_TYPE_HASH = 4
export const RDB_TYPE_HASH_ZIPMAP = 9
export const RDB_TYPE_HASH_ZIPLIST = 13
export const RDB_TYPE_HASH_LISTPACK = 16

export const hashWriter: AggregateWriter = {
  rdbType: (value) => ((value as HashValue).listpack === undefined ? RDB_TYPE_HASH : RDB_TYPE_HASH_LISTPACK),
  *write(output: RdbOutput, value: Aggregate) {
    const hash = value as HashValue
    if (hash.listpack !== undefined) {
      output.string(hash.listpack.serialized())
      return
    }
    output.length(hash.size)
    let written = 0
    for (let place = hash.first(); place !== NO_FIELD; place = hash.next(place)) {
      output.string(Buffer.from(hash.field(place), 'latin1'))
      output.string(Buffer.from(hash.value(place), 'latin1'))
      if (++written % PART_ELEMENTS === 0) yield
    }
  },
}

/** A count, then fields with their values. */
class PairsLoader implements AggregateLoader {
  readonly value = HashValue.empty()
  private readonly settings: AggregateSettings
  private missing = -1

  constructor(settings: AggregateSettings) {
    this.settings = settings
  }

  step(input: RdbInput): boolean {
    if (this.missing < 0) {
      const count = input.length()
      if (count === 0) input.skipEmpty()
      if (count > this.settings.limits['hash-max-listpack-entries']) this.value.expectMany(this.settings)
      this.missing = count
      return false
    }
    const field = Buffer.from(input.string())
    const value = input.string()
    if (!this.value.set(this.settings, field, 0, field.length, value, 0, value.length)) {
      input.fail('Hash with a field that is there twice')
    }
    this.missing--
    return this.missing === 0
  }
}

/** The whole in one string. */
class PackedLoader implements AggregateLoader {
  value: HashValue = HashValue.empty()
  private readonly read: (bytes: Buffer) => HashValue | undefined

  constructor(read: (bytes: Buffer) => HashValue | undefined) {
    this.read = read
  }

  step(input: RdbInput): boolean {
    this.value = this.read(input.string()) ?? input.fail('Hash integrity check failed')
    if (this.value.size === 0) input.skipEmpty()
    return true
  }
}

function fromListpack(bytes: Buffer, settings: AggregateSettings): HashValue | undefined {
  const pack = Listpack.parse(bytes)
  return pack === undefined ? undefined : ofPairs(pack, settings)
}

/** Undefined when a field is there twice. Values of any length stay in the listpack, as in Redis. */
function ofPairs(pack: Listpack, settings: AggregateSettings): HashValue | undefined {
  if (pack.count % 2 !== 0) return undefined
  const fields = new Set<string>()
  for (let at = pack.first(); at !== END; at = pack.next(pack.next(at))) fields.add(pack.latin1(at))
  return fields.size === pack.count / 2 ? HashValue.ofListpack(pack, settings) : undefined
}

function fromZiplist(bytes: Buffer, settings: AggregateSettings): HashValue | undefined {
  const texts = ziplistTexts(bytes)
  if (texts === undefined) return undefined
  const pack = Listpack.empty()
  for (const text of texts) pack.append(text, 0, text.length)
  return ofPairs(pack, settings)
}

/** Unlike the other forms an empty zipmap is damaged, not left out; and its lengths matter, as those of HSET do. */
function fromZipmap(bytes: Buffer, settings: AggregateSettings): HashValue | undefined {
  const texts = zipmapTexts(bytes)
  if (texts === undefined || texts.length === 0) return undefined
  const hash = HashValue.empty()
  for (let i = 0; i < texts.length; i += 2) {
    const [field, value] = [texts[i] as Buffer, texts[i + 1] as Buffer]
    if (!hash.set(settings, field, 0, field.length, value, 0, value.length)) return undefined
  }
  return hash
}

export const hashLoaders: Record<number, (settings: AggregateSettings) => AggregateLoader> = {
  [RDB_TYPE_HASH]: (settings) => new PairsLoader(settings),
  [RDB_TYPE_HASH_LISTPACK]: (settings) => new PackedLoader((bytes) => fromListpack(bytes, settings)),
  [RDB_TYPE_HASH_ZIPLIST]: (settings) => new PackedLoader((bytes) => fromZiplist(bytes, settings)),
  [RDB_TYPE_HASH_ZIPMAP]: (settings) => new PackedLoader((bytes) => fromZipmap(bytes, settings)),
}
