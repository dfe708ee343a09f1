import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sameInAnyOrder } from '../testing/aggregates.ts'
import { againstRedis, RawConnection, startEngine, usePair, type Words } from '../testing/differential.ts'

type Part = string | fc.Arbitrary<string> | fc.Arbitrary<string[]>
const words = (...parts: Part[]): fc.Arbitrary<string[]> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((tuple) => tuple.flat())
const some = <T>(one: fc.Arbitrary<T>, maxLength = 4) => fc.array(one, { minLength: 1, maxLength })

const keys = fc.constantFrom('list', 'set', 'sorted', 'text', 'none')
const elements = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 12 }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('1.5', '-3', ' 7', '0x10', '1e3', '', 'a', 'B', 'ü', 'inf', 'nan', '2 ', '10\0x'),
  },
)
/** Enough equal weights for partial sorting to show its order. */
const weights = fc.oneof(fc.constantFrom('1', '2', '3'), fc.constantFrom('x', 'y', '', '-1.5', '1e999'))
const patterns = fc.constantFrom(
  'w_*',
  'w_*x',
  'h_*->f',
  'h_*->g',
  'h_*->',
  '#',
  'constant',
  'n_*',
  '*',
  'w_*_*',
  'list*',
)
const bounds = fc.constantFrom('0', '1', '2', '5', '-1', '-3', '100', 'x')
const option = fc.oneof(
  words(fc.constantFrom('ASC', 'DESC', 'desc')),
  { weight: 2, arbitrary: words(fc.constantFrom('ALPHA', 'alpha')) },
  words('LIMIT', bounds, bounds),
  words('BY', patterns),
  words('GET', patterns),
  words('STORE', fc.constantFrom('d', 'list', 'set')),
  fc.constantFrom<string[]>(['x'], ['LIMIT', '1'], ['BY'], ['GET'], ['STORE']),
)
const options = fc.array(option, { maxLength: 4 }).map((parts) => parts.flat())

const step: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 5, arbitrary: words('RPUSH', 'list', some(elements, 12)) },
  words('SADD', 'set', some(elements, 12)),
  words('ZADD', 'sorted', fc.constantFrom('1', '2'), elements),
  {
    weight: 3,
    arbitrary: words(
      'SET',
      fc.integer({ min: 0, max: 12 }).map((i) => `w_${i}`),
      weights,
    ),
  },
  words(
    'HSET',
    fc.integer({ min: 0, max: 12 }).map((i) => `h_${i}`),
    fc.constantFrom('f', 'g'),
    weights,
  ),
  { weight: 6, arbitrary: words('SORT', 'list', options) },
  words('SORT', keys, options, fc.constantFrom('ALPHA', 'DESC')),
  words('SORT_RO', 'list', options),
  words('SORT', 'sorted', 'BY', 'nosort', options),
  words('LRANGE', 'd', '0', '-1'),
  words('OBJECT', 'ENCODING', 'sorted'),
  words('SET', 'text', 'x'),
  words('DEL', keys),
)

/** Without an order of their own the members of sets come as the hash table has them. */
const isOrdered = (command: string[]): boolean => {
  const text = command.map((word) => word.toLowerCase())
  if (!text[0]?.startsWith('sort')) return true
  if (text[1] === 'list') return true
  const by = text.indexOf('by')
  if (text[1] === 'sorted' && text.includes('nosort')) return by === text.lastIndexOf('by')
  return by < 0
}

againstRedis('SORT as in redis-server 7.0', () => {
  const pair = usePair({ settings: { 'notify-keyspace-events': '' } })

  test('any sequence of commands', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (commands) => {
        await pair().same([...commands.filter(isOrdered), ['LRANGE', 'd', '0', '-1'], ['TTL', 'd']])
      }),
      { numRuns: 200 },
    ))

  test('of many equal weights the same come first', async () => {
    const weightsOf = Array.from({ length: 300 }, (_, i) => [`w_${i}`, String(i % 7)]).flat()
    const limits = [1, 2, 10, 100, 299, 300].flatMap((count) => [
      ['0', String(count)],
      ['50', String(count)],
    ])
    await pair().same([
      ['RPUSH', 'list', ...Array.from({ length: 300 }, (_, i) => String((i * 7) % 300))],
      ['MSET', ...weightsOf],
      ...limits.flatMap(([offset = '', count = '']): Words[] => [
        ['SORT', 'list', 'BY', 'w_*', 'LIMIT', offset, count, 'ALPHA'],
        ['SORT', 'list', 'BY', 'w_*', 'LIMIT', offset, count, 'DESC'],
        ['SORT', 'list', 'LIMIT', offset, count, 'ALPHA'],
      ]),
    ])
  })

  test('sets keep their order when told so, and are sorted to be stored', async () => {
    const members = Array.from({ length: 30 }, (_, i) => `m${i}`)
    await sameInAnyOrder(pair(), [
      ['SADD', 'set', ...members],
      ['SORT', 'set', 'BY', 'nosort'],
      ['SORT', 'set', 'BY', 'nosort', 'GET', '#'],
    ])
    await pair().same([
      ['SADD', 'set', ...members],
      ['SORT', 'set', 'BY', 'nosort', 'STORE', 'd'],
      ['LRANGE', 'd', '0', '-1'],
      ['SORT', 'set'],
      ['SORT', 'set', 'STORE', 'd'],
      ['EXISTS', 'd'],
      ['EXPIRE', 'd', '100'],
      ['SORT', 'none', 'STORE', 'd'],
      ['EXISTS', 'd'],
      ['ZADD', 'z', '1', 'b', '2', 'a'],
      ['SORT', 'z', 'ALPHA'],
      ['OBJECT', 'ENCODING', 'z'],
      ['COMMAND', 'GETKEYS', 'SORT', 'a', 'BY', 'store', 'STORE', 'b', 'STORE', 'c'],
      ['COMMAND', 'GETKEYSANDFLAGS', 'SORT', 'a', 'LIMIT', '1', '2', 'STORE', 'c'],
      ['COMMAND', 'GETKEYSANDFLAGS', 'SORT_RO', 'a', 'STORE', 'c'],
      ['COMMAND', 'GETKEYSANDFLAGS', 'MIGRATE', 'h', '1', '', '0', '1', 'KEYS', 'a', 'b'],
    ])
  })
})

