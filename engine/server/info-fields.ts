/**
 * The fields of INFO that the server itself knows, under Redis 7.0's names and in its order. What cannot
 * happen in this implementation (forks, threads of I/O, defragmentation) is 0, as in a redis-server that does not do
 * it.
 */
import { memoryFields } from './info-memory.ts'
import type { RunningServer } from './running-server.ts'

type Fields = readonly (readonly [name: string, value: string | number])[]

export const REDIS_VERSION = '7.0.15'

export function registerInfo(server: RunningServer): void {
  const { info } = server
  info.add('server', () => serverFields(server))
  info.add('clients', () => clientFields(server))
  info.add('memory', () => memoryFields(server))
  info.add('stats', () => statsFields(server))
  info.add('cpu', () => cpuFields(server))
  info.add('modules', () => [])
  info.add('commandstats', () => commandFields(server))
  info.add('latencystats', () => latencyFields(server))
  info.add('errorstats', () =>
    [...server.stats.errorsByCode].map(([code, count]) => [`errorstat_${code}`, `count=${count}`]),
  )
  info.add('cluster', () => [['cluster_enabled', server.cluster === undefined ? 0 : 1]])
  info.add('keyspace', () => keyspaceFields(server))
}

function serverFields(server: RunningServer): Fields {
  const { io, config } = server
  const uptimeSeconds = Math.max(0, Math.floor((server.nowMs - server.startedMs) / 1000))
  return [
    ['redis_version', REDIS_VERSION],
    ['redis_git_sha1', '00000000'],
    ['redis_git_dirty', 0],
    ['redis_build_id', '0'],
    ['redis_mode', server.cluster === undefined ? 'standalone' : 'cluster'],
    ['os', io.host.platform],
    ['arch_bits', 64],
    ['monotonic_clock', 'POSIX clock_gettime'],
    ['multiplexing_api', io.host.multiplexing],
    ['atomicvar_api', 'none'],
    ['gcc_version', io.host.runtime],
    ['process_id', io.host.processId],
    ['process_supervised', 'no'],
    ['run_id', server.runId],
    ['tcp_port', server.port],
    ['server_time_usec', io.clock.wallUs()],
    ['uptime_in_seconds', uptimeSeconds],
    ['uptime_in_days', Math.floor(uptimeSeconds / 86_400)],
    ['hz', config.values.hz],
    ['configured_hz', config.values.hz],
    ['lru_clock', Math.floor(server.nowMs / 1000) % (1 << 24)],
    ['executable', io.host.executable],
    ['config_file', config.filePath ?? ''],
    ['io_threads_active', 0],
    ...(server.ending.remainingMs === undefined
      ? []
      : [['shutdown_in_milliseconds', server.ending.remainingMs] as const]),
  ]
}

function clientFields(server: RunningServer): Fields {
  const { clients } = server
  let replicas = 0
  let timed = 0
  let inputBytes = 0
  let outputBytes = 0
  for (const client of clients) {
    if (client.kind === 'replica') replicas++
    if (client.hasDeadline) timed++
    inputBytes = Math.max(inputBytes, client.parser.queryCapacity)
    outputBytes = Math.max(outputBytes, client.connection?.bufferedBytes ?? 0)
  }
  return [
    ['connected_clients', clients.count - replicas],
    ['cluster_connections', server.cluster?.linkCount ?? 0],
    ['maxclients', server.config.values.maxclients],
    ['client_recent_max_input_buffer', inputBytes],
    ['client_recent_max_output_buffer', outputBytes],
    ['blocked_clients', clients.blockedCount],
    ['tracking_clients', server.tracking.counts.clients],
    ['clients_in_timeout_table', timed],
  ]
}

