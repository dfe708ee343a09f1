/**
 * What the rules of the cluster need from the server around them. `cluster.ts` provides it from a `Server`; the unit
 * tests provide a small one, so that every rule can be tried without sockets, data or replication.
 */
import type { Random } from '../io.ts'
import type { ConfigValues } from '../server/config-table.ts'
import type { Log } from '../server/log.ts'
import type { Link } from './link.ts'
import type { ClusterNode } from './node.ts'

export interface ClusterEnvironment {
  readonly random: Random
  readonly log: Log
  /** Current values; read anew each time, since CONFIG SET changes them. */
  readonly config: Readonly<ConfigValues>
  /** Unix time in ms. */
  nowMs(): number

  /** Opens a link to the node's bus port. Never fails at once: the link closes later. */
  connect(node: ClusterNode): Link
  /** Asks for `runScheduled` at the end of this turn. Cheap to call repeatedly. */
  beforeSleep(): void
  /** Asks for the manual failover to be looked at again very soon, before the next cron. */
  soon(): void
  /** Writes nodes.conf, durably when `sync`. Ends the process when that fails. */
  saveConfig(sync: boolean): void
  /** Writes nodes.conf durably; why it could not, in the system's words. */
  trySaveConfig(): string | undefined

  /** Bytes of replication stream: produced by a primary, applied by a replica. */
  replicationOffset(): number
  /** Whether a primary is set (`masterhost`), connected or not. */
  isReplicating(): boolean
  /** Replica: ms since the last word from the primary, or since the link was lost, in whole seconds. */
  dataAgeMs(): number
  replicaOf(host: string, port: number): void
  becomePrimary(): void

  keyCount(): number
  keyCountInSlot(slot: number): number
  /** Removes the keys of a slot that now belongs to another node. */
  deleteKeysInSlot(slot: number): void
  emptyData(): void

  /** Holds back writes of clients until `untilMs` (manual failover). */
  pauseWrites(untilMs: number): void
  resumeWrites(): void

  /** Hands a message of another node to local subscribers. */
  deliver(channel: Buffer, message: Buffer, sharded: boolean): void
  /** Unsubscribes clients from the shard channels of a slot that left this shard. */
  dropShardChannels(slot: number): void
}

export interface Ports {
  port: number
  plainPort: number
  busPort: number
}

const BUS_PORT_OFFSET = 10000

/** The bus port of a node of which only the client port is known. */
export const defaultBusPort = (port: number): number => port + BUS_PORT_OFFSET

/** The port that this server's bus listens on. */
export function ownBusPort(config: Readonly<ConfigValues>): number {
  const port = config['tls-cluster'] ? config['tls-port'] : config.port
  return config['cluster-port'] || defaultBusPort(port)
}

/** The ports that this server tells others to use: the announced ones, otherwise its own. */
export function announcedPorts(config: Readonly<ConfigValues>): Ports {
  const tls = config['tls-cluster']
  const ports = {
    port: tls ? config['tls-port'] : config.port,
    plainPort: tls ? config.port : 0,
    busPort: config['cluster-announce-bus-port'] || ownBusPort(config),
  }
  if (tls && config['cluster-announce-tls-port']) {
    ports.port = config['cluster-announce-tls-port']
    ports.plainPort = config['cluster-announce-port']
  } else if (config['cluster-announce-port']) {
    ports.port = config['cluster-announce-port']
  }
  return ports
}
