import { expect, test } from 'vitest'
import { type Round, roundOfPasses } from './metric.ts'

const pass = (ratio: number, control = 2): Round => ({ engine: ratio * control, control })

test('a round is the geometric mean of the passes in the middle by their ratio', () => {
  const { engine, control } = roundOfPasses([pass(1.1, 2), pass(1.3, 3), pass(9), pass(0.1)])
  expect(control).toBeCloseTo(Math.sqrt(6), 12)
  expect(engine / (control as number)).toBeCloseTo(Math.sqrt(1.1 * 1.3), 12)
})

test('passes that a neighbour spoiled do not move it', () => {
  const calm = [1.2, 1.21, 1.19, 1.2, 1.22, 1.18, 1.2, 1.2].map((ratio) => pass(ratio))
  const disturbed = [...calm.slice(0, 6), pass(5), pass(0.3)]
  const ratio = ({ engine, control }: Round) => engine / (control as number)
  expect(ratio(roundOfPasses(disturbed))).toBeCloseTo(ratio(roundOfPasses(calm)), 2)
})

test('without a control the engine’s own cost decides', () => {
  const round = roundOfPasses([3, 100, 4, 0.1].map((engine) => ({ engine, control: null })))
  expect(round).toEqual({ engine: expect.closeTo(Math.sqrt(12), 12), control: null })
})

test('one pass is the round, and none is an error', () => {
  const { engine, control } = roundOfPasses([pass(1.5)])
  expect([engine, control]).toEqual([expect.closeTo(3, 12), expect.closeTo(2, 12)])
  expect(() => roundOfPasses([])).toThrow(RangeError)
})
