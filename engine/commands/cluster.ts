/** CLUSTER and its relatives ASKING, READONLY and READWRITE: the rows; what they do stands in cluster-nodes.ts and cluster-slots.ts. */
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
  since: string,
  summary: string,
  complexity: string,
  run: (command: ClusterCommandContext, args: Arguments) => void,
  more: Partial<Command> = {},
): Command {
  return {
    name,
    arity,
    flags,
    categories: [],
    group: 'cluster',
    since,
    summary,
    complexity,
    run: inCluster(run),
    ...more,
  }
}

const subcommands: readonly Command[] = [
  row(
    'addslots',
    -3,
    change,
    '3.0.0',
    'Assign new hash slots to receiving node',
    'O(N) where N is the total number of hash slot arguments',
    addSlots,
    { arguments: [{ name: 'slot', type: 'integer', flags: ['multiple'] }] },
  ),
  row(
    'addslotsrange',
    -4,
    change,
    '7.0.0',
    'Assign new hash slots to receiving node',
    'O(N) where N is the total number of the slots between the start slot and end slot arguments.',
    addSlotRanges,
    {
      arguments: [
        {
          name: 'start-slot_end-slot',
          type: 'block',
          flags: ['multiple'],
          arguments: [
            { name: 'start-slot', type: 'integer' },
            { name: 'end-slot', type: 'integer' },
          ],
        },
      ],
    },
  ),
  row('bumpepoch', 2, change, '3.0.0', 'Advance the cluster config epoch', 'O(1)', bump, {
    tips: ['nondeterministic_output'],
  }),
  row(
    'count-failure-reports',
    3,
    ['admin', 'stale'],
    '3.0.0',
    'Return the number of failure reports active for a given node',
    'O(N) where N is the number of failure reports',
    countReports,
    { tips: ['nondeterministic_output'], arguments: [{ name: 'node-id', type: 'string' }] },
  ),
  row(
    'countkeysinslot',
    3,
    look,
    '3.0.0',
    'Return the number of local keys in the specified hash slot',
    'O(1)',
    countKeysInSlot,
    { arguments: [{ name: 'slot', type: 'integer' }] },
  ),
  row(
    'delslots',
    -3,
    change,
    '3.0.0',
    'Set hash slots as unbound in receiving node',
    'O(N) where N is the total number of hash slot arguments',
    deleteSlots,
    { arguments: [{ name: 'slot', type: 'integer', flags: ['multiple'] }] },
  ),
  row(
    'delslotsrange',
    -4,
    change,
    '7.0.0',
    'Set hash slots as unbound in receiving node',
    'O(N) where N is the total number of the slots between the start slot and end slot arguments.',
    deleteSlotRanges,
    {
      arguments: [
        {
          name: 'start-slot_end-slot',
          type: 'block',
          flags: ['multiple'],
          arguments: [
            { name: 'start-slot', type: 'integer' },
            { name: 'end-slot', type: 'integer' },
          ],
        },
      ],
    },
  ),
  row(
    'failover',
    -2,
    change,
    '3.0.0',
    'Forces a replica to perform a manual failover of its master.',
    'O(1)',
    failover,
    {
      arguments: [
        {
          name: 'options',
          type: 'oneof',
          flags: ['optional'],
          arguments: [
            { name: 'force', type: 'pure-token', token: 'FORCE' },
            { name: 'takeover', type: 'pure-token', token: 'TAKEOVER' },
          ],
        },
      ],
    },
  ),
  row('flushslots', 2, change, '3.0.0', "Delete a node's own slots information", 'O(1)', flushSlots),
  row('forget', 3, change, '3.0.0', 'Remove a node from the nodes table', 'O(1)', forget, {
    arguments: [{ name: 'node-id', type: 'string' }],
  }),
  row(
    'getkeysinslot',
    4,
    look,
    '3.0.0',
    'Return local key names in the specified hash slot',
    'O(log(N)) where N is the number of requested keys',
    getKeysInSlot,
    {
      tips: ['nondeterministic_output'],
      arguments: [
        { name: 'slot', type: 'integer' },
        { name: 'count', type: 'integer' },
      ],
    },
  ),
  row('help', 2, ['loading', 'stale'], '5.0.0', 'Show helpful text about the different subcommands', 'O(1)', help),
  row('info', 2, look, '3.0.0', 'Provides info about Redis Cluster node state', 'O(1)', info, {
    tips: ['nondeterministic_output'],
  }),
  row(
    'keyslot',
    3,
    look,
    '3.0.0',
    'Returns the hash slot of the specified key',
    'O(N) where N is the number of bytes in the key',
    keySlot,
    { arguments: [{ name: 'key', type: 'string' }] },
  ),
  row(
    'links',
    2,
    look,
    '7.0.0',
    'Returns a list of all TCP links to and from peer nodes in cluster',
    'O(N) where N is the total number of Cluster nodes',
    links,
    { tips: ['nondeterministic_output'] },
  ),
  row('meet', -4, change, '3.0.0', 'Force a node cluster to handshake with another node', 'O(1)', meet, {
    history: [['4.0.0', 'Added the optional `cluster_bus_port` argument.']],
    arguments: [
      { name: 'ip', type: 'string' },
      { name: 'port', type: 'integer' },
      { name: 'cluster_bus_port', type: 'integer', since: '4.0.0', flags: ['optional'] },
    ],
  }),
  row('myid', 2, look, '3.0.0', 'Return the node id', 'O(1)', myId),
  row(
    'nodes',
    2,
    look,
    '3.0.0',
    'Get Cluster config for the node',
    'O(N) where N is the total number of Cluster nodes',
    nodes,
    { tips: ['nondeterministic_output'] },
  ),
  row('replicas', 3, ['admin', 'stale'], '5.0.0', 'List replica nodes of the specified master node', 'O(1)', replicas, {
    tips: ['nondeterministic_output'],
    arguments: [{ name: 'node-id', type: 'string' }],
  }),
  row(
    'replicate',
    3,
    change,
    '3.0.0',
    'Reconfigure a node as a replica of the specified master node',
    'O(1)',
    replicate,
    { arguments: [{ name: 'node-id', type: 'string' }] },
  ),
  row(
    'reset',
    -2,
    ['admin', 'noscript', 'stale'],
    '3.0.0',
    'Reset a Redis Cluster node',
    'O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.',
    reset,
    {
      arguments: [
        {
          name: 'hard_soft',
          type: 'oneof',
          flags: ['optional'],
          arguments: [
            { name: 'hard', type: 'pure-token', token: 'HARD' },
            { name: 'soft', type: 'pure-token', token: 'SOFT' },
          ],
        },
      ],
    },
  ),
  row('saveconfig', 2, change, '3.0.0', 'Forces the node to save cluster state on disk', 'O(1)', saveConfig),
  row('set-config-epoch', 3, change, '3.0.0', 'Set the configuration epoch in a new node', 'O(1)', setConfigEpoch, {
    arguments: [{ name: 'config-epoch', type: 'integer' }],
  }),
  row('setslot', -4, change, '3.0.0', 'Bind a hash slot to a specific node', 'O(1)', setSlot, {
    arguments: [
      { name: 'slot', type: 'integer' },
      {
        name: 'subcommand',
        type: 'oneof',
        arguments: [
          { name: 'node-id', type: 'string', token: 'IMPORTING' },
          { name: 'node-id', type: 'string', token: 'MIGRATING' },
          { name: 'node-id', type: 'string', token: 'NODE' },
          { name: 'stable', type: 'pure-token', token: 'STABLE' },
        ],
      },
    ],
  }),
  row(
    'shards',
    2,
    look,
    '7.0.0',
    'Get array of cluster slots to node mappings',
    'O(N) where N is the total number of cluster nodes',
    shards,
    { tips: ['nondeterministic_output'] },
  ),
  row('slaves', 3, ['admin', 'stale'], '3.0.0', 'List replica nodes of the specified master node', 'O(1)', replicas, {
    tips: ['nondeterministic_output'],
    docFlags: ['deprecated'],
    deprecatedSince: '5.0.0',
    replacedBy: '`CLUSTER REPLICAS`',
    arguments: [{ name: 'node-id', type: 'string' }],
  }),
  row(
    'slots',
    2,
    look,
    '3.0.0',
    'Get array of Cluster slot to node mappings',
    'O(N) where N is the total number of Cluster nodes',
    slots,
    {
      tips: ['nondeterministic_output'],
      history: [
        ['4.0.0', 'Added node IDs.'],
        ['7.0.0', 'Added additional networking metadata field.'],
      ],
      docFlags: ['deprecated'],
      deprecatedSince: '7.0.0',
      replacedBy: '`CLUSTER SHARDS`',
    },
  ),
]

