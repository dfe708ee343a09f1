/**
 * From a history to an arm's verdict, and from arms to the run's. Functions of saved data only: a history can be judged
 * again at any time.
 */
import type { ArmResult, Measured, Prediction, Verdict } from '../../reports/result.ts'
import { runCheck } from '../check/check.ts'
import { findLostWrites, hasUniqueWrites } from '../check/lost-writes.ts'
import type { History, HistoryEvent } from '../history/history.ts'
import { derivation, evaluate, type Facts, formula } from '../predict/quantity.ts'
import type { Arm, Comparison, PredictionSpec, Scenario } from '../scenario.ts'
import type { WorkloadSpec } from '../workload/workload.ts'
import { planOf } from './arm-plan.ts'
import { findCut, isSaturated, isStarved, measure, outages } from './measure.ts'
import { describeMeasure } from './measure-names.ts'
import type { ArmRun } from './run-arm.ts'
import { buildTimeline, faultSpans } from './series.ts'

export function judgeArm(scenario: Scenario, arm: string, history: History, run: ArmRun, facts: Facts): ArmResult {
  const definition = scenario.arms[arm]
  if (definition === undefined) throw new Error(`scenario ${scenario.name} has no arm ${arm}`)
  const measured = measure(history)
  const known = { ...facts, measured }
  const plan = planOf(scenario, arm)
  const predicted = Object.fromEntries(Object.entries(plan.predict).map(([name, spec]) => [name, predict(spec, known)]))
  const checks = (definition.checks ?? scenario.checks).map((spec) => runCheck(spec, history))
  const reason = invalid(history, plan.workload) ?? unfulfilled(scenario, measured, known)
  const { verdict, sentence } = armVerdict(predicted, measured, checks, reason)
  return {
    name: arm,
    title: definition.title,
    target: history.header().target,
    settings: { ...definition.config, ...parametersAsText(definition) },
    verdict,
    sentence,
    predicted,
    measured,
    checks,
    ...loadCurve(history),
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

function loadCurve(history: History): Pick<ArmResult, 'latencyCurve'> {
  const load = history.of('load').at(-1)
  return load === undefined ? {} : { latencyCurve: load.result.raw.curve }
}

function parametersAsText({ parameters = {} }: Arm): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)]))
}

/** Whole numbers but for ratios, which have three decimals; the interval never becomes smaller by rounding. */
export function predict(spec: PredictionSpec, facts: Facts): Prediction {
  const interval = evaluate(spec.value, facts)
  const factor = spec.unit === 'ms' ? 1000 : 1
  const digits = spec.unit === 'ratio' ? 1000 : 1
  return {
    label: spec.label,
    unit: spec.unit,
    // Adding 0 makes -0 a 0.
    low: Math.floor(interval.low * factor * digits + ROUNDING) / digits + 0,
    high: Math.ceil(interval.high * factor * digits - ROUNDING) / digits + 0,
    formula: formula(spec.value, facts),
    derivation: derivation(spec.value, facts),
    source: spec.source,
  }
}

/** What binary fractions may be off: 1.1 × 1000 is no 1101. */
const ROUNDING = 1e-6

/** The first requirement that the run does not meet, as a sentence. */
function unfulfilled(scenario: Scenario, measured: Measured, facts: Facts): string | undefined {
  for (const { measure: name, atMost, atLeast, because } of scenario.require ?? []) {
    const value = measured[name]
    const { label, unit } = describeMeasure(name)
    const factor = unit === 'ms' ? 1000 : 1
    const most = atMost === undefined ? Number.POSITIVE_INFINITY : evaluate(atMost, facts).high * factor
    const least = atLeast === undefined ? Number.NEGATIVE_INFINITY : evaluate(atLeast, facts).low * factor
    if (typeof value === 'number' && value <= most && value >= least) continue
    if (typeof value !== 'number') return `${because}: ${label} was not measured.`
    const bound = value > most ? `at most ${most} is allowed` : `at least ${least} is needed`
    return `${because}: ${label} ${value}${unit === '' ? '' : ` ${unit}`}, ${bound}.`
  }
  return undefined
}

/** Why the run says nothing, or undefined. */
function invalid(history: History, workload: WorkloadSpec): string | undefined {
  if (history.end() === undefined) return 'The run did not come to its end.'
  const loads = history.of('load').map(({ result }) => result)
  const succeeded =
    history.of('complete').some((event) => event.outcome === 'ok') ||
    loads.some(({ counts }) => counts.ok > 0) ||
    history.of('transactions').some(({ tookMs }) => tookMs.length > 0) ||
    history.of('shop').some(({ http }) => http.answered > 0)
  if (!succeeded) return 'No operation succeeded.'
  const driverMayBeFull = workload.kind === 'saturation' && workload.driverMayBeFull === true
  const doubt = loads
    .filter(({ verdict }) => verdict === 'fail' || !driverMayBeFull)
    .flatMap(({ reasons }) => reasons)[0]
  if (doubt !== undefined) return doubt
  if (hasUniqueWrites(history) && findLostWrites(history) === undefined) return 'The data after the run were not read.'
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
    // That there is none of something holds on a slow machine too.
    const isExcused = isStarved(measured) && high > 0
    if (typeof value !== 'number') return [{ sentence: `${label}: not measured`, isExcused: false }]
    if (value >= low && value <= high) return []
    return [{ sentence: `${label}: ${value} ${unit}, predicted ${low} … ${high}`, isExcused }]
  })
  const failed = checks.filter((check) => check.verdict === 'fail').map((check) => check.sentence)
  const problems = [...failed, ...wrong.map(({ sentence }) => sentence)]
  if (failed.length > 0 || wrong.some(({ isExcused }) => !isExcused)) {
    return { verdict: 'fail', sentence: problems.join(' ') }
  }
  if (problems.length > 0) return { verdict: 'unknown', sentence: `${starvation(measured)} ${problems.join(' ')}` }
  const unsure = checks.find((check) => check.verdict === 'unknown')
  if (unsure !== undefined) return { verdict: 'unknown', sentence: unsure.sentence }
  return { verdict: 'pass', sentence: 'All measures lie inside their predictions and all checks hold.' }
}