function statsFields(server: RunningServer): Fields {
  const { stats, pubsub, tracking, rates } = server
  return [
    ['total_connections_received', stats.connectionsReceived],
    ['total_commands_processed', stats.commandsProcessed],
    ['instantaneous_ops_per_sec', Math.round(rates.commands.perSecond)],
    ['total_net_input_bytes', stats.inputBytes + stats.replicationInputBytes],
    ['total_net_output_bytes', stats.outputBytes + stats.replicationOutputBytes],
    ['total_net_repl_input_bytes', stats.replicationInputBytes],
    ['total_net_repl_output_bytes', stats.replicationOutputBytes],
    ['instantaneous_input_kbps', (rates.input.perSecond / 1024).toFixed(2)],
    ['instantaneous_output_kbps', (rates.output.perSecond / 1024).toFixed(2)],
    ['instantaneous_input_repl_kbps', (rates.replicationInput.perSecond / 1024).toFixed(2)],
    ['instantaneous_output_repl_kbps', (rates.replicationOutput.perSecond / 1024).toFixed(2)],
    ['rejected_connections', stats.connectionsRejected],
    ['sync_full', stats.syncFull],
    ['sync_partial_ok', stats.syncPartialOk],
    ['sync_partial_err', stats.syncPartialErr],
    ['expired_keys', stats.expiredKeys],
    ['expired_stale_perc', server.expiry.stalePercent.toFixed(2)],
    ['expired_time_cap_reached_count', server.expiry.timeCapReachedCount],
    ['expire_cycle_cpu_milliseconds', Math.floor(server.expiry.usedUs / 1000)],
    ['evicted_keys', stats.evictedKeys],
    ['evicted_clients', stats.evictedClients],
    ['total_eviction_exceeded_time', server.eviction.exceededMs.total],
    ['current_eviction_exceeded_time', server.eviction.exceededMs.current],
    ['keyspace_hits', stats.keyspaceHits],
    ['keyspace_misses', stats.keyspaceMisses],
    ['pubsub_channels', pubsub.count('channels')],
    ['pubsub_patterns', pubsub.count('patterns')],
    ['pubsubshard_channels', pubsub.count('shardChannels')],
    ['latest_fork_usec', 0],
    ['total_forks', 0],
    ['migrate_cached_sockets', 0],
    ['slave_expires_tracked_keys', server.replication.ownExpiry.size],
    ['active_defrag_hits', 0],
    ['active_defrag_misses', 0],
    ['active_defrag_key_hits', 0],
    ['active_defrag_key_misses', 0],
    ['total_active_defrag_time', 0],
    ['current_active_defrag_time', 0],
    ['tracking_total_keys', tracking.counts.keys],
    ['tracking_total_items', tracking.counts.items],
    ['tracking_total_prefixes', tracking.counts.prefixes],
    ['unexpected_error_replies', stats.unexpectedErrorReplies],
    ['total_error_replies', stats.errorReplies],
    ['dump_payload_sanitizations', 0],
    ['total_reads_processed', stats.reads],
    ['total_writes_processed', stats.writes],
    ['io_threaded_reads_processed', 0],
    ['io_threaded_writes_processed', 0],
    ['reply_buffer_shrinks', 0],
    ['reply_buffer_expands', 0],
  ]
}

function cpuFields(server: RunningServer): Fields {
  const { userUs, systemUs, mainUserUs, mainSystemUs } = server.io.host.cpu()
  const seconds = (us: number) => (us / 1e6).toFixed(6)
  return [
    ['used_cpu_sys', seconds(systemUs)],
    ['used_cpu_user', seconds(userUs)],
    ['used_cpu_sys_children', seconds(0)],
    ['used_cpu_user_children', seconds(0)],
    ['used_cpu_sys_main_thread', seconds(mainSystemUs)],
    ['used_cpu_user_main_thread', seconds(mainUserUs)],
  ]
}

function commandFields(server: RunningServer): Fields {
  const fields: [string, string][] = []
  for (const record of server.commands.everyRecord()) {
    const { calls, rejectedCalls, failedCalls } = record
    if (calls === 0 && rejectedCalls === 0 && failedCalls === 0) continue
    const us = Math.round(record.microseconds)
    const perCall = calls === 0 ? 0 : record.microseconds / calls
    fields.push([
      `cmdstat_${record.fullName}`,
      `calls=${calls},usec=${us},usec_per_call=${perCall.toFixed(2)},rejected_calls=${rejectedCalls},failed_calls=${failedCalls}`,
    ])
  }
  return fields
}

function keyspaceFields(server: RunningServer): Fields {
  return server.databases
    .filter((database) => database.size > 0)
    .map((database) => [
      `db${database.index}`,
      `keys=${database.size},expires=${database.expiringSize},avg_ttl=${server.averageTtlMs(database)}`,
    ])
}

/** Redis's `bytesToHuman`: `1.13M`. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`
  const units = ['K', 'M', 'G', 'T', 'P']
  let value = bytes / 1024
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(2)}${units[unit]}`
}

function latencyFields(server: RunningServer): Fields {
  const percentiles = server.config.values['latency-tracking-info-percentiles']
  const named = server.commands.records.flatMap((record) => [record, ...(record.subcommands?.values() ?? [])])
  return named.flatMap(({ fullName, histogram }) => {
    if (histogram === undefined) return []
    const values = percentiles.map((percentile) => `p${percentile}=${histogram.percentileUs(percentile).toFixed(3)}`)
    return [[`latency_percentiles_usec_${fullName}`, values.join(',')] as const]
  })
}
