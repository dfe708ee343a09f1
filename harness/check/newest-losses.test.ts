import { expect, test } from 'vitest'
import { crashEvents, plantedHistory } from '../history/testing/planted.ts'
import { checkNewestLosses } from './newest-losses.ts'

const crash = crashEvents('replica-1', 7000)

test('losing the end of the history, or nothing, is no hole', () => {
  const newest = plantedHistory(
    [{ atMs: 6000 }, { atMs: 6500, lost: true }, { atMs: 6600, lost: true }, { atMs: 7400 }],
    crash,
  )
  expect(checkNewestLosses(newest)).toMatchObject({ verdict: 'pass' })
  expect(checkNewestLosses(plantedHistory([{ atMs: 6000 }], crash)).verdict).toBe('pass')
})

test('REJECTS: a write survived that was sent after a lost one had been acknowledged', () => {
  const check = checkNewestLosses(plantedHistory([{ atMs: 6000, lost: true }, { atMs: 6002 }], crash))
  expect(check.verdict).toBe('fail')
  expect(check.evidence[0]?.text).toContain('key-1 survived')
})

test('REJECTS: also when the survivor was never acknowledged', () => {
  const history = plantedHistory(
    [
      { atMs: 6000, lost: true },
      { atMs: 6990, completedMs: 7200, outcome: 'unknown' },
    ],
    crash,
  )
  expect(checkNewestLosses(history).verdict).toBe('fail')
})

test('concurrent writes may survive in any combination', () => {
  const history = plantedHistory([{ atMs: 6000, completedMs: 6010, lost: true }, { atMs: 6005 }], crash)
  expect(checkNewestLosses(history).verdict).toBe('pass')
})

test('without a crash there is nothing to say', () => {
  expect(checkNewestLosses(plantedHistory([{ atMs: 6000 }])).verdict).toBe('unknown')
})
