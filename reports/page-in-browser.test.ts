import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { visible } from './html.ts'
import { renderPage } from './page.ts'
import type { Result } from './result.ts'
import { hostileResult, hostileTexts } from './testing/hostile-result.ts'
import { failingCampaignResult, splitBrainResult } from './testing/split-brain-result.ts'

const executablePath = '/usr/bin/chromium'
const launchWords =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

let browser: Browser | undefined
let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-report-'))
  if (existsSync(executablePath)) browser = await chromium.launch({ executablePath, args: launchWords.split(' ') })
}, 60_000)
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Opened {
  page: Page
  /** Console errors and warnings, uncaught errors, and every request but the one for the file. */
  complaints: string[]
}

/** Opens the report of a result from disk, as a reader would. */
async function open(context: TestContext, result: Result, options: BrowserContextOptions = {}): Promise<Opened> {
  if (browser === undefined && process.env.CI === 'true') throw new Error(`CI must not skip this: no ${executablePath}`)
  context.skip(browser === undefined, 'chromium is not installed in /usr/bin')
  const path = join(folder, `${Math.random().toString(36).slice(2)}.html`)
  writeFileSync(path, renderPage(result))
  const page = await browser!.newPage(options)
  const complaints: string[] = []
  const url = pathToFileURL(path).href
  page.on('console', (message) => complaints.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
  page.on('request', (request) => {
    if (request.url() !== url) complaints.push(`request: ${request.url()}`)
  })
  page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`))
  await page.goto(url)
  return { page, complaints }
}

/** Ids of the canvases that show no data: not one pixel has about the colour of one of the chart's series. */
function blankCanvases(page: Page): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll('canvas')].filter((canvas) => {
    const { width, height } = canvas
    if (width === 0 || height === 0) return true
    const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data
    const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    const colours = Chart.getChart(canvas).data.datasets.map(({ backgroundColor, borderColor }) => {
      pen.fillStyle = borderColor ?? backgroundColor
      pen.fillRect(0, 0, 1, 1)
      return pen.getImageData(0, 0, 1, 1).data
    })
    const isNear = (at) => ([red, green, blue]) =>
      Math.abs(pixels[at] - red) + Math.abs(pixels[at + 1] - green) + Math.abs(pixels[at + 2] - blue) < 24 && pixels[at + 3] > 200
    for (let at = 0; at < pixels.length; at += 4) if (colours.some(isNear(at))) return false
    return true
  }).map((canvas) => canvas.id)`)
}

