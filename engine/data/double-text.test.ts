import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseLenientDouble, parseStrictDouble } from './double-text.ts'

test('what JavaScript prints reads back', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(parseStrictDouble(String(value))).toBe(Number(String(value)))
    }),
  )
})

test.each([
  ['1.5', 1.5],
  ['+.5', 0.5],
  ['5.', 5],
  ['1e3', 1000],
  ['-0', -0],
  ['0e5', 0],
  ['0x10', 16],
  ['-0x1.8p1', -3],
  ['inf', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])('%j is %d', (text, value) => {
  expect(parseStrictDouble(text)).toBe(value)
  expect(parseLenientDouble(text)).toBe(value)
})

test.each(['', ' 1', '1e999', '-1e999', '1e-999'])(
  '%j is a number only where blanks and ranges do not matter',
  (text) => {
    expect(parseStrictDouble(text)).toBeUndefined()
    expect(parseLenientDouble(text)).toBe(text === '' ? 0 : Number(text))
  },
)

test.each(['nan', 'x', '1x', '1 ', '.', 'e5', '0x', '1e', 'infin', '--1', '1,5'])('%j is no number', (text) => {
  expect(parseStrictDouble(text)).toBeUndefined()
  expect(parseLenientDouble(text)).toBeUndefined()
})
