/** The configuration compared with the real redis-server's: names, initial values, replies, errors, rewritten files. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createNodeIo } from '../node/io.ts'
import { hasRedisServer, type RunningRedis, ServerProgram, startRedis } from '../testing/redis-server.ts'
import { configText, parseCommandLine } from './command-line.ts'
import { type Config, createConfig } from './config.ts'
import { ConfigError, ConfigFileMissing, fatalConfigText, linesOf } from './config-file.ts'
import { type ConfigName, configTable } from './config-table.ts'

const disk = createNodeIo().disk

/** Reason to skip: this suite needs Debian's redis-server as an oracle. */
const withRedis = describe.skipIf(!hasRedisServer)

/** What a call gives on the real server, in the form of `Config.set`. */
async function setOnRedis(redis: RunningRedis, pairs: readonly (readonly [string, string])[]) {
  const reply = await redis.connection.send('CONFIG', 'SET', ...pairs.flat())
  return reply instanceof Error ? reply.message : undefined
}

async function getOnRedis(redis: RunningRedis, ...patterns: string[]): Promise<Map<string, string>> {
  const flat = (await redis.connection.send('CONFIG', 'GET', ...patterns)) as string[]
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] as string] as const] : [])))
}

withRedis('CONFIG of a running server', () => {
  let redis: RunningRedis
  let config: Config

  beforeAll(async () => {
    redis = await startRedis()
    const settings = { port: redis.port, bind: '127.0.0.1' }
    config = createConfig(disk, { settings, workingDirectory: redis.directory })
    await redis.connection.send('CLIENT', 'NO-EVICT', 'ON')
  })
  afterAll(() => redis?.stop())

  test('every parameter and alias exists on both sides with the same text', async () => {
    const theirs = await getOnRedis(redis, '*')
    const ours = new Map(config.matching(['*']))
    expect(new Map([...ours].sort())).toEqual(new Map([...theirs].sort()))
    expect(ours.size).toBeGreaterThan(190)
  })

  test('patterns and exact names select the same, hidden parameters included', async () => {
    for (const patterns of [
      ['*slave*'],
      ['h?'],
      ['HZ', 'h?'],
      ['hz', 'HZ'],
      ['[a-c]*', 'z*'],
      ['nope'],
      ['*'],
      [''],
      ['watchdog-period', 'key-load-delay', 'rdb-key-save-delay', 'use-exit-on-panic', 'lua-enable-deprecated-api'],
      ['loading-process-events-interval-bytes'],
      ['MAX*', 'max*'],
      ['rdb*\\-'],
      ['[^a-y]*'],
    ]) {
      const theirs = await getOnRedis(redis, ...patterns)
      expect(new Map(config.matching(patterns)), patterns.join(' ')).toEqual(theirs)
    }
  })

  /** Values that would cut the test's own connection or move the server. */
  const leftAlone: readonly string[] = [
    'port',
    'bind',
    'dir',
    'watchdog-period',
    'client-output-buffer-limit',
    'oom-score-adj',
    'tls-port',
    'tls-cluster',
    'tls-replication',
    'maxclients',
    'maxmemory-clients',
    'appendonly',
    'timeout',
  ]

  const candidates = [
    '',
    '0',
    '1',
    '-1',
    '7',
    '010',
    '+5',
    ' 5',
    '5 ',
    '99',
    '100',
    '101',
    '1000',
    '65535',
    '65536',
    '2147483647',
    '2147483648',
    '-2147483648',
    '-2147483649',
    '4294967295',
    '4294967296',
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
    '18446744073709551615',
    '18446744073709551616',
    '1k',
    '1kb',
    '2M',
    '3mb',
    '1G',
    '1gb',
    '5b',
    '1.5gb',
    'kb',
    '17179869184gb',
    '5%',
    '0%',
    '100%',
    '101%',
    '-5%',
    '%',
    'yes',
    'NO',
    'Yes',
    'maybe',
    'default',
    'local',
    'always',
    'everysec',
    'notice',
    'a/b',
    'a\\b',
    'words with spaces',
    '60 1',
    '60 1 30',
    '0 1',
    '50 99.9',
    '50 101',
    '1e1',
    '{title} {port}',
    '{nope}',
    '{title',
    'KEA',
    'Kx',
    'Q',
    '1 2 3',
    '1 2',
    '1 2 2001',
    'host.name',
    'host name',
    'save nosave',
    'now force',
    '0x10',
    '٣',
    '777',
    '778',
    '8',
  ]

  const settable = (Object.keys(configTable) as ConfigName[]).filter((name) => !leftAlone.includes(name))

  test.each(settable)('CONFIG SET %s answers and keeps the same', async (name) => {
    for (const value of candidates) {
      const theirs = await setOnRedis(redis, [[name, value]])
      const ours = config.set([[name, value]], 'local')
      expect(ours, `CONFIG SET ${name} ${JSON.stringify(value)}`).toBe(theirs)
      const text = (await getOnRedis(redis, name)).get(name)
      expect(config.textOf(name), `${name} after ${JSON.stringify(value)}`).toBe(text)
    }
    const initial = configTable[name].initialText
    if (!configTable[name].options.immutable && configTable[name].options.protected !== true) {
      expect(config.set([[name, initial]], 'local')).toBe(await setOnRedis(redis, [[name, initial]]))
    }
  })

  const bad = ['abc', '-1', '4294967296', '99999999999999999999', '1x']
  test.each(['port', 'tls-port', 'timeout', 'maxclients', 'appendonly'] as const)(
    'bad values of %s are refused alike',
    async (name) => {
      for (const value of bad) {
        expect(config.set([[name, value]], 'local'), value).toBe(await setOnRedis(redis, [[name, value]]))
      }
    },
  )

  test('client-output-buffer-limit is set in part and checked alike', async () => {
    for (const value of [
      '',
      'normal 0 0',
      'pubsub 64mb 1kb 5',
      'replica 1gb 0 0 pubsub 0 0 0',
      'slave 1 2 3',
      'master 0 0 0',
      'foo 0 0 0',
      'pubsub x 0 0',
      'pubsub 0 -1 0',
      'pubsub 0 0 -1',
      'pubsub 0 0 x',
      'NORMAL 0 0 0',
    ]) {
      const pair = ['client-output-buffer-limit', value] as const
      expect(config.set([pair], 'local'), value).toBe(await setOnRedis(redis, [pair]))
      expect(config.textOf('client-output-buffer-limit')).toBe((await getOnRedis(redis, pair[0])).get(pair[0]))
    }
  })

  test('several pairs are set together or not at all, with the same error', async () => {
    const names = fc.constantFrom(
      'hz',
      'HZ',
      'timeout',
      'slave-priority',
      'replica-priority',
      'maxmemory',
      'nope',
      'save',
      'databases',
      'dbfilename',
    )
    const values = fc.constantFrom('10', '20', 'x', '1mb', '60 1')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(names, values), { minLength: 1, maxLength: 4 }), async (pairs) => {
        expect(config.set(pairs, 'local')).toBe(await setOnRedis(redis, pairs))
        const read = ['hz', 'timeout', 'replica-priority', 'maxmemory', 'save', 'dbfilename']
        expect(new Map(config.matching(read))).toEqual(await getOnRedis(redis, ...read))
      }),
      { numRuns: 200 },
    )
  })
})

