import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bulkOf, sameInAnyOrder, sealed } from '../testing/aggregates.ts'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

type Part = string | fc.Arbitrary<string> | fc.Arbitrary<string[]>
const words = (...parts: Part[]): fc.Arbitrary<string[]> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((tuple) => tuple.flat())
const several = (one: fc.Arbitrary<string>, maxLength = 4) => fc.array(one, { minLength: 1, maxLength })
const maybe = (...parts: Part[]): fc.Arbitrary<string[]> => fc.oneof(fc.constant<string[]>([]), words(...parts))

const keys = fc.constantFrom('a', 'b', 'c')
const members = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 9 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('', 'x', '01', 'ü', 'longer than ten bytes') },
)
const scores = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -3, max: 6 }).map(String) },
  {
    weight: 4,
    arbitrary: fc.constantFrom('0.5', '-1.25', '1e10', '3.3', '0.1', '0.2', '1e-7', '1e300', '12345678901234567'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('inf', '-inf', '+inf', '-0', '0x10', '9007199254740993', '4503599627370497'),
  },
  { weight: 1, arbitrary: fc.constantFrom('nan', 'x', '', ' 1', '1e999', '1e-999') },
)
const bounds = fc.oneof(
  scores,
  scores.map((score) => `(${score}`),
  fc.constantFrom('-inf', '+inf', '(', '((1'),
)
const textBounds = fc.oneof(
  members.map((member) => `[${member}`),
  members.map((member) => `(${member}`),
  fc.constantFrom('-', '+', '', 'x', '-x'),
)
const ranks = fc.constantFrom('0', '1', '2', '-1', '-2', '-100', '100', 'x', '1.5')
const limit = maybe(
  fc.constantFrom('LIMIT', 'limit'),
  fc.constantFrom('0', '1', '-1', 'x'),
  fc.constantFrom('0', '2', '-1', '-2', 'x'),
)
const withScores = maybe(fc.constantFrom('WITHSCORES', 'withscores'))
const addOptions = fc.array(fc.constantFrom('NX', 'XX', 'GT', 'LT', 'CH', 'INCR', 'ch'), { maxLength: 2 })
const numbered = (...rest: Part[]) =>
  fc.oneof(
    ...[1, 2, 3].map((count) =>
      words(
        String(count),
        fc.array(fc.oneof(keys, fc.constantFrom('set')), { minLength: count, maxLength: count }),
        ...rest,
      ),
    ),
  )
const weights = fc.oneof(
  fc.constant([] as string[]),
  words('WEIGHTS', several(fc.constantFrom('1', '2', '-1.5', '0', 'inf', 'x'), 3)),
)
const aggregate = maybe('AGGREGATE', fc.constantFrom('SUM', 'min', 'MAX', 'x'))
const counts = fc.constantFrom('0', '1', '2', '100', '-1', 'x')

