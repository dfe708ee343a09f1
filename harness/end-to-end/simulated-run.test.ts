/** The split-brain scenario in the simulator, through the command line. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ensureBundle } from '../../bin/bundle.js'
import { readResult } from '../../reports/read-result.ts'
import type { Result } from '../../reports/result.ts'
import { History } from '../history/history.ts'
import { measure } from '../run/measure.ts'
import { makeWorkplace, runFaultline } from './testing/command-line.ts'

vi.setConfig({ testTimeout: 180_000 })
const workplace = makeWorkplace()
beforeAll(() => ensureBundle(), 60_000)
afterAll(() => workplace.dispose())

async function simulate(...options: string[]): Promise<Result> {
  const { stdout, stderr } = await runFaultline(
    ['scenario', 'split-brain', '--world', 'sim', '--json', '-', ...options],
    workplace.path,
  )
  if (stdout === '') throw new Error(stderr)
  return readResult(stdout)
}

test('every arm behaves as predicted, and the arms compare as the claim says', async () => {
  const result = await simulate('--seed', '7')
  expect(result.sentence).toBe('3 of 3 arms behaved as predicted, and every invariant held.')
  expect(result.verdict).toBe('pass')
  const lost = Object.fromEntries(result.arms.map((arm) => [arm.name, arm.measured.lostWrites]))
  expect(lost['max-lag-1']).toBeLessThan(lost.unprotected as number)
  expect(lost['max-lag-default']).toBeGreaterThan(lost['max-lag-1'] as number)
})

test('the same seed gives the same trace and result in two processes, another seed another', async () => {
  const options = ['--arm', 'unprotected']
  const [first, second, other] = await Promise.all([
    simulate('--seed', '11', ...options),
    simulate('--seed', '11', ...options),
    simulate('--seed', '12', ...options),
  ])
  expect(first.traceHash).toMatch(/^[0-9a-f]{16}$/)
  expect(second.traceHash).toBe(first.traceHash)
  expect(second.arms).toEqual(first.arms)
  expect(other.traceHash).not.toBe(first.traceHash)
})

test('the prediction follows a setting of the user, and still holds', async () => {
  const [arm] = (await simulate('--seed', '3', '--arm', 'unprotected', '--set', 'cluster-node-timeout=2000')).arms
  expect(arm?.predicted.lostWrites).toMatchObject({ low: 380, high: 714 })
  expect(arm?.sentence).toBe('All measures lie inside their predictions and all checks hold.')
})

test('the numbers in the report agree with the history file, and judging it again gives the same', async () => {
  const directory = join(workplace.path, 'reports')
  const { status } = await runFaultline(
    ['scenario', 'split-brain', '--world', 'sim', '--seed', '5', '--report', directory],
    workplace.path,
  )
  expect(status).toBe(0)
  const run = join(directory, readdirSync(directory)[0] as string)
  const before = readResult(readFileSync(join(run, 'result.json'), 'utf8'))
  for (const arm of before.arms) {
    const history = History.parse(readFileSync(join(run, arm.historyFile as string), 'utf8'))
    expect(measure(history)).toEqual(arm.measured)
  }
  expect((await runFaultline(['report', run], workplace.path)).status).toBe(0)
  const after = readResult(readFileSync(join(run, 'result.json'), 'utf8'))
  expect(after).toEqual(before)
  expect(existsSync(join(run, 'report.html'))).toBe(true)
})

test('a campaign runs many seeds and shows the distribution', async () => {
  const result = await simulate('--runs', '4', '--seed', '100', '--arm', 'unprotected')
  expect(result.verdict).toBe('pass')
  const [arm] = result.campaign?.arms ?? []
  expect(arm).toMatchObject({ arm: 'unprotected', pass: 4, fail: 0, unknown: 0, failures: [] })
  expect(arm?.measures.find(({ measure }) => measure === 'lostWrites')?.values).toHaveLength(4)
})

test('--verbose tells what the nodes report of themselves', async () => {
  const args = ['scenario', 'split-brain', '--world', 'sim', '--arm', 'unprotected', '--verbose']
  const { stdout } = await runFaultline(args, workplace.path)
  expect(stdout).toMatch(/unprotected: at \d+\.\d\d s: replica-1 is primary, has epoch \d+/)
  expect(stdout).toMatch(/the partition ends; [\d,]+ packets lost/)
})
