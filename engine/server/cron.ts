/** What the server does regularly by itself: idle clients, output limits, rates, memory upkeep of the databases. */
import type { ClientConnection } from './connection.ts'
import type { RunningServer } from './running-server.ts'

/** Redis samples its instantaneous metrics every 100 ms whatever `hz` is. */
const SAMPLE_PERIOD_MS = 100

export function startCron(server: RunningServer): void {
  const tick = (): void => {
    if (server.stopped) return
    if (!server.debug.cronPaused) {
      checkClients(server)
      redirectBlocked(server)
      server.clientMemory.enforce()
      keepUpDatabases(server)
      server.eviction.watchStore()
    }
    server.io.timers.after(1000 / server.config.values.hz, tick)
  }
  server.io.timers.after(1000 / server.config.values.hz, tick)
  server.every(SAMPLE_PERIOD_MS, () => {
    server.memory.notePeak()
    for (const rate of Object.values(server.rates)) rate.sample(server.nowMs)
  })
}

function checkClients(server: RunningServer): void {
  const timeoutMs = server.config.values.timeout * 1000
  for (const client of server.clients as Iterable<ClientConnection>) {
    server.clientMemory.update(client)
    if (client.outputBytes > 0) server.limitOutput(client)
    if (timeoutMs === 0 || client.kind !== 'normal' || client.blocked || client.subscribed) continue
    if (server.nowMs - client.lastCommandMs > timeoutMs) {
      server.log.verbose('Closing idle client')
      client.close()
    }
  }
}

/** Those who wait for keys that another node of the cluster will have. */
function redirectBlocked({ blockedKeys, cluster }: RunningServer): void {
  if (cluster === undefined || blockedKeys.isEmpty) return
  blockedKeys.redirect((client, key, writes) => cluster.blockedRefusal(client, key, writes))
}

function keepUpDatabases(server: RunningServer): void {
  if (server.propagation.depth === 0) {
    server.expiry.slowCycle()
    if (server.activeExpiry && server.replication.role === 'replica') server.replication.ownExpiry.cycle()
  }
  server.refreshAccessClocks()
  if (server.propagation.depth > 0) return
  for (const database of server.databases) database.maintain()
}
