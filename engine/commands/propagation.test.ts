/** What replicas receive for each command, compared with what redis-server sends to its replicas. */
import net from 'node:net'
import { expect, test } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { againstRedis, RawConnection, usePair, type Words } from '../testing/differential.ts'
import { bits, sortedSets } from './testing/effects.ts'

/** A replica that takes the data set as it comes and collects the commands behind it. */
class Eavesdropper {
  private readonly socket: net.Socket
  private received = Buffer.alloc(0)
  private synchronised = false
  readonly commands: string[][] = []

  constructor(port: number) {
    this.socket = net.connect({ host: '127.0.0.1', port })
    this.socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk])
      if (!this.synchronised) this.skipDataSet()
      if (this.synchronised) while (this.takeCommand());
    })
    this.socket.write(encodeRequest(['PSYNC', '?', '-1']))
  }

  /**
   * `+FULLRESYNC id offset`, blank lines while the other side prepares, then `$length` and the RDB without a line end.
   */
  private skipDataSet(): void {
    const header = /^\+FULLRESYNC [^\r]*\r\n\n*\$(\d+)\r\n/.exec(this.received.toString('latin1'))
    if (header === null) return
    const end = header[0].length + Number(header[1])
    if (this.received.length < end) return
    this.received = this.received.subarray(end)
    this.synchronised = true
  }

  private takeCommand(): boolean {
    const text = this.received.toString('latin1')
    const header = /^\*(\d+)\r\n/.exec(text)
    if (header === null) {
      if (text.startsWith('\n')) this.received = this.received.subarray(1)
      return text.startsWith('\n')
    }
    const words: string[] = []
    let at = header[0].length
    for (let i = 0; i < Number(header[1]); i++) {
      const size = /^\$(\d+)\r\n/.exec(text.slice(at))
      if (size === null || text.length < at + size[0].length + Number(size[1]) + 2) return false
      at += size[0].length
      words.push(text.slice(at, at + Number(size[1])))
      at += Number(size[1]) + 2
    }
    this.received = this.received.subarray(at)
    this.commands.push(words)
    return true
  }

  get isReady(): boolean {
    return this.synchronised
  }

  close(): void {
    this.socket.destroy()
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}

/** Names in upper case, and times that depend on when the command ran as T; what keeps the link alive is left out. */
function levelled(commands: string[][]): string[] {
  return commands
    .filter(([name = '']) => !['PING', 'REPLCONF', 'SELECT'].includes(name.toUpperCase()))
    .map(([name = '', ...rest]) => {
      const words = rest.map((word) =>
        /^\d{13}$/.test(word) && Math.abs(Number(word) - Date.now()) < 2e6 ? 'T' : word,
      )
      return [name.toUpperCase(), ...words].join(' ')
    })
}

/** `waiting`: commands that block, each of a client of its own, before the others. */
async function stream(port: number, commands: readonly Words[], waiting: readonly Words[] = []): Promise<string[]> {
  const client = await RawConnection.open(port)
  const blocked: RawConnection[] = []
  // Before the replica comes, or it would depend on the race between the two whether it is in its stream.
  await client.send('FLUSHALL')
  const replica = new Eavesdropper(port)
  try {
    await until(() => replica.isReady)
    for (const words of waiting) {
      const connection = await RawConnection.open(port)
      blocked.push(connection)
      connection.write(encodeRequest(words))
      while (!(await client.send('INFO', 'clients')).includes(`blocked_clients:${blocked.length}`));
    }
    for (const words of commands) await client.send(...words)
    await client.send('SET', 'the', 'end')
    await until(() => replica.commands.some((words) => words[1] === 'the'))
    return levelled(replica.commands)
  } finally {
    client.close()
    replica.close()
    for (const connection of blocked) connection.close()
  }
}

