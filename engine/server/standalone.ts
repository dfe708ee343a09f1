/** Replication of a server that has neither replicas nor a primary. */

import type { Persistence } from '../persist/persistence-port.ts'
import type { Replication } from '../replication/replication-port.ts'
import type { Server } from './server.ts'

/** Counts no offset and feeds nobody. */
export function createStandaloneReplication(server: Server): Replication {
  const refused = (): never => {
    throw new Error('this server was assembled without replication')
  }
  return {
    role: 'primary',
    replicationId: server.runId,
    offset: 0,
    replicas: [],
    primary: undefined,
    feed() {},
    writeRefusal: () => undefined,
    readRefusal: () => undefined,
    replicaOf: refused,
    becomePrimary() {},
    countAcknowledged: () => 0,
    onAcknowledge() {},
    requestAcknowledgements() {},
  }
}

/** A server that keeps nothing: it starts empty and cannot save. */
export function createNoPersistence(server: Server): Persistence {
  return {
    get changesSinceSave() {
      return server.stats.changes
    },
    lastSaveSeconds: Math.floor(server.startedMs / 1000),
    savingInBackground: false,
    load: (done) => server.io.timers.defer(done),
    save: () => 'ERR this server was assembled without persistence',
    saveInBackground: () => 'ERR this server was assembled without persistence',
    prepareShutdown: () => undefined,
    writeRefusal: () => undefined,
  }
}
