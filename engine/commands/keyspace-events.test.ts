/** The keyspace events of each command, compared with redis-server's. */
import { expect, test } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { againstRedis, RawConnection, usePair, type Words } from '../testing/differential.ts'

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
    await same([
      ['SETBIT', 'k', '7', '1'],
      ['SETBIT', 'k', '7', '1'],
      ['SETBIT', 'k', '100', '0'],
      ['SETBIT', 'k', '100', '0'],
      ['SETBIT', 'new', '0', '0'],
      ['BITOP', 'NOT', 'd', 'k'],
      ['BITOP', 'NOT', 'd', 'none'],
      ['BITOP', 'NOT', 'd', 'none'],
      ['BITFIELD', 'k', 'GET', 'u8', '0'],
      ['BITFIELD', 'k', 'SET', 'u8', '0', '5', 'INCRBY', 'u8', '0', '1'],
      ['BITFIELD', 'k', 'SET', 'u8', '0', '6'],
      ['BITFIELD', 'k', 'SET', 'u8', '4000', '0'],
      ['BITFIELD', 'made', 'SET', 'u8', '0', '0'],
      ['BITFIELD', 'made', 'OVERFLOW', 'FAIL', 'SET', 'u8', '0', '300'],
      ['BITFIELD_RO', 'k', 'GET', 'u8', '0'],
    ])
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
    await same([
      ['ZADD', 'z', '1', 'a', '2', 'b', '3', 'c'],
      ['ZADD', 'z', '1', 'a'],
      ['ZADD', 'z', 'XX', '1', 'none'],
      ['ZADD', 'none', 'XX', '1', 'none'],
      ['ZADD', 'z', 'INCR', '1', 'a'],
      ['ZINCRBY', 'z', '1.5', 'a'],
      ['ZREM', 'z', 'a', 'none'],
      ['ZREM', 'z', 'none'],
      ['ZREM', 'z', 'b', 'c', 'a'],
      ['ZADD', 'z', '1', 'a', '2', 'b', '3', 'c', '4', 'd'],
      ['ZPOPMIN', 'z'],
      ['ZPOPMAX', 'z', '2'],
      ['ZPOPMAX', 'z', '0'],
      ['ZPOPMAX', 'z', '2'],
      ['ZPOPMAX', 'z', '2'],
      ['ZADD', 'z', '1', 'a', '2', 'b', '3', 'c', '4', 'd'],
      ['ZMPOP', '2', 'none', 'z', 'MIN'],
      ['ZMPOP', '1', 'z', 'max', 'COUNT', '9'],
      ['ZMPOP', '1', 'z', 'max', 'COUNT', '9'],
      ['ZADD', 'z', '1', 'a', '2', 'b', '3', 'c', '4', 'd'],
      ['ZREMRANGEBYRANK', 'z', '0', '0'],
      ['ZREMRANGEBYRANK', 'z', '9', '9'],
      ['ZREMRANGEBYSCORE', 'z', '2', '2'],
      ['ZREMRANGEBYLEX', 'z', '-', '+'],
      ['ZADD', 'z', '1', 'a', '2', 'b', '3', 'c', '4', 'd'],
      ['ZRANGESTORE', 'y', 'z', '0', '1'],
      ['ZRANGESTORE', 'y', 'z', '9', '9'],
      ['ZRANGESTORE', 'y', 'none', '0', '1'],
      ['ZUNIONSTORE', 'u', '2', 'z', 'none'],
      ['ZUNIONSTORE', 'u', '1', 'none'],
      ['ZINTERSTORE', 'i', '2', 'z', 'z'],
      ['ZINTERSTORE', 'i', '2', 'z', 'none'],
      ['ZDIFFSTORE', 'd', '2', 'z', 'none'],
      ['ZINTERCARD', '2', 'z', 'none'],
      ['ZRANDMEMBER', 'none'],
      ['ZRANGE', 'none', '0', '1'],
      ['ZCOUNT', 'none', '0', '1'],
      ['ZSCAN', 'none', '0'],
    ])
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
