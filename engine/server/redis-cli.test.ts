/** redis-cli in all its modes says the same of both servers. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'
import { engineCommand, freePort, PlainConnection, ServerProgram } from '../testing/redis-server.ts'
import { hasTerminal, Terminal } from '../testing/terminal.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'faultline-cli-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

interface Run {
  program?: string
  /** `PORT` stands for the server's, `FILE` for a file of this server's own. */
  words: readonly string[]
  input?: string | Buffer
  /** What may differ. */
  level?: (output: string) => string
}

/** Errors, output and exit status. */
function outcome({ program = 'redis-cli', words, input = '', level = (text) => text }: Run, port: number) {
  const file = join(directory, `${port}.out`)
  const given = words.map((word) => word.replaceAll('PORT', String(port)).replaceAll('FILE', file))
  const connection = program === 'redis-cli' ? ['-p', String(port)] : []
  return new Promise<string>((resolve, reject) => {
    const child = spawn(program, [...connection, ...given], { env: { ...process.env, TZ: 'UTC' } })
    let errors = ''
    let output = ''
    child.stdout.setEncoding('latin1').on('data', (chunk) => {
      output += chunk
    })
    child.stderr.setEncoding('latin1').on('data', (chunk) => {
      errors += chunk
    })
    child.on('error', reject)
    child.on('close', (status) => {
      const text = `${errors}${output}`.replaceAll(file, 'FILE').replaceAll(String(port), 'PORT')
      resolve(`${level(text)}\nstatus ${status}`)
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

const withoutNumbers = (text: string): string => text.replace(/[\d.]+[KMG]?/g, 'N')
const sorted = (text: string): string => text.split('\n').sort().join('\n')
/** Keys come in the order of the hash table, which each process draws for itself. */
const inAnyOrder = (text: string): string => sorted(text.replace(/^.* so far .*\n/gm, ''))

const count = (length: number): string[] => Array.from({ length }, (_, index) => String(index + 1))
const dataSet: readonly Words[] = [
  ['FLUSHALL'],
  ['SET', 'text', 'hello "world"\n'],
  ['SET', 'text:long', 'x'.repeat(5000)],
  ['RPUSH', 'list', ...count(300)],
  ['SADD', 'set', ...count(1000)],
  ['ZADD', 'zset', ...count(300).flatMap((number) => [`${number}.5`, `m${number}`])],
  ['HSET', 'hash', ...count(2).flatMap((number) => [`f${number}`, `v${number}`])],
  ['XADD', 'stream', '1-1', 'a', 'b'],
  ['XADD', 'stream', '2-1', 'a', 'b'],
  ['PFADD', 'counter', 'a', 'b'],
  ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
  ['FUNCTION', 'LOAD', 'REPLACE', '#!lua name=lib\nredis.register_function("f", function() return 1 end)'],
]
const inserts = (length: number): string =>
  count(length)
    .map((number) => `*3\r\n$3\r\nSET\r\n$${number.length}\r\n${number}\r\n$5\r\nvalue\r\n`)
    .join('')
const echo = '*2\r\n$4\r\nECHO\r\n$3\r\nend\r\n'

againstRedis('redis-cli', () => {
  const pair = usePair({ settings: { 'repl-diskless-sync-delay': '0' } })

  beforeEach(async () => {
    const both = await pair().session()
    for (const words of dataSet) await Promise.all([both.redis.send(...words), both.engine.send(...words)])
    both.redis.close()
    both.engine.close()
  })

  async function same(run: Run): Promise<string> {
    const wanted = await outcome(run, pair().redisPort)
    const got = await outcome(run, pair().enginePort)
    expect(got).toBe(wanted)
    return got
  }

  describe('one command', () => {
    test.each<[string, readonly string[], string]>([
      ['plain', ['GET', 'text'], 'hello "world"'],
      ['as at a terminal', ['--no-raw', 'HGETALL', 'hash'], '1) "f1"\n2) "v1"'],
      ['RESP3', ['-3', '--no-raw', 'HGETALL', 'hash'], '1# "f1" => "v1"'],
      ['raw with separators', ['-d', ';', '-D', '|', 'LRANGE', 'list', '0', '2'], '1;2;3|'],
      ['CSV', ['--csv', 'LRANGE', 'list', '0', '2'], '"1","2","3"'],
      ['CSV of RESP3', ['-3', '--csv', 'ZRANGE', 'zset', '0', '1', 'WITHSCORES'], '"m1",1.5'],
      ['JSON', ['--json', 'HGETALL', 'hash'], '{"f1":"v1","f2":"v2"}'],
      ['JSON of bytes', ['--quoted-json', 'GET', 'text'], '\\n'],
      ['JSON of RESP2', ['-2', '--json', 'HGETALL', 'hash'], '["f1","v1","f2","v2"]'],
      ['quoted input', ['--quoted-input', 'STRLEN', '"te\\x78t"'], '14'],
      ['repeated', ['-r', '3', '-i', '0.01', 'INCR', 'n'], '1\n2\n3'],
      ['an error as exit status', ['-e', 'GET'], 'wrong number of arguments'],
      ['another database', ['-n', '3', 'DBSIZE'], '0'],
      ['by URI', ['-u', 'redis://127.0.0.1:PORT/0', 'STRLEN', 'text'], '14'],
      ['a password that nobody asked for', ['-a', 'wrong', 'PING'], 'PONG'],
      ['a user that does not exist', ['--user', 'nobody', '--pass', 'x', 'PING'], 'AUTH failed'],
      ['help', ['HELP', 'GET'], ''],
      ['a hint of what is meant', ['OBJECT', 'HELP'], 'ENCODING <key>'],
    ])('%s', async (_name, words, part) => {
      expect(await same({ words })).toContain(part)
    })

    test('from standard input', async () => {
      await same({ words: ['-x', 'SET', 'from:input'], input: 'a\0b' })
      await same({ words: ['-X', 'tag', 'HSET', 'from:tag', 'field', 'tag'], input: 'value' })
      await same({ words: ['--no-raw'], input: 'GET from:input\nHGETALL from:tag\nSET "a b" \'c\'\nKEYS a*\nNOSUCH\n' })
      await pair().sameData()
    })

    // Debugging it would roll its writes back: here it must not run at all.
    test('a script is not run by one who wants to debug it', async () => {
      const script = join(directory, 'debugged.lua')
      writeFileSync(script, 'redis.call("SET", "ran", "1") return 1')
      for (const option of ['--ldb', '--ldb-sync-mode']) {
        const said = await outcome({ words: [option, '--eval', script] }, pair().enginePort)
        expect(said).toContain('ERR this server has no Lua debugger: the script was not run')
      }
      const both = await pair().session()
      expect(await both.engine.send('EXISTS', 'ran')).toBe(':0\r\n')
      expect(await both.engine.send('SCRIPT', 'DEBUG', 'YES')).toBe('-ERR this server has no Lua debugger\r\n')
      expect(await both.engine.send('SCRIPT', 'DEBUG', 'NO')).toBe('+OK\r\n')
      expect(await both.engine.send('EVAL', 'return 1', '0')).toBe(':1\r\n')
      expect(await both.engine.send('SCRIPT', 'DEBUG', 'MAYBE')).toBe(await both.redis.send('SCRIPT', 'DEBUG', 'MAYBE'))
      both.redis.close()
      both.engine.close()
    })

    test('a script from a file', async () => {
      writeFileSync(join(directory, 'script.lua'), 'return {KEYS, ARGV, redis.call("GET", KEYS[1])}')
      const script = join(directory, 'script.lua')
      expect(await same({ words: ['--no-raw', '--eval', script, 'text', 'other', ',', 'x', 'y z'] })).toContain('y z')
    })
  })

  describe('reports', () => {
    test('--bigkeys', async () => {
      expect(await same({ words: ['--bigkeys'], level: inAnyOrder })).toContain('1000 members')
    })

    // Bytes of a value are those that this server counts: MEMORY USAGE is its own.
    test('--memkeys', async () => {
      const level = (text: string): string => sorted(withoutNumbers(inAnyOrder(text)))
      expect(await same({ words: ['--memkeys'], level })).toContain('N sets with N bytes')
    })

    test('--hotkeys, refused without an LFU policy', async () => {
      expect(await same({ words: ['--hotkeys'] })).toContain('LFU maxmemory policy is not selected')
      await same({ words: ['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu'] })
      await same({ words: ['-r', '400', 'STRLEN', 'text'] })
      // Counters are drawn.
      const level = (text: string): string =>
        withoutNumbers(
          text
            .split('\n')
            .filter((line) => /^hot key found.*"text"|Sampled|status/.test(line))
            .join('\n'),
        )
      expect(await same({ words: ['--hotkeys'], level })).toContain('keyname: "text"')
    })

    test('--scan', async () => {
      expect(await same({ words: ['--scan', '--pattern', 'text*'], level: sorted })).toContain('text:long')
      await same({ words: ['--scan', '--count', '2', '--quoted-pattern', '"*\\x74"'], level: sorted })
    })

    test('--latency', async () => {
      expect(await same({ words: ['--latency', '-i', '1', '--csv'], level: withoutNumbers })).toContain('N,N,N,N')
    })

    test('--cluster check of a server without cluster', async () => {
      await same({ words: ['--cluster', 'check', '127.0.0.1:PORT'] })
      await same({ words: ['--cluster', 'info', '127.0.0.1:PORT'] })
    })
  })

  describe('mass insertion', () => {
    const keys = 20_000

    test('--pipe', async () => {
      const run = { words: ['--pipe'], input: inserts(keys) + echo }
      expect(await same(run)).toContain(`errors: 0, replies: ${keys + 1}`)
      expect(await same({ words: ['DBSIZE'] })).toContain(String(keys + 8))
      await pair().sameData()
    })

    test('--pipe counts errors, and reads inline commands', async () => {
      const input = `SET a 1\r\nNOSUCH\r\nGET\r\nLPUSH a b\r\nSET b '2 3'\r\n${inserts(10)}`
      expect(await same({ words: ['--pipe'], input })).toContain('errors: 3, replies: 15')
      await same({ words: ['--pipe-timeout', '5', '--pipe'], input: '*2\r\n$3\r\nGET\r\n$x\r\n' })
    })
  })

  describe('snapshots', () => {
    /** Times, sizes and names of a stream. */
    const level = (text: string): string =>
      text
        .replace(/(writing |after )\d+/g, '$1N')
        .replace(/offset \d+/g, 'offset N')
        .replace(/(ctime|used-mem|repl-id|repl-offset) = '\w+'/g, "$1 = 'X'")

    test.each([['--rdb'], ['--functions-rdb']])('%s writes a file that redis-check-rdb accepts', async (option) => {
      const got = await same({ words: [option, 'FILE'], level })
      expect(got).toContain('Transfer finished with success')
      const checked = await same({ program: 'redis-check-rdb', words: ['FILE'], level })
      expect(checked).toContain('RDB looks OK!')
      expect(checked).toContain(`${option === '--rdb' ? 8 : 0} keys read`)
    })

    test('--rdb to standard output', async () => {
      const names = (text: string): string => String(text.includes('REDIS0010') && text.includes('text:long'))
      expect(await same({ words: ['--rdb', '-'], level: names })).toContain('true')
    })
  })
})

/** A terminal with redis-cli on each side; what both have shown must be the same. */
async function sameScreens(
  ports: readonly number[],
  use: (terminal: Terminal, port: number) => Promise<void>,
  words = '',
) {
  const screens: string[] = []
  for (const port of ports) {
    const terminal = new Terminal(`redis-cli -p ${port} ${words}`)
    try {
      await use(terminal, port)
    } finally {
      await terminal.close()
    }
    screens.push(terminal.screen.replaceAll(String(port), 'PORT').replace(/"id\\?" => \(integer\) \d+/g, '"id"'))
  }
  expect(screens[1]).toBe(screens[0])
  return screens[1] as string
}

// A terminal needs `script` of util-linux; CI must have it.
describe.skipIf(!hasTerminal)('at a terminal', () => {
  againstRedis('redis-cli', () => {
    const pair = usePair()

    test('hints, transactions, databases, protocols, messages', async () => {
      const { redisPort, enginePort } = pair()
      const screen = await sameScreens([redisPort, enginePort], async (terminal, port) => {
        /** While somebody types the line is drawn again; a prompt that is ready is the first thing on its line. */
        const answer = async (state: string, keys: string, before = '\n'): Promise<void> => {
          await terminal.shows(`${before}127.0.0.1:${port}${state}> `)
          for (const key of `${keys}\r`) terminal.type(key)
        }
        await answer('', 'SET k v', '')
        await answer('', 'GETEX k EX 100')
        await answer('', 'MULTI')
        await answer('(TX)', 'INCR n')
        await answer('(TX)', 'EXEC')
        await answer('', 'MULTI')
        await answer('(TX)', 'NOSUCH')
        await answer('(TX)', 'EXEC')
        await answer('', 'XADD s * a')
        await answer('', 'SELECT 3')
        await answer('[3]', 'HELLO 3')
        await answer('[3]', 'HELP ZADD')
        await answer('[3]', 'SUBSCRIBE news')
        await terminal.shows('Reading messages')
        await terminal.shows('(integer) 1')
        const connection = await PlainConnection.open(port)
        await connection.send('PUBLISH', 'news', 'hello')
        connection.close()
        await terminal.shows('hello')
        terminal.type('\x03')
        await answer('[3]', 'MONITOR', '^C')
        await terminal.shows('OK')
        terminal.type('\x03')
        await answer('[3]', 'QUIT', '^C')
        await terminal.closed
      })
      // What is typed is followed by the arguments that may come.
      expect(screen).toContain('key value [NX|XX]')
    })

    test('--stat and --lru-test go on until they are ended', async () => {
      const { redisPort, enginePort } = pair()
      for (const port of [redisPort, enginePort]) {
        const stat = new Terminal(`redis-cli -p ${port} --stat -i 0.1`)
        try {
          await stat.shows('------- data ------')
          for (let line = 0; line < 3; line++) await stat.shows(' (+')
        } finally {
          await stat.close()
        }
        const connection = await PlainConnection.open(port)
        await connection.send('CONFIG', 'SET', 'maxmemory', '20mb', 'maxmemory-policy', 'allkeys-lru')
        const lru = new Terminal(`redis-cli -p ${port} --lru-test 10000`)
        try {
          await lru.shows('Hits: ')
          expect(lru.screen).not.toContain('error')
        } finally {
          await lru.close()
          await connection.send('CONFIG', 'SET', 'maxmemory', '0')
          await connection.send('FLUSHALL')
          connection.close()
        }
      }
    })

    test('it comes back to a server that has come back', async () => {
      const commands = [['redis-server'], engineCommand]
      const ports = [await freePort(), await freePort()]
      await sameScreens(ports, async (terminal, port) => {
        const [program = '', ...before] = commands[ports.indexOf(port)] as readonly string[]
        const start = async (): Promise<ServerProgram> => {
          const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '']
          const server = new ServerProgram(program, [...before, ...words], { directory })
          await server.says('Ready to accept connections')
          return server
        }
        await terminal.shows('Could not connect')
        await terminal.shows('not connected> ')
        let server = await start()
        try {
          terminal.type('SELECT 2\r')
          await terminal.shows(`\n127.0.0.1:${port}[2]> `)
          await server.stop()
          terminal.type('PING\r')
          await terminal.shows('not connected> ')
          server = await start()
          terminal.type('PING\r')
          await terminal.shows('PONG')
          await terminal.shows(`\n127.0.0.1:${port}[2]> `)
        } finally {
          await server.stop()
        }
      })
    })
  })
})
