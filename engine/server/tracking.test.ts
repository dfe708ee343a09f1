/** Client-side caching against redis-server: who is told what, when, and in which form. */
import { expect, test } from 'vitest'
import { encodeRequest } from '../resp/request.ts'
import { againstRedis, type RawConnection, usePair } from '../testing/differential.ts'

/** Who says what: one or more commands in one write. `a` tracks, `b` changes, `c` receives for others. */
type Step = readonly [who: 'a' | 'b' | 'c', ...commands: string[]]

const TRACKER = '<id of a>'
const RECEIVER = '<id of c>'

againstRedis('client-side caching', () => {
  const pair = usePair()

  /** Everything that each client receives, in order, must be the same. */
  async function same(protocols: Readonly<Record<'a' | 'b' | 'c', 2 | 3>>, steps: readonly Step[]): Promise<void> {
    const [redis, engine] = [await run('redis', protocols, steps), await run('engine', protocols, steps)]
    expect(engine).toEqual(redis)
  }

  async function run(
    server: 'redis' | 'engine',
    protocols: Readonly<Record<'a' | 'b' | 'c', 2 | 3>>,
    steps: readonly Step[],
  ): Promise<string[]> {
    const sessions = { a: await pair().session(), b: await pair().session(), c: await pair().session() }
    const heard: string[] = []
    try {
      const ids: Record<string, string> = {}
      for (const who of ['a', 'b', 'c'] as const) {
        const connection = sessions[who][server]
        const answer = await connection.send('HELLO', String(protocols[who]))
        expect(answer).toContain('proto')
        ids[who] = (await connection.send('CLIENT', 'ID')).slice(1, -2)
      }
      await sessions.b[server].send('FLUSHALL')
      const level = (text: string) =>
        text.replaceAll(`:${ids.c}\r\n`, `:${RECEIVER}\r\n`).replaceAll(`:${ids.a}\r\n`, `:${TRACKER}\r\n`)
      for (const [i, [who, ...commands]] of steps.entries()) {
        const words = commands.map((command) =>
          command.split(' ').map((word) => (word === RECEIVER.replaceAll(' ', '_') ? (ids.c as string) : word)),
        )
        sessions[who][server].write(Buffer.concat(words.map(encodeRequest)))
        // Who has said something is answered first; then everybody shows what came.
        heard.push(`${i} ${who}: ${commands.join('; ')}`)
        const answers = await untilAnswered(sessions[who][server], commands.length)
        heard.push(`  ${who} is told ${level(answers)}`)
        for (const one of [who, ...(['a', 'b', 'c'] as const).filter((other) => other !== who)]) {
          const text = level(await untilMark(sessions[one][server], `mark ${i}`))
          if (text !== '') heard.push(`  ${one} hears ${text}`)
        }
      }
    } finally {
      for (const { redis, engine } of Object.values(sessions)) {
        redis.close()
        engine.close()
      }
    }
    return heard
  }

  /** The replies to so many commands, and what came between them. Only then may more be sent: a turn may end later. */
  async function untilAnswered(connection: RawConnection, commands: number): Promise<string> {
    let text = ''
    for (let answered = 0; answered < commands && !connection.closed; ) {
      const reply = (await connection.read(1))[0]?.toString('latin1') ?? ''
      text += reply
      if (!reply.startsWith('>') || reply.includes('subscribe')) answered++
    }
    return text
  }

  async function untilMark(connection: RawConnection, mark: string): Promise<string> {
    connection.write(encodeRequest(['PING', mark]))
    let text = ''
    for (;;) {
      const reply = (await connection.read(1))[0]?.toString('latin1') ?? ''
      if (reply.includes(mark)) return text
      text += reply
      if (connection.closed) return `${text}(closed)`
    }
  }

  const all3 = { a: 3, b: 3, c: 3 } as const
  const receiver = RECEIVER.replaceAll(' ', '_')

  test('what was read is told once when it changes, expires, is removed or flushed', async () => {
    await same(all3, [
      ['a', 'CLIENT TRACKING ON', 'CLIENT TRACKINGINFO', 'CLIENT GETREDIR'],
      ['a', 'GET k', 'MGET x y', 'EXISTS gone'],
      ['b', 'SET k 1'],
      ['b', 'SET k 2'],
      ['b', 'MSET x 1 y 1', 'SET other 1'],
      ['a', 'GET k', 'SET k 3', 'GET k'],
      ['b', 'DEL k gone'],
      ['a', 'MULTI', 'GET x', 'SET x 2', 'GET y', 'EXEC'],
      ['b', 'INCR y'],
      ['b', 'SET e 1 PX 1'],
      ['a', 'GET x', 'EVAL return(redis.call("get","y")) 0', 'EVAL return(redis.call("get","y")) 2 z w'],
      ['b', 'SET y 5', 'PEXPIRE x 0', 'SET w 1'],
      ['a', 'GET x', 'GET y'],
      ['b', 'FLUSHALL'],
      ['a', 'GET x', 'FLUSHDB'],
      ['a', 'CLIENT TRACKING OFF', 'GET x', 'CLIENT TRACKINGINFO'],
      ['b', 'SET x 1'],
    ])
  })

  test('a client may leave out its own changes', async () => {
    await same(all3, [
      ['a', 'CLIENT TRACKING ON NOLOOP', 'GET k', 'SET k 1', 'GET k'],
      ['b', 'SET k 2'],
      ['a', 'CLIENT TRACKING OFF', 'CLIENT TRACKING ON BCAST NOLOOP', 'SET k 3'],
      ['b', 'SET k 4'],
    ])
  })

  test('only what was asked for: OPTIN and OPTOUT', async () => {
    await same(all3, [
      ['a', 'CLIENT TRACKING ON OPTIN', 'GET a', 'CLIENT CACHING YES', 'CLIENT TRACKINGINFO', 'GET b', 'GET c'],
      ['b', 'MSET a 1 b 1 c 1'],
      ['a', 'CLIENT CACHING YES', 'MULTI', 'GET a', 'GET b', 'EXEC', 'GET c'],
      ['b', 'MSET a 1 b 1 c 1'],
      ['a', 'CLIENT CACHING NO', 'CLIENT TRACKING ON OPTOUT', 'CLIENT TRACKING OFF', 'CLIENT TRACKING ON OPTOUT'],
      ['a', 'GET a', 'CLIENT CACHING NO', 'CLIENT TRACKINGINFO', 'GET b', 'GET c', 'CLIENT CACHING YES'],
      ['b', 'MSET a 1 b 1 c 1'],
    ])
  })

  test('broadcasts by prefix, together at the end of a turn', async () => {
    await same(all3, [
      ['a', 'CLIENT TRACKING ON BCAST PREFIX u: PREFIX v:', 'CLIENT TRACKINGINFO'],
      ['b', 'SET u:1 1', 'SET w:1 1'],
      ['b', 'SET v:1 1'],
      ['a', 'SET u:2 1', 'GET u:1'],
      ['a', 'CLIENT TRACKING ON BCAST PREFIX w:', 'CLIENT TRACKINGINFO'],
      ['b', 'SET w:1 2'],
      ['a', 'CLIENT TRACKING ON BCAST PREFIX u:x', 'CLIENT TRACKING ON BCAST PREFIX k PREFIX kk'],
      ['a', 'CLIENT TRACKING OFF', 'CLIENT TRACKING ON BCAST', 'CLIENT TRACKINGINFO'],
      ['b', 'DEL u:1'],
      ['b', 'FLUSHALL'],
    ])
  })

  test('messages go to another connection: a push, or a message of a channel that it listens to', async () => {
    for (const protocols of [all3, { a: 2, b: 2, c: 2 }, { a: 3, b: 2, c: 2 }] as const) {
      await same(protocols, [
        ['a', `CLIENT TRACKING ON REDIRECT ${receiver}`, 'CLIENT GETREDIR', 'CLIENT TRACKINGINFO', 'GET k'],
        ['b', 'SET k 1'],
        ['c', 'SUBSCRIBE __redis__:invalidate'],
        ['a', 'GET k', 'SET k 2', 'GET k'],
        ['b', 'SET k 3'],
        ['b', 'FLUSHALL'],
        ['a', 'GET k'],
        ['c', 'QUIT'],
        ['b', 'SET k 4'],
        ['a', 'CLIENT TRACKINGINFO'],
      ])
    }
    // RESP2 without a receiver: nothing can be told.
    await same({ a: 2, b: 2, c: 2 }, [
      ['a', 'CLIENT TRACKING ON', 'GET k'],
      ['b', 'SET k 1'],
    ])
  })

  test('wrong uses', async () => {
    await same(all3, [
      ['a', 'CLIENT CACHING YES', 'CLIENT TRACKING', 'CLIENT TRACKING MAYBE', 'CLIENT TRACKING ON NOSUCH'],
      ['a', 'CLIENT TRACKING ON REDIRECT x', 'CLIENT TRACKING ON REDIRECT 999999', 'CLIENT TRACKING ON REDIRECT'],
      ['a', `CLIENT TRACKING ON REDIRECT ${receiver} REDIRECT ${receiver}`],
      ['a', 'CLIENT TRACKING ON PREFIX x', 'CLIENT TRACKING ON BCAST OPTIN', 'CLIENT TRACKING ON OPTIN OPTOUT'],
      ['a', 'CLIENT TRACKING ON OPTIN', 'CLIENT TRACKING ON OPTOUT', 'CLIENT TRACKING ON BCAST', 'CLIENT CACHING NO'],
      ['a', 'CLIENT CACHING MAYBE', 'RESET', 'CLIENT GETREDIR', 'CLIENT TRACKING OFF', 'CLIENT TRACKINGINFO'],
    ])
  })

  test('more keys than tracking-table-max-keys are told to have changed; INFO counts', async () => {
    const both = await pair().session()
    const admin = await pair().session()
    try {
      for (const server of ['redis', 'engine'] as const) {
        const send = (...words: string[]) => both[server].send(...words)
        await send('HELLO', '3')
        await send('CLIENT', 'TRACKING', 'ON')
        await send('MGET', ...Array.from({ length: 20 }, (_, i) => `key:${i}`))
        expect(await admin[server].send('INFO', 'stats')).toContain('tracking_total_keys:20\r\ntracking_total_items:20')
        expect(await admin[server].send('INFO', 'clients')).toContain('tracking_clients:1')
        expect(await admin[server].send('CONFIG', 'SET', 'tracking-table-max-keys', '5')).toBe('+OK\r\n')
        const told = new Set<string>()
        both[server].write(encodeRequest(['GET', 'key:0']))
        while (told.size < 15) {
          const text = (await both[server].read(1))[0]?.toString() ?? ''
          for (const [key] of text.matchAll(/key:\d+/g)) told.add(key)
        }
        await admin[server].send('CONFIG', 'SET', 'tracking-table-max-keys', '1000000')
      }
    } finally {
      for (const { redis, engine } of [both, admin]) {
        redis.close()
        engine.close()
      }
    }
  })
})
