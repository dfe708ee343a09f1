/**
 * A campaign: the same scenario in the simulator for many seeds, on all cores, and the distribution of every measure.
 * Seeds are independent jobs; the result does not depend on which worker ran which.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Campaign, Result, Verdict } from '../../reports/result.ts'
import { HarnessError } from '../errors.ts'
import type { Scenario } from '../scenario.ts'
import type { CampaignJob, SeedResult } from './campaign-worker.ts'
import { brokenComparisons } from './judge.ts'

export interface CampaignOptions {
  scenario: Scenario
  arms: readonly string[]
  settings: Readonly<Record<string, string>>
  version: string
  command: string
  firstSeed: number
  runs: number
  onSeed(done: number): void
  signal: AbortSignal
}

/** The result of the first seed, with the verdict of all and the campaign's distributions. */
export async function runCampaign(options: CampaignOptions): Promise<Result> {
  const startedMs = Date.now()
  const seeds = Array.from({ length: options.runs }, (_, i) => options.firstSeed + i)
  const results = await runSeeds(options, seeds)
  const first = results[0]?.full
  if (first === undefined) throw new Error('the first seed has no result')
  const campaign = summarize(options, results)
  return {
    ...first,
    ...campaignVerdict(options.scenario, campaign, results),
    elapsedMs: Date.now() - startedMs,
    command: options.command,
    campaign,
  }
}

/** One worker thread a core; each takes the next seed when it has finished one. Results are in the order of seeds. */
async function runSeeds(options: CampaignOptions, seeds: readonly number[]): Promise<SeedResult[]> {
  const results: SeedResult[] = new Array(seeds.length)
  let next = 0
  let done = 0
  const workers = Array.from({ length: Math.min(availableParallelism(), seeds.length) }, startWorker)
  const stop = (): void => void Promise.all(workers.map((worker) => worker.terminate()))
  options.signal.addEventListener('abort', stop)
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (let index = next++; index < seeds.length; index = next++) {
          const { scenario, arms, settings, version } = options
          const seed = seeds[index] as number
          results[index] = await ask(worker, {
            scenario: scenario.name,
            arms,
            settings,
            version,
            seed,
            full: index === 0,
          })
          options.onSeed(++done)
        }
      }),
    )
  } catch (error) {
    if (options.signal.aborted) throw new HarnessError('INTERRUPTED', 'The campaign was interrupted.')
    throw error
  } finally {
    options.signal.removeEventListener('abort', stop)
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return results
}

/** The bundle that this code runs in is the worker's program too: it sees that it is not the main thread. */
function startWorker(): Worker {
  return new Worker(new URL(import.meta.url))
}

function ask(worker: Worker, job: CampaignJob): Promise<SeedResult> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void): void => {
      worker.removeAllListeners()
      action()
    }
    worker.once('message', (reply: SeedResult | { error: string }) =>
      settle(() => ('error' in reply ? reject(new Error(`seed ${job.seed}: ${reply.error}`)) : resolve(reply))),
    )
    worker.once('error', (error) => settle(() => reject(error)))
    worker.once('exit', (status) =>
      settle(() => reject(new Error(`the worker of seed ${job.seed} ended with status ${status}`))),
    )
    worker.postMessage(job)
  })
}

function summarize(
  { scenario, arms, settings, firstSeed, runs }: CampaignOptions,
  results: readonly SeedResult[],
): Campaign {
  const names = results[0]?.arms.map((arm) => arm.name) ?? []
  return {
    runs,
    firstSeed,
    arms: names.map((name) => {
      const seeds = results.map(({ seed, arms: all }) => ({
        seed,
        arm: all.find((arm) => arm.name === name) as SeedArm,
      }))
      const count = (verdict: Verdict): number => seeds.filter(({ arm }) => arm.verdict === verdict).length
      const predicted = results[0]?.full?.arms.find((arm) => arm.name === name)?.predicted ?? {}
      return {
        arm: name,
        pass: count('pass'),
        fail: count('fail'),
        unknown: count('unknown'),
        measures: Object.entries(predicted).map(([measure, { label, unit, low, high }]) => ({
          measure,
          label,
          unit,
          values: seeds
            .map(({ arm }) => arm.measured[measure])
            .filter(isNumber)
            .sort((a, b) => a - b),
          predictedLow: low,
          predictedHigh: high,
        })),
        failures: seeds
          .filter(({ arm }) => arm.verdict !== 'pass')
          .map(({ seed, arm }) => ({ seed, sentence: arm.sentence, command: replay(scenario, settings, seed, arms) })),
      }
    }),
  }
}

type SeedArm = SeedResult['arms'][number]

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function replay(
  scenario: Scenario,
  settings: Readonly<Record<string, string>>,
  seed: number,
  arms: readonly string[],
): string {
  const name = scenario.name.split('/').at(-1)
  const options = [
    ...arms.map((arm) => ` --arm ${arm}`),
    ...Object.entries(settings).map(([key, value]) => ` --set ${key}=${value}`),
  ]
  return `npm run scenario ${name} -- --world sim --seed ${seed}${options.join('')}`
}

function campaignVerdict(
  scenario: Scenario,
  campaign: Campaign,
  results: readonly SeedResult[],
): { verdict: Verdict; sentence: string } {
  const bad = campaign.arms.flatMap((arm) => arm.failures.map((failure) => failure.seed))
  const broken = results.flatMap(({ seed, arms }) =>
    brokenComparisons(scenario, arms).map((sentence) => `Seed ${seed}: ${sentence}`),
  )
  const failed = campaign.arms.some((arm) => arm.fail > 0) || broken.length > 0
  const seeds = `${campaign.runs} seeds × ${campaign.arms.length} arms`
  if (failed) {
    const examples = [...new Set(bad)].slice(0, 5).join(', ')
    const where = bad.length > 0 ? `${bad.length} arms did not behave as predicted (seeds ${examples}).` : ''
    return {
      verdict: 'fail',
      sentence: [`${seeds}:`, where, ...broken.slice(0, 3)].filter((part) => part !== '').join(' '),
    }
  }
  if (bad.length > 0) return { verdict: 'unknown', sentence: `${seeds}: ${bad.length} arms could not be judged.` }
  return { verdict: 'pass', sentence: `${seeds}: all behaved as predicted, and every invariant held.` }
}
