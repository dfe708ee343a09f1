import fc from 'fast-check'
import { test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

const MAX = '9223372036854775807'
const MIN = '-9223372036854775808'

againstRedis('list commands answer as redis-server 7.0 does', () => {
  const pair = usePair()

  test('ends, ranges and positions', async () => {
    const ranges = ['0 -1', '1 2', '-3 -2', '3 1', '100 200', '-100 100', `${MIN} ${MAX}`, 'a 1', '1 a']
    const options = [
      'RANK 2',
      'RANK -1',
      'COUNT 0',
      'COUNT 2',
      'RANK -2 COUNT 2',
      'MAXLEN 2',
      'COUNT 0 MAXLEN 3',
      'MAXLEN 0',
    ]
    const wrong = ['RANK 0', 'RANK', 'RANK a', 'COUNT -1', 'MAXLEN -1', 'FOO 1', 'COUNT 1 FOO', `RANK ${MAX}`]
    await pair().same([
      ['RPUSH', 'l', 'a', 'b', 'c', 'b', '5', '-300', '99999999999999999', ''],
      ['LPUSH', 'l', 'x', 'y'],
      ['LPUSHX', 'l', 'z'],
      ['RPUSHX', 'none', 'z'],
      ['LPUSHX', 'none', 'z'],
      ['LLEN', 'l'],
      ['LLEN', 'none'],
      ['TYPE', 'l'],
      ...ranges.map((range) => ['LRANGE', 'l', ...range.split(' ')]),
      ...ranges.map((range) => ['LRANGE', 'none', ...range.split(' ')]),
      ...['0', '-1', '3', '100', '-100', MAX, 'a'].flatMap((index) => [
        ['LINDEX', 'l', index],
        ['LINDEX', 'none', index],
        ['LSET', 'l', index, `at ${index}`],
        ['LSET', 'none', index, 'x'],
      ]),
      ...[...options, ...wrong].flatMap((text) => [
        ['LPOS', 'l', 'b', ...text.split(' ')],
        ['LPOS', 'none', 'b', ...text.split(' ')],
      ]),
      ['LPOS', 'l', 'b'],
      ['LPOS', 'l', 'nowhere'],
      ['LPOS', 'l', 'b', 'RANK', '-9223372036854775808', 'COUNT', '0'],
      ['LPOS', 'l', 'b', 'RANK', '-9223372036854775807', 'COUNT', '0'],
      ['LINSERT', 'l', 'BEFORE', 'b', 'new'],
      ['LINSERT', 'l', 'after', 'b', 'newer'],
      ['LINSERT', 'l', 'AFTER', 'nowhere', 'x'],
      ['LINSERT', 'none', 'AFTER', 'b', 'x'],
      ['LINSERT', 'l', 'BESIDE', 'b', 'x'],
      ['LRANGE', 'l', '0', '-1'],
      ...['0', '1', '-1', '5', 'a'].map((count) => ['LREM', 'l', count, 'b']),
      ['LREM', 'none', '0', 'b'],
      ['LRANGE', 'l', '0', '-1'],
      ...ranges.map((range) => ['LTRIM', 'none', ...range.split(' ')]),
      ['LTRIM', 'l', '1', '-2'],
      ['LRANGE', 'l', '0', '-1'],
      ['LTRIM', 'l', '5', '1'],
      ['EXISTS', 'l'],
      ['RPUSH', 'm', 'a', 'a'],
      ['LREM', 'm', '0', 'a'],
      ['EXISTS', 'm'],
    ])
  })

  test('taking out and moving', async () => {
    await pair().same([
      ['RPUSH', 'l', '1', '2', '3', '4', '5', '6', '7', '8'],
      ['LPOP', 'l'],
      ['RPOP', 'l'],
      ['LPOP', 'l', '2'],
      ['RPOP', 'l', '0'],
      ['LPOP', 'none'],
      ['LPOP', 'none', '0'],
      ['RPOP', 'none', '1'],
      ['LPOP', 'l', '-1'],
      ['LPOP', 'l', 'a'],
      ['LPOP', 'l', '1', '2'],
      ['LMOVE', 'l', 'm', 'LEFT', 'right'],
      ['LMOVE', 'l', 'l', 'LEFT', 'RIGHT'],
      ['LMOVE', 'l', 'm', 'UP', 'RIGHT'],
      ['LMOVE', 'l', 'm', 'LEFT', 'UP'],
      ['LMOVE', 'none', 'm', 'LEFT', 'LEFT'],
      ['RPOPLPUSH', 'l', 'm'],
      ['RPOPLPUSH', 'none', 'm'],
      ['LRANGE', 'm', '0', '-1'],
      ['LRANGE', 'l', '0', '-1'],
      ['LMPOP', '2', 'none', 'm', 'LEFT'],
      ['LMPOP', '2', 'none', 'l', 'RIGHT', 'COUNT', '10'],
      ['EXISTS', 'l'],
      ['LMPOP', '1', 'l', 'LEFT'],
      ...[
        '0 l LEFT',
        'a l LEFT',
        '1 l',
        '2 l LEFT',
        '1 l LEFT COUNT',
        '1 l LEFT COUNT 0',
        '1 l LEFT COUNT a',
        '1 l LEFT FOO',
        '1 l LEFT COUNT 1 COUNT 1',
      ].map((text) => ['LMPOP', ...text.split(' ')]),
      ['RPUSH', 'one', '1'],
      ['LMOVE', 'one', 'one', 'LEFT', 'LEFT'],
      ['LRANGE', 'one', '0', '-1'],
      ['LPOP', 'one', '5'],
      ['EXISTS', 'one'],
    ])
  })

  test('commands that wait do not when there is something, nor in a transaction', async () => {
    const timeouts = ['-1', 'a', '', 'inf', 'nan', '1e30', '-0.5', '9223372036854776', ' 1', '0x1']
    await pair().same([
      ['RPUSH', 'l', '1', '2', '3', '4', '5', '6', '7', '8'],
      ['BLPOP', 'none', 'l', '0'],
      ['BRPOP', 'l', 'none', '1.5'],
      ['BLMOVE', 'l', 'm', 'LEFT', 'RIGHT', '0'],
      ['BRPOPLPUSH', 'l', 'm', '0'],
      ['BLMPOP', '0', '2', 'none', 'l', 'LEFT'],
      ['BLMPOP', '0', '2', 'none', 'l', 'LEFT', 'COUNT', '2'],
      ['LRANGE', 'm', '0', '-1'],
      ...timeouts
        .filter((timeout) => timeout !== '0x1')
        .flatMap((timeout) => [
          ['BLPOP', 'none', timeout],
          ['BLMOVE', 'none', 'm', 'LEFT', 'LEFT', timeout],
          ['BRPOPLPUSH', 'none', 'm', timeout],
          ['BLMPOP', timeout, '1', 'none', 'LEFT'],
        ]),
      ['BLMPOP', '0', '0', 'l', 'LEFT'],
      ['BLMPOP', 'a', '0', 'l', 'LEFT'],
      ['BLMPOP', '0', '1', 'l', 'UP'],
      ['BLMOVE', 'l', 'm', 'UP', 'LEFT', 'a'],
      ['MULTI'],
      ['BLPOP', 'none', '0'],
      ['BRPOP', 'none', 'l', '0'],
      ['BLMOVE', 'none', 'm', 'LEFT', 'LEFT', '0'],
      ['BRPOPLPUSH', 'none', 'm', '0'],
      ['BLMPOP', '0', '1', 'none', 'LEFT'],
      ['EXEC'],
      ['BLPOP', 'none', '0.01'],
      ['BLMOVE', 'none', 'm', 'LEFT', 'LEFT', '0.01'],
      ['BRPOPLPUSH', 'none', 'm', '0.01'],
      ['BLMPOP', '0.01', '1', 'none', 'LEFT'],
    ])
  })

  test('wrong types and wrong numbers of arguments', async () => {
    const commands: string[][] = [
      ...['LPUSH', 'RPUSH', 'LPUSHX', 'RPUSHX', 'LINDEX', 'LPOS'].map((name) => [name, 's', '1']),
      ...['LPOP', 'RPOP', 'LLEN'].map((name) => [name, 's']),
      ['LPOP', 's', '1'],
      ['LSET', 's', '0', 'v'],
      ['LSET', 's', 'a', 'v'],
      ['LINSERT', 's', 'BEFORE', 'a', 'b'],
      ['LRANGE', 's', '0', '1'],
      ['LTRIM', 's', '0', '1'],
      ['LREM', 's', '0', '1'],
      ['LMOVE', 's', 'l', 'LEFT', 'LEFT'],
      ['LMOVE', 'l', 's', 'LEFT', 'LEFT'],
      ['RPOPLPUSH', 's', 'l'],
      ['RPOPLPUSH', 'l', 's'],
      ['LMPOP', '2', 's', 'l', 'LEFT'],
      ['BLPOP', 's', 'l', '0'],
      ['BRPOP', 'none', 's', '0'],
      ['BLMOVE', 's', 'l', 'LEFT', 'LEFT', '0'],
      ['BLMOVE', 'l', 's', 'LEFT', 'LEFT', '0'],
      ['BRPOPLPUSH', 'l', 's', '0'],
      ['BLMPOP', '0', '1', 's', 'LEFT'],
    ]
    await pair().same([
      ['SET', 's', 'v'],
      ['RPUSH', 'l', 'a', 'b'],
      ...commands,
      ...commands.map((words) => words.slice(0, 1)),
      ['LRANGE', 'l', '0', '-1'],
      ['GET', 'l'],
      ['INCR', 'l'],
      ['SETRANGE', 'l', '0', 'a'],
    ])
  })

  test('any sequence of commands', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 20, maxLength: 100, size: 'max' }), async (commands) => {
        await pair().same(commands)
      }),
      { numRuns: 40 },
    )
  })
})

