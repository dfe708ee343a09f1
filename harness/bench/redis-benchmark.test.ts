import { expect, test } from 'vitest'
import { parseCsv } from './redis-benchmark.ts'

const HEADING =
  '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"'

test('the last line of the CSV is read, with a comma and quotes in its name', () => {
  const line = '"LRANGE_100 (first 100 elements), ""x""","40522.20","0.9","0.2","0.87","1.3","2.33","5.1"'
  expect(parseCsv(`${HEADING}\n${line}\n`)).toEqual({
    requestsPerSecond: 40522.2,
    p50Ms: 0.87,
    p99Ms: 2.33,
    maxMs: 5.1,
  })
})

test('a heading alone, no output and an error are no outcome', () => {
  expect(parseCsv(`${HEADING}\n`)).toBeUndefined()
  expect(parseCsv('')).toBeUndefined()
  expect(parseCsv('Could not connect')).toBeUndefined()
})
