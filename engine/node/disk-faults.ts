/**
 * What is wrong with the disk of a process under test, told from outside while it runs: a small JSON file that whoever
 * injects the fault writes and removes. Development only; the environment variables are read by `main.ts`:
 *
 *   FAULTLINE_DISK=plain|held-back     wrap the disk; `held-back` also loses on SIGKILL what was not synced
 *   FAULTLINE_DISK_FAULTS=FILE         {"syncDelayMs": 1500, "full": true, "failing": ["sync"]}, any, or no file
 */
import { readFileSync, statSync } from 'node:fs'
import type { Disk, Timers } from '../io.ts'
import { createFaultyDisk } from './faulty-disk.ts'
import { createHeldBackDisk } from './held-back-disk.ts'

export interface DiskFaults {
  /** Every sync takes so much longer. */
  syncDelayMs: number
  /** No byte more fits. */
  full: boolean
  /** Operations that fail with EIO. */
  failing: readonly string[]
}

/** How a slow sync waits. */
export interface SyncDelay {
  /** Stops the process. */
  block(): void
  /** Calls back when a sync in the background may begin: at once when nothing is slow. */
  later(callback: () => void): void
}

const NO_FAULTS: DiskFaults = { syncDelayMs: 0, full: false, failing: [] }

/** The disk that the environment asks for: the plain one, or one with faults around it. */
export function diskFromEnvironment(
  plain: Disk,
  timers: Timers,
  environment: Readonly<Record<string, string | undefined>>,
): Disk {
  const { FAULTLINE_DISK: kind, FAULTLINE_DISK_FAULTS: file } = environment
  if (kind === undefined) return plain
  const faults = file === undefined ? () => NO_FAULTS : createFaultReader(file)
  const delay = createSyncDelay(() => faults().syncDelayMs, timers)
  if (kind !== 'held-back') return createFaultyDisk(plain, faults, delay)
  return createFaultyDisk(createHeldBackDisk(plain, delay), faults)
}

function createSyncDelay(delayMs: () => number, timers: Timers): SyncDelay {
  const never = new Int32Array(new SharedArrayBuffer(4))
  return {
    block() {
      if (delayMs() > 0) Atomics.wait(never, 0, 0, delayMs())
    },
    later(callback) {
      if (delayMs() > 0) timers.after(delayMs(), callback)
      else callback()
    },
  }
}

/** Reads the file again when it has changed. Whoever writes it must rename it into place: half a file is no JSON. */
function createFaultReader(file: string): () => DiskFaults {
  let stamp = ''
  let faults = NO_FAULTS
  return () => {
    const status = statSync(file, { throwIfNoEntry: false })
    const now = status === undefined ? '' : `${status.ino} ${status.mtimeMs}`
    if (now === stamp) return faults
    stamp = now
    faults = status === undefined ? NO_FAULTS : { ...NO_FAULTS, ...JSON.parse(readFileSync(file, 'utf8')) }
    return faults
  }
}
