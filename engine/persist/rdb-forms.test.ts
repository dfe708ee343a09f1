/**
 * Every type of RDB file that Redis 7.0 knows, in every form that a writer of versions 1 to 10 may have chosen: files
 * made by hand, loaded by redis-server and by the engine, and compared key by key.
 */
import { writeFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { expect, test } from 'vitest'
import { againstRedis, type RawConnection, usePair } from '../testing/differential.ts'
import {
  byte,
  database,
  double,
  entry,
  streamId as id,
  int32,
  int64,
  integerText,
  intset,
  join,
  length,
  listpack,
  listpackEntry as lp,
  lzf,
  rdbFile,
  text,
  ziplist,
  zipmap,
  ziplistEntry as zl,
} from './testing/rdb-bytes.ts'

const LONG = 'long text '.repeat(40)
/** Longer than any compact form allows, of the length `size`. */
const sized = (size: number, letter = 'x') => letter.repeat(size)
const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i)
const texts = (values: readonly (string | number)[]) =>
  Buffer.concat([length(values.length), ...values.map((one) => text(`${one}`))])

/** A string in each encoding, as text of an element that is not a number, or is one. */
const strings: Record<string, Buffer> = {
  'a text with 6 bits of length': text('abc'),
  'a text with 14 bits of length': text('abcd', 14),
  'a text with 32 bits of length': text('abcde', 32),
  'a text with 64 bits of length': text('abcdef', 64),
  'an empty text': text(''),
  'bytes of all kinds': text(Buffer.from(numbered(256))),
  'a number as text': text('123456'),
  'a number of 20 digits': text('12345678901234567890'),
  'a number in 8 bits': integerText(-128, 8),
  'a number in 16 bits': integerText(-32_768, 16),
  'a number in 32 bits': integerText(2_147_483_647, 32),
  'a small number in 32 bits': integerText(7, 32),
  'a compressed text': lzf(LONG),
  'a compressed text with 14 bits of length': lzf(sized(50), 14),
  'a compressed text with 32 bits of length': lzf(sized(51), 32),
  'a compressed text with 64 bits of length': lzf(sized(52), 64),
  'a compressed text with long matches': lzf(sized(70_000, 'long match')),
}
const all = Object.values(strings)

const ziplistForms = [
  zl.text6('six'),
  zl.text14('fourteen'),
  zl.text32('thirty-two'),
  zl.text6(''),
  zl.immediate(0),
  zl.immediate(12),
  zl.int8(-128),
  zl.int8(5),
  zl.int16(-32_768),
  zl.int24(-8_388_608),
  zl.int24(8_388_607),
  zl.int32(-2_147_483_648),
  zl.int64(-(2n ** 63n)),
  zl.int64(2n ** 53n + 1n),
  sized(300),
  'after a long one',
  sized(17_000),
  zl.text6('77'),
]
const listpackForms = [
  lp.uint7(0),
  lp.uint7(127),
  lp.int13(-4096),
  lp.int13(4095),
  lp.int16(-32_768),
  lp.int24(-8_388_608),
  lp.int32(2_147_483_647),
  lp.int64(-(2n ** 63n)),
  lp.int64(2n ** 53n + 1n),
  lp.text6(''),
  lp.text6('six'),
  lp.text12('twelve'),
  lp.text32('thirty-two'),
  sized(200),
  sized(5000),
  sized(20_000),
]
/** Makes pairs: each with a different first. */
const paired = (entries: readonly (string | Buffer)[], second: string | number = 'v') =>
  entries.flatMap((one) => [one, second])
const fields = (count: number, value: string | number = 'v') => numbered(count).flatMap((i) => [`field ${i}`, value])
const pairs = (count: number) => numbered(count).map((i) => [`field ${i}`, `value ${i}`] as const)

/** Scores as they stand in a listpack or ziplist: texts and numbers. */
const scores = ['1.5', '-inf', 'inf', '1e300', '-0', '3.0000000000000004', 5, -1000, 1_000_000]
const scored = scores.flatMap((score, i) => [`member ${i}`, score])
const doubles = [0, -0, 1, -1.5, 1e300, 5e-324, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1, 2 ** 53, 1e17]
const textScores = ['0', '-0', '1', '-1.5', '1e300', '0.10000000000000001', ' 4', '0x1p4', 'inf', '-infinity']

