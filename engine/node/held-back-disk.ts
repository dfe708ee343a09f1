/**
 * A disk that makes the death of the process a power cut: what was not synced is kept in memory and dies with it.
 *
 * A `Disk` around another one, for chaos runs on a real process (`disk-faults.ts`). Programs see one file system; below
 * it, only what was synced has reached the inner disk:
 *
 *   file:        [ content on the inner disk ][ pending writes and truncations ]    `sync` carries them out in order
 *   directory:   name → file                                                        `syncDirectory` makes the inner
 *                                                                                   directory the same
 *
 * A file that has no durable name yet has its content in an aside folder, so that it may be synced before its directory
 * is. That folder is emptied at start: its files are what a power cut took. Renames of a directory reach the inner disk
 * as renames, one by one, so that a name is never seen without its old or its new file.
 *
 * Kinder than POSIX in one point, as journaling file systems are: syncing a directory also makes the directories above
 * it durable. Renaming directories is not supported; the server never does.
 */
import { basename, dirname, join, resolve } from 'node:path'
import type { Disk, File, FileStatus, OpenMode } from '../io.ts'
import { IoError } from '../io.ts'
import type { SyncDelay } from './disk-faults.ts'

/** Name of the aside folder: on the file system of what it holds back, hidden from programs. */
const ASIDE = '.held-back'

/** `directory`: where the aside folder is made, the working directory unless told. */
export function createHeldBackDisk(inner: Disk, delay: SyncDelay, directory = '.'): Disk {
  return new HeldBackDisk(inner, delay, resolve(directory, ASIDE))
}

type Change =
  | { kind: 'write'; position: number; bytes: Uint8Array; applied: boolean }
  | { kind: 'truncate'; sizeBytes: number; applied: boolean }

/** A file, whatever its names. */
class Inode {
  readonly inner: Disk
  /** Where its durable content is on the inner disk. */
  backing: string
  sizeBytes: number
  modifiedMs: number
  pending: Change[] = []
  private file: File | undefined
  private uses = 0

  constructor(inner: Disk, backing: string, status: Pick<FileStatus, 'sizeBytes' | 'modifiedMs'>) {
    this.inner = inner
    this.backing = backing
    this.sizeBytes = status.sizeBytes
    this.modifiedMs = status.modifiedMs
  }

  /** Holds the content open: it stays reachable when its name goes. */
  retain(): void {
    this.uses++
    this.file ??= this.inner.open(this.backing, 'update')
  }

  release(): void {
    if (--this.uses > 0) return
    this.file?.close()
    this.file = undefined
  }

  read(into: Uint8Array, positionBytes: number): number {
    const count = Math.max(0, Math.min(into.length, this.sizeBytes - positionBytes))
    const part = into.subarray(0, count)
    part.fill(0)
    if (count === 0) return 0
    this.opened().read(part, positionBytes)
    for (const change of this.pending) {
      if (change.kind === 'truncate') part.subarray(Math.max(0, change.sizeBytes - positionBytes)).fill(0)
      else overlay(part, positionBytes, change)
    }
    return count
  }

  change(change: Change, sizeBytes: number): void {
    this.pending.push(change)
    this.sizeBytes = sizeBytes
  }

  /** Carries out those changes on the inner disk, in order. Throws with the rest still pending. */
  apply(changes: readonly Change[]): void {
    try {
      for (let i = 0; i < changes.length; i++) {
        const change = changes[i]!
        if (change.applied) continue
        if (change.kind === 'truncate') {
          this.opened().truncate(change.sizeBytes)
          change.applied = true
        } else i = this.writeRun(changes, i)
      }
    } finally {
      this.pending = this.pending.filter(({ applied }) => !applied)
    }
  }

  opened(): File {
    if (this.file === undefined) throw new IoError('EBADF', 'the file is closed')
    return this.file
  }

  /** Writes the changes from `first` on that follow one another without a gap, as one. Returns the last of them. */
  private writeRun(changes: readonly Change[], first: number): number {
    const run: Extract<Change, { kind: 'write' }>[] = []
    for (const change of changes.slice(first)) {
      const last = run.at(-1)
      if (change.kind !== 'write' || change.applied) break
      if (last !== undefined && last.position + last.bytes.length !== change.position) break
      run.push(change)
    }
    const bytes = Buffer.concat(run.map((change) => change.bytes))
    const start = run[0]!.position
    for (let done = 0; done < bytes.length; ) done += this.opened().write(bytes.subarray(done), start + done)
    for (const change of run) change.applied = true
    return first + run.length - 1
  }
}

