/**
 * The engine as a process: what a shell, a supervisor or a harness sees of it, next to redis-server where there is one.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  engineCommand,
  freePort,
  hasRedisServer,
  PlainConnection,
  type RunningRedis,
  ServerProgram,
  startEngine,
  startRedis,
} from '../testing/redis-server.ts'

let directory = ''
let cleanUps: (() => Promise<void>)[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'faultline-main-'))
  cleanUps = []
})
afterEach(async () => {
  for (const cleanUp of cleanUps) await cleanUp()
  rmSync(directory, { recursive: true, force: true })
})

function run(words: readonly string[], options: { input?: string; environment?: Record<string, string> } = {}) {
  const [command = '', ...before] = engineCommand
  const program = new ServerProgram(command, [...before, ...words], { directory, ...options })
  cleanUps.push(() => program.stop())
  return program
}

async function engine(words: readonly string[] = [], files: Record<string, string> = {}): Promise<RunningRedis> {
  const running = await startEngine(words, files)
  cleanUps.push(() => running.stop())
  return running
}

/** Lines without process id and time, and without what only concerns the other program's host. */
function messages(output: string, port: number): string[] {
  return output
    .split('\n')
    .filter((line) => line !== '' && !/overcommit|TCP backlog setting|Transparent Huge/.test(line))
    .map((line) =>
      line
        .replace(/^\d+:(\S) .*?\.\d{3} /, '$1 ')
        .replace(/^\d+:signal-handler \(\d+\)/, 'signal-handler')
        .replace(/pid=\d+/, 'pid=N')
        .replaceAll(String(port), 'PORT'),
    )
}

test('-v and --version say the version that tools look for, -h and --help how to start', async () => {
  for (const word of ['-v', '--version']) {
    const { status, output } = await run([word]).finished
    expect(status).toBe(0)
    expect(output).toMatch(/^Redis server v=7\.0\.15 sha=00000000:0 malloc=\S+ bits=64 build=\S+\n$/)
  }
  for (const word of ['-h', '--help']) {
    const { status, output } = await run([word]).finished
    expect(status).toBe(0)
    expect(output).toContain('[/path/to/redis.conf] [options]')
  }
})

test('what the program cannot do is refused with status 1', async () => {
  for (const words of [['--test-memory', '1'], ['--check-system'], ['x.conf', '--sentinel']]) {
    const { status, errors } = await run(words).finished
    expect(status).toBe(1)
    expect(errors).not.toBe('')
  }
})

test('a bad option and a missing file are refused with status 1', async () => {
  const bad = await run(['--foo', 'bar']).finished
  expect(bad.status).toBe(1)
  expect(bad.errors).toBe(
    '\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nReading the configuration file, at line 2\n>>> \'foo "bar"\'\nBad directive or wrong number of arguments\n',
  )
  const missing = await run(['nope.conf']).finished
  expect(missing.status).toBe(1)
  expect(missing.output).toContain(
    `# Fatal error, can't open config file '${join(directory, 'nope.conf')}': No such file or directory`,
  )
})

// Needs Debian's redis-server as an oracle.
describe.skipIf(!hasRedisServer)('next to redis-server', () => {
  test.each([
    { name: 'standalone', words: ['--save', '', '--pidfile', 'my.pid'] },
    { name: 'with a Unix socket', words: ['--save', '', '--unixsocket', 'my.sock'] },
  ])('the log from start to end is the same: $name', async ({ words }) => {
    const logs: string[][] = []
    for (const start of [startRedis, startEngine]) {
      const running = await start(words)
      cleanUps.push(() => running.stop())
      // An answer proves that the lines of the start are all written.
      expect(await running.connection.send('PING')).toBe('PONG')
      running.connection.close()
      running.program.signal('SIGTERM')
      const { status, output } = await running.program.finished
      expect(status).toBe(0)
      logs.push(messages(output, running.port))
    }
    expect(logs[1]).toEqual(logs[0])
    expect(logs[0]?.length).toBeGreaterThan(9)
  })

  test('two on one port: the second one ends as redis-server does', async () => {
    const first = await engine()
    const words = ['--port', String(first.port), '--bind', '127.0.0.1']
    const theirs = await new ServerProgram('redis-server', words, { directory }).finished
    const ours = await run(words).finished
    expect(ours.status).toBe(theirs.status)
    expect(messages(ours.output, first.port)).toEqual(messages(theirs.output, first.port))
  })
})

test('SIGTERM ends it with status 0, removes the pid file and frees the port', async () => {
  const running = await engine(['--pidfile', 'my.pid', '--save', ''])
  const pidFile = join(running.directory, 'my.pid')
  expect(readFileSync(pidFile, 'utf8')).toBe(`${running.program.processId}\n`)
  running.program.signal('SIGTERM')
  const { status, signal } = await running.program.finished
  expect({ status, signal }).toEqual({ status: 0, signal: null })
  expect(existsSync(pidFile)).toBe(false)
  await expect(PlainConnection.open(running.port)).rejects.toThrow()
})

