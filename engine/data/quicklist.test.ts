import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Place, Quicklist } from './quicklist.ts'

const text = fc.oneof(
  fc.nat(100_000).map(String),
  fc.string({ maxLength: 10, unit: 'binary-ascii' }),
  fc.constantFrom(100, 1000, 3000, 5000, 9000).map((size) => 'x'.repeat(size)),
)
const step = fc.record({
  what: fc.constantFrom('push', 'push', 'push', 'drop', 'insert', 'insert', 'replace', 'remove', 'removeRange'),
  flag: fc.boolean(),
  index: fc.nat(100),
  text,
})

function read(list: Quicklist, place: Place): string {
  const { memory, start, end } = list.read(place)
  return memory.toString('latin1', start, end)
}

function contents(list: Quicklist): string[] {
  const texts: string[] = []
  const place = list.at(0)
  for (let more = place !== undefined; more; more = list.advance(place as Place)) texts.push(read(list, place as Place))
  return texts
}

function backwards(list: Quicklist): string[] {
  const texts: string[] = []
  const place = list.at(-1)
  for (let more = place !== undefined; more; more = list.retreat(place as Place))
    texts.unshift(read(list, place as Place))
  return texts
}

test.each([-2, -1, 1, 3, 0, 10])('a quicklist of fill %i holds what an array holds', (fill) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const list = new Quicklist()
      const model: string[] = []
      for (const { what, flag, index, text } of steps) {
        const bytes = Buffer.from(text, 'latin1')
        const at = model.length === 0 ? 0 : index % model.length
        const place = list.at(at)
        if (what === 'push') {
          list.push(flag, fill, bytes, 0, bytes.length)
          if (flag) model.unshift(text)
          else model.push(text)
        } else if (place === undefined) {
          expect(model).toEqual([])
        } else if (what === 'drop') {
          const end = list.end(flag) as Place
          expect(read(list, end)).toBe(flag ? model.shift() : model.pop())
          list.dropEnd(flag)
        } else if (what === 'insert') {
          list.insert(place, flag, fill, bytes, 0, bytes.length)
          model.splice(flag ? at + 1 : at, 0, text)
        } else if (what === 'replace') {
          list.replace(place, bytes, 0, bytes.length)
          model[at] = text
        } else if (what === 'remove') {
          model.splice(at, 1)
          const more = list.remove(place)
          expect(more ? read(list, place) : undefined).toBe(model[at])
        } else {
          list.removeRange(at, index)
          model.splice(at, index)
        }
        expect(list.length).toBe(model.length)
      }
      expect(contents(list)).toEqual(model)
      expect(backwards(list)).toEqual(model)
      expect(contents(list.clone())).toEqual(model)
      for (let i = 0; i < model.length; i++) {
        const bytes = Buffer.from(model[i] as string, 'latin1')
        expect(list.equals(list.at(i) as Place, bytes, 0, bytes.length)).toBe(true)
        expect(read(list, list.at(i - model.length) as Place)).toBe(model[i])
      }
      expect(list.at(model.length)).toBeUndefined()
      expect(list.at(-model.length - 1)).toBeUndefined()
      list.removeRange(0, model.length)
      expect([list.memoryBytes, list.head, list.tail]).toEqual([0, undefined, undefined])
    }),
    { numRuns: 60 },
  )
})