const adding: fc.Arbitrary<string[]> = words(
  'ZADD',
  keys,
  addOptions,
  fc.array(fc.tuple(scores, members), { minLength: 1, maxLength: 4 }).map((pairs) => pairs.flat()),
)
const step: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 10, arbitrary: adding },
  { weight: 5, arbitrary: words('ZADD', keys, scores, members) },
  words('ZINCRBY', keys, scores, members),
  { weight: 2, arbitrary: words('ZREM', keys, several(members)) },
  words(fc.constantFrom('ZSCORE', 'ZRANK', 'ZREVRANK'), keys, members),
  words('ZMSCORE', keys, several(members)),
  words('ZCARD', keys),
  words('ZCOUNT', keys, bounds, bounds),
  words('ZRANGE', keys, ranks, ranks, withScores, maybe('REV')),
  words('ZRANGE', keys, bounds, bounds, 'BYSCORE', maybe('REV'), limit, withScores),
  words('ZRANGE', keys, ranks, ranks, limit, maybe('BYLEX'), maybe('BYSCORE')),
  words('ZREVRANGE', keys, ranks, ranks, withScores),
  words(fc.constantFrom('ZRANGEBYSCORE', 'ZREVRANGEBYSCORE'), keys, bounds, bounds, withScores, limit),
  words('ZRANGESTORE', keys, keys, ranks, ranks, maybe('REV'), withScores),
  words('ZRANGESTORE', keys, keys, bounds, bounds, 'BYSCORE', maybe('REV'), limit),
  words('ZREMRANGEBYRANK', keys, ranks, ranks),
  words('ZREMRANGEBYSCORE', keys, bounds, bounds),
  words(fc.constantFrom('ZPOPMIN', 'ZPOPMAX'), keys, maybe(counts)),
  words('ZMPOP', numbered(fc.constantFrom('MIN', 'max', 'x'), maybe('COUNT', counts))),
  words('MULTI'),
  { weight: 2, arbitrary: words('EXEC') },
  words(fc.constantFrom('BZPOPMIN', 'BZPOPMAX'), several(keys, 2), fc.constantFrom('0.001', 'x', '-1')),
  words(
    'BZMPOP',
    fc.constantFrom('0.001', '1e-9', 'x', '-1'),
    numbered(fc.constantFrom('MIN', 'max', 'x'), maybe('COUNT', counts)),
  ),
  words(fc.constantFrom('ZUNION', 'ZINTER', 'ZDIFF'), numbered(weights, aggregate, withScores)),
  words(fc.constantFrom('ZUNIONSTORE', 'ZINTERSTORE', 'ZDIFFSTORE'), keys, numbered(weights, aggregate)),
  words('ZINTERCARD', numbered(maybe('LIMIT', counts))),
  words('ZINTERCARD', counts, keys, keys),
  words('ZRANDMEMBER', keys, fc.constantFrom('100', '0', 'x', '-9223372036854775808'), withScores),
  words('ZSCAN', 'missing', fc.constantFrom('0', 'x'), maybe('MATCH', '1*'), maybe('COUNT', counts)),
  words('SADD', 'set', several(fc.integer({ min: 0, max: 9 }).map(String))),
  words('OBJECT', 'ENCODING', keys),
  words('SET', keys, 'text'),
  words('DEL', keys),
  words('EXPIRE', keys, '1000'),
  words('TTL', keys),
  words('COPY', keys, keys, 'REPLACE'),
)
const settled: Words[] = ['a', 'b', 'c'].flatMap((key) => [
  ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
  ['OBJECT', 'ENCODING', key],
])
/** With equal scores, as ranges of bytes demand. */
const textStep: fc.Arbitrary<string[]> = fc.oneof(
  {
    weight: 6,
    arbitrary: words(
      'ZADD',
      keys,
      members.map((member) => ['0', member]),
    ),
  },
  words('ZLEXCOUNT', keys, textBounds, textBounds),
  words(fc.constantFrom('ZRANGEBYLEX', 'ZREVRANGEBYLEX'), keys, textBounds, textBounds, limit, withScores),
  words('ZRANGE', keys, textBounds, textBounds, 'BYLEX', maybe('REV'), limit, withScores),
  words('ZRANGESTORE', keys, keys, textBounds, textBounds, 'BYLEX', limit),
  words('ZREMRANGEBYLEX', keys, textBounds, textBounds),
)

for (const entries of ['4', '128']) {
  againstRedis(`sorted sets with up to ${entries} members in a listpack answer as those of redis-server 7.0`, () => {
    const pair = usePair({ settings: { 'zset-max-listpack-entries': entries, 'zset-max-listpack-value': '10' } })

    test('a score of -0 is 0 in a small sorted set, also when that grows, and stays what it is in a large one', async () => {
      const members = Array.from({ length: 130 }, (_, i) => ['1', `member:${i}`]).flat()
      await pair().same([
        ['ZADD', 'z', '-0', 'early'],
        ['ZSCORE', 'z', 'early'],
        ['ZADD', 'z', ...members],
        ['ZADD', 'z', '-0', 'late'],
        ['ZRANGE', 'z', '0', '1', 'WITHSCORES'],
        ['OBJECT', 'ENCODING', 'z'],
        ['DUMP', 'z'],
      ])
    })

    test('whatever is done to them', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (sequence) => {
          await pair().same([...sequence, ...settled])
        }),
        { numRuns: 100 },
      )
    })

    test('by bytes', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(textStep, { minLength: 1, maxLength: 60 }), async (sequence) => {
          await pair().same([...sequence, ...settled])
        }),
        { numRuns: 40 },
      )
    })
  })
}

