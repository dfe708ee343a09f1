/** Runs the command line as a user does, in a process of its own, for the end-to-end tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repositoryRoot } from '../../../bin/bundle.js'

export interface Finished {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface Running {
  child: ChildProcess
  /** Everything printed so far. */
  output(): string
  finished: Promise<Finished>
}

/** A directory of its own as working directory, removed by `dispose`. */
export function makeWorkplace(): { path: string; dispose(): void } {
  const path = mkdtempSync(join(tmpdir(), 'faultline-test-'))
  return { path, dispose: () => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }) }
}

/** `stdout`: a descriptor in place of the pipe; what is written there is not seen here. */
export function startFaultline(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
  stdout: number | 'pipe' = 'pipe',
): Running {
  const child = spawn(process.execPath, [join(repositoryRoot, 'bin/faultline.js'), ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', stdout, 'pipe'],
  })
  let output = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (status, signal) => resolve({ status, signal, stdout: output, stderr }))
  })
  return { child, output: () => output + stderr, finished }
}

export function runFaultline(
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
  stdout: number | 'pipe' = 'pipe',
): Promise<Finished> {
  return startFaultline(args, cwd, env, stdout).finished
}

/** Polls until `condition` holds; rejects with `what` after `timeoutMs`. */
export async function until(what: string, condition: () => boolean, timeoutMs = 30_000): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs
  while (!condition()) {
    if (Date.now() > deadlineMs) throw new Error(`gave up waiting until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
