/** A campaign: the same scenario in the simulator for many seeds, and the distribution of every measure. */
import type { ArmResult, Campaign, Result, Verdict } from '../../reports/result.ts'
import type { Scenario } from '../scenario.ts'
import { brokenComparisons } from './judge.ts'
import { type ArmOutcome, assembleResult, type RunOptions } from './run-scenario.ts'

export interface CampaignOptions extends Omit<RunOptions, 'runArm' | 'concurrent' | 'seed' | 'signal'> {
  firstSeed: number
  runs: number
  /** Simulates one arm of one seed. */
  simulate(arm: string, seed: number): Promise<ArmOutcome>
  /** The command that replays one seed. */
  replay(seed: number): string
  onSeed(done: number): void
}

/** One seed's arms, as much as the campaign keeps of them. */
interface SeedSummary {
  seed: number
  arms: Pick<ArmResult, 'name' | 'target' | 'verdict' | 'sentence' | 'measured'>[]
}

/** The result of the first seed, with the verdict of all and the campaign's distributions. */
export async function runCampaign(options: CampaignOptions): Promise<Result> {
  const startedAt = new Date()
  let first: ArmOutcome[] = []
  let done = 0
  const seeds = Array.from({ length: options.runs }, (_, i) => options.firstSeed + i)
  const summaries = await Promise.all(
    seeds.map(async (seed, i): Promise<SeedSummary> => {
      const outcomes = await Promise.all(options.jobs.map(({ arm }) => options.simulate(arm, seed)))
      if (i === 0) first = outcomes
      options.onSeed(++done)
      const arms = outcomes.map(({ result: { name, target, verdict, sentence, measured } }) => ({
        name,
        target,
        verdict,
        sentence,
        measured,
      }))
      return { seed, arms }
    }),
  )
  const result = assembleResult({ ...options, seed: options.firstSeed }, first, startedAt)
  const campaign = summarize(options, result, summaries)
  return { ...result, ...campaignVerdict(options.scenario, campaign, summaries), campaign }
}

function summarize(options: CampaignOptions, first: Result, summaries: readonly SeedSummary[]): Campaign {
  return {
    runs: options.runs,
    firstSeed: options.firstSeed,
    arms: first.arms.map(({ name, predicted }) => {
      const seeds = summaries.flatMap(({ seed, arms }) =>
        arms.filter((arm) => arm.name === name).map((arm) => ({ seed, arm })),
      )
      const count = (verdict: Verdict): number => seeds.filter(({ arm }) => arm.verdict === verdict).length
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
          .map(({ seed, arm }) => ({ seed, sentence: arm.sentence, command: options.replay(seed) })),
      }
    }),
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function campaignVerdict(
  scenario: Scenario,
  campaign: Campaign,
  summaries: readonly SeedSummary[],
): { verdict: Verdict; sentence: string } {
  const bad = campaign.arms.flatMap((arm) => arm.failures.map((failure) => failure.seed))
  const broken = summaries.flatMap(({ seed, arms }) =>
    brokenComparisons(scenario, arms).map((sentence) => `Seed ${seed}: ${sentence}`),
  )
  const seeds = `${campaign.runs} seeds × ${campaign.arms.length} arms`
  if (campaign.arms.some((arm) => arm.fail > 0) || broken.length > 0) {
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
