import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bulkOf, sameInAnyOrder, sealed, sortElements } from '../testing/aggregates.ts'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

const keys = fc.constantFrom('a', 'b', 'c', 'd')
const members = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 12 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('70000', '-3', '9223372036854775807', '-9223372036854775808') },
  { weight: 1, arbitrary: fc.constantFrom('', 'x', 'y', '01', '9223372036854775808', 'ü') },
)
const counts = fc.oneof(
  fc.constantFrom('100', '1000', '0'),
  fc.constantFrom('', 'x', '1.5', '9223372036854775808', '-9223372036854775808'),
)
const words = (...parts: (string | fc.Arbitrary<string> | fc.Arbitrary<string[]>)[]): fc.Arbitrary<string[]> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((tuple) => tuple.flat())
const several = (one: fc.Arbitrary<string>, maxLength = 4) => fc.array(one, { minLength: 1, maxLength })

const step: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 5, arbitrary: words('SADD', keys, several(members)) },
  { weight: 2, arbitrary: words('SREM', keys, several(members)) },
  words('SMOVE', keys, keys, members),
  words('SISMEMBER', keys, members),
  words('SMISMEMBER', keys, several(members)),
  words('SMEMBERS', keys),
  words('SCARD', keys),
  words(fc.constantFrom('SINTER', 'SUNION', 'SDIFF'), several(keys)),
  words(fc.constantFrom('SINTERSTORE', 'SUNIONSTORE', 'SDIFFSTORE'), keys, several(keys)),
  words('SINTERCARD', fc.constantFrom('1', '2', '0', 'x', '3'), several(keys, 3)),
  words(
    'SINTERCARD',
    '2',
    keys,
    keys,
    fc.constantFrom('LIMIT', 'limit', 'x'),
    fc.constantFrom('0', '1', '2', '-1', 'x'),
  ),
  words('SSCAN', keys, fc.constantFrom('0', 'x', ''), 'COUNT', fc.constantFrom('1000', '0', 'x')),
  words('SSCAN', keys, '0', fc.constantFrom('MATCH', 'TYPE'), fc.constantFrom('1*', '*'), 'COUNT', '1000'),
  words('SPOP', keys, counts),
  words('SPOP', keys, '-1'),
  words('SRANDMEMBER', keys, counts),
  words('OBJECT', 'ENCODING', keys),
  words('SET', keys, 'text'),
  words('DEL', keys),
  words('EXPIRE', keys, '1000'),
  words('TTL', keys),
  words('TYPE', keys),
  words('COPY', keys, keys, 'REPLACE'),
)
const settled: Words[] = ['a', 'b', 'c', 'd'].flatMap((key) => [
  ['SMEMBERS', key],
  ['OBJECT', 'ENCODING', key],
])

