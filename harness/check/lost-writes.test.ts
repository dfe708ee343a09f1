import { expect, test } from 'vitest'
import { CUT_MS, contentOf, crashEvents, HEAL_MS, plantedHistory } from '../history/testing/planted.ts'
import { checkExplainedLosses, countByCause, findLostWrites } from './lost-writes.ts'

const KNOWN = ['minority-side', 'async-window']
const onOldPrimary = { client: 'minority-1', node: 'primary-1' }

test('a write that is still there is not lost', () => {
  const history = plantedHistory([{ atMs: 100 }, { atMs: CUT_MS + 500 }])
  expect(findLostWrites(history)).toEqual([])
  expect(checkExplainedLosses(history, KNOWN).verdict).toBe('pass')
})

test('a write that the cut-off primary acknowledged during the partition is lost for that reason', () => {
  const lost = findLostWrites(plantedHistory([{ ...onOldPrimary, atMs: CUT_MS + 10, lost: true }]))
  expect(lost?.map(({ cause }) => cause)).toEqual(['minority-side'])
})

test('a write acknowledged just before the cut is lost to the asynchronous window', () => {
  const history = plantedHistory([{ client: 'majority-1', node: 'primary-1', atMs: CUT_MS - 5, lost: true }])
  expect(countByCause(history)).toEqual({ 'minority-side': 0, 'async-window': 1, other: 0 })
})

test('REJECTS: a write lost by the healthy side before the cut', () => {
  const check = checkExplainedLosses(plantedHistory([{ node: 'replica-1', atMs: CUT_MS - 10, lost: true }]), KNOWN)
  expect(check.verdict).toBe('fail')
})

test('REJECTS: a write that the new primary acknowledged and then lost', () => {
  const check = checkExplainedLosses(plantedHistory([{ node: 'replica-1', atMs: CUT_MS + 3000, lost: true }]), KNOWN)
  expect(check.verdict).toBe('fail')
  expect(check.evidence[0]?.text).toContain('replica-1')
})

test('REJECTS: a key that holds another value than the acknowledged one', () => {
  const check = checkExplainedLosses(plantedHistory([{ atMs: HEAL_MS + 10, found: 'somebody else' }]), KNOWN)
  expect(check.verdict).toBe('fail')
  expect(check.evidence[0]?.text).toContain('somebody else')
})

test('a write with an unknown or failed end is never counted as lost', () => {
  const history = plantedHistory([
    { atMs: 100 },
    { atMs: CUT_MS + 1, outcome: 'unknown', lost: true },
    { atMs: CUT_MS + 2, outcome: 'fail', lost: true },
  ])
  expect(findLostWrites(history)).toEqual([])
})

test('without the data after the run, or without any acknowledged write, the check is unknown', () => {
  const unread = plantedHistory([{ atMs: 1 }], [contentOf('replica-1', 'replica', 'primary-1', [])])
  expect(checkExplainedLosses(unread, KNOWN).verdict).toBe('unknown')
  expect(checkExplainedLosses(plantedHistory([{ atMs: 1, outcome: 'fail' }]), KNOWN).verdict).toBe('unknown')
})

test('a write acknowledged by a server that was killed afterwards is lost to the crash, however long before', () => {
  const crash = crashEvents('replica-1', 7000)
  const history = plantedHistory(
    [
      { atMs: 5600, lost: true },
      { atMs: 7001, completedMs: 7003, lost: true },
    ],
    crash,
  )
  expect(countByCause(history)).toEqual({ 'minority-side': 0, 'async-window': 0, crash: 2, other: 0 })
  expect(checkExplainedLosses(history, ['crash']).verdict).toBe('pass')
})

test('REJECTS: a write that the restarted server acknowledged and then lost', () => {
  const history = plantedHistory([{ atMs: 7400, lost: true }], crashEvents('replica-1', 7000))
  expect(countByCause(history)).toMatchObject({ crash: 0, other: 1 })
  expect(checkExplainedLosses(history, ['crash']).verdict).toBe('fail')
})

test('REJECTS: a write lost by another server than the one that crashed', () => {
  const history = plantedHistory([{ atMs: 5600, lost: true }], crashEvents('primary-2', 7000))
  expect(checkExplainedLosses(history, ['crash']).verdict).toBe('fail')
})
