/**
 * The disk of a simulated machine: a file system in memory that keeps apart what programs see and what is durable.
 *
 * Every change is applied at once, and remembered with what is needed to undo it until it is durable:
 *
 *   file:       [ durable bytes | append | overwrite | append ]   fdatasync makes all of them durable
 *   directory:  [ durable names | create | rename | remove ]      syncDirectory makes those of one directory durable
 *
 * A power cut draws from the seed how many of the remembered changes had reached the disk anyway: a prefix of each
 * file's changes, the next write possibly in part (torn), and a prefix of the changes of names. The rest is undone,
 * last first. What was synced is never undone. Pages older than 30 s are written back on their own, as Linux does
 * (dirty_expire_centisecs). A rename between directories counts as a change of the directory it goes to.
 */

import { posix } from 'node:path'
import type { Disk, File, FileStatus, OpenMode, Random } from '../../../engine/io.ts'
import { IoError } from '../../../engine/io.ts'
import { TaskKind } from './cpu.ts'
import type { SimProcess } from './process.ts'
import { ProcessEnded } from './process.ts'
import type { Scheduler } from './scheduler.ts'

export interface DiskSettings {
  capacityBytes: number
  /** How long fdatasync takes: this and up to as much again, drawn. */
  syncLatencyUs: number
  writeBytesPerUs: number
}

export const defaultDiskSettings: DiskSettings = {
  capacityBytes: 64 * 1024 * 1024 * 1024,
  syncLatencyUs: 500,
  writeBytesPerUs: 2000,
}

/** Laid over a disk and taken away again, in any order. */
export interface DiskFault {
  /** Multiplies how long writing and syncing take. */
  slowdown?: number
  /** Every sync takes so much longer. */
  syncDelayUs?: number
  /** Operations that fail with EIO. */
  failing?: readonly ('read' | 'write' | 'sync')[]
  /** No byte more fits. */
  full?: boolean
}

const WRITE_BACK_US = 30_000_000

interface FileChange {
  atUs: number
  /** Restores the content before the change. */
  undo(): void
  /** Restores it but for a part of what the change wrote; absent for changes that happen as a whole. */
  tear?(random: Random): void
}

interface NameChange {
  directory: string
  undo(): void
}

class Inode {
  readonly isDirectory: boolean
  content: Buffer = Buffer.alloc(0)
  sizeBytes = 0
  modifiedMs = 0
  changes: FileChange[] = []

  constructor(isDirectory: boolean) {
    this.isDirectory = isDirectory
  }

  view(): Buffer {
    return this.content.subarray(0, this.sizeBytes)
  }

  /** A copy, since the buffer is changed in place. */
  snapshot(start: number, end: number): Buffer {
    return Buffer.from(this.content.subarray(start, end))
  }

  resize(sizeBytes: number): void {
    if (sizeBytes > this.content.length) {
      const grown = Buffer.alloc(Math.max(sizeBytes, this.content.length * 2, 4096))
      this.content.copy(grown, 0, 0, this.sizeBytes)
      this.content = grown
    } else if (sizeBytes > this.sizeBytes) this.content.fill(0, this.sizeBytes, sizeBytes)
    this.sizeBytes = sizeBytes
  }
}

export class SimDisk {
  private readonly scheduler: Scheduler
  private readonly settings: DiskSettings
  private readonly random: Random
  private readonly names = new Map<string, Inode>([['/', new Inode(true)]])
  private nameChanges: NameChange[] = []
  private readonly faults = new Set<DiskFault>()
  /** Called around everything that changes what is on the disk or makes it durable: where a test lets a host die. */
  beforeChange: (() => void) | undefined = undefined
  afterChange: (() => void) | undefined = undefined

  constructor(scheduler: Scheduler, settings: DiskSettings, random: Random) {
    this.scheduler = scheduler
    this.settings = settings
    this.random = random
  }

  /** Lays a fault on the disk, and returns its undo. */
  impair(fault: DiskFault): () => void {
    this.faults.add(fault)
    return () => {
      this.faults.delete(fault)
    }
  }

  /** The content that a program would read now, undefined when there is no such file. For checks. */
  contentOf(path: string): Buffer | undefined {
    const inode = this.names.get(absolute(path))
    return inode === undefined || inode.isDirectory ? undefined : Buffer.from(inode.view())
  }

  /** Of all files and directories. For checks. */
  paths(): string[] {
    return [...this.names.keys()]
  }

