/** A whole run: every arm in a world of its own, one after the other, then one result. */
import { cpus, platform, release } from 'node:os'
import type { ArmResult, Result } from '../../reports/result.ts'
import { HarnessError } from '../errors.ts'
import { capabilitiesNeeded } from '../fault/fault.ts'
import { History, type HistoryEvent, type Recorder } from '../history/history.ts'
import type { Facts } from '../predict/quantity.ts'
import type { Scenario } from '../scenario.ts'
import type { World, WorldKind } from '../world/world.ts'
import { fillAdvice, judgeArm, runVerdict } from './judge.ts'
import { type ArmPhase, runArm } from './run-arm.ts'

export interface RunOptions {
  scenario: Scenario
  /** Names of the arms to run; all when empty. */
  arms: readonly string[]
  world: WorldKind
  target: string
  seed: number
  /** The user's own settings: they win over the scenario's, arms' settings win over them. */
  settings: Readonly<Record<string, string>>
  /** Version of Faultline. */
  version: string
  /** The command that replays this run. */
  command: string
  /** A new world for one arm. */
  createWorld(arm: string): Promise<World>
  /** Receives the arm's history as it happens, besides memory. */
  openRecorder?(arm: string): Recorder & { close(): void; path: string }
  onPhase(arm: string, phase: ArmPhase | 'done', text: string): void
  signal: AbortSignal
}

/** Rejects with `HarnessError` (unknown arm, missing capability, topology that cannot be built, interrupted). */
export async function runScenario(options: RunOptions): Promise<Result> {
  const { scenario, signal } = options
  const startedAt = new Date()
  const arms: ArmResult[] = []
  let version = ''
  for (const name of chooseArms(options)) {
    if (signal.aborted)
      throw new HarnessError('INTERRUPTED', 'The run was interrupted; everything was stopped and healed.')
    const { result, version: seen } = await runOneArm(options, name)
    version = seen
    arms.push(result)
    options.onPhase(name, 'done', result.sentence)
  }
  const { verdict, sentence } = runVerdict(scenario, arms)
  const common = { ...scenario.topology.config, ...options.settings }
  return {
    version: 1,
    scenario: { name: scenario.name, title: scenario.title, claim: scenario.claim },
    verdict,
    sentence,
    advice: fillAdvice(scenario, arms, common),
    world: options.world,
    target: { kind: options.target, version },
    seed: options.seed,
    settings: { ...options.settings },
    startedAt: startedAt.toISOString(),
    elapsedMs: Date.now() - startedAt.getTime(),
    host: {
      platform: `${platform()} ${release()}`,
      node: process.version,
      cpus: cpus().length,
      faultline: options.version,
    },
    command: options.command,
    arms,
    campaign: null,
    traceHash: joinHashes(arms),
  }
}

function chooseArms({ scenario, arms }: RunOptions): string[] {
  const known = Object.keys(scenario.arms)
  const unknown = arms.filter((arm) => !known.includes(arm))
  if (unknown.length > 0) {
    throw new HarnessError(
      'UNKNOWN_ARM',
      `${scenario.name} has no arm '${unknown[0]}'. Its arms are: ${known.join(', ')}.`,
    )
  }
  return arms.length === 0 ? known : known.filter((arm) => arms.includes(arm))
}

/** What predictions refer to: defaults of the server, then scenario, user and arm, the later winning. */
export function factsFor(scenario: Scenario, arm: string, settings: Readonly<Record<string, string>>): Facts {
  return {
    settings: { ...scenario.topology.config, ...settings, ...scenario.arms[arm]?.config },
    ratesPerSecond: Object.fromEntries(
      Object.entries(scenario.workload.groups).map(([group, { ratePerSecond }]) => [group, ratePerSecond]),
    ),
  }
}

async function runOneArm(options: RunOptions, arm: string): Promise<{ result: ArmResult; version: string }> {
  const { scenario, target, seed, signal } = options
  const facts = factsFor(scenario, arm, options.settings)
  const world = await options.createWorld(arm)
  const abort = (): void => void world.close()
  signal.addEventListener('abort', abort)
  const file = options.openRecorder?.(arm)
  const history = new History()
  const recorder: Recorder = {
    record: (event: HistoryEvent) => {
      history.record(event)
      file?.record(event)
    },
  }
  try {
    requireCapabilities(scenario, world)
    const onPhase = (phase: ArmPhase, text: string): void => options.onPhase(arm, phase, text)
    const run = await world.drive(runArm({ scenario, arm, target, seed, facts, world, recorder, onPhase }))
    const result = judgeArm(scenario, arm, history, run, facts)
    return {
      result: { ...result, historyFile: file?.path ?? null, traceHash: world.traceHash() },
      version: run.version,
    }
  } catch (error) {
    if (signal.aborted)
      throw new HarnessError('INTERRUPTED', 'The run was interrupted; everything was stopped and healed.')
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
    file?.close()
    await world.close()
  }
}

function requireCapabilities(scenario: Scenario, world: World): void {
  for (const { fault } of scenario.timeline) {
    for (const needed of capabilitiesNeeded(fault)) {
      if (world.capabilities.has(needed)) continue
      throw new HarnessError(
        'MISSING_CAPABILITY',
        `The fault '${fault.kind}' needs '${needed}', which the world '${world.kind}' lacks.`,
      )
    }
  }
}

function joinHashes(arms: readonly ArmResult[]): string | null {
  const hashes = arms.map((arm) => arm.traceHash)
  return hashes.length === 0 || hashes.includes(null) ? null : hashes.join('-')
}
