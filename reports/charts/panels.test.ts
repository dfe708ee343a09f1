import fc from 'fast-check'
import { expect, test } from 'vitest'
import { failingCampaignResult, splitBrainResult } from '../testing/split-brain-result.ts'
import { percentOf, roundTicks, roundUp } from './axis.ts'
import { mergeFactor, mergeFirst, mergeLargest, mergeSums, POINTS_MAX } from './downsample.ts'
import { armAxis, armPanels, axisEndMs, histogram } from './panels.ts'

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

test('ticks are round, ascend from 0 in equal steps, and the scale ends at or above its largest value', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), fc.integer({ min: 2, max: 20 }), (max, most) => {
      const ticks = roundTicks(max, most)
      expect(ticks[0]).toBe(0)
      expect(ticks.length).toBeLessThanOrEqual(most + 1)
      expect(ticks.at(-1)!).toBeLessThanOrEqual(max * 1.000001)
      expect(roundUp(max, most)).toBeGreaterThanOrEqual(max * 0.999999)
      for (const step of ticks.slice(1).map((tick, index) => tick - ticks[index]!)) {
        expect(step / ticks[1]!).toBeCloseTo(1, 6)
      }
    }),
  )
  expect(roundTicks(13, 14)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
  expect(roundTicks(0, 4)).toEqual([0])
})

test('positions stay inside the plot', () => {
  expect([percentOf(-1, 10), percentOf(2.5, 10), percentOf(11, 10), percentOf(1, 0)]).toEqual([0, 25, 100, 0])
})

test('merging a long series keeps its total and its peak, and draws few points', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 3000 }), (counts) => {
      const factor = mergeFactor(counts.length)
      const points = mergeSums(counts, factor)
      expect(points.length).toBeLessThanOrEqual(POINTS_MAX)
      expect(sum(points)).toBe(sum(counts))
      expect(Math.max(...mergeLargest(counts, factor).map((value) => value ?? -1))).toBe(Math.max(...counts))
      expect(mergeFirst(counts, factor)).toHaveLength(points.length)
    }),
  )
  expect(mergeLargest([null, null, 3, null, 7], 2)).toEqual([null, 3, 7])
})

test('all panels of all arms have one time axis, and the same panel of two arms one scale', () => {
  const result = splitBrainResult()
  const all = result.arms.map((arm, position) => armPanels(arm, position, result))
  expect(new Set(result.arms.map((arm) => armAxis(arm, result.arms).maxMs))).toEqual(new Set([13_000]))
  for (const panels of all) {
    expect(panels.map(({ panel }) => panel.unit)).toEqual(['per second', 'per second', 'count', 'ms', 'ms', 'bytes'])
    expect(panels.map(({ panel }) => panel.yMax).slice(0, 5)).toEqual(
      all[0]!.map(({ panel }) => panel.yMax).slice(0, 5),
    )
    for (const { panel } of panels) {
      for (const series of panel.series) expect(series.values).toHaveLength(panel.xs.length)
      expect(panel.yTicks.at(-1)).toBeLessThanOrEqual(panel.yMax)
    }
  }
})

test('an arm that is much shorter has a time axis of its own', () => {
  const [first, ...rest] = splitBrainResult().arms
  const short = { ...first!, timeline: { ...first!.timeline, durationMs: 2000 } }
  expect(axisEndMs(short, [short, ...rest])).toBe(2000)
})

test('the rate panel draws what the series count', () => {
  const result = splitBrainResult()
  const [panel] = armPanels(result.arms[0]!, 0, result)
  const { series, widthMs } = panel!.panel
  const drawn = series.map(({ values }) => Math.round(sum(values.map((value) => ((value ?? 0) * widthMs) / 1000))))
  const group = result.arms[0]!.timeline.groups[0]!
  expect(drawn).toEqual([sum(group.ok), sum(group.fail), sum(group.unknown)])
})

test('no latency is drawn below the scale, and none at all without an answer', () => {
  const result = splitBrainResult()
  const group = result.arms[0]!.timeline.groups[0]!
  group.p50Ms[0] = 0
  const latency = armPanels(result.arms[0]!, 0, result).find(({ panel }) => panel.unit === 'ms')!
  for (const { values } of latency.panel.series) {
    for (const value of values) if (value !== null) expect(value).toBeGreaterThanOrEqual(latency.panel.yMin)
  }
  group.maxMs = group.maxMs.map(() => null)
  expect(armPanels(result.arms[0]!, 0, result).filter(({ panel }) => panel.unit === 'ms')).toHaveLength(1)
})

test('a run without anything to draw has no panels', () => {
  const result = splitBrainResult()
  for (const arm of result.arms) {
    arm.timeline = { ...arm.timeline, durationMs: 0, groups: [], nodes: [], lostWrites: [], events: [] }
    arm.timeline.replicationGap = { timesMs: [], series: [] }
    expect(armPanels(arm, 0, result)).toEqual([])
  }
})

test('a histogram counts every value once, within edges that hold the predicted range too', () => {
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true })
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), fc.option(value), (values, end) => {
      const { edges, counts } = histogram(values, 'ms', end, end)
      expect(sum(counts)).toBe(values.length)
      expect(edges).toHaveLength(counts.length + 1)
      const tolerance = 1e-6 * Math.max(1, ...edges.map(Math.abs))
      for (const it of [...values, ...(end === null ? [] : [end])]) {
        expect(it).toBeGreaterThanOrEqual(edges[0]! - tolerance)
        expect(it).toBeLessThanOrEqual(edges.at(-1)! + tolerance)
      }
    }),
  )
  expect(failingCampaignResult(30).campaign?.arms).toHaveLength(3)
})
