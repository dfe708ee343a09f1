import { expect, test } from 'vitest'
import { HashValue, NO_FIELD } from '../store/hash-value.ts'
import type { Aggregate } from '../store/keyspace-port.ts'
import { testSettings } from '../store/testing/aggregate-settings.ts'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'
import { hashLoaders, RDB_TYPE_HASH_ZIPLIST, RDB_TYPE_HASH_ZIPMAP } from './rdb-hash.ts'
import { RdbInput } from './rdb-input.ts'
import { RdbOutput } from './rdb-output.ts'
import { RdbReader, type RdbVisitor } from './rdb-reader.ts'
import { RdbWriter } from './rdb-writer.ts'

const SMALL = [
  ['HSET', 'small', 'a', '1', 'b', '-300', 'c', 'text', '', ''],
  ['HSET', 'bytes', '\r\n', 'x'.repeat(64)],
] as const
const LARGE: Words[] = [
  ['HSET', 'large', 'f', 'x'.repeat(65), 'g', '5', 'h', ''],
  ['HSET', 'many', ...Array.from({ length: 1200 }, (_, i) => String(i))],
]

againstRedis('hashes go from redis-server to us and back', () => {
  const pair = usePair()

  const dump = async (send: (...words: string[]) => Promise<string>, key: string): Promise<Buffer> => {
    const reply = await send('DUMP', key)
    return Buffer.from(reply.slice(reply.indexOf('\r\n') + 2, -2), 'latin1')
  }

  test.each(['redis', 'engine'] as const)('what %s has dumped both restore', async (source) => {
    const both = await pair().session()
    const payloads: [string, Buffer][] = []
    await both[source].send('FLUSHALL')
    for (const words of [...SMALL, ...LARGE]) {
      await both[source].send(...words)
      const key = words[1] as string
      payloads.push([key, await dump((...one) => both[source].send(...one), key)])
    }
    both.redis.close()
    both.engine.close()
    await pair().same(
      payloads.flatMap(([key, payload]): Words[] => [
        ['RESTORE', key, '0', payload],
        ['OBJECT', 'ENCODING', key],
        ['HLEN', key],
        ...['a', 'b', 'c', '', '\r\n', 'f', 'g', 'h', '0', '598', '1198'].map((field) => ['HGET', key, field]),
      ]),
    )
  })
})

function pairsOf(hash: HashValue): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (let place = hash.first(); place !== NO_FIELD; place = hash.next(place))
    pairs[hash.field(place)] = hash.value(place)
  return pairs
}

function load(type: number, bytes: Buffer): HashValue {
  const chunks: Buffer[] = []
  const output = new RdbOutput({
    sink: (chunk) => chunks.push(Buffer.from(chunk)),
    checksum: false,
    compression: false,
  })
  output.string(bytes)
  output.flush()
  const input = new RdbInput()
  input.feed(Buffer.concat(chunks))
  const loader = hashLoaders[type]?.(testSettings)
  expect(loader?.step(input)).toBe(true)
  return loader?.value as HashValue
}

// The examples in the heads of Redis's ziplist.c and zipmap.c, with a value added to the first.
test('hashes of old files are read', () => {
  const zipmap = Buffer.from('\x02\x03foo\x03\x00bar\x05hello\x05\x00world\xff', 'latin1')
  expect(pairsOf(load(RDB_TYPE_HASH_ZIPMAP, zipmap))).toEqual({ foo: 'bar', hello: 'world' })
  const entries = Buffer.from(
    '\x00\xf3\x02\xf6\x02\x0bHello World\x0d\xc0\x00\x10\x04\xfe\x80\x03\xf0\x00\x00\x80',
    'latin1',
  )
  const head = Buffer.alloc(10)
  head.writeUInt32LE(10 + entries.length + 1, 0)
  head.writeUInt32LE(34, 4)
  head.writeUInt16LE(6, 8)
  const ziplist = Buffer.concat([head, entries, Buffer.from([255])])
  const hash = load(RDB_TYPE_HASH_ZIPLIST, ziplist)
  expect(pairsOf(hash)).toEqual({ 2: '5', 'Hello World': '4096', '-128': '-8388608' })
  expect(hash.encoding).toBe('listpack')
  for (let cut = 1; cut < ziplist.length; cut++) {
    expect(() => load(RDB_TYPE_HASH_ZIPLIST, ziplist.subarray(0, cut))).toThrow('integrity')
  }
})

test('a hash in a table arrives in pieces of any size', () => {
  const hash = HashValue.empty()
  for (let i = 0; i < 600; i++) {
    const [field, value] = [Buffer.from(`field ${i}`), Buffer.from(`value ${i}`.repeat(i % 7))]
    hash.set(testSettings, field, 0, field.length, value, 0, value.length)
  }
  const chunks: Buffer[] = []
  const writer = new RdbWriter({ sink: (chunk) => chunks.push(Buffer.from(chunk)), checksum: true, compression: true })
  writer.header({ createdSeconds: 1, usedMemoryBytes: 1 })
  writer.selectDatabase(0)
  const part = writer.entry(Buffer.from('key'), undefined, hash, -1)
  while (part?.() === false);
  writer.end()
  const file = Buffer.concat(chunks)
  const found: Aggregate[] = []
  const visitor: RdbVisitor = {
    aux() {},
    selectDatabase() {},
    entry: (_key, _text, value) => found.push(value as Aggregate),
  }
  const reader = new RdbReader(visitor, true, testSettings)
  for (let at = 0; at < file.length; at += 13) {
    reader.feed(file.subarray(at, at + 13))
    reader.advance()
  }
  reader.finish()
  expect(pairsOf(found[0] as HashValue)).toEqual(pairsOf(hash))
  expect(found[0]?.encoding).toBe('hashtable')
})
