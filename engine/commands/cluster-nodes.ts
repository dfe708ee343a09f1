/** CLUSTER's subcommands about nodes: who there is, who follows whom, how it is going. */

import { defaultBusPort } from '../cluster/environment.ts'
import { bumpEpoch } from '../cluster/epoch.ts'
import { countFailureReports } from '../cluster/failure.ts'
import type { Link } from '../cluster/link.ts'
import { resetManualFailover, startManualFailover } from '../cluster/manual-failover.ts'
import { messageTypeName } from '../cluster/message.ts'
import { type ClusterNode, NodeFlag } from '../cluster/node.ts'
import { describeNode, describeNodes } from '../cluster/nodes-file.ts'
import { becomeReplicaOf, setAsPrimary } from '../cluster/slots.ts'
import { type ClusterView, Scheduled } from '../cluster/view.ts'
import { SLOT_COUNT } from '../data/crc16.ts'
import type { Reply } from '../resp/reply.ts'
import type { Arguments } from './arguments.ts'
import type { ClusterCommandContext } from './cluster-context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'

const SAVE = Scheduled.saveConfig | Scheduled.updateState

/** Redis formats names with `%s`: text ends at the first zero byte. */
const shown = (args: Arguments, index: number): string => args.latin1(index).split('\0', 1)[0] as string

/** The node that argument `index` names, or undefined after the error was answered. */
function nodeArgument(
  { context, view }: ClusterCommandContext,
  args: Arguments,
  index: number,
): ClusterNode | undefined {
  const node = view.lookup(args.latin1(index))
  if (node === undefined) context.reply.error(`ERR Unknown node ${shown(args, index)}`)
  return node
}

export function meet({ context, view }: ClusterCommandContext, args: Arguments): void {
  const { reply } = context
  if (args.count > 5) {
    syntaxError(reply, args)
    return
  }
  const port = numberArgument(context, args, 3, `ERR Invalid TCP base port specified: ${shown(args, 3)}`)
  if (Number.isNaN(port)) return
  const busPort =
    args.count === 4
      ? defaultBusPort(port)
      : numberArgument(context, args, 4, `ERR Invalid TCP bus port specified: ${shown(args, 4)}`)
  if (Number.isNaN(busPort)) return
  const ip = literalAddress(args.latin1(2))
  if (ip === undefined || !isPort(port) || !isPort(busPort)) {
    reply.error(`ERR Invalid node address specified: ${shown(args, 2)}:${shown(args, 3)}`)
    return
  }
  const underWay = view.nodes.some(
    (node) => node.inHandshake && node.ip === ip && node.port === port && node.busPort === busPort,
  )
  if (!underWay) {
    const node = view.createNode(undefined, NodeFlag.handshake | NodeFlag.meet)
    Object.assign(node, { ip, port, busPort })
    view.addNode(node)
  }
  reply.ok()
}

const isPort = (port: number): boolean => port > 0 && port <= 65535

/** An IPv4 or IPv6 address in its usual form; names are not addresses. */
function literalAddress(text: string): string | undefined {
  const parts = text.split('.')
  const isIPv4 = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
  if (isIPv4) return text
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(':')) return undefined
  try {
    return new URL(`http://[${text}]/`).hostname.slice(1, -1)
  } catch {
    return undefined
  }
}

function syntaxError(reply: Reply, args: Arguments): void {
  reply.error(
    `ERR unknown subcommand or wrong number of arguments for '${shown(args, 1).slice(0, 128)}'. Try CLUSTER HELP.`,
  )
}

export function nodes({ context, view }: ClusterCommandContext): void {
  context.reply.verbatim('txt', describeNodes(view))
}

export function myId({ context, view }: ClusterCommandContext): void {
  context.reply.text(view.myself.name)
}

export function replicas(command: ClusterCommandContext, args: Arguments): void {
  const { reply } = command.context
  const node = nodeArgument(command, args, 2)
  if (node === undefined) return
  if (node.isReplica) {
    reply.error('ERR The specified node is not a master')
    return
  }
  reply.array(node.replicas.length)
  for (const replica of node.replicas) reply.latin1(describeNode(command.view, replica))
}

