/**
 * Places on earth as numbers whose order keeps neighbours together (Redis's geohash.c and geohash_helper.c). Longitude
 * and latitude are cut into 2^step cells each; the bits of both numbers alternate, the latitude's on the even places:
 *
 *     longitude  1 0 1          latitude  0 1 1          →  10 01 11
 *
 * A member's score is the cell at step 26, 52 bits. All members of a larger cell lie in one range of scores, so a
 * search looks at nine of them: the one of the centre and its neighbours, as large as it needs to cover the shape.
 */
import { preciseAsin, preciseCos, preciseSin } from './precise-trigonometry.ts'

export const LONGITUDE_MAX = 180
export const LATITUDE_MAX = 85.05112878
const FINEST_STEP = 26
const EARTH_RADIUS_M = 6372797.560856
/** Half of the equator in Mercator's projection. */
const MERCATOR_MAX_M = 20037726.37
const DEGREE = Math.PI / 180
const WORD = 2 ** 32

export interface Position {
  longitude: number
  latitude: number
}

/** A cell: its numbers from west to east and from south to north, of 2^step each. */
interface Cell {
  x: number
  y: number
  step: number
}

interface Area {
  west: number
  east: number
  south: number
  north: number
}

/** The cell of a position whose latitude may go to ±`latitudeMax`. */
function cellOf({ longitude, latitude }: Position, step: number, latitudeMax = LATITUDE_MAX): Cell {
  const cells = 2 ** step
  const y = ((latitude + latitudeMax) / (latitudeMax + latitudeMax)) * cells
  const x = ((longitude + LONGITUDE_MAX) / (LONGITUDE_MAX + LONGITUDE_MAX)) * cells
  return { x: Math.floor(x), y: Math.floor(y), step }
}

function areaOf({ x, y, step }: Cell): Area {
  const cells = 2 ** step
  const width = LONGITUDE_MAX + LONGITUDE_MAX
  const height = LATITUDE_MAX + LATITUDE_MAX
  return {
    west: -LONGITUDE_MAX + (x / cells) * width,
    east: -LONGITUDE_MAX + (((x + 1) % WORD) / cells) * width,
    south: -LATITUDE_MAX + (y / cells) * height,
    north: -LATITUDE_MAX + (((y + 1) % WORD) / cells) * height,
  }
}

/** Spreads 16 bits over the even places of 32. */
function spread(value: number): number {
  let bits = value & 0xffff
  bits = (bits | (bits << 8)) & 0x00ff00ff
  bits = (bits | (bits << 4)) & 0x0f0f0f0f
  bits = (bits | (bits << 2)) & 0x33333333
  return (bits | (bits << 1)) & 0x55555555
}

/** The even places of 32 bits as 16 bits. */
function gather(value: number): number {
  let bits = value & 0x55555555
  bits = (bits | (bits >>> 1)) & 0x33333333
  bits = (bits | (bits >>> 2)) & 0x0f0f0f0f
  bits = (bits | (bits >>> 4)) & 0x00ff00ff
  return (bits | (bits >>> 8)) & 0xffff
}

/** The number of a cell: 2 × step bits. */
function bitsOf({ x, y }: Cell): number {
  const high = (spread(y >>> 16) | (spread(x >>> 16) << 1)) >>> 0
  const low = (spread(y) | (spread(x) << 1)) >>> 0
  return high * WORD + low
}

/** The score of a position within the limits. */
export function scoreOf(position: Position): number {
  return bitsOf(cellOf(position, FINEST_STEP))
}

/** The middle of the cell that a score stands for. Any score stands for one, like the cast to uint64_t in C. */
export function positionOf(score: number): Position {
  const [high, low] = words(score)
  const y = ((gather(high) << 16) | gather(low)) >>> 0
  const x = ((gather(high >>> 1) << 16) | gather(low >>> 1)) >>> 0
  const { west, east, south, north } = areaOf({ x, y, step: FINEST_STEP })
  return {
    longitude: clamp((west + east) / 2, LONGITUDE_MAX),
    latitude: clamp((south + north) / 2, LATITUDE_MAX),
  }
}

/** The cast to uint64_t, as its two halves: negative scores wrap around. */
function words(score: number): [high: number, low: number] {
  if (score >= 0 && score < WORD * WORD) {
    const bits = Math.floor(score)
    const high = Math.floor(bits / WORD)
    return [high, bits - high * WORD]
  }
  if (!Number.isFinite(score) || score > 0 || score < -(2 ** 63)) return score > 0 ? [0, 0] : [2 ** 31, 0]
  const bits = BigInt.asUintN(64, BigInt(Math.trunc(score)))
  return [Number(bits >> 32n), Number(bits & 0xffff_ffffn)]
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value))
}

const ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz'

/**
 * The geohash of 11 letters that others use, with latitudes up to 90°; of the last letter there are no bits, it is 0.
 */
export function geohashText(position: Position): string {
  const bits = BigInt(bitsOf(cellOf(position, FINEST_STEP, 90)))
  let text = ''
  for (let i = 1n; i <= 10n; i++) text += ALPHABET[Number((bits >> (52n - i * 5n)) & 31n)]
  return `${text}0`
}

// ————— Distances

/** Great circle distance in metres by the haversine formula. */
export function distanceM(a: Position, b: Position): number {
  const v = Math.sin((b.longitude * DEGREE - a.longitude * DEGREE) / 2)
  if (v === 0) return latitudeDistanceM(a.latitude, b.latitude)
  const latitudeA = a.latitude * DEGREE
  const latitudeB = b.latitude * DEGREE
  const u = Math.sin((latitudeB - latitudeA) / 2)
  const square = u * u + Math.cos(latitudeA) * Math.cos(latitudeB) * v * v
  return 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(square))
}

