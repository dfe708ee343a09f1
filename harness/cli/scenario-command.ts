/** `faultline scenario [name]`: lists the scenarios, or runs one. */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { Option } from 'commander'
import { renderPage } from '../../reports/page.ts'
import type { Result } from '../../reports/result.ts'
import { HarnessError } from '../errors.ts'
import { readHistory } from '../history/history-file.ts'
import { whyNotRunnable } from '../run/arm-plan.ts'
import { runCampaign } from '../run/campaign.ts'
import { type ArmJob, type ArmOutcome, chooseArms, runOneArm, runScenario } from '../run/run-scenario.ts'
import { SimulationPool } from '../run/simulation-pool.ts'
import type { Scenario } from '../scenario.ts'
import { type RealWorldFactory, realWorldFactory } from '../world/real/real-world-factory.ts'
import { SIMULATED } from '../world/sim/sim-world.ts'
import type { Capability, WorldKind } from '../world/world.ts'
import { EXIT_STATUS } from './exit-status.ts'
import { createNarrator } from './narrator.ts'
import { checkOutputFiles, jsonText, writeOutputFile } from './output-file.ts'
import { createProgress, type Progress } from './progress.ts'
import { findScenario, listScenarios } from './scenario-catalog.ts'
import { sayStopping, untilSignal } from './until-signal.ts'
import { verdictText } from './verdict-text.ts'
import { faultlineVersion } from './version.ts'

type TargetKind = 'engine' | 'redis'
type TargetChoice = TargetKind | 'both'

interface ScenarioOptions {
  world: WorldKind
  target: TargetChoice
  binary?: string
  seed?: number
  runs?: number
  arm: string[]
  set: Record<string, string>
  json?: string
  report: string
  keep: boolean
  verbose: boolean
}

/** As typed: without a target it is the scenario's to say. */
type GivenOptions = Omit<ScenarioOptions, 'target'> & { target?: TargetChoice }

export function addScenarioCommand(program: Command): void {
  program
    .command('scenario')
    .description('run a scenario, found by its full name or its last part; without a name: list the scenarios')
    .argument('[name]', 'for example split-brain or cluster/split-brain')
    .addOption(new Option('--world <kind>', 'where it happens').choices(['real', 'sim']).default('real'))
    .addOption(
      new Option('--target <kind>', 'which server (default: engine, or what the scenario compares)').choices([
        'engine',
        'redis',
        'both',
      ]),
    )
    .option('--binary <path>', 'redis-server or valkey-server to use with --target redis or both (default: from PATH)')
    .option('--seed <number>', 'seed of everything random', wholeNumber(0, 2 ** 32 - 1))
    .option('--runs <number>', 'simulator: so many seeds, starting at --seed', wholeNumber(1, 1_000_000))
    .option(
      '--arm <name>',
      'only this arm (repeatable; all: the optional ones too)',
      (name: string, before: string[]) => [...before, name],
      [],
    )
    .option('--set <name=value>', 'a server setting of your own (repeatable)', collectSetting, {})
    .option('--json <file>', 'write the result as JSON (- for standard output)')
    .option('--report <directory>', 'where reports go', '.faultline/reports')
    .option('--keep', "leave the nodes' data and logs", false)
    .option('--verbose', 'print every step and every change that a node reports', false)
    .action(async (name: string | undefined, options: GivenOptions) => {
      if (name === undefined) process.stdout.write(await listScenarios(process.stdout.columns ?? 100))
      else process.exitCode = await runNamed(name, options)
    })
}

async function runNamed(name: string, given: GivenOptions): Promise<number> {
  const scenario = await findScenario(name)
  const usual = given.world === 'real' && given.binary === undefined ? scenario.target : undefined
  const options: ScenarioOptions = { ...given, target: given.target ?? usual ?? 'engine' }
  checkOptions(scenario, options)
  checkOutputFiles([options.json])
  const arms = chooseArms(scenario, options.arm)
  const targets = targetsOf(scenario, options)
  const { jobs, notRun } = planJobs(scenario, arms, targets, options.arm.length > 0)
  checkSettings(scenario, jobs, options.set)
  const seed = options.seed ?? (options.world === 'sim' ? 1 : Math.floor(Math.random() * 2 ** 32))
  return untilSignal(async (signal) => {
    const directory = makeReportDirectory(options.report, scenario)
    const run: Run = { scenario, jobs, notRun, targets, options, seed, directory, signal }
    const names = jobs.map((job) => labelOf(run, job))
    const progress = createProgress({ scenario, arms: names, verbose: options.verbose, quiet: options.json === '-' })
    const result = await (options.world === 'sim' ? runSimulated(run, progress) : runReal(run, progress)).finally(() =>
      progress.close(),
    )
    const page = writeOutputs(result, directory, options)
    if (options.json !== '-') {
      process.stdout.write(verdictText(result, process.stdout.columns ?? 100, process.stdout.isTTY === true))
      if (options.keep && options.world === 'real') process.stdout.write(`\nData and logs: ${directory}/nodes-*\n`)
      process.stdout.write(`\nReport: ${page}\n`)
    }
    return EXIT_STATUS[result.verdict]
  }, sayStopping)
}

