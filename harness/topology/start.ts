/** What a run sees of a topology, whatever its kind, and which kind builds it. */
import type { ReplyValue } from '../../engine/resp/reply-parser.ts'
import type { NodeEvent } from '../history/history.ts'
import type { Address } from '../workload/resp-client.ts'
import type { DiskKind, World, WorldNode } from '../world/world.ts'
import type { AdminClient } from './admin-client.ts'
import { startCluster } from './cluster.ts'
import { startStandalone } from './standalone.ts'
import type { TopologySpec } from './topology.ts'

/** What a node says of itself. */
export type NodeState = Omit<NodeEvent, 'type' | 'atMs' | 'node'>

export interface Topology {
  readonly nodes: readonly WorldNode[]
  readonly admins: readonly AdminClient[]
  /** Slots that a primary owns at the start; undefined where keys have no slots. */
  slotsOf(name: string | undefined): readonly [number, number][] | undefined
  /** Addresses that clients start from. */
  readonly seeds: readonly Address[]
  /** Name of the node that announces `host:port`, or the text itself. */
  readonly nodeName: (address: string) => string
  readonly version: string
  /** What to ask a node for its state, and how often while the experiment runs. */
  readonly questions: readonly (readonly string[])[]
  readonly observeIntervalMs: number
  /** The answers, read; undefined where one is an error. */
  readState(replies: readonly ReplyValue[]): NodeState | undefined
  /** Resolves true when every node agrees with every other and all replicas follow; false at the deadline. */
  settle(timeoutMs: number): Promise<boolean>
  close(): void
}

export interface StartOptions {
  config: Readonly<Record<string, string>>
  world: World
  /** What the disk of a node must be able to do. */
  diskOf(node: string): DiskKind
}

/** Starts all nodes and joins them. Rejects with TOPOLOGY and what is missing when that takes too long. */
export function startTopology(spec: TopologySpec, options: StartOptions): Promise<Topology> {
  return spec.kind === 'cluster' ? startCluster(spec, options) : startStandalone(options)
}