/** Copies the part of a write that lies in `part`, which begins at `positionBytes`. */
function overlay(part: Uint8Array, positionBytes: number, write: { position: number; bytes: Uint8Array }): void {
  const from = Math.max(positionBytes, write.position)
  const to = Math.min(positionBytes + part.length, write.position + write.bytes.length)
  if (from >= to) return
  part.set(write.bytes.subarray(from - write.position, to - write.position), from - positionBytes)
}

/** `unread`: on the inner disk, and nobody has asked yet what it is. */
type Entry = Inode | 'directory' | 'unread'

class HeldBackDisk implements Disk {
  private readonly inner: Disk
  private readonly delay: SyncDelay
  private readonly aside: string
  /** Directories that were looked at, as programs see them. */
  private readonly directories = new Map<string, Map<string, Entry>>()
  private asideFiles = 0

  constructor(inner: Disk, delay: SyncDelay, aside: string) {
    this.inner = inner
    this.delay = delay
    this.aside = aside
    if (inner.status(this.aside) === undefined) inner.makeDirectory(this.aside)
    for (const name of inner.list(this.aside)) inner.remove(join(this.aside, name))
  }

  open(path: string, mode: OpenMode): File {
    const target = resolve(path)
    let entry = this.entry(target)
    if (entry === 'directory') throw new IoError('EISDIR', `EISDIR: illegal operation on a directory, open '${path}'`)
    if (entry === undefined) {
      if (mode === 'read' || mode === 'update') throw noEntry('open', path)
      entry = this.makeAside()
      this.bind(target, entry)
    }
    const file = new HeldBackFile(entry, mode, this.delay)
    if (mode === 'create') file.truncate(0)
    return file
  }

  status(path: string): FileStatus | undefined {
    let entry: Inode | 'directory' | undefined
    try {
      entry = this.entry(resolve(path))
    } catch (error) {
      if (error instanceof IoError && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
      throw error
    }
    if (entry === undefined) return undefined
    if (entry instanceof Inode) return { ...sizesOf(entry), isDirectory: false }
    return this.inner.status(path) ?? { sizeBytes: 0, isDirectory: true, modifiedMs: 0 }
  }

  list(path: string): string[] {
    return [...this.directory(resolve(path)).keys()].filter((name) => name !== ASIDE).sort()
  }

  makeDirectory(path: string): void {
    const target = resolve(path)
    if (this.entry(target) !== undefined) throw new IoError('EEXIST', `EEXIST: file already exists, mkdir '${path}'`)
    this.bind(target, 'directory')
    this.directories.set(target, new Map())
  }

  rename(from: string, to: string): void {
    const [source, target] = [resolve(from), resolve(to)]
    const entry = this.entry(source)
    if (entry === undefined) throw noEntry('rename', from)
    if (!(entry instanceof Inode)) throw new IoError('ENOTSUP', `renaming directories is not supported: '${from}'`)
    if (this.entry(target) === 'directory') throw new IoError('EISDIR', `EISDIR: is a directory, rename to '${to}'`)
    if (source === target) return
    this.directory(dirname(source)).delete(basename(source))
    this.bind(target, entry)
  }

  remove(path: string): void {
    const target = resolve(path)
    const entry = this.entry(target)
    if (entry === undefined) throw noEntry('unlink', path)
    if (entry === 'directory') {
      if (this.list(target).length > 0)
        throw new IoError('ENOTEMPTY', `ENOTEMPTY: directory not empty, rmdir '${path}'`)
      this.directories.delete(target)
    }
    this.directory(dirname(target)).delete(basename(target))
  }

  syncDirectory(path: string): void {
    const target = resolve(path)
    const names = this.directory(target)
    this.delay.block()
    this.makeDurable(target)
    for (const [name, entry] of names) {
      const path = join(target, name)
      if (entry instanceof Inode) this.placeDurably(entry, path)
      else if (entry === 'directory' && this.inner.status(path) === undefined) this.inner.makeDirectory(path)
    }
    for (const name of this.inner.list(target)) {
      if (name === ASIDE || names.has(name)) continue
      this.removeDurably(join(target, name))
    }
    this.inner.syncDirectory(target)
  }

  /** What a name means; undefined: nothing. Throws ENOENT or ENOTDIR when there is no such directory. */
  private entry(target: string): Inode | 'directory' | undefined {
    if (dirname(target) === target) return 'directory'
    const names = this.directory(dirname(target))
    const name = basename(target)
    const entry = names.get(name)
    if (entry !== 'unread') return entry
    const status = this.inner.status(target)
    const read = status === undefined || status.isDirectory ? 'directory' : new Inode(this.inner, target, status)
    names.set(name, read)
    return read
  }

  private directory(target: string): Map<string, Entry> {
    const known = this.directories.get(target)
    if (known !== undefined) return known
    const entry = this.entry(target)
    if (entry === undefined) throw noEntry('open', target)
    if (entry !== 'directory') throw new IoError('ENOTDIR', `ENOTDIR: not a directory, '${target}'`)
    const names = new Map<string, Entry>(this.inner.list(target).map((name) => [name, 'unread']))
    this.directories.set(target, names)
    return names
  }

  /** The newest name comes last: names become durable in the order in which they were given. */
  private bind(target: string, entry: Entry): void {
    const names = this.directory(dirname(target))
    names.delete(basename(target))
    names.set(basename(target), entry)
  }

  private makeAside(): Inode {
    const backing = join(this.aside, String(++this.asideFiles))
    this.inner.open(backing, 'create').close()
    return new Inode(this.inner, backing, { sizeBytes: 0, modifiedMs: Date.now() })
  }

  private makeDurable(target: string): void {
    if (this.inner.status(target) !== undefined) return
    this.makeDurable(dirname(target))
    this.inner.makeDirectory(target)
    this.inner.syncDirectory(dirname(target))
  }

  private placeDurably(inode: Inode, path: string): void {
    if (inode.backing === path) return
    this.saveFrom(path)
    this.inner.rename(inode.backing, path)
    inode.backing = path
  }

  /** Takes a name off the inner disk. */
  private removeDurably(path: string): void {
    if (this.inner.status(path)?.isDirectory === true) {
      for (const name of this.inner.list(path)) this.removeDurably(join(path, name))
      this.inner.remove(path)
    } else if (!this.saveFrom(path)) this.inner.remove(path)
  }

  /** The content under this name may be that of a file that has another name by now: then it is moved aside. */
  private saveFrom(path: string): boolean {
    for (const names of this.directories.values()) {
      for (const entry of names.values()) {
        if (!(entry instanceof Inode) || entry.backing !== path) continue
        entry.backing = join(this.aside, String(++this.asideFiles))
        this.inner.rename(path, entry.backing)
        return true
      }
    }
    return false
  }
}

class HeldBackFile implements File {
  private readonly inode: Inode
  private readonly mode: OpenMode
  private readonly delay: SyncDelay
  private closed = false

