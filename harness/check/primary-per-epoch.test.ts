import { expect, test } from 'vitest'
import type { NodeEvent } from '../history/history.ts'
import { nodeEvent, plantedHistory } from '../history/testing/planted.ts'
import { checkOnePrimaryPerEpoch } from './primary-per-epoch.ts'

const check = (events: NodeEvent[]) => checkOnePrimaryPerEpoch(plantedHistory([{ atMs: 1 }], events))

test('two owners of a slot at the same time are allowed under different epochs', () => {
  const events = [
    nodeEvent({ node: 'primary-1', atMs: 2000, epoch: 1, slots: [[0, 5460]] }),
    nodeEvent({ node: 'replica-1', atMs: 2000, epoch: 7, slots: [[0, 5460]] }),
  ]
  expect(check(events).verdict).toBe('pass')
})

test('REJECTS: two owners of one slot under one epoch, also at different times and with different ranges', () => {
  const events = [
    nodeEvent({ node: 'primary-1', atMs: 100, epoch: 3, slots: [[0, 10]] }),
    nodeEvent({
      node: 'replica-1',
      atMs: 4000,
      epoch: 3,
      slots: [
        [5, 5],
        [10, 20],
      ],
    }),
  ]
  const result = check(events)
  expect(result.verdict).toBe('fail')
  expect(result.evidence[0]?.text).toContain('slot 5 in epoch 3')
})

test('replicas claim nothing, and the same owner may say it again', () => {
  const events = [
    nodeEvent({ node: 'primary-1', atMs: 100, slots: [[0, 10]] }),
    nodeEvent({ node: 'primary-1', atMs: 200, slots: [[0, 10]] }),
    nodeEvent({ node: 'replica-1', atMs: 200, role: 'replica', slots: [[0, 10]] }),
  ]
  expect(check(events).verdict).toBe('pass')
})

test('a history in which nobody was seen to own a slot is unknown', () => {
  expect(check([]).verdict).toBe('unknown')
})
