/**
 * May this node run a command for a client? Otherwise: the redirection or refusal to answer (Redis's getNodeByQuery).
 *
 * All keys of a command, or of all commands of a transaction, must be in one slot. While the slot moves, a node serves
 * what it has: of what it has nothing, it says ASK (its new owner will have it); of what it has a part, TRYAGAIN.
 */
import type { Arguments } from '../commands/arguments.ts'
import type { Command, CommandFlag } from '../commands/command.ts'
import { errors } from '../commands/errors.ts'
import { keyHashSlot } from '../data/crc16.ts'
import type { Client } from '../server/client.ts'
import { type KeyspacePort, NO_ENTRY } from '../store/keyspace-port.ts'
import type { ClusterNode } from './node.ts'
import type { ClusterView } from './view.ts'

export interface RoutedCommand {
  command: Command
  args: Arguments
  keys: readonly number[]
}

const CLUSTER_DOWN = 'CLUSTERDOWN The cluster is down'
const CLUSTER_READ_ONLY = 'CLUSTERDOWN The cluster is down and only accepts read commands'
const SLOT_NOT_SERVED = 'CLUSTERDOWN Hash slot not served'
const TRY_AGAIN = 'TRYAGAIN Multiple keys request during rehashing of slot'

/** What the keys of a request have in common. */
interface KeySet {
  slot: number
  /** There are at least two different ones. */
  several: boolean
  keys: { args: Arguments; index: number }[]
}

/** The keys' slot; a text when it has no owner or when they have more than one; undefined when there are no keys. */
function collectKeys(view: ClusterView, commands: readonly RoutedCommand[]): KeySet | string | undefined {
  let found: KeySet | undefined
  for (const { args, keys } of commands) {
    for (const index of keys) {
      const slot = keyHashSlot(args.memory, args.start(index), args.end(index))
      if (found === undefined) {
        if (view.slots[slot] === undefined) return SLOT_NOT_SERVED
        found = { slot, several: false, keys: [{ args, index }] }
        continue
      }
      if (slot !== found.slot) return errors.crossSlot
      const first = found.keys[0] as KeySet['keys'][number]
      found.several ||= !args.view(index).equals(first.args.view(first.index))
      found.keys.push({ args, index })
    }
  }
  return found
}

/** Undefined: run it here. Otherwise the complete error. `nowMs` judges expiry. */
export function routeCommands(
  view: ClusterView,
  database: KeyspacePort,
  client: Client,
  commands: readonly RoutedCommand[],
  nowMs: number,
): string | undefined {
  const found = collectKeys(view, commands)
  if (found === undefined || typeof found === 'string') return found
  const { slot } = found
  const owner = view.slots[slot] as ClusterNode

  const { config } = view.environment
  const hasFlag = (flag: CommandFlag) => commands.some(({ command }) => command.flags.includes(flag))
  // The only keys of a publish/subscribe command are shard channels.
  const isShardChannel = commands.some(({ command }) => command.group === 'pubsub')
  const writes = hasFlag('write')
  if (view.state !== 'ok') {
    if (isShardChannel) {
      if (!config['cluster-allow-pubsubshard-when-down']) return CLUSTER_DOWN
    } else if (!config['cluster-allow-reads-when-down']) return CLUSTER_DOWN
    else if (writes) return CLUSTER_READ_ONLY
  }

  const target = owner === view.myself ? view.migratingTo.get(slot) : undefined
  const importing = target === undefined && view.importingFrom.has(slot)
  if (target !== undefined || importing) {
    // MIGRATE must be free to move keys in both directions.
    if (commands.some(({ command }) => command.name === 'migrate')) return undefined
    const missing = isShardChannel ? 0 : countMissing(database, found, nowMs)
    if (target !== undefined && missing > 0) {
      return missing < found.keys.length ? TRY_AGAIN : `ASK ${slot} ${endpointOf(view, target)}`
    }
    if (importing && (client.asking || hasFlag('asking'))) {
      return found.several && missing > 0 ? TRY_AGAIN : undefined
    }
  }

  const { myself } = view
  const mayRead = (client.readOnlyMode || isShardChannel) && !writes
  if (owner === myself || (mayRead && myself.isReplica && myself.primary === owner)) return undefined
  return `MOVED ${slot} ${endpointOf(view, owner)}`
}

/** For a client that waits for a key: where to go, if it is not this node any more that will have it. */
export function blockedRefusal(view: ClusterView, client: Client, key: Buffer, writes: boolean): string | undefined {
  if (view.state !== 'ok') return CLUSTER_DOWN
  const slot = keyHashSlot(key, 0, key.length)
  const owner = view.slots[slot]
  const { myself } = view
  if (owner === myself || view.importingFrom.has(slot)) return undefined
  if (owner === undefined) return SLOT_NOT_SERVED
  if (client.readOnlyMode && !writes && myself.isReplica && myself.primary === owner) return undefined
  return `MOVED ${slot} ${endpointOf(view, owner)}`
}

function countMissing(database: KeyspacePort, { keys }: KeySet, nowMs: number): number {
  return keys.filter(({ args, index }) => {
    const entry = database.find(args.memory, args.start(index), args.end(index))
    if (entry === NO_ENTRY) return true
    const expireAtMs = database.expireAtMs(entry)
    return expireAtMs >= 0 && expireAtMs < nowMs
  }).length
}

/** Where clients should go for the node: `host:port`, by `cluster-preferred-endpoint-type`. */
function endpointOf(view: ClusterView, node: ClusterNode): string {
  return `${preferredHost(view, node)}:${node.port}`
}

/** The host that clients are told; empty: the one that they are connected to. */
export function preferredHost(view: ClusterView, node: ClusterNode): string {
  const type = view.environment.config['cluster-preferred-endpoint-type']
  if (type === 'hostname') return node.hostname === '' ? '?' : node.hostname
  return type === 'ip' ? node.ip : ''
}
