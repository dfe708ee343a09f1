import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { escapeHtml } from './html.ts'
import { renderPage } from './page.ts'
import type { Result } from './result.ts'
import { hostileResult, hostileTexts, renameTexts, replaceTexts } from './testing/hostile-result.ts'
import { htmlSkeleton } from './testing/html-skeleton.ts'
import { failingCampaignResult, splitBrainResult } from './testing/split-brain-result.ts'

/** The page without its scripts and styles. */
const wordsOf = (page: string) => page.replace(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, '')

const small = () => failingCampaignResult(12)

test('no text can change the structure of the page', () => {
  const reference = htmlSkeleton(renderPage(renameTexts(small(), () => 'a')))
  expect(reference.filter((token) => token.startsWith('stray'))).toEqual([])
  const hostile = fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: 'binary', minLength: 1 }))
  fc.assert(
    fc.property(fc.array(hostile, { minLength: 1, maxLength: 12 }), (texts) => {
      const result = renameTexts(small(), (id) => texts[id % texts.length]!)
      expect(htmlSkeleton(renderPage(result))).toEqual(reference)
    }),
    { numRuns: 12 },
  )
}, 60_000)

test('every free text of the head, the arms and the campaign is on the page', () => {
  const shown =
    /^\.(scenario\.(name|title|claim)|sentence|advice\[\]|command|target\.\w+|host\.\w+|arms\[\]\.(title|sentence|checks\[\]\.(name|sentence|evidence\[\]\.text)|faults\[\]\.(name|description|tookHold)|excerpt\[\]|outages\[\]\.client|predicted\.[^.]*\.(label|formula|derivation|source)|timeline\.(events\[\]\.(node|text)|groups\[\]\.label|nodes\[\]\.(name|address|version)))|campaign\.arms\[\]\.failures\[\]\.(sentence|command))$/
  const texts: string[] = []
  let next = 0
  const page = wordsOf(
    renderPage(
      replaceTexts(small(), (_, path) => {
        const text = `<text ${next++}>`
        if (shown.test(path)) texts.push(text)
        return text
      }),
    ),
  )
  expect(texts.length).toBeGreaterThan(200)
  const unseen = texts.filter((text) => !page.includes(escapeHtml(text)))
  // Labels of measures are told once, by the first arm; version and address stand with the first of equal nodes.
  expect(unseen.length).toBeLessThan(40)
})

test('the policy allows the scripts and the style of the page by their hashes, and nothing else', () => {
  const page = renderPage(hostileResult(small()))
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll('&#39;', "'")
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const allowed = [...(policy ?? '').matchAll(/'sha256-[^']*'/g)].map(([it]) => it)
  const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => hash(text ?? ''))
  const styles = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text]) => hash(text ?? ''))
  expect([...scripts, ...styles].sort()).toEqual(allowed.sort())
  expect(page).not.toMatch(/ style="| on[a-z]+="| src="/)
})

test('the chart data in the page are those of the result', () => {
  const page = renderPage(hostileResult(small()))
  const json = /<script type="application\/json" id="chart-data">([\s\S]*?)<\/script>/.exec(page)?.[1] ?? ''
  const data = JSON.parse(json)
  const canvases = [...page.matchAll(/<canvas id="([^"]*)"/g)].map(([, id]) => id)
  const panels = Object.values<{ panels: object }>(data.arms).flatMap((arm) => Object.keys(arm.panels))
  expect(canvases.sort()).toEqual([...panels, ...Object.keys(data.histograms)].sort())
  expect(canvases).toHaveLength(3 * 6 + 9)
})

test('three arms fit in 600 kB, also when the series are a hundred times as long as usual', () => {
  const result = splitBrainResult()
  for (const { timeline } of result.arms) {
    const longer = <T>(values: readonly T[]): T[] => Array.from({ length: 100 }, () => values).flat()
    for (const group of timeline.groups) {
      for (const name of ['ok', 'fail', 'unknown'] as const) group[name] = longer(group[name])
      for (const name of ['p50Ms', 'p99Ms', 'maxMs'] as const) group[name] = longer(group[name])
    }
    timeline.durationMs *= 100
    timeline.events = longer(timeline.events)
    for (const node of timeline.nodes) node.spans = longer(node.spans).slice(0, 20)
  }
  expect(Buffer.byteLength(renderPage(splitBrainResult()))).toBeLessThan(500_000)
  expect(Buffer.byteLength(renderPage(result))).toBeLessThan(600_000)
})

/** Text of the page from one marker to another. */
const between = (page: string, from: string, to: string) => page.slice(page.indexOf(from), page.indexOf(to))

