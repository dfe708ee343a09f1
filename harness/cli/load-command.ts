/**
 * `faultline load [HOST:PORT]`: puts a server under load and tells how it bore it. Options as redis-benchmark's where
 * they mean the same.
 */
import { cpus } from 'node:os'
import { type Command, Option } from 'commander'
import { type LoadReport, renderLoadPage } from '../../reports/load-page.ts'
import type { LoadResult, LoadSearch, LoadVerdict } from '../../reports/load-result.ts'
import { HarnessError } from '../errors.ts'
import { findMax } from '../load/find-max.ts'
import { type LoadProgress, runLoad } from '../load/load.ts'
import type { LoadSpec } from '../load/load-spec.ts'
import { missed, type Objective, parseObjective } from '../load/objective.ts'
import { presetNames } from '../load/presets.ts'
import { EXIT_STATUS } from './exit-status.ts'
import { type LoadOptions, loadSpecs, withoutSecrets } from './load-options.ts'
import { loadLine, loadText, progressText, searchPointText, searchText } from './load-text.ts'
import { checkOutputFiles, jsonText, writeOutputFile } from './output-file.ts'
import { untilSignal } from './until-signal.ts'
import { faultlineVersion } from './version.ts'

export function addLoadCommand(program: Command): void {
  program
    .command('load')
    .description('put a Redis-protocol server under load and measure its latency')
    // -h is the host, as everywhere among Redis's tools.
    .helpOption('--help', 'show this help')
    .argument('[address]', 'HOST:PORT or the path of a Unix socket (default: 127.0.0.1:6379)')
    .argument('[command...]', 'a command of your own, for example SET __key__ __data__')
    .option('-h <host>', 'server')
    .option('-p <port>', 'port')
    .option('-s <path>', 'Unix socket')
    .option('-u <uri>', 'redis://user:password@host:port/database')
    .option('-a <password>', 'password (better: the environment variable REDISCLI_AUTH)')
    .option('--user <name>', 'user of the password')
    .option('-c <connections>', 'connections (default: 50)')
    .option('-n <requests>', 'so many requests in all')
    .option('--duration <time>', 'how long (default: 10s, unless -n is given)')
    .option('-P <requests>', 'requests in flight on each connection (default: 1; open loop: 1024 at most)')
    .option('-d <bytes>', 'size of values: 100, 10-1000, skewed:10-1000 (default: 3)')
    .option('-r <keys>', 'number of different keys (default: 100000)')
    .option('-t <tests>', `one run each: ${presetNames.join(',')}`)
    .option('--mix <commands>', 'one run of several: get=9,set=1')
    .option('--rate <perSecond>', 'open loop: so many requests begin each second')
    .option(
      '--arrivals <plan>',
      'closed, constant, poisson, ramp:1000-50000:30s, staircase:1000,5000:10s, burst:500:1s',
    )
    .option('--keys <distribution>', 'uniform, zipf:1.1, gaussian:0.1, sequential, hot:0.01:0.9')
    .option('--key-prefix <text>', 'what every key begins with (default: key:)')
    .option('--ttl <seconds>', 'what __ttl__ stands for: 60, 10-1000')
    .option('--warmup <time>', 'load before measuring begins')
    .option('--timeout <time>', 'an operation without an answer has failed (default: 5s)')
    .option('--cluster', 'the address is a node of a cluster')
    .option('--sentinel <name>', 'the address is a Sentinel that knows the primary by this name')
    .option('--replicas', 'replicas answer what only reads')
    .option('--wait <replicas>', 'every write waits until so many replicas have it: 1, 2:500ms')
    .option('--eval <script>', 'EVALSHA of this Lua script; keys as the command: 1 __key__')
    .option(
      '--subscribe <channels>',
      'also receive: news,sport:10 (connections); delivery times need PUBLISH … __time__',
    )
    .option('--consume <stream>', 'also read: key:group:connections; delivery times need XADD … field __time__')
    .option('--replay <file>', 'send the commands of a capture (redis-cli monitor) at its times')
    .option('--speed <factor>', 'so many times as fast (default: 1)')
    .option('--threads <number>', 'threads of the driver (default: 1)')
    .option('--seed <number>', 'seed of everything drawn (default: 1)')
    .option('--dbnum <number>', 'database')
    .option('-3', 'speak RESP3')
    .option('-l', 'loop: until interrupted')
    .option('-q', 'only one line a run')
    .option('--find-max', 'search the highest rate that meets the objective')
    .option('--slo <limits>', 'the objective, of one run or of the search: p99=5ms,errors=0.1%')
    .option('--report <file>', 'write a page (HTML, one file)')
    .addOption(new Option('--json <file>', 'write the results as JSON (- for standard output)'))
    .action(async (address: string | undefined, words: string[], options: LoadOptions) => {
      process.exitCode = await load(loadSpecs(address, words, options), options)
    })
}

