import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDouble } from '../data/double-text.ts'
import {
  DoubleReply,
  MapReply,
  PushReply,
  ReplyError,
  ReplyParser,
  ReplySyntaxError,
  type ReplyValue,
  SetReply,
  VerbatimReply,
} from './reply-parser.ts'
import { BufferPool, ReplyWriter } from './writer.ts'

function newWriter(protocol: 2 | 3, poolBytes = 64): ReplyWriter {
  const writer = new ReplyWriter(new BufferPool(poolBytes), { onFirstByte() {}, onError() {} })
  writer.protocol = protocol
  return writer
}

function write(writer: ReplyWriter, value: ReplyValue): void {
  if (value === null) writer.nil()
  else if (typeof value === 'string') writer.simple(value)
  else if (Buffer.isBuffer(value)) writer.bulk(value)
  else if (typeof value === 'number' || typeof value === 'bigint') writer.integer(value)
  else if (typeof value === 'boolean') writer.boolean(value)
  else if (value instanceof ReplyError) writer.error(value.message)
  else if (value instanceof DoubleReply) writer.double(value.value)
  else if (value instanceof VerbatimReply) writer.verbatim(value.format, value.text.toString())
  else if (value instanceof MapReply) {
    writer.map(value.entries.length)
    for (const entry of value.entries.flat()) write(writer, entry)
  } else {
    const values = Array.isArray(value) ? value : value.values
    if (Array.isArray(value)) writer.array(values.length)
    else if (value instanceof SetReply) writer.set(values.length)
    else writer.push(values.length)
    for (const one of values) write(writer, one)
  }
}

function parse(chunks: readonly Buffer[]): ReplyValue[] {
  const values: ReplyValue[] = []
  const parser = new ReplyParser((value) => values.push(value))
  for (const bytes of chunks) {
    const chunk = Buffer.from(bytes)
    parser.feed(chunk)
    chunk.fill(0x2a)
  }
  expect(parser.idle).toBe(true)
  return values
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((start, i) => bytes.subarray(start, places[i] ?? bytes.length))
}

const line = fc.string({ unit: fc.constantFrom('a', 'Z', ' ', '9', '-', '$'), maxLength: 20 })
const bulk = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
const scalar2 = fc.oneof(
  line,
  bulk,
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 63n - 1n }),
  fc.constant(null),
  line.map((text) => new ReplyError(`ERR ${text}`)),
)
const { value2 } = fc.letrec<{ value2: ReplyValue }>((tie) => ({
  value2: fc.oneof({ depthSize: 'small' }, scalar2, fc.array(tie('value2'), { maxLength: 5 })),
}))
const { value3 } = fc.letrec<{ value3: ReplyValue }>((tie) => ({
  value3: fc.oneof(
    { depthSize: 'small' },
    scalar2,
    fc.boolean(),
    fc.double({ noNaN: true }).map((value) => new DoubleReply(formatDouble(value))),
    fc.string({ maxLength: 20 }).map((text) => new VerbatimReply('txt', Buffer.from(text))),
    fc.array(tie('value3'), { maxLength: 5 }),
    fc.array(tie('value3'), { maxLength: 5 }).map((values) => new SetReply(values)),
    fc.array(tie('value3'), { maxLength: 5 }).map((values) => new PushReply(values)),
    fc.array(fc.tuple(tie('value3'), tie('value3')), { maxLength: 4 }).map((entries) => new MapReply(entries)),
  ),
}))

describe('writer and reply parser', () => {
  for (const [protocol, value] of [
    [2, value2],
    [3, value3],
  ] as const) {
    test(`agree on every RESP${protocol} value, whatever the chunking`, () => {
      fc.assert(
        fc.property(fc.array(value, { maxLength: 5 }), fc.array(fc.nat(3000), { maxLength: 20 }), (values, cuts) => {
          const writer = newWriter(protocol)
          for (const one of values) write(writer, one)
          expect(parse(split(Buffer.from(writer.written()), cuts))).toEqual(values)
        }),
      )
    })
  }

  test('attributes are skipped', () => {
    expect(parse([Buffer.from('|1\r\n+ttl\r\n:3600\r\n:7\r\n')])).toEqual([7])
  })

  test.each(['?\r\n', ':x\r\n', '*x\r\n', '$1x\r\n'])('%j is not RESP', (text) => {
    expect(() => new ReplyParser(() => {}).feed(Buffer.from(text))).toThrow(ReplySyntaxError)
  })
})

describe('the writer', () => {
  test('announces its first byte, once for each flush, and gives its buffer back to the pool', () => {
    let announced = 0
    const pool = new BufferPool(64)
    const writer = new ReplyWriter(pool, { onFirstByte: () => announced++, onError() {} })
    writer.ok()
    const buffer = writer.buffer
    writer.ok()
    writer.release(true)
    expect(announced).toBe(1)
    writer.ok()
    expect(announced).toBe(2)
    expect(writer.buffer).toBe(buffer)
    writer.release(false)
    writer.ok()
    expect(writer.buffer).not.toBe(buffer)
  })
})
