import { expect, test } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { againstRedis, type RawConnection, usePair } from '../testing/differential.ts'

const lineNumbers = {
  pattern: /\$\d+\r\nid=.*\n\r\n|=\d+\r\ntxt:id=.*\n\r\n/s,
  replace: '(clients)',
  reason: "numbers, ports and sizes of buffers are each server's own; the fields are compared below",
}

againstRedis('CLIENT answers as redis-server 7.0 does', () => {
  const pair = usePair()

  test('names', async () => {
    await pair().same([
      ['CLIENT', 'GETNAME'],
      ['CLIENT', 'SETNAME', 'me'],
      ['CLIENT', 'GETNAME'],
      ['CLIENT', 'SETNAME', 'a b'],
      ['CLIENT', 'SETNAME', 'a\n'],
      ['CLIENT', 'SETNAME', ''],
      ['CLIENT', 'GETNAME'],
      ['CLIENT', 'SETINFO', 'LIB-NAME', 'x'],
    ])
  })

  test('options and their errors', async () => {
    await pair().same(
      [
        ['CLIENT', 'LIST'],
        ['CLIENT', 'INFO'],
        ['CLIENT', 'LIST', 'TYPE', 'normal'],
        ['CLIENT', 'LIST', 'TYPE', 'nosuch'],
        ['CLIENT', 'LIST', 'TYPE', 'replica'],
        ['CLIENT', 'LIST', 'ID', 'x'],
        ['CLIENT', 'LIST', 'ID'],
        ['CLIENT', 'LIST', 'ID', '9999999', '9999998'],
        ['CLIENT', 'LIST', 'nosuch'],
        ['CLIENT', 'KILL', 'ID', 'x'],
        ['CLIENT', 'KILL', 'ID', '0'],
        ['CLIENT', 'KILL', 'ID', '9999999'],
        ['CLIENT', 'KILL', 'TYPE', 'nosuch'],
        ['CLIENT', 'KILL', 'TYPE', 'replica'],
        ['CLIENT', 'KILL', 'USER', 'nosuch'],
        ['CLIENT', 'KILL', 'SKIPME', 'maybe'],
        ['CLIENT', 'KILL', 'ID'],
        ['CLIENT', 'KILL', '1.2.3.4:5'],
        ['CLIENT', 'KILL', 'ADDR', '1.2.3.4:5', 'LADDR', '1.2.3.4:5', 'SKIPME', 'no'],
        ['CLIENT', 'NO-EVICT', 'ON'],
        ['CLIENT', 'NO-EVICT', 'x'],
        ['CLIENT', 'REPLY', 'x'],
        ['CLIENT', 'REPLY', 'ON'],
        ['CLIENT', 'UNBLOCK', 'x'],
        ['CLIENT', 'UNBLOCK', '9999999'],
        ['CLIENT', 'UNBLOCK', '9999999', 'x'],
        ['CLIENT', 'PAUSE', 'x'],
        ['CLIENT', 'PAUSE', '-1'],
        ['CLIENT', 'PAUSE', '1', 'x'],
        ['CLIENT', 'UNPAUSE'],
        ['CLIENT', 'GETREDIR'],
        ['CLIENT', 'TRACKINGINFO'],
        ['CLIENT', 'TRACKING', 'OFF'],
        ['CLIENT', 'CACHING', 'YES'],
      ],
      [lineNumbers],
    )
  })

  test('CLIENT LIST has the fields of redis-server', async () => {
    const { redis, engine } = await pair().session()
    const fields = async (connection: RawConnection): Promise<string[]> => {
      const text = await connection.send('CLIENT', 'INFO')
      return (text.split('\r\n')[1] as string).split(' ').map((field) => field.split('=')[0] as string)
    }
    expect(await fields(engine)).toEqual(await fields(redis))
    redis.close()
    engine.close()
  })

  test('CLIENT REPLY OFF and SKIP', async () => {
    await pair().sameBytes(
      Buffer.from(
        'CLIENT REPLY SKIP\r\nPING\r\nPING a\r\nCLIENT REPLY OFF\r\nPING\r\nnosuch\r\nCLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nPING b\r\nQUIT\r\n',
      ),
    )
  })

  test('CLIENT KILL closes others at once and itself after the answer', async () => {
    const first = await pair().session()
    const second = await pair().session()
    const run = async (one: RawConnection, other: RawConnection): Promise<string[]> => {
      const id = (await other.send('CLIENT', 'ID')).slice(1, -2)
      const replies = [await one.send('CLIENT', 'KILL', 'ID', id)]
      replies.push(String(await other.read(1)))
      const self = (await one.send('CLIENT', 'ID')).slice(1, -2)
      replies.push(await one.send('CLIENT', 'KILL', 'ID', self))
      replies.push(await one.send('CLIENT', 'KILL', 'ID', self, 'SKIPME', 'no'))
      replies.push(String(await one.read(1)))
      return replies
    }
    const [redis, engine] = await Promise.all([run(first.redis, second.redis), run(first.engine, second.engine)])
    expect(engine).toEqual(redis)
  })

  test('CLIENT PAUSE holds commands back, WRITE only those that write, until UNPAUSE', async () => {
    const first = await pair().session()
    const second = await pair().session()
    const run = async (one: RawConnection, other: RawConnection): Promise<string[]> => {
      await one.send('SET', 'k', '1')
      const replies = [await one.send('CLIENT', 'PAUSE', '100000', 'WRITE')]
      replies.push(await other.send('GET', 'k'))
      other.write(Buffer.concat([encodeRequest(['SET', 'k', '2']), encodeRequest(['GET', 'k'])]))
      replies.push(await one.send('GET', 'k'))
      replies.push(await one.send('CLIENT', 'UNPAUSE'))
      replies.push(...(await other.read(2)).map(String))
      replies.push(await one.send('CLIENT', 'PAUSE', '50'))
      replies.push(await other.send('GET', 'k'))
      one.close()
      other.close()
      return replies
    }
    const [redis, engine] = await Promise.all([run(first.redis, second.redis), run(first.engine, second.engine)])
    expect(engine).toEqual(redis)
  })
})
