/**
 * Which scripts may start, and which commands they may call: the one place for it. Redis 7.0's `scriptPrepareForRun`
 * and `scriptCall`, with their texts and in their order, because the first refusal gives the error.
 */
import type { Arguments } from '../commands/arguments.ts'
import { errors } from '../commands/errors.ts'
import { findKeys } from '../commands/key-positions.ts'
import { keyHashSlot } from '../data/crc16.ts'
import type { Client } from '../server/client.ts'
import { type CommandRecord, flagBits, traitBits } from '../server/command-table.ts'
import type { RunningServer } from '../server/running-server.ts'
import type { ScriptFlags, ScriptRun } from './script-run.ts'

/** Why a script may not start now: a complete error. */
export function refuseStart(
  server: RunningServer,
  caller: Client,
  flags: ScriptFlags,
  isReadOnlyCommand: boolean,
): string | undefined {
  const { replication, persistence } = server
  const stale = replication.readRefusal()
  if (flags.compatible) return stale === undefined ? undefined : errors.masterDown
  if (flags.noCluster && server.cluster !== undefined) {
    return "ERR Can not run script on cluster, 'no-cluster' flag is set."
  }
  if (stale !== undefined && !flags.allowStale) {
    return "MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set."
  }
  if (flags.noWrites) return undefined
  const obeyed = caller.kind === 'primary'
  const refused = replication.writeRefusal()
  if (refused === errors.readOnly && !obeyed) {
    return 'READONLY You can not run script with write flag on readonly replica.'
  }
  if (!obeyed && persistence.writeRefusal() !== undefined) {
    return "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Writable scripts are blocked. Use 'no-writes' flag for read only scripts."
  }
  if (isReadOnlyCommand) return 'ERR Can not execute a script with write flag using *_ro command.'
  if (refused !== undefined && refused !== errors.readOnly && !obeyed) return refused
  return server.eviction.isOutOfMemory && !flags.allowOom ? errors.outOfMemory : undefined
}

/** What `redis.call` answers for a command that nobody knows, or undefined. */
export function refuseUnknown(record: CommandRecord | undefined, args: Arguments): string | undefined {
  if (record === undefined) return 'ERR Unknown Redis command called from script'
  if (!record.arityAllows(args.count)) return 'ERR Wrong number of args calling Redis command from script'
  return undefined
}

/** In Redis's words for scripts. */
const denials = {
  command: 'run this command or subcommand',
  key: 'access at least one of the keys mentioned in the command arguments',
  channel: 'publish to the channel mentioned in the command',
} as const

/** Why a script may not call this command now: a complete error. Notes that it writes. */
export function refuseCall(
  server: RunningServer,
  run: ScriptRun,
  record: CommandRecord,
  args: Arguments,
): string | undefined {
  if (record.has(flagBits.noscript) && !server.debug.allowsDeniedInScripts)
    return 'ERR This Redis command is not allowed from script'
  const isObeyed = run.caller.kind === 'primary'
  if (!record.has(flagBits.stale) && server.replication.readRefusal() !== undefined) {
    return 'ERR Can not execute the command on a stale replica'
  }
  const denial = server.access.denialInside(run.caller, record.command, args, 'lua')
  if (denial !== undefined) return `ERR The user executing the script can't ${denials[denial.reason]}`
  if (run.isReadOnly && record.has(flagBits.write | traitBits.mayReplicate)) {
    return 'ERR Write commands are not allowed from read-only scripts.'
  }
  if (!run.hasWritten && !isObeyed) {
    if (record.has(flagBits.write)) {
      const replication = server.replication.writeRefusal()
      const refused = replication === errors.readOnly ? replication : (server.persistence.writeRefusal() ?? replication)
      if (refused !== undefined) return refused
    }
    if (record.has(flagBits.denyoom) && !run.flags.allowOom && server.eviction.isOutOfMemory) return errors.outOfMemory
  }
  if (record.has(flagBits.write)) run.hasWritten = true
  return isObeyed ? undefined : refuseKeys(server, run, record, args)
}

/** In a cluster: the keys must be here, and of one slot. */
function refuseKeys(server: RunningServer, run: ScriptRun, record: CommandRecord, args: Arguments): string | undefined {
  const { cluster } = server
  if (cluster === undefined || !record.hasKeys) return undefined
  const { client, caller } = run
  client.readOnlyMode = caller.readOnlyMode
  client.asking = caller.asking
  const keys = findKeys(record.command, args, true) ?? []
  const redirection = cluster.route(client, [{ command: record.command, args, keys }])
  // A slot that nobody serves is not local, for Redis.
  if (redirection?.startsWith('CLUSTERDOWN') && !redirection.includes('not served')) {
    return redirection.includes('read-only') || redirection.includes('readonly')
      ? 'ERR Script attempted to execute a write command while the cluster is down and readonly'
      : 'ERR Script attempted to execute a command while the cluster is down'
  }
  if (redirection !== undefined) return 'ERR Script attempted to access a non local key in a cluster node'
  const first = keys[0]
  if (first === undefined || run.flags.compatible || run.flags.allowCrossSlot) return undefined
  const slot = keyHashSlot(args.view(first))
  run.slot ??= slot
  return run.slot === slot ? undefined : 'ERR Script attempted to access keys that do not hash to the same slot'
}
