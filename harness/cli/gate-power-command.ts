/** `faultline gate power`: how often the gate says what, over simulated runs on recorded noise. */
import type { Command } from 'commander'
import { HarnessError } from '../errors.ts'
import { BASELINE_FILE, readBaseline } from '../gate/baseline.ts'
import { gateMetrics, MEAN_THRESHOLD } from '../gate/gate-metrics.ts'
import { type PowerRow, type PowerSettings, simulatePower } from '../gate/power.ts'
import { checkOutputFiles, jsonText, writeOutputFile } from './output-file.ts'

interface PowerOptions {
  runs: number
  baseline: string
  budget: number
  json?: string
}

/** Planted slow-downs, and whether every metric feels them or only one. */
const PLANTED: readonly { planted: number; single: boolean }[] = [
  { planted: 0, single: false },
  { planted: 0.02, single: false },
  { planted: 0.03, single: false },
  { planted: 0.05, single: true },
  { planted: 0.05, single: false },
  { planted: 0.1, single: true },
  { planted: 0.15, single: true },
]

export function addGatePowerCommand(gate: Command): void {
  gate
    .command('power')
    .description(
      'simulate whole runs on recorded noise: how often the gate finds a planted slow-down, or one that is not there',
    )
    .option('--runs <number>', 'runs per row', Number, 1000)
    .option('--baseline <file>', 'whose rounds are the noise', BASELINE_FILE)
    .option('--budget <minutes>', 'of each simulated run', Number, 15)
    .option('--json <file>', 'write the table as JSON')
    .action(async (options: PowerOptions) => {
      await printPower(options)
    })
}

async function printPower({ runs, baseline, budget, json }: PowerOptions): Promise<void> {
  if (!Number.isInteger(runs) || runs < 1 || !(budget > 0)) {
    throw new HarnessError('BAD_OPTION', '--runs must be a whole number from 1 on, and --budget a number above 0.')
  }
  checkOutputFiles([json])
  const recorded = readBaseline(baseline)
  if (recorded === undefined) {
    throw new HarnessError(
      'BAD_OPTION',
      `There is no baseline in ${baseline}: take one with npm run gate -- --update-baseline "why".`,
    )
  }
  const metrics = gateMetrics.filter(({ name }) => recorded.metrics[name] !== undefined)
  const [first] = metrics
  if (first === undefined) {
    throw new HarnessError('BASELINE', `${baseline} has no rounds of a metric that there is now: take a new one.`)
  }
  const common: Omit<PowerSettings, 'planted'> = {
    metrics,
    meanThreshold: MEAN_THRESHOLD,
    recorded: new Map(metrics.map(({ name }) => [name, recorded.metrics[name]?.logCosts ?? []])),
    runs,
    budgetMs: budget * 60_000,
    roundMs: recorded.roundMs,
    baselineRounds: recorded.metrics[first.name]?.logCosts.length ?? 0,
    seed: 'power',
  }
  process.stdout.write(
    `Noise: the rounds of ${baseline} (${recorded.host.cpu}, ${recorded.host.cores} cores, Node ${recorded.host.node})\n${runs} runs a row, ${budget} minutes each, ${metrics.length} metrics\n\n`,
  )
  process.stdout.write(
    '| planted | felt by | regression | improvement | too noisy | pass | rounds (median) |\n|---:|---|---:|---:|---:|---:|---:|\n',
  )
  const table: (PowerRow & { single: boolean })[] = []
  for (const { planted, single } of PLANTED) {
    const row = await simulatePower({ ...common, planted, ...(single ? { affected: [first.name] } : {}) })
    table.push({ ...row, single })
    process.stdout.write(rowText(row, planted === 0 ? '–' : single ? `${first.name} only` : 'every command'))
  }
  writeOutputFile(json, () => jsonText(table))
}

function rowText({ planted, shares, medianRounds }: PowerRow, felt: string): string {
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  const cells = [shares.regression, shares.improvement, shares['too noisy'], shares.pass].map(percent)
  return `| ${Math.round(planted * 100)} % | ${felt} | ${cells.join(' | ')} | ${medianRounds} |\n`
}
