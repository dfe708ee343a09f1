/**
 * Files made by hand that redis-server 7.0 does not start with: the engine must not either. And those of Redis 7.2 and
 * 7.4 (versions 11 and 12), which the engine reads as far as their values are of types that it has.
 */
import { writeFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type NodeKind, type TestNode, TestNodes } from '../testing/nodes.ts'
import { hasRedisServer } from '../testing/redis-server.ts'
import {
  byte,
  database,
  double,
  entry,
  streamId as id,
  int64,
  integerText,
  intset,
  join,
  length,
  listpack,
  listpackEntry as lp,
  rdbFile,
  text,
  ziplist,
  zipmap,
  ziplistEntry as zl,
} from './testing/rdb-bytes.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

const SOUND = entry(0, 'sound', text('value'))

/** The bytes with one of them set. */
function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at < 0 ? copy.length + at : at] = value
  return copy
}

/** Starts a server with the file; undefined when it does not come up. */
async function start(kind: NodeKind, file: Buffer): Promise<TestNode | undefined> {
  const dir = nodes.makeDirectory()
  writeFileSync(joinPath(dir, 'dump.rdb'), file)
  try {
    return await nodes.start(kind, { dir, 'sanitize-dump-payload': 'yes', 'enable-debug-command': 'yes' })
  } catch {
    return undefined
  }
}

const node = (bytes: Buffer, key = id(5, 10)) => join(text(key), text(bytes))
const oneEntry = listpack([1, 0, 1, 'f', 0, 2, 0, 0, 'v', 4])
const history = join(length(5), length(10))
const stream = (...rest: Buffer[]) => join(length(1), node(oneEntry), length(1), history, ...rest)
const waiting = join(id(5, 10), int64(1), length(1))
const group = (pending: Buffer[], consumers: Buffer[]) =>
  join(text('g'), history, length(pending.length), ...pending, length(consumers.length), ...consumers)
const consumer = (name: string, ...ids: Buffer[]) => join(text(name), int64(1), length(ids.length), ...ids)

const sound = ziplist(['f', 'v', 'g', 300])
const packed = listpack(['f', 'v', 'g', 300])
const map = zipmap([
  ['f', 'v'],
  ['g', 'w'],
])

