import { scenarios } from 'faultline:scenarios'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { repositoryRoot } from '../../bin/bundle.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-ci-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Exit code and output lines of the count for test files with tests of the given states. */
function count(files: Record<string, string[]>, testsExitCode = 0, scenarioExitCode = 0) {
  const testResults = Object.entries(files).map(([name, states]) => ({
    name,
    status: states.length > 0 && !states.includes('failed') ? 'passed' : 'failed',
    assertionResults: states.map((status, index) => ({ status, fullName: `test ${index}` })),
  }))
  const path = join(folder, 'results.json')
  writeFileSync(path, JSON.stringify({ testResults }))
  return countFile(path, testsExitCode, scenarioExitCode)
}

function countFile(path: string, testsExitCode: number, scenarioExitCode: number) {
  const script = join(repositoryRoot, '.ci/count.js')
  const words = [script, path, String(testsExitCode), String(scenarioExitCode)]
  const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  return { status, lines: stdout.trim().split('\n') }
}

test('tests that all pass are counted and accepted', () => {
  expect(count({ a: ['passed', 'passed'], b: ['passed'] })).toEqual({ status: 0, lines: ['3 passed, 0 failed'] })
})

test('failed, skipped and unfinished tests, broken files and a failed scenario are failures', () => {
  expect(count({ a: ['passed', 'failed'] }, 1)).toEqual({ status: 1, lines: ['1 passed, 1 failed'] })
  expect(count({ a: ['passed', 'skipped', 'todo'] })).toEqual({
    status: 1,
    lines: ['not run (skipped): a test 1', 'not run (todo): a test 2', '1 passed, 2 failed'],
  })
  expect(count({ a: ['passed'], b: [] }, 1)).toEqual({ status: 1, lines: ['did not load: b', '1 passed, 1 failed'] })
  expect(count({ a: ['passed'] }, 0, 2).lines.at(-1)).toBe('1 passed, 1 failed')
})

test('no tests, no results, and an error outside of a test are failures', () => {
  expect(count({})).toEqual({ status: 1, lines: ['no test ran', '0 passed, 1 failed'] })
  expect(countFile(join(folder, 'absent.json'), 0, 0).status).toBe(1)
  expect(count({ a: ['skipped'] }).status).toBe(1)
  expect(count({ a: ['passed'] }, 1).lines.at(-1)).toBe('1 passed, 1 failed')
})

test('the continuous integration runs the same script as anybody else', () => {
  expect(statSync(join(repositoryRoot, '.ci/run')).mode & 0o111).toBe(0o111)
  expect(readFileSync(join(repositoryRoot, '.github/workflows/ci.yml'), 'utf8')).toContain('run: .ci/run')
})

/**
 * Runs a script of the night with programs in place of npm and npx that say what they were asked, and run `reaction`.
 */
function runNight(script: string, words: readonly string[], reaction: string) {
  const programs = join(folder, 'programs')
  mkdirSync(programs)
  const calls = join(folder, 'calls')
  for (const name of ['npm', 'npx']) {
    const program = `#!/bin/sh\necho "$(basename "$0") $*" >>'${calls}'\n${reaction}\n`
    writeFileSync(join(programs, name), program, { mode: 0o755 })
  }
  const summary = join(folder, 'summary.md')
  const { status } = spawnSync(join(repositoryRoot, '.ci', script), words, {
    env: { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH}`, GITHUB_STEP_SUMMARY: summary },
  })
  return {
    status,
    calls: readFileSync(calls, 'utf8').trim().split('\n'),
    summary: existsSync(summary) ? readFileSync(summary, 'utf8') : '',
  }
}

test('a night runs all its tests, and tells which failed and how to repeat it', () => {
  const { status, calls, summary } = runNight(
    'nightly-tests',
    ['7', '30'],
    'case "$*" in *differential*) exit 1;; esac',
  )
  expect(status).toBe(1)
  expect(calls).toHaveLength(5)
  expect(
    summary
      .replaceAll(/\d+ s:/g, 'N s:')
      .trim()
      .split('\n')
      .slice(2),
  ).toEqual([
    '- passed in N s: `FUZZ_SEED=7 npx vitest run --reporter=dot`',
    '- FAILED in N s: `npm run --silent differential -- --seconds 30 --seed 7`',
    '- passed in N s: `npm run --silent fuzz -- --seconds 30 --seed 7`',
    '- passed in N s: `npm run --silent fuzz:files -- --seconds 30 --seed 7`',
    '- passed in N s: `CRASH_STRIDE=1 npx vitest run --reporter=dot harness/world/sim/crash.test.ts`',
  ])
})

test('a night without a failure passes; an interrupted one stops', () => {
  expect(runNight('nightly-tests', ['7'], 'exit 0').status).toBe(0)
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
  const { status, calls } = runNight('nightly-tests', ['7'], 'exit 130')
  expect({ status, count: calls.length }).toEqual({ status: 130, count: 1 })
})

test('seeds and scenarios that cannot even start fail the night, and the others still run', () => {
  const seeds = runNight('nightly-seeds', ['7', join(folder, 'out'), '10'], 'exit 1')
  expect(seeds.status).toBe(1)
  expect(seeds.calls).toHaveLength(3)
  expect(seeds.calls[0]).toContain('--runs 10 --seed 70')
  expect(seeds.summary).toContain('- cluster/split-brain: no result, exit status 1\n')
  rmSync(join(folder, 'programs'), { recursive: true })
  rmSync(join(folder, 'calls'))
  const { status, calls } = runNight('nightly-scenarios', ['redis', join(folder, 'out'), 'a/b', 'c/d'], 'exit 1')
  expect({ status, count: calls.length }).toEqual({ status: 1, count: 2 })
})

test('a night simulates every scenario that can be simulated', async () => {
  const names = await Promise.all(
    Object.entries(scenarios).map(async ([name, load]) => {
      const { worlds } = (await load()).default
      return worlds === undefined || worlds.includes('sim') ? [name] : []
    }),
  )
  const script = readFileSync(join(repositoryRoot, '.ci/nightly-seeds'), 'utf8')
  expect(/^for name in (.*); do$/m.exec(script)?.[1]?.split(' ').sort()).toEqual(names.flat().sort())
})