againstRedis('lists lie in nodes as those of redis-server 7.0 do', () => {
  const pair = usePair()

  test.each(['-2', '-1', '-5', '-9', '3', '1', '0', '128'])('with list-max-listpack-size %s', async (fill) => {
    await pair().same([['CONFIG', 'SET', 'list-max-listpack-size', fill]])
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 20, maxLength: 100, size: 'max' }), async (commands) => {
        const dumps: Words[] = ['a', 'b', 's'].flatMap((name) => [
          ['OBJECT', 'ENCODING', name],
          ['DUMP', name],
        ])
        await pair().same([...commands, ...dumps])
      }),
      { numRuns: 12 },
    )
  })

  /** An element before `p` cuts the node in two, which merge again while both fit in one node. */
  test.each([
    ['-1', 4096],
    ['128', 8192],
  ])('byte by byte around the limit of a node, with list-max-listpack-size %s', async (fill, limit) => {
    const half = 'x'.repeat(limit / 2)
    const commands = Array.from({ length: 80 }, (_, i): Words[] => [
      ['DEL', 'l'],
      ['RPUSH', 'l', 'a', 'p', half],
      ['LINSERT', 'l', 'BEFORE', 'p', 'y'.repeat(limit / 2 - 60 + i)],
      ['DUMP', 'l'],
      ['RPUSH', 'l', 'z'],
      ['DUMP', 'l'],
    ])
    await pair().same([['CONFIG', 'SET', 'list-max-listpack-size', fill], ...commands.flat()])
  })

  /** Without compression by the file, the bytes show which nodes were compressed before. */
  test.each([
    ['1', '3', 'no'],
    ['1', '-1', 'no'],
    ['2', '1', 'no'],
    ['3', '2', 'yes'],
    ['70000', '4', 'no'],
  ])('compressed from depth %s on, with list-max-listpack-size %s, rdbcompression %s', async (depth, fill, files) => {
    const settings = ['list-compress-depth', depth, 'list-max-listpack-size', fill, 'rdbcompression', files]
    await pair().same([['CONFIG', 'SET', ...settings]])
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 20, maxLength: 100, size: 'max' }), async (commands) => {
        const looks: Words[] = ['a', 'b', 's'].flatMap((name) => [
          // Makes Redis compress nodes that became worth it.
          ['LRANGE', name, '0', '-1'],
          ['DUMP', name],
          ['DEBUG', 'OBJECT', name],
          ['DEBUG', 'DIGEST-VALUE', name],
        ])
        await pair().same([...commands, ...looks], [addresses])
      }),
      { numRuns: 30 },
    )
  })

  test('a list keeps the settings that it was made with; SORT makes one without them', async () => {
    const elements = Array.from({ length: 40 }, (_, i) => `${i}`.repeat(30))
    const looks = ['l', 'copy', 'moved', 'sorted'].map((name) => ['DEBUG', 'OBJECT', name])
    await pair().same(
      [
        ['CONFIG', 'SET', 'list-compress-depth', '2', 'list-max-listpack-size', '4'],
        ['RPUSH', 'l', ...elements],
        ['CONFIG', 'SET', 'list-compress-depth', '0', 'list-max-listpack-size', '100000'],
        ['RPUSH', 'l', ...elements],
        ['COPY', 'l', 'copy'],
        ['LMOVE', 'copy', 'moved', 'LEFT', 'RIGHT'],
        ['SORT', 'l', 'ALPHA', 'STORE', 'sorted'],
        ...looks,
      ],
      [addresses],
    )
  })
})

