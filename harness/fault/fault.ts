/**
 * Faults as data, and how each is set in a world. `start` returns its own undo; the runner keeps the order.
 */
import type { ActiveFault, Capability, DirectedLink, World } from '../world/world.ts'

/** Names one machine or a group: a node by its name in the topology, or a group of clients. */
export type Selector = { kind: 'node'; name: string } | { kind: 'clients'; group: string }

export type FaultSpec = PartitionSpec

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

/** The machines of a run: names of nodes, and of clients by group. */
export interface Machines {
  nodes: readonly string[]
  clientsByGroup: Readonly<Record<string, readonly string[]>>
}

export function capabilitiesNeeded(fault: FaultSpec): Capability[] {
  switch (fault.kind) {
    case 'partition':
      return ['network']
  }
}

export function describeFault(fault: FaultSpec, machines: Machines): string {
  switch (fault.kind) {
    case 'partition':
      return `${select(fault.minority, machines).join(', ')} cut off from all others`
  }
}

/** The machines on the small side; empty for faults that have no sides. */
export function minorityOf(fault: FaultSpec, machines: Machines): string[] {
  return select(fault.minority, machines)
}

export function startFault(fault: FaultSpec, machines: Machines, world: World): Promise<ActiveFault> {
  switch (fault.kind) {
    case 'partition': {
      const minority = select(fault.minority, machines)
      const everybody = [...machines.nodes, ...Object.values(machines.clientsByGroup).flat()]
      const majority = everybody.filter((name) => !minority.includes(name))
      const nodes = new Set(machines.nodes)
      return world.cut(linksBetween(minority, majority, nodes))
    }
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
