/** DEBUG against the real redis-server. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'
import { startEngine, startRedis } from '../testing/redis-server.ts'

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.integer().map(String),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
)
const score = fc.oneof(fc.integer(), fc.double({ noNaN: true })).map(String)
const key = fc.constantFrom('a', 'b', 'c', 'd')

/** Commands that make values of every type, small and large. */
const write: fc.Arbitrary<Words> = fc.oneof(
  fc.tuple(fc.constant('SET'), key, text),
  fc.tuple(fc.constant('APPEND'), key, text),
  fc.tuple(fc.constant('PEXPIRE'), key, fc.constant('9000000')),
  fc.tuple(fc.constant('SELECT'), fc.constantFrom('0', '0', '9')),
  fc.tuple(fc.constant('DEL'), key),
  fc.tuple(key, fc.array(text, { minLength: 1, maxLength: 200 })).map(([k, items]) => ['RPUSH', k, ...items]),
  fc.tuple(key, fc.array(text, { minLength: 1, maxLength: 200 })).map(([k, items]) => ['SADD', k, ...items]),
  fc
    .tuple(key, fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 200 }))
    .map(([k, pairs]) => ['HSET', k, ...pairs.flat()]),
  fc
    .tuple(key, fc.array(fc.tuple(score, text), { minLength: 1, maxLength: 200 }))
    .map(([k, pairs]) => ['ZADD', k, ...pairs.flat()]),
)

