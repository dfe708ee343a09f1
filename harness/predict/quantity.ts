/**
 * Quantities: predictions as data. A scenario writes `product(rate('minority'), between(T, scaled(1.5, T)))`; given an
 * arm's settings this evaluates to an interval, prints itself as a formula, and prints the formula with the settings
 * put in. So a prediction follows every change of a setting by itself.
 *
 * Interval arithmetic: all quantities are non-negative, hence sum, product, least and greatest act on the ends.
 * Times are seconds, rates are per second.
 */

export type Quantity =
  | { kind: 'constant'; low: number; high: number; unit: '' | 's' | '/s' }
  | { kind: 'setting'; name: string; unit: '' | 's' | 'ms' | 'bytes' }
  | { kind: 'parameter'; name: string }
  | { kind: 'measured'; name: string; unit: '' | 'ms' }
  | { kind: 'rate'; group: string }
  | { kind: 'named'; name: string; value: Quantity }
  | { kind: 'sum'; of: readonly Quantity[] }
  | { kind: 'product'; of: readonly Quantity[] }
  | { kind: 'least'; of: readonly Quantity[] }
  | { kind: 'greatest'; of: readonly Quantity[] }
  | { kind: 'between'; low: Quantity; high: Quantity }
  | { kind: 'scaled'; factor: number; value: Quantity }
  | { kind: 'less'; value: Quantity; by: Quantity }
  | { kind: 'when'; setting: string; atLeast: number; then: Quantity; otherwise: Quantity }

export interface Interval {
  low: number
  high: number
}

/** What a quantity may refer to: an arm's effective settings, as text, and the workload's rates by group of clients. */
export interface Facts {
  settings: Readonly<Record<string, string>>
  ratesPerSecond: Readonly<Record<string, number>>
  /** Of the arm, beside the servers' settings: sizes and the like. */
  parameters?: Readonly<Record<string, number>>
  /** What the arm measured: a prediction may build on another measure of the same run. */
  measured?: Readonly<Record<string, unknown>>
}

export function seconds(low: number, high = low): Quantity {
  return { kind: 'constant', low, high, unit: 's' }
}

export function count(low: number, high = low): Quantity {
  return { kind: 'constant', low, high, unit: '' }
}

/** A configuration parameter; `unit` is the unit in which the parameter is given (`bytes`: also as 64mb). */
export function setting(name: string, unit: '' | 's' | 'ms' | 'bytes'): Quantity {
  return { kind: 'setting', name, unit }
}

/** A number of the arm that is no server's setting, such as the size of the data set. */
export function parameter(name: string): Quantity {
  return { kind: 'parameter', name }
}

/** Another measure of the same arm, `ms` where it is a time: what follows from it is predicted from it. */
export function measured(name: string, unit: '' | 'ms'): Quantity {
  return { kind: 'measured', name, unit }
}

/** Operations per second that the workload's client group offers. */
export function rate(group: string): Quantity {
  return { kind: 'rate', group }
}

/** Prints as `name` in formulas. */
export function named(name: string, value: Quantity): Quantity {
  return { kind: 'named', name, value }
}

export function sum(...of: Quantity[]): Quantity {
  return { kind: 'sum', of }
}

export function product(...of: Quantity[]): Quantity {
  return { kind: 'product', of }
}

export function least(...of: Quantity[]): Quantity {
  return { kind: 'least', of }
}

export function greatest(...of: Quantity[]): Quantity {
  return { kind: 'greatest', of }
}

/** From the low end of `low` to the high end of `high`. */
export function between(low: Quantity, high: Quantity): Quantity {
  return { kind: 'between', low, high }
}

export function scaled(factor: number, value: Quantity): Quantity {
  return { kind: 'scaled', factor, value }
}

/** `value − by`, never below 0. */
export function less(value: Quantity, by: Quantity): Quantity {
  return { kind: 'less', value, by }
}

/** One quantity or the other, by a numeric setting of the arm. */
export function when(setting: string, atLeast: number, then: Quantity, otherwise: Quantity): Quantity {
  return { kind: 'when', setting, atLeast, then, otherwise }
}

/** Throws when a setting or group is unknown: a mistake in the scenario. */
export function evaluate(quantity: Quantity, facts: Facts): Interval {
  switch (quantity.kind) {
    case 'constant':
      return { low: quantity.low, high: quantity.high }
    case 'setting': {
      const value =
        quantity.unit === 'bytes'
          ? settingBytes(quantity.name, facts)
          : settingValue(quantity.name, facts) / (quantity.unit === 'ms' ? 1000 : 1)
      return { low: value, high: value }
    }
    case 'parameter': {
      const value = facts.parameters?.[quantity.name]
      if (value === undefined) throw new Error(`a quantity needs the parameter '${quantity.name}', which the arm lacks`)
      return { low: value, high: value }
    }
    case 'measured': {
      const found = facts.measured?.[quantity.name]
      // Nothing measured, nothing predicted: the interval is empty, and the measure that needs it cannot hold.
      if (typeof found !== 'number') return { low: 0, high: -1 }
      const value = quantity.unit === 'ms' ? found / 1000 : found
      return { low: value, high: value }
    }
    case 'rate': {
      const value = facts.ratesPerSecond[quantity.group]
      if (value === undefined)
        throw new Error(`a prediction names the client group '${quantity.group}', which the workload lacks`)
      return { low: value, high: value }
    }
    case 'named':
      return evaluate(quantity.value, facts)
    case 'sum':
      return combine(quantity.of, facts, (a, b) => a + b)
    case 'product':
      return combine(quantity.of, facts, (a, b) => a * b)
    case 'least':
      return combine(quantity.of, facts, Math.min)
    case 'greatest':
      return combine(quantity.of, facts, Math.max)
    case 'between':
      return { low: evaluate(quantity.low, facts).low, high: evaluate(quantity.high, facts).high }
    case 'scaled': {
      const value = evaluate(quantity.value, facts)
      return { low: value.low * quantity.factor, high: value.high * quantity.factor }
    }
    case 'less': {
      const value = evaluate(quantity.value, facts)
      const by = evaluate(quantity.by, facts)
      return { low: Math.max(0, value.low - by.high), high: Math.max(0, value.high - by.low) }
    }
    case 'when':
      return evaluate(chosen(quantity, facts), facts)
  }
}

