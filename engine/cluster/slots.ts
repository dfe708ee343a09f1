/**
 * Who serves which slot: the greater config epoch wins. A node that loses its last slot becomes a replica of the
 * winner; a node that loses some deletes the keys in them.
 */
import { SLOT_COUNT } from '../data/crc16.ts'
import { resetManualFailover } from './manual-failover.ts'
import { type ClusterNode, NodeFlag, nextSlot } from './node.ts'
import { type ClusterView, Scheduled } from './view.ts'

const SAVE = Scheduled.saveConfig | Scheduled.updateState | Scheduled.syncConfig

/** A node that was taken for a replica acts as a primary. */
export function setAsPrimary(view: ClusterView, node: ClusterNode): void {
  if (node.isPrimary) return
  if (node.primary !== undefined) {
    node.primary.removeReplica(node)
    if (node !== view.myself) node.flags |= NodeFlag.migrateTo
  }
  node.flags = (node.flags & ~NodeFlag.replica) | NodeFlag.primary
  node.primary = undefined
  view.schedule(Scheduled.saveConfig | Scheduled.updateState)
}

/** Makes this server a replica of `primary`. It must have no slots. */
export function becomeReplicaOf(view: ClusterView, primary: ClusterNode): void {
  const { myself } = view
  if (primary === myself || myself.slotCount > 0)
    throw new Error('a node with slots, or itself, cannot be replicated to')
  if (myself.isPrimary) {
    myself.flags = (myself.flags & ~(NodeFlag.primary | NodeFlag.migrateTo)) | NodeFlag.replica
    view.closeSlots()
  } else {
    myself.primary?.removeReplica(myself)
  }
  myself.primary = primary
  primary.addReplica(myself)
  view.environment.replicaOf(primary.ip, primary.port)
  resetManualFailover(view)
}

/**
 * `owner` claims `claimed` (a slot bitmap) under `configEpoch`, said by itself or in an UPDATE. Slots that are free or
 * held under a smaller epoch go to it, except those that this node is importing: these only an operator moves.
 */
export function claimSlots(view: ClusterView, owner: ClusterNode, configEpoch: number, claimed: Uint8Array): void {
  const { myself, environment } = view
  if (owner === myself) {
    environment.log.warning('Discarding UPDATE message about myself.')
    return
  }
  const myPrimary = myself.isPrimary ? myself : myself.primary
  const lostWithKeys: number[] = []
  let ownerSlots = 0
  let takenFromMyShard = 0
  for (let slot = nextSlot(claimed, 0); slot < SLOT_COUNT; slot = nextSlot(claimed, slot + 1)) {
    ownerSlots++
    const holder = view.slots[slot]
    if (holder === owner || view.importingFrom.has(slot)) continue
    if (holder !== undefined && holder.configEpoch >= configEpoch) continue
    if (holder === myself && environment.keyCountInSlot(slot) > 0) lostWithKeys.push(slot)
    if (holder !== undefined && holder === myPrimary) takenFromMyShard++
    view.releaseSlot(slot)
    view.addSlot(owner, slot)
    view.schedule(SAVE)
  }

  const primaryLeftEmpty = takenFromMyShard > 0 && myPrimary?.slotCount === 0
  const mayFollow = environment.config['cluster-allow-replica-migration'] || ownerSlots === takenFromMyShard
  const grandPrimary = myself.primary?.primary
  if (primaryLeftEmpty && mayFollow) {
    environment.log.warning(`Configuration change detected. Reconfiguring myself as a replica of ${owner.name}`)
    becomeReplicaOf(view, owner)
    view.schedule(SAVE)
  } else if (grandPrimary !== undefined && grandPrimary !== myself) {
    // A chain of replicas: without this step nothing else would ever shorten it. Old gossip can make this node a
    // replica of its own replica for a moment: nothing to follow then.
    environment.log.warning(`I'm a sub-replica! Reconfiguring myself as a replica of grandmaster ${grandPrimary.name}`)
    becomeReplicaOf(view, grandPrimary)
    view.schedule(SAVE)
  } else {
    for (const slot of lostWithKeys) environment.deleteKeysInSlot(slot)
  }
}

export interface SlotRange {
  node: ClusterNode
  start: number
  end: number
}

const rangesByView = new WeakMap<ClusterView, { version: number; ranges: readonly SlotRange[] }>()

/** Ranges of consecutive slots by owner, ascending. Cheap while no slot has moved. */
export function slotRanges(view: ClusterView): readonly SlotRange[] {
  const known = rangesByView.get(view)
  if (known?.version === view.slotsVersion) return known.ranges
  const ranges = findRanges(view)
  rangesByView.set(view, { version: view.slotsVersion, ranges })
  return ranges
}

function findRanges(view: ClusterView): SlotRange[] {
  const ranges: SlotRange[] = []
  let last: SlotRange | undefined
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const node = view.slots[slot]
    if (node === undefined) last = undefined
    else if (last?.node === node) last.end = slot
    else {
      last = { node, start: slot, end: slot }
      ranges.push(last)
    }
  }
  return ranges
}

/**
 * After start: keys in slots that the configuration does not give to this node. Free slots it takes; those of others
 * it marks as importing, so that redis-cli can see and repair it. False: there are keys outside database 0.
 */
export function adoptSlotsWithKeys(view: ClusterView): void {
  const { myself, environment } = view
  if (myself.isReplica) return
  let changed = false
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const holder = view.slots[slot]
    if (holder === myself || view.importingFrom.has(slot) || environment.keyCountInSlot(slot) === 0) continue
    changed = true
    if (holder === undefined) {
      environment.log.warning(`I have keys for unassigned slot ${slot}. Taking responsibility for it.`)
      view.addSlot(myself, slot)
    } else {
      environment.log.warning(
        `I have keys for slot ${slot}, but the slot is assigned to another node. Setting it to importing state.`,
      )
      view.importingFrom.set(slot, holder)
    }
  }
  if (changed) environment.saveConfig(true)
}
