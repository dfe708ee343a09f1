import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OrderedBlocks } from './ordered-blocks.ts'
import { StreamId } from './stream-id.ts'

const idOf = (n: number) => StreamId.ofMs(n)
const step = fc.record({ insert: fc.boolean(), id: fc.nat(3000), run: fc.nat(900) })

test('ordered blocks hold what a sorted array holds, and find places in it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.nat(3000), (steps, probe) => {
      const blocks = new OrderedBlocks<{ id: StreamId }>()
      const model = new Set<number>()
      for (const { insert, id, run } of steps) {
        for (let n = id; n < id + run; n++) {
          if (insert) expect(blocks.insert({ id: idOf(n) })).toBe(!model.has(n))
          else expect(blocks.remove(idOf(n)) !== undefined).toBe(model.has(n))
          if (insert) model.add(n)
          else model.delete(n)
        }
      }
      const sorted = [...model].sort((a, b) => a - b)
      const numbers = [...blocks].map(({ id }) => Number(id.ms))
      expect(numbers).toEqual(sorted)
      expect(blocks.size).toBe(sorted.length)
      const number = (item: { id: StreamId } | undefined) => (item === undefined ? undefined : Number(item.id.ms))
      expect([number(blocks.first), number(blocks.last)]).toEqual([sorted[0], sorted.at(-1)])
      const place = blocks.ceiling(idOf(probe))
      expect(number(blocks.item(place))).toBe(sorted.find((n) => n >= probe))
      expect(number(blocks.advance(place))).toBe(sorted.filter((n) => n >= probe)[1])
      expect(number(blocks.item(blocks.floor(idOf(probe))))).toBe(sorted.filter((n) => n <= probe).at(-1))
      const back = blocks.ceiling(idOf(probe))
      expect(number(blocks.retreat(back))).toBe(sorted.filter((n) => n < probe).at(-1))
    }),
    { numRuns: 50 },
  )
})