againstRedis('SORT of what no argument names', () => {
  const pair = usePair()

  test('BY and GET need a user who may read every key', async () => {
    const sorts = [
      ['SORT', 'l', 'BY', 'w_*', 'GET', '#'],
      ['SORT', 'l', 'GET', '#', 'BY', 'w_*'],
      ['SORT', 'l', 'BY', 'w_*'],
      ['SORT_RO', 'l', 'BY', 'w_*'],
      ['SORT', 'l', 'BY', 'nosort'],
      ['SORT', 'l', 'BY', 'nosort', 'GET', '#'],
      ['SORT', 'l', 'GET', '#', 'STORE', 'l2'],
      ['SORT', 'l', 'GET', '#', 'nosuch'],
      ['EVAL', "return redis.pcall('SORT', 'l', 'BY', 'w_*')", '1', 'l'],
      ['EVAL', "return redis.pcall('SORT', 'l', 'GET', 'w_*')", '1', 'l'],
      ['MULTI'],
      ['SORT', 'l', 'GET', 'w_*'],
      ['EXEC'],
    ]
    const rules = [
      ['~l*'],
      ['~*'],
      ['%R~*'],
      ['%R~*', '%W~l2'],
      ['%W~*', '%R~l'],
      ['~l', '(+@all ~*)'],
      ['~l', '(-@all ~*)'],
      ['~**'],
      ['~l', '(+sort %R~* %W~l2)'],
    ]
    await pair().same(
      rules.flatMap((some, i) => [
        ['AUTH', 'default', ''],
        ['DEL', 'l', 'l2'],
        ['RPUSH', 'l', '3', '1', '2'],
        ['MSET', 'w_1', '3', 'w_2', '2', 'w_3', '1'],
        ['ACL', 'SETUSER', `u${i}`, 'reset', 'on', 'nopass', '+@all', ...some],
        ['AUTH', `u${i}`, ''],
        ...sorts,
      ]),
    )
  })

  test('a script gets sets sorted when it asks for no order', async () => {
    const asked = [
      "return redis.call('SORT', KEYS[1], 'BY', 'nosort')",
      "return redis.call('SORT', KEYS[1], 'BY', 'nosort', 'DESC', 'LIMIT', '1', '3')",
      "return redis.call('SORT_RO', KEYS[1], 'BY', 'nosort', 'GET', '#', 'GET', 'w_*')",
    ]
    await pair().same([
      ['SADD', 's', ...'qwertzuiopasdfghjklyxcvbnm'],
      ['RPUSH', 'l', ...'qwertz'],
      ['SET', 'w_a', '1'],
      ...asked.flatMap((script) => ['s', 'l'].map((key) => ['EVAL', script, '1', key])),
    ])
  })
})

test('in a cluster SORT looks at no other keys', async () => {
  const engine = await startEngine({ 'cluster-enabled': 'yes', save: '' })
  const client = await RawConnection.open(engine.port)
  try {
    await client.send('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    while (!(await client.send('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(await client.send('SORT', 'l', 'BY', 'w_*')).toBe('-ERR BY option of SORT denied in cluster mode.\r\n')
    expect(await client.send('SORT', 'l', 'GET', '#')).toBe('-ERR GET option of SORT denied in cluster mode.\r\n')
    expect(await client.send('SORT', 'l', 'BY', 'nosort')).toBe('*0\r\n')
    expect(await client.send('SORT', 'l', 'STORE', 'd')).toMatch(/^-CROSSSLOT/)
  } finally {
    client.close()
    engine.stop()
  }
})
