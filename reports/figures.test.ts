import { expect, test } from 'vitest'
import {
  describeMeasure,
  formatBytes,
  formatDate,
  formatInterval,
  formatMeasure,
  formatMs,
  placeOf,
} from './figures.ts'
import { splitBrainResult } from './testing/split-brain-result.ts'

const plain = (text: string) => text.replaceAll('\u202f', ' ')

test.each([
  [0, '0 ms'],
  [0.4234, '0.42 ms'],
  [840.4, '840 ms'],
  [1000, '1.00 s'],
  [4700, '4.70 s'],
  [119_999, '120.00 s'],
  [200_000, '3 min 20 s'],
  [-250, '-250 ms'],
])('%d ms reads %s', (ms, text) => {
  expect(plain(formatMs(ms))).toBe(text)
})

test('numbers have thousands separators and their unit', () => {
  expect(formatMeasure(1_234_567, 'writes')).toBe('1,234,567 writes')
  expect(formatMeasure(0.125, '')).toBe('0.125')
  expect(plain(formatBytes(130_048))).toBe('127 KiB')
  expect(plain(formatBytes(5 * 1024 * 1024))).toBe('5 MiB')
})

test('an interval says its unit once where both ends have the same', () => {
  expect(formatInterval({ low: 1450, high: 2450, unit: 'writes' })).toBe('1,450 … 2,450 writes')
  expect(plain(formatInterval({ low: 900, high: 4800, unit: 'ms' }))).toBe('0.9 … 4.8 s')
  expect(plain(formatInterval({ low: 3, high: 3, unit: 'writes' }))).toBe('3 writes')
})

test('the ends of an interval are inside it', () => {
  const interval = { low: 2, high: 4 }
  expect([1.9, 2, 4, 4.1].map((value) => placeOf(value, interval))).toEqual(['below', 'inside', 'inside', 'above'])
  expect(placeOf({ cause: 3 }, interval)).toBeUndefined()
})

test('a measure without a prediction is named by its own name', () => {
  const result = splitBrainResult()
  expect(describeMeasure('promotionMs', result)).toEqual({ label: 'cut until the replica is promoted', unit: 'ms' })
  expect(describeMeasure('firstRetryMs', result)).toEqual({ label: 'first retry', unit: 'ms' })
  expect(describeMeasure('constructor', result)).toEqual({ label: 'constructor', unit: '' })
})

test('a date that is none is shown as it is', () => {
  expect(formatDate('2026-11-22T16:55:52.311Z')).toBe('2026-11-22 16:55:52 UTC')
  expect(formatDate('yesterday')).toBe('yesterday')
})
