/** One node of the real world: a server process in its directory, which may die and be started again. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerProgram } from '../programs.ts'
import type { DiskFault, DiskKind } from '../world.ts'
import { prepareServerDirectory, ServerProcess } from './server-process.ts'

export interface RealNodeOptions {
  name: string
  program: ServerProgram
  /** Of the world; the node has one of its own below it. */
  directory: string
  configuration: Readonly<Record<string, string>>
  disk: DiskKind
  /** Told of every process as soon as it is started. */
  journal(pid: number): void
}

export class RealNode {
  readonly name: string
  readonly configuration: Readonly<Record<string, string>>
  readonly disk: DiskKind
  private readonly options: RealNodeOptions
  private readonly directory: string
  private server: ServerProcess | undefined

  constructor(options: RealNodeOptions) {
    this.options = options
    this.name = options.name
    this.directory = join(options.directory, options.name)
    this.configuration = options.configuration
    this.disk = options.disk
  }

  get pid(): number | undefined {
    return this.server?.pid
  }

  /** How the process ended; undefined while it lives. */
  get endedWith(): string | undefined {
    return this.server?.endedWith
  }

  /** Starts a process; the last one must have ended. From the second on its configuration is what the last one left. */
  start(): void {
    const { program, journal } = this.options
    if (this.server === undefined) prepareServerDirectory(this.directory, this.configuration)
    this.server = new ServerProcess(program, this.directory, this.environment())
    if (this.server.pid !== undefined) journal(this.server.pid)
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.server?.kill()
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.server?.signal(signal)
  }

  /** Whether the system says so (proc(5): state T). True where there is no such account. */
  isStopped(): boolean {
    const file = `/proc/${this.pid}/stat`
    if (!existsSync(file)) return process.platform !== 'linux'
    const text = readFileSync(file, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).startsWith('T')
  }

  /** Undefined: nothing is wrong any more. */
  impairDisk(fault: DiskFault | undefined): void {
    const file = this.faultFile()
    if (fault === undefined) {
      rmSync(file, { force: true })
      return
    }
    writeFileSync(`${file}.new`, JSON.stringify(fault))
    renameSync(`${file}.new`, file)
  }

  /** Of a file, or of all files in a folder; 0 when there is none. */
  fileBytes(path: string): number {
    const status = statSync(join(this.directory, path), { throwIfNoEntry: false })
    if (status === undefined || !status.isDirectory()) return status?.size ?? 0
    return readdirSync(join(this.directory, path)).reduce((sum, name) => sum + this.fileBytes(join(path, name)), 0)
  }

  /** The last lines of the log, oldest first. */
  logTail(lines: number): string[] {
    return this.server?.logTail(lines) ?? []
  }

  private environment(): Record<string, string> {
    if (this.disk === 'plain') return {}
    const kind = this.disk === 'held-back' ? 'held-back' : 'plain'
    return { FAULTLINE_DISK: kind, FAULTLINE_DISK_FAULTS: this.faultFile() }
  }

  /** Beside the node's directory: what is in there belongs to the server. */
  private faultFile(): string {
    return `${this.directory}.disk-faults`
  }
}
