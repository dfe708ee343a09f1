/**
 * The page of a load, as text and in a browser: every chart drawn, nothing asked of a network, hostile texts harmless.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { type LoadReport, renderLoadPage } from './load-page.ts'
import type { LatencyHistogram, LoadResult } from './load-result.ts'

const executablePath = '/usr/bin/chromium'
const hostile = '<img src=x onerror="window.pwned=1">'

const latency: LatencyHistogram = {
  count: 1000,
  minMs: 0.05,
  meanMs: 0.3,
  p50Ms: 0.2,
  p90Ms: 0.5,
  p95Ms: 0.8,
  p99Ms: 3,
  p999Ms: 20,
  p9999Ms: 40,
  maxMs: 40,
  curve: [
    [0, 0.05],
    [50, 0.2],
    [99, 3],
    [100, 40],
  ],
  bars: [[1, 1000]],
  hdr: '',
}

const counts = { sent: 1003, ok: 1000, errors: 2, timeouts: 1 }

const result: LoadResult = {
  format: 'faultline-load',
  version: 1,
  verdict: 'fail',
  reasons: ['p99 was 3 ms, above 1 ms.'],
  interrupted: false,
  target: hostile,
  spec: { arrivals: { kind: 'constant' } },
  startedAt: '2026-11-22T20:00:00.000Z',
  elapsedMs: 3000,
  counts,
  requestsPerSecond: 333,
  raw: latency,
  corrected: latency,
  commands: [
    { name: 'GET', ...counts, misses: 1, raw: latency, corrected: latency },
    { name: hostile, ...counts, misses: 0, raw: latency, corrected: latency },
  ],
  seconds: [0, 1, 2].map((second) => ({ atMs: second * 1000, ...counts, raw: latency, corrected: latency })),
  slowest: [{ atMs: 100, latencyMs: 40, command: 'GET', client: 3 }],
  outages: [{ client: 3, fromMs: 100, toMs: null, errors: 3 }],
  errors: [{ text: hostile, count: 3, firstAtMs: 100 }],
  consumers: [{ name: hostile, connections: 1, messages: 5, delivery: latency }],
  driver: { threads: 1, cpu: 0.5, busy: null, loopLagP99Ms: 1, loopLagMaxMs: 2, lateP99Ms: 0.1, lateMaxMs: 1 },
}

const report: LoadReport = {
  results: [result],
  search: {
    format: 'faultline-load-search',
    version: 1,
    verdict: 'pass',
    reasons: [],
    target: hostile,
    objective: 'p99=5ms',
    bestPerSecond: 12_000,
    points: [1000, 2000, 16_000].map((ratePerSecond) => ({
      ratePerSecond,
      answeredPerSecond: ratePerSecond,
      p50Ms: 0.2,
      p99Ms: ratePerSecond / 1000,
      p999Ms: 20,
      outcome: ratePerSecond > 12_000 ? 'missed' : 'met',
    })),
    last: result,
  },
  command: 'npm run load -- h:1',
  host: { node: 'v20', platform: 'linux', cpus: 2, faultline: '0.1.0' },
}

test('says what was found, and stays text whatever a server answered', () => {
  const page = renderLoadPage(report)
  expect(page).toContain('The highest rate that meets p99=5ms is 12,000 requests per second.')
  expect(page).toContain('p99 was 3 ms, above 1 ms.')
  expect(page).toContain('until the end')
  expect(page).not.toContain('<img')
})

test('a run without one answer has a page too', () => {
  const none: LatencyHistogram = { ...latency, count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0, curve: [], bars: [] }
  const empty = { ...result, raw: none, corrected: none, seconds: [], slowest: [], commands: [] }
  expect(renderLoadPage({ ...report, results: [empty], search: null })).toContain('</html>')
})

test('in a browser every chart is drawn, without a request or a complaint', async (context) => {
  if (!existsSync(executablePath) && process.env.CI === 'true')
    throw new Error(`CI must not skip this: no ${executablePath}`)
  context.skip(!existsSync(executablePath), 'chromium is not installed in /usr/bin')
  const folder = mkdtempSync(join(tmpdir(), 'faultline-load-page-'))
  const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu'] })
  try {
    const path = join(folder, 'page.html')
    writeFileSync(path, renderLoadPage(report))
    for (const width of [1280, 390]) {
      const page = await browser.newPage({ viewport: { width, height: 900 } })
      const complaints: string[] = []
      page.on('console', (message) => complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('request', (request) => {
        if (request.url() !== pathToFileURL(path).href) complaints.push(request.url())
      })
      await page.goto(pathToFileURL(path).href)
      expect(await page.evaluate('Object.keys(Chart.instances).length')).toBe(2)
      expect(await page.locator('.curve polyline').count()).toBe(5)
      expect(await page.evaluate('window.pwned')).toBeUndefined()
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
      expect(complaints).toEqual([])
      await page.close()
    }
  } finally {
    await browser.close()
    rmSync(folder, { recursive: true, force: true })
  }
})
