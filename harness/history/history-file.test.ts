import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { HistoryEvent } from './history.ts'
import { FileRecorder, readHistory } from './history-file.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'faultline-history-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const figure = (value: number): HistoryEvent => ({
  type: 'figure',
  atMs: 1,
  node: 'server',
  name: 'x'.repeat(200),
  value,
})

test('what was recorded is read again, once the file is closed', () => {
  const recorder = new FileRecorder(directory, 'history.jsonl')
  for (let i = 0; i < 1000; i++) recorder.record(figure(i))
  recorder.close()
  recorder.close()
  expect(recorder.failure).toBeUndefined()
  const { events } = readHistory(join(directory, 'history.jsonl'))
  expect(events).toEqual(Array.from({ length: 1000 }, (_, i) => figure(i)))
})

// A disk that is full, as Linux has one.
describe.runIf(existsSync('/dev/full'))('a full disk', () => {
  test('is told by whoever closes the file, and throws at nobody', () => {
    const recorder = new FileRecorder('/dev', 'full')
    for (let i = 0; i < 1000; i++) recorder.record(figure(i))
    recorder.close()
    expect(recorder.failure?.code).toBe('RESULT_FILE')
    expect(recorder.failure?.message).toMatch(
      /^Cannot write the history full: ENOSPC.* another directory with --report\.$/,
    )
  })

  test('is told at the first event, however small, and only once', () => {
    const told: unknown[] = []
    const recorder: FileRecorder = new FileRecorder('/dev', 'full', () => told.push(recorder.failure?.code))
    recorder.record(figure(1))
    expect(told).toEqual(['RESULT_FILE'])
    for (let i = 0; i < 1000; i++) recorder.record(figure(i))
    recorder.close()
    expect(told).toEqual(['RESULT_FILE'])
  })
})

test('what is recorded is on the disk soon, also where little happens', () => {
  vi.useFakeTimers()
  try {
    const recorder = new FileRecorder(directory, 'history.jsonl')
    recorder.record(figure(1))
    recorder.record(figure(2))
    vi.advanceTimersByTime(1000)
    recorder.record(figure(3))
    expect(readHistory(join(directory, 'history.jsonl')).events).toEqual([1, 2, 3].map(figure))
    recorder.close()
  } finally {
    vi.useRealTimers()
  }
})

test('a directory that is gone is an error of the harness', () => {
  expect(() => new FileRecorder(join(directory, 'gone'), 'history.jsonl')).toThrow(
    expect.objectContaining({ code: 'RESULT_FILE' }),
  )
})