againstRedis('sets answer as those of redis-server 7.0', () => {
  const pair = usePair({ settings: { 'set-max-intset-entries': '6' } })

  test('whatever is done to them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (sequence) => {
        await sameInAnyOrder(pair(), [...sequence, ...settled])
      }),
      { numRuns: 60 },
    )
  })

  test('members of intsets come in ascending order', async () => {
    await pair().same([
      ['SADD', 'a', '5', '-70000', '3', '9223372036854775807', '1'],
      ['SADD', 'b', '3', '5', '4'],
      ['SMEMBERS', 'a'],
      ['SINTER', 'a', 'b'],
      ['SUNION', 'a', 'b'],
      ['SDIFF', 'a', 'b'],
      ['SSCAN', 'a', '0'],
      ['SPOP', 'a', '10'],
      ['SRANDMEMBER', 'b', '3'],
    ])
  })

  test.each([
    'SADD',
    'SREM',
    'SMEMBERS',
    'SISMEMBER',
    'SMISMEMBER',
    'SCARD',
    'SPOP',
    'SRANDMEMBER',
    'SMOVE',
    'SINTER',
    'SINTERSTORE',
    'SINTERCARD',
    'SUNION',
    'SUNIONSTORE',
    'SDIFF',
    'SDIFFSTORE',
    'SSCAN',
  ])('%s with the wrong number or type of things', async (name) => {
    const calls = [0, 1, 2, 3, 4].map((count) => [name, ...['text', '1', 'text', 'x'].slice(0, count)])
    await pair().same([
      ['SET', 'text', 'v'],
      ['SADD', 'set', '1'],
      ...calls,
      [name, 'set', 'text', '1'],
      [name, '2', 'set', 'text'],
    ])
  })

  test('a chosen member leaves its set, and others stay', async () => {
    const { engine, redis } = await pair().session()
    try {
      for (const prefix of ['', 'word']) {
        const all = Array.from({ length: prefix === '' ? 6 : 300 }, (_, i) => `${prefix}${i}`)
        await engine.send('DEL', 'k')
        await engine.send('SADD', 'k', ...all)
        const texts = (reply: string) => [...reply.matchAll(/\$\d+\r\n(\w+)/g)].map((match) => match[1] as string)
        const some = texts(await engine.send('SRANDMEMBER', 'k', '4'))
        expect(new Set(some).size).toBe(4)
        expect(texts(await engine.send('SRANDMEMBER', 'k', '-400'))).toHaveLength(400)
        const gone = [...texts(await engine.send('SPOP', 'k', '3')), ...texts(await engine.send('SPOP', 'k'))]
        expect(new Set(gone).size).toBe(4)
        const left = texts(await engine.send('SMEMBERS', 'k'))
        expect([...left, ...gone].sort()).toEqual([...all].sort())
      }
    } finally {
      engine.close()
      redis.close()
    }
  })

  test('SSCAN of a large set meets every member while others come and go', async () => {
    const { engine, redis } = await pair().session()
    try {
      const stays = Array.from({ length: 500 }, (_, i) => `stays${i}`)
      await engine.send('DEL', 'k')
      await engine.send('SADD', 'k', ...stays, ...Array.from({ length: 500 }, (_, i) => `goes${i}`))
      const seen = new Set<string>()
      let cursor = '0'
      let calls = 0
      do {
        const reply = (await engine.send('SSCAN', 'k', cursor, 'COUNT', '20')).split('\r\n')
        cursor = reply[2] as string
        for (const line of reply) if (line.startsWith('stays')) seen.add(line)
        await engine.send('SREM', 'k', ...Array.from({ length: 20 }, (_, i) => `goes${calls * 20 + i}`))
        await engine.send('SADD', 'k', `new${calls++}`)
      } while (cursor !== '0')
      expect(calls).toBeGreaterThan(10)
      expect(seen.size).toBe(stays.length)
    } finally {
      engine.close()
      redis.close()
    }
  })

  test('payloads of DUMP can be restored by either server from the other', async () => {
    const both = await pair().session()
    try {
      const sets = [['1'], ['1', '-40000', '3'], ['9223372036854775807', '5'], ['x'], ['1', 'x', '', 'y'.repeat(100)]]
      sets.push(
        Array.from({ length: 7 }, (_, i) => `${i}`),
        Array.from({ length: 2000 }, (_, i) => `member${i}`),
      )
      for (const set of sets) {
        for (const [from, to] of [
          [both.redis, both.engine],
          [both.engine, both.redis],
        ] as const) {
          for (const one of [from, to]) await one.send('FLUSHALL')
          await from.send('SADD', 'k', ...set)
          const payload = bulkOf(await from.send('DUMP', 'k'))
          expect(await to.send('RESTORE', 'k', '0', payload)).toBe('+OK\r\n')
          for (const query of [
            ['SMEMBERS', 'k'],
            ['OBJECT', 'ENCODING', 'k'],
          ]) {
            expect(sortElements(await to.send(...query))).toBe(sortElements(await from.send(...query)))
          }
          if (set.length < 7 && !set.includes('x')) expect(bulkOf(await to.send('DUMP', 'k'))).toEqual(payload)
        }
      }
    } finally {
      both.engine.close()
      both.redis.close()
    }
  })

  test('damaged payloads are refused', async () => {
    const payloads = [
      [2, 0],
      [2, 2, 1, 120, 1, 120],
      [11, 8, 2, 0, 0, 0, 0, 0, 0, 0],
      [11, 3, 1, 2, 3],
    ].map((bytes) => sealed(Buffer.from(bytes)))
    await pair().same(payloads.map((payload) => ['RESTORE', 'k', '0', payload]))
  })
})
