/**
 * How a server starts and what it leaves behind, the same for a process and for a simulated host: banner, sockets,
 * pid file, loading, readiness. The log's lines are redis-server's, in its order, because people and programs wait for
 * them ("Ready to accept connections").
 *
 *     listen ─ pid file ─ cluster state ─ "Running mode" ─ load the data set ─ "Ready to accept connections"
 *
 * The sockets are open before the data set is loaded: clients that come early are answered with -LOADING.
 */
import { type Connection, type Io, IoError } from '../io.ts'
import { redisVersion } from './command-line.ts'
import type { Config } from './config.ts'
import { type OpenSockets, openTcpSockets, openUnixSocket, removeIfThere } from './listeners.ts'
import type { Log } from './log.ts'
import { errorText } from './system-errors.ts'

/** The parts that a start needs, and the steps that only they can do. */
export interface StartPlan {
  readonly io: Io
  readonly config: Config
  readonly log: Log
  /** Instead of the configured port; 0 lets the system choose one. */
  readonly port?: number
  /** Told the port that is listened on. */
  onPort?(port: number): void
  /** A client has connected; must set the connection's handlers before it returns. */
  accept(connection: Connection): void
  /** Reads the cluster's state and opens its bus, when there is a cluster. A text refuses the start. */
  openCluster?(): string | undefined
  /** Reads the file of users, when there is one. A text refuses the start. */
  loadUsers?(): string | undefined
  /** Reads the data set; calls back with nothing, or with what makes a start impossible. */
  load(done: (error?: string) => void): void
}

export interface StartHandlers {
  /** Once, after the readiness line was logged. */
  onReady(): void
  /** Once, instead: the log says why (`message` is its last line), and nothing is open any more. */
  onFailure(message: string): void
}

export interface StartedSockets {
  /** Closes the sockets and removes pid file and socket file. Existing connections live on. */
  stop(): void
}

/** Starts listening and loads the data set. Handlers are called later, never before this has returned. */
export function startServer(plan: StartPlan, handlers: StartHandlers): StartedSockets {
  return new Start(plan, handlers)
}

/** The lines at the very start. `hasConfiguration`: there was a file, or any option. */
export function logBanner(io: Io, log: Log, hasConfiguration: boolean): void {
  log.warning('oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo')
  log.warning(
    `Redis version=${redisVersion}, bits=64, commit=00000000, modified=0, pid=${io.host.processId}, just started`,
  )
  log.warning(
    hasConfiguration
      ? 'Configuration loaded'
      : 'Warning: no config file specified, using the default config. In order to specify a config file use redis-server /path/to/redis.conf',
  )
}

const tlsParameters = ['tls-port', 'tls-replication', 'tls-cluster'] as const

class Start implements StartedSockets {
  private readonly plan: StartPlan
  private readonly handlers: StartHandlers
  private tcp: OpenSockets | undefined
  private unix: OpenSockets | undefined
  private pidFile: string | undefined
  private stopped = false
  /** Whether sockets are to be opened anew in the next turn, or are just being opened. */
  private listening: 'no' | 'soon' | 'now' = 'no'

  constructor(plan: StartPlan, handlers: StartHandlers) {
    this.plan = plan
    this.handlers = handlers
    for (const name of tlsParameters) plan.config.onApply(name, () => this.refuseTls())
    // Later, so that the caller has the server in hand when it becomes ready or fails.
    plan.io.timers.defer(() => this.begin())
  }

  stop(): void {
    if (this.stopped) return
    this.stopped = true
    if (this.pidFile !== undefined) {
      this.plan.log.notice('Removing the pid file.')
      removeIfThere(this.plan.io, this.pidFile)
    }
    this.tcp?.close()
    this.unix?.close()
  }

  private begin(): void {
    if (this.stopped) return
    if (this.refuseTls() !== undefined) {
      this.fail('Failed to configure TLS. Check logs for more info.')
      return
    }
    this.plan.log.notice('monotonic clock: POSIX clock_gettime')
    const { port } = this.plan.config.values
    if (this.plan.port === undefined && port === 0) this.openUnix()
    else this.openTcp(this.plan.port ?? port, () => this.openUnix())
  }

  /** There is no TLS here: asking for it must not leave a server that talks in the clear. */
  private refuseTls(): string | undefined {
    const { config, log } = this.plan
    const wanted = config.values['tls-port'] !== 0 || config.values['tls-replication'] || config.values['tls-cluster']
    if (!wanted) return undefined
    log.warning('TLS is not supported by this server!')
    return 'Unable to update TLS configuration. Check server logs.'
  }

