/** What the keyspace costs an operation: look-ups, writes and removals on random keys out of a million, and walks. */
import type { Bench } from 'tinybench'
import { randomFromText } from '../data/random.ts'
import { Keyspace } from './keyspace.ts'

const KEYS = 1_000_000
const BATCH = 16
const SHORT = Buffer.from('abc')
const LONG = Buffer.alloc(100, 'v')

/** Keys `key:000000000042` in one memory. */
function makeKeys(): Buffer {
  const keys = Buffer.alloc(KEYS * 16)
  for (let i = 0; i < KEYS; i++) keys.write(`key:${String(i).padStart(12, '0')}`, i * 16, 'latin1')
  return keys
}

export function addCases(bench: Bench): void {
  const random = randomFromText('bench')
  const keys = makeKeys()
  const keyspace = new Keyspace({ index: 0, random })
  for (let i = 0; i < KEYS; i++) keyspace.setText(keys, i * 16, i * 16 + 16, SHORT, 0, SHORT.length)
  const starts = new Array<number>(BATCH).fill(0)
  const ends = new Array<number>(BATCH).fill(0)
  const drawBatch = (): void => {
    for (let i = 0; i < BATCH; i++) starts[i] = random.below(KEYS) * 16
    starts.sort((a, b) => a - b)
    for (let i = 0; i < BATCH; i++) ends[i] = (starts[i] as number) + 16
  }
  const findBatch = (): void => {
    for (let i = 0; i < BATCH; i++) keyspace.find(keys, starts[i] as number, ends[i] as number)
  }
  bench
    .add('keyspace: draw 16 keys of a million (part of the next two)', drawBatch)
    .add('keyspace: find 16 keys of a million', () => {
      drawBatch()
      findBatch()
    })
    .add('keyspace: find 16 keys of a million that were announced', () => {
      drawBatch()
      keyspace.announce(keys, starts, ends, 0, 1, BATCH)
      findBatch()
      keyspace.endAnnouncement()
    })
    .add('keyspace: replace a text of 3 bytes by one of 100 and back', () => {
      const start = random.below(KEYS) * 16
      const entry = keyspace.find(keys, start, start + 16)
      keyspace.replaceText(entry, LONG, 0, LONG.length)
      keyspace.replaceText(entry, SHORT, 0, SHORT.length)
    })
    .add('keyspace: remove a key and set it again', () => {
      const start = random.below(KEYS) * 16
      keyspace.remove(keyspace.find(keys, start, start + 16))
      keyspace.setText(keys, start, start + 16, SHORT, 0, SHORT.length)
    })
  let cursor = 0n
  bench.add('keyspace: SCAN of 100 keys', () => {
    cursor = keyspace.scan(cursor, 100, () => {})
  })
}
