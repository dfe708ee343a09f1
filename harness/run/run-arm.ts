/**
 * One arm, from an empty world to a complete history: start, load, faults, heal, settle, read everything.
 */
import { describeFault, type Machines, minorityOf, startFault } from '../fault/fault.ts'
import type { Recorder } from '../history/history.ts'
import { evaluateMs, type Facts } from '../predict/quantity.ts'
import type { Scenario, TimelineStep } from '../scenario.ts'
import { startCluster, type Topology } from '../topology/cluster.ts'
import { startUniqueWrites } from '../workload/unique-writes.ts'
import { clientsByGroup } from '../workload/workload.ts'
import type { World } from '../world/world.ts'
import { recordContents } from './audit.ts'
import { Observer } from './observer.ts'
import type { NodeIdentity } from './series.ts'

/** What is known of the nodes beside the history. */
export interface ArmRun {
  nodes: (NodeIdentity & { configuration: Readonly<Record<string, string>> })[]
  version: string
}

export type ArmPhase = 'starting' | 'loading' | 'fault' | 'settling' | 'reading'

export interface ArmOptions {
  scenario: Scenario
  arm: string
  target: string
  seed: number
  /** Effective settings of the nodes. */
  facts: Facts
  world: World
  recorder: Recorder
  onPhase(phase: ArmPhase, text: string): void
}

/** Rejects with a `HarnessError` when the topology cannot be built. The caller closes the world. */
export async function runArm(options: ArmOptions): Promise<ArmRun> {
  const { scenario, world, facts, recorder, onPhase } = options
  recordHeader(options)
  onPhase('starting', `starting ${scenario.topology.primaries * (1 + scenario.topology.replicasPerPrimary)} nodes`)
  const topology = await startCluster(scenario.topology, facts.settings, world)
  try {
    const machines: Machines = {
      nodes: topology.nodes.map((node) => node.name),
      clientsByGroup: clientsByGroup(scenario.workload),
    }
    let zeroMs = world.nowMs()
    const generator = startUniqueWrites(scenario.workload, world, {
      seeds: topology.seeds,
      slots: topology.slotsOf(scenario.workload.shardOf),
      nodeName: topology.nodeName,
      recorder,
      zeroMs: () => zeroMs,
    })
    try {
      await generator.ready
      zeroMs = world.nowMs()
      const observer = new Observer(world, topology, recorder, zeroMs)
      observer.start()
      const durationMs = evaluateMs(scenario.duration, facts)
      onPhase('loading', `writing for ${(durationMs / 1000).toFixed(0)} s`)
      generator.start()
      const steps = scenario.timeline.map((step) => playStep(step, options, machines, zeroMs))
      await Promise.all([world.sleep(durationMs), ...steps])
      await generator.stop()
      onPhase('settling', 'waiting until the topology has settled')
      const settled = await topology.settle(evaluateMs(scenario.settle, facts))
      await observer.stop()
      onPhase('reading', 'reading what every node holds')
      await recordContents(world, topology, recorder, zeroMs)
      const atMs = Math.round(world.nowMs() - zeroMs)
      recorder.record({ type: 'end', atMs, settled, lateOperations: generator.late })
      return describeNodes(topology)
    } finally {
      generator.close()
    }
  } finally {
    topology.close()
  }
}

function recordHeader({ scenario, arm, world, target, seed, recorder }: ArmOptions): void {
  const groups = Object.fromEntries(Object.entries(scenario.workload.groups).map(([name, { label }]) => [name, label]))
  recorder.record({ type: 'header', version: 1, scenario: scenario.name, arm, world: world.kind, target, seed, groups })
}

async function playStep(
  step: TimelineStep,
  { world, facts, recorder, onPhase }: ArmOptions,
  machines: Machines,
  zeroMs: number,
): Promise<void> {
  const sinceZeroMs = (): number => Math.round((world.nowMs() - zeroMs) * 1000) / 1000
  await world.sleep(evaluateMs(step.at, facts))
  const description = describeFault(step.fault, machines)
  const event = {
    type: 'fault' as const,
    name: step.fault.kind,
    description,
    minority: minorityOf(step.fault, machines),
  }
  const lastsMs = evaluateMs(step.lasts, facts)
  onPhase('fault', `${description}, for ${(lastsMs / 1000).toFixed(1)} s`)
  recorder.record({ ...event, state: 'start', atMs: sinceZeroMs(), tookHold: '' })
  const fault = await startFault(step.fault, machines, world)
  try {
    await world.sleep(lastsMs)
  } finally {
    const tookHold = await fault.tookHold()
    await fault.undo()
    recorder.record({ ...event, state: 'end', atMs: sinceZeroMs(), tookHold })
  }
  onPhase('loading', 'healed')
}

function describeNodes(topology: Topology): ArmRun {
  const { version } = topology
  return {
    version,
    nodes: topology.nodes.map(({ name, host, port, configuration }) => ({
      name,
      address: `${host}:${port}`,
      version,
      configuration,
    })),
  }
}
