import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ScanTable } from './scan-table.ts'
import { type KeyOrder, ScoreTree, step } from './score-tree.ts'

interface Pair {
  slot: number
  score: number
}

/** Keys of slots in an order that is not that of the slots. */
const keyOf = (slot: number): number => (slot * 7919) % 10_007
const compareKeys = (a: number, b: number): number => keyOf(a) - keyOf(b)

/** Keys that are known by how they compare: nothing is said about their bytes. */
function keysBy(compare: (a: number, b: number) => number): KeyOrder {
  let aimed = 0
  return {
    sharedBytes: 0,
    aim(slot) {
      aimed = slot
    },
    compareAimed: (slot) => compare(aimed, slot),
  }
}

const byOrder = (a: Pair, b: Pair): number =>
  a.score === b.score ? compareKeys(a.slot, b.slot) : a.score < b.score ? -1 : 1
const scores = fc.constantFrom(Number.NEGATIVE_INFINITY, -1e300, -0.5, 0, 1, 2, 3, Number.POSITIVE_INFINITY)

function walk(tree: ScoreTree, reverse: boolean): Pair[] {
  const pairs: Pair[] = []
  if (tree.size === 0) return pairs
  const place = tree.at(reverse ? tree.size - 1 : 0)
  do {
    const { leaf, index } = place
    pairs.push({ slot: leaf.slots[index] as number, score: leaf.scores[index] as number })
  } while (step(place, reverse))
  return pairs
}

/** Runs of slots are added or removed with a score each, so that leaves fill, divide, merge and go. */
const run = fc.record({
  from: fc.nat(3000),
  count: fc.integer({ min: 1, max: 900 }),
  score: scores,
  rises: fc.boolean(),
  removes: fc.boolean(),
})

test('a tree holds slots in the order of score and key, and knows their ranks, while it grows and shrinks', () => {
  fc.assert(
    fc.property(fc.array(run, { maxLength: 12, size: 'max' }), (runs) => {
      const tree = new ScoreTree(keysBy(compareKeys))
      const model = new Map<number, number>()
      for (const { from, count, score, rises, removes } of runs) {
        for (let slot = from; slot < from + count; slot++) {
          const old = model.get(slot)
          if (old !== undefined) tree.remove(slot, old)
          model.delete(slot)
          if (removes) continue
          const wanted = rises ? slot : score
          tree.insert(slot, wanted)
          model.set(slot, wanted)
        }
      }
      const ordered = Array.from(model, ([slot, score]) => ({ slot, score })).sort(byOrder)
      const copy = tree.clone(keysBy(compareKeys))
      for (const { slot, score } of ordered.slice(0, 300)) tree.remove(slot, score)
      expect(walk(tree, false)).toEqual(ordered.slice(300))
      expect([tree.size, copy.size]).toEqual([Math.max(ordered.length - 300, 0), ordered.length])
      expect(walk(copy, false)).toEqual(ordered)
      expect(walk(copy, true)).toEqual(ordered.toReversed())
      ordered.forEach(({ slot, score }, rank) => {
        expect(copy.rank(slot, score)).toBe(rank)
        const { leaf, index } = copy.at(rank)
        expect(leaf.slots[index]).toBe(slot)
      })
      for (const limit of [-3, 0, 1.2, 1500]) {
        expect(copy.rankOf((score) => score >= limit)).toBe(ordered.filter(({ score }) => score < limit).length)
      }
    }),
    { numRuns: 30 },
  )
})