  /** Puts a file there, durably, as if it had always been there. Directories on the way are made. */
  install(path: string, content: Uint8Array): void {
    const target = absolute(path)
    this.installDirectory(posix.dirname(target))
    const inode = new Inode(false)
    inode.content = Buffer.from(content)
    inode.sizeBytes = content.length
    this.names.set(target, inode)
  }

  installDirectory(path: string): void {
    const target = absolute(path)
    if (this.names.has(target)) return
    this.installDirectory(posix.dirname(target))
    this.names.set(target, new Inode(true))
  }

  /** The port that one process sees. */
  openedBy(process: SimProcess): Disk {
    const acting = <A extends unknown[], T>(operation: (...args: A) => T) => {
      return (...args: A): T => {
        if (!process.alive) throw new ProcessEnded(process.machine.name)
        return operation(...args)
      }
    }
    const changing = <A extends unknown[], T>(operation: (...args: A) => T) => {
      return acting((...args: A): T => {
        this.changeBegins(process)
        const result = operation(...args)
        this.changeMade(process)
        return result
      })
    }
    return {
      open: acting((path: string, mode: OpenMode) => this.open(process, absolute(path), mode)),
      status: acting((path: string) => this.status(absolute(path))),
      list: acting((path: string) => this.list(absolute(path))),
      makeDirectory: changing((path: string) => this.makeDirectory(absolute(path))),
      rename: changing((from: string, to: string) => this.rename(absolute(from), absolute(to))),
      remove: changing((path: string) => this.remove(absolute(path))),
      syncDirectory: changing((path: string) => {
        this.failIfFaulty('sync', path)
        this.directory(absolute(path))
        process.consume(this.syncDurationUs(0))
        this.nameChanges = this.nameChanges.filter((change) => change.directory !== absolute(path))
      }),
    }
  }

  changeBegins(process: SimProcess): void {
    this.beforeChange?.()
    if (!process.alive) throw new ProcessEnded(process.machine.name)
  }

  /** The process may be gone afterwards: then nothing that it was about to do happens. */
  changeMade(process: SimProcess): void {
    this.afterChange?.()
    if (!process.alive) throw new ProcessEnded(process.machine.name)
  }

  /** What was written stays: the page cache belongs to the kernel. */
  processEnded(): void {}

  powerLost(): void {
    const survivingNames = this.random.below(this.nameChanges.length + 1)
    const inodes = new Set(this.names.values())
    for (const change of this.nameChanges.splice(survivingNames).reverse()) change.undo()
    for (const inode of this.names.values()) inodes.add(inode)
    for (const inode of inodes) this.revert(inode)
  }

  usedBytes(): number {
    let used = 0
    for (const inode of new Set(this.names.values())) used += inode.sizeBytes
    return used
  }

  /** Of a file, or of all files in a directory and below. */
  bytesBelow(path: string): number {
    const target = absolute(path)
    let bytes = 0
    for (const [name, inode] of this.names) {
      if (name === target || name.startsWith(`${target}/`)) bytes += inode.sizeBytes
    }
    return bytes
  }

  /** How many bytes of a write that grows a file fit. */
  roomFor(bytes: number): number {
    for (const fault of this.faults) if (fault.full === true) return 0
    return Math.max(0, Math.min(bytes, this.settings.capacityBytes - this.usedBytes()))
  }

  failIfFaulty(operation: 'read' | 'write' | 'sync', path: string): void {
    for (const fault of this.faults) {
      if (fault.failing?.includes(operation)) throw new IoError('EIO', `EIO: i/o error, ${operation} '${path}'`)
    }
  }

  syncDurationUs(bytes: number): number {
    const { syncLatencyUs, writeBytesPerUs } = this.settings
    let delayUs = 0
    for (const fault of this.faults) delayUs += fault.syncDelayUs ?? 0
    return delayUs + (syncLatencyUs * (1 + this.random.fraction()) + bytes / writeBytesPerUs) * this.slowdown()
  }

  writeDurationUs(bytes: number): number {
    return (bytes / this.settings.writeBytesPerUs) * this.slowdown()
  }

  changed(inode: Inode, change: FileChange): void {
    inode.changes.push(change)
    let expired = 0
    while (inode.changes[expired]!.atUs < change.atUs - WRITE_BACK_US) expired++
    if (expired > 0) inode.changes.splice(0, expired)
  }

  get nowUs(): number {
    return this.scheduler.nowUs
  }

  later(delayUs: number, callback: () => void): void {
    this.scheduler.after(delayUs, callback)
  }

  mix(bytes: Uint8Array): void {
    this.scheduler.trace.mixBytes(bytes)
  }

