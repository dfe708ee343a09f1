/** What the user sees while a run works: a live task list on a terminal, plain lines otherwise. */
import { type DefaultRenderer, Listr, type ListrTask, type ListrTaskWrapper, type SimpleRenderer } from 'listr2'
import type { ArmPhase } from '../run/run-arm.ts'
import type { Scenario } from '../scenario.ts'

/** `detail` is told with `--verbose` only. */
export type ProgressPhase = ArmPhase | 'detail' | 'done'

export interface Progress {
  phase(arm: string, phase: ProgressPhase, text: string): void
  campaign(done: number, runs: number): void
  /** Ends the display; call it also after a failure. */
  close(): Promise<void>
}

export interface ProgressOptions {
  scenario: Scenario
  arms: readonly string[]
  verbose: boolean
  quiet: boolean
}

export function createProgress(options: ProgressOptions): Progress {
  if (options.quiet) return { phase: () => {}, campaign: () => {}, close: async () => {} }
  return process.stdout.isTTY && !options.verbose ? new TaskList(options) : new PlainLines()
}

class PlainLines implements Progress {
  private readonly startedMs = Date.now()
  private lastCampaignMs = 0

  phase(arm: string, phase: ProgressPhase, text: string): void {
    this.print(`${arm}: ${phase === 'done' ? `done. ${text}` : text}`)
  }

  campaign(done: number, runs: number): void {
    const nowMs = Date.now()
    if (done < runs && nowMs - this.lastCampaignMs < 2000) return
    this.lastCampaignMs = nowMs
    this.print(`${done} of ${runs} seeds`)
  }

  async close(): Promise<void> {}

  private print(text: string): void {
    const elapsed = ((Date.now() - this.startedMs) / 1000).toFixed(1).padStart(6)
    process.stdout.write(`${elapsed} s  ${text}\n`)
  }
}

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>

/** One line an arm (or one for a campaign), its current step beneath. */
class TaskList implements Progress {
  private readonly tasks = new Map<string, { task?: Task; text: string; finish: (error?: Error) => void }>()
  private readonly finished: Promise<unknown>

  constructor({ scenario, arms }: ProgressOptions) {
    const list = new Listr(
      arms.map((arm) => this.entry(arm, scenario.arms[arm]?.title ?? arm)),
      { concurrent: true, exitOnError: false, registerSignalListeners: false },
    )
    this.finished = list.run()
  }

  phase(arm: string, phase: ProgressPhase, text: string): void {
    const entry = this.tasks.get(arm)
    if (entry === undefined) return
    entry.text = text
    if (entry.task !== undefined) entry.task.output = text
    if (phase === 'done') entry.finish()
  }

  campaign(done: number, runs: number): void {
    for (const arm of this.tasks.keys()) this.phase(arm, done === runs ? 'done' : 'loading', `${done} of ${runs} seeds`)
  }

  async close(): Promise<void> {
    // What is done stays done; the rest did not come to its end.
    for (const entry of this.tasks.values()) entry.finish(new Error('not finished'))
    await this.finished
  }

  private entry(arm: string, title: string): ListrTask {
    let finish = (_error?: Error): void => {}
    const done = new Promise<void>((resolve, reject) => {
      finish = (error) => (error === undefined ? resolve() : reject(error))
    })
    // Listr may not have come to this task yet.
    done.catch(() => {})
    this.tasks.set(arm, { text: 'waiting', finish })
    return {
      title,
      task: (_, task) => {
        const entry = this.tasks.get(arm)
        if (entry !== undefined) entry.task = task as Task
        task.output = entry?.text ?? ''
        return done
      },
    }
  }
}
