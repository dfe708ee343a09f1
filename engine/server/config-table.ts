/**
 * The typed table of every configuration parameter of Redis 7.0: name, aliases, default, parser, mutability.
 * Config file, command line, `CONFIG GET/SET/REWRITE` and `--help` derive from it; `ConfigValues` is its type.
 */

export interface ParameterOptions {
  aliases?: readonly string[]
  /** Only the config file and the command line can set it. */
  immutable?: boolean
  min?: number
  max?: number
}

export interface Parameter<Value> {
  readonly kind: 'boolean' | 'integer' | 'memory' | 'enumeration' | 'text'
  readonly initial: Value
  readonly choices?: readonly string[]
  readonly options: ParameterOptions
}

function boolean(initial: boolean, options: ParameterOptions = {}): Parameter<boolean> {
  return { kind: 'boolean', initial, options }
}

function integer(initial: number, options: ParameterOptions = {}): Parameter<number> {
  return { kind: 'integer', initial, options }
}

/** Bytes; text such as `64mb` or `1g` is understood. */
function memory(initial: number, options: ParameterOptions = {}): Parameter<number> {
  return { kind: 'memory', initial, options }
}

function enumeration<Choice extends string>(
  initial: NoInfer<Choice>,
  choices: readonly Choice[],
  options: ParameterOptions = {},
): Parameter<Choice> {
  return { kind: 'enumeration', initial, choices, options }
}

function text(initial: string, options: ParameterOptions = {}): Parameter<string> {
  return { kind: 'text', initial, options }
}

