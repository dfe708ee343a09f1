import fc from 'fast-check'
import { expect, test } from 'vitest'
import { randomFromText } from './random.ts'
import { NO_NODE, Skiplist } from './skiplist.ts'

interface Pair {
  score: number
  member: string
}

const byOrder = (a: Pair, b: Pair): number => a.score - b.score || (a.member < b.member ? -1 : 1)
const scores = fc.constantFrom(-1e300, -2, -0.5, 0, 1, 1.5, 2, 3, 1e300)
const members = fc.oneof(fc.nat(30).map(String), fc.constantFrom('', '\xff', '\x00', 'a', 'aa', 'é'))

function pairAt(list: Skiplist, rank: number): Pair {
  const node = list.at(rank)
  return { score: list.score(node), member: list.member(node) }
}

function pairsOf(list: Skiplist): Pair[] {
  return Array.from({ length: list.size }, (_, rank) => pairAt(list, rank))
}

test('a skip list holds members in the order of score and bytes, and knows their ranks', () => {
  const steps = fc.array(fc.record({ score: scores, member: members, rescores: fc.boolean() }), { maxLength: 150 })
  fc.assert(
    fc.property(steps, fc.string(), (sequence, seed) => {
      const random = randomFromText(seed)
      const list = new Skiplist(() => random.uint32())
      let model: Pair[] = []
      for (const { score, member, rescores } of sequence) {
        const old = model.find((pair) => pair.member === member)
        if (old === undefined) {
          list.insert(score, member)
          model = [...model, { score, member }].sort(byOrder)
        } else if (rescores) {
          list.rescore(old.score, member, score)
          model = [...model.filter((pair) => pair !== old), { score, member }].sort(byOrder)
        } else {
          list.remove(old.score, member)
          model = model.filter((pair) => pair !== old)
        }
        expect(list.size).toBe(model.length)
      }
      model.forEach((pair, rank) => {
        expect(pairAt(list, rank)).toEqual(pair)
        expect(list.rank(pair.score, pair.member)).toBe(rank)
        expect(list.previous(list.at(rank))).toBe(list.at(rank - 1))
        expect(list.after(list.at(rank))).toBe(list.at(rank + 1))
      })
      expect(list.at(model.length)).toBe(NO_NODE)
      expect(list.first()).toBe(list.at(0))
      expect(list.last()).toBe(list.at(model.length - 1))
      for (const limit of [-3, 0, 1.2, 5]) {
        expect(list.rankOf((node) => node.score >= limit)).toBe(model.filter(({ score }) => score < limit).length)
      }
    }),
  )
})

test('finding a rank takes few steps in a large list', () => {
  const random = randomFromText('large')
  const list = new Skiplist(() => random.uint32())
  for (let i = 0; i < 20_000; i++) list.insert(i % 977, String(i))
  let compared = 0
  const rank = list.rankOf((node) => {
    compared++
    return node.score >= 500
  })
  expect(rank).toBe(Array.from({ length: 20_000 }, (_, i) => i % 977).filter((score) => score < 500).length)
  expect(compared).toBeLessThan(200)
  expect(list.links / list.size).toBeCloseTo(4 / 3, 1)
})

test('a copy goes its own way, and blocks of removed members are used again', () => {
  const random = randomFromText('copy')
  const list = new Skiplist(() => random.uint32())
  for (let i = 0; i < 10_000; i++) list.insert((i * 7919) % 10_007, `m${i}`)
  const before = pairsOf(list)
  expect(before.map(({ score }) => score)).toEqual(before.map(({ score }) => score).toSorted((a, b) => a - b))
  const copy = list.clone(() => random.uint32())
  for (const { score, member } of before) if (score % 3 > 0) copy.remove(score, member)
  for (let i = 0; i < 5000; i++) copy.insert(i / 8, `n${i}`)
  expect(pairsOf(list)).toEqual(before)
  const expected = before.filter(({ score }) => score % 3 === 0)
  for (let i = 0; i < 5000; i++) expected.push({ score: i / 8, member: `n${i}` })
  expect(pairsOf(copy)).toEqual(expected.sort(byOrder))
})
