import { expect, test } from 'vitest'
import { againstRedis, RawConnection, usePair, type Words } from '../testing/differential.ts'

/** What several clients of one server do, one after the other, and what they hear. */
class Stage {
  readonly heard: string[] = []
  private readonly port: number
  private readonly clients = new Map<string, RawConnection>()

  constructor(port: number) {
    this.port = port
  }

  async client(name: string): Promise<RawConnection> {
    const known = this.clients.get(name)
    if (known !== undefined) return known
    const connection = await RawConnection.open(this.port)
    this.clients.set(name, connection)
    return connection
  }

  /** Sends and waits for the reply. */
  async says(name: string, ...words: string[]): Promise<string> {
    const reply = await (await this.client(name)).send(...words)
    this.heard.push(`${name} ${words.join(' ')} → ${reply}`)
    return reply
  }

  /** Sends what will block, and waits until one more client is blocked. */
  async waits(name: string, ...words: string[]): Promise<void> {
    const client = await this.client(name)
    const before = await this.blockedCount()
    client.write(Buffer.from(`${words.join(' ')}\r\n`))
    while ((await this.blockedCount()) === before) await new Promise((resolve) => setTimeout(resolve, 1))
  }

  /** The reply to what `waits` has sent. */
  async hears(name: string): Promise<void> {
    const [reply] = await (await this.client(name)).read(1)
    this.heard.push(`${name} ← ${reply?.toString('latin1')}`)
  }

  async leaves(name: string): Promise<void> {
    const before = await this.blockedCount()
    ;(await this.client(name)).close()
    while ((await this.blockedCount()) === before) await new Promise((resolve) => setTimeout(resolve, 1))
  }

  async blockedCount(): Promise<string | undefined> {
    const info = await (await this.client('observer')).send('INFO', 'clients')
    return /blocked_clients:\d+/.exec(info)?.[0]
  }

  end(): void {
    for (const client of this.clients.values()) client.close()
  }
}