  constructor(inode: Inode, mode: OpenMode, delay: SyncDelay) {
    this.inode = inode
    this.mode = mode
    this.delay = delay
    inode.retain()
  }

  get sizeBytes(): number {
    this.assertOpen()
    return this.inode.sizeBytes
  }

  read(into: Uint8Array, positionBytes: number): number {
    this.assertOpen()
    return this.inode.read(into, positionBytes)
  }

  write(bytes: Uint8Array, positionBytes?: number): number {
    this.assertWritable()
    const { inode } = this
    if (bytes.length === 0) return 0
    const position = this.mode === 'update' ? (positionBytes ?? inode.sizeBytes) : inode.sizeBytes
    const write = { kind: 'write' as const, position, bytes: Uint8Array.from(bytes), applied: false }
    inode.change(write, Math.max(inode.sizeBytes, position + bytes.length))
    inode.modifiedMs = Date.now()
    return bytes.length
  }

  truncate(sizeBytes: number): void {
    this.assertWritable()
    if (sizeBytes === this.inode.sizeBytes) return
    this.inode.change({ kind: 'truncate', sizeBytes, applied: false }, sizeBytes)
  }

  sync(): void {
    this.assertOpen()
    this.delay.block()
    this.inode.apply(this.inode.pending)
    this.inode.opened().sync()
  }

  /**
   * Covers what was written by now and nothing later: a slow sync must not make more durable than a real one promises.
   */
  syncInBackground(done: (error?: IoError) => void): void {
    this.assertOpen()
    const { inode } = this
    const covered = [...inode.pending]
    inode.retain()
    this.delay.later(() => {
      let failure: IoError | undefined
      try {
        inode.apply(covered)
      } catch (error) {
        failure = error as IoError
      }
      inode.opened().syncInBackground((error) => {
        inode.release()
        done(failure ?? error)
      })
    })
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.inode.release()
  }

  private assertOpen(): void {
    if (this.closed) throw new IoError('EBADF', 'the file is closed')
  }

  private assertWritable(): void {
    this.assertOpen()
    if (this.mode === 'read') throw new IoError('EBADF', 'EBADF: bad file descriptor, write')
  }
}

function sizesOf({ sizeBytes, modifiedMs }: Inode): Pick<FileStatus, 'sizeBytes' | 'modifiedMs'> {
  return { sizeBytes, modifiedMs }
}

function noEntry(call: string, path: string): IoError {
  return new IoError('ENOENT', `ENOENT: no such file or directory, ${call} '${path}'`)
}
