/**
 * A JUnit XML document, which every CI server can show. An arm is a test case; a prediction that does not hold or a
 * check that fails makes it fail. `unknown` is an error, never success. There is no standard; this keeps to what
 * Jenkins' and GitLab's readers have in common: `testsuites/testsuite/testcase` with at most one `failure` or `error`
 * each.
 */
import { campaignVerdict, describeMeasure, formatInterval, formatMeasure, formatOutcomes, placeOf } from './figures.ts'
import type { ArmResult, Campaign, Result, Verdict } from './result.ts'

interface TestCase {
  name: string
  verdict: Verdict
  message: string
  /** What did not hold, one line each. */
  lines: string[]
  durationMs: number
}

/** For text and attributes; what XML 1.0 has no character for becomes U+FFFD. */
export function escapeXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0, section 2.2, allows no others
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
      .replace(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)
  )
}

/** The document, ending in a line break. Times are seconds of each arm's own clock. */
export function renderJunit(result: Result): string {
  const cases = [...result.arms.map((arm) => armCase(arm, result)), ...campaignCases(result.campaign, result)]
  // What no arm is to blame for: a comparison between arms, or that none ran.
  if (result.verdict !== 'pass' && cases.every((it) => it.verdict === 'pass')) {
    cases.push({ name: 'run as a whole', verdict: result.verdict, message: result.sentence, lines: [], durationMs: 0 })
  }
  const countOf = (verdict: Verdict) => cases.filter((it) => it.verdict === verdict).length
  const { notRun } = result
  const counts = `tests="${cases.length + notRun.length}" failures="${countOf('fail')}" errors="${countOf('unknown')}"`
  const name = escapeXml(result.scenario.name)
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="faultline" ${counts}>
  <testsuite name="${name}" ${counts} skipped="${notRun.length}" time="${(result.elapsedMs / 1000).toFixed(3)}" timestamp="${escapeXml(result.startedAt)}">
    <properties>
      <property name="seed" value="${result.seed}"/>
      <property name="world" value="${result.world}"/>
      <property name="target" value="${escapeXml(`${result.target.kind} ${result.target.version}`)}"/>
      <property name="command" value="${escapeXml(result.command)}"/>
    </properties>
${cases.map((it) => testCase(it, name)).join('')}${notRun.map((arm) => skippedCase(arm, name)).join('')}  </testsuite>
</testsuites>
`
}

function testCase({ name, verdict, message, lines, durationMs }: TestCase, className: string): string {
  const head = `    <testcase classname="${className}" name="${escapeXml(name)}" time="${(durationMs / 1000).toFixed(3)}"`
  if (verdict === 'pass') return `${head}/>\n`
  const element = verdict === 'fail' ? 'failure' : 'error'
  const text = escapeXml([message, ...lines].join('\n'))
  return `${head}>\n      <${element} type="${verdict}" message="${escapeXml(message)}">${text}</${element}>\n    </testcase>\n`
}

/** An arm that could not run there. */
function skippedCase({ title, target, reason }: Result['notRun'][number], className: string): string {
  const head = `    <testcase classname="${className}" name="${escapeXml(`${title}, ${target}`)}" time="0.000"`
  return `${head}>\n      <skipped message="${escapeXml(reason)}"/>\n    </testcase>\n`
}

function armCase(arm: ArmResult, result: Result): TestCase {
  const predictions = Object.entries(arm.predicted).flatMap(([measure, prediction]) => {
    const value = Object.hasOwn(arm.measured, measure) ? arm.measured[measure] : undefined
    const place = placeOf(value, prediction)
    if (place === 'inside') return []
    const { label } = describeMeasure(measure, result)
    const measured =
      typeof value === 'number' ? `${formatMeasure(value, prediction.unit)}, ${place}` : 'not measured, predicted'
    return [`prediction ${label}: ${measured} ${formatInterval(prediction)}`]
  })
  const checks = arm.checks.flatMap((check) =>
    check.verdict === 'pass'
      ? []
      : [`check ${check.name}: ${check.verdict}: ${check.sentence}`, ...check.evidence.map(({ text }) => `  ${text}`)],
  )
  return {
    name: arm.title,
    verdict: arm.verdict,
    message: arm.sentence,
    lines: [...predictions, ...checks],
    durationMs: arm.timeline.durationMs,
  }
}

function campaignCases(campaign: Campaign | null, result: Result): TestCase[] {
  if (campaign === null) return []
  return campaign.arms.map((arm) => {
    const title = result.arms.find(({ name }) => name === arm.arm)?.title ?? arm.arm
    return {
      name: `${title}, ${campaign.runs} seeds`,
      verdict: campaignVerdict(arm),
      message: formatOutcomes(arm),
      lines: arm.failures.map(({ seed, sentence, command }) => `seed ${seed}: ${sentence}\n  ${command}`),
      durationMs: 0,
    }
  })
}
