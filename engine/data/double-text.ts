/**
 * Floating point numbers in text as C's strtod reads them: decimal, hexadecimal, `inf`, `infinity`, blanks in front.
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
