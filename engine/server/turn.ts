/**
 * The end of a turn of the event loop, which Redis calls beforeSleep. In this order:
 *
 *     tasks      may run commands (clients that can go on), and so may add to everything that follows
 *     commit     the append-only log is written, once for all commands of the turn
 *     sending    the stream to replicas
 *     flush      one write per client that has something to say
 *
 * So nothing that a command has done is seen outside before it is in the log.
 *
 * A client that was just served is flushed at the end of its chunk when nothing has asked to run before; then nothing
 * is gained by waiting. Everyone else (subscribers, replicas, clients that were unblocked) waits for the end of the
 * turn, so that they get one write for many commands.
 */
import type { Timers } from '../io.ts'

export interface Flushable {
  flush(): void
}

export class Turn {
  private readonly timers: Timers
  private tasks: (() => void)[] = []
  private sending: (() => void)[] = []
  private commit: (() => void) | undefined = undefined
  private waiting: Flushable[] = []
  private scheduled = false
  private stopped = false
  private readonly end = () => this.run()

  constructor(timers: Timers) {
    this.timers = timers
  }

  /** True when replies must be held until tasks have run. */
  get holdsReplies(): boolean {
    return this.commit !== undefined || this.tasks.length > 0 || this.sending.length > 0
  }

  beforeSleep(task: () => void): void {
    if (this.tasks.includes(task)) return
    this.tasks.push(task)
    this.schedule()
  }

  /** The log has something to write. There is one log. */
  commitLater(commit: () => void): void {
    this.commit = commit
    this.schedule()
  }

  sendLater(task: () => void): void {
    if (this.sending.includes(task)) return
    this.sending.push(task)
    this.schedule()
  }

  flushLater(client: Flushable): void {
    this.waiting.push(client)
  }

  /** After a chunk of `client`: flushes it now if that is allowed, and sees to it that the others get their turn. */
  endOfInput(client: Flushable): void {
    if (!this.holdsReplies) {
      const waiting = this.waiting
      if (waiting.length === 1 && waiting[0] === client) waiting.pop()
      client.flush()
    }
    if (this.waiting.length > 0) this.schedule()
  }

  /** Makes sure that the end of the turn comes. For output written outside of input handling. */
  schedule(): void {
    if (this.scheduled || this.stopped) return
    this.scheduled = true
    this.timers.defer(this.end)
  }

  /** Runs the end of the turn now. Tasks may add tasks; commit, sending and flushing may not. */
  run(): void {
    this.scheduled = false
    if (this.stopped) return
    while (this.tasks.length > 0) {
      const tasks = this.tasks
      this.tasks = []
      for (const task of tasks) task()
    }
    const { commit } = this
    this.commit = undefined
    commit?.()
    // The commit may have ended the server.
    if (this.stopped) return
    const sending = this.sending
    this.sending = []
    for (const task of sending) task()
    const waiting = this.waiting
    this.waiting = []
    for (const client of waiting) client.flush()
    if (this.waiting.length > 0) this.schedule()
  }

  stop(): void {
    this.stopped = true
    this.tasks = []
    this.sending = []
    this.commit = undefined
    this.waiting = []
  }
}
