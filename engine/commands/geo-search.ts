/**
 * Places within a circle or a box (Redis's geo.c): GEOSEARCH, GEOSEARCHSTORE and the older GEORADIUS family, which are
 * one query with different ways to say it.
 */
import { parseStrictDouble } from '../data/double-text.ts'
import {
  distanceWithinM,
  type Position,
  positionOf,
  preciseDistanceM,
  type Shape,
  scoreRanges,
} from '../data/geohash.ts'
import { partialSort } from '../data/partial-sort.ts'
import { NO_ENTRY } from '../store/keyspace-port.ts'
import { SortedSetValue } from '../store/sorted-set-value.ts'
import type { Arguments } from './arguments.ts'
import { type Command, type KeySpec, keyRange, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { positionArgument, sendDistance, sendPosition, unitArgument } from './geo.ts'
import { numberArgument } from './number-argument.ts'
import { sortedSetAt } from './sorted-set-lookup.ts'

/** What a command fixes by its name. */
interface Form {
  /** Where the sorted set is. */
  sourceIndex: number
  /** Of the first option. */
  optionsIndex: number
  /** GEOSEARCH and GEOSEARCHSTORE say centre and shape in options, the others in their first arguments. */
  center: 'options' | 'position' | 'member'
  /** Argument that takes the result; `option`: STORE or STOREDIST say it. */
  store: 'never' | 'option' | number
}

interface Query {
  /** Undefined also when there is no sorted set to look the member up in. */
  center: Position | undefined
  centerFrom: 'nothing' | 'member' | 'position'
  unitM: number
  size: Shape['size'] | undefined
  withDistance: boolean
  withHash: boolean
  withPosition: boolean
  order: 'none' | 'asc' | 'desc'
  /** 0: all. */
  count: number
  /** The first that are found, not the nearest. */
  any: boolean
  storeIndex: number | undefined
  storesDistance: boolean
}

interface Found {
  member: string
  score: number
  position: Position
  distanceM: number
}

function search(context: Context, args: Arguments, form: Form): void {
  const places = sortedSetAt(context, context.lookupRead(form.sourceIndex))
  if (places === 'other') return
  const query: Query = {
    center: undefined,
    centerFrom: form.center === 'options' ? 'nothing' : form.center,
    unitM: 1,
    size: undefined,
    withDistance: false,
    withHash: false,
    withPosition: false,
    order: 'none',
    count: 0,
    any: false,
    storeIndex: typeof form.store === 'number' ? form.store : undefined,
    storesDistance: false,
  }
  if (!readFixed(context, args, form, query, places) || !readOptions(context, args, form, query, places)) return
  const refusal = refusalOf(args, form, query)
  if (refusal !== undefined) context.reply.error(refusal)
  else if (query.center === undefined || query.size === undefined || places === undefined) answer(context, query, [])
  else answer(context, query, find(places, query, { center: query.center, unitM: query.unitM, size: query.size }))
}

/** Centre and radius of the GEORADIUS family. False after an error was answered. */
function readFixed(
  context: Context,
  args: Arguments,
  form: Form,
  query: Query,
  places: SortedSetValue | undefined,
): boolean {
  if (form.center === 'options' || (form.center === 'member' && places === undefined)) return true
  query.center =
    form.center === 'position' ? positionArgument(context, args, 2) : memberPosition(context, args, 2, places)
  return query.center !== undefined && readRadius(context, args, form.optionsIndex - 2, query)
}

/** Undefined after an error was answered. */
function memberPosition(
  context: Context,
  args: Arguments,
  index: number,
  places: SortedSetValue | undefined,
): Position | undefined {
  const score = places?.score(args.latin1(index))
  if (score !== undefined) return positionOf(score)
  context.reply.error('ERR could not decode requested zset member')
  return undefined
}

/** `radius unit` from argument `index` on. */
function readRadius(context: Context, args: Arguments, index: number, query: Query): boolean {
  const radius = lengthArgument(context, args, index, 'radius')
  if (radius === undefined) return false
  if (radius < 0) return refuse(context, 'ERR radius cannot be negative')
  query.size = { radius }
  return readUnit(context, args, index + 1, query)
}

/** `width height unit` from argument `index` on. */
function readBox(context: Context, args: Arguments, index: number, query: Query): boolean {
  const width = lengthArgument(context, args, index, 'width')
  if (width === undefined) return false
  const height = lengthArgument(context, args, index + 1, 'height')
  if (height === undefined) return false
  if (width < 0 || height < 0) return refuse(context, 'ERR height or width cannot be negative')
  query.size = { width, height }
  return readUnit(context, args, index + 2, query)
}

function lengthArgument(context: Context, args: Arguments, index: number, name: string): number | undefined {
  const length = parseStrictDouble(args.latin1(index))
  if (length === undefined) context.reply.error(`ERR need numeric ${name}`)
  return length
}

function readUnit(context: Context, args: Arguments, index: number, query: Query): boolean {
  const unitM = unitArgument(context, args, index)
  if (unitM !== undefined) query.unitM = unitM
  return unitM !== undefined
}

function refuse(context: Context, message: string): false {
  context.reply.error(message)
  return false
}

function readOptions(
  context: Context,
  args: Arguments,
  form: Form,
  query: Query,
  places: SortedSetValue | undefined,
): boolean {
  let index = form.optionsIndex
  while (index < args.count) {
    const taken =
      readFlag(args, index, query) ||
      readCount(context, args, index, query) ||
      (form.store === 'option' && readStore(args, index, query)) ||
      (form.center === 'options' && readPlace(context, args, index, query, places))
    if (taken === 'refused') return false
    if (taken === false || taken === 0) return refuse(context, errors.syntax)
    index += taken
  }
  return true
}

/** How many arguments an option has taken, 0 for one of another kind; `refused` after an error was answered. */
type Taken = number | 'refused'

function readFlag(args: Arguments, index: number, query: Query): number {
  if (args.is(index, 'withdist')) query.withDistance = true
  else if (args.is(index, 'withhash')) query.withHash = true
  else if (args.is(index, 'withcoord')) query.withPosition = true
  else if (args.is(index, 'any')) query.any = true
  else if (args.is(index, 'asc')) query.order = 'asc'
  else if (args.is(index, 'desc')) query.order = 'desc'
  else return 0
  return 1
}

function readCount(context: Context, args: Arguments, index: number, query: Query): Taken {
  if (!args.is(index, 'count') || index + 1 >= args.count) return 0
  query.count = numberArgument(context, args, index + 1)
  if (Number.isNaN(query.count)) return 'refused'
  return query.count > 0 || refuse(context, 'ERR COUNT must be > 0') ? 2 : 'refused'
}

function readStore(args: Arguments, index: number, query: Query): number {
  const storesDistance = args.is(index, 'storedist')
  if (!(storesDistance || args.is(index, 'store')) || index + 1 >= args.count) return 0
  query.storeIndex = index + 1
  query.storesDistance = storesDistance
  return 2
}

/** FROMMEMBER, FROMLONLAT, BYRADIUS, BYBOX, and GEOSEARCHSTORE's STOREDIST. */
function readPlace(
  context: Context,
  args: Arguments,
  index: number,
  query: Query,
  places: SortedSetValue | undefined,
): Taken {
  const left = args.count - index - 1
  const { size, centerFrom } = query
  if (args.is(index, 'frommember') && left >= 1 && centerFrom !== 'position') {
    query.centerFrom = 'member'
    if (places === undefined) return 2
    query.center = memberPosition(context, args, index + 1, places)
    return query.center === undefined ? 'refused' : 2
  }
  if (args.is(index, 'fromlonlat') && left >= 2 && centerFrom !== 'member') {
    query.centerFrom = 'position'
    query.center = positionArgument(context, args, index + 1)
    return query.center === undefined ? 'refused' : 3
  }
  if (args.is(index, 'byradius') && left >= 2 && !(size !== undefined && 'width' in size)) {
    return readRadius(context, args, index + 1, query) ? 3 : 'refused'
  }
  if (args.is(index, 'bybox') && left >= 3 && !(size !== undefined && 'radius' in size)) {
    return readBox(context, args, index + 1, query) ? 4 : 'refused'
  }
  if (!args.is(index, 'storedist') || query.storeIndex === undefined) return 0
  query.storesDistance = true
  return 1
}

/** What is wrong with the options together. */
function refusalOf(args: Arguments, form: Form, query: Query): string | undefined {
  const { storeIndex, withDistance, withHash, withPosition } = query
  if (storeIndex !== undefined && (withDistance || withHash || withPosition)) {
    const name = form.store === 'option' ? 'STORE option in GEORADIUS' : 'GEOSEARCHSTORE'
    return `ERR ${name} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`
  }
  if (query.centerFrom === 'nothing') {
    return `ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${args.latin1(0)}`
  }
  if (form.center === 'options' && query.size === undefined) {
    return `ERR exactly one of BYRADIUS and BYBOX can be specified for ${args.latin1(0)}`
  }
  return query.any && query.count === 0 ? 'ERR the ANY argument requires COUNT argument' : undefined
}

/** The places within the shape, in the order asked for, as many as asked for. */
function find(places: SortedSetValue, query: Query, shape: Shape): Found[] {
  const found: Found[] = []
  const limit = query.any ? query.count : Number.POSITIVE_INFINITY
  for (const { min, max } of scoreRanges(shape)) {
    if (found.length >= limit) break
    for (const { member, score } of places.range(places.rankOf((pair) => pair.score >= min))) {
      if (score >= max || found.length >= limit) break
      const position = positionOf(score)
      const distanceM = distanceWithinM(shape, position)
      if (distanceM !== undefined) found.push({ member, score, position, distanceM })
    }
  }
  const { count } = query
  const order = query.order === 'none' && count > 0 && !query.any ? 'asc' : query.order
  if (order !== 'none') sortByDistance(found, order === 'asc' ? 1 : -1, count)
  return count > 0 ? found.slice(0, count) : found
}

function sortByDistance(found: Found[], sign: number, count: number): void {
  const compare = (a: Found, b: Found): number => sign * (a.distanceM - b.distanceM)
  if (count === 0 || count >= found.length) found.sort(compare)
  else partialSort(found, compare, 0, count - 1)
}

function answer(context: Context, query: Query, found: readonly Found[]): void {
  if (query.storeIndex !== undefined) store(context, query, query.storeIndex, found)
  else send(context, query, found)
}

function send(context: Context, query: Query, found: readonly Found[]): void {
  const { reply } = context
  const { withDistance, withHash, withPosition } = query
  const parts = 1 + Number(withDistance) + Number(withHash) + Number(withPosition)
  reply.array(found.length)
  for (const { member, score, position, distanceM } of found) {
    if (parts > 1) reply.array(parts)
    reply.latin1(member)
    if (withDistance) sendDistance(context, distanceM / query.unitM)
    if (withHash) reply.integer(Math.trunc(score))
    if (withPosition) sendPosition(context, position)
  }
}

function store(context: Context, query: Query, keyIndex: number, found: readonly Found[]): void {
  const { args, db, server, command } = context
  const { center, unitM, storesDistance } = query
  const old = context.lookupWrite(keyIndex)
  if (found.length > 0 && center !== undefined) {
    const result = SortedSetValue.empty(server.aggregateSettings)
    for (const { member, score, position } of found) {
      result.set(member, storesDistance ? preciseDistanceM(center, position) / unitM : score)
    }
    const entry = db.setAggregate(args.memory, args.start(keyIndex), args.end(keyIndex), result)
    if (old === NO_ENTRY) context.created(keyIndex)
    else db.setExpireAtMs(entry, -1)
    context.changed(keyIndex, 'sortedSet', command.name === 'geosearchstore' ? 'geosearchstore' : 'georadiusstore')
    context.dirty(found.length - 1)
  } else if (old !== NO_ENTRY) {
    db.remove(old)
    context.changed(keyIndex, 'generic', 'del')
  }
  context.reply.integer(found.length)
}

function georadius(context: Context, args: Arguments): void {
  search(context, args, { sourceIndex: 1, optionsIndex: 6, center: 'position', store: 'option' })
}

function georadiusReadOnly(context: Context, args: Arguments): void {
  search(context, args, { sourceIndex: 1, optionsIndex: 6, center: 'position', store: 'never' })
}

function georadiusbymember(context: Context, args: Arguments): void {
  search(context, args, { sourceIndex: 1, optionsIndex: 5, center: 'member', store: 'option' })
}

function georadiusbymemberReadOnly(context: Context, args: Arguments): void {
  search(context, args, { sourceIndex: 1, optionsIndex: 5, center: 'member', store: 'never' })
}

function geosearch(context: Context, args: Arguments): void {
  search(context, args, { sourceIndex: 1, optionsIndex: 2, center: 'options', store: 'never' })
}

function geosearchstore(context: Context, args: Arguments): void {
  search(context, args, { sourceIndex: 2, optionsIndex: 3, center: 'options', store: 1 })
}

/** The source, and what STORE and STOREDIST may name from argument `startFrom` on. */
function storingKeys(startFrom: number): readonly KeySpec[] {
  const find = { lastKey: 0, step: 1, limit: 0 }
  const target = (keyword: string): KeySpec => ({ flags: ['OW', 'update'], begin: { keyword, startFrom }, find })
  return [...oneKey('RO', 'access'), target('STORE'), target('STOREDIST')]
}

export const geoSearchCommands: readonly Command[] = [
  {
    name: 'georadius',
    arity: -6,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['geo'],
    keySpecs: storingKeys(6),
    group: 'geo',
    run: georadius,
  },
  {
    name: 'georadius_ro',
    arity: -6,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: oneKey('RO', 'access'),
    group: 'geo',
    run: georadiusReadOnly,
  },
  {
    name: 'georadiusbymember',
    arity: -5,
    flags: ['write', 'denyoom', 'movablekeys'],
    categories: ['geo'],
    keySpecs: storingKeys(5),
    group: 'geo',
    run: georadiusbymember,
  },
  {
    name: 'georadiusbymember_ro',
    arity: -5,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: oneKey('RO', 'access'),
    group: 'geo',
    run: georadiusbymemberReadOnly,
  },
  {
    name: 'geosearch',
    arity: -7,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: oneKey('RO', 'access'),
    group: 'geo',
    run: geosearch,
  },
  {
    name: 'geosearchstore',
    arity: -8,
    flags: ['write', 'denyoom'],
    categories: ['geo'],
    keySpecs: [...oneKey('OW', 'update'), ...keyRange(2, 2, 1, 'RO', 'access')],
    group: 'geo',
    run: geosearchstore,
  },
]
