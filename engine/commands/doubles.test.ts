/** Every place where a floating point number becomes text, with numbers of all kinds, compared with redis-server. */
import fc from 'fast-check'
import { describe, test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

const bits = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((number) => {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, number)
  return view.getFloat64(0)
})
/** Few binary places: half of those with 18 digits lie right between two texts of 17. */
const dyadic = fc
  .tuple(fc.maxSafeInteger(), fc.integer({ min: 1, max: 60 }))
  .map(([number, exponent]) => number / 2 ** exponent)
const tie = fc
  .tuple(fc.integer({ min: 2 ** 40, max: Number.MAX_SAFE_INTEGER }), fc.integer({ min: 2, max: 25 }), fc.boolean())
  .map(([number, exponent, negative]) => {
    const size = 10 ** 17.5 / 5 ** exponent
    return ((negative ? -1 : 1) * (Math.floor((number / Number.MAX_SAFE_INTEGER) * size) + 0.5)) / 2 ** (exponent - 1)
  })
const nearTen = fc
  .tuple(fc.integer({ min: -320, max: 308 }), fc.integer({ min: -3, max: 3 }))
  .map(([exponent, steps]) => Number(`1e${exponent}`) * (1 + steps * Number.EPSILON))
const number = fc
  .oneof(fc.double({ noNaN: true }), bits, dyadic, tie, nearTen, fc.integer(), fc.maxSafeInteger())
  .filter((value) => !Number.isNaN(value))
/** As the client writes it: sometimes with all the digits there are. */
const written = fc.tuple(number, fc.boolean()).map(([value, full]) => {
  if (Object.is(value, -0)) return '-0'
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf'
  return full && Math.abs(value) < 1e21 ? value.toFixed(60) : String(value)
})

/** Numbers of one go, so that a run costs one exchange. */
const PER_RUN = 100

/** The same commands for many numbers. */
async function sameForAll(
  pair: { same(commands: readonly Words[]): Promise<void> },
  commands: (text: string, index: number) => readonly Words[],
  first: readonly Words[] = [],
  text: fc.Arbitrary<string> = written,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: PER_RUN, maxLength: PER_RUN }), async (texts) => {
      await pair.same([...first, ...texts.flatMap(commands)])
    }),
    { numRuns: 12, endOnFailure: true },
  )
}

