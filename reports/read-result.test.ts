import { expect, test } from 'vitest'
import { ResultFormatError, readResult } from './read-result.ts'
import type { Result } from './result.ts'
import { failingCampaignResult, splitBrainResult } from './testing/split-brain-result.ts'

/** The fixture as JSON with one change. */
function changed(change: (value: Result) => void): string {
  const value: Result = JSON.parse(JSON.stringify(splitBrainResult()))
  change(value)
  return JSON.stringify(value)
}

test('what was written is read back unchanged', () => {
  for (const result of [splitBrainResult(), failingCampaignResult(20)]) {
    expect(readResult(JSON.stringify(result))).toEqual(result)
  }
})

test('a result of version 1 is read as one that says nothing of what came with version 2', () => {
  const result = splitBrainResult()
  const old = JSON.parse(JSON.stringify({ ...result, version: 1 }))
  for (const name of ['notRun', 'measures', 'curves']) delete old[name]
  for (const arm of old.arms) {
    delete arm.target
    delete arm.timeline.samples
  }
  expect(readResult(JSON.stringify(old))).toEqual({ ...result, notRun: [], measures: {}, curves: [] })
})

test.each<[string, string, RegExp]>([
  ['no JSON', '{"version": 1', /^The result is not JSON: .+\.$/],
  ['another document', '[1, 2]', /^This JSON is not a Faultline result: expected an object with "version": 2\.$/],
  ['null', 'null', /not a Faultline result/],
  [
    'a newer version',
    '{"version": 3}',
    /^The result has version 3, and this Faultline reads version 2: upgrade Faultline/,
  ],
  ['a version that is no number', '{"version": "1"}', /version "1", but version 2 is expected/],
  [
    'a missing field',
    changed((value) => Reflect.deleteProperty(value, 'seed')),
    /at seed: expected number, but it is missing\.$/,
  ],
  [
    'a wrong type deep inside',
    changed((value) => Object.assign(value.arms[1]!.timeline.groups[0]!, { ok: ['x'] })),
    /at arms\[1\]\.timeline\.groups\[0\]\.ok\[0\]: expected number, received string\.$/,
  ],
  [
    'a word that is none of the format',
    changed((value) => Object.assign(value.arms[0]!, { verdict: 'maybe' })),
    /at arms\[0\]\.verdict: expected one of "pass", "fail", "unknown"\.$/,
  ],
  [
    'a setting with an odd name',
    changed((value) => Object.assign(value.arms[0]!, { settings: { 'max-lag': 1 } })),
    /at arms\[0\]\.settings\["max-lag"\]: expected string, received number\.$/,
  ],
])('%s is refused in one sentence', (_what, json, sentence) => {
  expect(() => readResult(json)).toThrow(ResultFormatError)
  expect(() => readResult(json)).toThrow(sentence)
})
