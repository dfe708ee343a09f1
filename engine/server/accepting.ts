/** A connection has come: `maxclients`, protected mode, socket options. */
import type { Connection } from '../io.ts'
import type { RunningServer } from './running-server.ts'

const REFUSED_PROTECTED =
  '-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. ' +
  'In this mode connections are only accepted from the loopback interface. ' +
  'If you want to connect from external computers to Redis you may adopt one of the following solutions: ' +
  "1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. " +
  "2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. " +
  "3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. " +
  '4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.\r\n'

/** Makes a client of the connection, or tells it why not and closes it. */
export function accept(server: RunningServer, connection: Connection): void {
  const { values } = server.config
  server.refreshClock()
  if (server.stopped) {
    connection.setHandlers({ onData() {}, onClose() {} })
    connection.destroy()
    return
  }
  if (server.clients.count >= values.maxclients) {
    server.stats.connectionsRejected++
    refuse(connection, '-ERR max number of clients reached\r\n')
    return
  }
  const isLocal = connection.isUnixSocket || ['127.0.0.1', '::1'].includes(connection.remoteHost)
  if (values['protected-mode'] && !server.access.passwordRequired && !isLocal) {
    server.stats.connectionsRejected++
    refuse(connection, REFUSED_PROTECTED)
    return
  }
  server.stats.connectionsReceived++
  connection.setNoDelay(true)
  if (values['tcp-keepalive'] > 0) connection.setKeepAlive(values['tcp-keepalive'])
  server.accept(connection)
}

function refuse(connection: Connection, message: string): void {
  connection.setHandlers({ onData() {}, onClose() {}, onDrain: () => connection.destroy() })
  if (connection.write(Buffer.from(message))) connection.destroy()
}