  private openTcp(port: number, next: () => void): void {
    const { io, config, log } = this.plan
    openTcpSockets(io, config, log, port, this.plan.accept, (sockets) => {
      if (this.stopped) return sockets?.close()
      if (sockets === undefined) return this.fail(`Failed listening on port ${port} (TCP), aborting.`)
      this.tcp = sockets
      this.plan.onPort?.(sockets.port)
      next()
    })
  }

  private openUnix(): void {
    const { io, config, log } = this.plan
    if (config.values.unixsocket === '') {
      this.run()
      return
    }
    openUnixSocket(io, config, log, this.plan.accept, (outcome) => {
      if (typeof outcome === 'string') return this.fail(outcome)
      if (this.stopped) return outcome.close()
      this.unix = outcome
      this.run()
    })
  }

  private run(): void {
    const { config, log } = this.plan
    if ((this.tcp?.count ?? 0) + (this.unix?.count ?? 0) === 0) {
      this.fail('Configured to not listen anywhere, exiting.')
      return
    }
    config.onChange('port', () => this.listenSoon())
    config.onChange('bind', () => this.listenSoon())
    const refusal = this.busPortRefusal() ?? this.plan.openCluster?.()
    if (refusal !== undefined) {
      this.fail(refusal)
      return
    }
    this.writePidFile()
    const mode = config.values['cluster-enabled'] ? 'cluster' : 'standalone'
    log.notice(`Running mode=${mode}, port=${config.values.port}.`)
    log.warning('Server initialized')
    const unloadable = this.loadDirectives()
    if (unloadable !== undefined) {
      this.fail(unloadable)
      return
    }
    this.plan.load((error) => {
      if (this.stopped) return
      if (error !== undefined) return this.fail(error)
      if (this.tcp !== undefined) log.notice('Ready to accept connections')
      if (this.unix !== undefined) {
        log.notice(`The server is now ready to accept connections at ${config.values.unixsocket}`)
      }
      this.handlers.onReady()
    })
  }

  /** The bus listens 10000 above, unless `cluster-port` says otherwise. */
  private busPortRefusal(): string | undefined {
    const { port, 'cluster-enabled': isCluster, 'cluster-port': busPort } = this.plan.config.values
    if (!isCluster || busPort !== 0 || port + 10_000 <= 65_535) return undefined
    return 'Redis port number too high. Cluster communication port is 10,000 port numbers higher than your Redis port. Your Redis port number must be 55535 or less.'
  }

  /** Users, and modules of the configuration file. Modules are native code, which this server cannot run. */
  private loadDirectives(): string | undefined {
    const { modules, moduleSettings } = this.plan.config.directives
    const [path] = modules[0] ?? []
    if (path !== undefined) {
      this.plan.log.warning(`Module ${path} failed to load: native modules are not supported`)
      return `Can't load module from ${path}: server aborting`
    }
    if (moduleSettings.length > 0) {
      return 'Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting'
    }
    return this.plan.loadUsers?.()
  }

  /** `port` or `bind` was changed, maybe both at once; another change may come while sockets are being opened. */
  private listenSoon(): void {
    if (this.listening === 'soon') return
    if (this.listening === 'no') this.plan.io.timers.defer(() => this.listenAnew())
    this.listening = 'soon'
  }

  /** The old sockets are closed first, because an address may be in both lists. */
  private listenAnew(): void {
    const { io, config, log } = this.plan
    this.tcp?.close()
    this.tcp = undefined
    const { port } = config.values
    const done = (sockets: OpenSockets | undefined) => {
      const again = this.listening === 'soon'
      this.listening = 'no'
      if (sockets === undefined) log.warning(`Failed listening on port ${port} (TCP).`)
      this.tcp = sockets
      this.plan.onPort?.(sockets?.port ?? 0)
      if (this.stopped) sockets?.close()
      else if (again) this.listenSoon()
    }
    this.listening = 'now'
    if (this.stopped || port === 0) done({ count: 0, port: 0, close: () => {} })
    else openTcpSockets(io, config, log, port, this.plan.accept, done)
  }

  private writePidFile(): void {
    const { io, config, log } = this.plan
    if (config.values.pidfile === '') return
    const path = config.pathOf(config.values.pidfile)
    try {
      const file = io.disk.open(path, 'create')
      try {
        file.write(Buffer.from(`${io.host.processId}\n`))
      } finally {
        file.close()
      }
      this.pidFile = path
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      log.warning(`Failed to write PID file: ${errorText(error)}`)
    }
  }

  private fail(message: string): void {
    if (this.stopped) return
    this.plan.log.warning(message)
    this.stop()
    this.handlers.onFailure(message)
  }
}
