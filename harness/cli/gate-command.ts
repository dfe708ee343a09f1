/** `faultline gate`: the benchmark gate, its power table and its trend page. */
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { type Command, InvalidArgumentError } from 'commander'
import { renderGateJunit, renderGateMarkdown } from '../../reports/gate-text.ts'
import { renderTrendPage } from '../../reports/trend-page.ts'
import { Stand } from '../bench/stand.ts'
import { HarnessError, interrupted } from '../errors.ts'
import { BASELINE_FILE, type GateHost, readBaseline, writeBaseline } from '../gate/baseline.ts'
import { type GateOutcome, runGate } from '../gate/gate.ts'
import { appendGateHistory, readGateHistory } from '../gate/gate-history.ts'
import { type GateMetricSpec, gateMetrics, MEAN_THRESHOLD } from '../gate/gate-metrics.ts'
import { MEAN } from '../gate/metric.ts'
import { ServerSampler } from '../gate/server-sampler.ts'
import { trendOf } from '../gate/trend.ts'
import { engineProgram, redisProgram } from '../world/programs.ts'
import { addGatePowerCommand } from './gate-power-command.ts'
import { gateText } from './gate-text.ts'
import { checkOutputFiles, jsonText, writeOutputFile } from './output-file.ts'
import { sayStopping, untilSignal } from './until-signal.ts'
import { faultlineVersion } from './version.ts'

const HISTORY = '.faultline/gate-history.jsonl'
const EXIT: Record<GateOutcome['result']['verdict'], number> = {
  pass: 0,
  improvement: 0,
  regression: 1,
  'too noisy': 2,
}

interface GateCommandOptions {
  budget: number
  sample: number
  metric: string[]
  baseline: string
  history: string
  updateBaseline?: string
  binary?: string
  json?: string
  markdown?: string
  junit?: string
  trend?: string
}

