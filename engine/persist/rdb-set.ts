/**
 * Sets in RDB files: an intset as its bytes in one string, a table as its members one by one. A table of integers stays
 * one when it is read, as in Redis, unless there are so few that it fits an intset.
 */
import { IntSet } from '../data/intset.ts'
import { END, Listpack } from '../data/listpack.ts'
import type { AggregateSettings } from '../store/aggregate-settings.ts'
import type { Aggregate } from '../store/keyspace-port.ts'
import { SetValue } from '../store/set-value.ts'
import { PART_ELEMENTS } from './rdb-format.ts'
import type { RdbInput } from './rdb-input.ts'
import type { AggregateLoader, AggregateWriter } from './rdb-types.ts'

const RDB_TYPE_SET = 2
const RDB_TYPE_SET_INTSET = 11
const RDB_TYPE_SET_LISTPACK = 20

export const setWriter: AggregateWriter = {
  rdbType: (value) => ((value as SetValue).intsetBytes === undefined ? RDB_TYPE_SET : RDB_TYPE_SET_INTSET),
  *write(output, aggregate) {
    const value = aggregate as SetValue
    if (value.intsetBytes !== undefined) {
      output.string(value.intsetBytes)
      return
    }
    output.length(value.size)
    let written = 0
    for (const member of value) {
      output.string(Buffer.from(member, 'latin1'))
      if (++written % PART_ELEMENTS === 0) yield
    }
  },
}

/** A count, then a member at each step. */
class SetLoader implements AggregateLoader {
  readonly value: SetValue
  private remaining = -1

  constructor(settings: AggregateSettings) {
    this.value = SetValue.empty(settings)
  }

  step(input: RdbInput): boolean {
    if (this.remaining < 0) {
      const count = input.length()
      if (count === 0) input.skipEmpty()
      this.remaining = count
      return false
    }
    if (!this.value.add(input.string().toString('latin1'))) input.fail('Duplicate set members detected')
    return --this.remaining === 0
  }
}

class IntSetLoader implements AggregateLoader {
  private readonly settings: AggregateSettings
  private loaded: SetValue | undefined

  constructor(settings: AggregateSettings) {
    this.settings = settings
  }

  get value(): Aggregate {
    return this.loaded as SetValue
  }

  step(input: RdbInput): boolean {
    const integers = IntSet.parse(input.string()) ?? input.fail('Intset integrity check failed')
    this.loaded = SetValue.ofIntegers(this.settings, integers)
    return true
  }
}

/** Redis 7.2 holds small sets in listpacks. */
class ListpackLoader implements AggregateLoader {
  readonly value: SetValue

  constructor(settings: AggregateSettings) {
    this.value = SetValue.empty(settings)
  }

  step(input: RdbInput): boolean {
    const pack = Listpack.parse(input.string()) ?? input.fail('Set listpack integrity check failed')
    if (pack.count === 0) input.skipEmpty()
    for (let at = pack.first(); at !== END; at = pack.next(at)) {
      if (!this.value.add(pack.latin1(at))) input.fail('Duplicate set members detected')
    }
    return true
  }
}

export const setLoaders: Record<number, (settings: AggregateSettings) => AggregateLoader> = {
  [RDB_TYPE_SET]: (settings) => new SetLoader(settings),
  [RDB_TYPE_SET_INTSET]: (settings) => new IntSetLoader(settings),
  [RDB_TYPE_SET_LISTPACK]: (settings) => new ListpackLoader(settings),
}