async function load(specs: readonly LoadSpec[], options: LoadOptions): Promise<number> {
  // A password among the arguments must not stay readable in the list of processes.
  process.title = 'faultline load'
  const objective = options.slo === undefined ? undefined : parseObjective(options.slo)
  if (options.findMax === true && objective === undefined) {
    throw new HarnessError('BAD_OPTION', '--find-max needs an objective: add --slo p99=5ms.')
  }
  checkOutputFiles([options.json, options.report])
  return untilSignal(async (signal) => {
    const run: Run = { options, objective, signal, isQuiet: options.q === true || options.json === '-' }
    const [first] = specs
    if (options.findMax === true && objective !== undefined && first !== undefined) {
      if (specs.length > 1) throw new HarnessError('BAD_OPTION', '--find-max searches for one load: give -t one test.')
      return await search(first, objective, run)
    }
    return await measure(specs, run)
  })
}

interface Run {
  options: LoadOptions
  objective: Objective | undefined
  signal: AbortSignal
  isQuiet: boolean
}

async function measure(specs: readonly LoadSpec[], { options, objective, signal, isQuiet }: Run): Promise<number> {
  const results: LoadResult[] = []
  for (const spec of specs) {
    if (signal.aborted) break
    const progress = isQuiet ? undefined : new ProgressLine(spec)
    const onProgress = (second: LoadProgress): void => progress?.show(second)
    const result = await runLoad(spec, { signal, onProgress }).finally(() => progress?.close())
    if (objective !== undefined) judge(result, objective)
    results.push(result)
    if (options.json !== '-') {
      process.stdout.write(isQuiet ? loadLine(result) : loadText(result, outputColumns()))
    }
  }
  writeOutputs(options, results.length === 1 ? results[0] : results, () => reportOf(results, null))
  return statusOf(results.map(({ verdict }) => verdict))
}

async function search(spec: LoadSpec, objective: Objective, { options, signal, isQuiet }: Run): Promise<number> {
  const probeMs = options.duration === undefined ? 3000 : (spec.durationMs ?? 3000)
  const found = await findMax(spec, {
    objective,
    objectiveText: options.slo ?? '',
    firstPerSecond: spec.arrivals.kind === 'constant' ? spec.arrivals.ratePerSecond : 1000,
    probeMs,
    signal,
    run: (probe) => runLoad(probe, { signal }),
    onPoint: (point) => {
      if (!isQuiet) process.stdout.write(searchPointText(point, outputColumns()))
    },
  })
  if (options.json !== '-') process.stdout.write(searchText(found, outputColumns()))
  writeOutputs(options, found, () => reportOf(found.last === null ? [] : [found.last], found))
  return statusOf([found.verdict])
}

/** A missed objective is a failure; what is unknown stays so, unless the driver had no part in it. */
function judge(result: LoadResult, objective: Objective): void {
  const reasons = missed(objective, result)
  if (reasons.length === 0 || (result.verdict === 'unknown' && result.counts.ok > 0)) return
  result.verdict = 'fail'
  result.reasons.unshift(...reasons)
}

function reportOf(results: readonly LoadResult[], found: LoadSearch | null): LoadReport {
  const host = { node: process.version, platform: process.platform, cpus: cpus().length, faultline: faultlineVersion }
  return { results, search: found, command: `npm run load -- ${withoutSecrets(process.argv.slice(3)).join(' ')}`, host }
}

function statusOf(verdicts: readonly LoadVerdict[]): number {
  if (verdicts.includes('fail')) return EXIT_STATUS.fail
  return verdicts.every((verdict) => verdict === 'pass') ? EXIT_STATUS.pass : EXIT_STATUS.unknown
}

function writeOutputs(options: LoadOptions, data: unknown, report: () => LoadReport): void {
  const json = jsonText(data)
  if (options.json === '-') process.stdout.write(json)
  writeOutputFile(options.json, () => json)
  writeOutputFile(options.report, () => renderLoadPage(report()))
}

/** Of the terminal; what is no terminal takes the wide form. */
function outputColumns(): number {
  return process.stdout.columns ?? 100
}

/** One line that is written over on a terminal; a line a second otherwise. */
class ProgressLine {
  private readonly name: string
  private readonly isTerminal = process.stdout.isTTY === true

  constructor(spec: LoadSpec) {
    this.name = spec.commands.map(({ name }) => name).join('+')
  }

  show(progress: LoadProgress): void {
    const text = progressText(this.name, progress, this.isTerminal ? outputColumns() : Number.POSITIVE_INFINITY)
    process.stdout.write(this.isTerminal ? `\r\x1b[K${text}` : `${text}\n`)
  }

  close(): void {
    if (this.isTerminal) process.stdout.write('\r\x1b[K')
  }
}
