/** A large aggregate is written in parts, between which the server does other things, also to that aggregate. */
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { AofCommandWriter } from './aof-commands.ts'
import { HeldServer } from './testing/held-server.ts'

const servers: HeldServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.stop()
})

function heldServer(): HeldServer {
  const server = new HeldServer()
  servers.push(server)
  return server
}

const COUNT = 3000
const elements = (make: (i: number) => string[]) => Array.from({ length: COUNT }, (_, i) => make(i)).flat()

/** How to make one, and how to change it. */
const kinds = {
  hash: { make: [['HSET', 'large', ...elements((i) => [`f${i}`, `v${i}`])]], change: ['HDEL', 'large', 'f7'] },
  set: { make: [['SADD', 'large', ...elements((i) => [`m${i}`])]], change: ['SADD', 'large', 'fresh'] },
  'sorted set': { make: [['ZADD', 'large', ...elements((i) => [`${i}`, `m${i}`])]], change: ['ZPOPMIN', 'large'] },
  list: { make: [['RPUSH', 'large', ...elements((i) => [`${i}`.repeat(60)])]], change: ['LPUSH', 'large', 'fresh'] },
  stream: {
    make: [
      ...Array.from({ length: COUNT }, (_, i) => ['XADD', 'large', `${i + 1}-0`, 'f', `${i}`]),
      ['XGROUP', 'CREATE', 'large', 'g', '0'],
      ['XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 'large', '>'],
    ],
    change: ['XACK', 'large', 'g', '1-0'],
  },
} as const

function filled(make: readonly (readonly string[])[]): HeldServer {
  const server = heldServer()
  for (const words of make) server.send(...words)
  for (let i = 0; i < 40; i++) server.send('SET', `small:${i}`, 'before', ...(i % 2 === 0 ? ['EX', '1000'] : []))
  server.send('PEXPIRE', 'large', '100000')
  server.send('SELECT', '5')
  for (let i = 0; i < 40; i++) server.send('SET', `small:${i}`, 'before')
  server.send('SELECT', '0')
  return server
}

describe.each(Object.entries(kinds))('a large %s', (_name, { make, change }) => {
  test('takes many slices and is in the file as it was, whatever is written between them', () => {
    const other = fc.constantFrom(
      ...Array.from({ length: 40 }, (_, i) => ['SET', `small:${i}`, 'after']),
      ...Array.from({ length: 20 }, (_, i) => ['DEL', `small:${i}`]),
      ['SELECT', '5'],
      ['SELECT', '0'],
      ['COPY', 'large', 'copy', 'REPLACE'],
    )
    const own = fc.constantFrom(
      change,
      ['DEL', 'large'],
      ['RENAME', 'large', 'moved'],
      ['FLUSHALL'],
      ['SWAPDB', '0', '5'],
    )
    const program = fc.tuple(
      fc.array(other, { maxLength: 20 }),
      fc.nat({ max: 90 }),
      own,
      fc.array(other, { maxLength: 20 }),
    )
    fc.assert(
      fc.property(program, ([before, slices, words, after]) => {
        const writer = filled(make)
        const beginning = heldServer()
        beginning.load(writer.snapshot().finish())
        const wanted = beginning.contents()
        const snapshot = writer.snapshot()
        for (let i = 0; i < slices; i++) snapshot.step()
        for (const word of before) {
          writer.send(...word)
          snapshot.step()
        }
        writer.send(...words)
        for (const word of after) writer.send(...word)
        const reader = heldServer()
        reader.load(snapshot.finish())
        expect(reader.contents()).toEqual(wanted)
        for (const server of servers.splice(0)) server.stop()
      }),
      { numRuns: 8 },
    )
  })

  test('is held for no longer than a part of it takes, whoever writes to it', () => {
    const writer = filled(make)
    let slices = 0
    for (const snapshot = writer.snapshot(); !snapshot.step(); ) slices++
    // 80 small keys are 3 slices; a part is at most 32 elements or one node of up to 8 KiB.
    expect(slices).toBeGreaterThan(20)
    const idle = writer.snapshot()
    for (let i = 0; i < slices / 2; i++) idle.step()
    writer.send('SELECT', '5')
    writer.send('SET', 'small:1', 'after')
    writer.send('SELECT', '0')
    expect(idle.step(), 'a write elsewhere does not finish it').toBe(false)
    writer.send(...change)
    let rest = 0
    while (!idle.step()) rest++
    expect(rest, 'nor does a write to it').toBeGreaterThan(slices / 3)
  })

  test('that is written to before its turn waits for it as it was', () => {
    const writer = filled(make)
    const wanted = writer.contents()
    const snapshot = writer.snapshot()
    writer.send(...change)
    writer.send('DEL', 'large')
    let slices = 0
    while (!snapshot.step()) slices++
    expect(slices).toBeGreaterThan(20)
    const reader = heldServer()
    reader.load(snapshot.finish())
    expect(reader.contents()).toEqual(wanted)
  })

  test('is one run of commands in an append-only file', () => {
    const writer = filled(make)
    const wanted = writer.send('DEBUG', 'DIGEST')
    const snapshot = writer.snapshot((sink) => new AofCommandWriter(sink, undefined))
    for (let i = 0; i < 20; i++) {
      writer.send('SELECT', '5')
      writer.send('SET', `small:${i}`, 'after')
      writer.send('SELECT', '0')
      writer.send('DEL', `small:${i}`)
      snapshot.step()
    }
    writer.send(...change)
    const reader = heldServer()
    reader.sendBytes(snapshot.finish())
    expect(reader.send('DEBUG', 'DIGEST')).toBe(wanted)
  })
})
