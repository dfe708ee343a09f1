import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BitOperation, combineBits, countSetBits, invertBits, skipBytes } from './bit-words.ts'

/** The same bytes at any place in their memory. */
const texts = fc
  .tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 5 }))
  .map(([bytes, offset]) => Buffer.concat([Buffer.alloc(offset), bytes]).subarray(offset))

test('two texts are combined bit by bit, the shorter one filled up with zeros', () =>
  fc.assert(
    fc.property(texts, texts, fc.constantFrom<BitOperation>('and', 'or', 'xor'), (a, b, operation) => {
      const byByte = { and: (x: number, y: number) => x & y, or: (x: number, y: number) => x | y }
      const xor = (x: number, y: number) => x ^ y
      const one = operation === 'xor' ? xor : byByte[operation]
      const wanted = Buffer.from(a.map((byte, i) => one(byte, b[i] ?? 0)))
      combineBits(a, b, operation)
      expect(a).toEqual(wanted)
    }),
  ))

test('all bits are inverted and counted', () =>
  fc.assert(
    fc.property(texts, fc.nat(40), fc.nat(40), (text, x, y) => {
      const [start, end] = [Math.min(x, y, text.length), Math.min(Math.max(x, y), text.length)]
      const bits = [...text.subarray(start, end)].map((byte) => byte.toString(2).replaceAll('0', '').length)
      expect(countSetBits(text, start, end)).toBe(bits.reduce((sum, count) => sum + count, 0))
      const wanted = text.map((byte) => ~byte)
      invertBits(text)
      expect([...text]).toEqual([...wanted])
    }),
  ))

test('bytes that are all zero or all one are skipped', () =>
  fc.assert(
    fc.property(fc.constantFrom<0 | 255>(0, 255), fc.nat(30), texts, fc.nat(5), (byte, count, rest, start) => {
      const text = Buffer.concat([Buffer.alloc(count + start, byte), rest])
      const found = text.findIndex((one, index) => index >= start && one !== byte)
      expect(skipBytes(text, byte, start, text.length)).toBe(found < 0 ? text.length : found)
    }),
  ))
