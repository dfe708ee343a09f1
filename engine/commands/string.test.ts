import fc from 'fast-check'
import { test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'

const MAX = '9223372036854775807'
const MIN = '-9223372036854775808'

againstRedis('string commands answer as redis-server 7.0 does', () => {
  const pair = usePair()

  test('SET and its options', async () => {
    await pair().same([
      ['SET', 'k', 'v'],
      ['GET', 'k'],
      ['SET', 'k', 'w', 'NX'],
      ['SET', 'k', 'w', 'XX', 'GET'],
      ['SET', 'new', 'w', 'XX'],
      ['SET', 'new', 'w', 'XX', 'GET'],
      ['SET', 'new', 'w', 'NX', 'GET'],
      ['SET', 'new', 'x', 'NX', 'GET'],
      ['SET', 'k', 'v', 'EX', '100'],
      ['TTL', 'k'],
      ['SET', 'k', 'v', 'KEEPTTL'],
      ['TTL', 'k'],
      ['SET', 'k', 'v', 'PX', '100000', 'XX', 'GET'],
      ['TTL', 'k'],
      ['SET', 'k', 'v', 'EXAT', '33177117420'],
      ['EXPIRETIME', 'k'],
      ['SET', 'k', 'v', 'PXAT', '33177117420123'],
      ['PEXPIRETIME', 'k'],
      ['SET', 'k', 'v'],
      ['TTL', 'k'],
      ['SET', 'k', 'v', 'EX', '10', 'EX', '20'],
      ['TTL', 'k'],
      ['SET', 'past', 'v', 'PXAT', '1'],
      ['GET', 'past'],
    ])
  })

  test('SET refuses what Redis refuses', async () => {
    const tails = [
      ['NX', 'XX'],
      ['XX', 'NX'],
      ['EX'],
      ['EX', '0'],
      ['EX', '-1'],
      ['EX', 'a'],
      ['EX', '9223372036854775'],
      ['EX', '9223372036854776'],
      ['PX', MAX],
      ['PX', '9223372036854775808'],
      ['EXAT', '9223372036854775'],
      ['PXAT', '0'],
      ['EX', '10', 'PX', '10'],
      ['EX', '10', 'KEEPTTL'],
      ['KEEPTTL', 'EX', '10'],
      ['KEEPTTL', 'KEEPTTL', 'NX', 'NX'],
      ['PERSIST'],
      ['FOO'],
      [''],
      ['GET', 'GET'],
    ]
    await pair().same([['SET'], ['SET', 'k'], ...tails.map((tail) => ['SET', 'k', 'v', ...tail])])
  })

  test('SETNX, SETEX, PSETEX, GETSET, GETDEL', async () => {
    await pair().same([
      ['SETNX', 'k', '1'],
      ['SETNX', 'k', '2'],
      ['GETSET', 'k', '3'],
      ['GETSET', 'none', '3'],
      ['SETEX', 'k', '100', 'v'],
      ['TTL', 'k'],
      ['GETSET', 'k', 'w'],
      ['TTL', 'k'],
      ['SETEX', 'k', '0', 'v'],
      ['SETEX', 'k', 'a', 'v'],
      ['SETEX', 'k', MAX, 'v'],
      ['PSETEX', 'k', '100000', 'v'],
      ['PSETEX', 'k', '-5', 'v'],
      ['TTL', 'k'],
      ['GETDEL', 'k'],
      ['GETDEL', 'k'],
      ['EXISTS', 'k'],
      ['SETEX', 'k', '1'],
      ['GETDEL'],
    ])
  })

  test('GETEX', async () => {
    await pair().same([
      ['GETEX', 'none'],
      ['GETEX', 'none', 'EX', 'a'],
      ['GETEX', 'none', 'EX'],
      ['SET', 'k', 'v'],
      ['GETEX', 'k'],
      ['GETEX', 'k', 'EX', '100'],
      ['TTL', 'k'],
      ['GETEX', 'k', 'PERSIST'],
      ['TTL', 'k'],
      ['GETEX', 'k', 'PXAT', '33177117420123'],
      ['PEXPIRETIME', 'k'],
      ['GETEX', 'k', 'EX', '0'],
      ['GETEX', 'k', 'EX', 'a'],
      ['GETEX', 'k', 'NX'],
      ['GETEX', 'k', 'PERSIST', 'EX', '10'],
      ['GETEX', 'k', 'EX', '10', 'PERSIST'],
      ['GETEX', 'k', 'KEEPTTL'],
      ['GETEX', 'k', 'EXAT', '1'],
      ['EXISTS', 'k'],
    ])
  })

  test('several keys at once', async () => {
    await pair().same([
      ['MSET', 'a', '1', 'b', '2', 'a', '3'],
      ['MGET', 'a', 'b', 'c', 'a'],
      ['MSET', 'a'],
      ['MSET', 'a', '1', 'b'],
      ['MSETNX', 'c', '1', 'a', '2'],
      ['MGET', 'c', 'a'],
      ['MSETNX', 'c', '1', 'd', '2', 'c', '3'],
      ['MGET', 'c', 'd'],
      ['MSETNX', 'c'],
      ['EXPIRE', 'a', '100'],
      ['MSET', 'a', 'x'],
      ['TTL', 'a'],
      ['MGET'],
    ])
  })

  test('parts of strings', async () => {
    const ranges = ['0 -1', '-3 -1', '-1 -3', '5 2', '100 200', '-100 3', '0 0', '-1 -1', `${MIN} ${MAX}`, '1 a', 'a 1']
    await pair().same([
      ['APPEND', 'k', 'Hello'],
      ['APPEND', 'k', ' World'],
      ['APPEND', 'k', ''],
      ['APPEND', 'empty', ''],
      ['EXISTS', 'empty'],
      ['STRLEN', 'k'],
      ['STRLEN', 'none'],
      ...ranges.map((range) => ['GETRANGE', 'k', ...range.split(' ')]),
      ...ranges.map((range) => ['GETRANGE', 'none', ...range.split(' ')]),
      ...ranges.map((range) => ['SUBSTR', 'empty', ...range.split(' ')]),
      ['SET', 'n', '12345'],
      ['GETRANGE', 'n', '1', '3'],
      ['SETRANGE', 'n', '1', 'xy'],
      ['GET', 'n'],
      ['SETRANGE', 'n', '8', 'z'],
      ['GET', 'n'],
      ['SETRANGE', 'none', '3', ''],
      ['EXISTS', 'none'],
      ['SETRANGE', 'none', '3', 'a'],
      ['GET', 'none'],
      ['SETRANGE', 'n', '-1', 'a'],
      ['SETRANGE', 'n', 'a', 'a'],
      ['SETRANGE', 'n', '536870912', 'a'],
      ['SETRANGE', 'n', MAX, 'a'],
      ['SETRANGE', 'n', '536870912', ''],
    ])
  })

  test('strings of all sizes keep their bytes', async () => {
    const sizes = [0, 1, 20, 44, 45, 100, 255, 1023, 4000, 4095, 4096, 5000, 20_000, 100_000]
    await pair().same(
      sizes.flatMap((size): Words[] => [
        ['SET', 'k', 'x'.repeat(size)],
        ['OBJECT', 'ENCODING', 'k'],
        ['APPEND', 'k', 'y'.repeat(size)],
        ['GET', 'k'],
        ['SETRANGE', 'k', String(size), 'z'],
        ['GETRANGE', 'k', '-20', '-1'],
        ['SET', `key:${'k'.repeat(size)}`, String(size)],
        ['GET', `key:${'k'.repeat(size)}`],
      ]),
    )
  })

  test('whole numbers', async () => {
    await pair().same([
      ['INCR', 'n'],
      ['INCRBY', 'n', '41'],
      ['DECR', 'n'],
      ['DECRBY', 'n', '100'],
      ['DECRBY', 'n', '-9007199254740993'],
      ['INCRBY', 'n', '9007199254740993'],
      ['GET', 'n'],
      ['SET', 'n', MAX],
      ['OBJECT', 'ENCODING', 'n'],
      ['INCR', 'n'],
      ['DECR', 'n'],
      ['INCRBY', 'n', '1'],
      ['STRLEN', 'n'],
      ['SET', 'n', MIN],
      ['DECR', 'n'],
      ['INCR', 'n'],
      ['DECRBY', 'n', MIN],
      ['DECRBY', 'n', '1'],
      ['INCRBY', 'n', '9223372036854775808'],
      ['INCRBY', 'n', ' 1'],
      ['INCRBY', 'n', '1.0'],
      ['SET', 's', 'abc'],
      ['INCR', 's'],
      ['SET', 's', ' 1'],
      ['INCR', 's'],
      ['SET', 's', '010'],
      ['INCR', 's'],
      ['SET', 's', ''],
      ['INCR', 's'],
      ['APPEND', 't', '1'],
      ['APPEND', 't', '0'],
      ['OBJECT', 'ENCODING', 't'],
      ['INCR', 't'],
      ['OBJECT', 'ENCODING', 't'],
      ['EXPIRE', 't', '100'],
      ['INCR', 't'],
      ['TTL', 't'],
      ['INCR', 'a', 'b'],
    ])
  })

  test('floating point numbers', async () => {
    const amounts = '0.1 0.2 1e2 -1.5e-3 3 0x10 1e17 1e-17 .5 5. 1e4000 -1e4000 inf nan abc 1e5000 1e-5000 --1'.split(
      ' ',
    )
    await pair().same([
      ...amounts.flatMap((amount): Words[] => [
        ['INCRBYFLOAT', 'f', amount],
        ['GET', 'f'],
        ['OBJECT', 'ENCODING', 'f'],
      ]),
      ['SET', 'f', '10'],
      ['INCRBYFLOAT', 'f', '-10'],
      ['INCRBYFLOAT', 'f', ''],
      ['INCRBYFLOAT', 'f', ' 1'],
      ['SET', 'f', ' 1'],
      ['INCRBYFLOAT', 'f', '1'],
      ['SET', 'f', 'inf'],
      ['INCRBYFLOAT', 'f', '1'],
      ['INCRBYFLOAT', 'f'],
    ])
  })

  test('any sum of floating point numbers, to the last digit', async () => {
    const number = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }).map(String),
      fc.tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.nat(25)).map(([digits, places]) => {
        const text = String(digits < 0n ? -digits : digits).padStart(places + 1, '0')
        return `${digits < 0n ? '-' : ''}${text.slice(0, text.length - places)}.${text.slice(text.length - places)}`
      }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 20 }), async (numbers) => {
        await pair().same([['DEL', 'f'], ...numbers.map((amount) => ['INCRBYFLOAT', 'f', amount])])
      }),
      { numRuns: 40 },
    )
  })

  test('LCS', async () => {
    await pair().same([
      ['MSET', 'a', 'ohmytext', 'b', 'mynewtext', 'n', '1234'],
      ['LCS', 'a', 'b'],
      ['LCS', 'a', 'b', 'LEN'],
      ['LCS', 'a', 'b', 'IDX'],
      ['LCS', 'a', 'b', 'IDX', 'MINMATCHLEN', '4'],
      ['LCS', 'a', 'b', 'IDX', 'MINMATCHLEN', '4', 'WITHMATCHLEN'],
      ['LCS', 'a', 'b', 'IDX', 'MINMATCHLEN', '-4', 'WITHMATCHLEN'],
      ['LCS', 'a', 'b', 'IDX', 'MINMATCHLEN', 'a'],
      ['LCS', 'a', 'b', 'IDX', 'LEN'],
      ['LCS', 'a', 'b', 'FOO'],
      ['LCS', 'a', 'b', 'MINMATCHLEN'],
      ['LCS', 'a', 'none'],
      ['LCS', 'a', 'none', 'IDX'],
      ['LCS', 'n', 'n', 'LEN'],
      ['LCS', 'a'],
    ])
  })

  test('LCS of any two strings', async () => {
    const text = fc.stringMatching(/^[ab]{0,12}$/)
    await fc.assert(
      fc.asyncProperty(text, text, async (a, b) => {
        await pair().same([
          ['MSET', 'a', a, 'b', b],
          ['LCS', 'a', 'b'],
          ['LCS', 'a', 'b', 'IDX', 'WITHMATCHLEN'],
        ])
      }),
      { numRuns: 30 },
    )
  })

  test('any sequence of commands', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 10, maxLength: 60, size: 'max' }), async (commands) => {
        await pair().same(commands)
      }),
      { numRuns: 40 },
    )
  })
})

