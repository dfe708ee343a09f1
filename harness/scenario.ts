/**
 * The whole public API that a scenario file imports.
 *
 * A scenario is data: topology, arms (the same experiment under different settings), workload, a timeline of faults,
 * predictions and checks. No loops, no sleeps, no callbacks: it can be printed, drawn, replayed and shrunk, and it runs
 * unchanged in every world.
 *
 * The course of one arm: start the topology, load the data set, do `before` in order, run the workload with the
 * timeline, let it settle, do `afterwards` in order, read what every node holds.
 */
import type { CheckSpec } from './check/check.ts'
import type { FaultSpec } from './fault/fault.ts'
import type { Quantity } from './predict/quantity.ts'
import type { TopologySpec } from './topology/topology.ts'
import type { DataSetSpec } from './workload/data-set.ts'
import type { WorkloadSpec } from './workload/workload.ts'
import type { WorldKind } from './world/world.ts'

export {
  lossesAreNewest,
  noTwoPrimariesInOneEpoch,
  onlyExplainedLosses,
  recoversWithin,
  replicasConverge,
  sameAnswers,
} from './check/check.ts'
export { clients, delay, disk, kill, node, partition, pause, powerCut } from './fault/fault.ts'
export {
  between,
  count,
  greatest,
  least,
  less,
  measured,
  named,
  parameter,
  product,
  rate,
  scaled,
  seconds,
  setting,
  sum,
  when,
} from './predict/quantity.ts'
export { cluster, standalone } from './topology/topology.ts'
export { dataSet } from './workload/data-set.ts'
export { overwrites, saturation, shop, transactions, uniqueWrites } from './workload/workload.ts'

export interface Scenario {
  /** `<theme>/<name>`, the same as its file's path below `scenarios/`. */
  name: string
  title: string
  /** The sentence that people rely on, and that is put to the test. */
  claim: string
  /** Where it can run; both unless told. */
  worlds?: readonly WorldKind[]
  /** `both`: engine and redis-server in turn, unless the user says otherwise; the engine alone unless given. */
  target?: 'both'
  topology: TopologySpec
  arms: Readonly<Record<string, Arm>>
  /** What the server holds before anything else happens. */
  data?: DataSetSpec
  workload: WorkloadSpec
  before?: readonly Action[]
  timeline: readonly TimelineStep[]
  afterwards?: readonly Action[]
  /** How long the workload runs. */
  duration: Quantity
  /** How long the topology may take to settle after the workload. */
  settle: Quantity
  /** By measure (`lostWrites`, `outageMs`, …). Times are given as seconds here and compared in the measure's unit. */
  predict: Readonly<Record<string, PredictionSpec>>
  /**
   * By measure: the engine's value over redis-server's, with `--target both`. The measure is called `<measure>Ratio`.
   */
  sideBySide?: Readonly<Record<string, PredictionSpec>>
  /** Without these the run says nothing: its verdict is `unknown`. */
  require?: readonly Requirement[]
  /** What must hold between arms. */
  compare: readonly Comparison[]
  checks: readonly CheckSpec[]
  /** A figure that people expect, told for every arm beside its verdict. */
  goal?: GoalSpec
  /** Measures over a parameter of the arms, drawn as lines. */
  curves?: readonly CurveSpec[]
  /**
   * What follows for a user's own configuration, one sentence each. `{arm.measure}` is replaced by the measured value,
   * `{setting}` by the arms' common setting.
   */
  advice: readonly string[]
}

/**
 * The figure counts as reached when `measure` is at least so much. Where it is not, `capacity` tells whether server or
 * machine fell short: what the server does in a second of CPU time.
 */
export interface GoalSpec {
  label: string
  measure: string
  capacity: string
  atLeast: number
}

export interface CurveSpec {
  title: string
  measure: string
  /** The parameter of the arms on the horizontal axis. */
  over: string
  /** Arms by the label of their line. */
  lines: Readonly<Record<string, readonly string[]>>
}

export interface Arm {
  title: string
  config: Readonly<Record<string, string>>
  /** Runs only when it is named, or with `--arm all`. */
  optional?: true
  /** In place of the scenario's. */
  workload?: WorkloadSpec
  /** Numbers of the arm beside the servers' settings; `parameter(name)` refers to them. */
  parameters?: Readonly<Record<string, number>>
  /** In place of the scenario's. */
  before?: readonly Action[]
  timeline?: readonly TimelineStep[]
  afterwards?: readonly Action[]
  /** Added to the scenario's, in place of those for the same measure. */
  predict?: Readonly<Record<string, PredictionSpec>>
  /** In place of the scenario's. */
  checks?: readonly CheckSpec[]
}

