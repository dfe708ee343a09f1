import { expect, test } from 'vitest'
import { renderPage } from '../page.ts'
import { splitBrainResult } from '../testing/split-brain-result.ts'

const words = (page: string) => page.replace(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, '').replaceAll(/\s+/g, ' ')

test('a figure that people expect stands on the page with what each arm reached and why not', () => {
  const result = splitBrainResult()
  const [arm] = result.arms
  const page = words(
    renderPage({
      ...result,
      goals: [
        {
          arm: arm!.name,
          target: arm!.target,
          label: 'about 100,000 requests a second',
          wanted: 100_000,
          value: 43_210,
          capacity: 123_456,
          verdict: 'unknown',
          sentence: 'Within reach: the server had 35 % of one CPU.',
        },
      ],
    }),
  )
  for (const text of ['about 100,000 requests a second', '43,210', '123,456', 'Within reach'])
    expect(page).toContain(text)
  expect(words(renderPage(result))).not.toContain('class="goals"')
})

test('a percentile curve has a line a target, says its percentiles in words, and stays in its plot', () => {
  const result = splitBrainResult()
  const [arm] = result.arms
  const curve: [number, number][] = [
    [0, 0.1],
    [50, 0.5],
    [99, 8],
    [99.999, 1000],
    [100, 1000],
  ]
  const arms = ['engine', 'redis'].map((target) => ({ ...arm!, target, latencyCurve: curve }))
  const page = words(renderPage({ ...result, arms }))
  expect(page).toMatch(/aria-label="[^"]*engine: half below 0\.5.ms, 99 % below 8.ms; redis-server: half below/)
  const paths = [...page.matchAll(/class="curve-line s-node-\d" d="([^"]*)"/g)].map(([, path]) => path)
  expect(paths).toEqual(['M0 100L7.5 82.5L50 52.4L100 0L100 0', 'M0 100L7.5 82.5L50 52.4L100 0L100 0'])
})
