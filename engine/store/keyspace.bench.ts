/**
 * What the keyspace costs: memory per key, time per operation, the longest stall while a million keys come in.
 * Run by hand:
 *
 *     npx esbuild engine/store/keyspace.bench.ts --bundle --format=esm --platform=node --outfile=/tmp/bench.mjs
 *     node --expose-gc /tmp/bench.mjs
 */
import { randomFromText } from '../data/random.ts'
import { Keyspace } from './keyspace.ts'

const KEYS = 1_000_000
const OPERATIONS = 2_000_000

const random = randomFromText('bench')

/** All keys in one memory, 16 bytes each: `key:000000000042`. */
function makeKeys(): Buffer {
  const keys = Buffer.alloc(KEYS * 16)
  for (let i = 0; i < KEYS; i++) keys.write(`key:${String(i).padStart(12, '0')}`, i * 16, 'latin1')
  return keys
}

/** CPU time: a busy machine does not inflate it as much as the clock. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function report(name: string, value: number, unit: string): void {
  console.log(`${name.padEnd(44)} ${value.toFixed(2).padStart(10)} ${unit}`)
}

/** Fills a keyspace in batches as pipelined input would; a batch that takes long is a stall. */
function fill(keyspace: Keyspace, keys: Buffer, value: Buffer, what: string): void {
  let longestMs = 0
  const startMs = cpuMs()
  for (let first = 0; first < KEYS; first += 16) {
    const batchMs = cpuMs()
    for (let i = first; i < first + 16; i++) keyspace.setText(keys, i * 16, i * 16 + 16, value, 0, value.length)
    longestMs = Math.max(longestMs, cpuMs() - batchMs)
  }
  report(`${what}: insert`, ((cpuMs() - startMs) * 1e6) / KEYS, 'ns')
  report(`${what}: longest stall (batch of 16)`, longestMs, 'ms')
}

function measure(name: string, operation: (key: number) => void): void {
  for (let i = 0; i < OPERATIONS / 4; i++) operation(random.below(KEYS))
  const startMs = cpuMs()
  for (let i = 0; i < OPERATIONS; i++) operation(random.below(KEYS))
  report(name, ((cpuMs() - startMs) * 1e6) / OPERATIONS, 'ns')
}

function residentBytes(): number {
  globalThis.gc?.()
  return process.memoryUsage().rss
}

const keys = makeKeys()
for (const [what, text] of [
  ['3-byte text', 'abc'],
  ['100-byte text', 'v'.repeat(100)],
  ['integer', '123456'],
] as const) {
  const value = Buffer.from(text)
  const before = residentBytes()
  const keyspace = new Keyspace({ index: 0, random })
  fill(keyspace, keys, value, what)
  report(`${what}: resident memory a key`, (residentBytes() - before) / KEYS, 'bytes')
  report(`${what}: reserved memory a key`, keyspace.reservedBytes / KEYS, 'bytes')
  report(`${what}: accounted memory a key`, keyspace.memoryBytes / KEYS, 'bytes')
  measure(`${what}: find`, (key) => keyspace.find(keys, key * 16, key * 16 + 16))
  measure(`${what}: find and replace`, (key) => {
    const entry = keyspace.find(keys, key * 16, key * 16 + 16)
    keyspace.replaceText(entry, value, 0, value.length)
  })
  measure(`${what}: remove and insert`, (key) => {
    const entry = keyspace.find(keys, key * 16, key * 16 + 16)
    keyspace.remove(entry)
    keyspace.setText(keys, key * 16, key * 16 + 16, value, 0, value.length)
  })
  let visited = 0
  const walk = keyspace.snapshot({
    visit() {
      visited++
    },
  })
  const startMs = cpuMs()
  while (!walk.advance(1000));
  report(`${what}: snapshot, an entry`, ((cpuMs() - startMs) * 1e6) / visited, 'ns')
}
measure('(drawing a key alone)', () => {})
