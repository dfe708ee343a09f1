/** INFO replication: Redis 7.0's fields, in its order. */
import type { Server } from '../server/server.ts'
import type { Replica } from './replica.ts'
import type { ReplicaConnection } from './replica-link.ts'
import type { ServerReplication } from './replication.ts'

type Field = readonly [name: string, value: string | number]

export function replicationInfo(server: Server, replication: ServerReplication): Field[] {
  const { values } = server.config
  const { stream, asPrimary, asReplica } = replication
  const { backlog } = stream
  return [
    ['role', asReplica === undefined ? 'master' : 'slave'],
    ...(asReplica === undefined ? [] : replicaFields(server, replication, asReplica)),
    ['connected_slaves', asPrimary.links.length],
    ...(values['min-replicas-to-write'] > 0 && values['min-replicas-max-lag'] > 0
      ? [['min_slaves_good_slaves', asPrimary.goodReplicas] as const]
      : []),
    ...asPrimary.links.map((link, index) => [`slave${index}`, describe(link)] as const),
    ['master_failover_state', replication.failover.state],
    ['master_replid', stream.id],
    ['master_replid2', stream.secondId],
    ['master_repl_offset', stream.offset],
    ['second_repl_offset', stream.secondIdEnd],
    ['repl_backlog_active', backlog === undefined ? 0 : 1],
    ['repl_backlog_size', values['repl-backlog-size']],
    ['repl_backlog_first_byte_offset', backlog?.firstOffset ?? 0],
    ['repl_backlog_histlen', backlog?.historyBytes ?? 0],
  ]
}

function replicaFields(server: Server, replication: ServerReplication, replica: Replica): Field[] {
  const { values } = server.config
  const connected = replica.state === 'connected'
  const secondsSince = (timeMs: number): number => Math.floor(server.nowMs / 1000) - Math.floor(timeMs / 1000)
  const offset = connected ? replication.offset : (replica.cached?.offset ?? 1)
  const fields: Field[] = [
    ['master_host', replica.host],
    ['master_port', replica.port],
    ['master_link_status', connected ? 'up' : 'down'],
    ['master_last_io_seconds_ago', connected ? secondsSince(replica.lastInteractionMs) : -1],
    ['master_sync_in_progress', replica.state === 'transfer' ? 1 : 0],
    ['slave_read_repl_offset', connected ? replica.readOffset : offset],
    ['slave_repl_offset', offset],
  ]
  if (replica.state === 'transfer') {
    const total = replica.transfer?.totalBytes ?? 0
    const received = replica.transfer?.receivedBytes ?? 0
    fields.push(
      ['master_sync_total_bytes', total],
      ['master_sync_read_bytes', received],
      ['master_sync_left_bytes', total - received],
      ['master_sync_perc', (total === 0 ? 0 : (received / total) * 100).toFixed(2)],
      ['master_sync_last_io_seconds_ago', secondsSince(replica.lastInteractionMs)],
    )
  }
  if (!connected)
    fields.push(['master_link_down_since_seconds', replica.lostMs === 0 ? -1 : secondsSince(replica.lostMs)])
  fields.push(
    ['slave_priority', values['replica-priority']],
    ['slave_read_only', values['replica-read-only'] ? 1 : 0],
    ['replica_announced', values['replica-announced'] ? 1 : 0],
  )
  return fields
}

const phases = { wait: 'wait_bgsave', snapshot: 'wait_bgsave', bulk: 'send_bulk', online: 'online' } as const

function describe(link: ReplicaConnection): string {
  return `ip=${link.host},port=${link.port},state=${phases[link.phase]},offset=${link.acknowledgedOffset},lag=${link.lagSeconds}`
}
