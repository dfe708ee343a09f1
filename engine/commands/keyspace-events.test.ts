/** The keyspace events of each command, compared with redis-server's. */
import { expect, test } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { againstRedis, RawConnection, usePair, type Words } from '../testing/differential.ts'
import { bits, sortedSets } from './testing/effects.ts'

/** Events in order, `keyevent channel → key`, until that of the key `end`. */
async function events(port: number, commands: readonly Words[]): Promise<string[]> {
  const [listener, client] = [await RawConnection.open(port), await RawConnection.open(port)]
  try {
    await client.send('FLUSHALL')
    await listener.send('PSUBSCRIBE', '__keyevent@*')
    client.write(Buffer.concat([...commands, ['SET', 'end', 'v']].map((words) => encodeRequest(words))))
    await client.read(commands.length + 1)
    const seen: string[] = []
    for (;;) {
      const [message] = await listener.read(1)
      const lines = (message as Buffer).toString('latin1').split('\r\n')
      const event = `${lines[6]} → ${lines[8]}`
      if (event.endsWith('set → end')) return seen
      seen.push(event)
    }
  } finally {
    listener.close()
    client.close()
  }
}

againstRedis('commands tell of the events that redis-server 7.0 tells of', () => {
  const pair = usePair({ settings: { 'notify-keyspace-events': 'KEAmn' } })

  async function same(commands: readonly Words[]): Promise<void> {
    const [redis, engine] = await Promise.all([events(pair().redisPort, commands), events(pair().enginePort, commands)])
    expect(engine).toEqual(redis)
    expect(redis.length).toBeGreaterThan(0)
  }

  test('strings', async () => {
    await same([
      ['SET', 'k', 'v'],
      ['SET', 'k', 'v', 'EX', '100'],
      ['SET', 'k', 'v', 'GET'],
      ['SET', 'none', 'v', 'XX', 'GET'],
      ['SETEX', 'k', '100', 'v'],
      ['SETNX', 'new', 'v'],
      ['GETSET', 'k', 'v'],
      ['GETSET', 'other', 'v'],
      ['GETEX', 'k', 'EX', '100'],
      ['GETEX', 'k', 'PERSIST'],
      ['GETEX', 'k', 'EXAT', '1'],
      ['GETDEL', 'new'],
      ['GET', 'new'],
      ['MGET', 'new', 'k'],
      ['INCRBYFLOAT', 'f', '0.1'],
      ['INCR', 'n'],
      ['INCR', 'n'],
      ['APPEND', 'n', ''],
      ['APPEND', 'a', 'x'],
      ['SETRANGE', 'n', '3', 'x'],
      ['SETRANGE', 'r', '3', 'x'],
      ['MSET', 'a', '1', 'b', '2'],
      ['MSETNX', 'y', '1', 'z', '2'],
      ['STRLEN', 'none'],
      ['LCS', 'none', 'a'],
    ])
  })

  test('bits', async () => {
    await same(bits)
  })

  test('sets', async () => {
    await same([
      ['SADD', 's', '1', '2', '3'],
      ['SADD', 's', '1'],
      ['SREM', 's', '1', 'none'],
      ['SREM', 's', 'none'],
      ['SREM', 'none', 'x'],
      ['SMOVE', 's', 't', '2'],
      ['SMOVE', 's', 't', '2'],
      ['SADD', 't', '3'],
      ['SMOVE', 's', 't', '3'],
      ['SADD', 's', '1', '2'],
      ['SPOP', 's'],
      ['SPOP', 's'],
      ['SADD', 's', '1', '2', '3'],
      ['SPOP', 's', '2'],
      ['SPOP', 's', '5'],
      ['SPOP', 's', '5'],
      ['SADD', 's', '1', '2', '3'],
      ['SREM', 's', '1', '2', '3', '4'],
      ['SADD', 's', '1', '2', '3'],
      ['SUNIONSTORE', 'u', 's', 't'],
      ['SUNIONSTORE', 'u', 's', 'none'],
      ['SINTERSTORE', 'u', 's', 'none'],
      ['SINTERSTORE', 'u', 's', 'none'],
      ['SINTERSTORE', 'i', 's', 't'],
      ['SDIFFSTORE', 'd', 's', 't'],
      ['SDIFFSTORE', 'd', 's', 's'],
      ['SINTERCARD', '2', 's', 'none'],
      ['SSCAN', 'none', '0'],
      ['SRANDMEMBER', 'none'],
      ['SMISMEMBER', 'none', 'x'],
    ])
  })

  test('sorted sets', async () => {
    await same(sortedSets)
  })

  test('streams', async () => {
    const lines = `XADD s 1-1 a b
      XADD s MAXLEN 1 2-1 a b
      XADD s MAXLEN 9 3-1 a b
      XADD s 3-1 a b
      XTRIM s MAXLEN 1
      XTRIM s MAXLEN 1
      XSETID s 4-1
      XGROUP CREATE s g 0
      XGROUP CREATE t g $ MKSTREAM
      XGROUP SETID s g 0
      XGROUP CREATECONSUMER s g c
      XGROUP CREATECONSUMER s g c
      XREADGROUP GROUP g d STREAMS s >
      XCLAIM s g e 0 3-1
      XAUTOCLAIM s g f 0 0
      XACK s g 3-1
      XGROUP DELCONSUMER s g d
      XGROUP DELCONSUMER s g d
      XGROUP DESTROY s g
      XDEL s 3-1
      XDEL s 3-1
      XLEN none
      XREAD STREAMS none 0`
    await same(lines.split('\n').map((line) => line.trim().split(' ')))
  })

  test('keys and expiry', async () => {
    await same([
      ['MSET', 'a', '1', 'b', '2', 'c', '3'],
      ['EXPIRE', 'a', '100'],
      ['PERSIST', 'a'],
      ['EXPIRE', 'a', '-1'],
      ['RENAME', 'c', 'd'],
      ['RENAMENX', 'd', 'c'],
      ['RENAME', 'c', 'b'],
      ['COPY', 'b', 'd'],
      ['COPY', 'b', 'd', 'DB', '1'],
      ['COPY', 'b', 'd', 'REPLACE'],
      ['COPY', 'none', 'x'],
      ['MOVE', 'd', '2'],
      ['DEL', 'b', 'none'],
      ['UNLINK', 'b'],
      ['TTL', 'none'],
      ['TYPE', 'none'],
      ['EXISTS', 'none'],
      ['TOUCH', 'none'],
      ['OBJECT', 'ENCODING', 'none'],
      ['SET', 'e', 'v', 'PXAT', '1'],
      ['GET', 'e'],
    ])
  })
})
