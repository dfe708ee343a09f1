/** A whole run of the gate on a simulated machine: baseline, history, verdict and what is written of it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { renderGateJunit, renderGateMarkdown } from '../../reports/gate-text.ts'
import { renderTrendPage } from '../../reports/trend-page.ts'
import { gateText } from '../cli/gate-text.ts'
import { type Baseline, readBaseline, whyNotComparable, writeBaseline } from './baseline.ts'
import { runGate } from './gate.ts'
import { appendGateHistory, type HistoryEntry, readGateHistory } from './gate-history.ts'
import type { Metric, Round } from './metric.ts'
import type { Sampler } from './rounds.ts'
import { normalNoise } from './testing/noise.ts'
import { trendOf } from './trend.ts'

const metrics: Metric[] = [
  { name: 'get-p1', title: 'GET, pipeline 1', unit: 'CPU µs/request', better: 'less', threshold: 0.025 },
  { name: 'rate', title: 'requests', unit: 'requests/s', better: 'more', threshold: 0.025 },
]
const host = { cpu: 'CPU <X>', cores: 2, platform: 'linux x64', node: '20.20.2' }

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-gate-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Servers whose engine is `slower` times as dear as the control. */
function machine(seed: string, slower: number, spread = 0.01): Sampler {
  const noise = normalNoise(seed)
  return {
    async round() {
      return new Map<string, Round>(
        metrics.map(({ name, better }) => {
          const cost = slower * Math.exp(spread * noise())
          return [name, { engine: better === 'less' ? 10 * cost : 10 / cost, control: 10 }]
        }),
      )
    },
  }
}

function baselineAt(cost: number): Baseline {
  const noise = normalNoise('baseline')
  const logCosts = Array.from({ length: 60 }, () => Math.log(cost) + 0.01 * noise())
  return {
    version: 1,
    takenAt: '2026-11-01T00:00:00.000Z',
    commit: 'a'.repeat(40),
    reason: 'first measurement',
    host,
    control: '7.0.15',
    roundMs: 8000,
    metrics: { 'get-p1': { unit: 'CPU µs/request', logCosts }, rate: { unit: 'requests/s', logCosts } },
  }
}

function run(
  sampler: Sampler,
  baseline: Baseline | undefined,
  history: HistoryEntry[] = [],
  control: string | null = '7.0.15',
  meanThreshold: number | null = null,
) {
  return runGate({
    sampler,
    metrics,
    meanThreshold,
    baseline,
    history,
    control,
    commit: 'b'.repeat(40),
    host,
    budgetMs: 60_000,
    isThorough: false,
    signal: new AbortController().signal,
    onRound: () => {},
  })
}

test('a slower engine is a regression in every form of the report, and says by how much', async () => {
  const { result } = await run(machine('slow', 1.26), baselineAt(1.2))
  expect(result.verdict).toBe('regression')
  expect(result.metrics.map(({ verdict }) => verdict)).toEqual(['regression', 'regression'])
  expect(result.metrics[0]?.change?.share).toBeCloseTo(0.05, 2)
  // More is better: 20 % dearer is a rate of 1 / 1.26 of the control's.
  expect(result.metrics[1]?.value).toBeCloseTo(1 / 1.26, 2)
  const markdown = renderGateMarkdown(result)
  expect(markdown).toContain('❌ regression: benchmark gate')
  expect(markdown).toContain('CPU &lt;X&gt;')
  const junit = renderGateJunit(result)
  expect(junit).toContain('tests="2" failures="2" errors="0"')
  expect(junit).toMatch(/<failure message="[^"]*threshold 2\.5 %/)
  for (const columns of [60, 100]) {
    const lines = gateText(result, columns, false).split('\n')
    expect(lines.join('\n')).toMatch(/gate: REGRESSION[\s\S]*✗ GET, pipeline 1/)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
  }
})

test('the same engine passes, a faster one is an improvement, and a wild machine is too noisy', async () => {
  expect((await run(machine('same', 1.2), baselineAt(1.2))).result.verdict).toBe('pass')
  expect((await run(machine('fast', 1.1), baselineAt(1.2))).result.verdict).toBe('improvement')
  const wild: Sampler = { round: async () => new Map() }
  const noisy = await runGate({
    sampler: wild,
    metrics,
    meanThreshold: null,
    baseline: baselineAt(1.2),
    history: [],
    control: '7.0.15',
    commit: 'b',
    host,
    budgetMs: 20,
    isThorough: false,
    signal: new AbortController().signal,
    onRound: () => {},
  })
  expect(noisy.result.verdict).toBe('too noisy')
  expect(renderGateJunit(noisy.result)).toContain('errors="2"')
})