againstRedis('replicas receive what those of redis-server 7.0 do', () => {
  const pair = usePair({ settings: { 'repl-diskless-sync': 'no' } })

  async function same(commands: readonly Words[], waiting: readonly Words[] = []): Promise<void> {
    const { redisPort, enginePort } = pair()
    const [redis, engine] = await Promise.all([
      stream(redisPort, commands, waiting),
      stream(enginePort, commands, waiting),
    ])
    expect(engine).toEqual(redis)
  }

  test('strings', async () => {
    await same([
      ['SET', 'k', 'v'],
      ['set', 'k', 'v', 'EX', '100'],
      ['SET', 'k', 'v', 'px', '100000', 'XX'],
      ['SET', 'k', 'v', 'EXAT', '33177117420'],
      ['SET', 'k', 'v', 'PXAT', '33177117420000', 'GET'],
      ['SET', 'k', 'v', 'XX', 'PXAT', '33177117420000'],
      ['set', 'k', 'v', 'pxat', '33177117420000'],
      ['SET', 'k', 'v', 'get', 'KEEPTTL'],
      ['SET', 'k', 'v', 'GET', 'XX'],
      ['SET', 'k', 'v', 'NX', 'GET'],
      ['SET', 'k', 'v', 'NX'],
      ['SETEX', 'k', '100', 'v'],
      ['PSETEX', 'k', '100000', 'v'],
      ['SETNX', 'k', 'v'],
      ['SETNX', 'new', 'v'],
      ['GETSET', 'k', 'v'],
      ['GETEX', 'k'],
      ['GETEX', 'k', 'EX', '100'],
      ['GETEX', 'k', 'PERSIST'],
      ['GETEX', 'k', 'PERSIST'],
      ['GETEX', 'k', 'EXAT', '1'],
      ['GETDEL', 'new'],
      ['GETDEL', 'new'],
      ['INCRBYFLOAT', 'f', '0.1'],
      ['INCRBYFLOAT', 'f', '0.2'],
      ['INCR', 'n'],
      ['DECRBY', 'n', '3'],
      ['APPEND', 'n', ''],
      ['SETRANGE', 'none', '3', ''],
      ['SETRANGE', 'n', '3', 'x'],
      ['MSET', 'a', '1', 'b', '2'],
      ['MSETNX', 'a', '1', 'c', '2'],
      ['MGET', 'a', 'b'],
    ])
  })

  test('hashes', async () => {
    await same([
      ['HSET', 'h', 'a', '1', 'b', '2'],
      ['HMSET', 'h', 'a', '1'],
      ['HSETNX', 'h', 'a', '2'],
      ['HSETNX', 'h', 'c', '2'],
      ['HINCRBY', 'h', 'a', '2'],
      ['HINCRBYFLOAT', 'h', 'a', '0.1'],
      ['HINCRBYFLOAT', 'h', 'a', 'x'],
      ['HDEL', 'h', 'none'],
      ['HDEL', 'h', 'a', 'none'],
      ['HRANDFIELD', 'h'],
    ])
  })

  test('lists', async () => {
    await same([
      ['RPUSH', 'l', ...'123456789abcdefghi'],
      ['LPUSHX', 'none', '1'],
      ['LPUSHX', 'l', '0'],
      ['LPOP', 'l'],
      ['RPOP', 'l', '2'],
      ['LPOP', 'l', '0'],
      ['LPOP', 'none'],
      ['LMOVE', 'l', 'm', 'LEFT', 'RIGHT'],
      ['RPOPLPUSH', 'l', 'm'],
      ['LMPOP', '2', 'none', 'l', 'LEFT'],
      ['LMPOP', '2', 'none', 'm', 'RIGHT', 'COUNT', '10'],
      ['BLPOP', 'none', 'l', '0'],
      ['BRPOP', 'l', '0'],
      ['BLMOVE', 'l', 'm', 'LEFT', 'RIGHT', '0'],
      ['blmove', 'l', 'm', 'right', 'left', '0'],
      ['BRPOPLPUSH', 'l', 'm', '0'],
      ['BLMPOP', '0', '1', 'm', 'LEFT', 'COUNT', '2'],
      ['LSET', 'l', '0', 'x'],
      ['LINSERT', 'l', 'BEFORE', 'x', 'y'],
      ['LINSERT', 'l', 'BEFORE', 'none', 'y'],
      ['LREM', 'l', '0', 'none'],
      ['LREM', 'l', '0', 'y'],
      ['LTRIM', 'l', '0', '-1'],
      ['LTRIM', 'l', '0', '0'],
      ['LTRIM', 'none', '0', '0'],
      ['MULTI'],
      ['BLPOP', 'l', '0'],
      ['BLPOP', 'l', '0'],
      ['EXEC'],
    ])
  })

  test('those who waited are served by plain commands, after the one that served them', async () => {
    await same(
      [['RPUSH', 'l', ...'123456789'], ['MULTI'], ['RPUSH', 'm', '1'], ['RPUSH', 'n', '2'], ['EXEC']],
      [
        ['BLPOP', 'l', '0'],
        ['BRPOP', 'none', 'l', '0'],
        ['BLMOVE', 'l', 'o', 'LEFT', 'RIGHT', '0'],
        ['BLMPOP', '0', '1', 'l', 'RIGHT', 'COUNT', '2'],
        ['BRPOPLPUSH', 'm', 'n', '0'],
        ['BLMPOP', '0', '1', 'n', 'LEFT', 'COUNT', '5'],
      ],
    )
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
      ['SMOVE', 's', 't', '2'],
      ['SMOVE', 's', 't', '2'],
      ['SPOP', 's'],
      ['SPOP', 's'],
      ['SADD', 's', '1', '2', '3'],
      ['SPOP', 's', '0'],
      ['SPOP', 's', '3'],
      ['SADD', 's', 'a', 'b', 'c'],
      ['SUNIONSTORE', 'u', 's', 't'],
      ['SINTERSTORE', 'u', 's', 'none'],
      ['SINTERSTORE', 'u', 's', 'none'],
      ['SDIFFSTORE', 'd', 's', 't'],
      ['SRANDMEMBER', 's', '2'],
    ])
  })

  test('members that chance chose are removed by name, one by one', async () => {
    const members = Array.from({ length: 300 }, (_, i) => `m${i}`)
    const commands = [
      ['SADD', 's', ...members],
      ['SPOP', 's', '250'],
    ]
    const streams = await Promise.all(
      [pair().redisPort, pair().enginePort].map(async (port) =>
        (await stream(port, commands)).slice(1).map((command) => {
          const [name, key, ...rest] = command.split(' ')
          return [name, key, rest.length, new Set(rest).size]
        }),
      ),
    )
    expect(streams[1]).toEqual(streams[0])
  })

  test('HyperLogLogs', async () => {
    await same([
      ['PFADD', 'k'],
      ['PFADD', 'k'],
      ['PFADD', 'k', 'a'],
      ['PFADD', 'k', 'a'],
      ['PFCOUNT', 'k'],
      ['PFCOUNT', 'k'],
      ['PFCOUNT', 'k', 'none'],
      ['PFMERGE', 'm', 'k'],
      ['PFDEBUG', 'TODENSE', 'm'],
      ['PFDEBUG', 'TODENSE', 'm'],
      ['PFDEBUG', 'GETREG', 'k'],
    ])
  })

  test('places', async () => {
    await same([
      ['GEOADD', 'k', 'CH', '1', '1', 'a', '2', '2', 'b'],
      ['GEOADD', 'k', 'NX', '1', '1', 'a'],
      ['GEORADIUS', 'k', '1', '1', '10', 'km', 'STORE', 'd'],
      ['GEORADIUS', 'k', '1', '1', '10', 'km'],
      ['GEOSEARCHSTORE', 'd', 'k', 'FROMMEMBER', 'a', 'BYBOX', '400', '400', 'km', 'STOREDIST'],
      ['GEOSEARCHSTORE', 'd', 'none', 'FROMMEMBER', 'a', 'BYBOX', '400', '400', 'km'],
      ['GEOSEARCHSTORE', 'd', 'none', 'FROMMEMBER', 'a', 'BYBOX', '400', '400', 'km'],
    ])
  })

  test('what was sorted', async () => {
    await same([
      ['RPUSH', 'l', '2', '1'],
      ['SORT', 'l', 'STORE', 'd'],
      ['SORT', 'l'],
      ['SORT', 'none', 'STORE', 'd'],
      ['SORT', 'none', 'STORE', 'd'],
    ])
  })

  test('sorted sets', async () => {
    await same(sortedSets)
  })

  test('sorted sets that are waited for', async () => {
    await same(
      [
        ['ZADD', 'z', '1', 'a', '2', 'b', '3', 'c', '4', 'd', '5', 'e'],
        ['BZPOPMIN', 'z', '0'],
        ['BZMPOP', '0', '1', 'z', 'MIN', 'COUNT', '3'],
        ['ZADD', 'z', '1', 'a', '2', 'b', '3', 'c'],
        ['BZPOPMAX', 'none', 'z', '0'],
        ['BZMPOP', '0', '1', 'z', 'MAX'],
        ['BZPOPMAX', 'none', 'y', '0.01'],
      ],
      [
        ['BZPOPMIN', 'z', '0'],
        ['BZMPOP', '0', '1', 'z', 'MAX', 'COUNT', '2'],
      ],
    )
  })

  test('streams', async () => {
    const lines = `XADD s 1-1 a b
      XADD s 2-* a b
      xadd s NOMKSTREAM 3-1 a b
      XADD none NOMKSTREAM 3-1 a b
      XADD s MAXLEN ~ 2 4-1 a b
      XADD s MAXLEN ~ 2 LIMIT 10 5-* a b
      XADD s MAXLEN = 4 6-1 a b
      XADD s MINID ~ 3 7-1 a b
      XTRIM s MAXLEN ~ 1
      XTRIM s MAXLEN 4
      XTRIM s MAXLEN 4
      XTRIM s MINID 5
      XDEL s 5-1 9-9
      XDEL s 9-9
      XSETID s 8-1
      XGROUP CREATE s g 0
      XGROUP CREATE s g 0
      XGROUP CREATE t g $ MKSTREAM
      XGROUP SETID s g 0 ENTRIESREAD 1
      XGROUP CREATECONSUMER s g c
      XGROUP CREATECONSUMER s g c
      XADD t 1-1 a b
      XREADGROUP GROUP g c COUNT 1 STREAMS s t > >
      XREADGROUP GROUP g c STREAMS s 0
      XREADGROUP GROUP g d NOACK STREAMS s >
      XREADGROUP GROUP g d STREAMS s >
      XREADGROUP GROUP g e NOACK STREAMS s 0
      XCLAIM s g e 0 6-1
      XCLAIM s g e 0 6-1 TIME 1000 RETRYCOUNT 3 JUSTID
      XCLAIM s g e 0 7 FORCE
      XCLAIM s g f 0 99-1 LASTID 100-1
      XAUTOCLAIM s g h 0 0 COUNT 1
      XDEL s 7-0 7-1
      XAUTOCLAIM s g h 0 0
      XACK s g 6-1 1-1
      XACK s g 6-1
      XGROUP DELCONSUMER s g c
      XGROUP DELCONSUMER s g c
      XGROUP DESTROY s g
      XGROUP DESTROY s g`
    await same(lines.split('\n').map((line) => line.trim().split(' ')))
  })

  test('streams that are read by those who have waited', async () => {
    await same(
      [
        ['XADD', 's', '1-1', 'a', 'b'],
        ['XADD', 's', '2-1', 'a', 'b'],
      ],
      [['XREAD', 'BLOCK', '0', 'STREAMS', 's', '$']],
    )
  })

  test('keys and expiry', async () => {
    await same([
      ['MSET', 'a', '1', 'b', '2', 'c', '3'],
      ['EXPIRE', 'a', '100', 'NX'],
      ['EXPIRE', 'a', '100', 'NX'],
      ['PEXPIRE', 'a', '200000', 'gt'],
      ['EXPIREAT', 'a', '33177117420'],
      ['PEXPIREAT', 'a', '33177117420000'],
      ['PERSIST', 'a'],
      ['PERSIST', 'a'],
      ['EXPIRE', 'a', '-1'],
      ['EXPIRE', 'none', '10'],
      ['PEXPIREAT', 'b', '1'],
      ['RENAME', 'c', 'd'],
      ['RENAME', 'd', 'd'],
      ['RENAMENX', 'd', 'c'],
      ['COPY', 'c', 'd'],
      ['COPY', 'c', 'd'],
      ['COPY', 'c', 'd', 'DB', '1', 'REPLACE'],
      ['MOVE', 'd', '1'],
      ['MOVE', 'd', '2'],
      ['DEL', 'c', 'none'],
      ['DEL', 'c'],
      ['UNLINK', 'none'],
      ['TOUCH', 'd'],
    ])
  })

  test('what a script says of its effects: redis.set_repl', async () => {
    const flags = ['ALL', 'AOF', 'REPLICA', 'SLAVE', 'NONE']
    const write = (flag: string) => `redis.set_repl(redis.REPL_${flag}) redis.call('INCR', 'n') `
    await same([
      ...flags.map((flag) => ['EVAL', write(flag), '0']),
      ...flags.flatMap((one) => flags.map((other) => ['EVAL', write(one) + write(other), '0'])),
      ['EVAL', flags.map(write).join(''), '0'],
      ['EVAL', "redis.set_repl(redis.REPL_AOF) redis.call('PUBLISH', 'c', 'm') redis.call('SET', 'x', '1')", '0'],
    ])
  })

  test('a key found expired is deleted first', async () => {
    await same([
      ['SET', 'k', 'v', 'PXAT', '1'],
      ['GET', 'k'],
      ['SET', 'k', 'v', 'PXAT', '1'],
      ['INCR', 'k'],
      ['SET', 'l', 'v', 'PXAT', '1'],
      ['SCAN', '0', 'COUNT', '1000'],
    ])
  })
})

againstRedis('the append-only file holds what that of redis-server 7.0 does', () => {
  const pair = usePair({ settings: { appendonly: 'yes' } })

  test('of scripts that call redis.set_repl', async () => {
    const flags = ['ALL', 'AOF', 'REPLICA', 'SLAVE', 'NONE']
    const write = (flag: string) => `redis.set_repl(redis.REPL_${flag}) redis.call('SET', '${flag}', '1') `
    const kept = flags.map((flag) => ['GET', flag])
    await pair().same([...flags.map((flag) => ['EVAL', write(flag), '0']), ['DEBUG', 'LOADAOF'], ...kept])
    await pair().same([['EVAL', flags.map(write).join(''), '0'], ['DEBUG', 'LOADAOF'], ...kept])
  })
})
