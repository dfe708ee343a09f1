/**
 * A frozen value stays as it was, and the value itself behaves as if it had never been frozen, whatever is done to it.
 */
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { type Aggregate, NO_ENTRY } from '../store/keyspace-port.ts'
import { SortedSetValue } from '../store/sorted-set-value.ts'
import { dumpPayload } from './rdb-writer.ts'
import { HeldServer } from './testing/held-server.ts'

const servers: HeldServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.stop()
})

function heldServer(): HeldServer {
  // Small nodes, so that they are divided and merged.
  const server = new HeldServer({ 'list-max-listpack-size': '16' })
  servers.push(server)
  return server
}

const COUNT = 1500
const elements = (make: (i: number) => string[]) => Array.from({ length: COUNT }, (_, i) => make(i)).flat()
const number = fc.nat({ max: COUNT + 200 }).map(String)
/** Short ones fit in the place of others; long ones are records, nodes or chunks of their own. */
const word = fc.oneof(
  fc.string({ minLength: 1, maxLength: 6 }),
  fc
    .tuple(fc.string({ minLength: 1, maxLength: 3 }), fc.nat({ max: 3000 }))
    .map(([text, times]) => text.repeat(times + 1)),
)
const words = (...parts: (string | fc.Arbitrary<string>)[]) =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))

/** How to make one, and what changes it. */
const kinds: Record<string, { make: string[][]; change: fc.Arbitrary<string[]> }> = {
  hash: {
    make: [['HSET', 'k', ...elements((i) => [`f${i}`, `v${i}`])]],
    change: fc.oneof(
      words(
        'HSET',
        'k',
        number.map((i) => `f${i}`),
        number.map((i) => `w${i}`),
      ),
      words('HSET', 'k', word, word),
      words('HDEL', 'k', ...Array.from({ length: 40 }, () => number.map((i) => `f${i}`))),
    ),
  },
  set: {
    make: [['SADD', 'k', ...elements((i) => [`m${i}`])]],
    change: fc.oneof(
      words('SADD', 'k', word),
      words('SREM', 'k', ...Array.from({ length: 40 }, () => number.map((i) => `m${i}`))),
    ),
  },
  'sorted set': {
    make: [['ZADD', 'k', ...elements((i) => [`${(i * 7919) % 1009}`, `m${i}`])]],
    change: fc.oneof(
      words(
        'ZADD',
        'k',
        number,
        number.map((i) => `m${i}`),
      ),
      words('ZADD', 'k', number, word),
      words('ZREM', 'k', ...Array.from({ length: 20 }, () => number.map((i) => `m${i}`))),
      words('ZREMRANGEBYSCORE', 'k', number, number),
      words('ZPOPMIN', 'k', '30'),
    ),
  },
  list: {
    make: [['RPUSH', 'k', ...elements((i) => [`${i}`.repeat(20)])]],
    change: fc.oneof(
      words('LPUSH', 'k', word),
      words('RPUSH', 'k', word),
      words('LSET', 'k', number, word),
      words(
        'LREM',
        'k',
        '1',
        number.map((i) => i.repeat(20)),
      ),
      words(
        'LINSERT',
        'k',
        'BEFORE',
        number.map((i) => i.repeat(20)),
        word,
      ),
      words('LPOP', 'k', '20'),
      words('RPOP', 'k'),
      words('LTRIM', 'k', '3', '-2'),
    ),
  },
  stream: {
    make: [
      ...Array.from({ length: COUNT }, (_, i) => ['XADD', 'k', `${i + 1}-0`, 'f', `${i}`]),
      ['XGROUP', 'CREATE', 'k', 'g', '0'],
      ['XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '200', 'STREAMS', 'k', '>'],
    ],
    change: fc.oneof(
      words('XADD', 'k', '*', 'f', word),
      words('XDEL', 'k', ...Array.from({ length: 20 }, () => number.map((i) => `${i}-0`))),
      words('XTRIM', 'k', 'MAXLEN', number),
      words(
        'XACK',
        'k',
        'g',
        fc.nat({ max: 200 }).map((i) => `${i}-0`),
      ),
      words(
        'XCLAIM',
        'k',
        'g',
        'other',
        '0',
        fc.nat({ max: 200 }).map((i) => `${i}-0`),
      ),
      words('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '9', 'STREAMS', 'k', '>'),
    ),
  },
}

function valueAtK({ server }: HeldServer): Aggregate | undefined {
  const database = server.databases[0]
  const entry = database?.findKey(Buffer.from('k')) ?? NO_ENTRY
  return entry === NO_ENTRY ? undefined : database?.aggregate(entry)
}

/** As it goes into a file; of a sorted set what its table says, too. */
function contentsOf(value: Aggregate): string {
  let scores = ''
  if (value instanceof SortedSetValue) {
    value.scan(0, COUNT * 100, ({ member, score }) => {
      scores += `${member} ${score},`
    })
  }
  return scores + dumpPayload(undefined, value, false).toString('latin1')
}

test.each(Object.entries(kinds))('a frozen %s', (_name, { make, change }) => {
  const program = fc.array(fc.tuple(fc.boolean(), fc.array(change, { minLength: 1, maxLength: 30 })), { maxLength: 8 })
  fc.assert(
    fc.property(program, (steps) => {
      const server = heldServer()
      const twin = heldServer()
      for (const command of make) for (const side of [server, twin]) side.send(...command)
      expect(valueAtK(server)?.freeze?.()).toBeDefined()
      const views: { view: Aggregate; held: string }[] = []
      for (const [freezes, commands] of steps) {
        const view = freezes ? valueAtK(server)?.freeze?.() : undefined
        if (view !== undefined) views.push({ view, held: contentsOf(view) })
        for (const command of commands) expect(server.send(...command)).toBe(twin.send(...command))
        for (const { view, held } of views) expect(contentsOf(view) === held).toBe(true)
      }
      expect(server.contents()).toEqual(twin.contents())
      for (const held of servers.splice(0)) held.stop()
    }),
    { numRuns: 25 },
  )
})
