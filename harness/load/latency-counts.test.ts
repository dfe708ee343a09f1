import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js'
import { describe, expect, it } from 'vitest'
import { LatencyCounts } from './latency-counts.ts'

const library = () =>
  build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 })

/** Latencies of every magnitude. */
const latency = fc
  .tuple(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 0, max: 2 ** 25 }))
  .map(([shift, value]) => Math.min(59_000_000, Math.max(1, value >> shift)))
const latencies = fc.array(latency, { minLength: 1, maxLength: 200 })

/** Everything of it, in a form that is compared quickly. */
function state({ counts, ...rest }: LatencyCounts): unknown {
  return { ...rest, counts: createHash('sha1').update(counts).digest('hex') }
}

describe('counting latencies', () => {
  it('gives the percentiles of HdrHistogram', () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const counts = new LatencyCounts()
        const reference = library()
        for (const value of values) {
          counts.record(value)
          reference.recordValue(value)
        }
        for (const percentile of [1, 10, 50, 90, 99, 99.9, 100]) {
          // The library answers the top of the slot even above the largest value recorded.
          const expected = Math.min(reference.getValueAtPercentile(percentile), Math.max(...values))
          expect(counts.quantileUs(percentile / 100)).toBe(expected)
        }
        expect(counts.count).toBe(values.length)
        expect(counts.summary().maxMs).toBe(Math.max(...values) / 1000)
      }),
    )
  })

  it('corrects coordinated omission as HdrHistogram does', () => {
    fc.assert(
      fc.property(latencies, fc.integer({ min: 100_000, max: 5_000_000 }), (values, intervalUs) => {
        const counts = new LatencyCounts()
        const reference = library()
        const source = library()
        for (const value of values) {
          counts.record(value)
          source.recordValue(value)
        }
        reference.addWhileCorrectingForCoordinatedOmission(source, intervalUs)
        const corrected = counts.corrected(intervalUs)
        // The library starts from the top of the slot, we from the largest value where that is lower.
        expect(Math.abs(corrected.count - reference.totalCount)).toBeLessThanOrEqual(1)
        const difference = Math.abs(corrected.quantileUs(0.9) - reference.getValueAtPercentile(90))
        expect(difference).toBeLessThanOrEqual(reference.getValueAtPercentile(90) * 0.002 + intervalUs * 0.01 + 1)
      }),
      { numRuns: 50 },
    )
  })

  it('encodes a histogram that a reader of HdrHistogram decodes to the same counts', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(latency, fc.integer({ min: 1, max: 2 ** 20 })), { maxLength: 20 }), (values) => {
        const counts = new LatencyCounts()
        const same = library()
        for (const [value, count] of values) {
          counts.record(value, count)
          same.recordValueWithCount(value, count)
        }
        const decoded = decodeFromCompressedBase64(counts.histogram().hdr)
        const reference = decodeFromCompressedBase64(encodeIntoCompressedBase64(same))
        expect(decoded.totalCount).toBe(counts.count)
        expect(decoded.outputPercentileDistribution()).toBe(reference.outputPercentileDistribution())
      }),
    )
  })

  it('encodes the header as the format says', () => {
    const counts = new LatencyCounts()
    counts.record(3, 64)
    const compressed = Buffer.from(counts.histogram().hdr, 'base64')
    expect(compressed.readInt32BE(0)).toBe(0x1c849314)
    expect(compressed.readInt32BE(4)).toBe(compressed.length - 8)
    // Cookie, three bytes of counts, no offset, three digits; 1 to 60 s; ratio 1; then 3 empty slots and 64.
    const header = '1c849313 00000003 00000000 00000003 0000000000000001 0000000003938700 3ff0000000000000'
    expect(inflateSync(compressed.subarray(8)).toString('hex')).toBe(`${header.replaceAll(' ', '')}058001`)
  })

  it('adds, sparsely too, to what one histogram of everything would be', () => {
    fc.assert(
      fc.property(latencies, latencies, (a, b) => {
        const [one, two, all] = [new LatencyCounts(), new LatencyCounts(), new LatencyCounts()]
        for (const value of a) one.record(value)
        for (const value of b) two.record(value)
        for (const value of [...a, ...b]) all.record(value)
        const sparse = new LatencyCounts()
        sparse.addSparse(one.sparse())
        sparse.addSparse(two.sparse())
        one.add(two)
        expect(state(one)).toEqual(state(all))
        expect(state(sparse)).toEqual(state(all))
        one.reset()
        expect(state(one)).toEqual(state(new LatencyCounts()))
      }),
    )
  })

  it('takes what is outside of its range as its ends', () => {
    const counts = new LatencyCounts()
    for (const value of [0, -5, 0.4, 60_000_001, 4e9, 1e12]) counts.record(value)
    expect([counts.minUs, counts.maxUs, counts.count]).toEqual([1, 60_000_000, 6])
  })
})
