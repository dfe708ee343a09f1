import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BuildError, ensureBundle, repositoryRoot } from './bundle.js'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'faultline-bundle-'))
  cpSync(join(repositoryRoot, 'bin'), join(root, 'bin'), { recursive: true })
  symlinkSync(join(repositoryRoot, 'node_modules'), join(root, 'node_modules'))
  plant('package.json', '{ "type": "module" }')
  plant('engine/node/main.ts', "console.log('engine of', process.argv.slice(2).join(' '))")
  plant('harness/cli/main.ts', mainProgram('one'))
  for (const worker of ['run/simulation-worker', 'load/load-worker', 'shop/shop-process']) {
    plant(`harness/${worker}.ts`, 'postMessage(1)')
  }
  plant('scenarios/cluster/split-brain.ts', "export default { name: 'cluster/split-brain' }")
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function plant(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/** A command line that prints what it is given, and exits in the ways that a launcher has to pass on. */
function mainProgram(version: string): string {
  return `
    import { scenarios } from 'faultline:scenarios'
    const words: string[] = process.argv.slice(2)
    if (words.includes('wait')) {
      process.once('SIGTERM', () => { console.log('stopped'); clearInterval(waiting) })
      const waiting = setInterval(() => {}, 1000)
    }
    console.log(JSON.stringify({ version: '${version}', words, scenarios: Object.keys(scenarios) }))
    if (words.includes('fail')) process.exitCode = 7
    if (words.includes('throw')) throw new Error('planted')
  `
}

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** Run a launcher of the planted repository; `onFirstOutput` may signal it. */
function launch(program: string, words: string[], onFirstOutput: (pid: number) => void = () => {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'bin', program), ...words], { cwd: tmpdir() })
    const outcome: Outcome = { code: null, stdout: '', stderr: '' }
    child.stdout.once('data', () => child.pid !== undefined && onFirstOutput(child.pid))
    child.stdout.on('data', (chunk) => {
      outcome.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      outcome.stderr += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ ...outcome, code }))
  })
}

const bundle = () => readFileSync(join(root, 'dist/faultline.js'), 'utf8')

test('the first launch builds, and arguments reach the program unchanged', async () => {
  const { code, stdout, stderr } = await launch('faultline.js', ['scenario', 'split-brain', '--world', 'sim'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const words = ['scenario', 'split-brain', '--world', 'sim']
  expect(JSON.parse(stdout)).toEqual({ version: 'one', words, scenarios: ['cluster/split-brain'] })
  expect((await launch('engine.js', ['--port', '0'])).stdout).toBe('engine of --port 0\n')
})

test('the exit code, an uncaught error and a signal are those of the program', async () => {
  expect((await launch('faultline.js', ['fail'])).code).toBe(7)
  const thrown = await launch('faultline.js', ['throw'])
  expect(thrown.code).toBe(1)
  expect(thrown.stderr).toContain(join('harness', 'cli', 'main.ts'))
  const stopped = await launch('faultline.js', ['wait'], (pid) => process.kill(pid, 'SIGTERM'))
  expect({ code: stopped.code, last: stopped.stdout.trim().split('\n').at(-1) }).toEqual({ code: 0, last: 'stopped' })
})

test('nothing is rebuilt while nothing changes, nor for a file that was only touched, nor for a test', async () => {
  expect((await ensureBundle({ root })).built).toBe(true)
  expect((await ensureBundle({ root })).built).toBe(false)
  utimesSync(join(root, 'harness/cli/main.ts'), new Date(1), new Date(1))
  expect((await ensureBundle({ root })).built).toBe(false)
  plant('harness/cli/main.test.ts', 'a test')
  expect((await ensureBundle({ root })).built).toBe(false)
})

test('a lost index is made again without a build', async () => {
  await ensureBundle({ root })
  rmSync(join(root, 'dist/index.json'))
  expect((await ensureBundle({ root })).built).toBe(false)
  expect(existsSync(join(root, 'dist/index.json'))).toBe(true)
})

test.each([
  ['a changed source', () => plant('harness/cli/main.ts', mainProgram('two')), /two/],
  ['a new scenario', () => plant('scenarios/lock/expiry.ts', 'export default {}'), /lock\/expiry/],
  ['a removed scenario', () => rmSync(join(root, 'scenarios'), { recursive: true }), /^(?!.*split-brain)/s],
  ['a changed lock file', () => plant('package-lock.json', '{}'), /one/],
  ['a lost bundle', () => rmSync(join(root, 'dist/faultline.js')), /one/],
  ['a bundle of other sources', () => plant('dist/engine.js', '// faultline 00\n'), /one/],
])('%s leads to a build', async (_what, change, expected) => {
  await ensureBundle({ root })
  change()
  expect((await ensureBundle({ root })).built).toBe(true)
  expect(bundle()).toMatch(expected)
  expect((await ensureBundle({ root })).built).toBe(false)
})

test('an edit that leaves size and modification time as they were is noticed', async () => {
  const path = join(root, 'harness/cli/main.ts')
  utimesSync(path, new Date(1), new Date(1))
  await ensureBundle({ root })
  plant('harness/cli/main.ts', mainProgram('two'))
  utimesSync(path, new Date(1), new Date(1))
  expect((await ensureBundle({ root })).built).toBe(true)
  expect(bundle()).toContain('two')
})

test('launches at the same time all run a whole bundle, and leave no temporary file', async () => {
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => launch('faultline.js', ['list'])))
  for (const { code, stdout, stderr } of outcomes) {
    expect({ code, stderr, version: JSON.parse(stdout).version }).toEqual({ code: 0, stderr: '', version: 'one' })
  }
  const outputs = ['engine.js', 'faultline.js', 'load-worker.js', 'shop.js', 'simulation-worker.js']
  const left = [...outputs.flatMap((name) => [name, `${name}.map`]), 'index.json'].sort()
  expect(readdirSync(join(root, 'dist')).sort()).toEqual(left)
})

test('a slow launch that overwrites the bundle of a newer one is found out', async () => {
  await ensureBundle({ root })
  const old = bundle()
  plant('harness/cli/main.ts', mainProgram('two'))
  await ensureBundle({ root })
  writeFileSync(join(root, 'dist/faultline.js'), old)
  expect((await ensureBundle({ root })).built).toBe(true)
  expect(bundle()).toContain('two')
})

test('sources that do not bundle give the file and line, exit code 1, and keep the last bundle', async () => {
  await ensureBundle({ root })
  const before = bundle()
  plant('harness/cli/main.ts', "\nimport { lost } from './lost.ts'\nlost()")
  const { code, stdout, stderr } = await launch('faultline.js', [])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('The sources do not bundle (1 error)')
  expect(stderr).toContain('harness/cli/main.ts:2:')
  expect(stderr).not.toContain('node:internal')
  expect(bundle()).toBe(before)
  await expect(ensureBundle({ root })).rejects.toThrow(BuildError)
})
