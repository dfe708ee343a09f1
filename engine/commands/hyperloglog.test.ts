import fc from 'fast-check'
import { test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

const keys = fc.constantFrom('a', 'b', 'c')
const words = (...parts: (string | fc.Arbitrary<string> | fc.Arbitrary<string[]>)[]): fc.Arbitrary<string[]> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((tuple) => tuple.flat())
const elements = fc.oneof(
  fc.integer({ min: 0, max: 2000 }).map(String),
  fc.string({ maxLength: 40 }),
  fc.constantFrom('', '1', '12345678', '123456789012345'),
)
/** So many that the sparse form grows, merges runs and ends. */
const manyElements = fc
  .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 400 }))
  .map(([first, count]) => Array.from({ length: count }, (_, i) => `e${first * 37 + i}`))

const step: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 4, arbitrary: words('PFADD', keys, fc.array(elements, { maxLength: 5 })) },
  { weight: 3, arbitrary: words('PFADD', keys, manyElements) },
  { weight: 2, arbitrary: words('PFCOUNT', keys) },
  words('PFCOUNT', fc.array(keys, { minLength: 1, maxLength: 3 })),
  { weight: 2, arbitrary: words('PFMERGE', keys, fc.array(keys, { maxLength: 3 })) },
  words('PFDEBUG', fc.constantFrom('ENCODING', 'encoding', 'TODENSE', 'DECODE', 'x'), keys),
  words('OBJECT', 'ENCODING', keys),
  words('EXPIRE', keys, '1000'),
  words('TTL', keys),
  words('DEL', keys),
  words('COPY', keys, keys, 'REPLACE'),
  words('CONFIG', 'SET', 'hll-sparse-max-bytes', fc.constantFrom('3000', '100', '0', '16000')),
)
const settled: Words[] = ['a', 'b', 'c'].flatMap((key) => [
  ['GET', key],
  ['OBJECT', 'ENCODING', key],
  ['PFCOUNT', key],
  ['GET', key],
])

againstRedis('HyperLogLogs as in redis-server 7.0', () => {
  const pair = usePair({ settings: { 'notify-keyspace-events': '' } })

  test('the same bytes whatever is done to them', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (commands) => {
        // As by default also for the next test: where sparse ones may grow, each addition takes longer and longer.
        const byDefault = ['CONFIG', 'SET', 'hll-sparse-max-bytes', '3000']
        await pair().same([byDefault, ...commands, ...settled, byDefault])
      }),
      { numRuns: 60 },
    ))

  test('a hundred thousand elements are counted the same on their way from sparse to dense', async () => {
    const adds = Array.from({ length: 100 }, (_, i) => [
      ['PFADD', 'k', ...Array.from({ length: 1000 }, (_, j) => `element:${i * 1000 + j}`)],
      ['PFCOUNT', 'k'],
    ]).flat()
    await pair().same([...adds, ['GET', 'k'], ['PFADD', 'other', 'x'], ['PFCOUNT', 'k', 'other', 'none']])
  })

  test('registers can be read, which makes a sparse one dense', async () => {
    await pair().same([
      ['PFADD', 'k', 'a', 'b', 'c'],
      ['PFDEBUG', 'DECODE', 'k'],
      ['PFDEBUG', 'GETREG', 'k'],
      ['PFDEBUG', 'ENCODING', 'k'],
      ['PFDEBUG', 'DECODE', 'k'],
      ['PFDEBUG', 'TODENSE', 'k'],
      ['GET', 'k'],
      ['PFSELFTEST'],
    ])
  })

  test('what is no HyperLogLog, or a damaged one, is refused', async () => {
    const header = (encoding: number) => Buffer.from([...Buffer.from('HYLL'), encoding, ...new Uint8Array(10), 0x80])
    const texts = [
      Buffer.from('12'),
      Buffer.from('HYLL'),
      header(1),
      header(0),
      header(2),
      Buffer.concat([header(1), Buffer.from([0x7f, 0xfe])]),
      Buffer.concat([header(1), Buffer.from([0x7f, 0xff, 0x00])]),
      Buffer.concat([header(1), Buffer.from([0x7f, 0xfe, 0x83])]),
      Buffer.concat([header(1), Buffer.from([0x7f, 0xff, 0x83])]),
      Buffer.concat([header(0), Buffer.alloc(12288)]),
      Buffer.concat([header(0), Buffer.alloc(12288, 0xff)]),
    ]
    await pair().same([
      ...texts.flatMap((text): Words[] => [
        ['SET', 'k', text],
        ['PFCOUNT', 'k'],
        ['PFCOUNT', 'k', 'none'],
        ['PFMERGE', 'd', 'k'],
        ['PFADD', 'k', 'a', 'b'],
        ['GET', 'k'],
        ['OBJECT', 'ENCODING', 'k'],
        ['PFDEBUG', 'DECODE', 'k'],
        ['PFDEBUG', 'TODENSE', 'k'],
      ]),
      // Where a run is cut off Redis reads what lies behind the string: only what it refuses can be compared.
      ['SET', 'k', Buffer.concat([header(1), Buffer.from([0x7f])])],
      ['PFCOUNT', 'k'],
      ['PFMERGE', 'd', 'k'],
      ['PFADD', 'k', 'a', 'b'],
      ['RPUSH', 'l', '1'],
      ['PFADD', 'l', 'a'],
      ['PFCOUNT', 'l'],
      ['PFCOUNT', 'none', 'l'],
      ['PFMERGE', 'l'],
      ['PFMERGE', 'd', 'l'],
      ['PFDEBUG', 'ENCODING', 'l'],
      ['PFDEBUG', 'ENCODING', 'none'],
      ['PFDEBUG', 'ENCODING'],
      ['PFADD'],
      ['PFADD', 'e'],
      ['PFADD', 'e'],
      ['PFMERGE', 'f'],
      ['PFCOUNT'],
    ])
  })

  test('PFCOUNT that keeps its result ends a transaction that watches the key', async () => {
    await pair().same([
      ['PFADD', 'k', 'a'],
      ['WATCH', 'k'],
      ['PFCOUNT', 'k'],
      ['MULTI'],
      ['PING'],
      ['EXEC'],
      ['WATCH', 'k'],
      ['PFCOUNT', 'k'],
      ['MULTI'],
      ['PING'],
      ['EXEC'],
    ])
  })
})
