/** CLUSTER's subcommands about slots: who serves them, assigning and moving them, the keys in them. */

import { bumpEpoch } from '../cluster/epoch.ts'
import type { ClusterNode } from '../cluster/node.ts'
import { preferredHost } from '../cluster/route.ts'
import { broadcastPong } from '../cluster/sending.ts'
import { becomeReplicaOf, slotRanges } from '../cluster/slots.ts'
import { type ClusterView, Scheduled } from '../cluster/view.ts'
import { keyHashSlot, SLOT_COUNT } from '../data/crc16.ts'
import { parseSafeInteger } from '../data/decimal.ts'
import type { Reply } from '../resp/reply.ts'
import type { Arguments } from './arguments.ts'
import type { ClusterCommandContext } from './cluster-context.ts'
import { wrongArity } from './errors.ts'
import { numberArgument } from './number-argument.ts'

const SAVE = Scheduled.saveConfig | Scheduled.updateState

/** Argument `index` as a slot, or undefined after the error was answered. */
function slotArgument(reply: Reply, args: Arguments, index: number): number | undefined {
  const slot = parseSafeInteger(args.memory, args.start(index), args.end(index))
  if (slot >= 0 && slot < SLOT_COUNT) return slot
  reply.error('ERR Invalid or out of range slot')
  return undefined
}

type Change = 'add' | 'delete'

/** The slots start…end join `chosen`; false after an error was answered. */
function choose(
  view: ClusterView,
  reply: Reply,
  chosen: Set<number>,
  change: Change,
  start: number,
  end: number,
): boolean {
  for (let slot = start; slot <= end; slot++) {
    const assigned = view.slots[slot] !== undefined
    if (change === 'delete' && !assigned) reply.error(`ERR Slot ${slot} is already unassigned`)
    else if (change === 'add' && assigned) reply.error(`ERR Slot ${slot} is already busy`)
    else if (chosen.has(slot)) reply.error(`ERR Slot ${slot} specified multiple times`)
    else {
      chosen.add(slot)
      continue
    }
    return false
  }
  return true
}

function changeSlots(view: ClusterView, chosen: ReadonlySet<number>, change: Change): void {
  for (const slot of [...chosen].sort((a, b) => a - b)) {
    // Who owns a slot no longer imports it.
    view.importingFrom.delete(slot)
    if (change === 'add') view.addSlot(view.myself, slot)
    else view.releaseSlot(slot)
  }
  view.schedule(SAVE)
}

function changeListed({ context, view }: ClusterCommandContext, args: Arguments, change: Change): void {
  const slots: number[] = []
  for (let i = 2; i < args.count; i++) {
    const slot = slotArgument(context.reply, args, i)
    if (slot === undefined) return
    slots.push(slot)
  }
  const chosen = new Set<number>()
  for (const slot of slots) if (!choose(view, context.reply, chosen, change, slot, slot)) return
  changeSlots(view, chosen, change)
  context.reply.ok()
}

function changeRanges({ context, view }: ClusterCommandContext, args: Arguments, change: Change): void {
  const { reply } = context
  if (args.count % 2 === 1) {
    reply.error(wrongArity(change === 'add' ? 'cluster|addslotsrange' : 'cluster|delslotsrange'))
    return
  }
  const chosen = new Set<number>()
  for (let i = 2; i < args.count; i += 2) {
    const start = slotArgument(reply, args, i)
    const end = start === undefined ? undefined : slotArgument(reply, args, i + 1)
    if (start === undefined || end === undefined) return
    if (start > end) {
      reply.error(`ERR start slot number ${start} is greater than end slot number ${end}`)
      return
    }
    if (!choose(view, reply, chosen, change, start, end)) return
  }
  changeSlots(view, chosen, change)
  reply.ok()
}

export const addSlots = (command: ClusterCommandContext, args: Arguments): void => changeListed(command, args, 'add')
export const deleteSlots = (command: ClusterCommandContext, args: Arguments): void =>
  changeListed(command, args, 'delete')
export const addSlotRanges = (command: ClusterCommandContext, args: Arguments): void =>
  changeRanges(command, args, 'add')
