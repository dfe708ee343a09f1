/** What the structures behind lists, hashes, sets and sorted sets cost an operation, small and large. */
import type { Bench } from 'tinybench'
import { IntSet } from './intset.ts'
import { Listpack } from './listpack.ts'
import { Quicklist } from './quicklist.ts'
import { randomFromText } from './random.ts'
import { ScanTable } from './scan-table.ts'
import { ScoreTree } from './score-tree.ts'

const WORD = Buffer.from('element:000000012345')
const SMALL = 128
const LARGE = 100_000

export function addCases(bench: Bench): void {
  addPacks(bench)
  addTables(bench)
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
  const order = new ScoreTree((a, b) => members.compareKeys(a, b))
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
