/**
 * A figure that people expect of a server, such as 100,000 requests a second, told for every arm. What a run reaches
 * is the least of what the server, the load driver and the machine can do, so a miss is put down to the server only
 * when the server's own CPU time says so too, and neither where redis-server misses it just as well: the
 * request itself costs too much for the figure, or the machine is too slow for it.
 */
import type { ArmResult, Goal } from '../../reports/result.ts'
import type { GoalSpec } from '../scenario.ts'

type MeasuredArm = Pick<ArmResult, 'name' | 'target' | 'measured' | 'verdict' | 'sentence'>

/** In the order of the arms; those that measured nothing are left out. */
export function goalsOf(spec: GoalSpec | undefined, arms: readonly MeasuredArm[]): Goal[] {
  if (spec === undefined) return []
  return arms.flatMap((arm) => {
    const value = arm.measured[spec.measure]
    const capacity = arm.measured[spec.capacity]
    if (typeof value !== 'number' || typeof capacity !== 'number') return []
    const reference = arms.find(({ name, target }) => name === arm.name && target === 'redis')?.measured[spec.capacity]
    const judged = judge(spec, arm, {
      value,
      capacity,
      reference: typeof reference === 'number' ? reference : undefined,
    })
    return [{ arm: arm.name, target: arm.target, label: spec.label, wanted: spec.atLeast, value, capacity, ...judged }]
  })
}

interface Figures {
  value: number
  capacity: number
  /** Capacity of redis-server in the same run. */
  reference: number | undefined
}

function judge(
  { atLeast }: GoalSpec,
  { verdict, sentence, target }: MeasuredArm,
  { value, capacity, reference }: Figures,
): Pick<Goal, 'verdict' | 'sentence'> {
  if (verdict === 'unknown') return { verdict, sentence }
  if (value >= atLeast) return { verdict: 'pass', sentence: 'Reached.' }
  if (capacity >= atLeast) {
    const share = Math.round((value / capacity) * 100)
    return { verdict: 'unknown', sentence: `Within reach: the server had ${share} % of one CPU.` }
  }
  if (target === 'redis' || (reference !== undefined && reference < atLeast)) {
    const sentence = 'redis-server does not reach it either: such a request costs more than that on this machine.'
    return { verdict: 'unknown', sentence }
  }
  return { verdict: 'fail', sentence: 'Not reached, not even with a CPU for the server alone.' }
}
