/**
 * CLUSTER and its relatives ASKING, READONLY and READWRITE: the rows; what they do stands in cluster-nodes.ts and
 * cluster-slots.ts.
 */
import type { Arguments } from './arguments.ts'
import { type ClusterCommandContext, inCluster } from './cluster-context.ts'
import {
  bump,
  countReports,
  failover,
  forget,
  info,
  links,
  meet,
  myId,
  nodes,
  replicas,
  replicate,
  reset,
  saveConfig,
  setConfigEpoch,
} from './cluster-nodes.ts'
import {
  addSlotRanges,
  addSlots,
  countKeysInSlot,
  deleteSlotRanges,
  deleteSlots,
  flushSlots,
  getKeysInSlot,
  keySlot,
  setSlot,
  shards,
  slots,
} from './cluster-slots.ts'
import type { Command, CommandFlag } from './command.ts'

const helpLines: readonly string[] = [
  'CLUSTER <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'ADDSLOTS <slot> [<slot> ...]',
  '    Assign slots to current node.',
  'ADDSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]',
  '    Assign slots which are between <start-slot> and <end-slot> to current node.',
  'BUMPEPOCH',
  '    Advance the cluster config epoch.',
  'COUNT-FAILURE-REPORTS <node-id>',
  '    Return number of failure reports for <node-id>.',
  'COUNTKEYSINSLOT <slot>',
  '    Return the number of keys in <slot>.',
  'DELSLOTS <slot> [<slot> ...]',
  '    Delete slots information from current node.',
  'DELSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]',
  '    Delete slots information which are between <start-slot> and <end-slot> from current node.',
  'FAILOVER [FORCE|TAKEOVER]',
  '    Promote current replica node to being a master.',
  'FORGET <node-id>',
  '    Remove a node from the cluster.',
  'GETKEYSINSLOT <slot> <count>',
  '    Return key names stored by current node in a slot.',
  'FLUSHSLOTS',
  '    Delete current node own slots information.',
  'INFO',
  '    Return information about the cluster.',
  'KEYSLOT <key>',
  '    Return the hash slot for <key>.',
  'MEET <ip> <port> [<bus-port>]',
  '    Connect nodes into a working cluster.',
  'MYID',
  '    Return the node id.',
  'NODES',
  '    Return cluster configuration seen by node. Output format:',
  '    <id> <ip:port> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...',
  'REPLICATE <node-id>',
  '    Configure current node as replica to <node-id>.',
  'RESET [HARD|SOFT]',
  '    Reset current node (default: soft).',
  'SET-CONFIG-EPOCH <epoch>',
  '    Set config epoch of current node.',
  'SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)',
  '    Set slot state.',
  'REPLICAS <node-id>',
  '    Return <node-id> replicas.',
  'SAVECONFIG',
  '    Force saving cluster configuration on disk.',
  'SLOTS',
  '    Return information about slots range mappings. Each range is made of:',
  '    start, end, master and replicas IP addresses, ports and ids',
  'SHARDS',
  '    Return information about slot range mappings and the nodes associated with them.',
  'LINKS',
  '    Return information about all network links between this node and its peers.',
  '    Output format is an array where each array element is a map containing attributes of a link',
  'HELP',
  '    Prints this help.',
]

function help({ context }: ClusterCommandContext): void {
  context.reply.array(helpLines.length)
  for (const line of helpLines) context.reply.simple(line)
}

/** Flags of subcommands that change the configuration, and of those that only look. */
const change: readonly CommandFlag[] = ['admin', 'stale', 'no_async_loading']
const look: readonly CommandFlag[] = ['stale']

function row(
  name: string,
  arity: number,
  flags: readonly CommandFlag[],
  run: (command: ClusterCommandContext, args: Arguments) => void,
  more: Partial<Command> = {},
): Command {
  return {
    name,
    arity,
    flags,
    categories: [],
    group: 'cluster',
    run: inCluster(run),
    ...more,
  }
}

const subcommands: readonly Command[] = [
  row('addslots', -3, change, addSlots),
  row('addslotsrange', -4, change, addSlotRanges),
  row('bumpepoch', 2, change, bump, {
    tips: ['nondeterministic_output'],
  }),
  row('count-failure-reports', 3, ['admin', 'stale'], countReports, { tips: ['nondeterministic_output'] }),
  row('countkeysinslot', 3, look, countKeysInSlot),
  row('delslots', -3, change, deleteSlots),
  row('delslotsrange', -4, change, deleteSlotRanges),
  row('failover', -2, change, failover),
  row('flushslots', 2, change, flushSlots),
  row('forget', 3, change, forget),
  row('getkeysinslot', 4, look, getKeysInSlot, {
    tips: ['nondeterministic_output'],
  }),
  row('help', 2, ['loading', 'stale'], help),
  row('info', 2, look, info, {
    tips: ['nondeterministic_output'],
  }),
  row('keyslot', 3, look, keySlot),
  row('links', 2, look, links, { tips: ['nondeterministic_output'] }),
  row('meet', -4, change, meet),
  row('myid', 2, look, myId),
  row('nodes', 2, look, nodes, { tips: ['nondeterministic_output'] }),
  row('replicas', 3, ['admin', 'stale'], replicas, {
    tips: ['nondeterministic_output'],
  }),
  row('replicate', 3, change, replicate),
  row('reset', -2, ['admin', 'noscript', 'stale'], reset),
  row('saveconfig', 2, change, saveConfig),
  row('set-config-epoch', 3, change, setConfigEpoch),
  row('setslot', -4, change, setSlot),
  row('shards', 2, look, shards, { tips: ['nondeterministic_output'] }),
  row('slaves', 3, ['admin', 'stale'], replicas, {
    tips: ['nondeterministic_output'],
  }),
  row('slots', 2, look, slots, {
    tips: ['nondeterministic_output'],
  }),
]

/** A flag of the connection, set or cleared. */
function clientFlag(
  name: string,
  flags: readonly CommandFlag[],
  run: (command: ClusterCommandContext) => void,
): Command {
  return { ...row(name, 1, flags, run), categories: ['connection'] }
}

export const clusterCommands: readonly Command[] = [
  {
    name: 'cluster',
    arity: -2,
    flags: [],
    categories: [],
    group: 'cluster',
    subcommands,
  },
  clientFlag('asking', ['fast'], ({ context }) => {
    context.client.asking = true
    context.reply.ok()
  }),
  clientFlag('readonly', ['loading', 'stale', 'fast'], ({ context }) => {
    context.client.readOnlyMode = true
    context.reply.ok()
  }),
  clientFlag('readwrite', ['loading', 'stale', 'fast'], ({ context }) => {
    context.client.readOnlyMode = false
    context.reply.ok()
  }),
]