export function replicate(command: ClusterCommandContext, args: Arguments): void {
  const { context, view } = command
  const { myself } = view
  const node = nodeArgument(command, args, 2)
  if (node === undefined) return
  const refusal = (() => {
    if (node === myself) return "ERR Can't replicate myself"
    if (node.isReplica) return 'ERR I can only replicate a master, not a replica.'
    if (myself.isPrimary && (myself.slotCount > 0 || view.environment.keyCount() > 0)) {
      return 'ERR To set a master the node must be empty and without assigned slots.'
    }
    return undefined
  })()
  if (refusal !== undefined) {
    context.reply.error(refusal)
    return
  }
  becomeReplicaOf(view, node)
  view.schedule(SAVE)
  context.reply.ok()
}

export function forget(command: ClusterCommandContext, args: Arguments): void {
  const { context, view } = command
  const node = nodeArgument(command, args, 2)
  if (node === undefined) return
  if (node === view.myself) {
    context.reply.error("ERR I tried hard but I can't forget myself...")
  } else if (view.myself.isReplica && view.myself.primary === node) {
    context.reply.error("ERR Can't forget my master!")
  } else {
    view.addToBlacklist(node.name)
    view.removeNode(node)
    view.schedule(SAVE)
    context.reply.ok()
  }
}

export function countReports(command: ClusterCommandContext, args: Arguments): void {
  const node = nodeArgument(command, args, 2)
  if (node !== undefined) command.context.reply.integer(countFailureReports(command.view, node))
}

export function failover({ context, view }: ClusterCommandContext, args: Arguments): void {
  const { reply } = context
  if (args.count > 3) {
    syntaxError(reply, args)
    return
  }
  const mode =
    args.count === 2 ? 'safe' : args.is(2, 'force') ? 'force' : args.is(2, 'takeover') ? 'takeover' : undefined
  const { myself } = view
  const primary = myself.primary
  if (mode === undefined) reply.error(errors.syntax)
  else if (myself.isPrimary) reply.error('ERR You should send CLUSTER FAILOVER to a replica')
  else if (primary === undefined) reply.error("ERR I'm a replica but my master is unknown to me")
  else if (mode === 'safe' && (primary.isFailed || primary.link === undefined)) {
    reply.error('ERR Master is down or failed, please use CLUSTER FAILOVER FORCE')
  } else {
    startManualFailover(view, primary, mode)
    reply.ok()
  }
}

export function reset({ context, view }: ClusterCommandContext, args: Arguments): void {
  const { reply } = context
  if (args.count > 3) {
    syntaxError(reply, args)
    return
  }
  const hard = args.count === 3 && args.is(2, 'hard')
  if (args.count === 3 && !hard && !args.is(2, 'soft')) {
    reply.error(errors.syntax)
  } else if (view.myself.isPrimary && view.environment.keyCount() > 0) {
    reply.error("ERR CLUSTER RESET can't be called with master nodes containing keys")
  } else {
    resetNode(view, hard)
    reply.ok()
  }
}

/** Forgets all other nodes and all slots; `hard`: also epochs and the own name. A replica loses its data. */
function resetNode(view: ClusterView, hard: boolean): void {
  const { myself, environment } = view
  if (myself.isReplica) {
    setAsPrimary(view, myself)
    environment.becomePrimary()
    environment.emptyData()
  }
  view.closeSlots()
  resetManualFailover(view)
  for (let slot = 0; slot < SLOT_COUNT; slot++) view.releaseSlot(slot)
  for (const node of [...view.nodes]) if (node !== myself) view.removeNode(node)
  if (hard) {
    view.currentEpoch = 0
    view.lastVoteEpoch = 0
    myself.configEpoch = 0
    environment.log.warning('configEpoch set to 0 via CLUSTER RESET HARD')
    view.rename(myself, view.randomName())
    environment.log.notice(`Node hard reset, now I'm ${myself.name}`)
  }
  view.schedule(SAVE | Scheduled.syncConfig)
}

