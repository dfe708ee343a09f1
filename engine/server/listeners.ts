/**
 * The sockets that a server listens on: what `bind`, `port` and `unixsocket` say, opened one after the other.
 *
 * An address with a leading `-` may be missing on this host; any other that cannot be bound ends the attempt, and
 * everything opened by it is closed. Messages are those of redis-server.
 */
import { type Connection, type Io, IoError, type Listener } from '../io.ts'
import type { Config } from './config.ts'
import type { Log } from './log.ts'
import { errorText } from './system-errors.ts'

export interface OpenSockets {
  /** How many addresses are being listened on. */
  readonly count: number
  /** 0 for a Unix socket. */
  readonly port: number
  close(): void
}

/** An address of `bind` that the host need not have. */
const absentAddressCodes = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ENOTFOUND', 'ENOPROTOOPT']

/**
 * Listens on every address of `bind` at `port` (0: one that the system chooses). `done` gets the sockets, or undefined
 * when it failed (the log says why). `accept` must set the handlers of a connection before it returns. No address at
 * all is no failure.
 */
export function openTcpSockets(
  io: Io,
  config: Config,
  log: Log,
  port: number,
  accept: (connection: Connection) => void,
  done: (sockets: OpenSockets | undefined) => void,
): void {
  const addresses = config.values.bind
  const opened: Listener[] = []
  const close = () => {
    for (const listener of opened) listener.close()
  }
  const openFrom = (index: number) => {
    const given = addresses[index]
    // A port that the system chose for the first address is used for the others too.
    const actual = port === 0 ? (opened[0]?.port ?? 0) : port
    if (given === undefined) return done({ count: opened.length, port: actual, close })
    const isOptional = given.startsWith('-')
    const address = isOptional ? given.slice(1) : given
    const host = address === '*' ? '0.0.0.0' : address === '::*' ? '::' : address
    io.network.listen(
      { host, port: actual, backlog: config.values['tcp-backlog'] },
      {
        onConnection: accept,
        onListening: (listener) => {
          opened.push(listener)
          openFrom(index + 1)
        },
        onError: (error) => {
          const isAbsent = absentAddressCodes.includes(error.code)
          // The default address list must not worry hosts without IPv6.
          if (!(isAbsent && isOptional && address === '::*')) {
            log.warning(
              `Warning: Could not create server TCP listening socket ${address}:${actual}: ${bindError(error)}`,
            )
          }
          if (isAbsent && isOptional) return openFrom(index + 1)
          close()
          done(undefined)
        },
      },
    )
  }
  openFrom(0)
}

/** A name that does not resolve never came to `bind`. */
function bindError(error: IoError): string {
  return error.code === 'ENOTFOUND' ? errorText(error) : `bind: ${errorText(error)}`
}

/**
 * Listens on `unixsocket`, replacing what is left of an earlier run. Closing removes the file. `done` gets what is
 * wrong instead.
 */
export function openUnixSocket(
  io: Io,
  config: Config,
  log: Log,
  accept: (connection: Connection) => void,
  done: (outcome: OpenSockets | string) => void,
): void {
  const path = config.pathOf(config.values.unixsocket)
  removeIfThere(io, path)
  const permissions = config.values.unixsocketperm === 0 ? {} : { permissions: config.values.unixsocketperm }
  io.network.listen(
    { host: '', port: 0, path, backlog: config.values['tcp-backlog'], ...permissions },
    {
      onConnection: accept,
      onListening: (listener) => {
        const close = () => {
          log.notice('Removing the unix socket file.')
          listener.close()
          removeIfThere(io, path)
        }
        done({ count: 1, port: 0, close })
      },
      onError: (error) => {
        done(`Failed opening Unix socket: bind: ${errorText(error)}`)
      },
    },
  )
}

/** What cannot be removed is left: whoever needs the name will say so. */
export function removeIfThere(io: Io, path: string): void {
  try {
    if (io.disk.status(path) !== undefined) io.disk.remove(path)
  } catch (error) {
    if (!(error instanceof IoError)) throw error
  }
}
