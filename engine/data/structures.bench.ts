/** What the structures behind lists, hashes, sets, sorted sets and streams cost an operation, small and large. */
import type { Bench } from 'tinybench'
import { Arguments } from '../commands/arguments.ts'
import { combineBits, countSetBits, skipBytes } from './bit-words.ts'
import { IntSet } from './intset.ts'
import { Listpack } from './listpack.ts'
import { Quicklist } from './quicklist.ts'
import { randomFromText } from './random.ts'
import { ScanTable } from './scan-table.ts'
import { ScoreTree } from './score-tree.ts'
import { Stream } from './stream.ts'
import { StreamId } from './stream-id.ts'

const WORD = Buffer.from('element:000000012345')
const SMALL = 128
const LARGE = 100_000
const BIT_BYTES = 2 ** 20

export function addCases(bench: Bench): void {
  addPacks(bench)
  addTables(bench)
  addStreams(bench)
  addBits(bench)
}

/** What stands in place of Redis's radix trees: nodes in ordered blocks, and marks within a node. */
function addStreams(bench: Bench): void {
  const limits = { 'stream-node-max-bytes': 4096, 'stream-node-max-entries': 100 }
  const texts = Arguments.of(['field', 'value:000000012345'])
  const stream = new Stream()
  for (let i = 1; i <= LARGE; i++) stream.append(StreamId.ofMs(i), texts, 0, 1, limits)
  const random = randomFromText('streams')
  const last = StreamId.max()
  let ms = LARGE
  bench
    .add('stream of 100,000: the entry after an id', () =>
      stream.cursor(StreamId.ofMs(random.below(LARGE)), last).next(),
    )
    .add('stream: append', () => stream.append(StreamId.ofMs(++ms), texts, 0, 1, limits))
}

function addBits(bench: Bench): void {
  const [a, b] = [Buffer.alloc(BIT_BYTES, 0x5a), Buffer.alloc(BIT_BYTES, 0x3c)]
  const zeros = Buffer.alloc(BIT_BYTES)
  const into = Buffer.alloc(BIT_BYTES)
  bench
    .add('AND of two texts of 1 MB', () => combineBits(into, [a, b], 'and'))
    .add('bits of 1 MB', () => countSetBits(a, 0, a.length))
    .add('skip 1 MB of zeros', () => skipBytes(zeros, 0, 0, zeros.length))
}

function addPacks(bench: Bench): void {
  const pack = Listpack.empty()
  for (let i = 0; i < SMALL; i++) pack.append(Buffer.from(`element:${i}`), 0, `element:${i}`.length)
  const last = Buffer.from(`element:${SMALL - 1}`)
  bench
    .add('listpack: find the last of 128', () => pack.find(pack.first(), 1, last, 0, last.length))
    .add('listpack: append and remove', () => {
      pack.append(WORD, 0, WORD.length)
      pack.remove(pack.last())
    })
  const list = new Quicklist()
  for (let i = 0; i < LARGE; i++) list.push(false, WORD, 0, WORD.length)
  const atHead = (): void => {
    list.push(true, WORD, 0, WORD.length)
    const head = list.end(true)
    if (head !== undefined) list.remove(head)
  }
  bench
    .add('quicklist of 100,000: push and pop at the head', atHead)
    .add('quicklist of 100,000: the middle', () => list.at(LARGE / 2))
  const integers = IntSet.empty()
  for (let i = 0; i < 512; i++) integers.add(i * 3)
  bench
    .add('intset of 512: has', () => integers.has(765))
    .add('intset of 512: add and remove', () => {
      integers.add(766)
      integers.remove(766)
    })
}

function addTables(bench: Bench): void {
  const random = randomFromText('structures')
  const table = new ScanTable([1, 2], false)
  for (let i = 0; i < LARGE; i++) table.addText(`element:${i}`)
  const members = table.clone()
  const order = new ScoreTree(members)
  const scores = Array.from({ length: LARGE }, (_, i) => i)
  for (const slot of scores) order.insert(slot, slot)
  bench
    .add('table of 100,000: find', () => table.findText(`element:${random.below(LARGE)}`))
    .add('table of 100,000: remove and insert', () => {
      const key = `element:${random.below(LARGE)}`
      table.remove(table.findText(key))
      table.addText(key)
    })
    .add('order of 100,000: rank', () => {
      const slot = random.below(LARGE)
      order.rank(slot, scores[slot] as number)
    })
    .add('order of 100,000: another score', () => {
      const slot = random.below(LARGE)
      const score = random.below(LARGE)
      order.remove(slot, scores[slot] as number)
      order.insert(slot, score)
      scores[slot] = score
    })
}
