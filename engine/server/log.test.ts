import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Io } from '../io.ts'
import { createNodeIo } from '../node/io.ts'
import { createConfig } from './config.ts'
import { createLog, dateOf, logLine } from './log.ts'

test('days become Gregorian dates', () => {
  fc.assert(
    fc.property(fc.integer({ min: -200_000, max: 200_000 }), (days) => {
      const date = new Date(days * 86_400_000)
      expect(dateOf(days)).toEqual({
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
      })
    }),
  )
})

function ioAt(wallMs: number, lines: string[]): Io {
  const io = createNodeIo()
  const host = { ...io.host, processId: 42, utcOffsetMinutes: () => 90, print: (line: string) => lines.push(line) }
  return { ...io, host, clock: { ...io.clock, wallMs: () => wallMs } }
}

test('a line has the process, the role, the local time, a mark for the level, and the message', () => {
  const io = ioAt(Date.UTC(2026, 10, 22, 22, 31, 5, 7), [])
  expect(logLine(io, 'M', 'notice', 'Ready')).toBe('42:M 23 Nov 2026 00:01:05.007 * Ready')
})

test('lines below loglevel are not written, and loglevel can change', () => {
  const lines: string[] = []
  const io = ioAt(0, lines)
  const config = createConfig(io.disk)
  const log = createLog(io, config, () => 'S')
  log.debug('a')
  log.verbose('b')
  log.notice('c')
  config.set([['loglevel', 'debug']])
  log.debug('d')
  expect(lines.map((line) => line.slice(-3))).toEqual(['* c', '. d'])
})