export const deleteSlotRanges = (command: ClusterCommandContext, args: Arguments): void =>
  changeRanges(command, args, 'delete')

export function flushSlots({ context, view }: ClusterCommandContext): void {
  if (view.environment.keyCount() > 0) {
    context.reply.error('ERR DB must be empty to perform CLUSTER FLUSHSLOTS.')
    return
  }
  view.releaseSlotsOf(view.myself)
  view.schedule(SAVE)
  context.reply.ok()
}

export function setSlot({ context, view }: ClusterCommandContext, args: Arguments): void {
  const { reply } = context
  if (view.myself.isReplica) {
    reply.error('ERR Please use SETSLOT only with masters.')
    return
  }
  const slot = slotArgument(reply, args, 2)
  if (slot === undefined) return
  const refusal = changeSlot(view, slot, args)
  if (refusal !== undefined) {
    reply.error(refusal)
    return
  }
  view.schedule(SAVE)
  reply.ok()
}

/** The action of SETSLOT; undefined when it was done, otherwise the error. */
function changeSlot(view: ClusterView, slot: number, args: Arguments): string | undefined {
  const withNode = args.count === 5
  if (args.count === 4 && args.is(3, 'stable')) {
    view.importingFrom.delete(slot)
    view.migratingTo.delete(slot)
    return undefined
  }
  if (withNode && args.is(3, 'migrating')) {
    if (view.slots[slot] !== view.myself) return `ERR I'm not the owner of hash slot ${slot}`
    return openSlot(view, view.migratingTo, slot, args)
  }
  if (withNode && args.is(3, 'importing')) {
    if (view.slots[slot] === view.myself) return `ERR I'm already the owner of hash slot ${slot}`
    return openSlot(view, view.importingFrom, slot, args)
  }
  if (withNode && args.is(3, 'node')) {
    const node = view.lookup(args.latin1(4))
    if (node === undefined) return `ERR Unknown node ${args.latin1(4)}`
    return node.isReplica ? 'ERR Target node is not a master' : bindSlot(view, slot, node)
  }
  return 'ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP'
}

function openSlot(
  view: ClusterView,
  states: Map<number, ClusterNode>,
  slot: number,
  args: Arguments,
): string | undefined {
  const node = view.lookup(args.latin1(4))
  if (node === undefined) return `ERR I don't know about node ${args.latin1(4)}`
  if (node.isReplica) return 'ERR Target node is not a master'
  states.set(slot, node)
  return undefined
}

/** SETSLOT NODE: the slot belongs to `node` from now on; ends a migration or an import. */
function bindSlot(view: ClusterView, slot: number, node: ClusterNode): string | undefined {
  const { myself, environment } = view
  const wasMine = view.slots[slot] === myself
  const keys = environment.keyCountInSlot(slot)
  if (wasMine && node !== myself && keys > 0) {
    return `ERR Can't assign hashslot ${slot} to a different node while I still hold keys for this hash slot.`
  }
  if (keys === 0) view.migratingTo.delete(slot)
  view.releaseSlot(slot)
  view.addSlot(node, slot)
  if (wasMine && node !== myself && myself.slotCount === 0 && environment.config['cluster-allow-replica-migration']) {
    environment.log.warning(`Configuration change detected. Reconfiguring myself as a replica of ${node.name}`)
    becomeReplicaOf(view, node)
    view.schedule(SAVE | Scheduled.syncConfig)
  }
  if (node === myself && view.importingFrom.has(slot)) {
    // A new epoch makes the new owner known everywhere, without a vote; a collision would be resolved later.
    if (bumpEpoch(view)) environment.log.warning(`configEpoch updated after importing slot ${slot}`)
    view.importingFrom.delete(slot)
    broadcastPong(view, 'all')
  }
  return undefined
}

export function keySlot({ context }: ClusterCommandContext, args: Arguments): void {
  context.reply.integer(keyHashSlot(args.memory, args.start(2), args.end(2)))
}

