/**
 * xoshiro128**: the generator behind every `Random` port.
 *
 * One implementation serves the real server (seeded from the system's entropy) and the simulator (seeded from the
 * run's seed and a host's name), so that code never sees a difference. It is fast (a few shifts of 32-bit lanes), has
 * a period of 2^128 − 1 and passes the usual statistical batteries; it is not for secrets.
 * Algorithm: Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", https://prng.di.unimi.it/.
 */

import { createHash } from 'node:crypto'
import type { Random } from '../io.ts'

/** A generator of its own for any text: the same text gives the same sequence, on every machine. */
export function randomFromText(text: string): Random {
  return randomFromBytes(createHash('sha256').update(text).digest())
}

/** A generator whose state is the first 16 bytes of `seed`; an all-zero state is replaced, since it would stay zero. */
export function randomFromBytes(seed: Uint8Array): Random {
  if (seed.length < 16) throw new RangeError('a seed has at least 16 bytes')
  const view = new DataView(seed.buffer, seed.byteOffset, 16)
  return new Xoshiro128(
    view.getUint32(0, true),
    view.getUint32(4, true),
    view.getUint32(8, true),
    view.getUint32(12, true),
  )
}

class Xoshiro128 implements Random {
  private a: number
  private b: number
  private c: number
  private d: number

  constructor(a: number, b: number, c: number, d: number) {
    this.a = a | 0
    this.b = b | 0
    this.c = c | 0
    this.d = a === 0 && b === 0 && c === 0 && d === 0 ? 1 : d | 0
  }

  uint32(): number {
    const product = Math.imul(this.b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9)
    const shifted = this.b << 9
    this.c ^= this.a
    this.d ^= this.b
    this.b ^= this.c
    this.a ^= this.d
    this.c ^= shifted
    this.d = (this.d << 11) | (this.d >>> 21)
    return result >>> 0
  }

  fraction(): number {
    const high = this.uint32() >>> 5
    const low = this.uint32() >>> 6
    return (high * 0x4000000 + low) / 0x20000000000000
  }

  /** Rejects the incomplete last cycle of 2^32, so that no value is more likely than another. */
  below(limit: number): number {
    if (!(limit >= 1 && limit <= 0x100000000) || !Number.isInteger(limit)) {
      throw new RangeError(`a limit is a whole number from 1 to 2^32, not ${limit}`)
    }
    const usable = 0x100000000 - (0x100000000 % limit)
    let value = this.uint32()
    while (value >= usable) value = this.uint32()
    return value % limit
  }

  fill(bytes: Uint8Array): void {
    let word = 0
    for (let index = 0; index < bytes.length; index++) {
      if ((index & 3) === 0) word = this.uint32()
      bytes[index] = word & 0xff
      word >>>= 8
    }
  }
}