test('keys that begin alike are ordered by all of their bytes, among equal scores and others, while members come and go', () => {
  const part = fc.constantFrom('', 'a', 'ab', 'element:', 'element:0000', '\x00', '\xff')
  const name = fc.tuple(part, part, part, fc.nat(2000)).map(([a, b, c, number]) => a + b + c + number)
  const names = fc.uniqueArray(name, { minLength: 300, maxLength: 1500, size: 'max' })
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 40 }), (keys, scoreCount) => {
      const table = new ScanTable([1, 2], false)
      const tree = new ScoreTree(table)
      const scoreOf = (slot: number): number => slot % scoreCount
      for (const key of keys) {
        const slot = table.addText(key)
        tree.insert(slot, scoreOf(slot))
      }
      const order = (a: number, b: number): number =>
        scoreOf(a) - scoreOf(b) || ((keys[a] as string) < (keys[b] as string) ? -1 : 1)
      const ordered = keys.map((_, slot) => slot).sort(order)
      expect(walk(tree, false).map(({ slot }) => slot)).toEqual(ordered)
      expect(ordered.map((slot) => tree.rank(slot, scoreOf(slot)))).toEqual([...ordered.keys()])
      for (const slot of keys.keys()) if (slot % 3 > 0) tree.remove(slot, scoreOf(slot))
      expect(walk(tree, false).map(({ slot }) => slot)).toEqual(ordered.filter((slot) => slot % 3 === 0))
    }),
    { numRuns: 20 },
  )
})

test('a slot that is renamed is found under its new name', () => {
  const names = new Map<number, number>()
  const tree = new ScoreTree(keysBy((a, b) => compareKeys(names.get(a) ?? a, names.get(b) ?? b)))
  for (let slot = 0; slot < 2000; slot++) tree.insert(slot, slot % 5)
  for (let slot = 0; slot < 2000; slot++) {
    const rank = tree.rank(slot, slot % 5)
    names.set(slot + 5000, slot)
    tree.rename(slot, slot % 5, slot + 5000)
    expect(tree.rank(slot + 5000, slot % 5)).toBe(rank)
  }
  for (let slot = 5000; slot < 7000; slot++) tree.remove(slot, (slot - 5000) % 5)
  expect(tree.size).toBe(0)
})

test('finding a rank takes few steps in a large tree', () => {
  const tree = new ScoreTree(keysBy(compareKeys))
  for (let slot = 0; slot < 20_000; slot++) tree.insert(slot, slot % 977)
  let compared = 0
  const rank = tree.rankOf((score) => {
    compared++
    return score >= 500
  })
  expect(rank).toBe(Array.from({ length: 20_000 }, (_, slot) => slot % 977).filter((score) => score < 500).length)
  expect(compared).toBeLessThan(30)
})

test('memory follows the members, however they come', () => {
  for (const score of [(slot: number) => slot, (slot: number) => -slot, (slot: number) => keyOf(slot)]) {
    const tree = new ScoreTree(keysBy(compareKeys))
    for (let slot = 0; slot < 10_000; slot++) tree.insert(slot, score(slot))
    expect(tree.memoryBytes / 10_000).toBeLessThan(32)
    for (let slot = 0; slot < 9_990; slot++) tree.remove(slot, score(slot))
    expect(tree.memoryBytes).toBeLessThan(20_000)
  }
})

test('what an insertion, a rank and a removal compare grows with the logarithm of the size, all scores being equal', () => {
  /** Mean comparisons of keys per operation on a tree of so many members. */
  const comparisons = (size: number): number[] => {
    let count = 0
    const keys = keysBy((a, b) => {
      count++
      return a - b
    })
    const tree = new ScoreTree(keys)
    for (let i = 0; i < size; i++) tree.insert((i * 7919) % size, 0)
    const samples = 500
    const cost = (operation: (slot: number) => void): number => {
      count = 0
      for (let i = 0; i < samples; i++) operation((i * 104_729) % size)
      return count / samples
    }
    return [
      cost((slot) => void tree.rank(slot, 0)),
      cost((slot) => {
        tree.remove(slot, 0)
        tree.insert(slot, 0)
      }),
    ]
  }
  const [small, large] = [comparisons(1024), comparisons(65_536)]
  // 64 times the members: six more halvings for a look-up, and one for each of two here.
  large.forEach((cost, i) => {
    expect(cost).toBeGreaterThan(small[i] as number)
    expect(cost).toBeLessThan((small[i] as number) + 2 * (6 + 2))
  })
})