export interface PredictionSpec {
  label: string
  unit: Unit
  value: Quantity
  source: string
}

export type Unit = 'writes' | 'ms' | 'ratio' | 'ops/s' | 'bytes' | 'keys' | 'times' | 'µs'

export interface Requirement {
  measure: string
  /** In the measure's unit; times in seconds. */
  atMost?: Quantity
  atLeast?: Quantity
  /** Why the run says nothing otherwise. */
  because: string
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
  /** The other arm's value is multiplied by it first; 1 unless given. */
  factor?: number
}

/** Something that the run does, and waits for. */
export type Action = CommandAction | GrowthAction | IncrementAction | ReadAction | FilesAction | FaultAction

/** An administrative command to a node. */
export interface CommandAction {
  kind: 'command'
  node: string
  words: readonly string[]
  /** The INFO field that is 0 when what the command began is over, such as `rdb_bgsave_in_progress`. */
  until?: string
  /** Becomes a measure: how long it took, until over. */
  measure?: string
}

/**
 * Grows an aggregate step by step and finds the step at which its encoding changes (`changesAt`, 0: never); then
 * compares the sizes on both sides of it (`memoryRatio`, above over below; `readRatio`, CPU time of a read below over
 * above). In the words, `__key__` is the key, `__n__` the step and `__text__` so many characters.
 */
export interface GrowthAction {
  kind: 'growth'
  node: string
  words: readonly string[]
  /** What is read for the comparison; `__n__` is the last step. */
  read: readonly string[]
  steps: number
}

/** INCR of so many keys, each so many times. The keys are called `counter:000001` and so on: 14 bytes. */
export interface IncrementAction {
  kind: 'increment'
  node: string
  keys: Quantity
  times: number
}

/** Numbers of a node's INFO become measures. */
export interface ReadAction {
  kind: 'read'
  node: string
  /** Measure by INFO field. */
  fields: Readonly<Record<string, string>>
}

/** The size of a node's files becomes a measure. */
export interface FilesAction {
  kind: 'files'
  node: string
  measure: string
  /** A file or folder in the node's directory. */
  path: string
}

/** A fault by itself, outside the timeline. */
export interface FaultAction {
  kind: 'fault'
  fault: FaultSpec
  lasts: Quantity
}

export interface TimelineStep {
  /** Since the workload began. */
  at: Quantity
  action: Action
}

/** `at(seconds(2), partition(…), seconds(8))`: a fault begins at a time and is undone after another. */
export function at(time: Quantity, fault: FaultSpec, lasts: Quantity): TimelineStep
/** `at(seconds(2), command('server', ['BGSAVE']))`. */
export function at(time: Quantity, action: Action): TimelineStep
export function at(time: Quantity, what: FaultSpec | Action, lasts?: Quantity): TimelineStep {
  if (lasts !== undefined) return { at: time, action: { kind: 'fault', fault: what as FaultSpec, lasts } }
  return { at: time, action: what as Action }
}

/** `during(kill('server'), seconds(0.2))`: a fault as an action, undone after a time. */
export function during(fault: FaultSpec, lasts: Quantity): FaultAction {
  return { kind: 'fault', fault, lasts }
}

export function command(
  node: string,
  words: readonly string[],
  options: Pick<CommandAction, 'until' | 'measure'> = {},
): CommandAction {
  return { kind: 'command', node, words, ...options }
}

export function growth(node: string, steps: number, words: readonly string[], read: readonly string[]): GrowthAction {
  return { kind: 'growth', node, words, read, steps }
}

export function increment(node: string, keys: Quantity, times: number): IncrementAction {
  return { kind: 'increment', node, keys, times }
}

export function read(node: string, fields: Readonly<Record<string, string>>): ReadAction {
  return { kind: 'read', node, fields }
}

export function files(node: string, measure: string, path: string): FilesAction {
  return { kind: 'files', node, measure, path }
}

/** Identity with a type: the default export of a scenario file. */
export function scenario(definition: Scenario): Scenario {
  return definition
}