againstRedis('clients wait for keys as with redis-server 7.0', () => {
  const pair = usePair({ settings: { 'notify-keyspace-events': 'KEA' } })

  const play = async (scene: (stage: Stage) => Promise<void>): Promise<void> => {
    const heard: string[][] = []
    for (const port of [pair().redisPort, pair().enginePort]) {
      const stage = new Stage(port)
      try {
        await stage.says('pusher', 'FLUSHALL')
        await scene(stage)
        heard.push(stage.heard)
      } finally {
        stage.end()
      }
    }
    expect(heard[1]).toEqual(heard[0])
  }

  test('whoever has waited longest is served first', () =>
    play(async (stage) => {
      await stage.waits('a', 'BLPOP l 0')
      await stage.waits('b', 'BRPOP l m 0')
      await stage.waits('c', 'BLMPOP 0 2 m l LEFT COUNT 5')
      await stage.waits('d', 'BLPOP l 0')
      await stage.says('pusher', 'RPUSH', 'l', '1', '2', '3', '4')
      for (const name of ['a', 'b', 'c']) await stage.hears(name)
      await stage.says('pusher', 'EXISTS', 'l')
      await stage.says('pusher', 'LPUSH', 'l', '5')
      await stage.hears('d')
    }))

  test('entries of streams come to all who read, and to one of those who read in a group', () =>
    play(async (stage) => {
      await stage.says('pusher', 'XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM')
      await stage.waits('a', 'XREAD BLOCK 0 STREAMS s t $ $')
      await stage.waits('b', 'XREAD COUNT 1 BLOCK 0 STREAMS s 0')
      await stage.waits('c', 'XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
      await stage.waits('d', 'XREADGROUP GROUP g bob BLOCK 0 NOACK STREAMS s >')
      await stage.waits('e', 'XREAD BLOCK 0 STREAMS s 5')
      await stage.says('pusher', 'MULTI')
      await stage.says('pusher', 'XADD', 's', '1-1', 'f', 'v')
      await stage.says('pusher', 'XADD', 's', '2-1', 'f', 'v')
      await stage.says('pusher', 'EXEC')
      for (const name of ['a', 'b', 'c']) await stage.hears(name)
      await stage.says('pusher', 'XADD', 's', '3-1', 'f', 'v')
      await stage.hears('d')
      await stage.says('pusher', 'XPENDING', 's', 'g')
      await stage.says('pusher', 'XINFO', 'GROUPS', 's')
      await stage.says('pusher', 'XADD', 's', '6-1', 'f', 'v')
      await stage.hears('e')
      await stage.waits('a', 'XREAD BLOCK 20 STREAMS s $')
      await stage.hears('a')
    }))

  test.each([
    [['XGROUP', 'DESTROY', 's', 'g']],
    [['DEL', 's']],
    [['SET', 's', 'text']],
    [['FLUSHALL']],
    [['RENAME', 's', 'other']],
    [['PEXPIRE', 's', '0']],
    [['SWAPDB', '0', '1']],
  ])('a reader in a group learns that what it waits for has gone: %j', (words) =>
    play(async (stage) => {
      await stage.says('pusher', 'XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM')
      await stage.waits('a', 'XREADGROUP GROUP g alice BLOCK 0 STREAMS s >')
      await stage.waits('b', 'XREAD BLOCK 0 STREAMS s $')
      await stage.says('pusher', ...words)
      await stage.hears('a')
    }),
  )

  test('members of sorted sets come to those who wait for them', () =>
    play(async (stage) => {
      await stage.waits('a', 'BZPOPMIN z 0')
      await stage.waits('b', 'BZPOPMAX z y 0')
      await stage.waits('c', 'BZMPOP 0 2 y z MAX COUNT 2')
      await stage.waits('d', 'BZMPOP 0 1 z MIN')
      await stage.waits('e', 'BZPOPMIN z 0')
      await stage.says('pusher', 'SADD', 'z', '1')
      await stage.says('pusher', 'DEL', 'z')
      await stage.says('pusher', 'ZADD', 'z', '1', 'a', '2.5', 'b', '3', 'c', '4', 'd', '5', 'e')
      for (const name of ['a', 'b', 'c', 'd']) await stage.hears(name)
      await stage.says('pusher', 'EXISTS', 'z')
      await stage.says('pusher', 'ZINCRBY', 'other', '1', 'x')
      await stage.says('pusher', 'ZUNIONSTORE', 'z', '1', 'other')
      await stage.hears('e')
      await stage.waits('a', 'BZPOPMIN z 0.02')
      await stage.waits('b', 'BZMPOP 0.02 1 z MIN')
      await stage.hears('a')
      await stage.hears('b')
    }))

  test('of several keys the one that was written first serves, after the whole transaction', () =>
    play(async (stage) => {
      await stage.waits('a', 'BLPOP l m 0')
      for (const words of ['MULTI', 'RPUSH m 1', 'RPUSH l 2', 'LPUSH m 3', 'EXEC'])
        await stage.says('pusher', ...words.split(' '))
      await stage.hears('a')
      await stage.waits('b', 'BLPOP x 0')
      for (const words of ['MULTI', 'RPUSH x 1', 'DEL x', 'EXEC']) await stage.says('pusher', ...words.split(' '))
      await stage.says('pusher', 'RPUSH', 'x', '2')
      await stage.hears('b')
    }))

  test('another type does not end the wait; RENAME, COPY and SWAPDB do', () =>
    play(async (stage) => {
      await stage.waits('a', 'BLPOP l 0')
      await stage.says('pusher', 'SET', 'l', 'x')
      await stage.says('pusher', 'DEL', 'l')
      await stage.says('pusher', 'RPUSH', 'other', '1', '2')
      await stage.says('pusher', 'RENAME', 'other', 'l')
      await stage.hears('a')
      await stage.waits('b', 'BLPOP copy 0')
      await stage.says('pusher', 'COPY', 'l', 'copy')
      await stage.hears('b')
      await stage.waits('c', 'BLPOP swapped 0')
      await stage.says('pusher', 'SELECT', '1')
      await stage.says('pusher', 'RPUSH', 'swapped', '1')
      await stage.says('pusher', 'SWAPDB', '0', '1')
      await stage.hears('c')
    }))

  test('what is moved on serves those who wait for it there', () =>
    play(async (stage) => {
      await stage.waits('a', 'BLMOVE l m LEFT RIGHT 0')
      await stage.waits('b', 'BRPOPLPUSH m n 0')
      await stage.waits('c', 'BLPOP n 0')
      await stage.says('pusher', 'RPUSH', 'l', '1')
      for (const name of ['a', 'b', 'c']) await stage.hears(name)
      await stage.says('pusher', 'DBSIZE')
      await stage.says('pusher', 'SET', 's', 'x')
      await stage.waits('a', 'BLMOVE l s LEFT RIGHT 0')
      await stage.waits('b', 'BLPOP l 0')
      await stage.says('pusher', 'RPUSH', 'l', '2')
      for (const name of ['a', 'b']) await stage.hears(name)
    }))

  test('who was unblocked, timed out or left gets nothing', () =>
    play(async (stage) => {
      const id = (await (await stage.client('a')).send('CLIENT', 'ID')).slice(1, -2)
      const unblock = async (...how: string[]) => {
        stage.heard.push(await (await stage.client('pusher')).send('CLIENT', 'UNBLOCK', id, ...how))
      }
      await stage.waits('a', 'BLPOP l 0')
      await unblock('ERROR')
      await stage.hears('a')
      await stage.waits('a', 'BLMOVE l m LEFT LEFT 0')
      await unblock()
      await stage.hears('a')
      await stage.waits('a', 'BLPOP l 0.05')
      await stage.hears('a')
      await stage.waits('b', 'WAIT 1 0')
      const waiting = (await (await stage.client('observer')).send('CLIENT', 'LIST')).split('\n')
      const waitId = /id=(\d+)/.exec(waiting.find((line) => line.includes('cmd=wait')) ?? '')?.[1] ?? ''
      stage.heard.push(await (await stage.client('pusher')).send('CLIENT', 'UNBLOCK', waitId, 'ERROR'))
      await stage.hears('b')
      await stage.says('b', 'PING')
      await stage.waits('b', 'BLPOP l 0')
      await stage.leaves('b')
      await stage.waits('a', 'BLPOP other 0')
      await stage.says('pusher', 'RPUSH', 'l', '1')
      await stage.says('pusher', 'LLEN', 'l')
      await stage.says('pusher', 'RPUSH', 'other', '2')
      await stage.hears('a')
    }))

  test('commands behind one that waits run after it', () =>
    play(async (stage) => {
      const client = await stage.client('a')
      client.write(Buffer.from('BLPOP l 0\r\nRPUSH l back\r\nBLPOP l 0\r\nPING\r\n'))
      while ((await stage.blockedCount()) === 'blocked_clients:0')
        await new Promise((resolve) => setTimeout(resolve, 1))
      await stage.says('pusher', 'RPUSH', 'l', '1')
      for (let i = 0; i < 4; i++) await stage.hears('a')
    }))

  test('a server that becomes a replica sends those who wait away', () =>
    play(async (stage) => {
      await stage.waits('a', 'BLPOP l 0')
      await stage.says('pusher', 'REPLICAOF', '127.0.0.1', '1')
      await stage.hears('a')
      await stage.hears('a')
      await stage.says('pusher', 'REPLICAOF', 'NO', 'ONE')
    }))

  test('events come in the same order', () =>
    play(async (stage) => {
      await stage.says('listener', 'PSUBSCRIBE', '__keyevent@0__:*')
      const commands: Words[] = [
        ['RPUSH', 'l', '1', '2', '3', '4', '5', '6'],
        ['LMOVE', 'l', 'm', 'LEFT', 'LEFT'],
        ['LMPOP', '1', 'm', 'LEFT'],
        ['LPOP', 'l', '0'],
        ['LSET', 'l', '0', 'x'],
        ['LINSERT', 'l', 'BEFORE', 'x', 'y'],
        ['LREM', 'l', '0', 'y'],
        ['LTRIM', 'l', '0', '-1'],
        ['LTRIM', 'l', '1', '0'],
        ['RPUSH', 'one', '1'],
        ['RPOPLPUSH', 'one', 'one'],
        ['RPOP', 'one', '3'],
        ['HSET', 'h', 'f', '1', 'g', '2'],
        ['HINCRBY', 'h', 'f', '1'],
        ['HINCRBYFLOAT', 'h', 'f', '1'],
        ['HSETNX', 'h', 'f', '1'],
        ['HDEL', 'h', 'f', 'x'],
        ['HDEL', 'h', 'g'],
        ['ZADD', 'z', '1', 'a', '2', 'b'],
        ['BZPOPMIN', 'z', '0'],
        ['BZMPOP', '0', '1', 'z', 'MAX'],
      ]
      for (const words of commands) await stage.says('pusher', ...(words as string[]))
      await stage.waits('a', 'BLMOVE l m LEFT RIGHT 0')
      await stage.waits('b', 'BLPOP m 0')
      await stage.says('pusher', 'RPUSH', 'l', '1')
      await stage.hears('b')
      await stage.waits('b', 'BZPOPMAX z 0')
      await stage.says('pusher', 'ZADD', 'z', '1', 'a')
      await stage.hears('b')
      ;(await stage.client('listener')).write(Buffer.from('PING\r\n'))
      do await stage.hears('listener')
      while (!stage.heard.at(-1)?.includes('pong'))
    }))
})
