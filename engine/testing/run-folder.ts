/**
 * The temporary folder of a run of tests, for vitest's `globalSetup`: whatever its tests put into the system's lies in
 * one folder, which goes when the run is over together with the processes that are still at work there, also when the
 * run was killed (`sweeper.js`). What a sweeper that was killed too has left goes at the next start.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const OWN_NAME = /^faultline-(\d+)-/

/** Makes the folder, for this process and those that it starts. Returns what removes it. */
export function setup(): () => Promise<void> {
  const { TMPDIR } = process.env
  const common = tmpdir()
  for (const name of readdirSync(common)) {
    const owner = OWN_NAME.exec(name)?.[1]
    if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(common, name), { recursive: true, force: true })
  }
  const folder = mkdtempSync(join(common, `faultline-${process.pid}-`))
  const program = fileURLToPath(new URL('sweeper.js', import.meta.url))
  // Before TMPDIR is set: by that it knows whom to end.
  const sweeper = spawn(process.execPath, [program, folder], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] })
  const ended = new Promise<void>((resolve, reject) => {
    sweeper.on('error', reject)
    sweeper.on('close', () => resolve())
  })
  process.env.TMPDIR = folder
  return () => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    sweeper.stdin.end()
    return ended
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
