/**
 * `node sweeper.js FOLDER`: when standard input ends, that is when a run of tests is over or was killed, ends every
 * process that works in the run's folder or has it as its temporary folder, and removes the folder.
 *
 * A process of its own, in a group of its own, because a run that is killed cannot clean up. Plain JavaScript, because
 * it runs outside of vitest. Processes are found through /proc: where there is none, only the folder goes.
 */
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'

const [, , folder = ''] = process.argv
/** Killing takes a moment, and what is killed may just have started another. */
const ROUNDS_MAX = 20
const ROUND_MS = 50

/** @param {string} pid */
function belongs(pid) {
  try {
    const workplace = readlinkSync(`/proc/${pid}/cwd`)
    if (workplace === folder || workplace.startsWith(`${folder}/`)) return true
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`TMPDIR=${folder}`)
  } catch {
    return false // Gone, or of another user.
  }
}

/** Sends SIGKILL to all that belong. Returns whether there were any. */
function killAll() {
  let found = false
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid || !belongs(pid)) continue
    found = true
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It ended by itself.
    }
  }
  return found
}

async function sweep() {
  for (let round = 0; round < ROUNDS_MAX && process.platform === 'linux' && killAll(); round++) {
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS))
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: ROUND_MS })
}

if (folder === '') throw new Error('usage: node sweeper.js FOLDER')
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
process.stdin.resume()
process.stdin.on('error', sweep)
process.stdin.on('end', sweep)