/** For durations and times, which must be a single number: the high end, in milliseconds. */
export function evaluateMs(quantity: Quantity, facts: Facts): number {
  return Math.round(evaluate(quantity, facts).high * 1000)
}

/** The formula in names. With facts, `when` shows the branch that applies. */
export function formula(quantity: Quantity, facts: Facts): string {
  return print(quantity, facts, false)
}

/** The formula with the arm's numbers. */
export function derivation(quantity: Quantity, facts: Facts): string {
  return print(quantity, facts, true)
}

function combine(of: readonly Quantity[], facts: Facts, join: (a: number, b: number) => number): Interval {
  const [first, ...rest] = of.map((part) => evaluate(part, facts))
  if (first === undefined) throw new Error('a sum, product or least of nothing has no value')
  return rest.reduce((a, b) => ({ low: join(a.low, b.low), high: join(a.high, b.high) }), first)
}

function settingValue(name: string, facts: Facts): number {
  const text = facts.settings[name]
  const value = Number(text)
  if (text === undefined || !Number.isFinite(value)) {
    throw new Error(`a prediction needs the setting '${name}' as a number, but the arm has '${text ?? 'nothing'}'`)
  }
  return value
}

const MEMORY_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1000,
  kb: 1024,
  m: 1000 ** 2,
  mb: 1024 ** 2,
  g: 1000 ** 3,
  gb: 1024 ** 3,
}

function settingBytes(name: string, facts: Facts): number {
  const [, digits = '', unit = ''] = /^(\d+)([a-z]*)$/i.exec(facts.settings[name] ?? '') ?? []
  const factor = MEMORY_UNITS[unit.toLowerCase()]
  if (digits === '' || factor === undefined) {
    throw new Error(`a prediction needs the setting '${name}' as a size, but the arm has '${facts.settings[name]}'`)
  }
  return Number(digits) * factor
}

function chosen(quantity: Extract<Quantity, { kind: 'when' }>, facts: Facts): Quantity {
  return settingValue(quantity.setting, facts) >= quantity.atLeast ? quantity.then : quantity.otherwise
}

function print(quantity: Quantity, facts: Facts, numbers: boolean): string {
  const inner = (part: Quantity): string => print(part, facts, numbers)
  const nested = (part: Quantity): string => (isCompound(part, facts, numbers) ? `(${inner(part)})` : inner(part))
  switch (quantity.kind) {
    case 'constant': {
      const unit = quantity.unit === 's' ? ' s' : quantity.unit
      const low = plain(quantity.low)
      return quantity.low === quantity.high ? low + unit : `${low} … ${plain(quantity.high)}${unit}`
    }
    case 'setting':
      return numbers ? plain(evaluate(quantity, facts).low) + unitText(quantity.unit) : quantity.name
    case 'parameter':
      return numbers ? plain(evaluate(quantity, facts).low) : quantity.name
    case 'measured':
      return numbers ? plain(evaluate(quantity, facts).low) + unitText(quantity.unit) : `measured ${quantity.name}`
    case 'rate':
      return numbers ? `${plain(evaluate(quantity, facts).low)}/s` : `rate of ${quantity.group} clients`
    case 'named':
      return numbers ? inner(quantity.value) : quantity.name
    case 'sum':
      return quantity.of.map(inner).join(' + ')
    case 'product':
      return quantity.of.map(nested).join(' × ')
    case 'least':
      return `min(${quantity.of.map(inner).join('; ')})`
    case 'greatest':
      return `max(${quantity.of.map(inner).join('; ')})`
    case 'between':
      return `${inner(quantity.low)} … ${inner(quantity.high)}`
    case 'scaled':
      return `${plain(quantity.factor)} × ${nested(quantity.value)}`
    case 'less':
      return `${nested(quantity.value)} − ${nested(quantity.by)}`
    case 'when':
      return inner(chosen(quantity, facts))
  }
}

function unitText(unit: '' | 's' | 'ms' | 'bytes'): string {
  if (unit === '') return ''
  return unit === 'bytes' ? ' bytes' : ' s'
}

function isCompound(quantity: Quantity, facts: Facts, numbers: boolean): boolean {
  switch (quantity.kind) {
    case 'when':
      return isCompound(chosen(quantity, facts), facts, numbers)
    case 'named':
      return numbers && isCompound(quantity.value, facts, numbers)
    case 'constant':
      return quantity.low !== quantity.high
    case 'sum':
    case 'between':
    case 'less':
      return true
    default:
      return false
  }
}

function plain(value: number): string {
  return String(Math.round(value * 1000) / 1000)
}
