/**
 * The persistence scenarios through the command line: in the simulator, once on real processes, and what is refused.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ensureBundle } from '../../bin/bundle.js'
import { readResult } from '../../reports/read-result.ts'
import type { Result } from '../../reports/result.ts'
import { History } from '../history/history.ts'
import { makeWorkplace, runFaultline } from './testing/command-line.ts'

vi.setConfig({ testTimeout: 180_000 })
const workplace = makeWorkplace()
beforeAll(() => ensureBundle(), 60_000)
afterAll(() => workplace.dispose())

async function crashLoss(...options: string[]): Promise<Result> {
  const args = ['scenario', 'crash-loss', '--json', '-', ...options]
  const { stdout, stderr } = await runFaultline(args, workplace.path)
  if (stdout === '') throw new Error(stderr)
  return readResult(stdout)
}

test('simulated, every mode loses to a crash what it is predicted to, and no more', async () => {
  const result = await crashLoss('--world', 'sim', '--seed', '3')
  expect(result.arms.map(({ name, sentence }) => [name, sentence])).toEqual(
    result.arms.map(({ name }) => [name, 'All measures lie inside their predictions and all checks hold.']),
  )
  expect(result).toMatchObject({ verdict: 'pass', notRun: [] })
  expect(result.arms).toHaveLength(13)
  const lost = Object.fromEntries(result.arms.map((arm) => [arm.name, arm.measured.lostWrites]))
  expect(lost['none-kill']).toBeGreaterThan(2000)
  expect(lost['rdb-kill']).toBeGreaterThan(0)
  for (const arm of ['no-kill', 'everysec-kill', 'always-kill', 'always-power', 'mixed-kill']) expect(lost[arm]).toBe(0)
})

test('the same seed loses the same writes', async () => {
  const options = ['--world', 'sim', '--seed', '8', '--arm', 'everysec-power', '--arm', 'mixed-power']
  const [first, second] = await Promise.all([crashLoss(...options), crashLoss(...options)])
  expect(second.traceHash).toBe(first.traceHash)
  expect(second.arms).toEqual(first.arms)
})

test('on real processes a power cut takes nothing that appendfsync always had acknowledged', async () => {
  const directory = join(workplace.path, 'real')
  const result = await crashLoss('--arm', 'always-power', '--report', directory)
  const [arm] = result.arms
  expect(arm?.faults[0]?.tookHold).toContain('had not synced')
  expect(arm?.measured).toMatchObject({ lostWrites: 0 })
  expect(arm?.measured.restartMs).toBeGreaterThan(0)
  const run = join(directory, readdirSync(directory)[0] as string)
  const history = History.parse(readFileSync(join(run, arm?.historyFile as string), 'utf8'))
  expect(history.of('content').flatMap(({ entries }) => entries).length).toBeGreaterThan(1000)
  expect(readdirSync(run).sort()).toEqual(['history-always-power.jsonl', 'report.html', 'result.json'])
})

test.for([
  ['an arm that the target cannot run', ['crash-loss', '--target', 'redis', '--arm', 'no-power'], 'lacks a power cut'],
  ['a scenario of real time in the simulator', ['persist/modes', '--world', 'sim'], 'use --world real'],
] as const)('%s is refused', async ([, args, sentence], context) => {
  const { status, stderr } = await runFaultline(['scenario', ...args], workplace.path)
  context.skip(stderr.includes('No redis-server is on the PATH'), 'redis-server is not on the PATH')
  expect(stderr).toContain(sentence)
  expect(status).toBe(2)
})
