/**
 * A replica obeys its primary also while its own disk fails. As in Redis 7.0 it dies of it unless
 * `replica-ignore-disk-write-errors` says otherwise: an acknowledged offset must not lie about what a restart would
 * find.
 */
import { panic } from './crash-report.ts'
import type { RunningServer } from './running-server.ts'

const LOG_EVERY_MS = 10_000
const loggedMs = new WeakMap<RunningServer, number>()

/** To be called before a write of the primary, or a PING, is applied. */
export function applyUnwritten(server: RunningServer, isPing: boolean): void {
  if (server.persistence.writeRefusal() === undefined) return
  if (!isPing && !server.config.values['replica-ignore-disk-write-errors']) {
    panic(server, 'Replica was unable to write command to disk.')
    return
  }
  if (server.nowMs < (loggedMs.get(server) ?? 0) + LOG_EVERY_MS) return
  loggedMs.set(server, server.nowMs)
  server.log.warning('Replica is applying a command even though it is unable to write to disk.')
}