/** A setting that each of the arms has of its own would change nothing. */
function checkSettings(scenario: Scenario, jobs: readonly ArmJob[], set: Readonly<Record<string, string>>): void {
  const owned = Object.keys(set).find((name) => jobs.every(({ arm }) => scenario.arms[arm]?.config[name] !== undefined))
  if (owned === undefined) return
  throw new HarnessError(
    'BAD_OPTION',
    `--set ${owned} would change nothing: it is what the arms differ in, and each has its own. Choose another setting, or another arm with --arm.`,
  )
}

/** A kind of server and how to make a world for it; undefined in the simulator. */
interface Target {
  kind: TargetKind
  capabilities: ReadonlySet<Capability>
  factory: RealWorldFactory | undefined
}

function targetsOf(scenario: Scenario, options: ScenarioOptions): Target[] {
  if (options.world === 'sim') return [{ kind: 'engine', capabilities: SIMULATED, factory: undefined }]
  const kinds: TargetKind[] = options.target === 'both' ? ['engine', 'redis'] : [options.target]
  return kinds.map((kind) => {
    const factory = realWorldFactory(scenario, { ...options, target: kind })
    return { kind, capabilities: factory.capabilities, factory }
  })
}

/**
 * Arms that cannot run on a target are told in the result. Throws MISSING_CAPABILITY when nothing is left, or when the
 * user named such an arm.
 */
function planJobs(
  scenario: Scenario,
  arms: readonly string[],
  targets: readonly Target[],
  named: boolean,
): { jobs: ArmJob[]; notRun: Result['notRun'] } {
  const jobs: ArmJob[] = []
  const notRun: Result['notRun'] = []
  for (const arm of arms) {
    for (const { kind: target, capabilities } of targets) {
      const reason = whyNotRunnable(scenario, arm, target, capabilities)
      if (reason === undefined) jobs.push({ arm, target })
      else notRun.push({ arm, title: scenario.arms[arm]?.title ?? arm, target, reason })
    }
  }
  const [first] = notRun
  if (first !== undefined && (jobs.length === 0 || named)) {
    throw new HarnessError('MISSING_CAPABILITY', `The arm '${first.arm}' cannot run. ${first.reason}`)
  }
  return { jobs, notRun }
}

interface Run {
  scenario: Scenario
  jobs: readonly ArmJob[]
  notRun: Result['notRun']
  targets: readonly Target[]
  options: ScenarioOptions
  seed: number
  /** Of the report and the histories. */
  directory: string
  signal: AbortSignal
}

/** How an arm is called in progress and file names: with its target where there are several. */
function labelOf({ targets }: Pick<Run, 'targets'>, { arm, target }: ArmJob): string {
  return targets.length > 1 ? `${arm}-${target}` : arm
}

function commonOptions({ scenario, jobs, notRun, options, seed, signal }: Run) {
  return {
    scenario,
    jobs,
    notRun,
    world: options.world,
    target: options.target,
    settings: options.set,
    version: faultlineVersion,
    seed,
    command: replayCommand(scenario, options, seed, options.runs),
    signal,
  }
}

function runReal(run: Run, progress: Progress): Promise<Result> {
  const common = commonOptions(run)
  const runOne = async (job: ArmJob): Promise<ArmOutcome> => {
    const label = labelOf(run, job)
    const factory = run.targets.find(({ kind }) => kind === job.target)?.factory as RealWorldFactory
    const outcome = await runOneArm({
      ...common,
      ...job,
      label,
      createWorld: () => factory.create(label, run.directory),
      historyDirectory: run.directory,
      listener: run.options.verbose ? createNarrator((line) => progress.phase(label, 'detail', line)) : undefined,
      onPhase: (phase, text) => progress.phase(label, phase, text),
    })
    progress.phase(label, 'done', outcome.result.sentence)
    return outcome
  }
  return runScenario({ ...common, runArm: runOne, concurrent: false })
}

