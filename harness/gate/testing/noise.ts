/** Seeded noise for tests of the gate. */
import { randomFromText } from '../../../engine/data/random.ts'

/** Standard normal draws (Box and Muller). */
export function normalNoise(seed: string): () => number {
  const random = randomFromText(seed)
  return () => Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction())
}
