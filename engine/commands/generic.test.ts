import fc from 'fast-check'
import { expect, test } from 'vitest'
import { againstRedis, type RawConnection, usePair, type Words } from '../testing/differential.ts'

againstRedis('commands on keys answer as redis-server 7.0 does', () => {
  const pair = usePair()

  test('DEL, UNLINK, EXISTS, TOUCH, TYPE', async () => {
    await pair().same([
      ['MSET', 'a', '1', 'b', '2', 'c', '3'],
      ['EXISTS', 'a', 'a', 'none', 'b'],
      ['TOUCH', 'a', 'none', 'b'],
      ['TYPE', 'a'],
      ['TYPE', 'none'],
      ['DEL', 'a', 'a', 'none'],
      ['UNLINK', 'b', 'c', 'c'],
      ['EXISTS', 'a', 'b', 'c'],
      ['DEL'],
      ['TYPE', 'a', 'b'],
    ])
  })

  test('RENAME and RENAMENX', async () => {
    await pair().same([
      ['RENAME', 'none', 'b'],
      ['RENAME', 'none', 'none'],
      ['SET', 'a', '1', 'EX', '100'],
      ['SET', 'b', '2'],
      ['RENAME', 'a', 'a'],
      ['RENAMENX', 'a', 'a'],
      ['RENAMENX', 'a', 'b'],
      ['RENAME', 'a', 'b'],
      ['TTL', 'b'],
      ['EXISTS', 'a'],
      ['RENAMENX', 'b', 'c'],
      ['GET', 'c'],
      ['APPEND', 'raw', 'x'],
      ['APPEND', 'raw', 'y'],
      ['RENAME', 'raw', 'other'],
      ['OBJECT', 'ENCODING', 'other'],
      ['INCRBYFLOAT', 'float', '10'],
      ['RENAME', 'float', 'other'],
      ['OBJECT', 'ENCODING', 'other'],
      ['RENAME', 'a'],
    ])
  })

  test('COPY and MOVE', async () => {
    await pair().same([
      ['SET', 'a', '1', 'EX', '100'],
      ['COPY', 'a', 'b'],
      ['TTL', 'b'],
      ['COPY', 'a', 'b'],
      ['SET', 'a', '2'],
      ['COPY', 'a', 'b', 'REPLACE'],
      ['GET', 'b'],
      ['TTL', 'b'],
      ['COPY', 'a', 'a'],
      ['COPY', 'a', 'a', 'DB', '0'],
      ['COPY', 'a', 'a', 'DB', '1'],
      ['COPY', 'a', 'a', 'DB', '1', 'REPLACE'],
      ['COPY', 'none', 'x'],
      ['COPY', 'a', 'b', 'DB', '16'],
      ['COPY', 'a', 'b', 'DB', 'x'],
      ['COPY', 'a', 'b', 'DB', '99999999999'],
      ['COPY', 'a', 'b', 'DB'],
      ['COPY', 'a', 'b', 'FOO'],
      ['MOVE', 'a', '0'],
      ['MOVE', 'a', '1'],
      ['MOVE', 'b', '1'],
      ['MOVE', 'b', '1'],
      ['MOVE', 'a', '-1'],
      ['MOVE', 'a', 'x'],
      ['SELECT', '1'],
      ['MGET', 'a', 'b'],
      ['SELECT', '0'],
      ['MGET', 'a', 'b'],
    ])
  })

  test('OBJECT', async () => {
    await pair().same(
      [
        ['MSET', 'int', '10', 'large', '100000', 'short', 'x'.repeat(44), 'long', 'x'.repeat(45), 'zero', '012'],
        ...['int', 'large', 'short', 'long', 'zero', 'none'].flatMap((key): Words[] => [
          ['OBJECT', 'ENCODING', key],
          ['OBJECT', 'REFCOUNT', key],
          ['OBJECT', 'IDLETIME', key],
          ['OBJECT', 'FREQ', key],
        ]),
        ['OBJECT', 'HELP'],
        ['OBJECT', 'FOO', 'int'],
        ['OBJECT', 'ENCODING'],
        ['OBJECT'],
      ],
      [
        {
          command: 'object idletime',
          pattern: /^:[01]\r/,
          replace: ':0\r',
          reason: 'a second may end between the two commands',
        },
      ],
    )
  })

  test('SCAN refuses what Redis refuses', async () => {
    const tails = [
      'x',
      '',
      '-',
      '1a',
      ' 1',
      '18446744073709551616',
      '0 COUNT',
      '0 COUNT 0',
      '0 COUNT x',
      '0 MATCH',
      '0 FOO 1',
    ]
    await pair().same([
      ...tails.map((tail) => ['SCAN', ...tail.split(' ')]),
      ['SCAN', '0', 'TYPE', 'nothing'],
      ['SCAN'],
      ['RANDOMKEY'],
      ['KEYS'],
    ])
  })

  test('a range of bytes has those from 128 on before all others', async () => {
    const members = ['\x00', 'A', 'a', '~', '\x80', '\xbf', '\xff']
    const patterns = ['[\xbf-^', '[a-\xff]', '[\xff-A]', '[^\x80-\xbf]', '[\x00-~]', '[^\x00-\xff]']
    const bytes = (text: string) => Buffer.from(text, 'latin1')
    // One member at a time: the order of several is each server's own.
    await pair().same(
      members.flatMap((member) => [
        ['DEL', 's'],
        ['SADD', 's', bytes(member)],
        ...patterns.map((pattern) => ['SSCAN', 's', '0', 'MATCH', bytes(pattern)]),
      ]),
    )
  })

  test('KEYS and SCAN find what a pattern means', async () => {
    const piece = fc.constantFrom(...'ab*?[]^-\\'.split(''), '[a-b]', '[^a]', 'ÿ')
    const texts = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''))
    await fc.assert(
      fc.asyncProperty(fc.array(texts, { minLength: 1, maxLength: 30 }), texts, async (keys, pattern) => {
        const commands = [
          ['MSET', ...keys.flatMap((key) => [key, 'v'])],
          ['KEYS', pattern],
        ]
        const [redis, engine] = await pair().replies(commands, '2')
        const found = (reply: Buffer | undefined) =>
          reply
            ?.toString('latin1')
            .split(/\r\n(?:\$\d+\r\n)?/)
            .sort()
        expect({ pattern, found: found(engine[1]) }).toEqual({ pattern, found: found(redis[1]) })
      }),
      { numRuns: 250 },
    )
  })

  test('a single star finds the empty key, two stars do not', async () => {
    await pair().same([
      ['SET', '', 'v'],
      ['SADD', 's', ''],
      ...['*', '**', '', '?'].flatMap((pattern) => [
        ['SCAN', '0', 'MATCH', pattern, 'TYPE', 'string'],
        ['SSCAN', 's', '0', 'MATCH', pattern],
      ]),
      ['KEYS', '**'],
      ['DEL', 's'],
      ['KEYS', '*'],
    ])
  })

  test('SCAN finds all keys, also by type and pattern', async () => {
    const { engine } = await pair().session()
    try {
      await engine.send('FLUSHALL')
      for (let i = 0; i < 300; i++) await engine.send('SET', `key:${i}`, 'v')
      expect((await scanAll(engine)).size).toBe(300)
      expect((await scanAll(engine, 'COUNT', '1000')).size).toBe(300)
      expect((await scanAll(engine, 'MATCH', 'key:1?')).size).toBe(10)
      expect((await scanAll(engine, 'TYPE', 'STRING', 'COUNT', '7')).size).toBe(300)
      expect((await scanAll(engine, 'TYPE', 'list')).size).toBe(0)
    } finally {
      engine.close()
    }
  })

  test('RANDOMKEY finds a key, and none that is expired', async () => {
    const { engine } = await pair().session()
    try {
      await engine.send('FLUSHALL')
      await engine.send('SET', 'live', 'v')
      await engine.send('SET', 'dead', 'v', 'PXAT', '1')
      for (let i = 0; i < 20; i++) expect(await engine.send('RANDOMKEY')).toBe('$4\r\nlive\r\n')
    } finally {
      engine.close()
    }
  })
})

/** The keys that a whole iteration answers. */
async function scanAll(connection: RawConnection, ...options: string[]): Promise<Set<string>> {
  const found = new Set<string>()
  let cursor = '0'
  do {
    const reply = await connection.send('SCAN', cursor, ...options)
    const lines = reply.split('\r\n')
    cursor = lines[2] as string
    for (const line of lines.slice(4)) if (line !== '' && !line.startsWith('$')) found.add(line)
  } while (cursor !== '0')
  return found
}
