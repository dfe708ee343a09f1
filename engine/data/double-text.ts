/**
 * Floating point numbers in text: as C's strtod reads them (decimal, hexadecimal, `inf`, `infinity`, blanks in front),
 * and as its printf writes them. JavaScript writes the same digits but for one rule: of two texts that are equally near
 * to a number, C takes the one that ends in an even digit, JavaScript the larger.
 */

const BLANKS = /^[\t-\r ]*/
const INFINITE = /^([+-]?)inf(?:inity)?$/i
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/i

/** The value of all of the text, blanks in front allowed; undefined when it is no number or NaN. Never NaN. */
export function parseLenientDouble(text: string): number | undefined {
  if (text === '') return 0
  const digits = text.replace(BLANKS, '')
  if (DECIMAL.test(digits)) return Number(digits)
  const infinite = INFINITE.exec(digits)
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  const hexadecimal = HEXADECIMAL.exec(digits)
  return hexadecimal === null ? undefined : hexadecimalValue(hexadecimal)
}

/** The same as Redis demands it of scores: not empty, no blanks, neither too large nor too small for a double. */
export function parseStrictDouble(text: string): number | undefined {
  if (text === '' || /^[\t-\r ]/.test(text)) return undefined
  const value = parseLenientDouble(text)
  if (value === undefined) return undefined
  if (!Number.isFinite(value)) return INFINITE.test(text) ? value : undefined
  return value === 0 && hasDigits(text) ? undefined : value
}

/** Whether the text of a zero has digits of another value: it is too small, then. */
function hasDigits(text: string): boolean {
  return /^[+-]?0x/i.test(text)
    ? /[1-9a-f]/i.test(text.replace(/^[+-]?0x|p.*$/gi, ''))
    : /[1-9]/.test(text.replace(/e.*$/i, ''))
}

function hexadecimalValue([, sign, whole = '', fraction = '', exponent = '0']: RegExpExecArray): number | undefined {
  if (whole === '' && fraction === '') return undefined
  const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length)
  return sign === '-' ? -value : value
}

/** C's `%.17g`, with which Redis prints doubles; infinities are `inf` and `-inf`. */
export function formatDouble(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf'
  if (value === Number.NEGATIVE_INFINITY) return '-inf'
  return Number.isNaN(value) ? 'nan' : formatWithPrecision(value, 17)
}

/** C's `%.<precision>g` for finite numbers. */
export function formatWithPrecision(value: number, precision: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 10 ** Math.min(precision, 15)) {
    return Object.is(value, -0) ? '-0' : String(value)
  }
  const magnitude = Math.abs(value)
  if (magnitude >= 1e-4 && magnitude < 10 ** (precision - 1)) {
    // Neither language uses an exponent here, however the last digit is rounded.
    const text = value.toPrecision(precision)
    const point = text.indexOf('.')
    return trimmed(evenAtTie(text, value, point < 0 ? 0 : text.length - 1 - point))
  }
  const rounded = value.toExponential(precision - 1)
  const mark = rounded.indexOf('e')
  const exponent = Number(rounded.slice(mark + 1))
  const mantissa = evenAtTie(rounded.slice(0, mark), value, precision - 1 - exponent)
  if (exponent < -4 || exponent >= precision) {
    const size = Math.abs(exponent)
    return `${trimmed(mantissa)}e${exponent < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`
  }
  const sign = value < 0 ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  if (exponent < 0) return trimmed(`${sign}0.${'0'.repeat(-1 - exponent)}${digits}`)
  const whole = `${sign}${digits.slice(0, exponent + 1)}`
  return exponent + 1 === precision ? whole : trimmed(`${whole}.${digits.slice(exponent + 1)}`)
}

/** C's `%.<decimals>f`. */
export function formatFixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return formatDouble(value)
  if (Object.is(value, -0)) return `-${formatFixed(0, decimals)}`
  if (Math.abs(value) < 1e21) return evenAtTie(value.toFixed(decimals), value, decimals)
  return `${BigInt(value)}.${'0'.repeat(decimals)}`
}

/** `digits` is `value` as JavaScript has rounded it to so many decimals (fewer than none: to a power of ten). */
function evenAtTie(digits: string, value: number, decimals: number): string {
  const last = Number(digits.at(-1))
  return last % 2 === 1 && isTie(Math.abs(value), decimals) ? `${digits.slice(0, -1)}${last - 1}` : digits
}

/**
 * Whether the number lies right between two neighbours of so many decimals: then it is an odd multiple of 2^-(decimals
 * + 1).
 */
function isTie(size: number, decimals: number): boolean {
  if (decimals >= 0) return (size * 2 ** (decimals + 1)) % 2 === 1
  const unit = 10n ** BigInt(-decimals)
  return Number.isInteger(size) && BigInt(size) % unit === unit / 2n
}

function trimmed(decimal: string): string {
  if (!decimal.includes('.')) return decimal
  let end = decimal.length
  while (decimal.charCodeAt(end - 1) === ZERO) end--
  return decimal.slice(0, decimal.charCodeAt(end - 1) === POINT ? end - 1 : end)
}

const POINT = 46
const ZERO = 48