export function setConfigEpoch({ context, view }: ClusterCommandContext, args: Arguments): void {
  const { reply } = context
  const epoch = numberArgument(context, args, 2)
  if (Number.isNaN(epoch)) return
  if (epoch < 0) reply.error(`ERR Invalid config epoch specified: ${epoch}`)
  else if (view.nodes.length > 1) {
    reply.error('ERR The user can assign a config epoch only when the node does not know any other node.')
  } else if (view.myself.configEpoch !== 0) {
    reply.error('ERR Node config epoch is already non-zero')
  } else {
    view.myself.configEpoch = epoch
    view.environment.log.warning(`configEpoch set to ${epoch} via CLUSTER SET-CONFIG-EPOCH`)
    view.currentEpoch = Math.max(view.currentEpoch, epoch)
    view.schedule(SAVE)
    reply.ok()
  }
}

export function bump({ context, view }: ClusterCommandContext): void {
  const outcome = bumpEpoch(view) ? 'BUMPED' : 'STILL'
  context.reply.simple(`${outcome} ${view.myself.configEpoch}`)
}

export function saveConfig({ context, view }: ClusterCommandContext): void {
  const failure = view.environment.trySaveConfig()
  if (failure === undefined) context.reply.ok()
  else context.reply.error(`ERR error saving the cluster node config: ${failure}`)
}

export function links({ context, view }: ClusterCommandContext): void {
  const all = view.nodes.flatMap((node) =>
    [node.link, node.inboundLink].filter((link) => link !== undefined).map((link) => ({ node, link })),
  )
  context.reply.array(all.length)
  for (const { node, link } of all) replyLink(context.reply, node, link)
}

function replyLink(reply: Reply, node: ClusterNode, link: Link): void {
  reply.map(6)
  reply.text('direction')
  reply.text(link.inbound ? 'from' : 'to')
  reply.text('node')
  reply.text(node.name)
  reply.text('create-time')
  reply.integer(link.createdMs)
  reply.text('events')
  reply.text(link.bufferedBytes > 0 ? 'rw' : 'r')
  reply.text('send-buffer-allocated')
  reply.integer(link.bufferedBytes)
  reply.text('send-buffer-used')
  reply.integer(link.bufferedBytes)
}

export function info({ context, view }: ClusterCommandContext): void {
  const { myself } = view
  const slotsOf = (nodes: readonly ClusterNode[]): number => nodes.reduce((sum, node) => sum + node.slotCount, 0)
  const failed = slotsOf(view.nodes.filter((node) => node.isFailed))
  const suspected = slotsOf(view.nodes.filter((node) => !node.isFailed && node.isSuspected))
  const epochOwner = myself.isReplica && myself.primary !== undefined ? myself.primary : myself
  const fields = [
    ['cluster_state', view.state],
    ['cluster_slots_assigned', view.assignedSlots],
    ['cluster_slots_ok', view.assignedSlots - failed - suspected],
    ['cluster_slots_pfail', suspected],
    ['cluster_slots_fail', failed],
    ['cluster_known_nodes', view.nodes.length],
    ['cluster_size', view.size],
    ['cluster_current_epoch', view.currentEpoch],
    ['cluster_my_epoch', epochOwner.configEpoch],
    ...messageCounts(view.sentMessages, 'sent'),
    ...messageCounts(view.receivedMessages, 'received'),
    ['total_cluster_links_buffer_limit_exceeded', view.linksOverLimit],
  ]
  context.reply.verbatim('txt', fields.map(([name, value]) => `${name}:${value}\r\n`).join(''))
}

function messageCounts(counts: readonly number[], direction: 'sent' | 'received'): (readonly [string, number])[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const byType = counts.map(
    (count, type) => [`cluster_stats_messages_${messageTypeName(type)}_${direction}`, count] as const,
  )
  return [...byType.filter(([, count]) => count > 0), [`cluster_stats_messages_${direction}`, total]]
}
