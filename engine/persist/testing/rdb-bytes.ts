/**
 * RDB files made by hand, byte by byte and in every form that a writer may choose, also those that no server writes any
 * more: for tests of reading. Nothing here uses the code that it is to test, but for the checksum and LZF, which have
 * tests of their own.
 */

import { compress } from '../../data/lzf.ts'
import { Crc64 } from '../crc64.ts'

type Text = string | Buffer
const bufferOf = (text: Text): Buffer => (typeof text === 'string' ? Buffer.from(text, 'latin1') : text)

const write = (bytes: number, put: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(bytes)
  put(buffer)
  return buffer
}
export const int16 = (value: number): Buffer => write(2, (to) => to.writeInt16LE(value))
export const int32 = (value: number): Buffer => write(4, (to) => to.writeInt32LE(value))
export const int64 = (value: number | bigint): Buffer => write(8, (to) => to.writeBigInt64LE(BigInt(value)))
export const double = (value: number): Buffer => write(8, (to) => to.writeDoubleLE(value))
export const byte = (...values: number[]): Buffer => Buffer.from(values)
export const join = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts)

// ————— Lengths and strings

/** A length in so many bits: 6, 14, 32 or 64. */
export function length(value: number, bits = 6): Buffer {
  if (bits === 6) return value < 64 ? byte(value) : length(value, 14)
  if (bits === 14) return value < 16_384 ? byte(0x40 | (value >> 8), value & 255) : length(value, 32)
  if (bits === 32)
    return join(
      byte(0x80),
      write(4, (to) => to.writeUInt32BE(value)),
    )
  return join(
    byte(0x81),
    write(8, (to) => to.writeBigUInt64BE(BigInt(value))),
  )
}

export function text(value: Text, bits = 6): Buffer {
  const bytes = bufferOf(value)
  return join(length(bytes.length, bits), bytes)
}

/** The decimal text of a number, held in 8, 16 or 32 bits. */
export function integerText(value: number, bits: 8 | 16 | 32): Buffer {
  if (bits === 8) return byte(0xc0, value & 255)
  return bits === 16 ? join(byte(0xc1), int16(value)) : join(byte(0xc2), int32(value))
}

/** A compressed string; `bits` of both lengths. */
export function lzf(value: Text, bits = 6): Buffer {
  const bytes = bufferOf(value)
  const packed = Buffer.alloc(bytes.length + 8)
  const size = compress(bytes, packed)
  if (size === 0) throw new Error('this text cannot be compressed')
  return join(byte(0xc3), length(size, bits), length(bytes.length, bits), packed.subarray(0, size))
}

// ————— Compact forms

/** An entry of a ziplist or listpack: a text or number in its least form, or bytes of encoding and data as given. */
export type Entry = string | number | Buffer

/** Ziplist encodings by name, also wider than needed. */
export const ziplistEntry = {
  text6: (value: Text): Buffer => join(byte(bufferOf(value).length), bufferOf(value)),
  text14: (value: Text): Buffer => {
    const bytes = bufferOf(value)
    return join(byte(0x40 | (bytes.length >> 8), bytes.length & 255), bytes)
  },
  text32: (value: Text): Buffer => {
    const bytes = bufferOf(value)
    return join(
      byte(0x80),
      write(4, (to) => to.writeUInt32BE(bytes.length)),
      bytes,
    )
  },
  immediate: (value: number): Buffer => byte(0xf1 + value),
  int8: (value: number): Buffer => byte(0xfe, value & 255),
  int16: (value: number): Buffer => join(byte(0xc0), int16(value)),
  int24: (value: number): Buffer => join(byte(0xf0), int32(value).subarray(0, 3)),
  int32: (value: number): Buffer => join(byte(0xd0), int32(value)),
  int64: (value: number | bigint): Buffer => join(byte(0xe0), int64(value)),
}

function ziplistBody(entry: Entry): Buffer {
  if (Buffer.isBuffer(entry)) return entry
  if (typeof entry === 'string') {
    if (entry.length < 64) return ziplistEntry.text6(entry)
    return entry.length < 16_384 ? ziplistEntry.text14(entry) : ziplistEntry.text32(entry)
  }
  if (entry >= 0 && entry <= 12) return ziplistEntry.immediate(entry)
  return entry >= -128 && entry < 128 ? ziplistEntry.int8(entry) : ziplistEntry.int32(entry)
}

/** 65535 stands for a count that is not known. */
const count16 = (count: number): Buffer => int32(Math.min(count, 65_535)).subarray(0, 2)

