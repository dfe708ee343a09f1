import { expect, test } from 'vitest'
import { contentOf, plantedHistory } from '../history/testing/planted.ts'
import { checkConvergence } from './convergence.ts'

const primary = contentOf('replica-1', 'primary', '', [
  ['a', '1'],
  ['b', '2'],
])
const check = (...content: Parameters<typeof contentOf>[]) =>
  checkConvergence(plantedHistory([{ atMs: 1 }], [primary, ...content.map((args) => contentOf(...args))]))

test('a replica with the same keys and values has converged', () => {
  expect(
    check([
      'primary-1',
      'replica',
      'replica-1',
      [
        ['b', '2'],
        ['a', '1'],
      ],
    ]).verdict,
  ).toBe('pass')
})

test('REJECTS: a missing key, a surplus key, another value', () => {
  expect(check(['primary-1', 'replica', 'replica-1', [['a', '1']]]).verdict).toBe('fail')
  expect(
    check([
      'primary-1',
      'replica',
      'replica-1',
      [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ],
    ]).verdict,
  ).toBe('fail')
  expect(
    check([
      'primary-1',
      'replica',
      'replica-1',
      [
        ['a', '1'],
        ['b', 'x'],
      ],
    ]).verdict,
  ).toBe('fail')
})

test('REJECTS: a replica that follows no primary', () => {
  expect(
    check([
      'primary-1',
      'replica',
      'primary-9',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ]).verdict,
  ).toBe('fail')
})

test('REJECTS: a topology that did not settle', () => {
  const history = plantedHistory(
    [{ atMs: 1 }],
    [
      primary,
      contentOf('primary-1', 'replica', 'replica-1', [
        ['a', '1'],
        ['b', '2'],
      ]),
    ],
  )
  const end = history.end()
  if (end !== undefined) end.settled = false
  expect(checkConvergence(history).verdict).toBe('fail')
})

test('without a replica that was read the check is unknown', () => {
  expect(check().verdict).toBe('unknown')
})