  private slowdown(): number {
    let slowdown = 1
    for (const fault of this.faults) slowdown *= fault.slowdown ?? 1
    return slowdown
  }

  private open(process: SimProcess, path: string, mode: OpenMode): File {
    let inode = this.names.get(path)
    if (inode?.isDirectory && mode !== 'read') throw new IoError('EISDIR', `EISDIR: is a directory, open '${path}'`)
    if (inode === undefined) {
      if (mode === 'read' || mode === 'update') throw noEntry('open', path)
      this.directory(posix.dirname(path))
      inode = new Inode(false)
      inode.modifiedMs = Math.floor(process.clock.wallMs())
      this.bind(path, inode)
      this.changeMade(process)
    } else if (mode === 'create') {
      truncateInode(this, inode, 0)
      this.changeMade(process)
    }
    inode.modifiedMs ||= Math.floor(process.clock.wallMs())
    return new SimFile(this, process, inode, path, mode)
  }

  private status(path: string): FileStatus | undefined {
    const inode = this.names.get(path)
    if (inode === undefined) return undefined
    return { sizeBytes: inode.sizeBytes, isDirectory: inode.isDirectory, modifiedMs: inode.modifiedMs }
  }

  private list(path: string): string[] {
    this.directory(path)
    const names: string[] = []
    for (const name of this.names.keys()) {
      if (name !== '/' && posix.dirname(name) === path) names.push(posix.basename(name))
    }
    return names.sort()
  }

  private makeDirectory(path: string): void {
    if (this.names.has(path)) throw new IoError('EEXIST', `EEXIST: file already exists, mkdir '${path}'`)
    this.directory(posix.dirname(path))
    this.bind(path, new Inode(true))
  }

  private rename(from: string, to: string): void {
    const inode = this.names.get(from)
    if (inode === undefined) throw noEntry('rename', from)
    this.directory(posix.dirname(to))
    if (inode.isDirectory) throw new IoError('ENOTSUP', `renaming directories is not simulated: '${from}'`)
    const replaced = this.names.get(to)
    if (replaced?.isDirectory) throw new IoError('EISDIR', `EISDIR: is a directory, rename '${from}' -> '${to}'`)
    if (from === to) return
    this.names.delete(from)
    this.names.set(to, inode)
    const undo = (): void => {
      this.names.set(from, inode)
      if (replaced === undefined) this.names.delete(to)
      else this.names.set(to, replaced)
    }
    this.nameChanges.push({ directory: posix.dirname(to), undo })
  }

  private remove(path: string): void {
    const inode = this.names.get(path)
    if (inode === undefined) throw noEntry('unlink', path)
    if (inode.isDirectory && this.list(path).length > 0) {
      throw new IoError('ENOTEMPTY', `ENOTEMPTY: directory not empty, rmdir '${path}'`)
    }
    this.names.delete(path)
    this.nameChanges.push({ directory: posix.dirname(path), undo: () => this.names.set(path, inode) })
  }

  private bind(path: string, inode: Inode): void {
    this.names.set(path, inode)
    const undo = (): void => {
      this.names.delete(path)
      // A directory that was never durable takes with it what is in it, synced or not.
      if (inode.isDirectory)
        for (const name of this.names.keys()) if (name.startsWith(`${path}/`)) this.names.delete(name)
    }
    this.nameChanges.push({ directory: posix.dirname(path), undo })
  }

  private directory(path: string): void {
    const inode = this.names.get(path)
    if (inode === undefined) throw noEntry('open', path)
    if (!inode.isDirectory) throw new IoError('ENOTDIR', `ENOTDIR: not a directory, open '${path}'`)
  }

  /** A prefix of the changes survives, the next one perhaps in part; the rest is undone from the end. */
  private revert(inode: Inode): void {
    const changes = inode.changes
    inode.changes = []
    if (changes.length === 0) return
    const surviving = this.random.below(changes.length + 1)
    for (let index = changes.length - 1; index > surviving; index--) changes[index]!.undo()
    const first = changes[surviving]
    if (first === undefined) return
    if (first.tear !== undefined && this.random.below(2) === 0) first.tear(this.random)
    else first.undo()
  }
}

class SimFile implements File {
  private readonly disk: SimDisk
  private readonly process: SimProcess
  private readonly inode: Inode
  private readonly path: string
  private readonly mode: OpenMode
  private closed = false

  constructor(disk: SimDisk, process: SimProcess, inode: Inode, path: string, mode: OpenMode) {
    this.disk = disk
    this.process = process
    this.inode = inode
    this.path = path
    this.mode = mode
  }

  get sizeBytes(): number {
    this.assertUsable()
    return this.inode.sizeBytes
  }

