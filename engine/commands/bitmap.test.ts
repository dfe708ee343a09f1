import fc from 'fast-check'
import { test } from 'vitest'
import { againstRedis, usePair } from '../testing/differential.ts'

const keys = fc.constantFrom('a', 'b', 'c')
const bit = fc.constantFrom('0', '1', '2', '-1', 'x')
const offset = fc.constantFrom('0', '1', '7', '8', '30', '100', '-1', 'x', '4294967296', '99999999999999999999')
const index = fc.constantFrom('0', '1', '2', '-1', '-2', '-9', '5', '40', 'x')
const type = fc.constantFrom('u8', 'i8', 'u1', 'i5', 'i64', 'u63', 'u64', 'i65', 'u0', 'x', 'U8')
const place = fc.constantFrom('0', '3', '#0', '#1', '#2', '100', '-1', 'x', '#x', '')
const amount = fc.constantFrom('0', '1', '-1', '100', '300', '-200', '9223372036854775807', '-9223372036854775808', 'x')
const unit = fc.constantFrom('BIT', 'BYTE', 'bit', 'FOO')
const field = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constant('GET'), type, place),
      fc.tuple(fc.constantFrom('SET', 'INCRBY'), type, place, amount),
      fc.tuple(fc.constant('OVERFLOW'), fc.constantFrom('WRAP', 'SAT', 'FAIL', 'x')),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.flat())

const anyCommand: fc.Arbitrary<string[]> = fc.oneof(
  fc.tuple(fc.constant('SETBIT'), keys, offset, bit),
  fc.tuple(fc.constant('GETBIT'), keys, offset),
  fc.tuple(fc.constantFrom('GET', 'DEL', 'BITCOUNT'), keys),
  fc.tuple(fc.constant('SET'), keys, fc.constantFrom('', '123', 'foobar', '\xff\xff', '\x00\xff\xf0')),
  fc.tuple(fc.constant('BITCOUNT'), keys, index),
  fc.tuple(fc.constant('BITCOUNT'), keys, index, index),
  fc.tuple(fc.constant('BITCOUNT'), keys, index, index, unit),
  fc.tuple(fc.constant('BITPOS'), keys, bit),
  fc.tuple(fc.constant('BITPOS'), keys, bit, index),
  fc.tuple(fc.constant('BITPOS'), keys, bit, index, index),
  fc.tuple(fc.constant('BITPOS'), keys, bit, index, index, unit),
  fc.tuple(fc.constant('BITOP'), fc.constantFrom('AND', 'or', 'XOR', 'NOT', 'x'), keys, keys),
  fc.tuple(fc.constant('BITOP'), fc.constantFrom('AND', 'OR', 'XOR', 'NOT'), keys, keys, keys, keys),
  fc.tuple(fc.constantFrom('BITFIELD', 'BITFIELD_RO'), keys, field).map(([name, key, rest]) => [name, key, ...rest]),
  fc.tuple(fc.constant('OBJECT'), fc.constant('ENCODING'), keys),
)

againstRedis('bit commands answer as redis-server 7.0 does', () => {
  const pair = usePair()

  test('any sequence of commands', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyCommand, { minLength: 10, maxLength: 60, size: 'max' }), async (commands) => {
        await pair().same(commands)
      }),
      { numRuns: 60 },
    )
  })
})
