/**
 * The program of a worker thread: simulates one arm of one seed after the other, as it is told. A bundle of its own
 * (`dist/simulation-worker.js`), so that a worker loads nothing that it does not need.
 */
import { parentPort } from 'node:worker_threads'
import { findScenario } from '../cli/scenario-catalog.ts'
import { SimWorld } from '../world/sim/sim-world.ts'
import { clientsOf } from './arm-plan.ts'
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
    // Arms of one seed differ in their randomness too: they are independent experiments.
    createWorld: async () => new SimWorld({ seed: `${seed}/${name}/${arm}`, clients: clientsOf(scenario) }),
    historyDirectory,
    onPhase: () => {},
    signal: new AbortController().signal,
  })
}

parentPort?.on('message', (job: SimulationJob) => {
  simulateArm(job).then(
    (outcome) => parentPort?.postMessage(outcome),
    (error: unknown) => parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) }),
  )
})
