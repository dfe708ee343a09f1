/** One server process: its directory, configuration file and log. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerProgram } from '../programs.ts'

const CONFIG_FILE = 'redis.conf'

/**
 * Makes a server's directory with its configuration file: once, before its first process. Later processes find the
 * file as the server left it, which may have rewritten it (CONFIG REWRITE).
 */
export function prepareServerDirectory(directory: string, config: Readonly<Record<string, string>>): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, CONFIG_FILE), renderConfig(config))
}

export class ServerProcess {
  readonly directory: string
  private readonly child: ChildProcess
  private readonly ended: Promise<void>
  private status: string | undefined

  /**
   * Starts at once, in a process group of its own: a Ctrl-C on the terminal does not reach it.
   * @param directory made by `prepareServerDirectory`; its configuration file is what the server is started with
   */
  constructor(program: ServerProgram, directory: string, environment: Readonly<Record<string, string>> = {}) {
    this.directory = directory
    const log = openSync(join(directory, 'log'), 'a')
    try {
      this.child = spawn(program.command, [...program.args, join(directory, CONFIG_FILE)], {
        cwd: directory,
        detached: true,
        env: { ...process.env, ...environment },
        stdio: ['ignore', log, log],
      })
    } finally {
      closeSync(log)
    }
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        this.status = signal ?? `exit status ${code}`
        resolve()
      })
      this.child.once('error', (error) => {
        this.status = error.message
        resolve()
      })
    })
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  /** How it ended; undefined while it lives. */
  get endedWith(): string | undefined {
    return this.status
  }

  /** SIGKILL; resolves when it is gone. Data that must survive is not this method's business. */
  async kill(): Promise<void> {
    if (this.status === undefined) this.child.kill('SIGKILL')
    await this.ended
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.status === undefined) this.child.kill(signal)
  }

  /** The last lines of the log, oldest first. */
  logTail(lines: number): string[] {
    try {
      return readFileSync(join(this.directory, 'log'), 'utf8').trimEnd().split('\n').slice(-lines)
    } catch {
      return []
    }
  }
}

/** As redis.conf: quoted so that any value survives. Several values of one parameter (`save`) are not supported. */
function renderConfig(config: Readonly<Record<string, string>>): string {
  return Object.entries(config)
    .map(([name, value]) => `${name} ${/^[\w./:*@-]+( [\w./:*@-]+)*$/.test(value) ? value : JSON.stringify(value)}\n`)
    .join('')
}
