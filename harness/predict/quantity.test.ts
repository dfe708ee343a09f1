import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  between,
  count,
  derivation,
  evaluate,
  evaluateMs,
  type Facts,
  formula,
  least,
  less,
  measured,
  named,
  parameter,
  product,
  type Quantity,
  rate,
  scaled,
  seconds,
  setting,
  sum,
  when,
} from './quantity.ts'

const facts: Facts = {
  settings: { 'cluster-node-timeout': '3000', 'min-replicas-to-write': '1', 'min-replicas-max-lag': '1' },
  ratesPerSecond: { minority: 500 },
}
const T = named('T', setting('cluster-node-timeout', 'ms'))

test('a prediction follows the settings', () => {
  const lost = product(rate('minority'), between(T, scaled(1.5, T)))
  expect(evaluate(lost, facts)).toEqual({ low: 1500, high: 2250 })
  const shorter = { ...facts, settings: { ...facts.settings, 'cluster-node-timeout': '2000' } }
  expect(evaluate(lost, shorter)).toEqual({ low: 1000, high: 1500 })
})

test('the formula has names, the derivation numbers', () => {
  const lost = product(rate('minority'), between(T, scaled(1.5, T)))
  expect(formula(lost, facts)).toBe('rate of minority clients × (T … 1.5 × T)')
  expect(derivation(lost, facts)).toBe('500/s × (3 s … 1.5 × 3 s)')
})

test('the branch that the setting chooses is evaluated and printed', () => {
  const window = when('min-replicas-to-write', 1, seconds(1), seconds(9))
  expect(evaluate(window, facts).high).toBe(1)
  expect(formula(window, facts)).toBe('1 s')
  expect(evaluate(window, { ...facts, settings: { 'min-replicas-to-write': '0' } }).high).toBe(9)
})

test('times become milliseconds by their high end', () => {
  expect(evaluateMs(sum(scaled(2, T), seconds(0, 0.5)), facts)).toBe(6500)
})

test('an unknown setting or group is an error that names it', () => {
  expect(() => evaluate(setting('maxmemory', ''), facts)).toThrow('maxmemory')
  expect(() => evaluate(rate('nobody'), facts)).toThrow('nobody')
  const text = { ...facts, settings: { 'cluster-node-timeout': 'soon' } }
  expect(() => evaluate(T, text)).toThrow("'soon'")
})

/** Any quantity of non-negative constants. */
const constants = fc.tuple(fc.nat(1000), fc.nat(1000)).map(([low, more]): Quantity => count(low, low + more))
const quantities = fc.letrec<{ q: Quantity }>((tie) => ({
  q: fc.oneof(
    { depthSize: 'small' },
    constants,
    fc.array(tie('q'), { minLength: 1, maxLength: 3 }).map((of) => sum(...of)),
    fc.array(tie('q'), { minLength: 1, maxLength: 3 }).map((of) => product(...of)),
    fc.array(tie('q'), { minLength: 1, maxLength: 3 }).map((of) => least(...of)),
    fc.tuple(tie('q'), tie('q')).map(([value, by]) => less(value, by)),
  ),
})).q

test('every interval has its low end first and is not negative', () => {
  fc.assert(
    fc.property(quantities, (quantity) => {
      const { low, high } = evaluate(quantity, facts)
      expect(low).toBeGreaterThanOrEqual(0)
      expect(high).toBeGreaterThanOrEqual(low)
    }),
  )
})

test('sizes are read as redis.conf writes them', () => {
  const at = (text: string) => evaluate(setting('size', 'bytes'), { ...facts, settings: { size: text } }).low
  expect([at('100'), at('1k'), at('1kb'), at('64mb'), at('1GB')]).toEqual([100, 1000, 1024, 64 * 1024 ** 2, 1024 ** 3])
  expect(() => at('plenty')).toThrow("'size' as a size")
})

test('a prediction may build on a parameter of the arm and on another measure of the run', () => {
  const known = { ...facts, parameters: { keys: 1000 }, measured: { quietMs: 40 } }
  const bytes = product(parameter('keys'), count(3))
  expect([evaluate(bytes, known).high, formula(bytes, known), derivation(bytes, known)]).toEqual([
    3000,
    'keys × 3',
    '1000 × 3',
  ])
  const noise = scaled(2, measured('quietMs', 'ms'))
  expect(evaluate(noise, known)).toEqual({ low: 0.08, high: 0.08 })
  expect([formula(noise, known), derivation(noise, known)]).toEqual(['2 × measured quietMs', '2 × 0.04 s'])
})

test('what follows from a measure that is missing cannot hold', () => {
  const { low, high } = evaluate(measured('quietMs', 'ms'), facts)
  expect(low).toBeGreaterThan(high)
})
