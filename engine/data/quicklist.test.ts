import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Place, Quicklist } from './quicklist.ts'
import type { QuicklistNode } from './quicklist-node.ts'

/** What a list counts for a node beside its bytes. */
const NODE_BYTES = 64

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

/** Only nodes behind the depth are compressed, and the account holds what nodes hold. */
function expectCompression(list: Quicklist): void {
  const nodes: QuicklistNode[] = []
  for (let node = list.head; node !== undefined; node = node.after) nodes.push(node)
  nodes.forEach((node, index) => {
    const isInside = index >= list.compressDepth && index < nodes.length - list.compressDepth
    if (list.compressDepth === 0 || !isInside) expect(node.compressed).toBeUndefined()
    expect(node.compressed?.length ?? 0).toBeLessThan(Math.max(1, node.byteLength - 8))
  })
  const held = nodes.reduce((sum, node) => sum + node.heldBytes + NODE_BYTES, 0)
  expect(list.memoryBytes).toBe(held)
}

test.each([
  [-2, 0],
  [-1, 0],
  [1, 0],
  [3, 0],
  [0, 0],
  [10, 0],
  [-1, 1],
  [3, 1],
  [10, 2],
])('a quicklist of fill %i and compress depth %i holds what an array holds', (fill, depth) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const list = new Quicklist(fill, depth)
      const model: string[] = []
      for (const { what, flag, index, text } of steps) {
        const bytes = Buffer.from(text, 'latin1')
        const at = model.length === 0 ? 0 : index % model.length
        const place = list.at(at)
        if (what === 'push') {
          list.push(flag, bytes, 0, bytes.length)
          if (flag) model.unshift(text)
          else model.push(text)
        } else if (place === undefined) {
          expect(model).toEqual([])
        } else if (what === 'drop') {
          const end = list.end(flag) as Place
          expect(read(list, end)).toBe(flag ? model.shift() : model.pop())
          list.dropEnd(flag)
        } else if (what === 'insert') {
          list.insert(place, flag, bytes, 0, bytes.length)
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
      expectCompression(list)
      expect(contents(list)).toEqual(model)
      expect(backwards(list)).toEqual(model)
      for (const [start, count] of [
        [0, model.length],
        [model.length >> 1, model.length >> 2],
      ] as const) {
        const sent: string[] = []
        const bulk = (bytes: Uint8Array, from: number, to: number): void => {
          sent.push(Buffer.from(bytes.subarray(from, to)).toString('latin1'))
        }
        list.send(start, count, { bulk })
        expect(sent).toEqual(model.slice(start, start + count))
      }
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

test('what repeats is compressed behind the depth, and expanded where it comes to an end again', () => {
  const list = new Quicklist(1, 1)
  const words = Array.from({ length: 5 }, (_, i) => Buffer.from(`${i}${'ab'.repeat(100)}`))
  for (const word of words) list.push(false, word, 0, word.length)
  const compressed = (): boolean[] => {
    const found: boolean[] = []
    for (let node = list.head; node !== undefined; node = node.after) found.push(node.compressed !== undefined)
    return found
  }
  expect(compressed()).toEqual([false, true, true, true, false])
  const before = list.memoryBytes
  expect(contents(list)[2]).toBe(words[2]?.toString())
  expect([compressed(), list.memoryBytes]).toEqual([[false, true, true, true, false], before])
  list.replace(list.at(2) as Place, words[0] as Buffer, 0, 201)
  expect(compressed()).toEqual([false, true, true, true, false])
  list.dropEnd(true)
  expect(compressed()).toEqual([false, true, true, false])
  list.remove(list.at(1) as Place)
  list.remove(list.at(1) as Place)
  expect(compressed()).toEqual([false, false])
})
