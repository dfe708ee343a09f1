import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
