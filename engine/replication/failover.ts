/**
 * FAILOVER: this primary hands its role over to one of its replicas and loses nothing (Redis's replication.c).
 *
 *     no-failover ─► waiting-for-sync ─► failover-in-progress ─► no-failover, as a replica of the new primary
 *         ▲                 │ time is up              │ the target refuses
 *         └─────────────────┴─────────────────────────┘ as a primary
 *
 * Writes are held back from the start; once a replica has acknowledged the whole stream this server becomes its replica
 * and asks it, with PSYNC … FAILOVER, to take over.
 */
import type { Server } from '../server/server.ts'
import type { FailoverState, ReplicaLink } from './replication-port.ts'

const PAUSE_REASON = 'failover'
const LOOK_MS = 100

export interface FailoverRequest {
  /** The replica that is to take over; left out: the first that has caught up. */
  target?: { host: string; port: number }
  /** 0: waits for ever. */
  timeoutMs: number
  /** When time is up the target takes over all the same. */
  force: boolean
}

/** What a failover does to replication. */
export interface RoleChanges {
  /** Becomes the replica of the target, which is to take over when it is asked to synchronise. */
  follow(host: string, port: number): void
  /** Becomes a primary again. */
  lead(): void
}

export class Failover {
  state: FailoverState = 'no-failover'
  private readonly server: Server
  private readonly roles: RoleChanges
  private target: { host: string; port: number } | undefined
  private endMs = 0
  private force = false

  constructor(server: Server, roles: RoleChanges) {
    this.server = server
    this.roles = roles
  }

  /** The request must have been checked. */
  begin({ target, timeoutMs, force }: FailoverRequest): void {
    const { server } = this
    this.state = 'waiting-for-sync'
    this.target = target
    this.force = force
    this.endMs = timeoutMs === 0 ? 0 : server.nowMs + timeoutMs
    server.pause.begin(PAUSE_REASON, Number.MAX_SAFE_INTEGER, 'write', server.nowMs)
    server.log.notice(target === undefined ? 'FAILOVER requested.' : `FAILOVER requested to ${name(target)}.`)
    this.lookAgain()
  }

  /** Writes may go on; a target that is being asked already is left alone. */
  abort(reason: string): void {
    const { state, target, server, roles } = this
    if (state === 'no-failover') return
    const towards = target === undefined ? '' : ` to ${name(target)}`
    server.log.notice(`Aborting failover${towards} while ${state}: ${reason}`)
    if (state === 'failover-in-progress') roles.lead()
    this.end()
  }

  /** The target has answered PSYNC. */
  answered(accepted: boolean): void {
    if (this.state !== 'failover-in-progress') return
    if (accepted) this.end()
    else this.abort('Failover target rejected psync request')
  }

  /** Whether a replica has caught up, or time is up. Called when one acknowledges, and regularly. */
  check(): void {
    if (this.state !== 'waiting-for-sync') return
    const { server, target } = this
    if (this.endMs !== 0 && server.nowMs >= this.endMs) {
      if (this.force && target !== undefined) {
        server.log.notice(`Failover to ${name(target)} time out exceeded, failing over.`)
        this.follow(target)
      } else this.abort('Replica never caught up before timeout')
      return
    }
    const { offset, replicas } = server.replication
    const synced = replicas.find(
      (link) => link.acknowledgedOffset === offset && (target === undefined || isAt(link, target)),
    )
    if (synced === undefined) return
    server.log.notice('Failover target is synced, failing over.')
    this.follow({ host: synced.host, port: synced.port })
  }

  private follow(target: { host: string; port: number }): void {
    this.target = target
    this.state = 'failover-in-progress'
    this.roles.follow(target.host, target.port)
  }

  private end(): void {
    this.state = 'no-failover'
    this.target = undefined
    this.endMs = 0
    this.server.pause.end(PAUSE_REASON)
  }

  private lookAgain(): void {
    this.server.io.timers.after(LOOK_MS, () => {
      this.check()
      if (this.state === 'waiting-for-sync') this.lookAgain()
    })
  }
}

export function isAt(link: ReplicaLink, { host, port }: { host: string; port: number }): boolean {
  return link.host === host && link.port === port
}

function name({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`
}