test('SIGINT ends it, SIGHUP does not', async () => {
  const running = await engine(['--save', ''])
  running.program.signal('SIGHUP')
  expect(await running.connection.send('PING')).toBe('PONG')
  running.program.signal('SIGINT')
  const { status, output } = await running.program.finished
  expect(status).toBe(0)
  expect(output).toContain('Received SIGINT scheduling shutdown...')
})

test('configuration comes from a file, then standard input, then options: the last one wins', async () => {
  const port = await freePort()
  writeFileSync(join(directory, 'a.conf'), `port ${port}\nbind 127.0.0.1\nhz 11\ntimeout 1\nmaxmemory 1mb\n`)
  const program = run(['a.conf', '--maxmemory', '3mb', '-'], { input: 'timeout 2\nmaxmemory 2mb\n' })
  await program.says('Ready to accept connections')
  const connection = await PlainConnection.open(port)
  try {
    expect(await connection.send('CONFIG', 'GET', 'hz', 'timeout', 'maxmemory', 'dir')).toEqual(
      expect.arrayContaining(['hz', '11', 'timeout', '2', 'maxmemory', '3145728', 'dir', directory]),
    )
    expect(await connection.send('CONFIG', 'SET', 'hz', '12', 'dir', '/')).toEqual(
      new Error("ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config"),
    )
    expect(await connection.send('CONFIG', 'SET', 'hz', '12')).toBe('OK')
    expect(await connection.send('CONFIG', 'REWRITE')).toBe('OK')
  } finally {
    connection.close()
  }
  const rewritten = readFileSync(join(directory, 'a.conf'), 'utf8')
  expect(rewritten).toContain(`port ${port}\nbind 127.0.0.1\nhz 12\ntimeout 2\nmaxmemory 3mb\n`)
})

test('a log file takes every line, readiness and signals included', async () => {
  const port = await freePort()
  const program = run(['--port', String(port), '--bind', '127.0.0.1', '--logfile', 'x.log', '--save', ''])
  const log = () => readFileSync(join(directory, 'x.log'), 'utf8')
  await expect
    .poll(() => existsSync(join(directory, 'x.log')) && log(), { timeout: 20_000 })
    .toContain('Ready to accept')
  program.signal('SIGTERM')
  const { status, output } = await program.finished
  expect(status).toBe(0)
  expect(output).toBe('')
  expect(log()).toMatch(/oO0OoO0OoO0Oo.*Received SIGTERM.*bye bye/s)
})

test('daemonize leaves a server behind and ends the program at once with status 0', async () => {
  const port = await freePort()
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--daemonize', 'yes', '--save', '']
  const parent = run([...words, '--pidfile', join(directory, 'd.pid'), '--logfile', join(directory, 'd.log')])
  expect((await parent.finished).status).toBe(0)
  const pidFile = join(directory, 'd.pid')
  await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8'), { timeout: 20_000 }).toMatch(/^\d+\n$/)
  const processId = Number(readFileSync(pidFile, 'utf8'))
  cleanUps.push(async () => {
    if (existsSync(pidFile)) process.kill(processId, 'SIGKILL')
  })
  expect(processId).not.toBe(parent.processId)
  const log = () => readFileSync(join(directory, 'd.log'), 'utf8')
  await expect.poll(log, { timeout: 20_000 }).toContain('Ready to accept connections')
  process.kill(processId, 'SIGTERM')
  await expect.poll(() => existsSync(pidFile), { timeout: 20_000 }).toBe(false)
  await expect.poll(log).toContain('bye bye')
})

test('a bad configuration is refused before daemonizing', async () => {
  const { status, errors } = await run(['--daemonize', 'yes', '--hz', 'x']).finished
  expect(status).toBe(1)
  expect(errors).toContain('FATAL CONFIG FILE ERROR')
})

test('an error that nobody catches leaves a crash report in the log, and status 1', async () => {
  const planted = join(directory, 'planted.cjs')
  writeFileSync(planted, "process.on('SIGUSR2', () => { throw new Error('a planted bug') })")
  const port = await freePort()
  const program = run(['--port', String(port), '--bind', '127.0.0.1'], {
    environment: { NODE_OPTIONS: `--require ${planted}` },
  })
  await program.says('Ready to accept connections')
  program.signal('SIGUSR2')
  const { status, output } = await program.finished
  expect(status).toBe(1)
  expect(output).toMatch(/REDIS BUG REPORT START.*a planted bug.*planted\.cjs.*redis_version:7\.0\.15.*REPORT END/s)
})

// Only Linux shows another process's title in a file.
test.skipIf(process.platform !== 'linux')('the process title follows proc-title-template', async () => {
  const running = await engine(['--proc-title-template', '{title} {listen-addr} {server-mode}{config-file}'])
  const title = () => readFileSync(`/proc/${running.program.processId}/cmdline`, 'utf8').replace(/\0.*$/s, '')
  expect(title()).toBe(`redis-server 127.0.0.1:${running.port}`)
  expect(await running.connection.send('CONFIG', 'SET', 'proc-title-template', 'x{{{port}')).toBe('OK')
  expect(title()).toBe(`x{${running.port}`)
})
