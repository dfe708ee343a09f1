import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Int64, IntSet } from './intset.ts'

const normal = (value: bigint): Int64 => (Number.isSafeInteger(Number(value)) ? Number(value) : value)
const member = fc
  .oneof(
    fc.bigInt({ min: -5n, max: 20n }),
    fc.bigInt({ min: -(2n ** 15n) - 2n, max: 2n ** 15n + 2n }),
    fc.bigInt({ min: -(2n ** 31n) - 2n, max: 2n ** 31n + 2n }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(2n ** 53n, 2n ** 53n - 1n, -(2n ** 53n), -(2n ** 63n), 2n ** 63n - 1n),
  )
  .map(normal)

const members = (set: IntSet): Int64[] => Array.from({ length: set.size }, (_, index) => set.at(index))
const ascending = (values: Iterable<Int64>): Int64[] => [...values].sort((a, b) => (a < b ? -1 : 1))

test('an intset holds what a set of the same integers holds, in order', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('add', 'add', 'remove'), member), { maxLength: 120 })
  fc.assert(
    fc.property(steps, (sequence) => {
      const set = IntSet.empty()
      const model = new Set<Int64>()
      for (const [action, value] of sequence) {
        expect(set.has(value)).toBe(model.has(value))
        if (action === 'add') {
          expect(set.add(value)).toBe(!model.has(value))
          model.add(value)
        } else {
          expect(set.remove(value)).toBe(model.delete(value))
        }
        expect(members(set)).toEqual(ascending(model))
      }
      if (model.size > 0) {
        const copy = IntSet.parse(set.serialized())
        expect(copy).toBeDefined()
        expect(members(copy as IntSet)).toEqual(ascending(model))
      }
    }),
  )
})

test('the bytes are those of Redis, and widen with the widest member', () => {
  const set = IntSet.empty()
  for (const value of [3, 1]) set.add(value)
  expect(set.serialized().toString('hex')).toBe('0200000002000000' + '0100' + '0300')
  set.add(-70000)
  expect(set.serialized().toString('hex')).toBe('0400000003000000' + '90eefeff' + '01000000' + '03000000')
  set.add(2n ** 62n)
  set.remove(2n ** 62n)
  set.remove(-70000)
  expect(set.serialized().toString('hex')).toBe('0800000002000000' + '0100000000000000' + '0300000000000000')
})

test('a copy is independent', () => {
  const set = IntSet.empty()
  set.add(1)
  const copy = set.clone()
  copy.add(2)
  expect([members(set), members(copy)]).toEqual([[1], [1, 2]])
})

test.each([
  ['', 'too short'],
  ['0300000001000000010000', 'a width that does not exist'],
  ['020000000200000001000100', 'a member twice'],
  ['020000000200000002000100', 'not in order'],
  ['02000000020000000100', 'fewer members than counted'],
  ['0200000000000000', 'no members'],
])('the bytes %j are refused: %s', (hex) => {
  expect(IntSet.parse(Buffer.from(hex, 'hex'))).toBeUndefined()
})