againstRedis('sorted sets', () => {
  const pair = usePair()

  test.each([
    'ZADD',
    'ZINCRBY',
    'ZREM',
    'ZSCORE',
    'ZMSCORE',
    'ZCARD',
    'ZCOUNT',
    'ZLEXCOUNT',
    'ZRANK',
    'ZREVRANK',
    'ZRANGE',
    'ZRANGESTORE',
    'ZRANGEBYSCORE',
    'ZREVRANGEBYSCORE',
    'ZRANGEBYLEX',
    'ZREVRANGEBYLEX',
    'ZREVRANGE',
    'ZREMRANGEBYRANK',
    'ZREMRANGEBYSCORE',
    'ZREMRANGEBYLEX',
    'ZPOPMIN',
    'ZPOPMAX',
    'ZMPOP',
    'ZRANDMEMBER',
    'ZUNION',
    'ZUNIONSTORE',
    'ZINTER',
    'ZINTERSTORE',
    'ZINTERCARD',
    'ZDIFF',
    'ZDIFFSTORE',
    'ZSCAN',
  ])('%s with the wrong number or type of things is refused as by redis-server', async (name) => {
    const calls = [0, 1, 2, 3, 4, 5].flatMap((count) => [
      [name, ...['text', '1', 'text', '1', 'x'].slice(0, count)],
      [name, ...['1', 'text', 'MIN', '1', 'x'].slice(0, count)],
      [name, ...['d', '2', 'none', 'text', 'LIMIT'].slice(0, count)],
      [name, ...['none', '[a', '(b', 'LIMIT', '0'].slice(0, count)],
    ])
    await pair().same([['SET', 'text', 'v'], ...calls])
  })

  test('scores are printed as redis-server prints them, in either form', async () => {
    const numbers = [
      '-0',
      '0.1',
      '3.0',
      '1e21',
      '1e22',
      '123456789012345678',
      '4503599627370496',
      '1e-5',
      '0.0001',
      'inf',
    ]
    const adds = numbers.flatMap((score, i) => [score, `m${i}`])
    await pair().same([
      ['ZADD', 'small', ...adds],
      ['ZADD', 'large', ...adds, '1', 'x'.repeat(100)],
      ...['small', 'large'].flatMap((key) => [
        ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
        ...numbers.map((_, i) => ['ZSCORE', key, `m${i}`]),
        ['ZINCRBY', key, '0.3', 'm1'],
        ['ZADD', key, 'INCR', '-inf', 'm9'],
      ]),
      ['ZSCAN', 'small', '0'],
      ['ZSCAN', 'small', '0', 'MATCH', '*[1-3]', 'COUNT', '2'],
      ['ZSCAN', 'small', '0', 'TYPE', 'zset'],
      ['ZSCAN', 'small', '0', 'COUNT', '0'],
      ['ZSCAN', 'small', 'x'],
    ])
  })

  test('ZSCAN of a large one tells members and scores', async () => {
    const pairs = Array.from({ length: 200 }, (_, i) => [String(i / 7), `m${i}`]).flat()
    await sameInAnyOrder(
      pair(),
      [
        ['ZADD', 'k', ...pairs],
        ['ZSCAN', 'k', '0', 'COUNT', '10000'],
      ],
      2,
    )
  })

  test('sums are taken from the smallest set on', async () => {
    await pair().same([
      ['ZADD', 'a', '0.1', 'm', '1', 'x', '1', 'y'],
      ['ZADD', 'b', '0.2', 'm', '1', 'z'],
      ['ZADD', 'c', '0.3', 'm'],
      ['ZUNION', '3', 'a', 'b', 'c', 'WITHSCORES'],
      ['ZINTER', '3', 'a', 'b', 'c', 'WITHSCORES'],
    ])
  })

  test('a range may be as long as a large sorted set', async () => {
    const { engine, redis } = await pair().session()
    try {
      await engine.send('DEL', 'k')
      for (let start = 0; start < 140_000; start += 20_000) {
        await engine.send('ZADD', 'k', ...Array.from({ length: 20_000 }, (_, i) => [`${i}`, `m${start + i}`]).flat())
      }
      expect(await engine.send('ZRANGESTORE', 'd', 'k', '0', '-1')).toBe(':140000\r\n')
      expect(await engine.send('ZRANK', 'd', 'm130000')).toBe(await engine.send('ZRANK', 'k', 'm130000'))
      expect(await engine.send('ZREMRANGEBYRANK', 'k', '0', '-1')).toBe(':140000\r\n')
    } finally {
      engine.close()
      redis.close()
    }
  })

  test('a chosen member is one of them, and not twice', async () => {
    const { engine, redis } = await pair().session()
    try {
      for (const size of [20, 400]) {
        await engine.send('DEL', 'k')
        await engine.send('ZADD', 'k', ...Array.from({ length: size }, (_, i) => [String(i), `m${i}`]).flat())
        const texts = (reply: string) => [...reply.matchAll(/\r\n(m\d+)/g)].map((match) => match[1] as string)
        expect(new Set(texts(await engine.send('ZRANDMEMBER', 'k', '15'))).size).toBe(15)
        expect(texts(await engine.send('ZRANDMEMBER', 'k', '-900', 'WITHSCORES'))).toHaveLength(900)
        expect(await engine.send('ZRANDMEMBER', 'k')).toMatch(/^\$\d\d?\r\nm\d+\r\n$/)
        const seen = new Set<string>()
        let cursor = '0'
        do {
          const reply = await engine.send('ZSCAN', 'k', cursor, 'COUNT', '20')
          cursor = reply.split('\r\n')[2] as string
          for (const text of texts(reply)) seen.add(text)
        } while (cursor !== '0')
        expect(seen.size).toBe(size)
      }
    } finally {
      engine.close()
      redis.close()
    }
  })

  test('payloads of DUMP are the same bytes, and can be restored by either server from the other', async () => {
    const both = await pair().session()
    try {
      const sets = [
        ['1', 'a'],
        [
          '-0',
          '5',
          '0.1',
          '-70000',
          'inf',
          'x',
          '-inf',
          '',
          '3',
          'ü',
          '1e300',
          '12',
          '9007199254740993',
          '3',
          '123456789012345678',
          '4',
          '4611686018427387904',
          '6',
          '1e19',
          '7',
        ],
        Array.from({ length: 128 }, (_, i) => [String(i / 3), `member ${i}`]).flat(),
        Array.from({ length: 500 }, (_, i) => [String(i / 3), `member ${i}`]).flat(),
        ['-0', '5', '0.1', 'x'.repeat(65), 'inf', 'a', '-inf', 'b'],
      ]
      for (const set of sets) {
        for (const [from, to] of [
          [both.redis, both.engine],
          [both.engine, both.redis],
        ] as const) {
          for (const one of [from, to]) await one.send('FLUSHALL')
          await from.send('ZADD', 'k', ...set)
          const payload = bulkOf(await from.send('DUMP', 'k'))
          expect(await to.send('RESTORE', 'k', '0', payload)).toBe('+OK\r\n')
          for (const query of [
            ['ZRANGE', 'k', '0', '-1', 'WITHSCORES'],
            ['OBJECT', 'ENCODING', 'k'],
            ['ZSCORE', 'k', 'x'.repeat(65)],
          ]) {
            expect(await to.send(...query)).toBe(await from.send(...query))
          }
          expect(bulkOf(await to.send('DUMP', 'k'))).toEqual(payload)
        }
      }
    } finally {
      both.engine.close()
      both.redis.close()
    }
  })

  test('old forms are read: scores as text, ziplists; damaged ones are refused', async () => {
    const text = (value: string) => [value.length, ...Buffer.from(value)]
    const ziplist = [
      ...[0, 0, 0, 0, 0, 0, 0, 0, 4, 0],
      ...[0, 1, 97, 3, 0xfe, 1, 3, 2, 98, 98, 4, 3, 0x32, 0x2e, 0x35, 0xff],
    ]
    ziplist[0] = ziplist.length
    ziplist[4] = ziplist.length - 6
    const payloads = [
      [3, 3, ...text('a'), ...text('1.5'), ...text('b'), 254, ...text('c'), 255],
      [12, ziplist.length, ...ziplist],
      [3, 1, ...text('a'), 253],
      [5, 0],
      [5, 2, ...text('a'), ...[0, 0, 0, 0, 0, 0, 0, 0], ...text('a'), ...[0, 0, 0, 0, 0, 0, 0, 0]],
      [17, 7, 7, 0, 0, 0, 0, 0, 255],
      [17, 3, 1, 2, 3],
    ].map((bytes) => sealed(Buffer.from(bytes)))
    await pair().same(
      payloads.flatMap((payload, i) => [
        ['RESTORE', `k${i}`, '0', payload],
        ['ZRANGE', `k${i}`, '0', '-1', 'WITHSCORES'],
        ['OBJECT', 'ENCODING', `k${i}`],
      ]),
    )
  })
})
