import fc from 'fast-check'
import { expect, test } from 'vitest'
import { difference, parseStreamId, StreamId } from './stream-id.ts'

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const part = fc.oneof(
  uint64,
  fc.bigInt({ min: 0n, max: 5n }),
  fc.constantFrom(2n ** 31n - 1n, 2n ** 31n, 2n ** 53n, 2n ** 64n - 1n),
)

test('an id is the two numbers that it was made of: in text, in bytes, in order', () => {
  fc.assert(
    fc.property(part, part, part, part, (a, b, c, d) => {
      const [one, other] = [StreamId.of(a, b), StreamId.of(c, d)]
      const text = Buffer.alloc(50)
      expect(text.toString('latin1', 3, one.write(text, 3))).toBe(`${a}-${b}`)
      expect(parseStreamId(`${a}-${b}`, 0n, true)?.id).toEqual(one)
      expect(StreamId.decode(one.encode())).toEqual(one)
      expect(Math.sign(one.compare(other))).toBe(Math.sign(Number(a - c)) || Math.sign(Number(b - d)))
      expect(Math.sign(Buffer.compare(one.encode(), other.encode()))).toBe(Math.sign(one.compare(other)))
      const exact = Number(a - c)
      const found = difference(one.msHigh, one.msLow, other.msHigh, other.msLow)
      if (Math.abs(exact) < 2 ** 53) expect(found).toBe(exact)
      else expect(found).toBeNaN()
    }),
  )
})

test('the next and the previous id are neighbours', () => {
  fc.assert(
    fc.property(part, part, (ms, sequence) => {
      const id = StreamId.of(ms, sequence)
      const whole = ms * 2n ** 64n + sequence
      const next = id.next()
      if (next === undefined) expect(id.isMax).toBe(true)
      else {
        expect(next.ms * 2n ** 64n + next.sequence).toBe(whole + 1n)
        expect(next.previous()).toEqual(id)
      }
    }),
  )
  expect(new StreamId().previous()).toBeUndefined()
})
