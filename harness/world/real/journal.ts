/**
 * What a run has started and made, on disk, so that whatever happens to the harness nothing stays behind: a journal
 * file lists processes and directories; the reaper (below) cleans up the moment the harness dies, and the next start
 * cleans up after a reaper that died too.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { faultlineBundle } from '../programs.ts'
import { identify, isAlive, killIfSame, type ProcessIdentity } from './process-identity.ts'

interface JournalContents {
  owner: ProcessIdentity
  processes: ProcessIdentity[]
  directories: string[]
}

export class Journal {
  private readonly path: string
  private readonly contents: JournalContents
  private readonly reaper: ChildProcess

  /** `folder` is made when missing. Starts the reaper. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true })
    const owner = identify(process.pid) as ProcessIdentity
    this.path = join(folder, `${process.pid}-${process.hrtime.bigint()}.json`)
    this.contents = { owner, processes: [], directories: [] }
    this.save()
    this.reaper = spawn(process.execPath, [faultlineBundle(), 'reap', this.path], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.reaper.on('error', () => {})
    this.reaper.unref()
    ;(this.reaper.stdin as unknown as { unref(): void }).unref()
  }

  addProcess(pid: number): void {
    const identity = identify(pid)
    if (identity !== undefined) this.contents.processes.push(identity)
    this.save()
  }

  /** To be removed at the end. */
  addDirectory(path: string): void {
    this.contents.directories.push(path)
    this.save()
  }

  /** Ends and removes everything listed, then the journal itself. */
  close(): void {
    cleanUp(this.contents)
    rmSync(this.path, { force: true })
    this.reaper.stdin?.end()
  }

  private save(): void {
    const text = JSON.stringify(this.contents)
    try {
      writeFileSync(`${this.path}.new`, text)
      renameSync(`${this.path}.new`, this.path)
    } catch (error) {
      rmSync(`${this.path}.new`, { force: true })
      throw error
    }
  }
}

/** The reaper's program: waits until its standard input ends (the harness is gone), then cleans up what is left. */
export function reapWhenOrphaned(path: string): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  process.stdin.resume()
  process.stdin.on('error', () => reap(path))
  process.stdin.on('end', () => reap(path))
}

/** Cleans up after every run whose harness is gone. Returns how many there were. */
export function healInterrupted(folder: string): number {
  let healed = 0
  for (const name of list(folder)) {
    const path = join(folder, name)
    const contents = read(path)
    if (contents !== undefined && isAlive(contents.owner)) continue
    reap(path)
    healed++
  }
  return healed
}

function reap(path: string): void {
  const contents = read(path)
  if (contents === undefined) return
  cleanUp(contents)
  rmSync(path, { force: true })
}

function cleanUp({ processes, directories }: JournalContents): void {
  for (const identity of processes) killIfSame(identity)
  for (const directory of directories) {
    // A process that was just killed may still be writing for a moment: hence the retries.
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'))
  } catch {
    return []
  }
}

function read(path: string): JournalContents | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as JournalContents
  } catch {
    return undefined
  }
}