export function countKeysInSlot({ context, view }: ClusterCommandContext, args: Arguments): void {
  const slot = numberArgument(context, args, 2)
  if (Number.isNaN(slot)) return
  if (slot < 0 || slot >= SLOT_COUNT) context.reply.error('ERR Invalid slot')
  else context.reply.integer(view.environment.keyCountInSlot(slot))
}

export function getKeysInSlot({ context }: ClusterCommandContext, args: Arguments): void {
  const slot = numberArgument(context, args, 2)
  if (Number.isNaN(slot)) return
  const limit = numberArgument(context, args, 3)
  if (Number.isNaN(limit)) return
  if (slot < 0 || slot >= SLOT_COUNT || limit < 0) {
    context.reply.error('ERR Invalid slot or number of keys')
    return
  }
  const keys = limit === 0 ? [] : context.db.keysInSlot(slot, limit)
  context.reply.array(keys.length)
  for (const key of keys) context.reply.bulk(key)
}

export function slots({ context, view }: ClusterCommandContext): void {
  const { reply } = context
  const ranges = slotRanges(view)
  reply.array(ranges.length)
  for (const { node, start, end } of ranges) {
    const replicas = node.replicas.filter((replica) => isAvailable(view, replica))
    reply.array(3 + replicas.length)
    reply.integer(start)
    reply.integer(end)
    for (const it of [node, ...replicas]) replyEndpoint(view, reply, it)
  }
}

/** A replica that has finished its first synchronisation can serve. */
const isAvailable = (view: ClusterView, replica: ClusterNode): boolean =>
  !replica.isFailed && offsetOf(view, replica) !== 0

const offsetOf = (view: ClusterView, node: ClusterNode): number =>
  node === view.myself ? view.environment.replicationOffset() : node.offset

function replyEndpoint(view: ClusterView, reply: Reply, node: ClusterNode): void {
  const type = view.environment.config['cluster-preferred-endpoint-type']
  reply.array(4)
  if (type === 'unknown-endpoint') reply.nil()
  else reply.latin1(preferredHost(view, node))
  reply.integer(node.port)
  reply.text(node.name)
  // What else is known about where it is.
  const further: [string, string][] = []
  if (type !== 'ip') further.push(['ip', node.ip])
  if (type !== 'hostname' && node.hostname !== '') further.push(['hostname', node.hostname])
  reply.map(further.length)
  for (const [name, value] of further) {
    reply.text(name)
    reply.latin1(value)
  }
}

export function shards({ context, view }: ClusterCommandContext): void {
  const { reply } = context
  const ranges = slotRanges(view)
  const primaries = view.nodes.filter((node) => node.isPrimary)
  reply.array(primaries.length)
  for (const primary of primaries) {
    const own = ranges.filter(({ node }) => node === primary)
    reply.map(2)
    reply.text('slots')
    reply.array(own.length * 2)
    for (const { start, end } of own) {
      reply.integer(start)
      reply.integer(end)
    }
    reply.text('nodes')
    reply.array(1 + primary.replicas.length)
    for (const node of [primary, ...primary.replicas]) replyShardNode(view, reply, node)
  }
}

function replyShardNode(view: ClusterView, reply: Reply, node: ClusterNode): void {
  const tls = view.environment.config['tls-cluster']
  const offset = offsetOf(view, node)
  const health = node.isFailed ? 'fail' : node.isReplica && offset === 0 ? 'loading' : 'online'
  const plainPort = tls ? node.plainPort : node.port
  const fields: [string, string | number][] = [['id', node.name]]
  if (plainPort !== 0) fields.push(['port', plainPort])
  if (tls && node.port !== 0) fields.push(['tls-port', node.port])
  fields.push(['ip', node.ip], ['endpoint', preferredHost(view, node)])
  if (node.hostname !== '') fields.push(['hostname', node.hostname])
  fields.push(['role', node.isReplica ? 'replica' : 'master'], ['replication-offset', offset], ['health', health])
  reply.map(fields.length)
  for (const [name, value] of fields) {
    reply.text(name)
    if (typeof value === 'number') reply.integer(value)
    else reply.latin1(value)
  }
}
