/** One arm of a scenario with its own parts put in: what exactly is done, and what it needs of world and target. */
import { capabilityNeeded, diskNeeded, type FaultSpec } from '../fault/fault.ts'
import type { Action, PredictionSpec, Scenario, TimelineStep } from '../scenario.ts'
import { clientNames, type WorkloadSpec } from '../workload/workload.ts'
import type { Capability, DiskKind } from '../world/world.ts'

export interface ArmPlan {
  workload: WorkloadSpec
  before: readonly Action[]
  timeline: readonly TimelineStep[]
  afterwards: readonly Action[]
  predict: Readonly<Record<string, PredictionSpec>>
}

export function planOf(scenario: Scenario, arm: string): ArmPlan {
  const definition = scenario.arms[arm]
  if (definition === undefined) throw new Error(`scenario ${scenario.name} has no arm ${arm}`)
  return {
    workload: definition.workload ?? scenario.workload,
    before: definition.before ?? scenario.before ?? [],
    timeline: definition.timeline ?? scenario.timeline,
    afterwards: definition.afterwards ?? scenario.afterwards ?? [],
    predict: { ...scenario.predict, ...definition.predict },
  }
}

/** Machines of clients that any arm needs. */
export function clientsOf(scenario: Scenario): string[] {
  return [...new Set(Object.keys(scenario.arms).flatMap((arm) => clientNames(planOf(scenario, arm).workload)))]
}

function faultsOf({ before, timeline, afterwards }: ArmPlan): FaultSpec[] {
  const actions = [...before, ...timeline.map(({ action }) => action), ...afterwards]
  return actions.flatMap((action) => (action.kind === 'fault' ? [action.fault] : []))
}

export function diskOf(plan: ArmPlan, node: string): DiskKind {
  return diskNeeded(faultsOf(plan), node)
}

const LACKS: Readonly<Record<Capability, string>> = {
  network: 'links between machines that can be cut',
  process: 'servers that can be killed and paused',
  power: 'a power cut: its disk cannot lose what was not synced',
  disk: 'a disk that can be slow, full or failing',
}

/** Why an arm cannot run there, as a sentence; undefined: it can. */
export function whyNotRunnable(
  scenario: Scenario,
  arm: string,
  target: string,
  capabilities: ReadonlySet<Capability>,
): string | undefined {
  for (const fault of faultsOf(planOf(scenario, arm))) {
    const needed = capabilityNeeded(fault)
    if (!capabilities.has(needed))
      return `${target === 'redis' ? 'redis-server' : 'The engine'} lacks ${LACKS[needed]}.`
  }
  return undefined
}
