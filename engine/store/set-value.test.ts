import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Reply } from '../resp/reply.ts'
import { ReplyParser } from '../resp/reply-parser.ts'
import { BufferPool, ReplyWriter } from '../resp/writer.ts'
import type { AggregateSettings } from './aggregate-settings.ts'
import { SetValue } from './set-value.ts'
import { testSettings } from './testing/aggregate-settings.ts'

const small: AggregateSettings = { ...testSettings, limits: { ...testSettings.limits, 'set-max-intset-entries': 8 } }
const member = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -3, max: 12 }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '01', '-0', '9223372036854775808', 'a', '\xff\x00', '9223372036854775807'),
  },
)

test('a set holds what a Set holds; it becomes a table for good with a word or too many integers', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('add', 'add', 'remove'), member), { maxLength: 60 })
  fc.assert(
    fc.property(steps, (sequence) => {
      const value = SetValue.empty(small)
      const model = new Set<string>()
      let isTable = false
      for (const [action, text] of sequence) {
        expect(value.has(text)).toBe(model.has(text))
        if (action === 'add') {
          expect(value.add(text)).toBe(!model.has(text))
          model.add(text)
          isTable ||= model.size > 8 || BigInt.asIntN(64, toBigInt(text) ?? 0n).toString() !== text
        } else {
          expect(value.remove(text)).toBe(model.delete(text))
        }
        expect(value.encoding).toBe(isTable ? 'hashtable' : 'intset')
        expect([...value].sort()).toEqual([...model].sort())
      }
      const seen = new Set<string>()
      let cursor = 0
      do cursor = value.scan(cursor, 2, (text) => seen.add(text))
      while (cursor !== 0)
      expect(seen).toEqual(model)
    }),
  )
})

test('a set sends what it holds; what is removed by its index is what would have been sent', () => {
  fc.assert(
    fc.property(fc.uniqueArray(member, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 20 }), (texts, draws) => {
      const value = SetValue.empty(small)
      for (const text of texts) value.add(text)
      const left = new Set(texts)
      for (const draw of draws) {
        if (value.size === 0) break
        const index = draw % value.size
        const [text = ''] = sentBy((reply) => value.sendAt(index, reply))
        expect(value.at(index)).toBe(text)
        expect(left.delete(text)).toBe(true)
        value.removeAt(index)
      }
      expect(sentBy((reply) => value.send(reply))).toEqual([...value])
      expect([...value].sort()).toEqual([...left].sort())
    }),
  )
})

/** The bulk strings of a reply. */
function sentBy(send: (reply: Reply) => void): string[] {
  const writer = new ReplyWriter(new BufferPool(), { onFirstByte() {}, onError() {} })
  send(writer)
  const texts: string[] = []
  const parser = new ReplyParser((reply) => texts.push((reply as Buffer).toString('latin1')))
  parser.feed(writer.written())
  return texts
}

function toBigInt(text: string): bigint | undefined {
  return /^-?\d+$/.test(text) ? BigInt(text) : undefined
}

test('a copy is independent, in either encoding', () => {
  for (const first of ['1', 'a']) {
    const value = SetValue.empty(small)
    value.add(first)
    const copy = value.clone()
    copy.add('2')
    expect([[...value], [...copy].sort()]).toEqual([[first], [first, '2'].sort()])
  }
})
