import { describe, expect, test } from 'vitest'
import { addLongDoubles, formatLongDouble, INFINITY, type LongDouble, parseLongDouble } from './long-double.ts'

function sum(a: string, b: string): string | undefined {
  const total = addLongDoubles(parseLongDouble(a) as LongDouble, parseLongDouble(b) as LongDouble)
  return total === undefined ? undefined : formatLongDouble(total)
}

// Answers of INCRBYFLOAT of redis-server 7.0.15 on x86-64.
describe('sums and texts', () => {
  test.each([
    ['0.1', '0.2', '0.3'],
    ['3005.5', '0.1', '3005.60000000000000009'],
    ['0', '0x1p3', '8'],
    ['0', '-0.000000000000000000001', '0'],
    ['0', '3.0e3', '3000'],
    ['0', '5.', '5'],
    ['-5', '.5', '-4.5'],
  ])('%s + %s = %s', (a, b, expected) => {
    expect(sum(a, b)).toBe(expected)
  })

  test('keep 64 bits and no more', () => {
    expect(sum('18446744073709551615', '0')).toBe('18446744073709551615')
    expect(sum('18446744073709551616', '1')).toBe('18446744073709551616')
    expect(sum('18446744073709551616', '3')).toBe('18446744073709551620')
  })

  test('become infinite past 2^16384', () => {
    expect(sum('5e4931', '5e4931')?.length).toBe(4933)
    expect(sum('1e4932', '1e4932')).toBeUndefined()
  })
})

describe('reading', () => {
  test.each([
    '',
    ' 1',
    '1 ',
    'a',
    '1a',
    '.',
    '-',
    'e5',
    '1e',
    '0x',
    'nan',
    '1e5000',
    '1e-5000',
    '--1',
    '1e99999999999',
  ])('refuses %j', (text) => {
    expect(parseLongDouble(text)).toBeUndefined()
  })

  test.each(['inf', '-INF', '+Infinity'])('%s is infinite', (text) => {
    expect(parseLongDouble(text)).toBe(INFINITY)
  })

  test('zero may have any exponent', () => {
    expect(formatLongDouble(parseLongDouble('-0e999999') as LongDouble)).toBe('0')
  })
})
