/**
 * A comparison with redis-server that must find these differences and no others, each with its reason: a new difference
 * fails, and so does an entry that is not needed any more.
 */
import { expect } from 'vitest'

export type Reasons = Readonly<Record<string, string>>

/** @param known may end in `*` for all that begin so */
export function expectDifferences(found: Iterable<string>, known: Reasons): void {
  const names = [...found]
  const unexplained = names.filter((name) => !isExplained(name, known))
  const needless = Object.keys(known).filter((pattern) => !names.some((name) => matches(pattern, name)))
  expect({ unexplained, needless }).toEqual({ unexplained: [], needless: [] })
}

function isExplained(name: string, known: Reasons): boolean {
  return Object.keys(known).some((pattern) => matches(pattern, name))
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
