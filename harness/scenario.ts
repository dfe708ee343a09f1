/**
 * The whole public API that a scenario file imports.
 *
 * A scenario is data: topology, arms (the same experiment under different settings), workload, a timeline of faults,
 * predictions and checks. No loops, no sleeps, no callbacks: it can be printed, drawn, replayed and shrunk, and it runs
 * unchanged in every world.
 */
import type { CheckSpec } from './check/check.ts'
import type { FaultSpec } from './fault/fault.ts'
import type { Quantity } from './predict/quantity.ts'
import type { TopologySpec } from './topology/topology.ts'
import type { WorkloadSpec } from './workload/workload.ts'

export { noTwoPrimariesInOneEpoch, onlyExplainedLosses, recoversWithin, replicasConverge } from './check/check.ts'
export { clients, node, partition } from './fault/fault.ts'
export {
  between,
  count,
  least,
  less,
  named,
  product,
  rate,
  scaled,
  seconds,
  setting,
  sum,
  when,
} from './predict/quantity.ts'
export { cluster } from './topology/topology.ts'
export { uniqueWrites } from './workload/workload.ts'

export interface Scenario {
  /** `<theme>/<name>`, the same as its file's path below `scenarios/`. */
  name: string
  title: string
  /** The sentence that people rely on, and that is put to the test. */
  claim: string
  topology: TopologySpec
  arms: Readonly<Record<string, Arm>>
  workload: WorkloadSpec
  timeline: readonly TimelineStep[]
  /** How long the workload runs. */
  duration: Quantity
  /** How long the topology may take to settle after the workload. */
  settle: Quantity
  /** By measure (`lostWrites`, `outageMs`, …). Times are given as seconds here and compared in the measure's unit. */
  predict: Readonly<Record<string, PredictionSpec>>
  /** What must hold between arms. */
  compare: readonly Comparison[]
  checks: readonly CheckSpec[]
  /**
   * What follows for a user's own configuration, one sentence each. `{arm.measure}` is replaced by the measured value,
   * `{setting}` by the arms' common setting.
   */
  advice: readonly string[]
}

export interface Arm {
  title: string
  config: Readonly<Record<string, string>>
}

export interface PredictionSpec {
  label: string
  unit: 'writes' | 'ms'
  value: Quantity
  source: string
}

export interface Comparison {
  measure: string
  arm: string
  relation: 'less than' | 'not less than'
  than: string
  /**
   * Share of the other arm's value by which `not less than` may fall short, because both are draws from one
   * distribution; 0 unless given.
   */
  tolerance?: number
}

export interface TimelineStep {
  /** Since the workload began. */
  at: Quantity
  fault: FaultSpec
  lasts: Quantity
}

/** `at(seconds(2), partition(…), seconds(8))`: a fault begins at a time and is undone after another. */
export function at(time: Quantity, fault: FaultSpec, lasts: Quantity): TimelineStep {
  return { at: time, fault, lasts }
}

/** Identity with a type: the default export of a scenario file. */
export function scenario(definition: Scenario): Scenario {
  return definition
}