test('a passing page says so in words, and shows evidence closed', () => {
  const page = wordsOf(renderPage(splitBrainResult()))
  const head = between(page, '<header>', '</header>')
  expect(head).toContain('<span>Pass</span>')
  expect(head).toContain('3 of 3 arms behaved as predicted')
  expect(page).not.toContain('<details class="check" open>')
  expect(between(page, 'id="predictions"', 'Counted in each arm')).not.toMatch(/above|below/)
})

test('a failing page marks the measure outside, opens the evidence, and names the fault that never took hold', () => {
  const page = wordsOf(renderPage(failingCampaignResult(20)))
  const table = between(page, 'id="predictions"', 'Counted in each arm')
  expect(table.match(/<span>above<\/span>/g)).toHaveLength(1)
  expect(table).toContain('class="outside"')
  expect(page.match(/<details class="check" open>/g)).toHaveLength(1)
  expect(page).toContain('It never took hold.')
  expect(page).toContain('seed 312')
  expect(page).toContain('to the end')
})

test('a predicted measure that was not measured is unknown, never inside', () => {
  const result = splitBrainResult()
  Reflect.deleteProperty(result.arms[0]!.measured, 'promotionMs')
  const table = between(wordsOf(renderPage(result)), 'id="predictions"', 'Counted in each arm')
  expect(table).toContain('not measured')
  expect(table.match(/<span>unknown<\/span>/g)).toHaveLength(1)
})

test('a run in which nothing happened still makes a page', () => {
  const empty: Result = { ...splitBrainResult(), verdict: 'unknown', sentence: 'No arm ran.', arms: [], advice: [] }
  expect(renderPage(empty)).toContain('No arm ran.')
  const result = splitBrainResult()
  const arm = result.arms[0]!
  Object.assign(arm, {
    predicted: {},
    checks: [],
    faults: [],
    outages: [],
    excerpt: [],
    configuration: {},
    settings: {},
  })
  arm.timeline = {
    durationMs: 0,
    bucketMs: 100,
    groups: [],
    nodes: [],
    replicationGap: { timesMs: [], series: [] },
    samples: [],
    lostWrites: [],
    events: [],
  }
  expect(renderPage({ ...result, arms: [arm] })).toContain('No client saw an operation go wrong.')
})

test('the same result gives the same page', () => {
  expect(renderPage(splitBrainResult())).toBe(renderPage(splitBrainResult()))
})

test('arms that could not run are told at the top, those with the same reason together', () => {
  const result = splitBrainResult()
  const notRun = { target: 'redis', reason: 'It lacks a power cut.' }
  result.notRun = [
    { ...notRun, arm: 'a', title: 'Power cut <one>' },
    { ...notRun, arm: 'b', title: 'Power cut two' },
  ]
  const page = wordsOf(renderPage(result))
  expect(page).toContain('Power cut &lt;one&gt;; Power cut two. <span class="muted">It lacks a power cut.')
  expect(wordsOf(renderPage(splitBrainResult()))).not.toContain('Not run:')
})

test('samples of the append-only file are drawn where a node told them', () => {
  const result = splitBrainResult()
  const timesMs = [0, 100, 200]
  result.arms[0]!.timeline.samples = [
    { node: 'server', name: 'aofBytes', timesMs, values: [10, 5000, 20] },
    { node: 'server', name: 'aofBaseBytes', timesMs, values: [10, 10, 20] },
    { node: 'server', name: 'saving', timesMs, values: [0, 1, 0] },
  ]
  const page = wordsOf(renderPage(result))
  expect(page.match(/Size of the append-only file/g)).toHaveLength(2)
  expect(page).toContain('At most 5000 bytes.')
})

test('a measure without a prediction is called as the result calls it', () => {
  const result = splitBrainResult()
  result.arms[0]!.measured.loadMs = 812
  result.measures = { loadMs: { label: 'load of the data', unit: 'ms' } }
  expect(wordsOf(renderPage(result))).toMatch(/load of the data<\/th><td class="number">812\u202fms/)
})

test('a curve shows every point with its number, and is left out where there is but one', () => {
  const result = splitBrainResult()
  const points = [
    { x: 30_000, y: 85 },
    { x: 600_000, y: 1070 },
  ]
  result.curves = [{ title: 'Longest <operation>', unit: 'ms', over: 'keys', lines: [{ label: 'SAVE', points }] }]
  const page = wordsOf(renderPage(result))
  expect(page).toContain('aria-label="Longest &lt;operation&gt;. SAVE: 30,000: 85\u202fms, 600,000: 1.07\u202fs"')
  expect(page.match(/class="value"[^>]*>(85\u202fms|1\.07\u202fs)</g)).toHaveLength(2)
  result.curves[0]!.lines[0]!.points.pop()
  expect(wordsOf(renderPage(result))).not.toContain('class="curve"')
})
