import { expect, test } from 'vitest'
import { globMatch } from './glob.ts'

const matches = (pattern: string, subject: string) => globMatch(Buffer.from(pattern), Buffer.from(subject))

test.each([
  ['', '', true],
  ['', 'a', false],
  ['*', '', false],
  ['**', '', false],
  ['a**', 'a', true],
  ['a*c', 'abbbc', true],
  ['a*c', 'abbbcd', false],
  ['*a*b*c*', 'xxaxxbxxcxx', true],
  ['*a*b*c*', 'xxaxxcxxbxx', false],
  ['h?llo', 'hello', true],
  ['h?llo', 'hllo', false],
  ['h[ae]llo', 'hallo', true],
  ['h[ae]llo', 'hillo', false],
  ['h[^e]llo', 'hello', false],
  ['h[^e]llo', 'hallo', true],
  ['[z-a]', 'q', true],
  ['[a-c]x', 'bx', true],
  ['[a-c]x', 'dx', false],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['[\\]]', ']', true],
  ['[abc', 'b', true],
  ['a\\', 'a\\', true],
  ['user:*:name', 'user:1:2:name', true],
])('%j against %j: %j', (pattern, subject, expected) => {
  expect(matches(pattern, subject)).toBe(expected)
})

test('a pattern of many stars that cannot match is refused in reasonable time', () => {
  expect(matches('a*'.repeat(60), 'a'.repeat(2000).concat('b'))).toBe(true)
  expect(matches(`${'*a'.repeat(60)}c`, 'a'.repeat(5000))).toBe(false)
})
