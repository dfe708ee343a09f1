/**
 * From a history to an arm's verdict, and from arms to the run's. Functions of saved data only: a history can be judged
 * again at any time.
 */
import type { ArmResult, Measured, Prediction, Verdict } from '../../reports/result.ts'
import { runCheck } from '../check/check.ts'
import { findLostWrites } from '../check/lost-writes.ts'
import type { History, HistoryEvent } from '../history/history.ts'
import { derivation, evaluate, type Facts, formula } from '../predict/quantity.ts'
import type { Comparison, PredictionSpec, Scenario } from '../scenario.ts'
import { findCut, isSaturated, measure, outages } from './measure.ts'
import type { ArmRun } from './run-arm.ts'
import { buildTimeline, faultSpans } from './series.ts'

export function judgeArm(scenario: Scenario, arm: string, history: History, run: ArmRun, facts: Facts): ArmResult {
  const definition = scenario.arms[arm]
  if (definition === undefined) throw new Error(`scenario ${scenario.name} has no arm ${arm}`)
  const measured = measure(history)
  const predicted = Object.fromEntries(
    Object.entries(scenario.predict).map(([name, spec]) => [name, predict(spec, facts)]),
  )
  const checks = scenario.checks.map((spec) => runCheck(spec, history))
  const { verdict, sentence } = armVerdict(predicted, measured, checks, invalid(history))
  return {
    name: arm,
    title: definition.title,
    settings: { ...definition.config },
    verdict,
    sentence,
    predicted,
    measured,
    checks,
    faults: faultSpans(history),
    timeline: buildTimeline(
      history,
      run.nodes.map(({ name, address, version }) => ({ name, address, version })),
    ),
    outages: outages(history.operations()),
    excerpt: excerpt(history),
    configuration: Object.fromEntries(
      run.nodes.map(({ name, configuration }) => [name, withoutSecrets(configuration)]),
    ),
    historyFile: null,
    traceHash: null,
  }
}

function predict(spec: PredictionSpec, facts: Facts): Prediction {
  const interval = evaluate(spec.value, facts)
  const factor = spec.unit === 'ms' ? 1000 : 1
  return {
    label: spec.label,
    unit: spec.unit,
    low: Math.floor(interval.low * factor),
    high: Math.ceil(interval.high * factor),
    formula: formula(spec.value, facts),
    derivation: derivation(spec.value, facts),
    source: spec.source,
  }
}

/** Why the run says nothing, or undefined. */
function invalid(history: History): string | undefined {
  if (history.end() === undefined) return 'The run did not come to its end.'
  if (!history.of('complete').some((event) => event.outcome === 'ok')) return 'No operation succeeded.'
  if (findLostWrites(history) === undefined) return 'The data after the run were not read.'
  const idle = faultSpans(history).find((fault) => fault.tookHold === '')
  if (idle !== undefined) return `The fault '${idle.name}' never took hold.`
  if (isSaturated(history)) return 'The load generator was saturated: more than 5 % of the operations began late.'
  return undefined
}

function armVerdict(
  predicted: Record<string, Prediction>,
  measured: Measured,
  checks: ArmResult['checks'],
  reason: string | undefined,
): { verdict: Verdict; sentence: string } {
  if (reason !== undefined) return { verdict: 'unknown', sentence: reason }
  const wrong = Object.entries(predicted).flatMap(([name, { label, unit, low, high }]) => {
    const value = measured[name]
    if (typeof value !== 'number') return [`${label}: not measured`]
    if (value >= low && value <= high) return []
    return [`${label}: ${value} ${unit}, predicted ${low} … ${high}`]
  })
  const failed = checks.filter((check) => check.verdict === 'fail').map((check) => check.sentence)
  const problems = [...failed, ...wrong]
  if (problems.length > 0) return { verdict: 'fail', sentence: problems.join(' ') }
  const unsure = checks.find((check) => check.verdict === 'unknown')
  if (unsure !== undefined) return { verdict: 'unknown', sentence: unsure.sentence }
  return { verdict: 'pass', sentence: 'All measures lie inside their predictions and all checks hold.' }
}

