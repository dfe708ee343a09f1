/**
 * Damaged files: whatever happens to the bytes of a snapshot, of the log or of its manifest, a start ends in an error
 * that names the file, or in a load that is right. Never in a crash, and never in a loss that nobody is told of.
 *
 * What "right" is: for files with a checksum, and for the manifest, the data set that was saved. The log has no
 * checksums, so a flipped bit inside a value cannot be seen by anybody: right is what its commands say, read by a
 * parser that is nothing but a regular expression.
 *
 * More and longer: `npm run fuzz:files -- --seconds 600 --seed 7`.
 */
import { describe, expect, test } from 'vitest'
import { randomFromText } from '../../../engine/data/random.ts'
import type { Random } from '../../../engine/io.ts'
import { CrashWorld, type Settings } from './testing/crash.ts'

const SEED = process.env.FUZZ_SEED ?? '1'
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 0)
const ROUNDS = 60

type Files = ReadonlyMap<string, Buffer>

const writes: readonly (readonly string[])[] = [
  ['SET', 'text', 'value'],
  ['SET', 'number', '12345'],
  ['SET', 'repeated', 'abc'.repeat(60)],
  ['RPUSH', 'list', 'one', '2', 'x'.repeat(70)],
  ['SADD', 'integers', '1', '70000', '-5'],
  ['SADD', 'members', 'a', 'b'],
  ['ZADD', 'scores', '1.5', 'x', 'inf', 'y'],
  ['HSET', 'hash', 'field', 'value', 'other', '17'],
  ['XADD', 'stream', '1-1', 'field', 'value'],
  ['SELECT', '5'],
  ['SET', 'expires', 'late', 'EXAT', '4000000000'],
]

/** The files that a server leaves after some writes, with a rewrite between them when it has a log. */
async function soundFiles(settings: Settings): Promise<{ files: Files; digest: string }> {
  const world = new CrashWorld('sound', settings)
  await world.untilReady()
  await world.ask(...writes)
  if (settings.appendonly === 'yes') {
    await world.ask(['BGREWRITEAOF'])
    await world.simulation.run(200)
    await world.ask(['SELECT', '3'], ['MULTI'], ['INCR', 'a'], ['INCR', 'b'], ['EXEC'], ...writes.slice(0, 6), [
      'INCR',
      'last',
    ])
  } else await world.ask(['SAVE'])
  const digest = await world.digest()
  world.die('kill')
  const { disk } = world.host
  const files = new Map<string, Buffer>()
  for (const path of disk.paths()) {
    const content = disk.contentOf(path)
    if (path.startsWith('/data/') && content !== undefined) files.set(path, content)
  }
  return { files, digest }
}

function damaged(content: Buffer, random: Random): Buffer {
  const at = random.below(content.length)
  const length = 1 + random.below(Math.min(40, content.length))
  const rest = content.subarray(at + length)
  switch (random.below(7)) {
    case 0:
      return content.subarray(0, at)
    case 1:
      return Buffer.concat([content.subarray(0, at), rest])
    case 2: {
      const noise = Buffer.alloc(length)
      random.fill(noise)
      return Buffer.concat([content.subarray(0, at), noise, rest])
    }
    case 3:
      return Buffer.concat([content.subarray(0, at + length), content.subarray(at)])
    default: {
      const flipped = Buffer.from(content)
      flipped[at] = (flipped[at] as number) ^ (1 << random.below(8))
      return flipped
    }
  }
}

interface Start {
  digest: string | undefined
  failure: string | undefined
  log: string
}

async function startOn(files: Files, settings: Settings): Promise<Start> {
  const world = new CrashWorld('damaged', settings, files)
  await world.untilReady()
  const digest = world.ready ? await world.digest() : undefined
  return { digest, failure: world.failure, log: world.log }
}

