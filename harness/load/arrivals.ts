/**
 * Planned times of an open loop. A stream of arrivals is shared by the threads of a run: thread i of n takes every n-th
 * arrival, so that together they make exactly the stream that one would.
 */
import type { Random } from '../../engine/io.ts'
import type { ArrivalsSpec } from './load-spec.ts'

export interface Arrivals {
  /** Time of the next arrival in µs from the start; never decreases. Infinity: there are no more. */
  next(): number
}

export function createArrivals(spec: Exclude<ArrivalsSpec, { kind: 'closed' }>, random: Random): Arrivals {
  switch (spec.kind) {
    case 'constant':
      return evenly(spec.ratePerSecond)
    case 'poisson': {
      const meanGapUs = 1e6 / spec.ratePerSecond
      let atUs = 0
      return {
        next: () => {
          atUs -= meanGapUs * Math.log(1 - random.fraction())
          return atUs
        },
      }
    }
    case 'ramp':
      return ramp(spec.fromPerSecond, spec.toPerSecond, spec.overMs * 1000)
    case 'staircase':
      return staircase(spec.ratesPerSecond, spec.stepMs * 1000)
    case 'burst':
      return merge(spec.ratePerSecond > 0 ? evenly(spec.ratePerSecond) : { next: () => Number.POSITIVE_INFINITY }, {
        next: inGroups(spec.size, spec.everyMs * 1000),
      })
  }
}

/** Every `of`-th arrival, beginning with number `index`. */
export function shareOf(arrivals: Arrivals, index: number, of: number): Arrivals {
  if (of === 1) return arrivals
  for (let i = 0; i < index; i++) arrivals.next()
  let first = true
  return {
    next: () => {
      if (first) first = false
      else for (let i = 1; i < of; i++) arrivals.next()
      return arrivals.next()
    },
  }
}

function evenly(ratePerSecond: number): Arrivals {
  let count = 0
  // Multiplied, not added up: a long run does not drift.
  return { next: () => (count++ * 1e6) / ratePerSecond }
}

/**
 * With rates r0 … r1 over T, n arrivals have come at the time t where r0 t + (r1 - r0) t² / 2T = n. Solved for t in the
 * form that stays exact when both rates are nearly the same.
 */
function ramp(fromPerSecond: number, toPerSecond: number, overUs: number): Arrivals {
  const from = fromPerSecond / 1e6
  const to = toPerSecond / 1e6
  const slope = (to - from) / overUs
  const during = ((from + to) / 2) * overUs
  let count = 0
  return {
    next: () => {
      const n = count++
      if (n >= during) return to > 0 ? overUs + (n - during) / to : Number.POSITIVE_INFINITY
      return n === 0 ? 0 : (2 * n) / (from + Math.sqrt(from * from + 2 * slope * n))
    },
  }
}

function staircase(ratesPerSecond: readonly number[], stepUs: number): Arrivals {
  let step = 0
  let inStep = 0
  return {
    next: () => {
      for (;;) {
        const rate = ratesPerSecond[step] ?? 0
        const isLast = step >= ratesPerSecond.length - 1
        const atUs = rate > 0 ? (inStep * 1e6) / rate : Number.POSITIVE_INFINITY
        if (atUs < stepUs || (isLast && rate > 0)) {
          inStep++
          return step * stepUs + atUs
        }
        if (isLast) return Number.POSITIVE_INFINITY
        step++
        inStep = 0
      }
    },
  }
}

function inGroups(size: number, everyUs: number): () => number {
  let count = 0
  return () => Math.floor(count++ / size) * everyUs
}

function merge(a: Arrivals, b: Arrivals): Arrivals {
  let nextA = a.next()
  let nextB = b.next()
  return {
    next: () => {
      const first = Math.min(nextA, nextB)
      if (nextA <= nextB) nextA = a.next()
      else nextB = b.next()
      return first
    },
  }
}
