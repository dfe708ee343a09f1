import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatDouble, formatFixed, formatWithPrecision, parseLenientDouble, parseStrictDouble } from './double-text.ts'

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

test.each([
  [3.1, '3.1000000000000001'],
  [0.1, '0.10000000000000001'],
  [1e30, '1e+30'],
  [1e17, '1e+17'],
  [1e16, '10000000000000000'],
  [123456789.125, '123456789.125'],
  [-0.00001, '-1.0000000000000001e-05'],
  [0.0001, '0.0001'],
  [5e-324, '4.9406564584124654e-324'],
  [-0, '-0'],
  // Ties: the even neighbour.
  [562949953421312 + 1 / 8, '562949953421312.12'],
  [562949953421312 + 3 / 8, '562949953421312.38'],
  [-958306083071638 - 1 / 8, '-958306083071638.12'],
  [Number.POSITIVE_INFINITY, 'inf'],
  [Number.NEGATIVE_INFINITY, '-inf'],
])('prints %d as %%.17g', (value, text) => {
  expect(formatDouble(value)).toBe(text)
})

test.each([
  [0.5, 0, '0'],
  [1.5, 0, '2'],
  [2.125, 2, '2.12'],
  [2.375, 2, '2.38'],
  [-0.125, 2, '-0.12'],
  [-1e-9, 2, '-0.00'],
  [-0, 6, '-0.000000'],
  [2 ** 80, 2, '1208925819614629174706176.00'],
  [Number.NEGATIVE_INFINITY, 6, '-inf'],
])('prints %d with %d decimals', (value, decimals, text) => {
  expect(formatFixed(value, decimals)).toBe(text)
})

test.each([
  [0.0001 * (1 - Number.EPSILON), '0.0001'],
  [99999999999999.98, '1e+14'],
  [100000000000005, '1e+14'],
  [100000000000015, '1.0000000000002e+14'],
  [1.00000000000005e16, '1e+16'],
  [1.00000000000015e16, '1.0000000000002e+16'],
  [1024.00000000005, '1024.0000000001'],
])('prints %d with 14 digits', (value, text) => {
  expect(formatWithPrecision(value, 14)).toBe(text)
})
