/**
 * Tests that draw their cases, run for as long as told: `node bin/long-test.js NAME --seconds N --seed S`. The same
 * test runs for a moment in `npm test`. What fails is printed with the seed that gives it again.
 */
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { repositoryRoot } from './bundle.js'

/** By name: the test file. */
const tests = {
  differential: 'engine/commands/generated.test.ts',
  fuzz: 'engine/robustness/fuzz.test.ts',
  'fuzz:files': 'harness/world/sim/damage.test.ts',
}

/** @param {string[]} words */
function readOptions(words) {
  try {
    const { values, positionals } = parseArgs({
      args: words,
      allowPositionals: true,
      options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' } },
    })
    const [name = '', ...surplus] = positionals
    const file = Object.entries(tests).find(([known]) => known === name)?.[1]
    const seconds = Number(values.seconds)
    const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
    if (file === undefined) throw new Error(`NAME is one of ${Object.keys(tests).join(', ')}`)
    if (surplus.length > 0)
      throw new Error(`'${surplus[0]}' is one word too many: say --seconds N --seed S, or nothing`)
    if (!(seconds > 0) || !Number.isFinite(seconds)) throw new Error('--seconds is a number above 0')
    if (!Number.isInteger(seed)) throw new Error('--seed is a whole number')
    return { file, seconds, seed }
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`)
    process.exit(2)
  }
}

const { file, seconds, seed } = readOptions(process.argv.slice(2))
process.stdout.write(`${file}: ${seconds} seconds, seed ${seed}\n`)
const child = spawn('npx', ['vitest', 'run', '--maxWorkers=1', file], {
  cwd: repositoryRoot,
  stdio: 'inherit',
  // CI: a test that skips because redis-server is missing has tested nothing.
  env: { ...process.env, CI: 'true', FUZZ_SECONDS: String(seconds), FUZZ_SEED: String(seed) },
})
child.on('error', (error) => {
  process.stderr.write(`error: npx cannot be started: ${error.message}\n`)
  process.exitCode = 2
})
child.on('close', (status) => {
  process.exitCode = status ?? 1
})