const addresses = {
  command: 'debug object',
  pattern: /at:0x[0-9a-f]+|refcount:\d+|lru:\d+|idle:\d+/g,
  replace: '',
  reason: 'addresses, clocks, and who shares small integers',
}
const key = fc.constantFrom('a', 'b', 's')
const listKey = fc.constantFrom('a', 'b')
const element = fc.oneof(
  fc.constantFrom('', '0', '7', '-3', MAX, 'p', 'q', 'p', 'q'),
  fc.constantFrom(50, 500, 2000, 5000, 9000).map((size) => 'x'.repeat(size)),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
)
const index = fc.constantFrom('0', '1', '-1', '5', '-5', '2', '20', 'x')
const end = fc.constantFrom('LEFT', 'RIGHT')
const word = (text: string) => fc.constant(text)

const anyCommand: fc.Arbitrary<string[]> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom('LPUSH', 'RPUSH'), listKey, fc.array(element, { minLength: 1, maxLength: 8 }))
      .map(([name, on, elements]) => [name, on, ...elements]),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('LPUSHX', 'RPUSHX'), key, element) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      word('LINSERT'),
      key,
      fc.constantFrom('BEFORE', 'AFTER'),
      fc.constantFrom('p', 'q', '7'),
      element,
    ),
  },
  fc.tuple(fc.constantFrom('LPOP', 'RPOP', 'LLEN'), key),
  fc.tuple(fc.constantFrom('LPOP', 'RPOP'), key, index),
  fc.tuple(word('LSET'), key, index, element),
  fc.tuple(word('LINDEX'), key, index),
  fc.tuple(fc.constantFrom('LRANGE'), key, index, index),
  fc.tuple(fc.constantFrom('LTRIM'), key, fc.constantFrom('0', '1', '2'), fc.constantFrom('-1', '-2', '30')),
  fc.tuple(word('LREM'), key, index, element),
  fc.tuple(word('LPOS'), key, element, word('COUNT'), index),
  fc.tuple(word('LMOVE'), key, key, end, end),
  fc.tuple(word('RPOPLPUSH'), key, key),
  fc.tuple(word('LMPOP'), word('2'), key, key, end, word('COUNT'), index),
  fc.tuple(fc.constantFrom('RENAME', 'COPY'), key, key),
  fc.tuple(fc.constantFrom('EXISTS', 'TYPE'), key),
  fc.tuple(word('SET'), word('s'), element),
)
