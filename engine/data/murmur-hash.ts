/**
 * MurmurHash64A (Austin Appleby), which spreads the elements of HyperLogLogs: the registers depend on every bit of it.
 *
 * 64-bit numbers are pairs of 32-bit halves. A product needs the upper half of low × low, which is put together from
 * four products of 16-bit parts.
 */

/** The multiplier 0xc6a4a7935bd1e995. */
const MULTIPLIER_HIGH = 0xc6a4a793 | 0
const MULTIPLIER_LOW = 0x5bd1e995
const LOW_PARTS = [MULTIPLIER_LOW & 0xffff, MULTIPLIER_LOW >>> 16] as const

export interface Hash64 {
  high: number
  low: number
}

/** The hash of memory[start…end), written into `result` as two signed 32-bit halves. `seed` has 32 bits. */
export function murmurHash64(memory: Uint8Array, start: number, end: number, seed: number, result: Hash64): void {
  setProduct(0, end - start)
  let high = productHigh
  let low = (seed ^ productLow) | 0
  let at = start
  for (; at + 8 <= end; at += 8) {
    mix(word(memory, at + 4), word(memory, at))
    setProduct(high ^ productHigh, low ^ productLow)
    high = productHigh
    low = productLow
  }
  if (at < end) {
    let tailHigh = 0
    let tailLow = 0
    for (let i = 0; at + i < end; i++) {
      const byte = memory[at + i] as number
      if (i < 4) tailLow |= byte << (8 * i)
      else tailHigh |= byte << (8 * (i - 4))
    }
    setProduct(high ^ tailHigh, low ^ tailLow)
    high = productHigh
    low = productLow
  }
  setProduct(high, low ^ (high >>> 15))
  result.high = productHigh
  result.low = productLow ^ (productHigh >>> 15)
}

/** k × m, folded by its upper 17 bits, × m. */
function mix(high: number, low: number): void {
  setProduct(high, low)
  setProduct(productHigh, productLow ^ (productHigh >>> 15))
}

let productHigh = 0
let productLow = 0

/** (high, low) × multiplier, modulo 2^64. */
function setProduct(high: number, low: number): void {
  const low0 = low & 0xffff
  const low1 = low >>> 16
  const middle = low1 * LOW_PARTS[0] + ((low0 * LOW_PARTS[0]) >>> 16)
  const middle2 = low0 * LOW_PARTS[1] + (middle & 0xffff)
  const upper = low1 * LOW_PARTS[1] + Math.floor(middle / 65536) + Math.floor(middle2 / 65536)
  productHigh = (upper + Math.imul(low, MULTIPLIER_HIGH) + Math.imul(high, MULTIPLIER_LOW)) | 0
  productLow = Math.imul(low, MULTIPLIER_LOW)
}

function word(memory: Uint8Array, at: number): number {
  return (
    (memory[at] as number) |
    ((memory[at + 1] as number) << 8) |
    ((memory[at + 2] as number) << 16) |
    ((memory[at + 3] as number) << 24)
  )
}
