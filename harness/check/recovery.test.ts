import { expect, test } from 'vitest'
import { HEAL_MS, plantedHistory } from '../history/testing/planted.ts'
import { checkRecovery } from './recovery.ts'

test('clients that succeed soon after healing have recovered', () => {
  const history = plantedHistory([{ atMs: 10 }, { atMs: HEAL_MS + 100 }])
  expect(checkRecovery(history, 1000, 'majority').verdict).toBe('pass')
})

test('REJECTS: one client of several that succeeds too late, or never again', () => {
  const writes = [
    { client: 'majority-1', atMs: HEAL_MS + 5 },
    { client: 'majority-2', atMs: HEAL_MS + 1500 },
    { client: 'majority-3', atMs: 10 },
  ]
  const result = checkRecovery(plantedHistory(writes), 1000, 'majority')
  expect(result.verdict).toBe('fail')
  expect(result.evidence.map(({ text }) => text)).toEqual([
    'majority-2 succeeded after 1501 ms',
    'majority-3 never succeeded',
  ])
})

test('failures after healing do not count as success', () => {
  const history = plantedHistory([
    { atMs: HEAL_MS + 5, outcome: 'fail' },
    { atMs: HEAL_MS + 6, outcome: 'unknown' },
  ])
  expect(checkRecovery(history, 1000, 'majority').verdict).toBe('fail')
})

test('a group without operations is unknown', () => {
  expect(checkRecovery(plantedHistory([{ atMs: 1 }]), 1000, 'nobody').verdict).toBe('unknown')
})
