/**
 * The 80-bit extended floating point numbers of x86 (`long double`), for INCRBYFLOAT and HINCRBYFLOAT, whose results
 * Redis computes and prints with them. A value is `mantissa × 2^exponent` with a mantissa of at most 64 bits, and every
 * operation rounds to nearest, ties to even: so 0.1 + 0.2 gives `0.3` here as it does there, where doubles would not.
 *
 * Deviation: the smallest values (below 2^-16382) keep their full precision instead of losing it gradually. It cannot
 * be seen in a text with 17 decimals.
 */

export interface LongDouble {
  /** Signed; |mantissa| < 2^64. */
  readonly mantissa: bigint
  readonly exponent: number
}

const MANTISSA_BITS = 64
/** Values from 2^16384 on are infinite. */
const MAX_EXPONENT = 16384
/** Values below half the smallest denormal number, 2^-16445, are zero. */
const MIN_EXPONENT = -16446
/** What Redis accepts at most: MAX_LONG_DOUBLE_CHARS. */
const MAX_TEXT_BYTES = 5 * 1024

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/
const HEXADECIMAL = /^([+-]?)0[xX]([\da-fA-F]*)(?:\.([\da-fA-F]*))?(?:[pP]([+-]?\d+))?$/
const INFINITE = /^([+-]?)inf(?:inity)?$/i

export const INFINITY = 'infinite'

/** Reads a number as C's strtold does, all of the text; undefined when it is none, or out of range. */
export function parseLongDouble(text: string): LongDouble | typeof INFINITY | undefined {
  if (text.length === 0 || text.length >= MAX_TEXT_BYTES) return undefined
  if (INFINITE.test(text)) return INFINITY
  const decimal = DECIMAL.exec(text)
  if (decimal !== null) return fromParts(decimal, 10n, 1)
  const hexadecimal = HEXADECIMAL.exec(text)
  return hexadecimal === null ? undefined : fromParts(hexadecimal, 16n, 4)
}

/** `base` is that of the digits; the exponent's is 10, or 2 with `fractionBits` for each digit of the fraction. */
function fromParts(match: RegExpExecArray, base: 10n | 16n, fractionBits: number): LongDouble | undefined {
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match
  const digits = whole + fraction
  if (digits.length === 0) return undefined
  const magnitude = base === 10n ? BigInt(digits) : BigInt(`0x${digits}`)
  if (magnitude === 0n) return { mantissa: 0n, exponent: 0 }
  const signed = sign === '-' ? -magnitude : magnitude
  const exponent = Number(exponentText) - fraction.length * fractionBits
  if (Math.abs(exponent) > 4 * MAX_TEXT_BYTES + MAX_EXPONENT * 2) return undefined
  const rounded =
    base === 16n
      ? roundQuotient(signed, 1n, exponent)
      : exponent >= 0
        ? roundQuotient(signed * 10n ** BigInt(exponent), 1n, 0)
        : roundQuotient(signed, 10n ** BigInt(-exponent), 0)
  return isInRange(rounded) && topBit(rounded) > MIN_EXPONENT ? rounded : undefined
}

/** Undefined when the sum is infinite. */
export function addLongDoubles(a: LongDouble, b: LongDouble): LongDouble | undefined {
  const exponent = Math.min(a.exponent, b.exponent)
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent))
  const rounded = roundQuotient(sum, 1n, exponent)
  return isInRange(rounded) ? rounded : undefined
}

/** As printf's `%.17Lf` without the zeros at its end: what Redis calls the human-friendly form. */
export function formatLongDouble(value: LongDouble): string {
  const negative = value.mantissa < 0n
  const magnitude = negative ? -value.mantissa : value.mantissa
  const scaled =
    value.exponent >= 0
      ? (magnitude << BigInt(value.exponent)) * 10n ** 17n
      : divideToEven(magnitude * 10n ** 17n, 1n << BigInt(-value.exponent))
  const digits = scaled.toString().padStart(18, '0')
  const fraction = digits.slice(-17).replace(/0+$/, '')
  const text = fraction === '' ? digits.slice(0, -17) : `${digits.slice(0, -17)}.${fraction}`
  return negative && text !== '0' ? `-${text}` : text
}

/** numerator ÷ denominator × 2^exponent, rounded to a mantissa of 64 bits. */
function roundQuotient(numerator: bigint, denominator: bigint, exponent: number): LongDouble {
  if (numerator === 0n) return { mantissa: 0n, exponent: 0 }
  const negative = numerator < 0n
  const magnitude = negative ? -numerator : numerator
  let shift = bitLength(magnitude) - bitLength(denominator) - MANTISSA_BITS
  let mantissa = shiftedQuotient(magnitude, denominator, shift)
  if (bitLength(mantissa) > MANTISSA_BITS) {
    shift++
    mantissa = shiftedQuotient(magnitude, denominator, shift)
  }
  return { mantissa: negative ? -mantissa : mantissa, exponent: exponent + shift }
}

function shiftedQuotient(magnitude: bigint, denominator: bigint, shift: number): bigint {
  return shift >= 0
    ? divideToEven(magnitude, denominator << BigInt(shift))
    : divideToEven(magnitude << BigInt(-shift), denominator)
}

function divideToEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  const twice = (numerator - quotient * denominator) * 2n
  const up = twice > denominator || (twice === denominator && (quotient & 1n) === 1n)
  return up ? quotient + 1n : quotient
}

function bitLength(value: bigint): number {
  return value.toString(16).length * 4 - Math.clz32(Number.parseInt(value.toString(16)[0] as string, 16)) + 28
}

/** The value is below 2^topBit. */
function topBit(value: LongDouble): number {
  return bitLength(value.mantissa < 0n ? -value.mantissa : value.mantissa) + value.exponent
}

function isInRange(value: LongDouble): boolean {
  return topBit(value) <= MAX_EXPONENT
}
