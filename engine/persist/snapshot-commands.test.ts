/** Every command that writes lets a running snapshot see the old value first, whatever the encoding of its keys. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { commandFamilies } from '../commands/registry.ts'
import { bulkOf } from '../testing/aggregates.ts'
import { HeldServer } from './testing/held-server.ts'

const servers: HeldServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.stop()
})

const library = '#!lua name=lib\nredis.register_function("f", function() end)'
const script = "redis.call('SET', 'text', 'x'); redis.call('LPUSH', 'l', 'x')"

/** Commands that change something in the data set of `fill`; several of one name where it has several ways. */
const examples = `
APPEND text x|APPEND int 1|SETRANGE text 1 yy|SETRANGE int 0 9|SETBIT text 0 1|SETBIT int 2 0|SETBIT bits 9000 1
BITFIELD text SET u8 0 1|BITFIELD int INCRBY u8 0 1|BITOP NOT text text|BITOP OR int text bits|BITOP AND l text int
SET text new|SET int 11|SET l over|SET h over|SET text x EX 100|SETEX z 100 x|PSETEX x 1000 y|SETNX fresh x
MSET text 1 l 2 h 3|MSETNX fresh 1 fresher 2|GETSET text x|GETDEL text|GETEX text EX 10|GETEX mortal PERSIST
INCR int|DECR int|INCRBY int 3|DECRBY int 3|INCRBYFLOAT int 1.5
DEL text l s h z x|UNLINK text l s h z x|RENAME l text|RENAME text l|RENAMENX h fresh|COPY z fresh|COPY z h REPLACE
COPY l l DB 1|MOVE h 1|MOVE x 1|EXPIRE text 100|PEXPIRE l 10000|EXPIREAT z 9999999999|PEXPIREAT h 9999999999999
EXPIRE s -1|PERSIST mortal|FLUSHDB|FLUSHALL ASYNC|SWAPDB 0 1|SWAPDB 0 2|SORT l ALPHA DESC STORE l|SORT s ALPHA STORE z
LPUSH l x|RPUSH l x|LPUSHX l x|RPUSHX l x|LPOP l|RPOP l 2|LINSERT l BEFORE e1 x|LREM l 1 e2|LSET l 0 x|LTRIM l 1 2
LMOVE l l2 LEFT RIGHT|LMOVE l l LEFT RIGHT|RPOPLPUSH l l2|RPOPLPUSH l l|LMPOP 1 l LEFT|BLPOP l 0|BRPOP l 0
BRPOPLPUSH l l2 0|BLMOVE l l2 LEFT LEFT 0|BLMPOP 0 1 l RIGHT COUNT 2
SADD s x|SADD integers 99999|SADD integers x|SREM s e1|SREM integers 1|SPOP s|SPOP s 2|SPOP integers|SMOVE s s2 e1
SMOVE integers s2 1|SDIFFSTORE s s s2|SINTERSTORE s s s2|SUNIONSTORE s s s2|SUNIONSTORE l s
HSET h e1 x|HSET h fresh x|HMSET h e2 y|HSETNX h fresh y|HDEL h e1|HINCRBY h e1 3|HINCRBYFLOAT h e1 1.5
ZADD z 9 e1|ZADD z 9 fresh|ZADD z INCR 3 e1|ZINCRBY z 3 e1|ZREM z e1|ZPOPMIN z|ZPOPMAX z 2|ZMPOP 1 z MIN
BZPOPMIN z 0|BZPOPMAX z 0|BZMPOP 0 1 z MAX|ZREMRANGEBYRANK z 0 1|ZREMRANGEBYSCORE z 0 1|ZREMRANGEBYLEX same - [e1
ZRANGESTORE z z 0 1|ZDIFFSTORE z 2 z z2|ZINTERSTORE z 2 z z2|ZUNIONSTORE z 2 z z2|ZUNIONSTORE h 1 z
GEOADD geo 1 1 there|GEOADD geo 2 2 here|GEOSEARCHSTORE z geo FROMLONLAT 1 1 BYRADIUS 1000 km
GEORADIUS geo 1 1 1000 km STORE z|GEORADIUSBYMEMBER geo here 1000 km STORE l
PFADD hll fresh|PFADD dense fresh|PFMERGE hll dense|PFCOUNT hll|PFDEBUG TODENSE hll
XADD x * f v|XADD x MAXLEN 2 * f v|XDEL x 1-0|XTRIM x MAXLEN 1|XSETID x 100000-0|XGROUP CREATE x fresh 0
XGROUP CREATECONSUMER x g fresh|XGROUP DELCONSUMER x g c|XGROUP DESTROY x g|XGROUP SETID x g 2-0|XACK x g 1-0
XREADGROUP GROUP g c STREAMS x >|XREADGROUP GROUP g fresh STREAMS x >|XREADGROUP GROUP g c STREAMS x 0
XCLAIM x g d 0 1-0|XCLAIM x g d 0 1-0 JUSTID|XAUTOCLAIM x g d 0 0|XREADGROUP GROUP g c NOACK STREAMS x >
`
  .trim()
  .split(/\n|\|/)
  .map((line) => line.split(' '))

