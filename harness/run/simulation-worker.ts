/** A worker thread: simulates one arm of one seed after the other, as it is told. */
import { parentPort } from 'node:worker_threads'
import { findScenario } from '../cli/scenario-catalog.ts'
import { createSimWorld } from '../world/world-factory.ts'
import { type ArmOutcome, runOneArm } from './run-scenario.ts'

export interface SimulationJob {
  scenario: string
  arm: string
  settings: Readonly<Record<string, string>>
  seed: number
  historyDirectory: string | null
}

/** What a worker answers a job with. */
export type SimulationReply = ArmOutcome | { error: string }

/** Called on a worker thread. */
export function serveSimulationJobs(): void {
  parentPort?.on('message', (job: SimulationJob) => {
    simulateArm(job).then(
      (outcome) => parentPort?.postMessage(outcome),
      (error: unknown) => parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) }),
    )
  })
}

async function simulateArm({
  scenario: name,
  arm,
  settings,
  seed,
  historyDirectory,
}: SimulationJob): Promise<ArmOutcome> {
  const scenario = await findScenario(name)
  return runOneArm({
    scenario,
    arm,
    target: 'engine',
    seed,
    settings,
    createWorld: async () => createSimWorld(scenario, arm, seed),
    historyDirectory,
    onPhase: () => {},
    signal: new AbortController().signal,
  })
}
