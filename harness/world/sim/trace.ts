/**
 * A running hash over everything that happens in a simulated run.
 *
 * Two runs with the same hash did the same things at the same virtual times; the first difference between two runs
 * changes it for good. Two 32-bit lanes with different multipliers give 64 bits without big integers. The mixing step
 * is MurmurHash3's (Austin Appleby, public domain).
 */
export class Trace {
  private a = 0x9e3779b9 | 0
  private b = 0x85ebca6b | 0

  /** Mixes the low 32 bits of a whole number. */
  mix(word: number): void {
    let a = Math.imul(word | 0, 0xcc9e2d51)
    a = Math.imul((a << 15) | (a >>> 17), 0x1b873593) ^ this.a
    this.a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0
    let b = Math.imul(word | 0, 0x239b961b)
    b = Math.imul((b << 16) | (b >>> 16), 0x38b34ae5) ^ this.b
    this.b = (Math.imul((b << 17) | (b >>> 15), 5) + 0x0bcaa747) | 0
  }

  /** A whole number up to 2^53. */
  mixNumber(value: number): void {
    this.mix(value)
    this.mix(value / 0x100000000)
  }

  mixBytes(bytes: Uint8Array): void {
    const length = bytes.length
    const whole = length & ~3
    this.mix(length)
    for (let index = 0; index < whole; index += 4) {
      this.mix(bytes[index]! | (bytes[index + 1]! << 8) | (bytes[index + 2]! << 16) | (bytes[index + 3]! << 24))
    }
    let rest = 0
    for (let index = whole; index < length; index++) rest = (rest << 8) | bytes[index]!
    if (whole < length) this.mix(rest)
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    return hexadecimal(this.a ^ Math.imul(this.b, 0x85ebca6b)) + hexadecimal(this.b ^ (this.a >>> 16))
  }
}

function hexadecimal(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