/** Type and value of keys that are damaged, or of a kind that nobody can read. */
const values: Record<string, [type: number, value: Buffer]> = {
  'a module value before GA': [6, join(byte(0x81), int64(1))],
  'a module value': [7, join(byte(0x81), int64(1), length(0))],
  'type 8': [8, text('v')],
  'type 99': [99, text('v')],
  'a set of Redis 7.2': [20, text(listpack(['a']))],
  'a stream of Redis 7.2': [21, join(length(0), length(0), history, history, history, length(1), length(0))],
  'a hash of Redis 7.4': [24, join(length(1), length(1), text('f'), text('v'))],
  'an unknown length': [0, join(byte(0xbf), Buffer.alloc(9))],
  'an unknown encoding of strings': [0, byte(0xc4, 0)],
  'LZF of another length': [0, join(byte(0xc3), length(3), length(9), byte(1, 97, 98))],
  'LZF that points before its start': [0, join(byte(0xc3), length(4), length(5), byte(0, 97, 0x20, 9))],
  'a ziplist of another total': [10, text(changed(sound, 0, 77))],
  'a ziplist with another tail': [10, text(changed(sound, 4, 10))],
  'a ziplist of another count': [10, text(changed(sound, 8, 3))],
  'a ziplist without its end': [10, text(changed(sound, -1, 0))],
  'a ziplist whose lengths do not match': [10, text(changed(sound, 13, 9))],
  'a ziplist of an unknown encoding': [10, text(changed(sound, 11, 0xc5))],
  'a ziplist that is too short': [10, text(Buffer.alloc(5))],
  'a quicklist with a damaged ziplist': [14, join(length(1), text(changed(sound, 8, 3)))],
  'a quicklist of an unknown container': [18, join(length(1), length(3), text(packed))],
  'a quicklist with an empty plain node': [18, join(length(1), length(1), text(''))],
  'a quicklist with a damaged listpack': [18, join(length(1), length(2), text(changed(packed, 6, 0x9f)))],
  'a hash in a ziplist of odd count': [13, text(ziplist(['f', 'v', 'g']))],
  'a hash in a ziplist with a field twice': [13, text(ziplist(['f', 'v', 'f', 'w']))],
  'a hash in a ziplist with a number twice': [13, text(ziplist(['5', 'v', 5, 'w', zl.text6('5'), 'x']))],
  'a hash in a listpack of odd count': [16, text(listpack(['f', 'v', 'g']))],
  'a hash in a listpack with a field twice': [16, text(listpack(['f', 'v', 'f', 'w']))],
  'a listpack of another total': [16, text(changed(packed, 0, 99))],
  'a listpack of another count': [16, text(changed(packed, 4, 2))],
  'a listpack without its end': [16, text(changed(packed, -1, 0))],
  'a listpack whose lengths do not match': [16, text(changed(packed, 8, 9))],
  'a listpack of an unknown encoding': [16, text(changed(packed, 6, 0xf9))],
  'a zipmap of another count': [9, text(zipmap([['f', 'v']], { count: 2 }))],
  'a zipmap with wide lengths': [9, text(zipmap([['f', 'v']], { wide: true }))],
  'a zipmap with a field twice': [9, text(zipmap(['v', 'w'].map((value) => ['f', value] as const)))],
  'a zipmap without its end': [9, text(changed(map, -1, 0))],
  'a zipmap that ends in a pair': [9, text(changed(map, 1, 30))],
  'an empty zipmap': [9, text(zipmap([]))],
  'an intset out of order': [11, text(intset(2, [2, 1]))],
  'an intset with a number twice': [11, text(intset(2, [1, 1]))],
  'an intset of an unknown width': [11, text(changed(intset(2, [1]), 0, 3))],
  'an intset of another count': [11, text(changed(intset(2, [1, 2]), 4, 3))],
  'an empty intset': [11, text(intset(2, []))],
  'a set with a member twice': [2, join(length(2), text('a'), text('a'))],
  'a set with a number twice': [2, join(length(2), text('5'), integerText(5, 8))],
  'a zset with a member twice': [5, join(length(2), text('a'), double(1), text('a'), double(2))],
  'a zset with NaN': [5, join(length(1), text('a'), double(Number.NaN))],
  'a zset with NaN as text': [3, join(length(1), text('a'), byte(253))],
  'a zset with a score of no number': [3, join(length(1), text('a'), byte(3), Buffer.from('abc'))],
  'a zset in a ziplist of odd count': [12, text(ziplist(['a', 1, 'b']))],
  'a zset in a ziplist with a member twice': [12, text(ziplist(['a', 1, 'a', 2]))],
  'a zset in a listpack of odd count': [17, text(listpack(['a', 1, 'b']))],
  'a zset in a listpack with a member twice': [17, text(listpack(['a', 1, 'a', 2]))],
  'a hash with a field twice': [4, join(length(2), text('f'), text('v'), text('f'), text('w'))],
  'a stream node under a short id': [
    15,
    join(length(1), text(Buffer.alloc(15)), text(oneEntry), length(1), history, length(0)),
  ],
  'a stream node that is empty': [15, join(length(1), node(listpack([])), length(0), history, length(0))],
  'a stream node with a damaged entry': [
    15,
    join(length(1), node(listpack([1, 0, 1, 'f', 0, 2, 0, 0, 'v', 9])), length(1), history, length(0)),
  ],
  'a stream node twice': [15, join(length(2), node(oneEntry), node(oneEntry), length(2), history, length(0))],
  'a stream with a length and no entries': [15, join(length(0), length(1), history, length(0))],
  'a stream with a group twice': [15, stream(length(2), group([], []), group([], []))],
  'a stream with a consumer twice': [15, stream(length(1), group([], [consumer('c'), consumer('c')]))],
  'a stream with a pending entry twice': [15, stream(length(1), group([waiting, waiting], [consumer('c', id(5, 10))]))],
  'a stream with a pending entry of nobody': [15, stream(length(1), group([waiting], [consumer('c')]))],
  'a stream with an entry that is not pending': [15, stream(length(1), group([], [consumer('c', id(5, 10))]))],
  'a stream whose consumer has an entry twice': [
    15,
    stream(length(1), group([waiting], [consumer('c', id(5, 10), id(5, 10))])),
  ],
}

