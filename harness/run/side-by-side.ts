/**
 * Arms beside each other: the same ones on our engine and on redis-server with the ratios between them, and curves over
 * several.
 */
import type { ArmResult, Curve } from '../../reports/result.ts'
import type { Scenario } from '../scenario.ts'
import { predict } from './judge.ts'
import { describeMeasure } from './measure-names.ts'
import { factsFor } from './run-scenario.ts'

const TARGET_TITLES: Readonly<Record<string, string>> = { engine: 'engine', redis: 'redis-server' }

/**
 * Titles say the target, and the engine's arms get the ratios that the scenario predicts. Nothing changes with one
 * target.
 */
export function sideBySide(
  scenario: Scenario,
  arms: readonly ArmResult[],
  settings: Readonly<Record<string, string>>,
): ArmResult[] {
  if (new Set(arms.map(({ target }) => target)).size < 2) return [...arms]
  return arms.map((arm) => {
    const titled = { ...arm, title: `${scenario.arms[arm.name]?.title ?? arm.name}, ${TARGET_TITLES[arm.target]}` }
    const other = arms.find((candidate) => candidate.name === arm.name && candidate.target === 'redis')
    if (arm.target !== 'engine' || other === undefined) return titled
    return withRatios(scenario, titled, other, settings)
  })
}

function withRatios(
  scenario: Scenario,
  arm: ArmResult,
  other: ArmResult,
  settings: Readonly<Record<string, string>>,
): ArmResult {
  const facts = factsFor(scenario, arm.name, settings)
  const judged = { ...arm, measured: { ...arm.measured }, predicted: { ...arm.predicted } }
  for (const [name, spec] of Object.entries(scenario.sideBySide ?? {})) {
    const value = arm.measured[name]
    const theirs = other.measured[name]
    const prediction = predict(spec, facts)
    judged.predicted[`${name}Ratio`] = prediction
    if (typeof value !== 'number' || typeof theirs !== 'number' || theirs === 0) continue
    const ratio = Math.round((value / theirs) * 1000) / 1000
    judged.measured[`${name}Ratio`] = ratio
    if (judged.verdict === 'unknown' || (ratio >= prediction.low && ratio <= prediction.high)) continue
    const problem = `${prediction.label}: ${ratio}, predicted ${prediction.low} … ${prediction.high}`
    judged.sentence = judged.verdict === 'fail' ? `${judged.sentence} ${problem}` : problem
    judged.verdict = 'fail'
  }
  if (other.verdict !== 'unknown' || judged.verdict !== 'fail' || arm.verdict === 'fail') return judged
  return { ...judged, verdict: 'unknown', sentence: `The run to compare with says nothing. ${other.sentence}` }
}

/** The scenario's curves, for each target a line of its own; arms that did not run or measure leave no point. */
export function curvesOf(scenario: Scenario, arms: readonly ArmResult[]): Curve[] {
  const targets = [...new Set(arms.map(({ target }) => target))]
  return (scenario.curves ?? []).map(({ title, measure, over, lines }) => ({
    title,
    unit: describeMeasure(measure).unit,
    over,
    lines: targets.flatMap((target) =>
      Object.entries(lines).map(([label, names]) => ({
        label: targets.length > 1 ? `${label}, ${TARGET_TITLES[target]}` : label,
        points: names.flatMap((name) => {
          const y = arms.find((arm) => arm.name === name && arm.target === target)?.measured[measure]
          const x = scenario.arms[name]?.parameters?.[over]
          return typeof y === 'number' && x !== undefined ? [{ x, y }] : []
        }),
      })),
    ),
  }))
}
