/**
 * The `Disk` port on node:fs, with synchronous calls: a command that must be on disk before its reply is sent is on
 * disk when the call returns. Only `syncInBackground` uses the thread pool.
 *
 * `create` and `append` both open with O_APPEND, so that "at the file's end" is the kernel's promise and holds also
 * after a truncation. A file closed while a background sync runs keeps its descriptor until the sync is done: the
 * number must not be reused for another file meanwhile.
 */

import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import type { Disk, File, FileStatus, OpenMode } from '../io.ts'
import { IoError } from '../io.ts'
import { ioErrorFrom } from './errors.ts'

const { O_RDONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = constants

const openFlags: Record<OpenMode, number> = {
  read: O_RDONLY,
  create: O_RDWR | O_CREAT | O_TRUNC | O_APPEND,
  append: O_RDWR | O_CREAT | O_APPEND,
  update: O_RDWR,
}

export function createNodeDisk(): Disk {
  return {
    open: (path, mode) =>
      new NodeFile(
        attempt(() => openSync(path, openFlags[mode], 0o644)),
        mode,
      ),
    status: (path) => statusOf(path),
    list: (path) => attempt(() => readdirSync(path)).sort(),
    makeDirectory: (path) => void attempt(() => mkdirSync(path)),
    rename: (from, to) => attempt(() => renameSync(from, to)),
    remove: (path) => attempt(() => (statusOf(path)?.isDirectory ? rmdirSync(path) : unlinkSync(path))),
    syncDirectory(path) {
      const descriptor = attempt(() => openSync(path, O_RDONLY | constants.O_DIRECTORY))
      try {
        attempt(() => fsyncSync(descriptor))
      } finally {
        closeSync(descriptor)
      }
    },
  }
}

function attempt<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw ioErrorFrom(error)
  }
}

function statusOf(path: string): FileStatus | undefined {
  try {
    const stats = statSync(path)
    return { sizeBytes: stats.size, isDirectory: stats.isDirectory(), modifiedMs: Math.floor(stats.mtimeMs) }
  } catch (error) {
    const known = ioErrorFrom(error)
    if (known.code === 'ENOENT' || known.code === 'ENOTDIR') return undefined
    throw known
  }
}

class NodeFile implements File {
  private readonly descriptor: number
  private readonly mode: OpenMode
  private closed = false
  private backgroundSyncs = 0

  constructor(descriptor: number, mode: OpenMode) {
    this.descriptor = descriptor
    this.mode = mode
  }

  get sizeBytes(): number {
    this.assertOpen()
    return attempt(() => fstatSync(this.descriptor).size)
  }

  read(into: Uint8Array, positionBytes: number): number {
    this.assertOpen()
    let done = 0
    while (done < into.length) {
      const count = attempt(() => readSync(this.descriptor, into, done, into.length - done, positionBytes + done))
      if (count === 0) break
      done += count
    }
    return done
  }

  /** The kernel may take fewer bytes than offered: the rest is offered again, until an error says why not. */
  write(bytes: Uint8Array, positionBytes?: number): number {
    this.assertOpen()
    const start = this.mode === 'update' ? (positionBytes ?? this.sizeBytes) : null
    let done = 0
    while (done < bytes.length) {
      try {
        done += writeSync(this.descriptor, bytes, done, bytes.length - done, start === null ? null : start + done)
      } catch (error) {
        const known = ioErrorFrom(error)
        if (known.code === 'EINTR') continue
        if (known.code === 'ENOSPC' && done > 0) return done
        throw known
      }
    }
    return done
  }

  truncate(sizeBytes: number): void {
    this.assertOpen()
    attempt(() => ftruncateSync(this.descriptor, sizeBytes))
  }

  sync(): void {
    this.assertOpen()
    attempt(() => fdatasyncSync(this.descriptor))
  }

  syncInBackground(done: (error?: IoError) => void): void {
    this.assertOpen()
    this.backgroundSyncs++
    fdatasync(this.descriptor, (error) => {
      this.backgroundSyncs--
      if (this.closed && this.backgroundSyncs === 0) closeSync(this.descriptor)
      if (error) done(ioErrorFrom(error))
      else done()
    })
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    if (this.backgroundSyncs === 0) attempt(() => closeSync(this.descriptor))
  }

  /** Its number may belong to another file by now. */
  private assertOpen(): void {
    if (this.closed) throw new IoError('EBADF', 'the file is closed')
  }
}