const parts = (...between: Buffer[]): Buffer => rdbFile(10, [database(0), ...between, SOUND])
const files: Record<string, Buffer> = {
  ...Object.fromEntries(Object.entries(values).map(([name, [type, value]]) => [name, parts(entry(type, 'k', value))])),
  'another signature': changed(parts(), 0, 0x72),
  'version 0': rdbFile(0, [database(0), SOUND]),
  'version 13': rdbFile(13, [database(0), SOUND]),
  'another checksum': rdbFile(10, [database(0), SOUND], { checksum: Buffer.alloc(8, 1) }),
  'half a checksum': parts().subarray(0, -4),
  'an end without a checksum': parts().subarray(0, -8),
  'no end': parts().subarray(0, -9),
  'half a key': parts().subarray(0, 14),
  'a database that is not there': parts(database(16)),
  'functions of a release candidate': parts(byte(246), text('lib'), text('lua'), byte(0), text('code')),
  'a function library that fails': parts(byte(245), text('#!lua name=lib\nerror("no")')),
  'data of a module': parts(byte(247), byte(0x81), int64(1), length(2), length(1), length(0)),
  'information on a slot': parts(byte(244), length(1), length(1), length(0)),
  'a key twice': parts(SOUND),
}

const servers: NodeKind[] = ['ours', 'redis']
describe.each(servers)('%s', (kind) => {
  // Without redis-server its half is left out; CI must have it.
  const check = test.skipIf(kind === 'redis' && !hasRedisServer)
  check.each(Object.entries(files))('does not start with %s', async (_name, file) => {
    expect(await start(kind, file)).toBeUndefined()
  })

  check('starts with the file that the others are made of', async () => {
    const running = await start(kind, parts())
    expect(await running?.send('GET', 'sound')).toBe('value')
  })

  // Redis 7.0 refuses what newer servers have written; the engine is to read it where it can.
  check.each([11, 12])('version %i', async (version) => {
    const running = await start(kind, rdbFile(version, [database(0), SOUND]))
    expect(await running?.send('GET', 'sound')).toBe(kind === 'ours' ? 'value' : undefined)
  })
})

test.each([11, 12])('version %i: values of newer forms become what Redis 7.0 would make of them', async (version) => {
  const slot = join(byte(244), length(5), length(3), length(0))
  const seen = join(text('g'), history, length(1), length(1), waiting, length(1))
  const active = join(text('c'), int64(7), int64(8), length(1), id(5, 10))
  const running = await start(
    'ours',
    rdbFile(version, [
      ...[database(0), slot, SOUND, entry(20, 'texts', text(listpack(['a', 'b', 300])))],
      ...[entry(20, 'numbers', text(listpack([3, 1, lp.text6('2')]))), entry(20, 'none', text(listpack([])))],
      entry(21, 'stream', stream(history, length(0), length(0), length(1), length(1), seen, active)),
      entry(0, 'last', text('v')),
    ]),
  )
  const ask = (...words: string[]) => running?.send(...words)
  expect(await ask('DBSIZE')).toBe(5)
  expect((await ask('SMEMBERS', 'texts')) as string[]).toEqual(expect.arrayContaining(['a', 'b', '300']))
  expect([await ask('OBJECT', 'ENCODING', 'texts'), await ask('SCARD', 'texts')]).toEqual(['hashtable', 3])
  expect([await ask('OBJECT', 'ENCODING', 'numbers'), await ask('SMEMBERS', 'numbers')]).toEqual([
    'intset',
    ['1', '2', '3'],
  ])
  expect(await ask('XPENDING', 'stream', 'g')).toEqual([1, '5-10', '5-10', [['c', '1']]])
  expect(await ask('XRANGE', 'stream', '-', '+')).toEqual([['5-10', ['f', 'v']]])
})

test.each([
  ['a set with a member twice', 20, text(listpack(['a', 'a']))],
  ['a hash whose fields expire', 24, join(length(1), length(0), text('f'), text('v'))],
  ['a hash whose fields expire, in a listpack', 25, join(int64(0), text(listpack(['f', 'v', 0])))],
])('version 12: %s is refused', async (_name, type, value) => {
  expect(await start('ours', rdbFile(12, [database(0), entry(type, 'k', value), SOUND]))).toBeUndefined()
})
