import { expect, test } from 'vitest'
import { commandEvent, plantedHistory } from '../history/testing/planted.ts'
import { checkSameAnswers } from './same-answers.ts'

const DIGEST = ['DEBUG', 'DIGEST']
const asked = (...replies: string[]) =>
  checkSameAnswers(
    plantedHistory(
      [{ atMs: 1 }],
      replies.map((reply, i) => commandEvent(DIGEST, reply, 100 + i)),
    ),
    DIGEST,
  )

test('one answer each time', () => {
  expect(asked('a1', 'a1', 'a1')).toMatchObject({ verdict: 'pass', evidence: [] })
})

test('REJECTS: another answer, with both as evidence', () => {
  const check = asked('a1', 'b2')
  expect(check.verdict).toBe('fail')
  expect(check.evidence.map(({ text }) => text)).toEqual(['server answered a1', 'server answered b2'])
})

test('an error, silence, or asking once proves nothing', () => {
  expect(asked('a1').verdict).toBe('unknown')
  expect(asked('ERR no', 'ERR no').verdict).toBe('unknown')
  expect(asked('no answer', 'no answer').verdict).toBe('unknown')
})
