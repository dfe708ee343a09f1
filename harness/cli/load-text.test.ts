/** What `load` prints fits into the terminal; what it prints elsewhere keeps its form. */
import { beforeAll, expect, test } from 'vitest'
import type { LoadResult, LoadSearch, SearchPoint } from '../../reports/load-result.ts'
import { simulateLoad } from '../load/testing/simulated-load.ts'
import { loadText, progressText, searchPointText, searchText } from './load-text.ts'

const words = 'a reason that has more words than a narrow terminal has room for in one line'
const delivery = { p50Ms: 0.123, p99Ms: 12.5, maxMs: 1234.567 }
const points: SearchPoint[] = (['met', 'missed', 'driver'] as const).map((outcome, i) => {
  const figures = { ratePerSecond: 1_024_000 * (i + 1), answeredPerSecond: 1_000_123.4, p50Ms: 0.123, p99Ms: 1234.567 }
  return { ...figures, outcome } as SearchPoint
})

let result: LoadResult
beforeAll(async () => {
  const load = await simulateLoad({ durationMs: 500 })
  result = {
    ...(await load.finish()),
    verdict: 'unknown',
    interrupted: true,
    reasons: [words],
    errors: [{ text: words, count: 12_345, firstAtMs: 100 }],
    outages: [{ client: 1, fromMs: 100, toMs: 2000 } as LoadResult['outages'][number]],
    consumers: [{ name: 'news', connections: 10, messages: 123_456, delivery } as LoadResult['consumers'][number]],
  }
})

const longest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

test.each([40, 41, 57, 58, 79, 80, 83, 84, 100, 200])('everything fits into %i columns', (columns) => {
  expect(longest(loadText(result, columns))).toBeLessThanOrEqual(columns)
  for (const point of points) expect(longest(searchPointText(point, columns))).toBeLessThanOrEqual(columns)
  const search = { objective: 'p99=5ms,errors=0.1%', bestPerSecond: 1_024_000, verdict: 'unknown', reasons: [words] }
  expect(longest(searchText({ ...search, points } as unknown as LoadSearch, columns))).toBeLessThanOrEqual(columns)
  const progress = { second: 3599, sent: 1_234_567, ok: 1_234_567, failed: 1234 }
  expect(progressText('GET+SET', progress, columns).length).toBeLessThan(columns)
})

test('no figure is left out where there is little room', () => {
  const { p50Ms, p90Ms, p99Ms, p999Ms, p9999Ms, maxMs } = result.raw
  const [, below = ''] = loadText(result, 40).split('all, from sending\n')
  const figures = [p50Ms, p90Ms, p99Ms, p999Ms, p9999Ms, maxMs].map((value) => value.toFixed(3))
  expect(below.split('all, from the')[0]?.trim().split(/\s+/)).toEqual(
    ['p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max'].flatMap((name, i) => [name, figures[i]]),
  )
})

test('where there is room the percentiles are one table', () => {
  const wide = loadText(result, 100)
  expect(wide).toMatch(/^ {2}latency in ms {20}p50 {6}p90 {6}p99 {4}p99\.9 {3}p99\.99 {6}max$/m)
  expect(wide).toMatch(/^ {2}all, from sending( +\d+\.\d{3}){6}$/m)
  expect(wide).toMatch(/^ {2}GET( +\d+\.\d{3}){6}$/m)
})

test('progress is told in full where there is room', () => {
  const progress = { second: 0, sent: 1200, ok: 1234, failed: 5 }
  const full = '    1 s  GET: 1,234 requests per second, 5 failed'
  expect(progressText('GET', progress, Number.POSITIVE_INFINITY)).toBe(full)
  expect(progressText('GET', progress, 40)).toBe('    1 s  1,234/s, 5 failed')
})
