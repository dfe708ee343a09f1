/** `faultline report [directory]`: judges a saved run again from its histories and writes its page anew. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { renderJunit } from '../../reports/junit.ts'
import { renderMarkdown } from '../../reports/markdown.ts'
import { renderPage } from '../../reports/page.ts'
import { readResult } from '../../reports/read-result.ts'
import type { Result } from '../../reports/result.ts'
import { HarnessError } from '../errors.ts'
import { readHistory } from '../history/history-file.ts'
import { goalsOf } from '../run/goals.ts'
import { judgeArm, runVerdict } from '../run/judge.ts'
import { factsFor } from '../run/run-scenario.ts'
import { curvesOf, sideBySide } from '../run/side-by-side.ts'
import { EXIT_STATUS } from './exit-status.ts'
import { checkOutputFiles, jsonText, writeOutputFile } from './output-file.ts'
import { findScenario } from './scenario-catalog.ts'
import { verdictText } from './verdict-text.ts'

const REPORTS = '.faultline/reports'

interface ReportOptions {
  markdown?: string
  junit?: string
}

export function addReportCommand(program: Command): void {
  program
    .command('report')
    .description('judge a saved run again from its histories and write its report anew')
    .argument('[directory]', `the run's directory (default: the newest below ${REPORTS})`)
    .option('--markdown <file>', 'also write a summary as Markdown')
    .option('--junit <file>', 'also write JUnit XML')
    .action(async (directory: string | undefined, options: ReportOptions) => {
      process.exitCode = await judgeAgain(resolve(directory ?? newestRun()), options)
    })
}

async function judgeAgain(directory: string, options: ReportOptions): Promise<number> {
  const file = join(directory, 'result.json')
  if (!existsSync(file)) {
    throw new HarnessError(
      'RESULT_FILE',
      `${directory} holds no result.json: name the directory of a run below ${REPORTS}.`,
    )
  }
  checkOutputFiles([options.markdown, options.junit])
  const saved = read(file)
  const result = saved.campaign === null ? await rejudge(saved, directory) : saved
  const page = join(directory, 'report.html')
  writeOutputFile(file, () => jsonText(result))
  writeOutputFile(page, () => renderPage(result))
  writeOutputFile(options.markdown, () => renderMarkdown(result))
  writeOutputFile(options.junit, () => renderJunit(result))
  process.stdout.write(verdictText(result, process.stdout.columns ?? 100, process.stdout.isTTY === true))
  process.stdout.write(`\nReport: ${page}\n`)
  return EXIT_STATUS[result.verdict]
}

function read(file: string): Result {
  try {
    return readResult(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new HarnessError('RESULT_FILE', `${file}: ${(error as Error).message}`)
  }
}

/** Every arm whose history was kept is measured and checked again; the others stay as saved. */
async function rejudge(saved: Result, directory: string): Promise<Result> {
  const scenario = await findScenario(saved.scenario.name)
  const judgedArms = saved.arms.map((arm) => {
    if (arm.historyFile === null) return arm
    const history = readHistory(join(directory, arm.historyFile))
    const nodes = arm.timeline.nodes.map(({ name, address, version }) => ({
      name,
      address,
      version,
      configuration: arm.configuration[name] ?? {},
    }))
    const facts = factsFor(scenario, arm.name, saved.settings)
    const judged = judgeArm(scenario, arm.name, history, { version: saved.target.version, nodes }, facts)
    return { ...judged, historyFile: arm.historyFile, traceHash: arm.traceHash }
  })
  const arms = sideBySide(scenario, judgedArms, saved.settings)
  const drawn = { curves: curvesOf(scenario, arms), goals: goalsOf(scenario.goal, arms) }
  return { ...saved, ...runVerdict(scenario, arms), arms, ...drawn }
}

function newestRun(): string {
  const runs = existsSync(REPORTS)
    ? readdirSync(REPORTS).filter((name) => existsSync(join(REPORTS, name, 'result.json')))
    : []
  const newest = runs.sort((a, b) => statSync(join(REPORTS, b)).mtimeMs - statSync(join(REPORTS, a)).mtimeMs)[0]
  if (newest === undefined) {
    throw new HarnessError(
      'RESULT_FILE',
      `There is no run below ${REPORTS} yet: start one with npm run scenario split-brain.`,
    )
  }
  return join(REPORTS, newest)
}
