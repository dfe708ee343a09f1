import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Arguments } from '../commands/arguments.ts'
import { KEYS_AHEAD_MAX, KeysAhead } from './lookahead.ts'
import { COMMAND, RequestParser } from './parser.ts'
import { encodeRequest } from './request.ts'

function keysIn(input: Buffer): string[] {
  const ahead = new KeysAhead()
  ahead.look(input, 0, input.length)
  return Array.from({ length: ahead.count }, (_, i) => input.toString('latin1', ahead.starts[i], ahead.ends[i]))
}

test('it sees the second words that the parser will give, in their order, until something is cut off', () => {
  const word = fc.string({ maxLength: 120 })
  const commands = fc.array(fc.array(word, { minLength: 1, maxLength: 5 }), { maxLength: 20 })
  fc.assert(
    fc.property(commands, fc.nat(), (requests, cut) => {
      const input = Buffer.concat(requests.map(encodeRequest))
      const chunk = input.subarray(0, input.length - (cut % 50))
      const parser = new RequestParser({ bulkLengthMax: 512, unauthenticated: false })
      const args = new Arguments()
      const keys: string[] = []
      parser.begin(chunk)
      while (parser.next(args) === COMMAND) if (args.count > 1) keys.push(args.latin1(1))
      expect(keysIn(chunk)).toEqual(keys.slice(0, KEYS_AHEAD_MAX))
    }),
  )
})

test('it goes on where it stopped when there are many', () => {
  const input = Buffer.concat(Array.from({ length: 50 }, (_, i) => encodeRequest(['GET', `key:${i}`])))
  const ahead = new KeysAhead()
  ahead.look(input, 0, input.length)
  expect(ahead.count).toBe(KEYS_AHEAD_MAX)
  ahead.look(input, ahead.position, input.length)
  expect(input.toString('latin1', ahead.starts[0], ahead.ends[0])).toBe(`key:${KEYS_AHEAD_MAX}`)
  expect(ahead.count).toBe(50 - KEYS_AHEAD_MAX)
})

test('it finds the same keys after a first look at few of them', () => {
  const input = Buffer.concat(Array.from({ length: 50 }, (_, i) => encodeRequest(['GET', `key:${i}`])))
  const ahead = new KeysAhead()
  ahead.look(input, 0, input.length, 1, 2)
  expect(ahead.count).toBe(2)
  ahead.lookOn(input.length)
  const whole = new KeysAhead()
  whole.look(input, 0, input.length)
  expect([ahead.count, ahead.position, ahead.starts, ahead.ends]).toEqual([
    whole.count,
    whole.position,
    whole.starts,
    whole.ends,
  ])
})

test('it stops at what is no plain command and never reads past the end', () => {
  expect(keysIn(Buffer.from('*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\nx\r\n'))).toEqual(['k'])
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('*', '$', '\r', '\n', '0', '1', '2', '9', 'a'), { maxLength: 40 }),
      (parts) => {
        const input = Buffer.from(parts.join(''))
        const ahead = new KeysAhead()
        ahead.look(input, 0, input.length)
        for (let i = 0; i < ahead.count; i++) {
          expect(ahead.ends[i]).toBeLessThanOrEqual(input.length)
          expect(ahead.starts[i]).toBeLessThanOrEqual(ahead.ends[i] as number)
        }
      },
    ),
  )
})

test('it finds another word where it is asked to, and passes over commands that have none', () => {
  const input = Buffer.concat(
    [
      ['HSET', 'h', 'a', '1'],
      ['TYPE', 'h'],
      ['HGET', 'h', 'bc'],
    ].map(encodeRequest),
  )
  const ahead = new KeysAhead()
  ahead.look(input, 0, input.length, 2)
  const words = [0, 1].map((i) => input.toString('latin1', ahead.starts[i], ahead.ends[i]))
  expect([ahead.count, ...words]).toEqual([2, 'a', 'bc'])
})