export function addGateCommand(program: Command): void {
  const gate = program
    .command('gate')
    .description(
      'measure the engine against redis-server and compare with the baseline: 0 pass, 1 regression, 2 too noisy',
    )
    .option('--budget <minutes>', 'how long it may measure', positive, 15)
    .option('--sample <ms>', 'length of a sample; a round takes twelve of each metric on each server', positive, 80)
    .option(
      '--metric <name>',
      'only this metric (repeatable)',
      (name: string, before: string[]) => [...before, name],
      [],
    )
    .option('--baseline <file>', 'what to compare with', BASELINE_FILE)
    .option('--history <file>', 'earlier runs, one JSON line each; this one is added', HISTORY)
    .option('--update-baseline <reason>', 'make this run the baseline, and say why')
    .option('--binary <path>', 'redis-server to compare with (default: from PATH)')
    .option('--json <file>', 'write the result as JSON')
    .option('--markdown <file>', 'write a summary as Markdown')
    .option('--junit <file>', 'write JUnit XML')
    .option('--trend <file>', 'write the trend page over the history')
    .action(async (options: GateCommandOptions) => {
      process.exitCode = await runGateCommand(options)
    })
  gate
    .command('trend')
    .description('write the trend page over the history of earlier runs')
    .argument('<file>', 'the HTML file to write')
    .option('--history <file>', 'earlier runs', HISTORY)
    .action((file: string, { history }: { history: string }) => {
      writeTrend(file, history)
      process.stdout.write(`Trend: ${file}\n`)
    })
  addGatePowerCommand(gate)
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

async function runGateCommand(options: GateCommandOptions): Promise<number> {
  const metrics = chooseMetrics(options.metric)
  const { json, markdown, junit, trend } = options
  checkOutputFiles([json, markdown, junit, trend, ...(options.updateBaseline === undefined ? [] : [options.baseline])])
  const baseline = readBaseline(options.baseline)
  const history = readGateHistory(options.history)
  return untilSignal(async (signal) => {
    const outcome = await measure(options, { metrics, baseline, history, signal })
    if (signal.aborted) throw interrupted()
    return finish(options, outcome)
  }, sayStopping)
}

async function measure(
  options: GateCommandOptions,
  given: {
    metrics: readonly GateMetricSpec[]
    baseline: ReturnType<typeof readBaseline>
    history: ReturnType<typeof readGateHistory>
    signal: AbortSignal
  },
): Promise<GateOutcome> {
  const redis = controlProgram(options.binary)
  const stand = await Stand.open({
    programs: { engine: engineProgram(), redis: redis ?? engineProgram() },
    signal: given.signal,
  })
  try {
    const sampler = new ServerSampler({
      stand,
      control: redis !== undefined,
      metrics: given.metrics,
      sampleMs: options.sample,
      signal: given.signal,
    })
    return await runGate({
      ...given,
      sampler,
      // Of some commands it would be another figure than that of the history.
      meanThreshold: options.metric.length === 0 ? MEAN_THRESHOLD : null,
      control: redis === undefined ? null : versionOf(redis.command),
      commit: currentCommit(),
      host: thisHost(),
      budgetMs: options.budget * 60_000,
      isThorough: options.updateBaseline !== undefined,
      onRound: (rounds, unfinished) => {
        process.stderr.write(`round ${rounds}: ${unfinished.map(({ name }) => name).join(', ')}\n`)
      },
    })
  } finally {
    await stand.close()
  }
}

/** Writes what was asked for; returns the exit status. */
function finish(options: GateCommandOptions, { result, entry, samples, roundMs }: GateOutcome): number {
  process.stdout.write(gateText(result, process.stdout.columns ?? 100, process.stdout.isTTY === true))
  appendGateHistory(options.history, entry)
  writeOutputFile(options.json, () => jsonText(result))
  writeOutputFile(options.markdown, () => renderGateMarkdown(result))
  writeOutputFile(options.junit, () => renderGateJunit(result))
  if (options.trend !== undefined) writeTrend(options.trend, options.history)
  if (options.updateBaseline === undefined) return EXIT[result.verdict]
  const known = result.metrics.filter(({ name, rounds }) => name !== MEAN && rounds > 1)
  writeBaseline(options.baseline, {
    takenAt: result.startedAt,
    commit: result.commit,
    reason: options.updateBaseline,
    host: result.host,
    control: result.control,
    roundMs,
    metrics: Object.fromEntries(
      known.map(({ name, unit }) => [name, { unit, logCosts: [...(samples.get(name) ?? [])] }]),
    ),
  })
  process.stdout.write(`\nBaseline: ${options.baseline}\n`)
  return 0
}

function chooseMetrics(names: readonly string[]): readonly GateMetricSpec[] {
  const unknown = names.find((name) => !gateMetrics.some((metric) => metric.name === name))
  if (unknown !== undefined) {
    throw new HarnessError(
      'BAD_OPTION',
      `There is no metric ${unknown}. Choose from: ${gateMetrics.map(({ name }) => name).join(', ')}.`,
    )
  }
  return names.length === 0 ? gateMetrics : gateMetrics.filter(({ name }) => names.includes(name))
}

/** Undefined when no redis-server is on the machine; one that was named must be there. */
function controlProgram(binary: string | undefined): ReturnType<typeof redisProgram> | undefined {
  try {
    return redisProgram(binary)
  } catch (error) {
    if (binary === undefined && error instanceof HarnessError && error.code === 'MISSING_BINARY') return undefined
    throw error
  }
}

function versionOf(command: string): string {
  const text = execFileSync(command, ['--version'], { encoding: 'utf8' })
  return /v=(\S+)/.exec(text)?.[1] ?? text.trim()
}

/** The commit of the checkout that the command runs in; `unknown` outside of one. */
function currentCommit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return 'unknown'
  }
}

function thisHost(): GateHost {
  const all = cpus()
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: Math.max(1, all.length),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
  }
}

function writeTrend(file: string, history: string): void {
  const trend = trendOf(readGateHistory(history), new Date().toISOString(), faultlineVersion)
  writeOutputFile(file, () => renderTrendPage(trend))
}
