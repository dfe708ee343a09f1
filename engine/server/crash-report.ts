/**
 * The report that a server writes to its log when it dies of a bug, in Redis's frame: tools look for its first and last
 * line.
 */
import type { Server } from './server.ts'

const GURU_LINE = '------------------------------------------------'

/** `headline`: what happened. `trace`: where. Nothing is written with `crash-log-enabled no`. */
export function reportCrash(server: Server, headline: readonly string[], trace: readonly string[]): void {
  if (!server.config.values['crash-log-enabled']) return
  const { log } = server
  log.warning('=== REDIS BUG REPORT START: Cut & paste starting from here ===')
  for (const line of headline) log.warning(line)
  log.warning('------ STACK TRACE ------')
  for (const line of trace) log.warning(line)
  log.warning('------ INFO OUTPUT ------')
  log.warning(server.info.render(['everything']))
  log.warning('=== REDIS BUG REPORT END. Make sure to include from START to END. ===')
}

/** The server cannot go on: says why, and ends the process as abort() does, or with status 1 if `use-exit-on-panic`. */
export function panic(server: Server, reason: string): void {
  const headline = [
    GURU_LINE,
    '!!! Software Failure. Press left mouse button to continue',
    `Guru Meditation: ${reason}`,
    GURU_LINE,
  ]
  reportCrash(server, headline, stackHere())
  abort(server)
}

export function abort(server: Server): void {
  if (server.config.values['use-exit-on-panic']) server.io.host.exit(1)
  else server.io.host.crash('SIGABRT')
}

/** Where the caller is, a function a line. */
export function stackHere(): readonly string[] {
  return (new Error().stack ?? '').split('\n').slice(2)
}