  read(into: Uint8Array, positionBytes: number): number {
    this.assertUsable()
    if (this.inode.isDirectory) throw new IoError('EISDIR', 'EISDIR: illegal operation on a directory, read')
    this.disk.failIfFaulty('read', this.path)
    if (positionBytes >= this.inode.sizeBytes) return 0
    const part = this.inode.view().subarray(positionBytes, positionBytes + into.length)
    into.set(part)
    return part.length
  }

  write(bytes: Uint8Array, positionBytes?: number): number {
    this.assertUsable()
    if (this.mode === 'read') throw new IoError('EBADF', 'EBADF: bad file descriptor, write')
    this.disk.failIfFaulty('write', this.path)
    if (bytes.length === 0) return 0
    const size = this.inode.sizeBytes
    const start = this.mode === 'update' ? (positionBytes ?? size) : size
    const growth = Math.max(0, start + bytes.length - size)
    const count = bytes.length - growth + this.disk.roomFor(growth)
    if (count <= 0) throw new IoError('ENOSPC', 'ENOSPC: no space left on device, write')
    this.disk.changeBegins(this.process)
    this.process.consume(this.process.perFileWriteUs + this.disk.writeDurationUs(count))
    this.apply(bytes.subarray(0, count), start)
    this.disk.changeMade(this.process)
    return count
  }

  truncate(sizeBytes: number): void {
    this.assertUsable()
    if (this.mode === 'read') throw new IoError('EINVAL', 'EINVAL: invalid argument, ftruncate')
    truncateInode(this.disk, this.inode, sizeBytes)
    this.disk.changeMade(this.process)
  }

  sync(): void {
    this.assertUsable()
    this.process.consume(this.disk.syncDurationUs(0))
    this.disk.failIfFaulty('sync', this.path)
    this.inode.changes = []
    this.disk.changeMade(this.process)
  }

  /** Makes durable what has been written by now; on a power cut before it is done, any part of it may be lost. */
  syncInBackground(done: (error?: IoError) => void): void {
    this.assertUsable()
    const covered = new Set(this.inode.changes)
    this.disk.later(this.disk.syncDurationUs(0), () => {
      if (!this.process.alive) return
      this.process.post(TaskKind.disk, this.process.perEventUs, () => {
        try {
          this.disk.failIfFaulty('sync', this.path)
        } catch (error) {
          done(error as IoError)
          return
        }
        this.inode.changes = this.inode.changes.filter((change) => !covered.has(change))
        this.disk.changeMade(this.process)
        done()
      })
    })
  }

  close(): void {
    this.closed = true
  }

  private apply(bytes: Uint8Array, start: number): void {
    const { inode } = this
    const oldSize = inode.sizeBytes
    const overwritten = inode.snapshot(Math.min(start, oldSize), Math.min(start + bytes.length, oldSize))
    const written = Buffer.from(bytes)
    inode.resize(Math.max(oldSize, start + bytes.length))
    inode.content.set(bytes, start)
    inode.modifiedMs = this.process.clock.wallMs()
    this.disk.mix(bytes)
    const undo = (): void => {
      inode.resize(oldSize)
      inode.content.set(overwritten, Math.min(start, oldSize))
    }
    const tear = (random: Random): void => {
      undo()
      const kept = written.subarray(0, random.below(written.length + 1))
      inode.resize(Math.max(oldSize, start + kept.length))
      inode.content.set(kept, start)
    }
    this.disk.changed(inode, { atUs: this.disk.nowUs, undo, tear })
  }

  private assertUsable(): void {
    if (!this.process.alive) throw new ProcessEnded(this.process.machine.name)
    if (this.closed) throw new IoError('EBADF', 'the file is closed')
  }
}

function truncateInode(disk: SimDisk, inode: Inode, sizeBytes: number): void {
  const oldSize = inode.sizeBytes
  if (sizeBytes === oldSize) return
  const cutOff = inode.snapshot(Math.min(sizeBytes, oldSize), oldSize)
  inode.resize(sizeBytes)
  const undo = (): void => {
    inode.resize(oldSize)
    inode.content.set(cutOff, Math.min(sizeBytes, oldSize))
  }
  disk.changed(inode, { atUs: disk.nowUs, undo })
}

/** Relative paths start at the root: a simulated process has no other working directory. */
function absolute(path: string): string {
  const normal = posix.normalize(`/${path}`)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

function noEntry(call: string, path: string): IoError {
  return new IoError('ENOENT', `ENOENT: no such file or directory, ${call} '${path}'`)
}
