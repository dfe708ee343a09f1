import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BitOperation } from './bit-program.ts'
import { combineBits, countSetBits, skipBytes } from './bit-words.ts'

/** The same bytes at any place in their memory. */
const texts = fc
  .tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 5 }))
  .map(([bytes, offset]) => Buffer.concat([Buffer.alloc(offset), bytes]).subarray(offset))

/** Also around the length of a part. */
const longTexts = fc
  .tuple(texts, fc.constantFrom(0, 16_380, 40_000), fc.integer())
  .map(([text, length, seed]) =>
    Buffer.concat([Buffer.from(Uint8Array.from({ length }, (_, i) => Math.imul(i + 1, seed) >>> 24)), text]),
  )

test('texts are combined bit by bit, shorter ones filled up with zeros, also into one of them', () =>
  fc.assert(
    fc.property(
      fc.array(longTexts, { minLength: 1, maxLength: 4 }),
      fc.constantFrom<BitOperation>('and', 'or', 'xor'),
      fc.nat(4),
      (sources, operation, target) => {
        const one = {
          and: (x: number, y: number) => x & y,
          or: (x: number, y: number) => x | y,
          xor: (x: number, y: number) => x ^ y,
        }[operation]
        const length = Math.max(...sources.map((source) => source.length))
        const wanted = Buffer.alloc(length)
        for (let i = 0; i < length; i++) wanted[i] = sources.map((source) => source[i] ?? 0).reduce(one)
        const own = sources[target]
        const into = own?.length === length ? own : Buffer.alloc(length)
        combineBits(into, sources, operation)
        expect(into.equals(wanted)).toBe(true)
      },
    ),
    { numRuns: 50 },
  ))

test('all bits are inverted and counted', () =>
  fc.assert(
    fc.property(longTexts, fc.nat(100_000), fc.nat(100_000), (text, x, y) => {
      const [start, end] = [Math.min(x, y, text.length), Math.min(Math.max(x, y), text.length)]
      let bits = 0
      for (const byte of text.subarray(start, end)) bits += byte.toString(2).replaceAll('0', '').length
      expect(countSetBits(text, start, end)).toBe(bits)
      const wanted = Buffer.from(text.map((byte) => ~byte))
      combineBits(text, [text], 'not')
      expect(text.equals(wanted)).toBe(true)
    }),
    { numRuns: 50 },
  ))

const skips = fc.oneof(fc.nat(30), fc.nat(40_000))

test('bytes that are all zero or all one are skipped', () =>
  fc.assert(
    fc.property(fc.constantFrom<0 | 255>(0, 255), skips, texts, fc.nat(5), (byte, count, rest, start) => {
      const text = Buffer.concat([Buffer.alloc(count + start, byte), rest])
      const found = text.findIndex((one, index) => index >= start && one !== byte)
      expect(skipBytes(text, byte, start, text.length)).toBe(found < 0 ? text.length : found)
    }),
  ))
