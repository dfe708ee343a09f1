import fc from 'fast-check'
import { test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

type Part = string | fc.Arbitrary<string> | fc.Arbitrary<string[]>
const words = (...parts: Part[]): fc.Arbitrary<string[]> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((tuple) => tuple.flat())
const maybe = (...parts: Part[]): fc.Arbitrary<string[]> => fc.oneof(fc.constant<string[]>([]), words(...parts))
const options = (...one: fc.Arbitrary<string[]>[]): fc.Arbitrary<string[]> =>
  fc.array(fc.oneof(...one), { maxLength: 4 }).map((parts) => parts.flat())

const keys = fc.constantFrom('a', 'b', 'none')
const members = fc.integer({ min: 0, max: 12 }).map((i) => `m${i}`)
const coordinate = (limit: number) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.double({ min: -limit, max: limit, noNaN: true }).map((value) => value.toFixed(6)) },
    { weight: 4, arbitrary: fc.integer({ min: -30, max: 30 }).map((value) => (value / 10).toFixed(3)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('0', '-0', String(limit), String(-limit), '1e2', 'x', 'inf', '200', '-200.5'),
    },
  )
const position = words(coordinate(180), coordinate(85.05112878))
const units = fc.constantFrom('m', 'km', 'KM', 'ft', 'mi', 'x')
const lengths = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('1', '100', '500', '2000', '9000', '20000') },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 30_000, noNaN: true }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('0', '-1', 'x', '1e9') },
)
const order: fc.Arbitrary<string[]> = fc.constantFrom(['ASC'], ['desc'])
const count = words('COUNT', fc.constantFrom('1', '2', '3', '8', '100', '0', '-1', 'x'))
const withs: fc.Arbitrary<string[]> = fc.constantFrom(
  ['WITHDIST'],
  ['WITHHASH'],
  ['WITHCOORD'],
  ['withdist', 'WITHCOORD', 'WITHHASH'],
)
const center = fc.oneof(words('FROMMEMBER', members), words('FROMLONLAT', position))
const shape = fc.oneof(words('BYRADIUS', lengths, units), words('BYBOX', lengths, lengths, units))

