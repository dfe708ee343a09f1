/** Drawing ids of keys: 0 … count - 1 by the distributions of `KeyDistribution`. Every draw is O(1). */
import type { Random } from '../../engine/io.ts'
import type { KeyDistribution, NumberSpec } from './load-spec.ts'

export interface IdSource {
  next(): number
}

/**
 * @param client number of the client, and how many there are: sequential ids are dealt out in turn, so that all
 *   clients together pass through every id.
 */
export function createIdSource(
  distribution: KeyDistribution,
  count: number,
  random: Random,
  client: { index: number; of: number },
): IdSource {
  switch (distribution.kind) {
    case 'uniform':
      return { next: () => random.below(count) }
    case 'zipf':
      return new Zipf(count, distribution.exponent, random)
    case 'gaussian':
      return new Gaussian(count, distribution.deviation, random)
    case 'sequential': {
      let next = client.index % count
      return {
        next: () => {
          const id = next
          next = (next + client.of) % count
          return id
        },
      }
    }
    case 'hot': {
      const hot = Math.min(count, Math.max(1, Math.round(count * distribution.keys)))
      const { share } = distribution
      return {
        next: () => (hot === count || random.fraction() < share ? random.below(hot) : hot + random.below(count - hot)),
      }
    }
  }
}

/**
 * Zipf by rejection-inversion: W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone
 * discrete distributions", ACM TOMACS 6 (1996) 169-184. No table, any exponent above 0, at most a few tries a draw.
 */
class Zipf implements IdSource {
  private readonly count: number
  private readonly exponent: number
  private readonly random: Random
  private readonly integralOfFirst: number
  private readonly integralOfLast: number
  private readonly shortcut: number

  constructor(count: number, exponent: number, random: Random) {
    this.count = count
    this.exponent = exponent
    this.random = random
    this.integralOfFirst = this.integral(1.5) - 1
    this.integralOfLast = this.integral(count + 0.5)
    this.shortcut = 2 - this.inverse(this.integral(2.5) - this.density(2))
  }

  next(): number {
    for (;;) {
      const area = this.integralOfLast + this.random.fraction() * (this.integralOfFirst - this.integralOfLast)
      const x = this.inverse(area)
      const rank = Math.min(this.count, Math.max(1, Math.round(x)))
      if (rank - x <= this.shortcut || area >= this.integral(rank + 0.5) - this.density(rank)) return rank - 1
    }
  }

  private density(x: number): number {
    return x ** -this.exponent
  }

  /** Of the density from 1 to x; the limit of exponent 1 is a logarithm. */
  private integral(x: number): number {
    const power = 1 - this.exponent
    return Math.abs(power) < 1e-9 ? Math.log(x) : (x ** power - 1) / power
  }

  private inverse(area: number): number {
    const power = 1 - this.exponent
    return Math.abs(power) < 1e-9 ? Math.exp(area) : Math.max(Number.MIN_VALUE, 1 + area * power) ** (1 / power)
  }
}

class Gaussian implements IdSource {
  private readonly count: number
  private readonly deviation: number
  private readonly random: Random

  constructor(count: number, deviation: number, random: Random) {
    this.count = count
    this.deviation = deviation
    this.random = random
  }

  next(): number {
    for (;;) {
      const id = Math.floor(this.count / 2 + this.deviation * standardNormal(this.random))
      if (id >= 0 && id < this.count) return id
    }
  }
}

/** Box and Muller's transformation, one of its two values. */
function standardNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.fraction())) * Math.cos(2 * Math.PI * random.fraction())
}

/** Whole numbers as `NumberSpec` says. */
export function createNumberSource(spec: NumberSpec, random: Random): () => number {
  switch (spec.kind) {
    case 'fixed':
      return () => spec.value
    case 'uniform':
      return () => spec.low + random.below(spec.high - spec.low + 1)
    case 'skewed': {
      const ratio = Math.log((spec.high + 1) / Math.max(1, spec.low))
      return () => Math.min(spec.high, Math.floor(Math.max(1, spec.low) * Math.exp(ratio * random.fraction())))
    }
  }
}