/** One seed with its histories, or a campaign. */
async function runSimulated(run: Run, progress: Progress): Promise<Result> {
  const { scenario, jobs, options, seed, directory, signal } = run
  const common = commonOptions(run)
  const pool = new SimulationPool(jobs.length * (options.runs ?? 1), signal)
  const job = { scenario: scenario.name, settings: options.set }
  try {
    const { runs } = options
    if (runs !== undefined) {
      return await runCampaign({
        ...common,
        firstSeed: seed,
        runs,
        simulate: (arm, ofSeed) => pool.run({ ...job, arm, seed: ofSeed, historyDirectory: null }),
        replay: (ofSeed) => replayCommand(scenario, options, ofSeed, undefined),
        onSeed: (done) => progress.campaign(done, runs),
      })
    }
    const runOne = async ({ arm }: ArmJob): Promise<ArmOutcome> => {
      progress.phase(arm, 'loading', `simulating seed ${seed}`)
      const outcome = await pool.run({ ...job, arm, seed, historyDirectory: directory })
      if (options.verbose) {
        const narrator = createNarrator((line) => progress.phase(arm, 'detail', line))
        for (const event of readHistory(join(directory, outcome.result.historyFile ?? '')).events)
          narrator.record(event)
      }
      progress.phase(arm, 'done', outcome.result.sentence)
      return outcome
    }
    return await runScenario({ ...common, runArm: runOne, concurrent: true })
  } finally {
    await pool.close()
  }
}

function checkOptions(scenario: Scenario, { world, target, binary, runs }: ScenarioOptions): void {
  if (scenario.worlds?.includes(world) === false) {
    const where = scenario.worlds.map((kind) => `--world ${kind}`).join(' or ')
    throw new HarnessError('BAD_OPTION', `${scenario.name} measures what a simulator cannot: use ${where}.`)
  }
  if (world === 'sim' && target !== 'engine') {
    throw new HarnessError(
      'BAD_OPTION',
      'The simulator runs our own engine only: leave out --target, or use --world real.',
    )
  }
  if (runs !== undefined && world !== 'sim') {
    throw new HarnessError('BAD_OPTION', '--runs needs the simulator: add --world sim.')
  }
  if (binary !== undefined && target === 'engine') {
    throw new HarnessError('BAD_OPTION', '--binary names a redis-server: add --target redis.')
  }
}

/** `.faultline/reports/split-brain-2026-11-22T16-50-00`. */
function makeReportDirectory(parent: string, scenario: Scenario): string {
  const stamp = new Date().toISOString().slice(0, 23).replaceAll(/[:.]/g, '-')
  const directory = resolve(parent, `${scenario.name.split('/').at(-1)}-${stamp}`)
  try {
    makeDirectories(directory)
  } catch (error) {
    throw new HarnessError(
      'BAD_OPTION',
      `Cannot make the report directory: ${(error as Error).message}. Choose another with --report.`,
    )
  }
  return directory
}

/**
 * `mkdir -p`. Not Node's own: where a system forbids new entries with ENOENT (as /proc does), that one never returns.
 */
function makeDirectories(path: string): void {
  if (existsSync(path)) return
  makeDirectories(dirname(path))
  mkdirSync(path)
}

/** Returns the page's path as the user would type it. */
function writeOutputs(result: Result, directory: string, options: ScenarioOptions): string {
  const json = jsonText(result)
  const page = join(directory, 'report.html')
  if (options.json === '-') process.stdout.write(json)
  writeOutputFile(options.json, () => json)
  writeOutputFile(join(directory, 'result.json'), () => json)
  writeOutputFile(page, () => renderPage(result))
  const shown = relative(process.cwd(), page)
  return shown.startsWith('..') ? page : shown
}

function replayCommand(scenario: Scenario, options: ScenarioOptions, seed: number, runs: number | undefined): string {
  const words = ['npm run scenario', scenario.name.split('/').at(-1), '--', `--world ${options.world}`]
  if (options.world === 'real') words.push(`--target ${options.target}`)
  if (options.binary !== undefined) words.push(`--binary ${shellWord(options.binary)}`)
  words.push(`--seed ${seed}`)
  if (runs !== undefined) words.push(`--runs ${runs}`)
  for (const arm of options.arm) words.push(`--arm ${arm}`)
  for (const [name, value] of Object.entries(options.set)) words.push(`--set ${shellWord(`${name}=${value}`)}`)
  return words.join(' ')
}

function shellWord(text: string): string {
  return /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < low || value > high) {
      throw new HarnessError('BAD_OPTION', `'${text}' is not a whole number from ${low} to ${high}.`)
    }
    return value
  }
}

function collectSetting(text: string, before: Record<string, string>): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals < 1)
    throw new HarnessError(
      'BAD_OPTION',
      `--set takes name=value, for example --set cluster-node-timeout=5000, not '${text}'.`,
    )
  return { ...before, [text.slice(0, equals).toLowerCase()]: text.slice(equals + 1) }
}