export const configTable = {
  'acl-pubsub-default': enumeration('resetchannels', ['allchannels', 'resetchannels']),
  aclfile: text('', { immutable: true }),
  'acllog-max-len': integer(128),
  'active-defrag-cycle-max': integer(25),
  'active-defrag-cycle-min': integer(1),
  'active-defrag-ignore-bytes': memory(104857600),
  'active-defrag-max-scan-fields': integer(1000),
  'active-defrag-threshold-lower': integer(10),
  'active-defrag-threshold-upper': integer(100),
  'active-expire-effort': integer(1),
  activedefrag: boolean(false),
  activerehashing: boolean(true),
  'always-show-logo': boolean(false, { immutable: true }),
  'aof-disable-auto-gc': boolean(false),
  'aof-load-truncated': boolean(true),
  'aof-rewrite-incremental-fsync': boolean(true),
  'aof-timestamp-enabled': boolean(false),
  'aof-use-rdb-preamble': boolean(true),
  aof_rewrite_cpulist: text('', { immutable: true }),
  appenddirname: text('appendonlydir', { immutable: true }),
  appendfilename: text('appendonly.aof', { immutable: true }),
  appendfsync: enumeration('everysec', ['no', 'everysec', 'always']),
  appendonly: boolean(false),
  'auto-aof-rewrite-min-size': memory(67108864),
  'auto-aof-rewrite-percentage': integer(100),
  bgsave_cpulist: text('', { immutable: true }),
  bind: text('* -::*'),
  'bind-source-addr': text(''),
  bio_cpulist: text('', { immutable: true }),
  'busy-reply-threshold': integer(5000, { aliases: ['lua-time-limit'] }),
  'client-output-buffer-limit': text('normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60'),
  'client-query-buffer-limit': memory(1073741824),
  'cluster-allow-pubsubshard-when-down': boolean(true),
  'cluster-allow-reads-when-down': boolean(false),
  'cluster-allow-replica-migration': boolean(true),
  'cluster-announce-bus-port': integer(0),
  'cluster-announce-hostname': text(''),
  'cluster-announce-ip': text(''),
  'cluster-announce-port': integer(0),
  'cluster-announce-tls-port': integer(0),
  'cluster-config-file': text('nodes.conf', { immutable: true }),
  'cluster-enabled': boolean(false, { immutable: true }),
  'cluster-link-sendbuf-limit': memory(0),
  'cluster-migration-barrier': integer(1),
  'cluster-node-timeout': integer(15000),
  'cluster-port': integer(0, { immutable: true }),
  'cluster-preferred-endpoint-type': enumeration('ip', ['ip', 'hostname', 'unknown-endpoint']),
  'cluster-replica-no-failover': boolean(false, { aliases: ['cluster-slave-no-failover'] }),
  'cluster-replica-validity-factor': integer(10, { aliases: ['cluster-slave-validity-factor'] }),
  'cluster-require-full-coverage': boolean(true),
  'crash-log-enabled': boolean(true),
  'crash-memcheck-enabled': boolean(true),
  daemonize: boolean(false, { immutable: true }),
  databases: integer(16, { immutable: true }),
  dbfilename: text('dump.rdb'),
  dir: text('./'),
  'disable-thp': boolean(true, { immutable: true }),
  'dynamic-hz': boolean(true),
  'enable-debug-command': enumeration('no', ['no', 'yes', 'local'], { immutable: true }),
  'enable-module-command': enumeration('no', ['no', 'yes', 'local'], { immutable: true }),
  'enable-protected-configs': enumeration('no', ['no', 'yes', 'local'], { immutable: true }),
  'hash-max-listpack-entries': integer(512, { aliases: ['hash-max-ziplist-entries'] }),
  'hash-max-listpack-value': integer(64, { aliases: ['hash-max-ziplist-value'] }),
  'hll-sparse-max-bytes': memory(3000),
  hz: integer(10),
  'ignore-warnings': text(''),
  'io-threads': integer(1, { immutable: true }),
  'io-threads-do-reads': boolean(false, { immutable: true }),
  'jemalloc-bg-thread': boolean(true),
  'latency-monitor-threshold': integer(0),
  'latency-tracking': boolean(true),
  'latency-tracking-info-percentiles': text('50 99 99.9'),
  'lazyfree-lazy-eviction': boolean(false),
  'lazyfree-lazy-expire': boolean(false),
  'lazyfree-lazy-server-del': boolean(false),
  'lazyfree-lazy-user-del': boolean(false),
  'lazyfree-lazy-user-flush': boolean(false),
  'lfu-decay-time': integer(1),
  'lfu-log-factor': integer(10),
  'list-compress-depth': integer(0),
  'list-max-listpack-size': integer(-2, { aliases: ['list-max-ziplist-size'] }),
  logfile: text('', { immutable: true }),
  loglevel: enumeration('notice', ['debug', 'verbose', 'notice', 'warning']),
  masterauth: text(''),
  masteruser: text(''),
  maxclients: integer(10000),
  maxmemory: memory(0),
  'maxmemory-clients': memory(0),
  'maxmemory-eviction-tenacity': integer(10),
  'maxmemory-policy': enumeration('noeviction', [
    'volatile-lru',
    'volatile-lfu',
    'volatile-random',
    'volatile-ttl',
    'allkeys-lru',
    'allkeys-lfu',
    'allkeys-random',
    'noeviction',
  ]),
  'maxmemory-samples': integer(5),
  'min-replicas-max-lag': integer(10, { aliases: ['min-slaves-max-lag'] }),
  'min-replicas-to-write': integer(0, { aliases: ['min-slaves-to-write'] }),
  'no-appendfsync-on-rewrite': boolean(false),
  'notify-keyspace-events': text(''),
  'oom-score-adj': enumeration('no', ['no', 'yes', 'relative', 'absolute']),
  'oom-score-adj-values': text('0 200 800'),
  pidfile: text('', { immutable: true }),
  port: integer(6379),
  'proc-title-template': text('{title} {listen-addr} {server-mode}'),
  'propagation-error-behavior': enumeration('ignore', ['ignore', 'panic', 'panic-on-replicas']),
  'protected-mode': boolean(true),
  'proto-max-bulk-len': memory(536870912),
  'rdb-del-sync-files': boolean(false),
  'rdb-save-incremental-fsync': boolean(true),
  rdbchecksum: boolean(true),
  rdbcompression: boolean(true),
  'repl-backlog-size': memory(1048576),
  'repl-backlog-ttl': integer(3600),
  'repl-disable-tcp-nodelay': boolean(false),
  'repl-diskless-load': enumeration('disabled', ['disabled', 'on-empty-db', 'swapdb']),
  'repl-diskless-sync': boolean(true),
  'repl-diskless-sync-delay': integer(5),
  'repl-diskless-sync-max-replicas': integer(0),
  'repl-ping-replica-period': integer(10, { aliases: ['repl-ping-slave-period'] }),
  'repl-timeout': integer(60),
  'replica-announce-ip': text('', { aliases: ['slave-announce-ip'] }),
  'replica-announce-port': integer(0, { aliases: ['slave-announce-port'] }),
  'replica-announced': boolean(true),
  'replica-ignore-disk-write-errors': boolean(false),
  'replica-ignore-maxmemory': boolean(true, { aliases: ['slave-ignore-maxmemory'] }),
  'replica-lazy-flush': boolean(false, { aliases: ['slave-lazy-flush'] }),
  'replica-priority': integer(100, { aliases: ['slave-priority'] }),
  'replica-read-only': boolean(true, { aliases: ['slave-read-only'] }),
  'replica-serve-stale-data': boolean(true, { aliases: ['slave-serve-stale-data'] }),
  replicaof: text('', { aliases: ['slaveof'] }),
  requirepass: text(''),
  'sanitize-dump-payload': enumeration('no', ['no', 'yes', 'clients']),
  save: text('3600 1 300 100 60 10000'),
  server_cpulist: text('', { immutable: true }),
  'set-max-intset-entries': integer(512),
  'set-proc-title': boolean(true, { immutable: true }),
  'shutdown-on-sigint': text('default'),
  'shutdown-on-sigterm': text('default'),
  'shutdown-timeout': integer(10),
  'slowlog-log-slower-than': integer(10000),
  'slowlog-max-len': integer(128),
  'socket-mark-id': integer(0),
  'stop-writes-on-bgsave-error': boolean(true),
  'stream-node-max-bytes': memory(4096),
  'stream-node-max-entries': integer(100),
  supervised: enumeration('no', ['upstart', 'systemd', 'auto', 'no'], { immutable: true }),
  'syslog-enabled': boolean(false, { immutable: true }),
  'syslog-facility': enumeration(
    'local0',
    ['user', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
    { immutable: true },
  ),
  'syslog-ident': text('redis', { immutable: true }),
  'tcp-backlog': integer(511, { immutable: true }),
  'tcp-keepalive': integer(300),
  timeout: integer(0),
  'tls-auth-clients': enumeration('yes', ['no', 'yes', 'optional']),
  'tls-ca-cert-dir': text(''),
  'tls-ca-cert-file': text(''),
  'tls-cert-file': text(''),
  'tls-ciphers': text(''),
  'tls-ciphersuites': text(''),
  'tls-client-cert-file': text(''),
  'tls-client-key-file': text(''),
  'tls-client-key-file-pass': text(''),
  'tls-cluster': boolean(false),
  'tls-dh-params-file': text(''),
  'tls-key-file': text(''),
  'tls-key-file-pass': text(''),
  'tls-port': integer(0),
  'tls-prefer-server-ciphers': boolean(false),
  'tls-protocols': text(''),
  'tls-replication': boolean(false),
  'tls-session-cache-size': integer(20480),
  'tls-session-cache-timeout': integer(300),
  'tls-session-caching': boolean(true),
  'tracking-table-max-keys': integer(1000000),
  unixsocket: text('', { immutable: true }),
  unixsocketperm: integer(0, { immutable: true }),
  'zset-max-listpack-entries': integer(128, { aliases: ['zset-max-ziplist-entries'] }),
  'zset-max-listpack-value': integer(64, { aliases: ['zset-max-ziplist-value'] }),
}

export type ConfigName = keyof typeof configTable
export type ConfigValues = {
  [Name in ConfigName]: (typeof configTable)[Name] extends Parameter<infer Value> ? Value : never
}