/** As much of an arm as a comparison needs. */
type MeasuredArm = Pick<ArmResult, 'name' | 'measured'>

/** The comparisons between arms that do not hold, one sentence each. Arms that did not run are passed over. */
export function brokenComparisons(scenario: Scenario, arms: readonly MeasuredArm[]): string[] {
  return scenario.compare.flatMap((comparison) => {
    const value = measureOf(arms, comparison.arm, comparison.measure)
    const other = measureOf(arms, comparison.than, comparison.measure)
    if (value === undefined || other === undefined || holds(comparison, value, other)) return []
    const { arm, measure: name, relation, than } = comparison
    return [`Expected ${name} of ${arm} (${value}) to be ${relation} that of ${than} (${other}).`]
  })
}

function holds({ relation, tolerance = 0 }: Comparison, value: number, other: number): boolean {
  return relation === 'less than' ? value < other : value >= other * (1 - tolerance)
}

function measureOf(arms: readonly MeasuredArm[], arm: string, name: string): number | undefined {
  const value = arms.find((candidate) => candidate.name === arm)?.measured[name]
  return typeof value === 'number' ? value : undefined
}

export function runVerdict(scenario: Scenario, arms: readonly ArmResult[]): { verdict: Verdict; sentence: string } {
  const broken = brokenComparisons(scenario, arms)
  const failed = arms.filter((arm) => arm.verdict === 'fail')
  if (failed.length > 0 || broken.length > 0) {
    const names = failed.map((arm) => arm.name).join(', ')
    const count =
      failed.length > 0 ? [`${failed.length} of ${arms.length} arms did not behave as predicted: ${names}.`] : []
    return { verdict: 'fail', sentence: [...count, ...broken].join(' ') }
  }
  const unsure = arms.filter((arm) => arm.verdict === 'unknown')
  if (unsure.length > 0 || arms.length === 0) {
    return {
      verdict: 'unknown',
      sentence: unsure.map((arm) => `${arm.title}: ${arm.sentence}`).join(' ') || 'No arm ran.',
    }
  }
  return {
    verdict: 'pass',
    sentence: `${arms.length} of ${arms.length} arms behaved as predicted, and every invariant held.`,
  }
}

/** Advice with `{arm.measure}` and `{setting}` filled in; sentences that name an arm that did not run are left out. */
export function fillAdvice(
  scenario: Scenario,
  arms: readonly ArmResult[],
  settings: Readonly<Record<string, string>>,
): string[] {
  return scenario.advice.flatMap((template) => {
    let complete = true
    const text = template.replace(/\{([^}]+)\}/g, (_, name: string) => {
      const dot = name.indexOf('.')
      const value = dot < 0 ? settings[name] : measureOf(arms, name.slice(0, dot), name.slice(dot + 1))
      if (value === undefined) complete = false
      return typeof value === 'number' ? value.toLocaleString('en-US') : String(value)
    })
    return complete ? [text] : []
  })
}

/** The lines of the history that show the finding best: around the cut, the last acknowledged lost write, the first refusal. */
function excerpt(history: History): string[] {
  const cut = findCut(history)
  const lost = findLostWrites(history) ?? []
  const first = lost[0]?.operation.id
  const last = lost.at(-1)?.operation.id
  const refused = history.of('complete').find((event) => event.outcome === 'fail' && event.atMs > (cut?.atMs ?? 0))
  const wanted = (event: HistoryEvent): boolean => {
    if (event.type === 'fault') return true
    if (event.type === 'invoke') return event.id === first || event.id === last || event.id === refused?.id
    return event.type === 'complete' && (event.id === first || event.id === last || event === refused)
  }
  return history.events.filter(wanted).map((event) => JSON.stringify(event))
}

const SECRETS = /^(requirepass|masterauth|tls-key-file-pass|tls-client-key-file-pass)$/

function withoutSecrets(configuration: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(configuration).map(([name, value]) => [
      name,
      SECRETS.test(name) && value !== '' ? '(secret)' : value,
    ]),
  )
}
