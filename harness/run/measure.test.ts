import { expect, test } from 'vitest'
import { CUT_MS, END_MS, nodeEvent, plantedHistory } from '../history/testing/planted.ts'
import { measure, outages } from './measure.ts'

const onOldPrimary = { client: 'minority-1', node: 'primary-1' }

test('counts outcomes and losses by cause', () => {
  const measured = measure(
    plantedHistory([
      { atMs: 10 },
      { ...onOldPrimary, atMs: CUT_MS + 100, lost: true },
      { ...onOldPrimary, atMs: CUT_MS + 900, lost: true },
      { ...onOldPrimary, atMs: CUT_MS + 950, outcome: 'fail', lost: true },
      { atMs: CUT_MS + 20, outcome: 'unknown', lost: true },
    ]),
  )
  expect(measured).toMatchObject({ acknowledged: 3, refused: 1, unknown: 1, lostWrites: 2 })
  expect(measured.lostWritesByCause).toEqual({ 'minority-side': 2, 'async-window': 0, other: 0 })
  expect(measured.minorityWritableMs).toBe(901)
})

test('promotion is the first sight of a former replica as owner of slots after the cut', () => {
  const measured = measure(
    plantedHistory(
      [{ atMs: 10 }],
      [
        nodeEvent({ node: 'primary-2', atMs: 100, slots: [[1, 2]] }),
        nodeEvent({ node: 'replica-1', atMs: 100, role: 'replica' }),
        nodeEvent({ node: 'primary-2', atMs: CUT_MS + 100, slots: [[1, 2]] }),
        nodeEvent({ node: 'replica-1', atMs: CUT_MS + 3200, slots: [[0, 0]] }),
        nodeEvent({ node: 'replica-1', atMs: CUT_MS + 3300, slots: [[0, 0]] }),
      ],
    ),
  )
  expect(measured.promotionMs).toBe(3200)
})

test('without a promotion there is no figure for it', () => {
  expect(measure(plantedHistory([{ atMs: 1 }])).promotionMs).toBeUndefined()
})

test('an outage reaches from the first operation that did not succeed to the next success of the same client', () => {
  const history = plantedHistory([
    { atMs: 10 },
    { atMs: 1100, outcome: 'unknown', completedMs: 2100 },
    { atMs: 1200, outcome: 'fail' },
    { atMs: 3000, completedMs: 3010 },
    { client: 'majority-2', atMs: 1150 },
  ])
  expect(outages(history.operations())).toEqual([
    { client: 'majority-1', group: 'majority', startMs: 1100, endMs: 3010, failedOperations: 2 },
  ])
  expect(measure(history).outageMs).toBe(1910)
})

test('an outage that never ends counts to the end, and clients on the cut-off side do not count', () => {
  const history = plantedHistory([
    { atMs: 2000, outcome: 'fail' },
    { client: 'minority-1', atMs: 1100, outcome: 'fail' },
    { client: 'majority-2', atMs: END_MS - 1 },
  ])
  expect(measure(history).outageMs).toBe(END_MS - 2000)
})
