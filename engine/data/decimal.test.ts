import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isCanonicalInteger, parseInt64, parseSafeInteger, writeSafeInteger } from './decimal.ts'

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer().map(BigInt),
  fc.constantFrom(0n, -1n, 2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n) + 1n, -(2n ** 63n), 2n ** 63n - 1n, 10n ** 15n),
)

/** Between other digits, so that reading too far shows. */
function embedded(text: string): [Buffer, number, number] {
  return [Buffer.from(`77${text}88`), 2, 2 + text.length]
}

describe('canonical integers', () => {
  test('every int64 in decimal is one and reads back', () => {
    fc.assert(
      fc.property(int64, (value) => {
        const [memory, start, end] = embedded(String(value))
        expect(isCanonicalInteger(memory, start, end)).toBe(true)
        expect(parseInt64(memory, start, end)).toBe(value)
        const safe = value >= -(2n ** 53n) + 1n && value <= 2n ** 53n - 1n
        expect(parseSafeInteger(memory, start, end)).toBe(safe ? Number(value) : Number.NaN)
      }),
    )
  })

  test('any other text is none', () => {
    const near = fc.stringMatching(/^[-+ ]?[0-9a]{0,21}$/)
    fc.assert(
      fc.property(fc.oneof(near, fc.string({ maxLength: 22 })), (text) => {
        const bytes = Buffer.from(text, 'latin1')
        const canonical = /^(0|-?[1-9][0-9]{0,18})$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
        expect(isCanonicalInteger(bytes, 0, bytes.length)).toBe(canonical)
        expect(parseInt64(bytes, 0, bytes.length) !== undefined).toBe(canonical)
        if (!canonical) expect(parseSafeInteger(bytes, 0, bytes.length)).toBeNaN()
      }),
    )
  })

  test.each(['', '-', '-0', '00', '01', '+1', ' 1', '1 ', '9223372036854775808', '-9223372036854775809'])(
    '%j is none',
    (text) => {
      const [memory, start, end] = embedded(text)
      expect(isCanonicalInteger(memory, start, end)).toBe(false)
      expect(parseSafeInteger(memory, start, end)).toBeNaN()
    },
  )

  test('writing gives the shortest text', () => {
    const into = Buffer.alloc(24)
    const safe = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(0, 9, 10, -10, 2 ** 31, 2 ** 32))
    fc.assert(
      fc.property(safe, (value) => {
        expect(into.toString('latin1', 0, writeSafeInteger(into, value))).toBe(String(value))
      }),
    )
  })
})
