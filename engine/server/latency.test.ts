import { expect, test } from 'vitest'
import { createNodeIo } from '../node/io.ts'
import { createConfig } from './config.ts'
import { drawSamples, LatencyMonitor } from './latency.ts'

function monitor(threshold: number): LatencyMonitor {
  return new LatencyMonitor(createConfig(createNodeIo().disk, { settings: { 'latency-monitor-threshold': threshold } }))
}

test('nothing is noted while monitoring is off, nor below the threshold', () => {
  const off = monitor(0)
  off.add('command', 5000, 1000)
  expect(off.all()).toEqual([])
  const on = monitor(10)
  on.add('command', 9.9, 1000)
  expect(on.all()).toEqual([])
})

test('a second has one sample, the worst; 160 are kept; the worst ever outlives its sample', () => {
  const latency = monitor(1)
  latency.add('fork', 999, 0)
  latency.add('fork', 20, 5_000)
  latency.add('fork', 30.7, 5_999)
  latency.add('fork', 10, 5_999)
  expect(latency.of('fork')?.samples).toEqual([
    { unixSeconds: 0, ms: 999 },
    { unixSeconds: 5, ms: 30 },
  ])
  for (let second = 10; second < 170; second++) latency.add('fork', 2, second * 1000)
  expect(latency.of('fork')?.samples.length).toBe(160)
  expect(latency.of('fork')?.maxMs).toBe(999)
})

test('reset forgets the events that are named, or all, and tells how many there were', () => {
  const latency = monitor(1)
  latency.add('a', 5, 0)
  latency.add('b', 5, 0)
  latency.add('c', 5, 0)
  expect(latency.reset(['a', 'x'])).toBe(1)
  expect(latency.all().map(([event]) => event)).toEqual(['b', 'c'])
  expect(latency.reset([])).toBe(2)
})

test('one sample is drawn as redis-server 7.0.15 draws it', () => {
  expect(drawSamples([{ unixSeconds: 100, ms: 10 }], 100)).toBe(' \n \n \n_\n \n0\ns\n')
})

test('bars grow with the samples and carry their age', () => {
  const samples = [0, 1, 2, 3].map((i) => ({ unixSeconds: i * 60, ms: i * 10 }))
  expect(drawSamples(samples, 180)).toBe('   #\n  #|\n o||\n_|||\n    \n3210\nmmms\n')
})
