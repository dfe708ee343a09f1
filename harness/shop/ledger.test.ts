import fc from 'fast-check'
import { expect, test } from 'vitest'
import { History, type ShopEvent } from '../history/history.ts'
import { shopMeasures } from '../run/measure.ts'
import { readLedger } from './ledger.ts'

test('holds one after another do not overlap, however many', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 }), (holds) => {
      const entries = Array.from({ length: holds }, (_, i) => [`enter ${i}`, `sold ${i}`, `leave ${i}`]).flat()
      const nothing = { overlaps: 0, overlapsByExpiry: 0, overlapsByDeletion: 0, foreignDeletions: 0 }
      expect(readLedger(entries)).toEqual({ sold: holds, ...nothing })
    }),
  )
})

test('whoever enters while another is inside overlaps once, whatever became of the lock', () => {
  expect(readLedger(['enter a', 'enter b', 'enter c', 'leave b', 'leave a', 'leave c', 'enter d'])).toMatchObject({
    overlaps: 2,
    overlapsByExpiry: 2,
    overlapsByDeletion: 0,
  })
})

test('an overlap is by deletion when the one who had the lock last lost it so, also when that is told later', () => {
  // a runs out, b enters; a deletes b's lock, c enters while b works.
  const counts = readLedger(['enter a', 'enter b', 'leave a', 'enter c', 'deleted b', 'leave b', 'leave c'])
  expect(counts).toMatchObject({ overlaps: 2, overlapsByExpiry: 1, overlapsByDeletion: 1, foreignDeletions: 1 })
})

test('oversold is what customers have beyond what the stock lacks', () => {
  const history = new History()
  const http = { answered: 3, refused: 0, errors: 0, perSecond: 1, p50Ms: 2, p99Ms: 3, maxMs: 4 }
  const event: ShopEvent = { type: 'shop', atMs: 0, soldByStock: 2, ledger: ['sold a', 'sold b', 'sold c'], http }
  history.record(event)
  expect(shopMeasures(history)).toMatchObject({ sold: 3, oversold: 1, ordersPerSecond: 1, p99Ms: 3 })
  expect(shopMeasures(new History())).toEqual({})
})
