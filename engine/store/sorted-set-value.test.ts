import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AggregateSettings } from './aggregate-settings.ts'
import { type ScoredMember, SortedSetValue } from './sorted-set-value.ts'
import { testSettings } from './testing/aggregate-settings.ts'

const settings: AggregateSettings = {
  ...testSettings,
  limits: { ...testSettings.limits, 'zset-max-listpack-entries': 6, 'zset-max-listpack-value': 5 },
}
const members = fc.oneof(
  { weight: 9, arbitrary: fc.nat(12).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('', '\xff', 'longer than five') },
)
const scores = fc.constantFrom(Number.NEGATIVE_INFINITY, -1, 0, 0.5, 1, 1, 2, Number.POSITIVE_INFINITY)

/** Without subtraction: it gives NaN for equal infinities. */
function byOrder(a: ScoredMember, b: ScoredMember): number {
  if (a.score !== b.score) return a.score < b.score ? -1 : 1
  return a.member < b.member ? -1 : 1
}
const plain = (pairs: Iterable<ScoredMember>) => Array.from(pairs, ({ member, score }) => ({ member, score }))

test('a sorted set holds what a Map holds, in order; it becomes a skip list for good when it is large', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('set', 'set', 'remove'), members, scores), { maxLength: 50 })
  fc.assert(
    fc.property(steps, (sequence) => {
      const value = SortedSetValue.empty(settings)
      const model = new Map<string, number>()
      let isLarge = false
      for (const [action, member, score] of sequence) {
        if (action === 'set') {
          expect(value.set(member, score)).toBe(!model.has(member))
          model.set(member, score)
        } else {
          expect(value.remove(member)).toBe(model.delete(member))
        }
        isLarge ||= model.size > 6 || [...model.keys()].some((key) => key.length > 5)
        expect(value.encoding).toBe(isLarge ? 'skiplist' : 'listpack')
      }
      const ordered = Array.from(model, ([member, score]) => ({ member, score })).sort(byOrder)
      for (const one of [value, value.clone()]) {
        expect(plain(one.range())).toEqual(ordered)
        for (const reverse of [false, true]) {
          expect(visited(one, 0, one.size, reverse)).toEqual(plain(one.range(0, one.size, reverse)))
          expect(visited(one, 2, 5, reverse)).toEqual(plain(one.range(2, 5, reverse)))
        }
        expect(plain(one.range(1, 3, true))).toEqual(ordered.slice(1, 3).reverse())
        expect(ordered.map(({ member }) => one.rank(member))).toEqual(ordered.map((_, rank) => rank))
        expect(one.rankOf(({ score }) => score >= 1)).toBe(ordered.filter(({ score }) => score < 1).length)
      }
      const seen = new Map<string, number>()
      let cursor = 0
      do cursor = value.scan(cursor, 2, ({ member, score }) => seen.set(member, score))
      while (cursor !== 0)
      expect(seen).toEqual(model)
    }),
  )
})

function visited(value: SortedSetValue, start: number, stop: number, reverse: boolean): ScoredMember[] {
  const found: ScoredMember[] = []
  value.visitRange(start, stop, reverse, (memory, from, to, score) => {
    found.push({ member: memory.toString('latin1', from, to), score })
  })
  return found
}

test('a range of ranks is removed, and nothing else, in either form', () => {
  const sets = fc.uniqueArray(fc.tuple(members, scores), { selector: ([member]) => member, maxLength: 12 })
  fc.assert(
    fc.property(sets, fc.nat(12), fc.nat(12), (pairs, a, b) => {
      const value = SortedSetValue.empty(settings)
      for (const [member, score] of pairs) value.set(member, score)
      const before = plain(value.range())
      const [start, stop] = [Math.min(a, b, value.size), Math.min(Math.max(a, b), value.size)]
      value.removeRange(start, stop)
      expect(plain(value.range())).toEqual([...before.slice(0, start), ...before.slice(stop)])
      for (const { member, score } of before.slice(start, stop)) expect(value.set(member, score)).toBe(true)
      expect(plain(value.range())).toEqual(before)
    }),
  )
})

test('a copy is independent, in either form', () => {
  for (const member of ['a', 'longer than five']) {
    const value = SortedSetValue.empty(settings)
    value.set(member, 1)
    const copy = value.clone()
    copy.set(member, 2)
    copy.set('b', 0)
    expect([plain(value.range()), plain(copy.range())]).toEqual([
      [{ member, score: 1 }],
      [
        { member: 'b', score: 0 },
        { member, score: 2 },
      ],
    ])
  }
})