test('what slows every command a little is found in their mean, where no command alone shows it', async () => {
  const baseline = baselineAt(1.2)
  const { result } = await run(machine('mean', 1.2 * 1.02, 0.004), baseline, [], '7.0.15', 0.015)
  expect(result.metrics.map(({ name, verdict }) => [name, verdict])).toEqual([
    ['all', 'regression'],
    ['get-p1', 'pass'],
    ['rate', 'pass'],
  ])
  expect(result.metrics[0]?.change?.share).toBeCloseTo(0.02, 2)
  expect(result.verdict).toBe('regression')
  // A baseline that lacks one of the commands has no mean to compare with.
  const { rate: _, ...others } = baseline.metrics
  const partial = await run(machine('mean', 1.2, 0.004), { ...baseline, metrics: others }, [], '7.0.15', 0.015)
  expect(partial.result.metrics[0]?.change).toBeNull()
})

test('several nights together show a lasting change that no single one does', async () => {
  const noise = normalNoise('nights')
  const night = (at: number): HistoryEntry => ({
    at: new Date(Date.UTC(2026, 0, 1 + at)).toISOString(),
    commit: String(at).padStart(40, '0'),
    control: '7.0.15',
    host: 'x',
    verdict: 'pass',
    metrics: {
      'get-p1': {
        title: 'GET, pipeline 1',
        unit: 'CPU µs/request',
        better: 'less',
        rounds: 40,
        cost: Math.log(1.2) + (at >= 37 ? 0.022 : 0) + 0.003 * noise(),
        low: 0.17,
        high: 0.2,
      },
    },
  })
  const history = Array.from({ length: 39 }, (_, at) => night(at))
  const { result } = await run(machine('drift', 1.2 * 1.022), baselineAt(1.2), history)
  expect(result.metrics[0]?.change?.share).toBeLessThan(0.025)
  expect(result.metrics[0]?.verdict).toBe('regression')
  expect(result.metrics[0]?.recent?.sinceCommit).toBe(String(37).padStart(40, '0'))
})

test('without redis-server only a baseline of the same host counts, and the result says so', async () => {
  const alone: Baseline = { ...baselineAt(1.2), control: null }
  expect(whyNotComparable(alone, null, host)).toBeUndefined()
  expect(whyNotComparable(alone, null, { ...host, cpu: 'another' })).toMatch(/another host/)
  expect(whyNotComparable(baselineAt(1.2), null, host)).toMatch(/no redis-server/)
  expect(whyNotComparable(alone, '7.0.15', host)).toMatch(/without redis-server/)
  const { result } = await run(machine('alone', 1.5), baselineAt(1.2), [], null)
  expect(result.baseline).toBeNull()
  expect(result.metrics[0]?.change).toBeNull()
  expect(result.notes.join(' ')).toMatch(/no redis-server on this machine.*Not compared with the baseline/)
})

test('a baseline survives its file; a damaged one is refused with what to do', () => {
  const file = join(folder, 'baseline.json')
  expect(readBaseline(file)).toBeUndefined()
  const { version: _, ...parts } = baselineAt(1.2)
  writeBaseline(file, parts)
  expect(readBaseline(file)?.metrics.rate?.logCosts).toHaveLength(60)
  writeFileSync(file, '{"version":2}')
  expect(() => readBaseline(file)).toThrow(/--update-baseline/)
  writeFileSync(file, '{')
  expect(() => readBaseline(file)).toThrow(/not JSON/)
})

test('the history grows by a line a run; a line that was cut short is passed over', async () => {
  const file = join(folder, 'history', 'gate.jsonl')
  const { entry } = await run(machine('same', 1.2), undefined)
  appendGateHistory(file, entry)
  writeFileSync(file, '{"at":"2026', { flag: 'a' })
  appendGateHistory(file, entry)
  expect(readGateHistory(file)).toEqual([entry, entry])
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"other":1}\n`)
  expect(() => readGateHistory(file)).toThrow(/line 4/)
})

test('the trend page shows levels and change points, and escapes what comes from outside', () => {
  const noise = normalNoise('trend')
  const history = Array.from({ length: 40 }, (_, at): HistoryEntry => {
    const cost = 0.1 + (at >= 25 ? 0.08 : 0) + 0.005 * noise()
    return {
      at: new Date(Date.UTC(2026, 0, 1 + at)).toISOString(),
      commit: at === 25 ? '<script>' : `c${at}`,
      control: '7.0.15',
      host: 'x',
      verdict: 'pass',
      metrics: {
        'get-p1': { title: 'GET', unit: 'µs', better: 'less', rounds: 20, cost, low: cost - 0.01, high: cost + 0.01 },
      },
    }
  })
  const trend = trendOf(history, '2026-03-01T00:00:00.000Z', '0.1.0')
  expect(trend.metrics[0]?.levels.map(({ from }) => from)).toEqual([0, 25])
  const page = renderTrendPage(trend)
  expect(page).toContain('worse')
  expect(page).toContain('&lt;script&gt;')
  expect(page).not.toContain('<script>')
  expect(renderTrendPage(trendOf([], '2026-03-01T00:00:00.000Z', '0.1.0'))).toContain('The history is empty')
})
