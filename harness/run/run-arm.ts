/**
 * One arm, from an empty world to a complete history: start, fill, load with faults, heal, settle, read everything.
 */
import type { Machines } from '../fault/fault.ts'
import type { Recorder } from '../history/history.ts'
import { evaluate, evaluateMs, type Facts } from '../predict/quantity.ts'
import type { Scenario, TimelineStep } from '../scenario.ts'
import { startTopology, type Topology } from '../topology/start.ts'
import { nodeNames } from '../topology/topology.ts'
import { loadDataSet } from '../workload/data-set.ts'
import { type Generator, startGenerator } from '../workload/generator.ts'
import { clientsByGroup, type WriterGroup } from '../workload/workload.ts'
import type { World, WorldNode } from '../world/world.ts'
import { type ActionContext, perform } from './actions.ts'
import { type ArmPlan, diskOf, planOf } from './arm-plan.ts'
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
  const { scenario, arm, world, facts, recorder, onPhase } = options
  const plan = planOf(scenario, arm)
  recordHeader(options)
  const names = nodeNames(scenario.topology)
  onPhase('starting', names.length === 1 ? 'starting the server' : `starting ${names.length} nodes`)
  const topology = await startTopology(scenario.topology, {
    config: facts.settings,
    world,
    diskOf: (node) => diskOf(plan, node),
  })
  try {
    const machines: Machines = { nodes: names, clientsByGroup: clientsByGroup(plan.workload) }
    // What happens before the workload has the time 0.
    let zeroMs = Number.POSITIVE_INFINITY
    const nowMs = (): number => Math.max(0, Math.round((world.nowMs() - zeroMs) * 1000) / 1000)
    const context: ActionContext = { world, topology, machines, facts, recorder, nowMs, onPhase }
    await prepare(options, plan, context)
    const generator = startGenerator(plan.workload, world, {
      seeds: topology.seeds,
      slots: topology.slotsOf('shardOf' in plan.workload ? plan.workload.shardOf : undefined),
      nodeName: topology.nodeName,
      node: topology.nodes[0] as WorldNode,
      durationMs: evaluateMs(scenario.duration, facts),
      recorder,
      zeroMs: () => zeroMs,
    })
    try {
      await generator.ready
      zeroMs = world.nowMs()
      const observer = new Observer(world, topology, recorder, zeroMs)
      observer.start()
      await load(options, plan, generator, context)
      onPhase('settling', 'waiting until the topology has settled')
      const settled = await topology.settle(evaluateMs(scenario.settle, facts))
      for (const action of plan.afterwards) await perform(action, context)
      await observer.stop()
      onPhase('reading', 'reading what every node holds')
      await recordContents(world, topology, recorder, zeroMs)
      const atMs = Math.round(world.nowMs() - zeroMs)
      const wait = world.processorWait()
      const processorWait = wait === null ? {} : { processorWait: Math.round(wait * 1000) / 1000 }
      recorder.record({ type: 'end', atMs, settled, lateOperations: generator.late, ...processorWait })
      return describeNodes(topology)
    } finally {
      generator.close()
    }
  } finally {
    topology.close()
  }
}

function recordHeader({ scenario, arm, world, target, seed, recorder }: ArmOptions): void {
  const { workload } = planOf(scenario, arm)
  const groups = Object.fromEntries(
    Object.entries<WriterGroup>(workload.groups).map(([name, { label }]) => [name, label]),
  )
  const header = { type: 'header' as const, version: 1 as const, scenario: scenario.name, arm }
  recorder.record({ ...header, world: world.kind, target, seed, groups, workload: workload.kind })
}

/** Loads the data set and does what comes before the workload. */
async function prepare(
  { scenario, facts, world, onPhase }: ArmOptions,
  plan: ArmPlan,
  context: ActionContext,
): Promise<void> {
  const { data } = scenario
  if (data !== undefined) {
    const keys = Math.round(evaluate(data.keys, facts).high)
    onPhase('loading', `loading ${keys.toLocaleString('en-US')} keys of ${data.valueBytes} bytes`)
    for (const node of context.topology.nodes) await loadDataSet(world, node, keys, data.valueBytes)
  }
  // Actions measure durations on the world's own clock, since the history's has not begun.
  const clock = { ...context, nowMs: () => world.nowMs() }
  for (const action of plan.before) await perform(action, atZero(clock))
}

/** Records everything at the time 0. */
function atZero(context: ActionContext): ActionContext {
  const record: Recorder['record'] = (event) => context.recorder.record('atMs' in event ? { ...event, atMs: 0 } : event)
  return { ...context, recorder: { record } }
}

/** The workload with its timeline; resolves when both are over. */
async function load(
  { scenario, facts, world, onPhase }: ArmOptions,
  plan: ArmPlan,
  generator: Generator,
  context: ActionContext,
): Promise<void> {
  const durationMs = evaluateMs(scenario.duration, facts)
  onPhase('loading', `writing for ${(durationMs / 1000).toFixed(0)} s`)
  generator.start()
  const play = async ({ at, action }: TimelineStep): Promise<void> => {
    await world.sleep(evaluateMs(at, facts))
    await perform(action, context)
  }
  await Promise.all([world.sleep(durationMs), ...plan.timeline.map(play)])
  await generator.stop()
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
