import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NotResp, ReplyScanner } from './reply-scanner.ts'

interface Seen {
  type: string
  value: number
  error: string | undefined
}

function scan(chunks: readonly Buffer[]): Seen[] {
  const seen: Seen[] = []
  const scanner = new ReplyScanner()
  for (const chunk of chunks) {
    scanner.feed(chunk, {
      reply: (type, value, error) => seen.push({ type: String.fromCharCode(type), value, error }),
    })
  }
  return seen
}

/** A reply as text, with what is to be seen of it. */
type Written = { text: string; seen: Seen }

const line = fc.stringMatching(/^[a-zA-Z0-9 ]{0,12}$/)
const scalar: fc.Arbitrary<Written> = fc.oneof(
  line.map((text) => ({ text: `+${text}\r\n`, seen: { type: '+', value: 0, error: undefined } })),
  line.map((text) => ({ text: `-${text}\r\n`, seen: { type: '-', value: 0, error: text } })),
  fc.integer().map((value) => ({ text: `:${value}\r\n`, seen: { type: ':', value, error: undefined } })),
  // Bulk strings hold line ends and type bytes of their own.
  fc.stringMatching(/^[\r\n$*:+a]{0,30}$/).map((text) => ({
    text: `$${text.length}\r\n${text}\r\n`,
    seen: { type: '$', value: text.length, error: undefined },
  })),
  fc.constant({ text: '$-1\r\n', seen: { type: '$', value: -1, error: undefined } }),
  fc.constant({ text: '_\r\n', seen: { type: '_', value: -1, error: undefined } }),
  fc.constant({ text: '#t\r\n', seen: { type: '#', value: 0, error: undefined } }),
  fc.constant({ text: ',1.5\r\n', seen: { type: ',', value: 0, error: undefined } }),
)
const { reply } = fc.letrec<{ reply: Written }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.tuple(fc.constantFrom('*', '~', '>'), fc.array(tie('reply'), { maxLength: 4 })).map(([type, items]) => ({
      text: `${type}${items.length}\r\n${items.map(({ text }) => text).join('')}`,
      seen: { type, value: items.length, error: undefined },
    })),
    fc.array(fc.tuple(tie('reply'), tie('reply')), { maxLength: 3 }).map((pairs) => ({
      text: `%${pairs.length}\r\n${pairs.map(([a, b]) => a.text + b.text).join('')}`,
      seen: { type: '%', value: pairs.length, error: undefined },
    })),
    tie('reply').map((inner) => ({ text: `|1\r\n+key\r\n*1\r\n:1\r\n${inner.text}`, seen: inner.seen })),
  ),
}))

describe('scanning replies', () => {
  it('finds every reply, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(reply, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (all, sizes) => {
          const bytes = Buffer.from(all.map(({ text }) => text).join(''))
          const chunks: Buffer[] = []
          for (let at = 0; at < bytes.length; ) {
            const size = sizes.next().value
            chunks.push(bytes.subarray(at, at + size))
            at += size
          }
          expect(scan(chunks)).toEqual(all.map(({ seen }) => seen))
        },
      ),
    )
  })

  it('refuses what is not RESP', () => {
    expect(() => scan([Buffer.from('HTTP/1.1 400 Bad Request\r\n')])).toThrow(NotResp)
    for (const text of ['*x\r\n', '$1,\r\n', ':1x\r\n', '%1 \r\n'])
      expect(() => scan([Buffer.from(text)])).toThrow(NotResp)
  })
})
