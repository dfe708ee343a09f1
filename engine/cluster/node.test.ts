import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SLOT_COUNT } from '../data/crc16.ts'
import { nextSlot } from './node.ts'

const slot = fc.integer({ min: 0, max: SLOT_COUNT - 1 })
/** Alone, and in ranges as clusters have them. */
const slots = fc
  .tuple(fc.array(slot), fc.array(fc.tuple(slot, fc.integer({ min: 1, max: 40 })), { maxLength: 4 }))
  .map(([single, ranges]) => {
    const inRanges = ranges.flatMap(([first, length]) => Array.from({ length }, (_, i) => first + i))
    return new Set([...single, ...inRanges].filter((one) => one < SLOT_COUNT))
  })

it('walks exactly the slots of a bitmap, in order', () => {
  fc.assert(
    fc.property(slots, (wanted) => {
      const bitmap = new Uint8Array(SLOT_COUNT / 8)
      for (const one of wanted) bitmap[one >> 3] = bitmap[one >> 3]! | (1 << (one & 7))
      const walked: number[] = []
      for (let at = nextSlot(bitmap, 0); at < SLOT_COUNT; at = nextSlot(bitmap, at + 1)) walked.push(at)
      expect(walked).toEqual([...wanted].sort((a, b) => a - b))
    }),
  )
})
