/**
 * SORT and SORT_RO (Redis's sort.c): the elements of a list, set or sorted set ordered by themselves or by other keys,
 * and what other keys say about them. Texts have one character per byte.
 *
 * Texts are compared byte by byte; Redis compares them by its locale unless it stores the result.
 */
import { parseStrictDouble } from '../data/double-text.ts'
import { partialSort } from '../data/partial-sort.ts'
import { Quicklist } from '../data/quicklist.ts'
import { type HashValue, NO_FIELD } from '../store/hash-value.ts'
import { type Entry, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import { ListValue } from '../store/list-value.ts'
import type { SetValue } from '../store/set-value.ts'
import type { SortedSetValue } from '../store/sorted-set-value.ts'
import { type Arguments, cString } from './arguments.ts'
import { type Command, type KeyPosition, type KeySpec, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'

interface SortQuery {
  descending: boolean
  alpha: boolean
  /** A pattern with `*`; undefined: by the elements. */
  by: string | undefined
  /** BY a text without `*`: in the order in which they are. */
  unsorted: boolean
  offset: number
  /** Negative: all. */
  limit: number
  /** Patterns of GET. */
  gets: string[]
  storeIndex: number | undefined
}

interface SortItem {
  element: string
  score: number
  /** What ALPHA compares. Undefined: its BY key is missing. */
  text: string | undefined
}

function sort(context: Context, args: Arguments): void {
  run(context, args, true)
}

function sortReadOnly(context: Context, args: Arguments): void {
  run(context, args, false)
}

function run(context: Context, args: Arguments, mayStore: boolean): void {
  const query = readQuery(context, args, mayStore)
  if (query === undefined) return
  const entry = context.lookupRead(1)
  const type = entry === NO_ENTRY ? ValueType.list : context.db.type(entry)
  if (type !== ValueType.list && type !== ValueType.set && type !== ValueType.sortedSet) {
    context.reply.error(errors.wrongType)
    return
  }
  const mustBeSame = query.storeIndex !== undefined || context.server.scripting.running !== undefined
  if (query.unsorted && type === ValueType.set && mustBeSame) {
    // The order of a set is nobody's: what is stored, or what a script goes on with, must be the same on replicas.
    query.unsorted = false
    query.alpha = true
    query.by = undefined
  }
  const elements = elementsOf(context, entry, query)
  const length = elements.length
  const start = Math.min(Math.max(query.offset, 0), length)
  const end = query.limit < 0 ? length : Math.min(start + query.limit, length)
  const sorted = query.unsorted ? elements : order(context, query, elements, start, end)
  if (sorted === undefined) context.reply.error("ERR One or more scores can't be converted into double")
  else if (query.storeIndex === undefined) send(context, query, sorted.slice(start, end))
  else store(context, query, query.storeIndex, sorted.slice(start, end))
}

/** Undefined after the error was answered. */
function readQuery(context: Context, args: Arguments, mayStore: boolean): SortQuery | undefined {
  const query: SortQuery = {
    descending: false,
    alpha: false,
    by: undefined,
    unsorted: false,
    offset: 0,
    limit: -1,
    gets: [],
    storeIndex: undefined,
  }
  const { access, cluster, scripting } = context.server
  const inCluster = cluster !== undefined
  const asking = scripting.running?.caller ?? context.client
  const readsAll = () => access.allowsReadingEveryKey(asking, context.command, args)
  for (let i = 2; i < args.count; i++) {
    const left = args.count - i - 1
    if (args.is(i, 'asc')) query.descending = false
    else if (args.is(i, 'desc')) query.descending = true
    else if (args.is(i, 'alpha')) query.alpha = true
    else if (args.is(i, 'limit') && left >= 2) {
      query.offset = numberArgument(context, args, ++i)
      if (Number.isNaN(query.offset)) return undefined
      query.limit = numberArgument(context, args, ++i)
      if (Number.isNaN(query.limit)) return undefined
    } else if (mayStore && args.is(i, 'store') && left >= 1) query.storeIndex = ++i
    else if (args.is(i, 'by') && left >= 1) {
      query.by = args.latin1(++i)
      if (!cString(query.by).includes('*')) query.unsorted = true
      else if (inCluster) return refuse(context, 'ERR BY option of SORT denied in cluster mode.')
      else if (!readsAll()) return refuse(context, 'ERR BY option of SORT denied due to insufficient ACL permissions.')
    } else if (args.is(i, 'get') && left >= 1) {
      if (inCluster) return refuse(context, 'ERR GET option of SORT denied in cluster mode.')
      if (!readsAll()) return refuse(context, 'ERR GET option of SORT denied due to insufficient ACL permissions.')
      query.gets.push(args.latin1(++i))
    } else return refuse(context, errors.syntax)
  }
  return query
}

function refuse(context: Context, message: string): undefined {
  context.reply.error(message)
  return undefined
}

/** In the order in which they are; of lists and sorted sets, if it stays so, from the last one when descending. */
function elementsOf(context: Context, entry: Entry, { unsorted, descending }: SortQuery): string[] {
  if (entry === NO_ENTRY) return []
  const { db } = context
  const value = db.aggregate(entry)
  if (value.type === ValueType.set) return [...(value as SetValue)]
  const reverse = unsorted && descending
  if (value.type === ValueType.sortedSet) {
    const sortedSet = value as SortedSetValue
    // As in Redis, where the listpack cannot be sorted.
    sortedSet.becomeLarge()
    db.changed(entry)
    return Array.from(sortedSet.range(0, sortedSet.size, reverse), ({ member }) => member)
  }
  const { list } = value as ListValue
  const elements: string[] = []
  const place = list.end(true)
  while (place !== undefined) {
    const { memory, start, end } = list.read(place)
    elements.push(Buffer.from(memory.buffer, memory.byteOffset + start, end - start).toString('latin1'))
    if (!list.advance(place)) break
  }
  return reverse ? elements.reverse() : elements
}

/** So far that the elements start…end−1 are right. Undefined when one has no number. */
function order(
  context: Context,
  query: SortQuery,
  elements: readonly string[],
  start: number,
  end: number,
): string[] | undefined {
  const items: SortItem[] = []
  for (const element of elements) {
    const text = query.by === undefined ? element : lookUp(context, query.by, element)
    const score = query.alpha || text === undefined ? 0 : scoreOf(text)
    if (score === undefined) return undefined
    items.push({ element, score, text })
  }
  const compare = query.alpha ? textOrder(query) : scoreOrder
  const sign = query.descending ? -1 : 1
  const signed = (a: SortItem, b: SortItem): number => sign * compare(a, b)
  const isPart = start !== 0 || end !== items.length
  if (query.by === undefined || !isPart) items.sort(signed)
  else partialSort(items, signed, start, end - 1)
  return items.map(({ element }) => element)
}

/** C's strtod on the whole text, blanks in front allowed; undefined when it is no number. */
function scoreOf(text: string): number | undefined {
  const digits = cString(text)
  return digits === '' ? 0 : parseStrictDouble(digits.replace(/^[\t-\r ]+/, ''))
}

/** Equal numbers are ordered by their elements. */
function scoreOrder(a: SortItem, b: SortItem): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1
  return byteOrder(a.element, b.element)
}

/** Missing texts come first. Unless the result is stored, texts end at their first zero byte, as for C's strcoll. */
function textOrder({ storeIndex }: SortQuery): (a: SortItem, b: SortItem) => number {
  const seen = storeIndex === undefined ? cString : (text: string) => text
  return (a, b) => {
    if (a.text === undefined || b.text === undefined) return Number(a.text !== undefined) - Number(b.text !== undefined)
    return byteOrder(seen(a.text), seen(b.text))
  }
}

function byteOrder(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** What the pattern says of an element: `#` itself, `weight_*` a string, `data_*->field` of a hash. */
function lookUp(context: Context, pattern: string, element: string): string | undefined {
  if (pattern === '#') return element
  const star = cString(pattern).indexOf('*')
  if (star < 0) return undefined
  const arrow = cString(pattern).indexOf('->', star + 1)
  const hasField = arrow >= 0 && arrow + 2 < cString(pattern).length
  const rest = hasField ? pattern.slice(star + 1, arrow) : pattern.slice(star + 1)
  const key = Buffer.from(pattern.slice(0, star) + element + rest, 'latin1')
  const { db } = context
  const entry = context.lookupKey(key, false)
  if (entry === NO_ENTRY) return undefined
  const type = db.type(entry)
  if (!hasField) return type === ValueType.string ? db.peekText(entry).toString('latin1') : undefined
  if (type !== ValueType.hash) return undefined
  const hash = db.aggregate(entry) as HashValue
  const field = Buffer.from(pattern.slice(arrow + 2), 'latin1')
  const place = hash.find(field, 0, field.length)
  return place === NO_FIELD ? undefined : hash.value(place)
}

/** What is answered or stored of each element. */
function* results(context: Context, { gets }: SortQuery, elements: readonly string[]): Generator<string | undefined> {
  for (const element of elements) {
    if (gets.length === 0) yield element
    for (const pattern of gets) yield lookUp(context, pattern, element)
  }
}

function send(context: Context, query: SortQuery, elements: readonly string[]): void {
  const { reply } = context
  reply.array(elements.length * Math.max(1, query.gets.length))
  for (const result of results(context, query, elements)) {
    if (result === undefined) reply.nil()
    else reply.latin1(result)
  }
}

/** Replaces the key at argument `keyIndex` by a list; what is missing is an empty element. */
function store(context: Context, query: SortQuery, keyIndex: number, elements: readonly string[]): void {
  const { args, db } = context
  // As in Redis, without regard to the configuration of lists.
  const value = new ListValue(new Quicklist())
  for (const result of results(context, query, elements)) {
    const element = Buffer.from(result ?? '', 'latin1')
    value.list.push(false, element, 0, element.length)
  }
  const { length } = value.list
  const old = context.lookupWrite(keyIndex)
  if (length > 0) {
    const entry = db.setAggregate(args.memory, args.start(keyIndex), args.end(keyIndex), value)
    if (old === NO_ENTRY) context.created(keyIndex)
    else db.setExpireAtMs(entry, -1)
    context.changed(keyIndex, 'list', 'sortstore')
    context.dirty(length - 1)
  } else if (old !== NO_ENTRY) {
    db.remove(old)
    context.changed(keyIndex, 'generic', 'del')
  }
  context.reply.integer(length)
}

/** The key, and the one that the last STORE names. */
function sortKeys(args: Arguments): KeyPosition[] {
  const keys: KeyPosition[] = [{ index: 1, flags: ['RO', 'access'] }]
  for (let i = 2; i < args.count; i++) {
    if (args.is(i, 'limit')) i += 2
    else if (args.is(i, 'get') || args.is(i, 'by')) i++
    else if (args.is(i, 'store') && i + 1 < args.count) keys[1] = { index: i + 1, flags: ['OW', 'update'] }
  }
  return keys
}

const byAndGet: KeySpec = {
  notes:
    "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of the key we sort",
  flags: ['RO', 'access'],
  begin: 'unknown',
  find: 'unknown',
}
const target: KeySpec = {
  notes:
    "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the argument array",
  flags: ['OW', 'update'],
  begin: 'unknown',
  find: 'unknown',
}

export const sortCommands: readonly Command[] = [
  {
    name: 'sort',
    arity: -2,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['set', 'sortedset', 'list', 'dangerous'],
    keySpecs: [...oneKey('RO', 'access'), byAndGet, target],
    findKeys: sortKeys,
    group: 'generic',
    run: sort,
  },
  {
    name: 'sort_ro',
    arity: -2,
    flags: ['readonly', 'movablekeys'],
    categories: ['set', 'sortedset', 'list', 'dangerous'],
    keySpecs: [...oneKey('RO', 'access'), byAndGet],
    findKeys: () => [{ index: 1, flags: ['RO', 'access'] }],
    group: 'generic',
    run: sortReadOnly,
  },
]
