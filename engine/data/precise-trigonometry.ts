/**
 * Sine, cosine and arc sine rounded to the nearest double, as C libraries give them nearly always. JavaScript's own
 * differ in the last digit for some percent of all arguments; where a result is stored with all its digits (STOREDIST)
 * that shows.
 *
 * Numbers of twice the precision are the unevaluated sum of two doubles (Dekker, "A floating-point technique for
 * extending the available precision", 1971).
 */

interface Double2 {
  high: number
  low: number
}

function add(a: Double2, b: Double2): Double2 {
  const sum = a.high + b.high
  const part = sum - a.high
  const error = a.high - (sum - part) + (b.high - part) + a.low + b.low
  const high = sum + error
  return { high, low: error - (high - sum) }
}

const SPLITTER = 2 ** 27 + 1

function upperHalf(value: number): number {
  const scaled = value * SPLITTER
  return scaled - (scaled - value)
}

function multiply(a: Double2, b: Double2): Double2 {
  const product = a.high * b.high
  const upperA = upperHalf(a.high)
  const upperB = upperHalf(b.high)
  const lowerA = a.high - upperA
  const lowerB = b.high - upperB
  const exact = upperA * upperB - product + upperA * lowerB + lowerA * upperB + lowerA * lowerB
  const error = exact + a.high * b.low + a.low * b.high
  const high = product + error
  return { high, low: error - (high - product) }
}

const of = (high: number, low = 0): Double2 => ({ high, low })
const negative = ({ high, low }: Double2): Double2 => ({ high: -high, low: -low })

/** π/2 to 106 bits. */
const QUARTER_TURN = of(1.5707963267948966, 6.123233995736766e-17)
const TERMS = 28

/** 1/n! in twice the precision. */
const inverseFactorials: readonly Double2[] = (() => {
  const results = [of(1)]
  let factorial = 1n
  for (let n = 1; n <= TERMS; n++) {
    factorial *= BigInt(n)
    const high = 1 / Number(factorial)
    // What is missing: (1 − high·n!) / n!
    results.push(of(high, remainder(high, factorial) / Number(factorial)))
  }
  return results
})()

/** 1 − value × factor, exactly until the last step. The last bit of a value is worth 2^−151 or more. */
function remainder(value: number, factor: bigint): number {
  const scale = 2 ** 160
  return Number(BigInt(scale) - BigInt(value * scale) * factor) / scale
}

/** Σ ± r^n/n! for n = first, first + 2, … */
function series(r: Double2, first: 0 | 1): Double2 {
  const square = negative(multiply(r, r))
  let sum = of(0)
  const last = TERMS - ((TERMS - first) % 2)
  for (let n = last; n >= first; n -= 2) sum = add(multiply(sum, square), inverseFactorials[n] as Double2)
  return first === 1 ? multiply(sum, r) : sum
}

/** The sine of x + `quarters` × π/2. */
function sine(x: number, quarters: number): Double2 {
  const turns = Math.round(x / QUARTER_TURN.high)
  const r = add(of(x), negative(multiply(of(turns), QUARTER_TURN)))
  const phase = (((turns + quarters) % 4) + 4) % 4
  const value = series(r, phase % 2 === 0 ? 1 : 0)
  return phase >= 2 ? negative(value) : value
}

/** |x| is at most some turns. */
export function preciseSin(x: number): number {
  return x === 0 ? x : sine(x, 0).high
}

export function preciseCos(x: number): number {
  return sine(x, 1).high
}

/** By one step of Newton's method from the near value. */
export function preciseAsin(x: number): number {
  const near = Math.asin(x)
  if (!(Math.abs(x) < 1) || x === 0) return near
  const rest = add(of(x), negative(sine(near, 0)))
  return near + rest.high / Math.cos(near)
}
