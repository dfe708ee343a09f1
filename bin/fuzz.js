#!/usr/bin/env node
// Hostile clients against the engine and redis-server for as long as told: npm run fuzz -- --seconds N --seed S
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now()) } },
})
console.log(`seed ${values.seed}`)
const child = spawn('npx', ['vitest', 'run', 'engine/robustness/fuzz.test.ts'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  stdio: 'inherit',
  env: { ...process.env, FUZZ_SECONDS: values.seconds, FUZZ_SEED: values.seed },
})
child.on('exit', (status) => {
  process.exitCode = status ?? 1
})
