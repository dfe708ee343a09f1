import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Arguments } from '../commands/arguments.ts'
import { Listpack } from './listpack.ts'
import { Stream, type StreamLimits } from './stream.ts'
import { StreamId } from './stream-id.ts'
import { StreamNode } from './stream-node.ts'

/** Nodes of more entries than there are between two marks, and of fewer. */
const limits = fc.constantFrom<StreamLimits>(
  { 'stream-node-max-bytes': 0, 'stream-node-max-entries': 50 },
  { 'stream-node-max-bytes': 0, 'stream-node-max-entries': 7 },
)
const id = fc.tuple(fc.nat(60), fc.nat(3)).map(([ms, sequence]) => StreamId.of(BigInt(ms), BigInt(sequence)))
const ids = fc
  .uniqueArray(id, { selector: String, maxLength: 150 })
  .map((all) => all.filter(({ isZero }) => !isZero).sort((a, b) => a.compare(b)))

/** A stream of these entries, some of which are deleted, and what is left of them. */
function streamOf(all: readonly StreamId[], gone: readonly boolean[], nodeLimits: StreamLimits) {
  const stream = new Stream()
  all.forEach((one, i) => {
    const texts = Arguments.of(i % 3 === 0 ? ['a', String(i), 'b', 'x'] : ['a', String(i)])
    stream.append(one, texts, 0, texts.count / 2, nodeLimits)
  })
  const left = all.filter((one, i) => !(gone[i] === true && stream.delete(one)))
  return { stream, left }
}

function walked(stream: Stream, start: StreamId, end: StreamId, reverse: boolean): string[] {
  const found: string[] = []
  const cursor = stream.cursor(start, end, reverse)
  while (cursor.next()) found.push(`${cursor.id} ${cursor.fieldCount}`)
  return found
}

/** The same stream as a file would give it back. */
function loaded(stream: Stream): Stream {
  const copy = new Stream()
  for (const node of stream.nodes) {
    const pack = Listpack.parse(node.pack.serialized()) as Listpack
    copy.addNode(StreamNode.of(node.id, pack) as StreamNode)
  }
  copy.length = stream.length
  return copy
}

test('a range holds its entries in either direction, wherever in a node it begins', () =>
  fc.assert(
    fc.property(ids, fc.array(fc.boolean()), limits, id, id, (all, gone, nodeLimits, a, b) => {
      const { stream, left } = streamOf(all, gone, nodeLimits)
      const [start, end] = a.compare(b) < 0 ? [a, b] : [b, a]
      const wanted = left
        .filter((one) => one.compare(start) >= 0 && one.compare(end) <= 0)
        .map((one) => `${one} ${all.indexOf(one) % 3 === 0 ? 2 : 1}`)
      for (const one of [stream, stream.clone(), loaded(stream)]) {
        expect(walked(one, start, end, false)).toEqual(wanted)
        expect(walked(one, start, end, true)).toEqual(wanted.toReversed())
        expect(one.count(start, end, 5)).toBe(Math.min(5, wanted.length))
        expect(one.has(a)).toBe(left.some((other) => other.compare(a) === 0))
        expect(one.lastEntryId().compare(left.at(-1) ?? new StreamId())).toBe(0)
      }
    }),
  ))
