/**
 * HalfSipHash-1-3: a 32-bit hash under a secret 64-bit key, so that nobody who does not know the key can choose keys
 * that collide. It works in 32-bit words, which is what JavaScript computes fast (Aumasson and Bernstein, "SipHash: a
 * fast short-input PRF"; the half version is theirs too). One round per 4 bytes and three to finish, as hash tables
 * elsewhere use.
 */

/** Hash of memory[start…end) as a signed 32-bit integer. */
export function keyedHash(keyLow: number, keyHigh: number, memory: Uint8Array, start: number, end: number): number {
  // Said to be 32-bit integers, or the compiler carries these two through all rounds as tagged numbers: twice the time.
  let v0 = keyLow | 0
  let v1 = keyHigh | 0
  let v2 = 0x6c796765 ^ keyLow
  let v3 = 0x74656462 ^ keyHigh
  let position = start
  const lastWord = end - 3
  while (position < lastWord) {
    const word =
      (memory[position] as number) |
      ((memory[position + 1] as number) << 8) |
      ((memory[position + 2] as number) << 16) |
      ((memory[position + 3] as number) << 24)
    position += 4
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  let last = (end - start) << 24
  if (position < end) last |= memory[position] as number
  if (position + 1 < end) last |= (memory[position + 1] as number) << 8
  if (position + 2 < end) last |= (memory[position + 2] as number) << 16
  v3 ^= last
  for (let round = 0; round < 4; round++) {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    if (round === 0) {
      v0 ^= last
      v2 ^= 0xff
    }
  }
  return v1 ^ v3
}