const history = (count: number, last: readonly [number, number]) => [length(count), length(last[0]), length(last[1])]
/**
 * A node of a stream with the master fields `f`: entries with the same fields and one with its own, one of them
 * deleted.
 */
const streamNode = (deleted: 0 | 1 = 0) =>
  join(
    text(Buffer.from('0000000000000005000000000000000a', 'hex')),
    text(
      listpack([
        ...[3 - deleted, deleted, 1, 'f', 0],
        ...[2, 0, 0, 'one', 4],
        ...[2 | deleted, 0, 1, 'two', 4],
        ...[0, 3, -5, 2, 'own', 'three', 'other', 33, 8],
      ]),
    ),
  )
/** A group with one entry of one consumer, and a consumer without any. */
const group = (name: string, read: Buffer) =>
  join(
    ...[text(name), length(5), length(10), read, length(1), id(5, 10), int64(1_600_000_000_000), length(3), length(2)],
    ...[text('alice'), int64(1_600_000_000_001), length(1), id(5, 10)],
    ...[text('bob'), int64(1_600_000_000_002), length(0)],
  )
const none = Buffer.alloc(0)
const unknownRead = join(byte(0x81), Buffer.alloc(8, 255))

/** Type and value of each key. */
const values: Record<string, [type: number, value: Buffer]> = {
  ...Object.fromEntries(Object.entries(strings).map(([name, value]) => [name, [0, value] as [number, Buffer]])),
  // Lists.
  'list of every string': [1, join(length(all.length), ...all)],
  'list with 64 bits of count': [1, join(length(2, 64), text('a'), text('b'))],
  'list of many': [1, texts(numbered(20_000))],
  'list of huge ones': [1, texts([sized(9000), sized(10), sized(70_000)])],
  'list, ziplist of every form': [10, text(ziplist(ziplistForms))],
  'list, ziplist with wide lengths': [10, text(ziplist(ziplistForms, { wideBack: true }))],
  'list, ziplist compressed': [10, lzf(ziplist(numbered(500)))],
  'list, ziplist of many': [10, text(ziplist(numbered(70_000)), 32)],
  'list, quicklist of ziplists': [
    14,
    join(length(3), text(ziplist(ziplistForms)), lzf(ziplist(numbered(300))), text(ziplist(['end']))),
  ],
  'list, quicklist with an empty ziplist': [14, join(length(2), text(ziplist([])), text(ziplist(['end'])))],
  'list, quicklist 2': [
    18,
    join(
      length(3),
      length(2),
      text(listpack(listpackForms)),
      length(1),
      lzf(LONG),
      length(2),
      lzf(listpack(numbered(200))),
    ),
  ],
  'list, quicklist 2 with an empty listpack': [
    18,
    join(length(2), length(2), text(listpack([])), length(2), text(listpack([1]))),
  ],
  'list, quicklist 2 of unknown count': [18, join(length(1), length(2), text(listpack([1, 'two'], { count: 65_535 })))],
  'list, quicklist 2 of a plain number': [18, join(length(1), length(1), integerText(-5, 16))],
  // Sets.
  'set of every string': [
    2,
    join(length(all.length - 1), ...all.filter((one) => one !== strings['a number in 8 bits'])),
  ],
  'set of few numbers': [2, texts(numbered(512, -200))],
  'set of many numbers': [2, texts(numbered(513))],
  'set of numbers and a text': [2, texts([...numbered(100), 'text'])],
  'set of 64-bit numbers': [2, texts(['9223372036854775807', '-9223372036854775808', '5'])],
  'set of a number that has no integer': [2, texts(['9223372036854775808', '05'])],
  'set, intset of 16 bits': [11, text(intset(2, [-32_768, 0, 5, 32_767]))],
  'set, intset of 32 bits': [11, text(intset(4, [-70_000, 0, 5]))],
  'set, intset of 64 bits': [11, text(intset(8, [-5_000_000_000, 0, 5]))],
  'set, intset wider than needed': [11, text(intset(8, [1, 2, 3]))],
  'set, intset compressed': [11, lzf(intset(4, numbered(300)))],
  'set, intset of 512': [11, text(intset(2, numbered(512)))],
  'set, intset of 513': [11, text(intset(2, numbered(513)))],
  // Sorted sets.
  'zset of text scores': [
    3,
    join(
      length(textScores.length + 2),
      ...textScores.map((score, i) => join(text(`m${i}`), byte(score.length), text(score).subarray(1))),
      text('i'),
      byte(254),
      text('j'),
      byte(255),
    ),
  ],
  'zset of many text scores': [
    3,
    join(length(200), ...numbered(200).map((i) => join(text(`m${i}`), text(`${i / 7}`)))),
  ],
  'zset 2': [5, join(length(doubles.length), ...doubles.map((score, i) => join(text(`m${i}`), double(score))))],
  'zset 2 of 128': [5, join(length(128), ...numbered(128).map((i) => join(text(`m${i}`), double(i / 3))))],
  'zset 2 of 129': [5, join(length(129), ...numbered(129).map((i) => join(text(`m${i}`), double(-i / 4))))],
  'zset 2 with -0 in a skiplist': [5, join(length(2), text(sized(65)), double(1), text('zero'), double(-0))],
  'zset 2 with a member of 64': [5, join(length(2), text(sized(64)), double(1), text('m'), double(1))],
  'zset 2 with a member of 65': [5, join(length(2), text(sized(65)), double(1), text('m'), double(1))],
  'zset 2 of every string': [5, join(length(all.length), ...all.map((one, i) => join(one, double(i % 3))))],
  'zset, ziplist': [12, text(ziplist(scored))],
  'zset, ziplist of every form': [12, text(ziplist(paired(ziplistForms.slice(0, -3), 1), { wideBack: true }))],
  'zset, ziplist out of order': [12, text(ziplist(['b', 2, 'a', 1, 'c', 3]))],
  'zset, ziplist with a member of 65': [12, text(ziplist([sized(65), 1]))],
  'zset, ziplist of 128': [12, lzf(ziplist(numbered(128).flatMap((i) => [`m${i}`, i])))],
  'zset, ziplist of 129': [12, text(ziplist(numbered(129).flatMap((i) => [`m${i}`, i])))],
  'zset, listpack': [17, text(listpack(scored))],
  'zset, listpack of every form': [17, text(listpack(paired(listpackForms, 1)))],
  'zset, listpack with a member of 65': [17, text(listpack([sized(65), 1]))],
  'zset, listpack of 129': [17, text(listpack(numbered(129).flatMap((i) => [`m${i}`, i])))],
  'zset, listpack of wide numbers': [
    17,
    text(listpack(['a', lp.int64(2n ** 62n), 'b', lp.int64(-(2n ** 63n)), 'c', lp.int64(2n ** 53n + 1n)])),
  ],
  // Hashes.
  'hash of every string': [4, join(length(all.length), ...all.map((one) => join(one, text('v'))))],
  'hash with every value': [4, join(length(all.length), ...all.map((one, i) => join(text(`f${i}`), one)))],
  'hash of 512': [4, join(length(512), ...numbered(512).map((i) => join(text(`${i}`), integerText(i, 32))))],
  'hash of 513': [4, join(length(513), ...numbered(513).map((i) => join(text(`${i}`), integerText(i, 32))))],
  'hash with a value of 64': [4, join(length(1), text('f'), text(sized(64)))],
  'hash with a value of 65': [4, join(length(1), text('f'), text(sized(65)))],
  'hash with a field of 65': [4, join(length(2), text('g'), text('v'), text(sized(65)), text('v'))],
  'hash, zipmap': [
    9,
    text(
      zipmap([
        ['foo', 'bar'],
        ['', ''],
        ['7', '007'],
      ]),
    ),
  ],
  'hash, zipmap with gaps': [9, text(zipmap(pairs(3), { unused: 4 }))],
  'hash, zipmap with a long value': [9, text(zipmap([['f', sized(300)]]))],
  'hash, zipmap with a value of 65': [9, text(zipmap([['f', sized(65)]]))],
  'hash, zipmap of 253': [9, lzf(zipmap(pairs(253)))],
  'hash, zipmap of 254': [9, text(zipmap(pairs(254)))],
  'hash, zipmap of 600': [9, text(zipmap(pairs(600)), 32)],
  'hash, ziplist': [13, text(ziplist(paired(ziplistForms.slice(0, 12))))],
  'hash, ziplist of every form': [13, text(ziplist(paired(ziplistForms), { wideBack: true }))],
  'hash, ziplist with a value of 65': [13, text(ziplist(['f', sized(65)]))],
  'hash, ziplist of 512': [13, lzf(ziplist(fields(512)))],
  'hash, ziplist of 513': [13, text(ziplist(fields(513)))],
  'hash, listpack': [16, text(listpack(paired(listpackForms)))],
  'hash, listpack with a value of 65': [16, text(listpack(['f', sized(65)]))],
  'hash, listpack of 512': [16, lzf(listpack(fields(512)))],
  'hash, listpack of 513': [16, text(listpack(fields(513)))],
  'hash, listpack of unknown count': [16, text(listpack(fields(3), { count: 65_535 }))],
  // Streams.
  'stream 1': [15, join(length(1), streamNode(), ...history(3, [8, 5]), length(0))],
  'stream 1 without entries': [15, join(length(0), ...history(0, [8, 5]), length(0))],
  'stream 1 with a group': [15, join(length(1), streamNode(), ...history(3, [8, 5]), length(1), group('g', none))],
  'stream 1 with a deleted entry': [
    15,
    join(length(1), streamNode(1), ...history(2, [8, 5]), length(1), group('g', none)),
  ],
  'stream 2': [
    19,
    join(
      length(1),
      streamNode(),
      ...history(3, [8, 5]),
      length(5),
      length(10),
      length(0),
      length(0),
      length(3),
      length(0),
    ),
  ],
  'stream 2 with groups': [
    19,
    join(
      length(1),
      streamNode(1),
      ...history(2, [8, 5]),
      length(5),
      length(10),
      length(5),
      length(11),
      length(9, 64),
      length(2),
      group('g', length(1)),
      group('h', unknownRead),
    ),
  ],
  'stream 2 without entries': [
    19,
    join(length(0), ...history(0, [8, 5]), length(0), length(0), length(8), length(5), length(7), length(0)),
  ],
}

