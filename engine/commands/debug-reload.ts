/** DEBUG RELOAD and LOADAOF: the data set to disk and back, at once, as a test of both directions. */
import { IoError } from '../io.ts'
import { RdbError } from '../persist/rdb-input.ts'
import { RdbContentError, RdbDuplicateKey, RdbFileLoad, RdbLoad } from '../persist/rdb-load.ts'
import { panic } from '../server/crash-report.ts'
import type { Server } from '../server/server.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'

export function debugReload({ reply, server }: Context, args: Arguments): void {
  const asked = new Set<string>()
  for (let i = 2; i < args.count; i++) {
    const option = args.latin1(i).toLowerCase()
    if (!['merge', 'noflush', 'nosave'].includes(option)) {
      reply.error('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.')
      return
    }
    asked.add(option)
  }
  const refusal = asked.has('nosave') ? undefined : server.persistence.save()
  if (refusal !== undefined) {
    reply.error(refusal)
    return
  }
  if (!asked.has('noflush')) server.emptyDatabases()
  if (!loadAtOnce(server, asked.has('merge'))) {
    reply.error('ERR Error trying to load the RDB dump')
    return
  }
  server.log.warning('DB reloaded by DEBUG RELOAD')
  reply.ok()
}

/** DEBUG LOADAOF: drops the data set and replays the append-only log. */
export function debugLoadLog({ reply, server }: Context): void {
  server.emptyDatabases()
  if (!server.persistence.reloadLog()) {
    reply.error('ERR Error trying to load the AOF files, check server logs.')
    return
  }
  server.log.warning('Append Only File loaded by DEBUG LOADAOF')
  reply.ok()
}

/** False when the file could not be read to its end; the log says why. A key that is there already ends the process. */
function loadAtOnce(server: Server, replace: boolean): boolean {
  const path = server.config.pathOf(server.config.values.dbfilename)
  const load = new RdbLoad(server, { dropExpired: server.replication.role === 'primary', replace })
  let file: RdbFileLoad | undefined
  try {
    file = new RdbFileLoad(server, path, load)
    while (!file.slice());
    return true
  } catch (error) {
    if (!(error instanceof RdbError || error instanceof RdbContentError || error instanceof IoError)) throw error
    server.log.warning(error.message)
    if (error instanceof RdbDuplicateKey) panic(server, 'Duplicated key found in RDB file')
    return false
  } finally {
    file?.close()
  }
}