/** `distanceM` to the last digit as Redis computes it, which is slower: for distances that are stored. */
export function preciseDistanceM(a: Position, b: Position): number {
  const v = preciseSin((b.longitude * DEGREE - a.longitude * DEGREE) / 2)
  if (v === 0) return latitudeDistanceM(a.latitude, b.latitude)
  const latitudeA = a.latitude * DEGREE
  const latitudeB = b.latitude * DEGREE
  const u = preciseSin((latitudeB - latitudeA) / 2)
  const square = u * u + preciseCos(latitudeA) * preciseCos(latitudeB) * v * v
  return 2 * EARTH_RADIUS_M * preciseAsin(Math.sqrt(square))
}

function latitudeDistanceM(a: number, b: number): number {
  return EARTH_RADIUS_M * Math.abs(b * DEGREE - a * DEGREE)
}

// ————— Searches

/** What is searched: lengths are in units of `unitM` metres. */
export interface Shape {
  center: Position
  unitM: number
  /** A circle's radius, or a box's sides. */
  size: { radius: number } | { width: number; height: number }
}

/** The distance of a position within the shape from its centre in metres; undefined outside. */
export function distanceWithinM({ center, unitM, size }: Shape, position: Position): number | undefined {
  if ('radius' in size) {
    const distance = distanceM(center, position)
    return distance > size.radius * unitM ? undefined : distance
  }
  if (latitudeDistanceM(position.latitude, center.latitude) > (size.height * unitM) / 2) return undefined
  const onSameLatitude = { longitude: center.longitude, latitude: position.latitude }
  if (distanceM(position, onSameLatitude) > (size.width * unitM) / 2) return undefined
  return distanceM(center, position)
}

/** The scores `min` (inclusive) to `max` (exclusive) of a cell. */
export interface ScoreRange {
  min: number
  max: number
}

/**
 * The ranges of scores that cover the shape, in the order in which Redis looks at them: it shows in unsorted results.
 */
export function scoreRanges(shape: Shape): ScoreRange[] {
  const bounds = boundsOf(shape)
  let step = stepFor(shape)
  let cell = cellOf(shape.center, step)
  if (step > 1 && !covers(cell, bounds)) {
    step--
    cell = cellOf(shape.center, step)
  }
  const area = areaOf(cell)
  const useless = { south: false, north: false, west: false, east: false }
  if (step >= 2) {
    useless.south = area.south < bounds.south
    useless.north = area.north > bounds.north
    useless.west = area.west < bounds.west
    useless.east = area.east > bounds.east
  }
  const ranges: ScoreRange[] = []
  let previous: number | undefined
  for (const [x, y] of AROUND) {
    if ((y < 0 && useless.south) || (y > 0 && useless.north)) continue
    if ((x < 0 && useless.west) || (x > 0 && useless.east)) continue
    const bits = bitsOf(moved(cell, x, y))
    // Of very large cells neighbours are the same. The centre is not remembered: another may repeat it.
    if (bits === previous) continue
    if (ranges.length > 0) previous = bits
    const scale = 4 ** (FINEST_STEP - step)
    ranges.push({ min: bits * scale, max: (bits + 1) * scale })
  }
  return ranges
}

/** The centre, then north, south, east, west, and the corners. */
const AROUND: readonly (readonly [x: number, y: number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
]

/** Over the edge of the map one comes in on the other side. */
function moved({ x, y, step }: Cell, east: number, north: number): Cell {
  const cells = 2 ** step
  return {
    x: east === 0 ? x : (x + east + cells) % cells,
    y: north === 0 ? y : (y + north + cells) % cells,
    step,
  }
}

/** Whether the cell's neighbours reach as far as the shape does. */
function covers(cell: Cell, bounds: Area): boolean {
  return (
    areaOf(moved(cell, 0, 1)).north >= bounds.north &&
    areaOf(moved(cell, 0, -1)).south <= bounds.south &&
    areaOf(moved(cell, 1, 0)).east >= bounds.east &&
    areaOf(moved(cell, -1, 0)).west <= bounds.west
  )
}

function boundsOf({ center, unitM, size }: Shape): Area {
  const { longitude, latitude } = center
  const heightM = unitM * ('radius' in size ? size.radius : size.height / 2)
  const widthM = unitM * ('radius' in size ? size.radius : size.width / 2)
  const latitudeDelta = heightM / EARTH_RADIUS_M / DEGREE
  // The side that is nearer to the pole reaches further in longitude.
  const edge = latitude < 0 ? latitude - latitudeDelta : latitude + latitudeDelta
  const longitudeDelta = widthM / EARTH_RADIUS_M / Math.cos(edge * DEGREE) / DEGREE
  return {
    west: longitude - longitudeDelta,
    east: longitude + longitudeDelta,
    south: latitude - latitudeDelta,
    north: latitude + latitudeDelta,
  }
}

/** The finest step at which nine cells are likely to cover the shape; near the poles cells are narrow. */
function stepFor({ center: { latitude }, unitM, size }: Shape): number {
  const radius =
    'radius' in size
      ? size.radius
      : Math.sqrt((size.width / 2) * (size.width / 2) + (size.height / 2) * (size.height / 2))
  let radiusM = radius * unitM
  if (radiusM === 0) return FINEST_STEP
  let step = -1
  for (; radiusM < MERCATOR_MAX_M; radiusM *= 2) step++
  if (Math.abs(latitude) > 66) step--
  if (Math.abs(latitude) > 80) step--
  return Math.max(1, Math.min(FINEST_STEP, step))
}