const step: fc.Arbitrary<string[]> = fc.oneof(
  {
    weight: 8,
    arbitrary: words(
      'GEOADD',
      fc.constantFrom('a', 'b'),
      options(words(fc.constantFrom('NX', 'XX', 'ch'))),
      fc.array(words(position, members), { minLength: 1, maxLength: 4 }).map((parts) => parts.flat()),
    ),
  },
  words('ZADD', keys, fc.constantFrom('1', '-1', '1.5', '4503599627370496', '1e19', '3479099956230698'), members),
  words('GEOPOS', keys, fc.array(members, { maxLength: 3 })),
  words('GEOHASH', keys, fc.array(members, { maxLength: 3 })),
  words('GEODIST', keys, members, members, maybe(units)),
  { weight: 4, arbitrary: words('GEOSEARCH', keys, center, shape, options(order, count, withs, fc.constant(['ANY']))) },
  words('GEOSEARCH', keys, options(center, shape, order, count, withs, fc.constant(['STOREDIST']))),
  words('GEOSEARCHSTORE', keys, keys, center, shape, options(order, count, fc.constant(['ANY']))),
  words(fc.constantFrom('GEORADIUS', 'GEORADIUS_RO'), keys, position, lengths, units, options(order, count, withs)),
  words(
    fc.constantFrom('GEORADIUSBYMEMBER', 'GEORADIUSBYMEMBER_RO'),
    keys,
    members,
    lengths,
    units,
    options(order, count, withs, words('STORE', keys)),
  ),
  words('OBJECT', 'ENCODING', keys),
  words('SET', 'b', 'text'),
  words('DEL', keys),
)
const settled: Words[] = ['a', 'b', 'none'].map((key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'])

againstRedis('places as in redis-server 7.0', () => {
  const pair = usePair()

  test('whatever is done to them', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (commands) => {
        await pair().same([...commands, ...settled])
      }),
      { numRuns: 150 },
    ))

  /** A grid: many places are equally far away. */
  const grid: Words = [
    'GEOADD',
    'grid',
    ...Array.from({ length: 400 }, (_, i) => [String((i % 20) / 10), String(Math.floor(i / 20) / 10), `m${i}`]).flat(),
  ]

  test('of equally far ones the same come first', async () => {
    const searches: Words[] = [1, 2, 5, 10, 50, 51, 120, 399, 400].flatMap((count) =>
      ['ASC', 'DESC'].map((order) => [
        'GEOSEARCH',
        'grid',
        'FROMLONLAT',
        '1',
        '1',
        'BYBOX',
        '500',
        '500',
        'km',
        order,
        'COUNT',
        String(count),
      ]),
    )
    await pair().same([grid, ...searches, ['GEOSEARCH', 'grid', 'FROMMEMBER', 'm7', 'BYRADIUS', '100', 'km', 'ASC']])
  })

  test('distances are stored with the same digits', async () => {
    const cities = ['GEOADD', 'c', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania']
    await pair().same([
      cities,
      ['GEOSEARCHSTORE', 'd', 'c', 'FROMLONLAT', '15', '37', 'BYRADIUS', '200', 'km', 'STOREDIST'],
      ['ZRANGE', 'd', '0', '-1', 'WITHSCORES'],
      ['GEORADIUS', 'c', '15', '37', '200', 'mi', 'STOREDIST', 'd'],
      ['ZRANGE', 'd', '0', '-1', 'WITHSCORES'],
      ['GEORADIUSBYMEMBER', 'c', 'Palermo', '200', 'km', 'STORE', 'd', 'STOREDIST', 'e'],
      ['ZRANGE', 'd', '0', '-1', 'WITHSCORES'],
      ['ZRANGE', 'e', '0', '-1', 'WITHSCORES'],
      ['GEOSEARCHSTORE', 'd', 'none', 'FROMMEMBER', 'x', 'BYRADIUS', '200', 'km'],
      ['EXISTS', 'd'],
    ])
  })

  test('the whole world is found once', async () => {
    const world = Array.from({ length: 300 }, (_, i) => [
      String(((i * 7919) % 360) - 180),
      String(((i * 104_729) % 170) - 85),
      `m${i}`,
    ]).flat()
    await pair().same([
      ['GEOADD', 'w', ...world],
      ...['100', '2000', '5000', '10000', '40000'].flatMap((size): Words[] => [
        ['GEOSEARCH', 'w', 'FROMLONLAT', '179.5', '60', 'BYRADIUS', size, 'km', 'WITHDIST'],
        ['GEOSEARCH', 'w', 'FROMLONLAT', '-10', '-84', 'BYBOX', size, size, 'km', 'ASC', 'WITHDIST'],
        ['GEOSEARCH', 'w', 'FROMLONLAT', '0', '0', 'BYRADIUS', size, 'km', 'COUNT', '10', 'ANY'],
      ]),
    ])
  })

  test('arguments that make no sense', async () => {
    await pair().same([
      ['GEOADD', 'a', '1', '1'],
      ['GEOADD', 'a', 'CH', 'CH', 'CH'],
      ['GEOADD', 'a', 'NX', 'XX', '1', '1', 'm'],
      ['GEOADD', 'a', '181', '1', 'm'],
      ['GEOADD', 'a', '1', '-86.1234567', 'm'],
      ['GEOADD', 'a', '1e300', '1', 'm'],
      ['GEOADD', 'a', '1', '1', 'm', '2', '2', 'n'],
      ['GEOSEARCH', 'a', 'FROMMEMBER', 'm', 'FROMLONLAT', '1', '1', 'BYRADIUS', '1', 'km'],
      ['GEOSEARCH', 'a', 'FROMMEMBER', 'm', 'FROMMEMBER', 'n', 'BYRADIUS', '1', 'km'],
      ['GEOSEARCH', 'a', 'FROMMEMBER', 'm', 'BYBOX', '1', '1', 'km', 'BYRADIUS', '1', 'km'],
      ['GEOSEARCH', 'a', 'FROMMEMBER', 'm', 'WITHDIST', 'WITHHASH', 'WITHCOORD', 'ASC'],
      ['geosearch', 'a', 'BYBOX', '1', '1', 'km', 'WITHDIST', 'WITHHASH'],
      ['GEOSEARCH', 'a', 'FROMMEMBER', 'm', 'BYRADIUS', '1', 'km', 'ANY'],
      ['GEOSEARCH', 'a', 'FROMMEMBER', 'x', 'BYRADIUS', '1', 'km'],
      ['GEOSEARCH', 'none', 'FROMMEMBER', 'x', 'BYRADIUS', 'x', 'km'],
      ['GEOSEARCHSTORE', 'd', 'a', 'FROMMEMBER', 'm', 'BYRADIUS', '1', 'km', 'WITHDIST'],
      ['GEORADIUS', 'a', '1', '1', '1', 'km', 'STORE', 'd', 'WITHDIST'],
      ['GEORADIUS_RO', 'a', '1', '1', '1', 'km', 'STORE', 'd'],
      ['GEORADIUS', 'none', '1', '1', 'x', 'km'],
      ['GEORADIUSBYMEMBER', 'none', 'm', 'x', 'y'],
      ['GEORADIUSBYMEMBER', 'none', 'm', '1', 'km', 'STORE', 'a'],
      ['EXISTS', 'a'],
      ['COMMAND', 'GETKEYS', 'GEORADIUS', 'a', '1', '1', '1', 'km', 'STORE', 'd'],
      ['COMMAND', 'GETKEYSANDFLAGS', 'GEORADIUSBYMEMBER', 'a', 'm', '1', 'km', 'STORE', 'd', 'STOREDIST', 'e'],
    ])
  })
})