/** `wideBack`: the length of the entry before always takes five bytes, as after an entry that has become shorter. */
export function ziplist(entries: readonly Entry[], { wideBack = false, count = entries.length } = {}): Buffer {
  const parts: Buffer[] = []
  let before = 0
  let last = 10
  let at = 10
  for (const entry of entries) {
    const body = ziplistBody(entry)
    const back = before < 254 && !wideBack ? byte(before) : join(byte(254), int32(before))
    last = at
    before = back.length + body.length
    at += before
    parts.push(back, body)
  }
  return Buffer.concat([int32(at + 1), int32(last), count16(count), ...parts, byte(255)])
}

/** Listpack encodings by name. */
export const listpackEntry = {
  uint7: (value: number): Buffer => byte(value),
  int13: (value: number): Buffer => byte(0xc0 | ((value >> 8) & 0x1f), value & 255),
  int16: (value: number): Buffer => join(byte(0xf1), int16(value)),
  int24: (value: number): Buffer => join(byte(0xf2), int32(value).subarray(0, 3)),
  int32: (value: number): Buffer => join(byte(0xf3), int32(value)),
  int64: (value: number | bigint): Buffer => join(byte(0xf4), int64(value)),
  text6: (value: Text): Buffer => join(byte(0x80 | bufferOf(value).length), bufferOf(value)),
  text12: (value: Text): Buffer => {
    const bytes = bufferOf(value)
    return join(byte(0xe0 | (bytes.length >> 8), bytes.length & 255), bytes)
  },
  text32: (value: Text): Buffer => join(byte(0xf0), int32(bufferOf(value).length), bufferOf(value)),
}

function listpackBody(entry: Entry): Buffer {
  if (Buffer.isBuffer(entry)) return entry
  if (typeof entry === 'string') {
    if (entry.length < 64) return listpackEntry.text6(entry)
    return entry.length < 4096 ? listpackEntry.text12(entry) : listpackEntry.text32(entry)
  }
  return entry >= 0 && entry < 128 ? listpackEntry.uint7(entry) : listpackEntry.int32(entry)
}

/** Seven bits a byte, the lowest in the last; all but the first are marked. */
function backLength(size: number): Buffer {
  const bytes = [size & 127]
  for (let rest = size >> 7; rest > 0; rest >>= 7) bytes.unshift(rest & 127)
  return Buffer.from(bytes.map((value, i) => (i === 0 ? value : value | 128)))
}

export function listpack(entries: readonly Entry[], { count = entries.length } = {}): Buffer {
  const parts = entries.map((entry) => {
    const body = listpackBody(entry)
    return join(body, backLength(body.length))
  })
  const size = 6 + parts.reduce((sum, part) => sum + part.length, 0) + 1
  return Buffer.concat([int32(size), count16(count), ...parts, byte(255)])
}

export function intset(width: 2 | 4 | 8, values: readonly number[]): Buffer {
  const put = { 2: int16, 4: int32, 8: int64 }[width]
  return join(int32(width), int32(values.length), ...values.map((value) => put(value)))
}

/** `unused`: so many bytes follow each value; `wide`: every length takes five bytes. */
export function zipmap(
  pairs: readonly (readonly [string, string])[],
  { unused = 0, wide = false, count = Math.min(pairs.length, 254) } = {},
): Buffer {
  const size = (value: string): Buffer =>
    value.length < 254 && !wide ? byte(value.length) : join(byte(254), int32(value.length))
  const parts = pairs.map(([key, value]) =>
    join(size(key), bufferOf(key), size(value), byte(unused), bufferOf(value), Buffer.alloc(unused, 0x55)),
  )
  return join(byte(count), ...parts, byte(255))
}

/** An id of a stream in 16 bytes. */
export function streamId(ms: number, sequence: number): Buffer {
  return write(16, (to) => {
    to.writeBigUInt64BE(BigInt(ms))
    to.writeBigUInt64BE(BigInt(sequence), 8)
  })
}

// ————— Files

/** The keys that follow are those of a database. */
export const database = (index: number): Buffer => join(byte(254), length(index))

/** A key with its value; `before` is what stands in front of the type (expiry, use). */
export function entry(type: number, key: Buffer | string, value: Buffer, before: Buffer = Buffer.alloc(0)): Buffer {
  return join(before, byte(type), typeof key === 'string' ? text(key) : key, value)
}

/** Header, parts, end; a checksum from version 5 on unless `checksum` is given. */
export function rdbFile(version: number, parts: readonly Buffer[], { checksum }: { checksum?: Buffer } = {}): Buffer {
  const body = join(Buffer.from(`REDIS${String(version).padStart(4, '0')}`), ...parts, byte(255))
  if (version < 5) return body
  const crc = new Crc64()
  crc.update(body)
  return join(body, checksum ?? crc.bytes())
}
