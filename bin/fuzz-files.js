#!/usr/bin/env node
/**
 * `npm run fuzz:files -- --seconds 600 --seed 7`: damages files of the engine for that long and starts it on them.
 * The rounds are those of harness/world/sim/damage.test.ts; a failure says its seed and round.
 */
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
})
const words = ['vitest', 'run', '--maxWorkers=1', 'harness/world/sim/damage.test.ts']
const child = spawn('npx', words, {
  stdio: 'inherit',
  env: { ...process.env, FUZZ_SECONDS: values.seconds, FUZZ_SEED: values.seed },
})
child.on('close', (status) => {
  process.exitCode = status ?? 1
})
