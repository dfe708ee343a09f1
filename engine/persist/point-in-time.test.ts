/** Whatever is written while a snapshot runs, the file holds the data set of the moment when it began. */
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { HeldServer } from './testing/held-server.ts'

const servers: HeldServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.stop()
})

function heldServer(settings: Readonly<Record<string, string>> = {}): HeldServer {
  const server = new HeldServer(settings)
  servers.push(server)
  return server
}

/** A server with the contents of the file, at that time. */
function loaded(file: Buffer, wallMs: number): HeldServer {
  const server = heldServer()
  server.wallMs = wallMs
  server.load(file)
  return server
}

type Step = readonly string[]

/** Runs a step of a program: a command, or one of the words in capitals that are no commands. */
function run(server: HeldServer, snapshotStep: () => void, [word = '', ...rest]: Step): void {
  if (word === '(slice)') snapshotStep()
  else if (word === '(later)') server.wallMs += Number(rest[0])
  else if (word === '(evict)') {
    server.send('CONFIG', 'SET', 'maxmemory', '1')
    server.send('SET', 'over', 'the limit')
    server.send('CONFIG', 'SET', 'maxmemory', '0')
  } else if (word === '(many)') server.send(...manyElements(rest[1] as string, rest[0] as string))
  else server.send(word, ...rest)
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const
const key = fc.constantFrom(...names)
const database = fc.constantFrom('0', '1', '2')
const small = fc.integer({ min: 0, max: 30 }).map(String)
const words = (command: string, ...rest: fc.Arbitrary<string>[]): fc.Arbitrary<Step> =>
  fc.tuple(fc.constant(command), ...rest)
const it = (word: string): fc.Arbitrary<string> => fc.constant(word)
/** Enough for a large encoding. */
function manyElements(command: string, name: string): readonly string[] {
  const elements = Array.from({ length: 700 }, (_, i) => {
    if (command === 'HSET') return [`field ${i}`, String(i)]
    return command === 'ZADD' ? [String(i / 7), `member ${i}`] : [`element ${i}`]
  })
  return [command, name, ...elements.flat()]
}

const write: fc.Arbitrary<Step> = fc.oneof(
  words('SELECT', database),
  words('(many)', key, fc.constantFrom('RPUSH', 'SADD', 'HSET', 'ZADD')),
  words('SET', key, small),
  words('SET', key, fc.string({ maxLength: 80 })),
  words('APPEND', key, small),
  words('SETRANGE', key, small, small),
  words('SETBIT', key, small, fc.constantFrom('0', '1')),
  words('INCRBY', key, small),
  words('DEL', key),
  words('UNLINK', key, key),
  words('RENAME', key, key),
  words('RENAMENX', key, key),
  words('MOVE', key, database),
  words('COPY', key, key, it('DB'), database, it('REPLACE')),
  words('SWAPDB', database, database),
  words('FLUSHDB'),
  words('FLUSHALL'),
  words('PEXPIRE', key, small),
  words('PERSIST', key),
  words('(later)', small),
  words('(evict)'),
  words('GET', key),
  words('RPUSH', key, small, small),
  words('LPOP', key),
  words('LSET', key, it('0'), small),
  words('LMOVE', key, key, it('LEFT'), it('RIGHT')),
  words('SADD', key, small, fc.constantFrom('x', 'y')),
  words('SREM', key, small),
  words('SMOVE', key, key, small),
  words('HSET', key, small, small),
  words('HDEL', key, small),
  words('ZADD', key, small, small),
  words('ZINCRBY', key, small, small),
  words('ZPOPMIN', key),
  words('XADD', key, it('*'), it('field'), small),
  words('XTRIM', key, it('MAXLEN'), small),
  words('XGROUP', it('CREATE'), key, it('group'), it('0')),
  words('XREADGROUP', it('GROUP'), it('group'), it('one'), it('STREAMS'), key, it('>')),
  words('PFADD', key, small),
  words('SORT', key, it('STORE'), key),
)

test('a snapshot is what was there when it began, whatever comes between its slices', () => {
  const step = fc.oneof({ weight: 3, arbitrary: write }, { weight: 2, arbitrary: words('(slice)') })
  const programs = fc.tuple(fc.array(write, { minLength: 20, maxLength: 50 }), fc.array(step, { maxLength: 50 }))
  fc.assert(
    fc.property(programs, fc.constantFrom('0', '1'), ([before, during], keyDelay) => {
      const writer = heldServer({ 'maxmemory-policy': 'allkeys-random', 'rdb-key-save-delay': keyDelay })
      for (const words of before.filter(([word]) => word !== 'FLUSHALL')) run(writer, () => {}, words)
      const beganMs = writer.wallMs
      const wanted = loaded(writer.snapshot().finish(), beganMs).contents()
      const digest = writer.send('DEBUG', 'DIGEST')
      const snapshot = writer.snapshot()
      for (const words of during) run(writer, () => snapshot.step(), words)
      const reader = loaded(snapshot.finish(), beganMs)
      expect(reader.contents()).toEqual(wanted)
      expect(reader.send('DEBUG', 'DIGEST')).toBe(digest)
      for (const server of servers.splice(0)) server.stop()
    }),
    { numRuns: 150 },
  )
})

test('transfers between accounts of every kind leave the sum in the snapshot exact', () => {
  const kinds = ['text', 'hash', 'score'] as const
  const account = fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 0, max: 39 }))
  const transfer = fc.tuple(account, account, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 2 }))
  const add = (server: HeldServer, [kind, number]: readonly [string, number], amount: number) => {
    if (kind === 'text') server.send('INCRBY', `text:${number}`, String(amount))
    else if (kind === 'hash') server.send('HINCRBY', `hash:${number % 4}`, `account ${number}`, String(amount))
    else server.send('ZINCRBY', `score:${number % 4}`, String(amount), `account ${number}`)
  }
  const sum = (server: HeldServer): number => {
    const integers = (reply: string) => reply.split('\r\n').filter((line) => /^-?\d+$/.test(line))
    let total = 0
    for (let i = 0; i < 40; i++) {
      for (const value of [
        server.send('GET', `text:${i}`),
        server.send('HGET', `hash:${i % 4}`, `account ${i}`),
        server.send('ZSCORE', `score:${i % 4}`, `account ${i}`),
      ]) {
        total += Number(integers(value).at(-1) ?? 0)
      }
    }
    return total
  }
  fc.assert(
    fc.property(fc.array(transfer, { minLength: 20, maxLength: 80 }), (transfers) => {
      const writer = heldServer({ 'rdb-key-save-delay': '1' })
      for (const kind of kinds) for (let i = 0; i < 40; i++) add(writer, [kind, i], 1000)
      const snapshot = writer.snapshot()
      for (const [from, to, amount, slices] of transfers) {
        for (let i = 0; i < slices; i++) snapshot.step()
        writer.send('MULTI')
        add(writer, from, -amount)
        add(writer, to, amount)
        writer.send('EXEC')
      }
      const reader = heldServer()
      reader.load(snapshot.finish())
      expect(sum(reader)).toBe(120_000)
      expect(reader.send('HGET', 'hash:3', 'account 3')).toBe('$4\r\n1000\r\n')
      for (const server of servers.splice(0)) server.stop()
    }),
    { numRuns: 60 },
  )
})
