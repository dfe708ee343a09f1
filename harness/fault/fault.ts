/**
 * Faults as data, and how each is set in a world. `start` returns its own undo; the runner keeps the order.
 */
import type { ActiveFault, Capability, DirectedLink, DiskFault, DiskKind, World } from '../world/world.ts'

/** Names one machine or a group: a node by its name in the topology, or a group of clients. */
export type Selector = { kind: 'node'; name: string } | { kind: 'clients'; group: string }

export type FaultSpec = PartitionSpec | DelaySpec | ProcessFaultSpec | DiskFaultSpec

/** Something happens to one node's process or machine; it is back, on the same disk, when the fault ends. */
export interface ProcessFaultSpec {
  kind: 'kill' | 'pause' | 'power-cut'
  node: string
}

/** One node's disk is slow, full or failing. */
export interface DiskFaultSpec extends DiskFault {
  kind: 'disk'
  node: string
}

/** Everything that is sent to a node takes so much longer on its way, and so does every round trip. */
export interface DelaySpec {
  kind: 'delay'
  node: string
  delayMs: number
}

/** Cuts every link between `minority` and everybody else, in both directions. */
export interface PartitionSpec {
  kind: 'partition'
  minority: readonly Selector[]
}

/** A node by its name in the topology, such as `primary-1` or `replica-1`. */
export function node(name: string): Selector {
  return { kind: 'node', name }
}

/** All clients of a group of the workload. */
export function clients(group: string): Selector {
  return { kind: 'clients', group }
}

export function partition(sides: { minority: readonly Selector[] }): PartitionSpec {
  return { kind: 'partition', minority: sides.minority }
}

/** `delay('server', 10)`: every round trip to the node takes 10 ms longer. */
export function delay(node: string, delayMs: number): DelaySpec {
  return { kind: 'delay', node, delayMs }
}

/** SIGKILL: memory is gone, and what was written to the page cache is not. */
export function kill(node: string): ProcessFaultSpec {
  return { kind: 'kill', node }
}

/** SIGSTOP and, at the end, SIGCONT. */
export function pause(node: string): ProcessFaultSpec {
  return { kind: 'pause', node }
}

/** The machine is dead at once: memory and everything that was not synced are gone. */
export function powerCut(node: string): ProcessFaultSpec {
  return { kind: 'power-cut', node }
}

/** `disk('server', { syncDelayMs: 1500 })`: every fsync takes so much longer. */
export function disk(node: string, fault: DiskFault): DiskFaultSpec {
  return { kind: 'disk', node, ...fault }
}

/** The machines of a run: names of nodes, and of clients by group. */
export interface Machines {
  nodes: readonly string[]
  clientsByGroup: Readonly<Record<string, readonly string[]>>
}

const NEEDS: Readonly<Record<FaultSpec['kind'], Capability>> = {
  partition: 'network',
  delay: 'network',
  kill: 'process',
  pause: 'process',
  'power-cut': 'power',
  disk: 'disk',
}

export function capabilityNeeded(fault: FaultSpec): Capability {
  return NEEDS[fault.kind]
}

/** What the disk of a node must be able to do for these faults. */
export function diskNeeded(faults: readonly FaultSpec[], node: string): DiskKind {
  const kinds = faults.flatMap((fault) => (fault.kind !== 'partition' && fault.node === node ? [fault.kind] : []))
  if (kinds.includes('power-cut')) return 'held-back'
  return kinds.includes('disk') ? 'faulty' : 'plain'
}

export function describeFault(fault: FaultSpec, machines: Machines): string {
  switch (fault.kind) {
    case 'partition':
      return `${select(fault.minority, machines).join(', ')} cut off from all others`
    case 'kill':
      return `${fault.node} killed (SIGKILL)`
    case 'pause':
      return `${fault.node} paused (SIGSTOP)`
    case 'power-cut':
      return `${fault.node} loses its power`
    case 'delay':
      return `everything sent to ${fault.node} takes ${fault.delayMs} ms longer`
    case 'disk':
      return `the disk of ${fault.node} is ${describeDisk(fault)}`
  }
}

function describeDisk({ syncDelayMs, full, failing }: DiskFault): string {
  const parts: string[] = []
  if (syncDelayMs !== undefined) parts.push(`slow (every sync takes ${syncDelayMs} ms longer)`)
  if (full === true) parts.push('full')
  if (failing !== undefined) parts.push(`failing (${failing.join(', ')})`)
  return parts.join(' and ')
}

/** The machines on the small side; empty for faults that have no sides. */
export function minorityOf(fault: FaultSpec, machines: Machines): string[] {
  return fault.kind === 'partition' ? select(fault.minority, machines) : []
}

export async function startFault(fault: FaultSpec, machines: Machines, world: World): Promise<ActiveFault> {
  if (fault.kind !== 'partition') select([node(fault.node)], machines)
  switch (fault.kind) {
    case 'partition': {
      const minority = select(fault.minority, machines)
      const everybody = [...machines.nodes, ...Object.values(machines.clientsByGroup).flat()]
      const majority = everybody.filter((name) => !minority.includes(name))
      const nodes = new Set(machines.nodes)
      return world.cut(linksBetween(minority, majority, nodes))
    }
    case 'kill':
      return world.kill(fault.node)
    case 'pause':
      return world.pause(fault.node)
    case 'power-cut':
      return world.powerCut(fault.node)
    case 'delay':
      return world.delay(fault.node, fault.delayMs)
    case 'disk':
      return world.impairDisk(fault.node, fault)
  }
}

/** Both directions of every pair across; two clients never talk to each other. */
function linksBetween(one: string[], other: string[], nodes: ReadonlySet<string>): DirectedLink[] {
  const pairs = one.flatMap((a) => other.map((b) => [a, b] as const)).filter(([a, b]) => nodes.has(a) || nodes.has(b))
  return pairs.flatMap(([a, b]) => [
    { from: a, to: b },
    { from: b, to: a },
  ])
}

/** Throws a sentence when a selector names nothing: a mistake in the scenario. */
function select(selectors: readonly Selector[], machines: Machines): string[] {
  return selectors.flatMap((selector) => {
    if (selector.kind === 'node') {
      if (!machines.nodes.includes(selector.name)) {
        throw new Error(
          `the fault names the node '${selector.name}', but the topology has ${machines.nodes.join(', ')}`,
        )
      }
      return [selector.name]
    }
    const group = machines.clientsByGroup[selector.group]
    if (group === undefined)
      throw new Error(`the fault names the client group '${selector.group}', which the workload lacks`)
    return [...group]
  })
}