/** What stands in front of keys in newer files. */
const HEAD = join(
  ...[byte(250), text('redis-ver'), text('6.0.0'), byte(250), text('redis-bits'), integerText(64, 8)],
  ...[byte(250), text('ctime'), integerText(1_600_000_000, 32), byte(250), text('%private'), lzf(LONG)],
  ...[byte(250), integerText(5, 8), text(''), database(0), byte(251), length(200), length(1, 32)],
)

againstRedis('files made by hand', () => {
  const pair = usePair({ settings: { dbfilename: 'made.rdb' } })

  /** Puts the file before a server, has it loaded, and says how that went. */
  async function reload(side: RawConnection, file: Buffer): Promise<string> {
    const directory = (await side.send('CONFIG', 'GET', 'dir')).split('\r\n')[4] as string
    writeFileSync(joinPath(directory, 'made.rdb'), file)
    return side.send('DEBUG', 'RELOAD', 'NOSAVE')
  }

  /** What `ask` says of both servers, once they have loaded the file. */
  async function loaded(file: Buffer, ask: (side: RawConnection) => Promise<unknown>): Promise<unknown> {
    const { redis, engine } = await pair().session()
    try {
      const heard: unknown[] = []
      for (const side of [redis, engine]) heard.push([await reload(side, file), await ask(side)])
      expect(heard[1]).toEqual(heard[0])
      expect((heard[0] as unknown[])[0]).toBe('+OK\r\n')
      return (heard[0] as unknown[])[1]
    } finally {
      redis.close()
      engine.close()
    }
  }

  /** Digest, encoding and what the digest does not cover. */
  async function told(side: RawConnection, name: string): Promise<string[]> {
    const type = await side.send('TYPE', name)
    return [
      ...[type, await side.send('DEBUG', 'DIGEST-VALUE', name), await side.send('OBJECT', 'ENCODING', name)],
      ...(type === '+stream\r\n' ? [await side.send('XINFO', 'STREAM', name, 'FULL', 'COUNT', '0')] : []),
      ...(type === '+list\r\n' ? [await side.send('LLEN', name)] : []),
    ]
  }

  test.each(Object.entries(values))('%s becomes the same value in the same encoding', async (name, [type, value]) => {
    const facts = await loaded(rdbFile(10, [database(0), entry(type, name, value)]), (side) => told(side, name))
    expect(facts).not.toContain('$-1\r\n')
  })

  test('all of them stand behind each other', async () => {
    const keys = Object.entries(values).map(([name, [type, value]]) => entry(type, name, value))
    const size = await loaded(rdbFile(10, [HEAD, ...keys]), async (side) => [
      await side.send('DBSIZE'),
      await side.send('DEBUG', 'DIGEST'),
    ])
    expect((size as string[])[0]).toBe(`:${keys.length}\r\n`)
  })

  test('keys stand in every form of string', async () => {
    const names = [
      text('a', 64),
      text('', 32),
      integerText(-7, 8),
      integerText(300, 16),
      integerText(70_000, 32),
      lzf(LONG, 32),
    ]
    const file = rdbFile(9, [database(0), ...names.map((name, i) => entry(0, name, integerText(i, 8)))])
    await loaded(file, async (side) => [
      await side.send('DEBUG', 'DIGEST'),
      await side.send('MGET', 'a', '', '-7', '300', '70000', LONG),
    ])
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('version %i is read, with and without a checksum', async (version) => {
    const keys = [database(0), entry(0, 'first', text('1')), database(5), entry(1, 'list', texts(['a', 'b']))]
    for (const checksum of [undefined, Buffer.alloc(8)]) {
      const file = rdbFile(version, keys, checksum === undefined ? {} : { checksum })
      await loaded(file, async (side) => [await side.send('DEBUG', 'DIGEST'), await side.send('INFO', 'keyspace')])
    }
  })

  test('times to live in seconds and milliseconds, idle times and frequencies belong to the next key only', async () => {
    const after = join(byte(253), int32(2_000_000_000))
    const afterMs = join(byte(252), int64(2_000_000_000_123n))
    const idle = join(byte(248), length(4000, 32))
    const often = join(byte(249), byte(77))
    const file = rdbFile(10, [
      ...[database(0), entry(0, 'seconds', text('v'), after), entry(0, 'none', text('v'))],
      ...[entry(2, 'ms', texts(['a']), afterMs), entry(0, 'none too', text('v'))],
      ...[
        entry(0, 'past', text('v'), join(byte(253), int32(1000))),
        entry(0, 'past ms', text('v'), join(byte(252), int64(5))),
      ],
      ...[
        entry(0, 'negative', text('v'), join(byte(252), int64(-5))),
        entry(0, 'no time', text('v'), join(byte(252), int64(-1))),
      ],
      ...[entry(0, 'negative seconds', text('v'), join(byte(253), int32(-1)))],
      ...[entry(0, 'idle', text('v'), join(idle, afterMs)), entry(0, 'often', text('v'), join(after, often))],
      ...[entry(1, 'empty', length(0), join(after, idle)), entry(0, 'after empty', text('v'))],
    ])
    for (const policy of ['noeviction', 'allkeys-lru', 'allkeys-lfu']) {
      const told = await loaded(file, async (side) => {
        await side.send('CONFIG', 'SET', 'maxmemory-policy', policy)
        const again = await side.send('DEBUG', 'RELOAD', 'NOSAVE')
        const keys = (await side.send('KEYS', '*')).match(/[a-z ]+(?=\r\n)/g) ?? []
        const lines = [again]
        for (const key of keys.sort()) {
          const use = await side.send('OBJECT', policy === 'allkeys-lfu' ? 'FREQ' : 'IDLETIME', key)
          lines.push(`${key}: ${await side.send('PEXPIRETIME', key)} ${use.replace(/^:[01]\r/, ':now\r')}`)
        }
        await side.send('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
        return lines
      })
      expect(String(told)).toContain('seconds: :2000000000000')
    }
  })

  test('functions and scripts kept in aux fields', async () => {
    const source = '#!lua name=lib\nredis.register_function("f", function() return 1 end)'
    const script = join(byte(250), text('lua'), text('return 1'))
    for (const form of [text(source, 32), lzf(source.replaceAll('\n', `\n${'-- comment\n'.repeat(9)}`))]) {
      const file = rdbFile(10, [script, byte(245), form, database(0), entry(0, 'k', text('v'))])
      await loaded(file, async (side) => [await side.send('FUNCTION', 'LIST', 'WITHCODE'), await side.send('GET', 'k')])
    }
  })
})
