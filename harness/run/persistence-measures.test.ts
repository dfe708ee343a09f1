import { expect, test } from 'vitest'
import { commandEvent, crashEvents, nodeEvent, plantedHistory } from '../history/testing/planted.ts'
import { measure } from './measure.ts'

const aof = (atMs: number, aofBytes: number, aofBaseBytes: number, rewrites: number, rewriting = 0) =>
  nodeEvent({ node: 'server', atMs, samples: { aofBytes, aofBaseBytes, rewrites, rewriting } })

test('a stall is told apart from what the machine does at other times', () => {
  const history = plantedHistory(
    [
      { atMs: 5600, completedMs: 5607 },
      { atMs: 5990, completedMs: 6250 },
      { atMs: 6400, completedMs: 6403 },
    ],
    [commandEvent(['SAVE'], 'OK', 6000, 200)],
  )
  expect(measure(history)).toMatchObject({ stallMs: 260, quietStallMs: 7, p50Ms: 7, p99Ms: 260 })
})

test('without a command there is no stall to tell', () => {
  expect(measure(plantedHistory([{ atMs: 1 }]))).not.toHaveProperty('stallMs')
})

test('the age of the oldest write that a crash took', () => {
  const writes = [{ atMs: 6000 }, { atMs: 6200, lost: true }, { atMs: 6900, lost: true }]
  expect(measure(plantedHistory(writes, crashEvents('replica-1', 7000)))).toMatchObject({ lostWindowMs: 799 })
  expect(measure(plantedHistory([{ atMs: 6000 }], crashEvents('replica-1', 7000)))).toMatchObject({ lostWindowMs: 0 })
})

test('an automatic rewrite: the size that it began at, the growth, the longest operation meanwhile', () => {
  const samples = [aof(5100, 1000, 800, 3), aof(5200, 1650, 800, 3), aof(5300, 1700, 800, 4, 1), aof(5400, 850, 820, 4)]
  const history = plantedHistory(
    [
      { atMs: 5150, completedMs: 5190 },
      { atMs: 5250, completedMs: 5271 },
    ],
    samples,
  )
  expect(measure(history)).toMatchObject({ rewrites: 1, triggerBytes: 1700, triggerGrowth: 2.13, rewriteStallMs: 21 })
})

test('a rewrite that was asked for is no trigger', () => {
  const events = [aof(5100, 1000, 800, 3), aof(5300, 1700, 800, 4, 1), aof(5400, 850, 820, 4)]
  const history = plantedHistory([{ atMs: 5150 }], [...events, commandEvent(['BGREWRITEAOF'], 'ok', 5250, 100)])
  expect(measure(history)).toMatchObject({ rewrites: 1 })
  expect(measure(history)).not.toHaveProperty('triggerBytes')
})

test('a server that is started anew counts its rewrites from 0', () => {
  const history = plantedHistory(
    [{ atMs: 5150 }],
    [aof(5100, 1000, 800, 3), aof(5300, 1000, 800, 4), aof(5400, 850, 820, 0), aof(5500, 850, 820, 2)],
  )
  expect(measure(history)).toMatchObject({ rewrites: 3 })
})

test('figures that the run observed become measures', () => {
  const history = plantedHistory(
    [{ atMs: 1 }],
    [{ type: 'figure', atMs: 7000, node: 'server', name: 'loadMs', value: 12 }],
  )
  expect(measure(history).loadMs).toBe(12)
})
