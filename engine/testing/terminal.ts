/**
 * An interactive program at a terminal of 100 columns, made by `script` of util-linux: what it writes, echoes and
 * escape sequences included, and a keyboard.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'

const LIMIT_MS = 20_000

/** Whether there is `script`; in CI there must be. */
export const hasTerminal =
  process.env.CI === 'true' || spawnSync('script', ['--version'], { stdio: 'ignore' }).status === 0

export class Terminal {
  /** Everything that it has shown. */
  screen = ''
  readonly closed: Promise<void>
  private readonly child: ChildProcess
  private read = 0
  private notify = (): void => {}

  /** @param command for the shell */
  constructor(command: string) {
    const line = `stty cols 100 rows 40; exec ${command}`
    const env = { ...process.env, TERM: 'xterm', REDISCLI_HISTFILE: '/dev/null', REDISCLI_RCFILE: '/dev/null' }
    this.child = spawn('script', ['-qec', line, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'pipe'] })
    this.child.stdin?.on('error', () => {})
    const take = (text: string): void => {
      this.screen += text
      this.notify()
    }
    this.child.stdout?.setEncoding('utf8').on('data', take)
    this.child.stderr?.setEncoding('utf8').on('data', take)
    this.closed = new Promise((resolve) => this.child.on('close', () => resolve()))
    void this.closed.then(() => this.notify())
  }

  /** Waits until the text appears behind the one that was awaited before. */
  async shows(text: string): Promise<void> {
    const endMs = Date.now() + LIMIT_MS
    for (;;) {
      const at = this.screen.indexOf(text, this.read)
      if (at >= 0) {
        this.read = at + text.length
        return
      }
      const isClosed = this.child.exitCode !== null || this.child.signalCode !== null
      if (Date.now() > endMs || isClosed) throw new Error(`never showed ${JSON.stringify(text)}:\n${this.screen}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500)
        this.notify = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  type(keys: string): void {
    this.child.stdin?.write(keys)
  }

  /** Closes the terminal: its program gets SIGHUP. */
  async close(): Promise<void> {
    this.child.kill('SIGTERM')
    await this.closed
  }
}
