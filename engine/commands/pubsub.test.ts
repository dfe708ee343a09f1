import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { againstRedis, compare, type RawConnection, usePair, type Words } from '../testing/differential.ts'

againstRedis('pub/sub answers as redis-server 7.0 does', () => {
  const pair = usePair()

  test('subscribing and unsubscribing', async () => {
    await pair().same([
      ['UNSUBSCRIBE'],
      ['PUNSUBSCRIBE'],
      ['SUNSUBSCRIBE'],
      ['SUBSCRIBE', 'a'],
      ['SUBSCRIBE', 'a'],
      ['PSUBSCRIBE', 'a*'],
      ['SSUBSCRIBE', 'shard'],
      ['PING'],
      ['PING', 'x'],
      ['UNSUBSCRIBE', 'nosuch'],
      ['UNSUBSCRIBE', 'a'],
      ['PUNSUBSCRIBE'],
      ['SUNSUBSCRIBE', 'shard'],
      ['GET', 'x'],
      ['SUBSCRIBE'],
      ['PUBLISH', 'a'],
    ])
  })

  test('a RESP2 subscriber may only change its subscriptions', async () => {
    await pair().same(
      [['SUBSCRIBE', 'a'], ['GET', 'x'], ['MULTI'], ['CLIENT', 'ID'], ['RESET'], ['GET', 'x']],
      [{ command: 'client id', pattern: /^:\d+/, replace: ':0', reason: 'clients are numbered by each server' }],
    )
  })

  test('PUBSUB and PUBLISH without subscribers', async () => {
    await pair().same([
      ['PUBLISH', 'nobody', 'x'],
      ['SPUBLISH', 'nobody', 'x'],
      ['PUBSUB', 'CHANNELS'],
      ['PUBSUB', 'CHANNELS', 'x*', 'y'],
      ['PUBSUB', 'NUMSUB', 'a', 'b'],
      ['PUBSUB', 'NUMSUB'],
      ['PUBSUB', 'NUMPAT'],
      ['PUBSUB', 'SHARDCHANNELS'],
      ['PUBSUB', 'SHARDNUMSUB', 'a'],
      ['PUBSUB', 'nosuch'],
      ['PUBSUB', 'HELP'],
      ['PUBSUB'],
    ])
  })

  const name = fc.constantFrom('a', 'b', 'ab', 'x\0y')
  const pattern = fc.constantFrom('a*', '?b', '[ab]', '*')
  const step: fc.Arbitrary<[client: number, words: Words, replies: number]> = fc.oneof(
    fc.tuple(
      fc.nat(1),
      fc.tuple(fc.constantFrom('SUBSCRIBE', 'UNSUBSCRIBE', 'SSUBSCRIBE', 'SUNSUBSCRIBE'), name),
      fc.constant(1),
    ),
    fc.tuple(fc.nat(1), fc.tuple(fc.constantFrom('PSUBSCRIBE', 'PUNSUBSCRIBE'), pattern), fc.constant(1)),
    fc.tuple(
      fc.constant(2),
      fc.tuple(fc.constantFrom('PUBLISH', 'SPUBLISH'), name, fc.string({ maxLength: 5 })),
      fc.constant(1),
    ),
    fc.tuple(
      fc.constant(2),
      fc.tuple(fc.constant('PUBSUB'), fc.constantFrom('NUMSUB', 'SHARDNUMSUB'), name),
      fc.constant(1),
    ),
    fc.tuple(fc.constant(2), fc.constant(['PUBSUB', 'NUMPAT']), fc.constant(1)),
  )

  test.each(['2', '3'])('messages reach their subscribers, RESP%s', async (protocol) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const sessions = [await pair().session(), await pair().session(), await pair().session()]
        /** All that each client got; messages of one PUBLISH to one client are sorted, as patterns have no order. */
        const run = async (connections: RawConnection[]): Promise<Buffer[]> => {
          for (const connection of connections) {
            connection.write(encodeRequest(['HELLO', protocol]))
            await connection.read(1)
          }
          const replies: Buffer[] = []
          for (const [index, words, count] of steps) {
            const connection = connections[index] as RawConnection
            connection.write(encodeRequest(words))
            const own = await connection.read(count)
            for (const subscriber of connections.slice(0, 2)) subscriber.write(encodeRequest(['PING', 'mark']))
            const arrived: string[] = []
            for (const subscriber of connections.slice(0, 2)) arrived.push(...(await readToMark(subscriber)).sort())
            replies.push(Buffer.concat([...own, Buffer.from(arrived.join(''), 'latin1')]))
          }
          return replies
        }
        try {
          const [redis, engine] = await Promise.all([
            run(sessions.map((session) => session.redis)),
            run(sessions.map((session) => session.engine)),
          ])
          compare(
            steps.map(([index, words]) => [`client ${index}:`, ...words]),
            redis,
            engine,
            `RESP${protocol}`,
            [],
          )
        } finally {
          for (const { redis, engine } of sessions) {
            redis.close()
            engine.close()
          }
        }
      }),
      { numRuns: 40 },
    )
  })

  test('keyspace events', async () => {
    const watching = await pair().session()
    const acting = await pair().session()
    const run = async (watcher: RawConnection, actor: RawConnection): Promise<string[]> => {
      await actor.send('FLUSHALL')
      await actor.send('CONFIG', 'SET', 'notify-keyspace-events', 'KEAmn')
      await watcher.send('PSUBSCRIBE', '__key*__:*')
      await actor.send('SET', 'k', 'v')
      await actor.send('GET', 'missing')
      await actor.send('EXPIRE', 'k', '100')
      await actor.send('SET', 'k', 'v', 'PX', '1')
      while ((await actor.send('EXISTS', 'k')) !== ':0\r\n');
      await actor.send('SELECT', '3')
      await actor.send('APPEND', 'k', 'x')
      await actor.send('DEL', 'k')
      await actor.send('CONFIG', 'SET', 'notify-keyspace-events', '')
      watcher.write(encodeRequest(['PING', 'mark']))
      return readToMark(watcher)
    }
    const [redis, engine] = await Promise.all([run(watching.redis, acting.redis), run(watching.engine, acting.engine)])
    for (const { redis: one, engine: other } of [watching, acting]) {
      one.close()
      other.close()
    }
    expect(engine).toEqual(redis)
  })
})

/** What was pushed before the answer to `PING mark`. */
async function readToMark(connection: RawConnection): Promise<string[]> {
  const texts: string[] = []
  for (;;) {
    const [reply] = await connection.read(1)
    const text = (reply as Buffer).toString('latin1')
    if (text.endsWith('$4\r\nmark\r\n')) return texts
    texts.push(text)
  }
}
