/**
 * A disk with faults, for chaos runs on a real process: slow or failing syncs, failing reads and writes, no space left.
 * A `Disk` around another one; what is wrong at the moment is asked for at every operation, so that a fault can come
 * and go while the server runs (`disk-faults.ts`).
 */
import type { Disk, File, OpenMode } from '../io.ts'
import { IoError } from '../io.ts'
import type { DiskFaults, SyncDelay } from './disk-faults.ts'

/** `delay` is left to the inner disk where that one waits by itself (see held-back-disk.ts). */
export function createFaultyDisk(inner: Disk, faults: () => DiskFaults, delay?: SyncDelay): Disk {
  return {
    status: (path) => inner.status(path),
    list: (path) => inner.list(path),
    makeDirectory: (path) => inner.makeDirectory(path),
    rename: (from, to) => inner.rename(from, to),
    remove: (path) => inner.remove(path),
    open: (path, mode) => new FaultyFile(inner.open(path, mode), path, mode, faults, delay),
    syncDirectory(path) {
      delay?.block()
      failIfFaulty(faults(), 'sync', path)
      inner.syncDirectory(path)
    },
  }
}

function failIfFaulty(faults: DiskFaults, operation: 'read' | 'write' | 'sync', path: string): void {
  if (faults.failing.includes(operation)) throw new IoError('EIO', `EIO: i/o error, ${operation} '${path}'`)
}

class FaultyFile implements File {
  private readonly inner: File
  private readonly path: string
  private readonly mode: OpenMode
  private readonly faults: () => DiskFaults
  private readonly delay: SyncDelay | undefined

  constructor(inner: File, path: string, mode: OpenMode, faults: () => DiskFaults, delay: SyncDelay | undefined) {
    this.inner = inner
    this.path = path
    this.mode = mode
    this.faults = faults
    this.delay = delay
  }

  get sizeBytes(): number {
    return this.inner.sizeBytes
  }

  read(into: Uint8Array, positionBytes: number): number {
    failIfFaulty(this.faults(), 'read', this.path)
    return this.inner.read(into, positionBytes)
  }

  /** On a full disk what does not grow the file still fits. */
  write(bytes: Uint8Array, positionBytes?: number): number {
    const faults = this.faults()
    failIfFaulty(faults, 'write', this.path)
    if (!faults.full || bytes.length === 0) return this.inner.write(bytes, positionBytes)
    const sizeBytes = this.inner.sizeBytes
    const start = this.mode === 'update' ? (positionBytes ?? sizeBytes) : sizeBytes
    const fitting = Math.min(bytes.length, Math.max(0, sizeBytes - start))
    if (fitting === 0) throw new IoError('ENOSPC', 'ENOSPC: no space left on device, write')
    return this.inner.write(bytes.subarray(0, fitting), positionBytes)
  }

  truncate(sizeBytes: number): void {
    this.inner.truncate(sizeBytes)
  }

  sync(): void {
    this.delay?.block()
    failIfFaulty(this.faults(), 'sync', this.path)
    this.inner.sync()
  }

  /**
   * A failing sync is done in truth, since only the inner disk knows when to call back; its end is told as a failure.
   */
  syncInBackground(done: (error?: IoError) => void): void {
    const begin = (): void =>
      this.inner.syncInBackground((error) => {
        const isFailing = this.faults().failing.includes('sync')
        done(isFailing ? new IoError('EIO', `EIO: i/o error, sync '${this.path}'`) : error)
      })
    if (this.delay === undefined) begin()
    else this.delay.later(begin)
  }

  close(): void {
    this.inner.close()
  }
}