/** Commands with words that have spaces or bytes in them. */
const more: readonly (readonly string[])[] = [
  ['EVAL', script, '0'],
  ['FUNCTION', 'LOAD', 'REPLACE', library],
  ['FUNCTION', 'DELETE', 'kept'],
  ['FUNCTION', 'FLUSH'],
]

function fill(server: HeldServer, size: number): void {
  const elements = (command: string, key: string, make: (i: number) => string[], count = size) =>
    server.send(command, key, ...Array.from({ length: count }, (_, i) => make(i)).flat())
  server.send('FUNCTION', 'LOAD', library.replace('name=lib', 'name=kept').replace('"f"', '"kept"'))
  server.send('MSET', 'text', 'some text', 'int', '10', 'mortal', 'x')
  server.send('PEXPIRE', 'mortal', '50000')
  server.send('SETBIT', 'bits', '8000', '1')
  for (const key of ['l', 'l2']) elements('RPUSH', key, (i) => [`e${i}`])
  for (const key of ['s', 's2']) elements('SADD', key, (i) => [`e${key === 's' ? i : i * 2}`])
  elements('SADD', 'integers', (i) => [String(i)])
  elements('HSET', 'h', (i) => [`e${i}`, String(i)])
  for (const key of ['z', 'z2']) elements('ZADD', key, (i) => [String(i), `e${key === 'z' ? i : i * 2}`])
  elements('ZADD', 'same', (i) => ['0', `e${i}`])
  server.send('GEOADD', 'geo', '1', '1', 'here')
  elements('PFADD', 'hll', (i) => [`e${i}`])
  elements('PFADD', 'dense', (i) => [`d${i}`], 4000)
  for (let i = 1; i <= size; i++) server.send('XADD', 'x', `${i}-0`, 'f', String(i))
  server.send('XGROUP', 'CREATE', 'x', 'g', '0')
  server.send('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', '2', 'STREAMS', 'x', '>')
  server.send('SELECT', '1')
  elements('RPUSH', 'elsewhere', (i) => [`e${i}`])
  server.send('SELECT', '0')
}

function loaded(file?: Buffer): HeldServer {
  const server = new HeldServer()
  servers.push(server)
  if (file !== undefined) server.load(file)
  return server
}

/** What a server has that loads the file. */
function read(file: Buffer): object {
  const server = loaded(file)
  return { ...server.contents(), functions: server.send('FUNCTION', 'LIST', 'WITHCODE') }
}

describe.each([
  ['small', 4],
  ['large', 700],
])('with %s aggregates', (_name, size) => {
  let file: Buffer
  let wanted: object
  beforeAll(() => {
    const server = loaded()
    fill(server, size)
    file = server.snapshot().finish()
    wanted = read(file)
  })

  test.each([...examples, ...more].map((words) => [words.join(' '), words] as const))('%s', (_line, words) => {
    const server = loaded(file)
    const snapshot = server.snapshot()
    server.wallMs += 10
    expect(server.send(...words)).not.toMatch(/^-/)
    expect(read(snapshot.finish()), 'the file').toEqual(wanted)
    expect(read(server.snapshot().finish()), 'the example changes nothing').not.toEqual(wanted)
  })

  test('RESTORE', () => {
    const server = loaded(file)
    const payload = bulkOf(server.send('DUMP', 'z'))
    for (const command of ['RESTORE', 'RESTORE-ASKING']) {
      const snapshot = server.snapshot()
      expect(server.send(command, command === 'RESTORE' ? 'h' : 'z2', '0', payload, 'REPLACE')).toBe('+OK\r\n')
      if (command === 'RESTORE') expect(read(snapshot.finish())).toEqual(wanted)
      else expect(read(snapshot.finish())).not.toEqual(wanted)
    }
  })
})

test('every command that writes has an example', () => {
  const tried = new Set([...examples, ...more].map(([name]) => (name as string).toLowerCase()))
  const elsewhere = ['restore', 'restore-asking']
  // Removes keys by the same `remove` as DEL, and needs a second server.
  const excused = ['migrate']
  const writing = commandFamilies
    .flat()
    .filter(
      ({ flags, subcommands }) => flags.includes('write') || subcommands?.some((row) => row.flags.includes('write')),
    )
  const missing = writing.map(({ name }) => name).filter((name) => !tried.has(name))
  expect(missing.sort()).toEqual([...elsewhere, ...excused].sort())
})
