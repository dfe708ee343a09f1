import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { setup } from './run-folder.ts'

/** Runs until it is killed. */
function idle(options: { cwd?: string }): ChildProcess {
  return spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', ...options })
}
const end = (child: ChildProcess) =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))

test('this run has a folder of its own', () => {
  expect(tmpdir()).toMatch(/\/faultline-\d+-\w+$/)
})

// Processes are found through /proc, which only Linux has.
test.runIf(process.platform === 'linux')('the end of a run ends what it has started, and nothing else', async () => {
  const before = tmpdir()
  const bystander = idle({})
  const over = setup()
  const folder = tmpdir()
  expect(dirname(folder)).toBe(before)
  const place = join(folder, 'place')
  mkdirSync(place)
  // Told of the folder by its environment, and one that only works there.
  const started = [idle({}), spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { cwd: place, env: {} })]
  const ends = Promise.all(started.map(end))
  await over()
  expect(await ends).toEqual(['SIGKILL', 'SIGKILL'])
  expect(existsSync(folder)).toBe(false)
  expect(tmpdir()).toBe(before)
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
  const itsEnd = end(bystander)
  bystander.kill('SIGKILL')
  await itsEnd
})

test('a folder whose run is dead goes at the next start, that of a living one stays', async () => {
  const dead = idle({})
  const itsEnd = end(dead)
  dead.kill('SIGKILL')
  await itsEnd
  const left = mkdtempSync(join(tmpdir(), `faultline-${dead.pid}-`))
  const living = mkdtempSync(join(tmpdir(), `faultline-${process.ppid}-`))
  await setup()()
  const names = readdirSync(tmpdir()).map((name) => join(tmpdir(), name))
  expect(names).not.toContain(left)
  expect(names).toContain(living)
})
