/** Lists in RDB files: what Redis 7.0 writes, and what its predecessors wrote. */
import { Listpack } from '../data/listpack.ts'
import { QuicklistNode } from '../data/quicklist-node.ts'
import type { AggregateSettings } from '../store/aggregate-settings.ts'
import type { Aggregate } from '../store/keyspace-port.ts'
import { ListValue } from '../store/list-value.ts'
import type { RdbInput } from './rdb-input.ts'
import type { RdbOutput } from './rdb-output.ts'
import type { AggregateLoader, AggregateWriter } from './rdb-types.ts'
import { ziplistTexts } from './ziplist.ts'

export const RDB_TYPE_LIST = 1
export const RDB_TYPE_LIST_ZIPLIST = 10
export const RDB_TYPE_LIST_QUICKLIST = 14
export const RDB_TYPE_LIST_QUICKLIST_2 = 18

/** What a node of a quicklist (version 2) holds. */
const PLAIN = 1
const PACKED = 2

export const listWriter: AggregateWriter = {
  rdbType: () => RDB_TYPE_LIST_QUICKLIST_2,
  *write(output: RdbOutput, value: Aggregate) {
    const { list } = value as ListValue
    output.length(list.nodeCount)
    for (let node = list.head; node !== undefined; node = node.after) {
      output.length(node.isPlain ? PLAIN : PACKED)
      if (node.compressed !== undefined) output.compressedString(node.compressed, node.byteLength)
      else output.string(node.pack?.serialized() ?? (node.plain as Buffer))
      yield
    }
  },
}

/** A count, then as many units, each of which adds elements. */
class UnitsLoader implements AggregateLoader {
  readonly value: ListValue
  private readonly addUnit: (input: RdbInput, value: ListValue) => void
  private missing = -1

  constructor(settings: AggregateSettings, addUnit: (input: RdbInput, value: ListValue) => void) {
    this.value = ListValue.empty(settings)
    this.addUnit = addUnit
  }

  step(input: RdbInput): boolean {
    if (this.missing < 0) {
      this.missing = input.length()
      if (this.missing === 0) input.skipEmpty()
      return false
    }
    this.addUnit(input, this.value)
    this.missing--
    if (this.missing === 0 && this.value.list.length === 0) input.skipEmpty()
    return this.missing === 0
  }
}

function addNode(input: RdbInput, { list }: ListValue): void {
  const container = input.length()
  if (container !== PLAIN && container !== PACKED) input.fail('Quicklist integrity check failed')
  const bytes = input.string()
  if (bytes.length === 0) input.fail('Quicklist with an empty node')
  if (container === PLAIN) {
    list.appendNode(new QuicklistNode(undefined, Buffer.from(bytes)))
    return
  }
  const pack = Listpack.parse(bytes) ?? input.fail('Listpack integrity check failed')
  if (pack.count > 0) list.appendNode(new QuicklistNode(pack, undefined))
}

/** Each ziplist becomes a node, as in Redis. */
function addZiplist(input: RdbInput, { list }: ListValue): void {
  const texts = ziplistTexts(input.string()) ?? input.fail('Ziplist integrity check failed')
  const pack = Listpack.empty()
  for (const text of texts) pack.append(text, 0, text.length)
  if (pack.count > 0) list.appendNode(new QuicklistNode(pack, undefined))
}

class ZiplistLoader implements AggregateLoader {
  readonly value: ListValue

  constructor(settings: AggregateSettings) {
    this.value = ListValue.empty(settings)
  }

  step(input: RdbInput): boolean {
    const texts = ziplistTexts(input.string()) ?? input.fail('Ziplist integrity check failed')
    if (texts.length === 0) input.skipEmpty()
    for (const text of texts) this.value.list.push(false, text, 0, text.length)
    return true
  }
}

export const listLoaders: Record<number, (settings: AggregateSettings) => AggregateLoader> = {
  [RDB_TYPE_LIST]: (settings) =>
    new UnitsLoader(settings, (input, { list }) => {
      const text = input.string()
      list.push(false, text, 0, text.length)
    }),
  [RDB_TYPE_LIST_ZIPLIST]: (settings) => new ZiplistLoader(settings),
  [RDB_TYPE_LIST_QUICKLIST]: (settings) => new UnitsLoader(settings, addZiplist),
  [RDB_TYPE_LIST_QUICKLIST_2]: (settings) => new UnitsLoader(settings, addNode),
}
