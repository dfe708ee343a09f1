/** A campaign's worker thread: runs one seed after the other as it is told. */
import { parentPort } from 'node:worker_threads'
import type { Measured, Result, Verdict } from '../../reports/result.ts'
import { findScenario } from '../cli/scenario-catalog.ts'
import { worldFactory } from '../world/world-factory.ts'
import { runScenario } from './run-scenario.ts'

export interface CampaignJob {
  scenario: string
  arms: readonly string[]
  settings: Readonly<Record<string, string>>
  version: string
  seed: number
  /** Send the whole result back, not the summary only. */
  full: boolean
}

export interface SeedResult {
  seed: number
  arms: { name: string; verdict: Verdict; sentence: string; measured: Measured }[]
  full?: Result
}

/** Called on a worker thread; answers every job with a `SeedResult` or `{ error }`. */
export function serveCampaignJobs(): void {
  parentPort?.on('message', (job: CampaignJob) => {
    runJob(job).then(
      (result) => parentPort?.postMessage(result),
      (error: unknown) => parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) }),
    )
  })
}

async function runJob({ scenario: name, arms, settings, version, seed, full }: CampaignJob): Promise<SeedResult> {
  const scenario = await findScenario(name)
  const createWorld = worldFactory(scenario, { world: 'sim', target: 'engine', keep: false, runDirectory: '' })
  const result = await runScenario({
    scenario,
    arms,
    world: 'sim',
    target: 'engine',
    seed,
    settings,
    version,
    command: '',
    createWorld: (arm) => createWorld(arm, seed),
    onPhase: () => {},
    signal: new AbortController().signal,
  })
  const summary = {
    seed,
    arms: result.arms.map(({ name, verdict, sentence, measured }) => ({ name, verdict, sentence, measured })),
  }
  return full ? { ...summary, full: result } : summary
}