const key = fc.constantFrom('a', 'b', 'c')
const value = fc.oneof(
  fc.constantFrom('', '0', '7', '-3', '99999999999999999', MAX, 'abc', '1.5', 'x'.repeat(45)),
  fc.string({ unit: 'binary-ascii', maxLength: 12 }),
)
const number = fc.constantFrom('0', '1', '-1', '5', '100000', MAX, MIN, 'x')
const offset = fc.constantFrom('0', '1', '-1', '3', '-3', '50', '-50', 'x')
const seconds = fc.constantFrom('100', '5000', '-1', '0', 'x')
const word = (text: string) => fc.constant(text)

const anyCommand: fc.Arbitrary<string[]> = fc.oneof(
  fc.tuple(fc.constantFrom('GET', 'STRLEN', 'GETDEL', 'INCR', 'DECR', 'TTL', 'PERSIST', 'DEL', 'TYPE'), key),
  fc.tuple(fc.constantFrom('SET', 'SETNX', 'GETSET', 'APPEND', 'MSET', 'MSETNX'), key, value),
  fc.tuple(word('SET'), key, value, fc.constantFrom('NX', 'XX', 'GET', 'KEEPTTL', 'FOO')),
  fc.tuple(fc.constantFrom('INCRBY', 'DECRBY', 'EXPIRE', 'INCRBYFLOAT'), key, number),
  fc.tuple(fc.constantFrom('GETRANGE', 'SUBSTR'), key, offset, offset),
  fc.tuple(word('SETRANGE'), key, offset, value),
  fc.tuple(word('SETEX'), key, seconds, value),
  fc.tuple(word('GETEX'), key, fc.constantFrom('EX', 'PX', 'EXAT', 'FOO'), seconds),
  fc.tuple(word('OBJECT'), fc.constantFrom('ENCODING', 'REFCOUNT'), key),
  fc.tuple(fc.constantFrom('RENAME', 'RENAMENX', 'COPY'), key, key),
  fc.tuple(fc.constantFrom('MGET', 'EXISTS', 'TOUCH', 'UNLINK'), key, key),
)
