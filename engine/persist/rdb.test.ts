import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ByteRange } from '../data/listpack.ts'
import { testSettings } from '../store/testing/aggregate-settings.ts'
import { RdbError } from './rdb-input.ts'
import { RdbReader, type RdbVisitor, readDumpPayload } from './rdb-reader.ts'
import { dumpPayload, type KeyUse, RdbWriter } from './rdb-writer.ts'

interface Key {
  database: number
  key: Buffer
  text: Buffer
  expireAtMs: number
  use?: KeyUse | undefined
}

function write(keys: readonly Key[], checksum = true, compression = true): Buffer {
  const chunks: Buffer[] = []
  const writer = new RdbWriter({ sink: (chunk) => chunks.push(Buffer.from(chunk)), checksum, compression })
  writer.header({ createdSeconds: 1_700_000_000, usedMemoryBytes: 123, replication: REPLICATION })
  let database = -1
  for (const key of keys) {
    if (key.database !== database) {
      database = key.database
      writer.selectDatabase(database)
      writer.resizeDatabase(keys.filter((other) => other.database === database).length, 0)
    }
    writer.entry(key.key, key.text, undefined, key.expireAtMs, key.use)
  }
  writer.end()
  expect(writer.bytesWritten).toBe(Buffer.concat(chunks).length)
  return Buffer.concat(chunks)
}

const REPLICATION = { id: 'a'.repeat(40), offset: 12345, databaseIndex: 3 }

const copyOf = ({ memory, start, end }: ByteRange) => Buffer.from(memory.subarray(start, end))

function collector(): { visitor: RdbVisitor; keys: Key[]; aux: Record<string, string> } {
  const keys: Key[] = []
  const aux: Record<string, string> = {}
  let database = 0
  const visitor: RdbVisitor = {
    aux: (name, value) => {
      aux[name] = value
    },
    selectDatabase: (index) => {
      database = index
    },
    entry: (key, text, _aggregate, expireAtMs, use) => {
      const entry: Key = { database, key: copyOf(key), text: copyOf(text as ByteRange), expireAtMs }
      if (use !== undefined) entry.use = use
      keys.push(entry)
    },
  }
  return { visitor, keys, aux }
}

function readAll(file: Buffer, chunkBytes = file.length): ReturnType<typeof collector> {
  const result = collector()
  const reader = new RdbReader(result.visitor, true, testSettings)
  for (let at = 0; at < file.length; at += chunkBytes) {
    reader.feed(file.subarray(at, at + chunkBytes))
    reader.advance()
  }
  reader.finish()
  return result
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }).map((value) => Buffer.from(value)),
  fc.integer().map((value) => Buffer.from(String(value))),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Buffer.from(String(value))),
  fc
    .constantFrom('0', '-0', '00', '+1', '-', '', '-128', '127', '128', '-32769', '2147483648', '1e3')
    .map((value) => Buffer.from(value)),
  fc.tuple(fc.string(), fc.integer({ min: 1, max: 600 })).map(([text, times]) => Buffer.from(text.repeat(times))),
)
const keyArbitrary: fc.Arbitrary<Key> = fc
  .record({
    database: fc.integer({ min: 0, max: 20 }),
    key: bytes,
    text: bytes,
    expireAtMs: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 2 ** 45 })),
    use: fc.option(
      fc.oneof(
        fc.record({ idleSeconds: fc.integer({ min: 0, max: 2 ** 31 }) }),
        fc.record({ frequency: fc.integer({ min: 0, max: 255 }) }),
      ),
      { nil: undefined },
    ),
  })
  .map((key) => {
    const copy: Key = { ...key }
    if (copy.use === undefined) delete copy.use
    return copy
  })

test('what was written reads back the same, however its bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(keyArbitrary, { maxLength: 20 }),
      fc.integer({ min: 1, max: 5000 }),
      fc.boolean(),
      fc.boolean(),
      (keys, chunkBytes, checksum, compression) => {
        const result = readAll(write(keys, checksum, compression), chunkBytes)
        expect(result.keys).toEqual(keys)
        expect(result.aux).toMatchObject({
          'redis-ver': '7.0.15',
          'redis-bits': '64',
          'repl-id': REPLICATION.id,
          'repl-offset': '12345',
          'repl-stream-db': '3',
        })
      },
    ),
    { numRuns: 40 },
  )
})

const SAMPLE: Key[] = [
  { database: 0, key: Buffer.from('name'), text: Buffer.from('value'), expireAtMs: -1 },
  { database: 2, key: Buffer.from('other'), text: Buffer.from('x'.repeat(1000)), expireAtMs: 1_700_000_000_123 },
]

test('a change of any single byte is an error or noticed by the checksum', () => {
  const file = write(SAMPLE)
  for (let at = 0; at < file.length - 8; at++) {
    const damaged = Buffer.from(file)
    damaged[at] = (damaged[at] as number) ^ 0x41
    expect(() => readAll(damaged), `byte ${at}`).toThrow(RdbError)
  }
})

test('a file that ends early names the offset at which it ends', () => {
  const file = write(SAMPLE)
  for (let length = 0; length < file.length; length++) {
    expect(() => readAll(file.subarray(0, length), Math.max(1, length))).toThrow(`at offset ${length}`)
  }
})

test('types and operations that cannot be represented are refused by name and offset', () => {
  const head = Buffer.from('REDIS0010')
  const refused =
    (...tail: number[]) =>
    () =>
      readAll(Buffer.concat([head, Buffer.from(tail)]))
  expect(refused(0xfe, 0, 24, 1, 107)).toThrow('Cannot load RDB type 24 (hash with field expiry) at offset 11')
  expect(refused(99)).toThrow('Unknown RDB encoding type 99 at offset 9')
  expect(refused(247)).toThrow('module AUX')
  expect(refused(245, 1, 97)).toThrow('functions')
  expect(() => readAll(Buffer.from('REDIS0013'))).toThrow("Can't handle RDB format version 13")
  expect(() => readAll(Buffer.from('hello, world'))).toThrow('Wrong signature')
})

test('what follows the end of the file is left to the caller', () => {
  const result = collector()
  const reader = new RdbReader(result.visitor, true, testSettings)
  reader.feed(Buffer.concat([write(SAMPLE), Buffer.from('*1\r\n')]))
  expect(reader.advance()).toBe('end')
  expect(reader.rest().toString()).toBe('*1\r\n')
})

test('reading can stop after any number of items', () => {
  const result = collector()
  const reader = new RdbReader(result.visitor, true, testSettings)
  reader.feed(write(SAMPLE))
  let turns = 1
  while (reader.advance(1) !== 'end') turns++
  expect(turns).toBeGreaterThan(10)
  expect(result.keys).toEqual(SAMPLE)
})

test('dump payloads read back; a wrong checksum or a newer version is not accepted', () => {
  fc.assert(
    fc.property(bytes, (text) => {
      const payload = dumpPayload(text, undefined, true)
      expect(readDumpPayload(payload, testSettings)?.text).toEqual(text)
      const damaged = Buffer.from(payload)
      damaged[0] = 1
      expect(readDumpPayload(damaged, testSettings)).toBeUndefined()
    }),
  )
})