againstRedis('DEBUG', () => {
  const pair = usePair()

  test('DIGEST is that of redis-server for the same data, before and after a reload', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 30 }), async (commands) => {
        await pair().same([...commands, ['SELECT', '0'], ['DEBUG', 'DIGEST-VALUE', 'a', 'b', 'c', 'd', 'missing']])
        await pair().sameData({ reload: true })
      }),
      { numRuns: 25 },
    )
  })

  test('DIGEST tells keys, databases and expiry apart', async () => {
    const { engine, redis } = await pair().session()
    const seen = new Set<string>()
    for (const command of ['FLUSHALL', 'SET a 1', 'SET a 2', 'RENAME a b', 'EXPIRE b 1000', 'MOVE b 1']) {
      await engine.send(...command.split(' '))
      seen.add(await engine.send('DEBUG', 'DIGEST'))
    }
    expect(seen.size).toBe(6)
    engine.close()
    redis.close()
  })

  test('RELOAD takes options, and says which it does not know', async () => {
    await pair().same([
      ['SET', 'a', '1'],
      ['DEBUG', 'RELOAD', 'FOO'],
      ['DEBUG', 'RELOAD'],
      ['SET', 'a', '2'],
      ['SET', 'b', '3'],
      ['DEBUG', 'RELOAD', 'nosave', 'NOFLUSH', 'MERGE'],
      ['MGET', 'a', 'b'],
      ['DEBUG', 'RELOAD', 'NOSAVE'],
      ['MGET', 'a', 'b'],
      ['DEBUG', 'DIGEST', 'x'],
      ['DEBUG', 'DIGEST-VALUE'],
    ])
  })

  test('looks at values and tables as redis-server does', async () => {
    const long = 'a long string of more than 44 bytes, which is kept apart from its header'
    const values = ['int', 'embstr', 'raw', 'list', 'hash', 'set', 'members', 'zset']
    const looks = ['OBJECT', 'SDSLEN', 'LISTPACK', 'QUICKLIST', 'HTSTATS-KEY'].flatMap((look) => [
      ...values.map((key): Words => ['DEBUG', look, key]),
      ['DEBUG', look, 'missing'],
      ['DEBUG', look],
      ['DEBUG', look, 'int', 'a', 'b'],
    ])
    await pair().same(
      [
        ['MSET', 'int', '12345', 'embstr', 'hello', 'raw', long],
        ['RPUSH', 'list', 'a', 'b', 'c'],
        ['HSET', 'hash', 'f', 'v'],
        ['SADD', 'set', '1', '2', '3'],
        ['SADD', 'members', 'a'],
        ['ZADD', 'zset', '1', 'a'],
        ...looks,
        ['DEBUG', 'HTSTATS', '99'],
        ['DEBUG', 'HTSTATS', 'x'],
      ],
      [
        { command: 'debug object', pattern: /0x[0-9a-f]+/, replace: '0x', reason: 'an address' },
        { command: 'debug object', pattern: /lru:\d+ lru_seconds_idle:\d+/, replace: '', reason: 'a time' },
        {
          command: 'debug object members',
          pattern: /serializedlength:\d+/,
          replace: '',
          reason: 'the same here, but Redis compresses nothing so short',
        },
        {
          command: 'debug htstats-key members',
          pattern: /table size: \d+/,
          replace: '',
          reason: 'tables grow otherwise',
        },
        { command: 'debug htstats-key members', pattern: /\$\d+|=\d+/, replace: '', reason: 'length of the text' },
        { command: 'debug htstats-key members', pattern: /0: .*/, replace: '', reason: 'tables grow otherwise' },
        { command: 'debug htstats-key members', pattern: /1: 1 .*/, replace: '', reason: 'tables grow otherwise' },
      ],
    )
  })

  test('answers and refuses as redis-server does', async () => {
    await pair().same([
      ['DEBUG', 'HELP'],
      ['DEBUG', 'FOO'],
      ['DEBUG', 'ZIPLIST', 'a'],
      ['DEBUG', 'JMAP'],
      ['DEBUG', 'POPULATE', 'x'],
      ['DEBUG', 'POPULATE', '-1'],
      ['DEBUG', 'POPULATE', '3'],
      ['DEBUG', 'POPULATE', '3', 'pre'],
      ['DEBUG', 'POPULATE', '12', 'big', '10'],
      ['DEBUG', 'POPULATE', '1', 'p', 'x'],
      ['DEBUG', 'POPULATE', '1', 'a', 'b', 'c'],
      ['OBJECT', 'ENCODING', 'key:0'],
      ['DEBUG', 'SLEEP', '0.01'],
      ['DEBUG', 'SLEEP', 'x'],
      ['DEBUG', 'SLEEP'],
      ['DEBUG', 'SET-ACTIVE-EXPIRE', 'x'],
      ['DEBUG', 'SET-ACTIVE-EXPIRE', '1'],
      ['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '5gb'],
      ['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', 'x'],
      ['DEBUG', 'AOF-FLUSH-SLEEP', '0'],
      ['DEBUG', 'SET-DISABLE-DENY-SCRIPTS', '1'],
      ['DEBUG', 'SET-DISABLE-DENY-SCRIPTS', '0'],
      ['DEBUG', 'PAUSE-CRON', '1'],
      ['DEBUG', 'PAUSE-CRON', '0'],
      ['DEBUG', 'REPLYBUFFER', 'PEAK-RESET-TIME', 'never'],
      ['DEBUG', 'REPLYBUFFER', 'PEAK-RESET-TIME', '100'],
      ['DEBUG', 'REPLYBUFFER', 'PEAK-RESET-TIME', 'x'],
      ['DEBUG', 'REPLYBUFFER', 'PEAK-RESET-TIME', 'reset'],
      ['DEBUG', 'REPLYBUFFER', 'RESIZING', '1'],
      ['DEBUG', 'REPLYBUFFER', 'FOO', '1'],
      ['DEBUG', 'REPLICATE'],
      ['DEBUG', 'REPLICATE', 'set', 'x', '1'],
      ['DEBUG', 'CLUSTERLINK', 'KILL', 'all', 'abc'],
      ['DEBUG', 'CLUSTERLINK', 'foo', 'all', 'abc'],
      ['DEBUG', 'CONFIG-REWRITE-FORCE-ALL'],
      ['DEBUG', 'MALLCTL', 'foo'],
      ['DEBUG', 'MALLCTL-STR', 'foo'],
      ['DEBUG', 'DROP-CLUSTER-PACKET-FILTER', '1'],
      ['DEBUG', 'DROP-CLUSTER-PACKET-FILTER', 'x'],
      ['DEBUG', 'CHANGE-REPL-ID'],
      ['DEBUG', 'CHANGE-REPL-ID', 'x'],
      ['DEBUG', 'LEAK', 'abc'],
      ['DEBUG', 'STRUCTSIZE'],
      ['DEBUG', 'LOG'],
      ['DEBUG', 'ERROR'],
    ])
  })

  test('SET-SKIP-CHECKSUM-VALIDATION lets a damaged payload in', async () => {
    const { redis, engine } = await pair().session()
    for (const server of [redis, engine]) {
      const payload = Buffer.from([0, 1, 65, 10, 0, 1, 2, 3, 4, 5, 6, 7, 8])
      await server.send('FLUSHALL')
      expect(await server.send('RESTORE', 'a', '0', payload)).toBe(
        '-ERR DUMP payload version or checksum are wrong\r\n',
      )
      await server.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '1')
      expect(await server.send('RESTORE', 'a', '0', payload)).toBe('+OK\r\n')
      await server.send('DEBUG', 'SET-SKIP-CHECKSUM-VALIDATION', '0')
      expect(await server.send('GET', 'a')).toBe('$1\r\nA\r\n')
    }
    redis.close()
    engine.close()
  })

  test('QUICKLIST-PACKED-THRESHOLD makes large elements nodes of their own', async () => {
    await pair().same([
      ['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '100b'],
      ['RPUSH', 'l', 'a', 'b'.repeat(100), 'c', 'd', 'e'.repeat(99)],
      ['LINSERT', 'l', 'BEFORE', 'd', 'f'.repeat(101)],
      ['LSET', 'l', '0', 'g'.repeat(150)],
      ['DUMP', 'l'],
      ['DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '0'],
      ['RPUSH', 'l', 'h'.repeat(100)],
      ['DUMP', 'l'],
    ])
  })

  /** redis-server sometimes meets a second fault while it writes the report of an abort. */
  const whileReporting = (signal: NodeJS.Signals | null) => (signal === 'SIGSEGV' ? 'SIGABRT' : signal)

  test.each([
    ['PANIC', { status: null, signal: 'SIGABRT' }],
    ['OOM', { status: null, signal: 'SIGABRT' }],
    ['ASSERT', { status: null, signal: 'SIGABRT' }],
    ['PANIC --use-exit-on-panic yes', { status: 1, signal: null }],
  ])('%s ends the process as it ends redis-server, with a report', async (command, end) => {
    const [subcommand = '', ...options] = command.split(' ')
    for (const start of [startRedis, startEngine]) {
      const server = await start(['--enable-debug-command', 'yes', '--save', '', ...options])
      await expect(server.connection.send('DEBUG', subcommand)).rejects.toThrow('connection closed')
      const { status, signal, output } = await server.program.finished
      expect({ status, signal: start === startRedis ? whileReporting(signal) : signal }).toEqual(end)
      expect(output).toContain('=== REDIS BUG REPORT START: Cut & paste starting from here ===')
      if (start === startEngine) expect(output).toContain('=== REDIS BUG REPORT END.')
      await server.stop()
    }
  })

  test('SEGFAULT ends the process as it ends redis-server', async () => {
    for (const start of [startRedis, startEngine]) {
      const server = await start(['--enable-debug-command', 'yes', '--save', ''])
      await expect(server.connection.send('DEBUG', 'SEGFAULT')).rejects.toThrow('connection closed')
      expect((await server.program.finished).signal).toBe('SIGSEGV')
      await server.stop()
    }
  })

  test('RELOAD with a key that is there already ends the process', async () => {
    for (const start of [startRedis, startEngine]) {
      const server = await start(['--enable-debug-command', 'yes', '--save', ''])
      await server.connection.send('SET', 'a', '1')
      await expect(server.connection.send('DEBUG', 'RELOAD', 'NOFLUSH')).rejects.toThrow('connection closed')
      const { signal, output } = await server.program.finished
      expect(start === startRedis ? whileReporting(signal) : signal).toBe('SIGABRT')
      expect(output).toContain("RDB has duplicated key 'a' in DB 0")
      await server.stop()
    }
  })

  test('enable-debug-command decides who may', async () => {
    for (const start of [startRedis, startEngine]) {
      const replies = []
      for (const allowed of ['no', 'local', 'yes']) {
        const server = await start(['--enable-debug-command', allowed, '--save', ''])
        replies.push(await server.connection.send('DEBUG', 'DIGEST'))
        await server.stop()
      }
      const empty = '0'.repeat(40)
      expect(replies).toEqual([
        expect.objectContaining({ message: expect.stringContaining('not allowed') }),
        empty,
        empty,
      ])
    }
  })
})
