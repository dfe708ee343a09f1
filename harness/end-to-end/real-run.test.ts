/**
 * The split-brain scenario on real processes, through the command line, with a short time-out to save time.
 *
 * Tests share their machine, so nothing here depends on how long something took: the invariants must hold whatever
 * happens; whether the measures lie in their intervals is for a run that has its machine to itself.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ensureBundle } from '../../bin/bundle.js'
import { readResult } from '../../reports/read-result.ts'
import { makeWorkplace, type Running, runFaultline, startFaultline, until } from './testing/command-line.ts'

let workplace: ReturnType<typeof makeWorkplace>
beforeAll(() => ensureBundle(), 60_000)
beforeEach(() => {
  workplace = makeWorkplace()
})
afterEach(() => workplace.dispose())
const started: Running[] = []
afterAll(() => {
  for (const { child } of started) child.kill('SIGKILL')
})

const QUICK = ['--set', 'cluster-node-timeout=1500', '--arm', 'unprotected']

test('on our engine: the invariants hold, data and processes are gone afterwards', async () => {
  await keepsInvariants('engine')
}, 120_000)

test('on redis-server: the invariants hold', async (context) => {
  context.skip(!hasRedis(), 'redis-server is not on the PATH')
  await keepsInvariants('redis')
}, 120_000)

test('Ctrl-C in the middle stops every process and leaves no data behind', async () => {
  const running = await startedUntilLoad()
  running.child.kill('SIGINT')
  const { status, stderr } = await running.finished
  expect(stderr).toContain('The run was interrupted; everything was stopped and healed.')
  expect(stderr).not.toMatch(/\n\s+at /)
  expect(status).toBe(2)
  expect(serversBelow(workplace.path)).toEqual([])
  expect(readdirSync(join(workplace.path, '.faultline/journal'))).toEqual([])
}, 120_000)

test('a harness that is killed leaves no process and no data: its reaper cleans up', async () => {
  const running = await startedUntilLoad()
  running.child.kill('SIGKILL')
  await running.finished
  await until('the servers are gone', () => serversBelow(workplace.path).length === 0)
  await until('the journal is gone', () => readdirSync(join(workplace.path, '.faultline/journal')).length === 0)
}, 120_000)

test('when harness and reaper are both killed, the next start cleans up', async () => {
  const running = await startedUntilLoad()
  for (const pid of processesBelow(workplace.path, 'reap')) process.kill(pid, 'SIGKILL')
  running.child.kill('SIGKILL')
  await running.finished
  expect(serversBelow(workplace.path).length).toBe(6)
  const next = startFaultline(['scenario', 'split-brain', ...QUICK], workplace.path)
  started.push(next)
  const left = new Set(serversBelow(workplace.path))
  await until('the servers of the first run are gone', () => !serversBelow(workplace.path).some((pid) => left.has(pid)))
  next.child.kill('SIGINT')
  await next.finished
  expect(serversBelow(workplace.path)).toEqual([])
}, 120_000)

async function keepsInvariants(target: string): Promise<void> {
  const args = ['scenario', 'split-brain', '--target', target, ...QUICK, '--json', 'result.json']
  const { status } = await runFaultline(args, workplace.path)
  const result = readResult(readFileSync(join(workplace.path, 'result.json'), 'utf8'))
  expect(status).toBe({ pass: 0, fail: 1, unknown: 2 }[result.verdict])
  const [arm] = result.arms
  expect(result.target.kind).toBe(target)
  expect(arm?.faults[0]?.tookHold).toContain('held back')
  expect(arm?.measured.lostWritesByCause?.['minority-side']).toBeGreaterThan(0)
  const untimed = arm?.checks.filter(({ name }) => name !== 'majority clients recover') ?? []
  expect(untimed.map(({ verdict, sentence }) => [verdict, sentence])).toEqual(
    untimed.map(({ sentence }) => ['pass', sentence]),
  )
  expect(serversBelow(workplace.path)).toEqual([])
  const [run] = readdirSync(join(workplace.path, '.faultline/reports'))
  const left = readdirSync(join(workplace.path, '.faultline/reports', run as string))
  expect(left.sort()).toEqual(['history-unprotected.jsonl', 'report.html', 'result.json'])
}

async function startedUntilLoad(): Promise<Running> {
  const running = startFaultline(['scenario', 'split-brain', ...QUICK], workplace.path)
  started.push(running)
  await until('the load runs', () => running.output().includes('cut off from all others'))
  return running
}

function serversBelow(directory: string): number[] {
  return processesBelow(directory, 'redis')
}

/** Processes whose working directory or arguments lie below a directory, by a word of their command line. */
function processesBelow(directory: string, word: string): number[] {
  const lines = execFileSync('ps', ['-ewwo', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  return lines
    .map((line) => line.trim())
    .filter((line) => line.includes(word))
    .map((line) => Number(line.split(' ')[0]))
    .filter((pid) => isBelow(pid, directory))
}

function isBelow(pid: number, directory: string): boolean {
  try {
    return execFileSync('readlink', [`/proc/${pid}/cwd`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).startsWith(directory)
  } catch {
    return false
  }
}

function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'])
    return true
  } catch {
    if (process.env.CI === 'true') throw new Error('CI must have redis-server')
    return false
  }
}