/** How far the document is wider than the window, px. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth')
}

const schemes: [string, BrowserContextOptions][] = [
  ['a wide window', { viewport: { width: 1600, height: 900 } }],
  ['a dark scheme', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }],
  ['a window of 390 px', { viewport: { width: 390, height: 844 } }],
]

test.for(schemes)(
  'in %s the verdict is seen, every chart is drawn and nothing is asked of a network',
  async ([, options], context) => {
    const { page, complaints } = await open(context, failingCampaignResult(60), options)
    expect(await page.locator('.finding').getByText('Fail', { exact: true }).isVisible()).toBe(true)
    expect(await page.locator('.finding-sentence').isVisible()).toBe(true)
    expect(await page.locator('canvas').count()).toBe(27)
    expect(await blankCanvases(page)).toEqual([])
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    expect(complaints).toEqual([])
    await page.close()
  },
)

test.for(schemes)('hostile texts stay texts in %s, and do not widen the page', async ([, options], context) => {
  const { page, complaints } = await open(context, hostileResult(failingCampaignResult(20)), options)
  expect(await page.evaluate('window.pwned')).toBeUndefined()
  expect(await page.locator('main img, main script, main iframe, main link, main textarea').count()).toBe(0)
  const text = String(await page.evaluate('document.body.textContent'))
  for (const hostile of hostileTexts) expect(text).toContain(visible(hostile))
  expect(await blankCanvases(page)).toEqual([])
  expect(await overflow(page)).toBeLessThanOrEqual(0)
  expect(complaints).toEqual([])
  await page.close()
})

test.for([1600, 1000, 760, 721, 720, 390])(
  'at %d px no word of a table is broken into letters',
  async (width, context) => {
    const { page } = await open(context, failingCampaignResult(20), { viewport: { width, height: 800 } })
    const slim: string[] = await page.evaluate(`[...document.querySelectorAll('tbody th')]
    .filter((cell) => cell.offsetWidth < 80 && cell.offsetHeight > 60)
    .map((cell) => cell.textContent)`)
    expect(slim).toEqual([])
    await page.close()
  },
)

test.for([
  [1280, 60],
  [400, 160],
] as const)(
  'at %d px the table of the figure keeps its distance, and its rows are low',
  async ([width, most], context) => {
    const result = splitBrainResult()
    const goals = result.arms.map(({ name, target }) => ({
      arm: name,
      target,
      label: 'about 100,000 requests a second',
      wanted: 100_000,
      value: 494_434,
      capacity: 1_123_770,
      verdict: 'unknown' as const,
      sentence: 'redis-server does not reach it either: such a request costs more than that on this machine.',
    }))
    const { page } = await open(context, { ...result, goals }, { viewport: { width, height: 900 } })
    const box = async (selector: string) => (await page.locator(selector).first().boundingBox())!
    const table = await box('.goals')
    expect((await box('.arm-verdicts')).y - (table.y + table.height)).toBeGreaterThanOrEqual(24)
    expect((await box('.goals tbody tr')).height).toBeLessThanOrEqual(most)
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    await page.close()
  },
)

test('all plots of an arm begin and end at the same place', async (context) => {
  const { page } = await open(context, splitBrainResult(), { viewport: { width: 1280, height: 800 } })
  const edges: { left: number; right: number }[] = await page.evaluate(`[
    ...[...document.querySelectorAll('#timeline-0 canvas')].map((canvas) => {
      const { left } = canvas.getBoundingClientRect()
      const area = Chart.getChart(canvas).chartArea
      return { left: left + area.left, right: left + area.right }
    }),
    ...[...document.querySelectorAll('#timeline-0 .lane > svg')].map((svg) => svg.getBoundingClientRect()),
  ].map(({ left, right }) => ({ left, right }))`)
  expect(edges.length).toBe(6 + 10)
  for (const { left, right } of edges) {
    expect(Math.abs(left - edges[0]!.left)).toBeLessThanOrEqual(1)
    expect(Math.abs(right - edges[0]!.right)).toBeLessThanOrEqual(1)
  }
  await page.close()
})

test('the reading line follows the pointer and the arrow keys, and tells the values of all series', async (context) => {
  const { page, complaints } = await open(context, splitBrainResult(), { viewport: { width: 1280, height: 800 } })
  const lane = page.locator('#timeline-0 .lane.node > svg').first()
  await lane.scrollIntoViewIfNeeded()
  const box = await lane.boundingBox()
  // 5 s of 13 s: the other side waits, the cut-off side goes on.
  await page.mouse.move(box!.x + (box!.width * 5.05) / 13, box!.y + 5)
  const readingOf = (canvas: string, series: number) =>
    page.locator(`#timeline-0 [data-value="${canvas}-${series}"]`).textContent()
  expect(await page.locator('#timeline-0 .crosshair-time').textContent()).toMatch(/^5\.0\d s$/)
  expect(await Promise.all([0, 1, 2].map((series) => readingOf('chart-0-rate-0', series)))).toEqual(['500', '0', '0'])
  expect(await Promise.all([0, 1, 2].map((series) => readingOf('chart-0-rate-1', series)))).toEqual(['0', '0', '500'])
  expect(await readingOf('chart-0-latency-1', 0)).toBe('–')
  await page.mouse.move(0, 0)
  expect(await page.locator('#timeline-0 .crosshair').isVisible()).toBe(false)
  await page.locator('#timeline-0').focus()
  await page.keyboard.press('ArrowRight')
  expect(await page.locator('#timeline-0 .crosshair').isVisible()).toBe(true)
  await page.keyboard.press('Escape')
  expect(await page.locator('#timeline-0 .crosshair').isVisible()).toBe(false)
  expect(complaints).toEqual([])
  await page.close()
})

test('the copy button copies the command from a file', async (context) => {
  const { page } = await open(context, splitBrainResult())
  await page.evaluate(`document.addEventListener('copy', () => { window.copied = String(getSelection()) })
    navigator.clipboard && (navigator.clipboard.writeText = async (text) => { window.copied = text })`)
  await page.locator('button[data-copy="replay"]').click()
  await page.getByText('Copied').waitFor()
  expect(await page.evaluate('window.copied')).toBe('npm run scenario split-brain -- --seed 4211907331')
  await page.close()
})

test('without scripts the tables are there, and a note says what is missing', async (context) => {
  const { page } = await open(context, splitBrainResult(), { javaScriptEnabled: false })
  expect(await page.locator('noscript p').first().isVisible()).toBe(true)
  expect(await page.locator('#predictions table').first().isVisible()).toBe(true)
  expect(await page.locator('canvas').first().isVisible()).toBe(false)
  expect(await page.locator('button').first().isVisible()).toBe(false)
  await page.close()
})
