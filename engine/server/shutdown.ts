/**
 * The end of a server: replicas may catch up first, then the data set is saved if it is to be, then all is closed.
 *
 * While replicas catch up (`shutdown-timeout`) writes are held back, and the shutdown can be aborted. Clients that said
 * SHUTDOWN wait, and hear of it only when it comes to nothing.
 */
import type { Timer } from '../io.ts'
import type { RunningServer } from './running-server.ts'

export interface ShutdownOptions {
  /** What the data set is saved for; left out: if there are save points. */
  save?: boolean
  /** Does not wait for replicas. */
  now?: boolean
  /** Ends it also when the data set cannot be saved. */
  force?: boolean
  /** Exit status. */
  status?: number
}

const PAUSE_REASON = 'shutdown'
const LOOK_MS = 100
const FAILED = 'ERR Errors trying to SHUTDOWN. Check logs.'

export class Shutdown {
  private readonly server: RunningServer
  private options: ShutdownOptions | undefined = undefined
  private endMs = 0
  private timer: Timer | undefined = undefined
  private waiting: ((failure: string) => void)[] = []

  constructor(server: RunningServer) {
    this.server = server
  }

  /** INFO: milliseconds until it ends whatever replicas do; undefined when none is under way. */
  get remainingMs(): number | undefined {
    return this.options === undefined ? undefined : Math.max(0, this.endMs - this.server.nowMs)
  }

  /**
   * Undefined: the server has ended, or will when replicas have caught up (`onFailure` says if not). A text: it could
   * not be.
   */
  begin(options: ShutdownOptions, onFailure: (failure: string) => void): string | undefined {
    const { server } = this
    if (this.options !== undefined) {
      this.waiting.push(onFailure)
      return undefined
    }
    server.log.warning('User requested shutdown...')
    const timeoutSeconds = server.config.values['shutdown-timeout']
    if (options.now || timeoutSeconds === 0 || this.lagging().length === 0) return this.finish(options)
    server.log.notice('Waiting for replicas before shutting down.')
    this.options = options
    this.waiting.push(onFailure)
    this.endMs = server.nowMs + timeoutSeconds * 1000
    server.pause.begin(PAUSE_REASON, Number.MAX_SAFE_INTEGER, 'write', server.nowMs)
    this.lookAgain(options)
    return undefined
  }

  /** False when there was nothing to abort. */
  abort(): boolean {
    if (this.options === undefined) return false
    this.cancel()
    this.server.log.notice('Shutdown manually aborted.')
    return true
  }

  private lookAgain(options: ShutdownOptions): void {
    this.timer = this.server.io.timers.after(LOOK_MS, () => {
      if (this.server.nowMs < this.endMs && this.lagging().length > 0) this.lookAgain(options)
      else this.finish(options)
    })
  }

  private cancel(): void {
    this.timer?.cancel()
    this.options = undefined
    this.server.pause.end(PAUSE_REASON)
    for (const tell of this.waiting.splice(0)) tell(FAILED)
  }

  private lagging() {
    const { replicas, offset } = this.server.replication
    return replicas.filter((link) => link.acknowledgedOffset !== offset)
  }

  private finish(options: ShutdownOptions): string | undefined {
    const { server } = this
    this.logReplicas()
    const failed = server.persistence.prepareShutdown(options.save, options.force === true)
    if (failed !== undefined && !options.force) {
      server.log.warning('Errors trying to shut down the server. Check the logs for more information.')
      this.cancel()
      return failed
    }
    this.timer?.cancel()
    server.stop()
    server.log.warning('Redis is now ready to exit, bye bye...')
    server.io.host.exit(options.status ?? 0)
    return undefined
  }

  private logReplicas(): void {
    const { log, replication } = this.server
    const { replicas, offset } = replication
    const lagging = this.lagging()
    for (const link of lagging) {
      log.warning(
        `Lagging replica ${link.host}:${link.port} reported offset ${offset - link.acknowledgedOffset} behind master, lag=${link.lagSeconds}, state=${link.state}.`,
      )
    }
    if (replicas.length > 0) {
      log.notice(`${replicas.length - lagging.length} of ${replicas.length} replicas are in sync when shutting down.`)
    }
  }
}