/** The commands of a log, as far as they are whole, and whether that is all of it. */
function commandsOf(log: Buffer): { commands: string[][]; whole: boolean } {
  let rest = log.toString('latin1')
  const commands: string[][] = []
  for (;;) {
    rest = rest.replace(/^(#[^\n]{0,1000}\n)+/, '')
    const count = /^\*(\d+)\r\n/.exec(rest)
    if (count === null || Number(count[1]) === 0) return { commands, whole: rest === '' }
    let at = count[0].length
    const words: string[] = []
    while (words.length < Number(count[1])) {
      const size = /^\$(\d+)\r\n/.exec(rest.slice(at, at + 30))
      if (size === null) return { commands, whole: false }
      const start = at + size[0].length
      const end = start + Number(size[1])
      if (rest.slice(end, end + 2) !== '\r\n') return { commands, whole: false }
      words.push(rest.slice(start, end))
      at = end + 2
    }
    commands.push(words)
    rest = rest.slice(at)
  }
}

/** What the commands of a log make of a data set: replayed from a log that is sound for sure. */
async function replayed(files: Files, path: string, commands: readonly string[][], settings: Settings): Promise<Start> {
  const parts = commands.flatMap((words) => [
    Buffer.from(`*${words.length}\r\n`),
    ...words.map((word) => Buffer.from(`$${word.length}\r\n${word}\r\n`, 'latin1')),
  ])
  return startOn(new Map([...files, [path, Buffer.concat(parts)]]), settings)
}

async function check(files: Files, sound: string, settings: Settings, random: Random, label: string): Promise<void> {
  const path = [...files.keys()][random.below(files.size)] as string
  const content = damaged(files.get(path) as Buffer, random)
  const now = new Map([...files, [path, content]])
  const start = await startOn(now, settings)
  const told = `${label} of ${path}: ${start.digest} ${start.failure}\n${start.log}\n${content.toString('latin1')}`
  expect((start.digest === undefined) !== (start.failure === undefined), told).toBe(true)
  if (start.failure !== undefined) {
    expect(start.failure.length, told).toBeGreaterThan(10)
    return
  }
  if (!path.endsWith('.incr.aof') && !path.endsWith('.base.aof')) {
    const warned = ['names it', 'does not name', 'its data is lost'].some((words) => start.log.includes(words))
    if (!warned) expect(start.digest, told).toBe(sound)
    return
  }
  const { commands, whole } = commandsOf(content)
  const wanted = await replayed(files, path, commands, settings)
  expect(start.digest, told).toBe(wanted.digest)
  if (!whole) expect(start.log, told).toContain('!!! Warning: short read while loading the AOF file')
}

test('a snapshot below a log that is empty, as none is, is told of', async () => {
  const settings: Settings = { appendonly: 'yes', appendfsync: 'always' }
  const { files } = await soundFiles(settings)
  const base = [...files.keys()].find((path) => path.endsWith('.base.rdb')) as string
  const emptied: Files = new Map([...files, [base, Buffer.alloc(0)]])
  // Found by seed 77005; also when the log above it is empty, so that nothing at all is loaded.
  const log = [...files.keys()].find((path) => path.endsWith('.incr.aof')) as string
  for (const now of [emptied, new Map([...emptied, [log, Buffer.alloc(0)]])]) {
    const start = await startOn(now, settings)
    expect(start.failure).toBeUndefined()
    expect(start.log).toContain('is empty, which no snapshot is: its data is lost')
  }
  expect((await startOn(files, settings)).log).not.toContain('is empty')
})

describe.each<[string, Settings]>([
  ['a snapshot', { appendonly: 'no' }],
  ['a log with an RDB base', { appendonly: 'yes', appendfsync: 'always' }],
  ['a log with a base of commands', { appendonly: 'yes', appendfsync: 'always', 'aof-use-rdb-preamble': 'no' }],
])('%s that was damaged', (name, settings) => {
  test(
    'is refused, or loaded as far as it is right',
    async () => {
      const { files, digest } = await soundFiles(settings)
      expect((await startOn(files, settings)).digest).toBe(digest)
      const endMs = performance.now() + (SECONDS * 1000) / 3
      for (let round = 0; round < ROUNDS || performance.now() < endMs; round++) {
        const label = `seed ${SEED}, round ${round}`
        await check(files, digest, settings, randomFromText(`${SEED} ${name} ${round}`), label)
      }
    },
    60_000 + SECONDS * 1000,
  )
})