againstRedis('numbers as text', () => {
  const pair = usePair()
  const member = (index: number) => `m${index}`

  test.each([
    ['a small sorted set', 128],
    ['a large sorted set', 0],
  ])('scores of %s: replies, digest, DUMP', async (_name, entriesMax) => {
    const limit = String(entriesMax)
    await sameForAll(
      pair(),
      (text, index) => [
        ['ZADD', 'z', text, member(index)],
        ['ZSCORE', 'z', member(index)],
        ['ZADD', 'z', 'INCR', '0', member(index)],
        ['ZINCRBY', 'z', '0.1', member(index)],
        ['ZADD', 'z', text, `${member(index)}again`],
        ['ZRANGEBYSCORE', 'z', text, `(${text}`, 'WITHSCORES'],
        ['DEL', 'one'],
        ['ZADD', 'one', text, 'm'],
        ['ZRANGE', 'one', '0', '-1', 'WITHSCORES'],
        ['ZSCAN', 'one', '0'],
        ['ZUNION', '1', 'one', 'WEIGHTS', '3', 'WITHSCORES'],
        ['DEBUG', 'DIGEST-VALUE', 'one'],
        ['DUMP', 'one'],
        ['ZPOPMIN', 'one'],
      ],
      [['CONFIG', 'SET', 'zset-max-listpack-entries', limit]],
    )
    await pair().sameData({ reload: true })
  })

  test('-0 stays where a large sorted set is built as one', async () => {
    const zeros = Array.from({ length: 200 }, (_, index) => ['-0', member(index)]).flat()
    const results: Words[] = [
      ['ZUNIONSTORE', 'd', '1', 'z'],
      ['ZUNIONSTORE', 'd', '2', 'z', 'z'],
      ['ZINTERSTORE', 'd', '1', 'z', 'WEIGHTS', '-1'],
      ['ZDIFFSTORE', 'd', '1', 'z'],
      ['ZRANGESTORE', 'd', 'z', '0', '-1'],
      ['ZRANGESTORE', 'd', 'z', '0', '150', 'REV'],
      ['ZRANGESTORE', 'd', 'z', '0', '10'],
      ['ZRANGESTORE', 'd', 'z', '-inf', 'inf', 'BYSCORE'],
      ['COPY', 'z', 'd', 'REPLACE'],
    ]
    for (const count of [2, 200]) {
      await pair().same([
        ['CONFIG', 'SET', 'zset-max-listpack-entries', '0'],
        ['ZADD', 'z', ...zeros.slice(0, count * 2)],
        ['CONFIG', 'SET', 'zset-max-listpack-entries', '128'],
        ...results.flatMap((words) => [words, ['DEBUG', 'DIGEST-VALUE', 'd'], ['ZSCORE', 'd', 'm0'], ['DUMP', 'd']]),
        ['ZADD', 'mixed', '-0', 'a', '-0', 'b'.repeat(100), '-0', 'c'],
        ['ZINCRBY', 'mixed', '-0', 'd'],
        ['ZADD', 'mixed', 'CH', '0', 'd'],
        ['DEBUG', 'RELOAD'],
        ...['z', 'd', 'mixed'].map((key) => ['DEBUG', 'DIGEST-VALUE', key]),
      ])
    }
  })

  test('INCRBYFLOAT and HINCRBYFLOAT', async () => {
    await sameForAll(pair(), (text) => [
      ['INCRBYFLOAT', 'sum', text],
      ['SET', 'one', '0'],
      ['INCRBYFLOAT', 'one', text],
      ['INCRBYFLOAT', 'one', '0.1'],
      ['GET', 'one'],
      ['HSET', 'h', 'f', '-0.3'],
      ['HINCRBYFLOAT', 'h', 'f', text],
      ['HINCRBYFLOAT', 'h', 'f', text],
      ['HGETALL', 'h'],
      ['SET', 'one', text],
      ['INCRBYFLOAT', 'one', '0'],
    ])
  })

  test('coordinates and distances', async () => {
    const part = fc.oneof(
      fc.double({ min: -86, max: 86, noNaN: true }).map(String),
      fc
        .tuple(fc.integer({ min: -(2 ** 26), max: 2 ** 26 }), fc.integer({ min: 20, max: 26 }))
        .map(([whole, exponent]) => {
          return String((whole * 85) / 2 ** exponent / 64)
        }),
      written,
    )
    await sameForAll(
      pair(),
      (text, index) => [
        ['GEOADD', 'places', text, '1', member(index)],
        ['GEOADD', 'places', '2', text, `${member(index)}other`],
        ['GEOPOS', 'places', member(index), `${member(index)}other`],
        ['GEODIST', 'places', member(index), `${member(index)}other`, 'KM'],
        ['GEOSEARCH', 'places', 'FROMLONLAT', text, '1', 'BYRADIUS', '10', 'm', 'WITHCOORD', 'WITHDIST'],
        ['DUMP', 'places'],
      ],
      [],
      part,
    )
  })

  describe('in scripts', () => {
    const script = `local n = tonumber(ARGV[1])
      return {redis.call('ECHO', n), tostring(n), n .. '', string.format('%.17g %.14g %g %.3f %e %5.1f', n, n, n, n, n, n),
        {double = n}, redis.pcall('ZADD', KEYS[1], n, n), redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')}`

    test('arguments, texts, doubles of RESP3', async () => {
      await sameForAll(pair(), (text) => [
        ['EVAL', script, '1', 'z', text],
        ['DEL', 'z'],
        ['EVAL', `redis.setresp(3) ${script}`, '1', 'z', text],
        ['DEL', 'z'],
      ])
    })

    test('libraries', async () => {
      const finite = written.filter((text) => !text.includes('inf'))
      await sameForAll(
        pair(),
        (text) => [
          ['EVAL', 'return cjson.encode({tonumber(ARGV[1])})', '0', text],
          ['EVAL', 'cjson.encode_number_precision(3) return cjson.encode({tonumber(ARGV[1])})', '0', text],
          ['EVAL', 'cjson.encode_number_precision(14) return cmsgpack.pack(tonumber(ARGV[1]))', '0', text],
          ['EVAL', 'return cjson.encode(cjson.decode("[" .. ARGV[1] .. "]"))', '0', text],
          ['EVAL', 'return struct.pack("dfi", tonumber(ARGV[1]), tonumber(ARGV[1]), 1)', '0', text],
        ],
        [],
        finite,
      )
    })

    test('what is no number has a sign as well', async () => {
      await pair().same(
        ['0/0', '-(0/0)', 'math.huge - math.huge', 'math.huge * 0', '0/0 + 1', 'tonumber("nan")'].flatMap(
          (expression) => [
            ['EVAL', `local n = ${expression} return {tostring(n), redis.call('ECHO', n or 'nil')}`, '0'],
            ['EVAL', `return {double = ${expression}}`, '0'],
            ['EVAL', `return ${expression}`, '0'],
            ['EVAL', `return string.format('%.17g %g %d', ${expression}, ${expression}, ${expression})`, '0'],
          ],
        ),
      )
    })
  })

  test('averages of DEBUG OBJECT', async () => {
    const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index))
    const withoutAddress = {
      command: 'debug object',
      pattern: /at:\S+ |lru:\S+ |lru_seconds_idle:\S+ /g,
      replace: '',
      reason: 'addresses and clocks',
    }
    for (const nodes of [7, 8, 9, 16, 33]) {
      await pair().same(
        [
          ['CONFIG', 'SET', 'list-max-listpack-size', '8'],
          ['RPUSH', 'l', ...numbers(nodes * 8)],
          ...numbers(nodes * 3).flatMap(() => [
            ['LPOP', 'l'],
            ['DEBUG', 'OBJECT', 'l'],
          ]),
          ['CONFIG', 'SET', 'list-max-listpack-size', '-2'],
        ],
        [withoutAddress],
      )
    }
  })
})
