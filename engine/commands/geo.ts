/**
 * Members of sorted sets as places on earth (Redis's geo.c): their score is the cell that they lie in. Searches are in
 * geo-search.ts.
 */
import { formatFixed, parseStrictDouble } from '../data/double-text.ts'
import {
  distanceM,
  geohashText,
  LATITUDE_MAX,
  LONGITUDE_MAX,
  type Position,
  positionOf,
  scoreOf,
} from '../data/geohash.ts'
import type { SortedSetValue } from '../store/sorted-set-value.ts'
import { Arguments } from './arguments.ts'
import { type Command, oneKey } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { addMembers } from './sorted-set.ts'
import { sortedSetAt } from './sorted-set-lookup.ts'

/** Longitude and latitude at arguments `index` and the next; undefined after the error was answered. */
export function positionArgument(context: Context, args: Arguments, index: number): Position | undefined {
  const longitude = parseStrictDouble(args.latin1(index))
  const latitude = longitude === undefined ? undefined : parseStrictDouble(args.latin1(index + 1))
  if (longitude === undefined || latitude === undefined) {
    context.reply.error(errors.notFloat)
    return undefined
  }
  if (Math.abs(longitude) <= LONGITUDE_MAX && Math.abs(latitude) <= LATITUDE_MAX) return { longitude, latitude }
  context.reply.error(`ERR invalid longitude,latitude pair ${formatFixed(longitude, 6)},${formatFixed(latitude, 6)}`)
  return undefined
}

const unitsM = new Map([
  ['m', 1],
  ['km', 1000],
  ['ft', 0.3048],
  ['mi', 1609.34],
])

/** Metres of the unit at argument `index`; undefined after the error was answered. */
export function unitArgument(context: Context, args: Arguments, index: number): number | undefined {
  const unitM = unitsM.get(args.latin1(index).toLowerCase())
  if (unitM === undefined) context.reply.error('ERR unsupported unit provided. please use M, KM, FT, MI')
  return unitM
}

/** A distance, always as text of four decimals. */
export function sendDistance({ reply }: Context, distance: number): void {
  reply.latin1(formatFixed(distance, 4))
}

/** Longitude and latitude with up to 17 decimals. */
export function sendPosition({ reply }: Context, { longitude, latitude }: Position): void {
  reply.array(2)
  for (const value of [longitude, latitude]) {
    const text = formatFixed(value, 17)
      .replace(/\.?0+$/, '')
      .replace(/^-0$/, '0')
    if (reply.protocol === 3) reply.raw(Buffer.from(`,${text}\r\n`))
    else reply.latin1(text)
  }
}

/** The sorted set at argument 1, undefined for none; `'other'` after an error was answered. */
function placesAt(context: Context): SortedSetValue | undefined | 'other' {
  return sortedSetAt(context, context.lookupRead(1))
}

/** Becomes the ZADD that it is propagated as. */
function geoadd(context: Context, args: Arguments): void {
  const words: (string | Buffer)[] = ['zadd', args.copy(1)]
  let first = 2
  const given = { nx: false, xx: false }
  for (; first < args.count; first++) {
    if (args.is(first, 'nx')) given.nx = true
    else if (args.is(first, 'xx')) given.xx = true
    else if (!args.is(first, 'ch')) break
    words.push(args.copy(first))
  }
  if ((args.count - first) % 3 !== 0 || (given.nx && given.xx)) {
    context.reply.error(errors.syntax)
    return
  }
  for (let i = first; i < args.count; i += 3) {
    const position = positionArgument(context, args, i)
    if (position === undefined) return
    words.push(String(scoreOf(position)), args.copy(i + 2))
  }
  context.propagateAs(words)
  addMembers(context, Arguments.of(words), false)
}

function geopos(context: Context, args: Arguments): void {
  const places = placesAt(context)
  if (places === 'other') return
  context.reply.array(args.count - 2)
  for (let i = 2; i < args.count; i++) {
    const score = places?.score(args.latin1(i))
    if (score === undefined) context.reply.nilArray()
    else sendPosition(context, positionOf(score))
  }
}

function geohash(context: Context, args: Arguments): void {
  const places = placesAt(context)
  if (places === 'other') return
  context.reply.array(args.count - 2)
  for (let i = 2; i < args.count; i++) {
    const score = places?.score(args.latin1(i))
    if (score === undefined) context.reply.nil()
    else context.reply.latin1(geohashText(positionOf(score)))
  }
}

function geodist(context: Context, args: Arguments): void {
  const unitM = args.count === 5 ? unitArgument(context, args, 4) : 1
  if (unitM === undefined) return
  if (args.count > 5) {
    context.reply.error(errors.syntax)
    return
  }
  const places = placesAt(context)
  if (places === 'other') return
  const [from, to] = [places?.score(args.latin1(2)), places?.score(args.latin1(3))]
  if (from === undefined || to === undefined) context.reply.nil()
  else sendDistance(context, distanceM(positionOf(from), positionOf(to)) / unitM)
}

export const geoCommands: readonly Command[] = [
  {
    name: 'geoadd',
    arity: -5,
    flags: ['write', 'denyoom'],
    categories: ['geo'],
    keySpecs: oneKey('RW', 'update'),
    group: 'geo',
    run: geoadd,
  },
  {
    name: 'geodist',
    arity: -4,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: oneKey('RO', 'access'),
    group: 'geo',
    run: geodist,
  },
  {
    name: 'geohash',
    arity: -2,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: oneKey('RO', 'access'),
    group: 'geo',
    run: geohash,
  },
  {
    name: 'geopos',
    arity: -2,
    flags: ['readonly'],
    categories: ['geo'],
    keySpecs: oneKey('RO', 'access'),
    group: 'geo',
    run: geopos,
  },
]
