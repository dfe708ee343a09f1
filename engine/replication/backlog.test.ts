import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Arguments } from '../commands/arguments.ts'
import { Backlog, type StreamCursor } from './backlog.ts'

function drain(cursor: StreamCursor): Buffer {
  const pieces: Buffer[] = []
  for (let piece = cursor.take(); piece !== undefined; piece = cursor.take()) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

test('a cursor anywhere in the history gives every byte from there on, once', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e12 }),
      fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 12 }),
      fc.nat(),
      (startOffset, lengths, seed) => {
        const backlog = new Backlog(startOffset)
        const parts = lengths.map((length, part) => Buffer.from(Array.from({ length }, (_, i) => (i * 7 + part) & 255)))
        const all = Buffer.concat(parts)
        const first = backlog.cursorAt(startOffset + 1) as StreamCursor
        for (const part of parts) backlog.append(part)
        expect(backlog.endOffset).toBe(startOffset + all.length)
        expect(drain(first).equals(all)).toBe(true)
        const skip = all.length === 0 ? 0 : seed % (all.length + 1)
        const middle = backlog.cursorAt(startOffset + 1 + skip) as StreamCursor
        expect(middle.nextOffset).toBe(startOffset + 1 + skip)
        expect(drain(middle).equals(all.subarray(skip))).toBe(true)
        backlog.append(Buffer.from('more'))
        expect(drain(middle).toString()).toBe('more')
        expect(middle.nextOffset).toBe(backlog.endOffset + 1)
      },
    ),
    { numRuns: 50 },
  )
})

test('trimming keeps at least the asked size and everything that a replica still has to get', () => {
  const backlog = new Backlog(0)
  for (let i = 0; i < 100; i++) backlog.append(Buffer.alloc(5000, i))
  const slow = backlog.cursorAt(200_001) as StreamCursor
  backlog.trim(100_000, slow.nextOffset)
  expect(backlog.firstOffset).toBeLessThanOrEqual(200_001)
  expect(backlog.firstOffset).toBeGreaterThan(200_001 - 20_000)
  expect(drain(slow).length).toBe(300_000)
  backlog.trim(100_000, slow.nextOffset)
  expect(backlog.historyBytes).toBeGreaterThanOrEqual(100_000)
  expect(backlog.historyBytes).toBeLessThan(120_000)
  expect(backlog.cursorAt(backlog.firstOffset - 1)).toBeUndefined()
  expect(backlog.cursorAt(backlog.firstOffset)).toBeDefined()
  expect(backlog.cursorAt(backlog.endOffset + 2)).toBeUndefined()
})

test('commands are arrays of bulk strings', () => {
  const backlog = new Backlog(0)
  const cursor = backlog.cursorAt(1) as StreamCursor
  backlog.appendCommand(Arguments.of(['SET', 'key', Buffer.alloc(12, 120), '']))
  expect(drain(cursor).toString()).toBe('*4\r\n$3\r\nSET\r\n$3\r\nkey\r\n$12\r\nxxxxxxxxxxxx\r\n$0\r\n\r\n')
})