/** A flag of the connection, set or cleared. */
function clientFlag(
  name: string,
  flags: readonly CommandFlag[],
  summary: string,
  run: (command: ClusterCommandContext) => void,
): Command {
  return { ...row(name, 1, flags, '3.0.0', summary, 'O(1)', run), categories: ['connection'] }
}

export const clusterCommands: readonly Command[] = [
  {
    name: 'cluster',
    arity: -2,
    flags: [],
    categories: [],
    group: 'cluster',
    since: '3.0.0',
    summary: 'A container for cluster commands',
    complexity: 'Depends on subcommand.',
    subcommands,
  },
  clientFlag('asking', ['fast'], 'Sent by cluster clients after an -ASK redirect', ({ context }) => {
    context.client.asking = true
    context.reply.ok()
  }),
  clientFlag(
    'readonly',
    ['loading', 'stale', 'fast'],
    'Enables read queries for a connection to a cluster replica node',
    ({ context }) => {
      context.client.readOnlyMode = true
      context.reply.ok()
    },
  ),
  clientFlag(
    'readwrite',
    ['loading', 'stale', 'fast'],
    'Disables read queries for a connection to a cluster replica node',
    ({ context }) => {
      context.client.readOnlyMode = false
      context.reply.ok()
    },
  ),
]
