/** A whole run: every arm in a world of its own, then one result. */
import { cpus, platform, release } from 'node:os'
import { type ArmResult, RESULT_VERSION, type Result } from '../../reports/result.ts'
import { HarnessError, interrupted } from '../errors.ts'
import { History, type HistoryEvent, type Recorder } from '../history/history.ts'
import { FileRecorder } from '../history/history-file.ts'
import type { Facts } from '../predict/quantity.ts'
import type { Scenario } from '../scenario.ts'
import type { WriterGroup } from '../workload/workload.ts'
import type { World, WorldKind } from '../world/world.ts'
import { planOf } from './arm-plan.ts'
import { goalsOf } from './goals.ts'
import { fillAdvice, judgeArm, runVerdict } from './judge.ts'
import { describeMeasure } from './measure-names.ts'
import { type ArmPhase, runArm } from './run-arm.ts'
import { curvesOf, sideBySide } from './side-by-side.ts'

/** One arm on one target. */
export interface ArmJob {
  arm: string
  target: string
}

export interface RunOptions {
  scenario: Scenario
  /** What to run, in the order in which it is reported. */
  jobs: readonly ArmJob[]
  /** Arms that were asked for and cannot run there. */
  notRun: Result['notRun']
  world: WorldKind
  target: string
  seed: number
  /** The user's own settings: they win over the scenario's, arms' settings win over them. */
  settings: Readonly<Record<string, string>>
  /** Version of Faultline. */
  version: string
  /** The command that replays this run. */
  command: string
  /** Runs one arm: here (`runOneArm`), or on a worker thread. */
  runArm(job: ArmJob): Promise<ArmOutcome>
  /** Simulated arms do not disturb each other; real ones would. */
  concurrent: boolean
  signal: AbortSignal
}

export interface ArmOutcome {
  result: ArmResult
  /** Version of the server that it ran on. */
  version: string
}

/** Rejects with `HarnessError` (missing capability, topology that cannot be built, interrupted). */
export async function runScenario(options: RunOptions): Promise<Result> {
  const startedAt = new Date()
  const outcomes: ArmOutcome[] = []
  if (options.concurrent) {
    outcomes.push(...(await Promise.all(options.jobs.map((job) => options.runArm(job)))))
  } else {
    for (const job of options.jobs) {
      if (options.signal.aborted) throw interrupted()
      outcomes.push(await options.runArm(job))
    }
  }
  return assembleResult(options, outcomes, startedAt)
}

/** The result of all arms. */
export function assembleResult(
  options: Omit<RunOptions, 'runArm' | 'concurrent' | 'signal'>,
  outcomes: readonly ArmOutcome[],
  startedAt: Date,
): Result {
  const { scenario, settings, world, target, seed, command } = options
  const arms = sideBySide(
    scenario,
    outcomes.map(({ result }) => result),
    settings,
  )
  return {
    version: RESULT_VERSION,
    scenario: { name: scenario.name, title: scenario.title, claim: scenario.claim },
    ...runVerdict(scenario, arms),
    advice: fillAdvice(scenario, arms, { ...scenario.topology.config, ...settings }),
    world,
    target: { kind: target, version: [...new Set(outcomes.map(({ version }) => version))].join(' and ') },
    seed,
    settings: { ...settings },
    startedAt: startedAt.toISOString(),
    elapsedMs: Date.now() - startedAt.getTime(),
    host: {
      platform: `${platform()} ${release()}`,
      node: process.version,
      cpus: cpus().length,
      faultline: options.version,
    },
    command,
    arms,
    notRun: [...options.notRun],
    measures: measureNames(arms),
    curves: curvesOf(scenario, arms),
    goals: goalsOf(scenario.goal, arms),
    campaign: null,
    traceHash: joinHashes(arms),
  }
}

function measureNames(arms: readonly ArmResult[]): Result['measures'] {
  const names = new Set(arms.flatMap((arm) => Object.keys(arm.measured)))
  return Object.fromEntries([...names].map((name) => [name, describeMeasure(name)]))
}

/**
 * The arms named, in the scenario's order; with none all that are not optional, with `all` these too. Throws
 * UNKNOWN_ARM.
 */
export function chooseArms(scenario: Scenario, arms: readonly string[]): string[] {
  const known = Object.keys(scenario.arms)
  if (arms.includes('all')) return known
  const unknown = arms.filter((arm) => !known.includes(arm))
  if (unknown.length > 0) {
    throw new HarnessError(
      'UNKNOWN_ARM',
      `${scenario.name} has no arm '${unknown[0]}'. Its arms are: ${known.join(', ')}.`,
    )
  }
  return known.filter((arm) => (arms.length === 0 ? scenario.arms[arm]?.optional !== true : arms.includes(arm)))
}

/** What predictions refer to: defaults of the server, then scenario, user and arm, the later winning. */
export function factsFor(scenario: Scenario, arm: string, settings: Readonly<Record<string, string>>): Facts {
  return {
    settings: { ...scenario.topology.config, ...settings, ...scenario.arms[arm]?.config },
    ratesPerSecond: Object.fromEntries(
      Object.entries<WriterGroup>(planOf(scenario, arm).workload.groups).map(([group, { ratePerSecond }]) => [
        group,
        ratePerSecond,
      ]),
    ),
    parameters: scenario.arms[arm]?.parameters ?? {},
  }
}

export interface OneArmOptions {
  /** Tells this arm's files from others of the run; the arm's name unless given. */
  label?: string
  scenario: Scenario
  arm: string
  target: string
  seed: number
  settings: Readonly<Record<string, string>>
  createWorld(): Promise<World>
  /** Where the history is written as it happens; null: nowhere. */
  historyDirectory: string | null
  /** Sees every event too. */
  listener?: Recorder | undefined
  onPhase(phase: ArmPhase, text: string): void
  signal: AbortSignal
}

/**
 * One arm in a world of its own, judged. Rejects as `runScenario` does; with RESULT_FILE when its history cannot be
 * written.
 */
export async function runOneArm(options: OneArmOptions): Promise<ArmOutcome> {
  const { scenario, arm, target, seed, signal, historyDirectory, onPhase } = options
  const facts = factsFor(scenario, arm, options.settings)
  const world = await options.createWorld()
  const abort = (): void => void world.close()
  signal.addEventListener('abort', abort)
  // What is simulated is over soon; in real time nobody should wait for the end of a run that cannot be kept.
  const onUnwritable = world.kind === 'real' ? abort : undefined
  let file: FileRecorder | undefined
  const history = new History()
  const recorder: Recorder = {
    record: (event: HistoryEvent) => {
      history.record(event)
      file?.record(event)
      options.listener?.record(event)
    },
  }
  try {
    if (historyDirectory !== null) {
      file = new FileRecorder(historyDirectory, `history-${options.label ?? arm}.jsonl`, onUnwritable)
    }
    const run = await world.drive(runArm({ scenario, arm, target, seed, facts, world, recorder, onPhase }))
    file?.close()
    if (file?.failure !== undefined) throw file.failure
    const result = judgeArm(scenario, arm, history, run, facts)
    return {
      result: { ...result, historyFile: file?.path ?? null, traceHash: world.traceHash() },
      version: run.version,
    }
  } catch (error) {
    if (signal.aborted) throw interrupted()
    throw file?.failure ?? error
  } finally {
    signal.removeEventListener('abort', abort)
    file?.close()
    await world.close()
  }
}

function joinHashes(arms: readonly ArmResult[]): string | null {
  const hashes = arms.map((arm) => arm.traceHash)
  return hashes.length === 0 || hashes.includes(null) ? null : hashes.join('-')
}
