/** C's `%.<precision>g` for finite numbers, as Lua and cjson print them. */
export function formatWithPrecision(value: number, precision: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 10 ** Math.min(precision, 15)) {
    return Object.is(value, -0) ? '-0' : String(value)
  }
  const [mantissa, exponentText] = roundedToEven(value, precision).split('e') as [string, string]
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= precision) {
    const size = Math.abs(exponent)
    return `${trimmed(mantissa)}e${exponent < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`
  }
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  if (exponent < 0) return trimmed(`${sign}0.${'0'.repeat(-1 - exponent)}${digits}`)
  const fraction = digits.slice(exponent + 1)
  const whole = `${sign}${digits.slice(0, exponent + 1)}`
  return fraction === '' ? whole : trimmed(`${whole}.${fraction}`)
}

/** `toExponential` with C's rounding: of two equally near numbers the even one, where JavaScript takes the larger. */
function roundedToEven(value: number, precision: number): string {
  const rounded = value.toExponential(precision - 1)
  const isTie = /5e/.test(value.toExponential(precision))
  if (!isTie) return rounded
  const exact = value.toExponential(100)
  const kept = exact.slice(0, (value < 0 ? 1 : 0) + precision + 1)
  const isExactTie = /^50*e/.test(exact.slice(kept.length))
  return isExactTie && Number(kept.at(-1)) % 2 === 0 ? `${kept}${exact.slice(exact.indexOf('e'))}` : rounded
}

function trimmed(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal
}
