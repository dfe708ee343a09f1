/** The `Random` port of a real process: the shared generator, seeded from the system's entropy. */

import { randomBytes } from 'node:crypto'
import { randomFromBytes } from '../data/random.ts'
import type { Random } from '../io.ts'

export function createNodeRandom(): Random {
  return randomFromBytes(randomBytes(16))
}
