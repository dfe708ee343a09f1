import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compress, decompress } from './lzf.ts'

/** Texts with repetitions of all kinds of length and distance. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 600 })), { maxLength: 12 })
  .map((parts) => Buffer.concat(parts.map(([text, times]) => Buffer.concat(Array(times).fill(Buffer.from(text))))))

function packed(text: Uint8Array): Buffer | undefined {
  const output = Buffer.alloc(Math.max(0, text.length - 4))
  const size = compress(text, output)
  return size === 0 ? undefined : output.subarray(0, size)
}

test('what was compressed expands to the same bytes', () => {
  fc.assert(
    fc.property(fc.oneof(repetitive, fc.uint8Array({ maxLength: 300 })), (text) => {
      const small = packed(text)
      if (small === undefined) return
      const back = Buffer.alloc(text.length)
      expect(decompress(small, back)).toBe(true)
      expect(back.equals(text)).toBe(true)
    }),
  )
})

test('a repeated byte shrinks to almost nothing, noise is left alone', () => {
  expect(packed(Buffer.alloc(10_000, 97))?.length).toBeLessThan(200)
  expect(packed(Buffer.from(Array.from({ length: 256 }, (_, i) => i)))).toBeUndefined()
})

test('the result depends on the input alone, not on what was compressed before', () => {
  fc.assert(
    fc.property(repetitive, repetitive, (first, second) => {
      const before = packed(first)
      packed(second)
      expect(packed(first)).toEqual(before)
    }),
  )
})

test('damaged input is refused, never read or written out of bounds', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 0, max: 100 }), (input, length) => {
      const frame = Buffer.alloc(length + 1, 0xee)
      decompress(input, frame.subarray(0, length))
      expect(frame[length]).toBe(0xee)
    }),
  )
  expect(decompress(Buffer.from([0x20, 5]), Buffer.alloc(3))).toBe(false)
})
