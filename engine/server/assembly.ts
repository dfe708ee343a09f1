/** Puts a server together from an `Io` and a configuration. Any number of them can live in one process. */
import { createCluster } from '../cluster/cluster.ts'
import type { Io } from '../io.ts'
import { createPersistence } from '../persist/persistence.ts'
import { createReplication } from '../replication/replication.ts'
import { Keyspace } from '../store/keyspace.ts'
import { accept } from './accepting.ts'
import type { Config } from './config.ts'
import { startCron } from './cron.ts'
import { RunningServer } from './running-server.ts'
import type { Server } from './server.ts'
import { type StartHandlers, startServer } from './start.ts'

export interface ServerSettings {
  config: Config
  /** Instead of the configured port; 0 lets the system choose one (`Server.port` tells which). */
  port?: number
}

export interface AssembledServer extends Server {
  /** Listens and loads the data set. Exactly one of the handlers is called, never at once. */
  start(handlers: StartHandlers): void
  /** Closes everything at once, without saving. Safe to call twice. */
  stop(): void
}

class Assembly extends RunningServer implements AssembledServer {
  private readonly portWanted: number | undefined

  constructor(io: Io, { config, port }: ServerSettings) {
    super(io, config, {
      makeDatabase: (index) => {
        // A cluster uses database 0 only, and an index of slots takes 128 KB.
        const slots = index === 0 && config.values['cluster-enabled']
        return new Keyspace({ index, slots, random: io.random })
      },
      makeReplication: createReplication,
      makePersistence: createPersistence,
      makeCluster: (server) => (config.values['cluster-enabled'] ? createCluster(server) : undefined),
    })
    this.portWanted = port
  }

  start(handlers: StartHandlers): void {
    const { io, config, log, cluster, portWanted } = this
    const started = startServer(
      {
        io,
        config,
        log,
        ...(portWanted === undefined ? {} : { port: portWanted }),
        onPort: (port) => {
          this.port = port
        },
        accept: (connection) => accept(this, connection),
        loadUsers: () => this.access.loadFile(config, io.disk),
        openCluster: () => {
          try {
            cluster?.start()
            return undefined
          } catch (error) {
            return error instanceof Error ? error.message : String(error)
          }
        },
        load: (done) => {
          startCron(this)
          this.persistence.load((failure) => {
            if (failure === undefined) this.replication.start()
            done(failure)
          })
        },
      },
      {
        onReady: () => handlers.onReady(),
        onFailure: (message) => {
          this.stop()
          handlers.onFailure(message)
        },
      },
    )
    this.onStop(() => {
      started.stop()
      this.replication.stop()
    })
  }
}

export function createServer(io: Io, settings: ServerSettings): AssembledServer {
  return new Assembly(io, settings)
}