/** How our side refuses a configuration, as a process would end. */
function refusal(file: string | undefined, words: readonly string[], directory: string): string {
  const line = parseCommandLine(words)
  if (line.action !== 'start') throw new Error('not a start')
  try {
    const lines = linesOf(configText(file ?? '', '', line.options))
    createConfig(disk, { lines, workingDirectory: directory, isCommand: (name) => ['get', 'set'].includes(name) })
    return 'accepted'
  } catch (error) {
    if (error instanceof ConfigError) return fatalConfigText(error)
    if (error instanceof ConfigFileMissing) return error.message
    throw error
  }
}

withRedis('configuration files and command lines', () => {
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'faultline-conf-'))
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  /** Ends with a line that nobody accepts, so that the real server never starts. */
  const poison = 'poison 1'

  const files: readonly string[] = [
    '',
    'foo bar',
    '# comment\n\n  \t\nhz 10\n  timeout   5\t\r\n',
    'hz',
    'hz 1 2',
    'hz x',
    'HZ 5\nTimeOut 3',
    'port 99999',
    'requirepass "abc',
    "requirepass 'a'b",
    'requirepass "a\\x41\\n"',
    'save 60',
    'save ""',
    'save 60 1\nsave 30 2\nsave ""\nsave 5 5',
    'save "60 1 30 2"',
    'save 60 1 30 2',
    'bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16',
    'bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17',
    'replicaof a',
    'replicaof a b',
    'slaveof no one',
    'replicaof a 1 2',
    'client-output-buffer-limit normal 1 2',
    'client-output-buffer-limit normal 1 2 3 pubsub 1 2 3',
    'oom-score-adj-values 1 2',
    'unixsocketperm 888',
    'unixsocketperm 770',
    'list-max-ziplist-entries 3\nlua-replicate-commands yes',
    'rename-command foo bar',
    'rename-command get foo\nrename-command set ""',
    'rename-command get set',
    'rename-command get set2\nrename-command GET x',
    'rename-command GET get\nrename-command set ""\nrename-command get set\nrename-command SET get',
    'rename-command get',
    'include nope.conf',
    'include nope*.conf',
    'loadmodule',
    'user',
    'sentinel monitor a b',
    'foo.bar 1',
    'shutdown-on-sigterm save nosave',
    'shutdown-on-sigterm save force',
    'notify-keyspace-events "" x',
    'notify-keyspace-events KEA',
    'dir /nonexistent',
    'logfile /nonexistent/x',
    'appendfilename a/b',
    'appendfilename ""',
    'appenddirname ""',
    'dbfilename a/b',
    'proc-title-template {x}',
    'maxmemory-clients 5%',
    'io-threads 0',
    'databases 0',
    'latency-tracking-info-percentiles 50 60',
    'latency-tracking-info-percentiles ""',
    'cluster-enabled yes\nreplicaof a 1',
    'enable-debug-command maybe',
    'requirepass',
    'hz 10 # not a comment',
    '"hz" 10',
  ]

  test.each(files)('file %j is accepted or refused alike', async (file) => {
    const path = join(directory, 'x.conf')
    writeFileSync(path, `${file}\n${poison}\n`)
    const program = new ServerProgram('redis-server', [path], { directory })
    const { status, output, errors } = await program.finished
    expect(status).toBe(1)
    const ours = refusal(readFileSync(path, 'utf8'), [path], directory)
    expect(ours.trim()).toBe(`${errors}${output.replace(/^\d+:\S .*? # /, '')}`.trim())
  })

  test.each(['cluster-enabled yes\nreplicaof a 1', 'logfile /nonexistent/x', 'logfile .', 'dir /nonexistent'])(
    'file %j is refused alike when it has been read to its end',
    async (file) => {
      const path = join(directory, 'x.conf')
      writeFileSync(path, file)
      const { status, errors } = await new ServerProgram('redis-server', [path], { directory }).finished
      expect(status).toBe(1)
      expect(refusal(file, [path], directory).trim()).toBe(errors.trim())
    },
  )

  const commandLines: readonly (readonly string[])[] = [
    ['--hz', '10', '--poison', '1'],
    ['--hz', '--timeout', '5'],
    ['--save', '--poison'],
    ['--save', '', '--poison'],
    ['--save', '60', '1', '30', '2', '--poison', 'a b', ''],
    ['--save', '60 1', '--poison'],
    ['--port 7000', '--poison'],
    ['--port', 'x'],
    ['--requirepass', '--foo', '--poison'],
    ['--requirepass', 'a"b\\\n\u00e9', '--poison'],
    ['--bind', '127.0.0.1', '-::1', '--poison'],
    ['hz', '10'],
    ['--foo'],
    ['--replicaof', 'a'],
    ['--', 'x'],
    ['--hz', '10', 'stray', '--poison'],
    ['--shutdown-on-sigterm'],
    ['--shutdown-on-sigterm', 'now', 'force', '--poison'],
  ]

  test.each(commandLines.map((words) => [words]))('command line %j is accepted or refused alike', async (words) => {
    const { status, output, errors } = await new ServerProgram('redis-server', words, { directory }).finished
    expect(status).toBe(1)
    const missing = parseCommandLine(words)
    const ours =
      missing.action === 'start' && missing.filePath !== undefined
        ? `Fatal error, can't open config file '${join(directory, missing.filePath)}': No such file or directory`
        : refusal(undefined, words, directory)
    expect(ours.trim()).toBe(`${errors}${output.replace(/^\d+:\S .*? # /, '')}`.trim())
  })
})

