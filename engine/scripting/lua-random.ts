/**
 * Redis's own pseudo random numbers for `math.random`: C's lrand48 (a linear congruential generator of 48 bits), so
 * that scripts draw the same numbers everywhere. Source of the constants: POSIX drand48.
 */
const MULTIPLIER = 0x5deece66dn
const INCREMENT = 0xbn
const MASK = (1n << 48n) - 1n
/** Before anybody has seeded it. */
const FIRST_STATE = 0x1234abcd330en

export class LuaRandom {
  private state = FIRST_STATE

  /** @param value 32 bits */
  seed(value: number): void {
    this.state = (BigInt(value >>> 0) << 16n) | 0x330en
  }

  /** Uniform in [0, 1): a multiple of 1 / (2³¹ − 1). */
  fraction(): number {
    this.state = (this.state * MULTIPLIER + INCREMENT) & MASK
    return (Number(this.state >> 17n) % LIMIT) / LIMIT
  }
}

const LIMIT = 0x7fffffff
