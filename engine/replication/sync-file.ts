/**
 * `rdb-del-sync-files`: a server that is to keep nothing on disk (no save points, no append-only log) removes the RDB
 * file that a full resync needed, on either side.
 */
import { IoError } from '../io.ts'
import type { Server } from '../server/server.ts'

/** Removes the file if the settings ask for it; `message` goes to the log then. */
export function removeSyncFile(server: Server, message: string): void {
  const { config, io, log } = server
  const { 'rdb-del-sync-files': removes, save, appendonly, dbfilename } = config.values
  if (!removes || save.length > 0 || appendonly) return
  try {
    io.disk.remove(config.pathOf(dbfilename))
    log.notice(message)
  } catch (error) {
    if (!(error instanceof IoError)) throw error
  }
}
