import { expect, test } from 'vitest'
import { History } from './history.ts'
import { END_MS, plantedHistory } from './testing/planted.ts'

test('a history survives being saved and read', () => {
  const history = plantedHistory([{ atMs: 10 }, { atMs: 20, outcome: 'fail' }])
  expect(History.parse(history.serialize()).events).toEqual(history.events)
})

test('an operation that never completed has an unknown end at the end of the run', () => {
  const history = plantedHistory([{ atMs: 10 }])
  const events = history.events.filter((event) => event.type !== 'complete')
  const open = new History()
  for (const event of events) open.record(event)
  expect(open.operations()[0]).toMatchObject({ outcome: 'unknown', completedMs: END_MS })
})

test('a damaged line is named', () => {
  const text = plantedHistory([{ atMs: 10 }])
    .serialize()
    .split('\n')
  text[2] = '{"type":"inv'
  expect(() => History.parse(text.join('\n'))).toThrow('line 3')
})