/** Why figures of a starved run say nothing. */
function starvation({ processorWait }: Measured): string {
  const share = Math.round(Number(processorWait) * 100)
  return `Others had the machine: the nodes waited for a processor in ${share} % of the time in which they had work.`
}

/** As much of an arm as a comparison needs. */
type MeasuredArm = Pick<ArmResult, 'name' | 'target' | 'verdict' | 'measured'>

/**
 * The comparisons between arms that do not hold, one sentence each; on every target by itself. Arms that did not run,
 * or whose run says nothing or was starved, are passed over.
 */
export function brokenComparisons(scenario: Scenario, arms: readonly MeasuredArm[]): string[] {
  const telling = arms.filter(({ verdict, measured }) => verdict !== 'unknown' && !isStarved(measured))
  return byTarget(telling).flatMap((ofTarget) =>
    scenario.compare.flatMap((comparison) => {
      const value = measureOf(ofTarget, comparison.arm, comparison.measure)
      const other = measureOf(ofTarget, comparison.than, comparison.measure)
      if (value === undefined || other === undefined || holds(comparison, value, other)) return []
      const { arm, measure: name, relation, than, factor = 1 } = comparison
      const times = factor === 1 ? '' : `${factor} × `
      return [
        `Expected ${describeMeasure(name).label} of ${arm} (${value}) to be ${relation} ${times}that of ${than} (${other}).`,
      ]
    }),
  )
}

function byTarget<Arm extends MeasuredArm>(arms: readonly Arm[]): Arm[][] {
  return [...new Set(arms.map(({ target }) => target))].map((target) => arms.filter((arm) => arm.target === target))
}

function holds({ relation, tolerance = 0, factor = 1 }: Comparison, value: number, other: number): boolean {
  return relation === 'less than' ? value < factor * other : value >= factor * other * (1 - tolerance)
}

function measureOf(arms: readonly MeasuredArm[], arm: string, name: string): number | undefined {
  const value = arms.find((candidate) => candidate.name === arm)?.measured[name]
  return typeof value === 'number' ? value : undefined
}

export function runVerdict(scenario: Scenario, arms: readonly ArmResult[]): { verdict: Verdict; sentence: string } {
  const broken = brokenComparisons(scenario, arms)
  const targets = byTarget(arms).length
  const failed = arms.filter((arm) => arm.verdict === 'fail')
  if (failed.length > 0 || broken.length > 0) {
    const names = failed.map((arm) => (targets > 1 ? `${arm.name} on ${arm.target}` : arm.name)).join(', ')
    const count =
      failed.length > 0 ? [`${failed.length} of ${arms.length} arms did not behave as predicted: ${names}.`] : []
    return { verdict: 'fail', sentence: [...count, ...broken].join(' ') }
  }
  const unsure = arms.filter((arm) => arm.verdict === 'unknown')
  if (unsure.length > 0 || arms.length === 0) {
    const [first] = unsure
    if (first === undefined) return { verdict: 'unknown', sentence: 'No arm ran.' }
    const reason = `${first.title}: ${first.sentence}`
    const count = `${unsure.length} of ${arms.length} arms say nothing.`
    return { verdict: 'unknown', sentence: arms.length === 1 ? reason : `${count} ${reason}` }
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
  const groups = byTarget(arms)
  return scenario.advice.flatMap((template) => {
    const sentences = groups.flatMap((ofTarget) => {
      const text = filled(template, ofTarget, settings)
      if (text === undefined) return []
      return [groups.length > 1 && text !== template ? `${ofTarget[0]?.target}: ${text}` : text]
    })
    return [...new Set(sentences)]
  })
}

function filled(
  template: string,
  arms: readonly ArmResult[],
  settings: Readonly<Record<string, string>>,
): string | undefined {
  let complete = true
  const text = template.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const dot = name.indexOf('.')
    const value = dot < 0 ? settings[name] : measureOf(arms, name.slice(0, dot), name.slice(dot + 1))
    if (value === undefined) complete = false
    if (typeof value !== 'number') return String(value)
    return value.toLocaleString('en-US', { maximumFractionDigits: value >= 100 ? 0 : 2 })
  })
  return complete ? text : undefined
}

/**
 * The lines of the history that show the finding best: faults, commands, figures, first and last lost write, first
 * refusal.
 */
function excerpt(history: History): string[] {
  const cut = findCut(history)
  const lost = (hasUniqueWrites(history) && findLostWrites(history)) || []
  const first = lost[0]?.operation.id
  const last = lost.at(-1)?.operation.id
  const refused = history.of('complete').find((event) => event.outcome === 'fail' && event.atMs > (cut?.atMs ?? 0))
  const wanted = (event: HistoryEvent): boolean => {
    if (event.type === 'fault' || event.type === 'command' || event.type === 'figure') return true
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
