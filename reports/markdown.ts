/**
 * A short summary in GitHub-flavoured Markdown, for the step summary of a CI run: verdict, the arms in one table,
 * everything that did not go as predicted, and the command that repeats it.
 *
 * Every text of the result is escaped: a backslash before each punctuation mark that Markdown could take as markup
 * (CommonMark 2.4 allows it before any ASCII punctuation), character references for `<`, `>`, `&` and `@`, and no line
 * breaks.
 */
import { describeMeasure, formatCount, formatInterval, formatMeasure, formatOutcomes, placeOf } from './figures.ts'
import { visible } from './html.ts'
import type { ArmResult, Result, Verdict } from './result.ts'

const marks: Readonly<Record<Verdict, string>> = { pass: '✅ pass', fail: '❌ fail', unknown: '❓ unknown' }

const references: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '@': '&#64;' }

/** Text that Markdown shows as it is, also inside a table. */
export function escapeMarkdown(text: string): string {
  return visible(text)
    .replace(/\s+/g, ' ')
    .trim()
    .replace(
      /[<>&@\\`*_{}[\]()#+!|~$:]|^[-=]|(?<=^\d+)\.|(?<=www)\./gi,
      (character) => references[character] ?? `\\${character}`,
    )
}

/** A code block whose fence is longer than any run of backticks inside. */
function codeBlock(text: string): string {
  const longest = [...text.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 2)
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${visible(text)}\n${fence}`
}

/** The summary, ending in a line break. */
export function renderMarkdown(result: Result): string {
  const { scenario, target, world, seed, arms, advice, campaign } = result
  const parts = [
    `## ${marks[result.verdict]}: ${escapeMarkdown(scenario.title)}`,
    escapeMarkdown(result.sentence),
    `${escapeMarkdown(scenario.name)} on ${escapeMarkdown(`${target.kind} ${target.version}`)}, ${world === 'sim' ? 'simulator' : 'real processes'}, seed ${seed}.`,
    arms.length > 0 && armTable(result),
    problems(arms),
    result.notRun
      .map(({ title, reason }) => `- not run: **${escapeMarkdown(title)}**: ${escapeMarkdown(reason)}`)
      .join('\n'),
    campaign !== null && campaignTable(campaign, result),
    advice.length > 0 && advice.map((sentence) => `- ${escapeMarkdown(sentence)}`).join('\n'),
    `Run it again:\n\n${codeBlock(result.command)}`,
  ]
  return `${parts.filter((part) => part !== false && part !== '').join('\n\n')}\n`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** One row an arm; per predicted measure a column `measured (predicted)`, marked where it lies outside. */
function armTable(result: Result): string {
  const { arms } = result
  const measures = [...new Set(arms.flatMap((arm) => Object.keys(arm.predicted)))]
  const head = ['Arm', 'Verdict', ...measures.map((measure) => escapeMarkdown(describeMeasure(measure, result).label))]
  const rows = arms.map((arm) => [
    escapeMarkdown(arm.title),
    marks[arm.verdict],
    ...measures.map((measure) => escapeMarkdown(measureCell(arm, measure))),
  ])
  return table(
    [...head, 'acknowledged', 'refused', 'unknown'],
    rows.map((row, position) => [...row, ...countsOf(arms[position])]),
  )
}

function countsOf(arm: ArmResult | undefined): string[] {
  if (arm === undefined) return []
  return [arm.measured.acknowledged, arm.measured.refused, arm.measured.unknown].map(formatCount)
}

function measureCell(arm: ArmResult, measure: string): string {
  if (!Object.hasOwn(arm.predicted, measure)) return '–'
  const prediction = arm.predicted[measure]
  if (prediction === undefined) return '–'
  const value = Object.hasOwn(arm.measured, measure) ? arm.measured[measure] : undefined
  if (typeof value !== 'number') return `not measured (predicted ${formatInterval(prediction)})`
  const place = placeOf(value, prediction)
  return `${formatMeasure(value, prediction.unit)} (${place === 'inside' ? '' : `${place} `}${formatInterval(prediction)})`
}

function problems(arms: readonly ArmResult[]): string {
  return arms
    .filter((arm) => arm.verdict !== 'pass')
    .map((arm) => `- ${marks[arm.verdict]} **${escapeMarkdown(arm.title)}**: ${escapeMarkdown(arm.sentence)}`)
    .join('\n')
}

function campaignTable(campaign: NonNullable<Result['campaign']>, result: Result): string {
  const titleOf = (name: string) => result.arms.find((arm) => arm.name === name)?.title ?? name
  const rows = campaign.arms.map((arm) => [
    escapeMarkdown(titleOf(arm.arm)),
    escapeMarkdown(formatOutcomes(arm)),
    arm.failures
      .slice(0, 10)
      .map(({ seed }) => String(seed))
      .join(', ') || '–',
  ])
  const head = [`${formatCount(campaign.runs)} seeds from ${campaign.firstSeed}`, 'Outcome', 'Seeds that did not pass']
  return table(head, rows)
}
