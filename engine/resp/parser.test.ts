import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Arguments } from '../commands/arguments.ts'
import { BROKEN, COMMAND, INCOMPLETE, RequestParser } from './parser.ts'
import { encodeRequest } from './request.ts'

/** Feeds chunks, each in memory that is overwritten afterwards, and collects commands and the error. */
function parse(chunks: readonly Uint8Array[], unauthenticated = false): { commands: string[][]; error: string } {
  const parser = new RequestParser({ bulkLengthMax: 512 * 1024 * 1024, unauthenticated })
  const args = new Arguments()
  const commands: string[][] = []
  for (const bytes of chunks) {
    const chunk = Buffer.from(bytes)
    parser.begin(chunk)
    for (;;) {
      const status = parser.next(args)
      if (status === BROKEN) return { commands, error: parser.error }
      if (status === INCOMPLETE) break
      if (args.count > 0) commands.push(Array.from({ length: args.count }, (_, i) => args.latin1(i)))
    }
    parser.keep()
    chunk.fill(0x2a)
  }
  return { commands, error: '' }
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((start, i) => bytes.subarray(start, places[i] ?? bytes.length))
}

const words = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 12 })

describe('the request parser', () => {
  test('gives the same commands whatever the chunking', () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 8 }), fc.array(fc.nat(2000), { maxLength: 20 }), (commands, cuts) => {
        const bytes = Buffer.concat(commands.map(encodeRequest))
        const expected = commands.map((command) => command.map((word) => Buffer.from(word).toString('latin1')))
        expect(parse(split(bytes, cuts))).toEqual({ commands: expected, error: '' })
      }),
    )
  })

  test('gives the same commands byte by byte, with inline commands between', () => {
    const bytes = Buffer.from(
      'ping\r\n*2\r\n$4\r\nECHO\r\n$12\r\nhello\r\nworld\r\n\r\n*0\r\n*-1\r\nset a "b c"\n*1\r\n$0\r\n\r\n',
    )
    const expected = [['ping'], ['ECHO', 'hello\r\nworld'], ['set', 'a', 'b c'], ['']]
    expect(parse([bytes]).commands).toEqual(expected)
    expect(parse(Array.from(bytes, (byte) => Uint8Array.of(byte))).commands).toEqual(expected)
  })

  test('reads a big bulk string that comes in many chunks', () => {
    const value = Buffer.alloc(300_000, 'x')
    const bytes = encodeRequest(['SET', 'k', value])
    const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, i) =>
      bytes.subarray(i * 65_536, (i + 1) * 65_536),
    )
    expect(parse([...chunks, encodeRequest(['PING'])]).commands).toEqual([['SET', 'k', value.toString()], ['PING']])
  })

  test('holds no memory when nothing is pending, and one right-sized buffer for a big bulk string', () => {
    const parser = new RequestParser({ bulkLengthMax: 512 * 1024 * 1024, unauthenticated: false })
    const args = new Arguments()
    const bytes = encodeRequest(['SET', 'k', Buffer.alloc(100_000)])
    parser.begin(bytes.subarray(0, 40_000))
    expect(parser.next(args)).toBe(INCOMPLETE)
    parser.keep()
    expect(parser.queryCapacity).toBe(bytes.length)
    parser.begin(bytes.subarray(40_000))
    expect(parser.next(args)).toBe(COMMAND)
    parser.keep()
    expect(parser.queryCapacity).toBe(0)
  })

  test.each([
    ['*abc\r\n', 'Protocol error: invalid multibulk length'],
    ['*2147483648\r\n', 'Protocol error: invalid multibulk length'],
    ['*1\r\n!3\r\n', "Protocol error: expected '$', got '!'"],
    ['*1\r\n$-1\r\n', 'Protocol error: invalid bulk length'],
    ['*1\r\n$+3\r\nfoo\r\n', 'Protocol error: invalid bulk length'],
    ['*1\r\n$536870913\r\n', 'Protocol error: invalid bulk length'],
    ['set "a\r\n', 'Protocol error: unbalanced quotes in request'],
    [`*${'1'.repeat(65_537)}`, 'Protocol error: too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(65_537)}`, 'Protocol error: too big bulk count string'],
    ['x'.repeat(65_537), 'Protocol error: too big inline request'],
  ])('refuses %.30j as Redis does', (text, error) => {
    expect(parse([Buffer.from(text)]).error).toBe(error)
  })

  test('limits what a client that has not logged in may send', () => {
    expect(parse([Buffer.from('*11\r\n')], true).error).toBe('Protocol error: unauthenticated multibulk length')
    expect(parse([Buffer.from('*1\r\n$16385\r\n')], true).error).toBe('Protocol error: unauthenticated bulk length')
    expect(parse([Buffer.from('*10\r\n')], true).error).toBe('')
  })

  test('survives random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(300)), (bytes, cuts) => {
        const whole = parse([bytes])
        expect(parse(split(Buffer.from(bytes), cuts))).toEqual(whole)
      }),
    )
    const syntax = fc.string({
      unit: fc.constantFrom('*', '$', '\r', '\n', '1', '3', '0', '-', 'a', '"', ' '),
      maxLength: 60,
    })
    fc.assert(
      fc.property(syntax, fc.array(fc.nat(60)), (text, cuts) => {
        expect(parse(split(Buffer.from(text), cuts))).toEqual(parse([Buffer.from(text)]))
      }),
      { numRuns: 1000 },
    )
  })
})