withRedis('CONFIG REWRITE', () => {
  const manyParameters = [
    '# top comment',
    '',
    'bind 127.0.0.1',
    '',
    '',
    '# replicas',
    '   slave-priority 50   ',
    'slave-priority 60',
    'maxmemory 100mb',
    'MAXMEMORY-policy allkeys-lru',
    'save 900 1',
    'save 300 10',
    '# after save',
    'hz 10',
    'hash-max-ziplist-entries 512',
    'client-output-buffer-limit normal 0 0 0',
    'client-output-buffer-limit replica 256mb 64mb 60',
    'client-output-buffer-limit pubsub 1mb 1mb 60',
    'masterauth "foo bar\\x01\\\\ \\"q\\" é"',
    'rename-command FLUSHALL ""',
    'timeout 5 ',
    'timeout 7',
    'list-max-ziplist-entries 5',
    'notify-keyspace-events KEA',
    'shutdown-on-sigterm save force',
    'logfile ""',
    'dir .',
    'lua-time-limit 4000',
    'masteruser ""',
    'maxmemory-clients 5%',
    'unixsocketperm 700',
    'appendfilename "x.aof"',
    'oom-score-adj-values 0 200 800',
    'proto-max-bulk-len 1000001k',
    'repl-backlog-size 1025kb',
    'latency-tracking-info-percentiles ""',
    'include other.conf',
    '#last, without a line end',
  ].join('\n')

  const cases: readonly { name: string; file: string; set: readonly (readonly [string, string])[] }[] = [
    { name: 'an empty file', file: '', set: [] },
    {
      name: 'an empty file and changes',
      file: '',
      set: [
        ['save', ''],
        ['hz', '50'],
        ['maxmemory', '3gb'],
      ],
    },
    { name: 'many parameters, none changed', file: manyParameters, set: [] },
    {
      name: 'many parameters, some changed',
      file: manyParameters,
      set: [
        ['save', '60 5'],
        ['timeout', '0'],
        ['client-output-buffer-limit', 'pubsub 0 0 0 normal 1gb 0 0'],
        ['notify-keyspace-events', ''],
        ['masterauth', ''],
        ['requirepass', 'se"cret'],
        ['maxmemory-clients', '0'],
        ['latency-tracking-info-percentiles', '50 99.9'],
        ['hll-sparse-max-bytes', '5000'],
        ['tcp-keepalive', '10'],
      ],
    },
    { name: 'more save points than lines', file: 'save 60 1\n# end\n', set: [['save', '1 2 3 4 5 6']] },
    { name: 'no save point any more', file: 'save 60 1\nsave 30 1\n# end\n', set: [['save', '']] },
    {
      name: 'a file rewritten before',
      file: '# Generated by CONFIG REWRITE\nhz 20\n\n\nmaxmemory 5\n',
      set: [['timeout', '9']],
    },
    { name: 'an empty save line', file: 'save ""', set: [['save', '60 1']] },
    { name: 'a replica', file: 'slaveof 127.0.0.1 1\nreplica-read-only no', set: [['min-slaves-to-write', '1']] },
  ]

  /** The part that is in order, and the appended lines, whose order Redis leaves to its hash table. */
  const parts = (text: string) => {
    const [head = '', tail = ''] = text.split('# Generated by CONFIG REWRITE\n')
    return { head, tail: tail.split('\n').sort() }
  }

  test.each(cases)('$name: the rewritten file is that of Redis', async ({ file, set }) => {
    const redis = await startRedis([], { 'redis.conf': file, 'other.conf': 'loglevel verbose\n' })
    try {
      const path = join(redis.directory, 'redis.conf')
      const lines = linesOf(configText(file, '', redis.options))
      const config = createConfig(disk, { lines, filePath: path, workingDirectory: redis.directory })
      for (const pair of set) {
        expect(config.set([pair])).toBe(undefined)
        expect(await setOnRedis(redis, [pair])).toBe(undefined)
      }
      expect(await redis.connection.send('CONFIG', 'REWRITE')).toBe('OK')
      const theirs = readFileSync(path, 'utf8')
      writeFileSync(path, file)
      expect(config.rewrite()).toBe(undefined)
      const ours = readFileSync(path, 'utf8')
      expect(parts(ours)).toEqual(parts(theirs))

      const again = createConfig(disk, { lines: linesOf(ours), workingDirectory: redis.directory })
      expect(again.matching(['*']), 'the rewritten file gives the same configuration').toEqual(config.matching(['*']))
    } finally {
      await redis.stop()
    }
  })
})
