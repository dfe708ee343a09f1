import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { createNodeIo } from '../node/io.ts'
import { encodeRequest } from '../resp/request.ts'
import { createServer } from '../server/assembly.ts'
import { createConfig } from '../server/config.ts'
import { infoField, type NodeKind, type NodeSettings, type TestNode, TestNodes, until } from '../testing/nodes.ts'
import { hasRedisServer, PlainConnection } from '../testing/redis-server.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

const logging = { appendonly: 'yes', 'enable-debug-command': 'yes' }
const digest = (node: TestNode) => node.send('DEBUG', 'DIGEST')
const persistence = (node: TestNode, field: string) => infoField(node, 'persistence', field)
const rewritten = (node: TestNode) =>
  until(
    async () => /rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(String(await node.send('INFO', 'persistence'))),
    () => node.log(),
  )
const filesOf = (directory: string) => readdirSync(join(directory, 'appendonlydir'))
const incrementOf = (node: TestNode, number: number) =>
  readFileSync(join(node.directory, 'appendonlydir', `appendonly.aof.${number}.incr.aof`), 'latin1')

/** Values of every type in every encoding, and writes that have to be translated on their way into the log. */
async function write(node: TestNode): Promise<void> {
  const words = (count: number, make: (i: number) => string[]) =>
    Array.from({ length: count }, (_, i) => make(i)).flat()
  for (const database of ['0', '9']) {
    await node.send('SELECT', database)
    await node.send('MSET', 'int', '12345', 'text', 'short', 'long', 'x'.repeat(30_000), 'empty', '')
    for (const [name, count] of [
      ['small', 5],
      ['large', 700],
    ] as const) {
      await node.send('RPUSH', `list:${name}`, ...words(count, (i) => [`element ${i}`]), '17', 'y'.repeat(9000))
      await node.send('SADD', `integers:${name}`, ...words(count, (i) => [String(i * 3)]))
      await node.send('SADD', `members:${name}`, ...words(count, (i) => [`member ${i}`]))
      await node.send('ZADD', `scores:${name}`, ...words(count, (i) => [String(i / 7), `member ${i}`]), '-inf', 'least')
      await node.send('HSET', `hash:${name}`, ...words(count, (i) => [`field ${i}`, String(i)]))
      for (let i = 0; i < count; i += 50) await node.send('XADD', `stream:${name}`, `${i}-1`, 'field', String(i))
    }
    await node.send('XGROUP', 'CREATE', 'stream:small', 'group', '0')
    await node.send('XREADGROUP', 'GROUP', 'group', 'consumer', 'STREAMS', 'stream:small', '>')
    await node.send('SET', 'expires', 'later', 'EX', '1000')
    await node.send('GETEX', 'expires', 'EX', '2000')
    await node.send('INCRBYFLOAT', 'float', '1.5')
    await node.send('SPOP', 'members:large', '3')
    await node.send('MULTI')
    await node.send('SET', 'one', '1')
    await node.send('SELECT', '2')
    await node.send('INCR', `counter:${database}`)
    await node.send('EXEC')
  }
  await node.send('SELECT', '0')
  await node.send('EVAL', "redis.call('SET', KEYS[1], 'script'); redis.call('INCR', KEYS[2])", '2', 'scripted', 'count')
  await node.send('PUBLISH', 'channel', 'is no data')
}

describe.each<[NodeKind, NodeKind]>([
  ['ours', 'ours'],
  ['ours', 'redis'],
  ['redis', 'ours'],
])('an append-only log written by %s and read by %s', (writerKind, readerKind) => {
  // Without redis-server there is no second kind; CI must have it.
  const check = test.skipIf((writerKind === 'redis' || readerKind === 'redis') && !hasRedisServer)

  check.each([
    ['always', 'yes'],
    ['everysec', 'no'],
    ['no', 'yes'],
  ])('has every write: appendfsync %s, aof-use-rdb-preamble %s', async (appendfsync, preamble) => {
    const dir = nodes.makeDirectory()
    const settings = { ...logging, dir, appendfsync, 'aof-use-rdb-preamble': preamble, 'aof-timestamp-enabled': 'yes' }
    const restart = async (kind: NodeKind, before: TestNode) => {
      const wanted = await digest(before)
      await before.kill()
      const node = await nodes.start(kind, settings)
      expect(await digest(node), node.log()).toBe(wanted)
      return node
    }
    const writer = await nodes.start(writerKind, settings)
    await write(writer)
    const reader = await restart(readerKind, writer)
    expect(await reader.send('BGREWRITEAOF')).toBe('Background append only file rewriting started')
    await rewritten(reader)
    await reader.send('SELECT', '1')
    await reader.send('SET', 'after', 'the rewrite')
    const again = await restart(writerKind, reader)
    const suffix = preamble === 'yes' ? 'rdb' : 'aof'
    expect(filesOf(dir)).toEqual([
      `appendonly.aof.2.base.${suffix}`,
      'appendonly.aof.2.incr.aof',
      'appendonly.aof.manifest',
    ])
    expect(again.log()).toContain('DB loaded from incr file appendonly.aof.2.incr.aof')
  })
})

// There is nothing to compare with without redis-server; CI must have it.
test.skipIf(!hasRedisServer)('the same writes make the same log, byte for byte', async () => {
  const logs: string[] = []
  const manifests: string[] = []
  for (const kind of ['ours', 'redis'] as const) {
    // While an fsync runs, `everysec` would answer before it has written.
    const node = await nodes.start(kind, { ...logging, appendfsync: 'always' })
    await node.send('SET', 'a', 'b')
    await node.send('SET', 'expires', '1', 'EXAT', '4000000000')
    await node.send('PUBLISH', 'channel', 'nothing')
    await node.send('SELECT', '3')
    await node.send('RPUSH', 'list', '1', '2', '3')
    await node.send('MULTI')
    await node.send('LPOP', 'list', '2')
    await node.send('SELECT', '4')
    await node.send('INCR', 'counter')
    await node.send('EXEC')
    await node.send('FLUSHDB')
    await node.send('GET', 'a')
    await node.send('BGREWRITEAOF')
    await rewritten(node)
    await node.send('SET', 'after', 'rewrite')
    logs.push(incrementOf(node, 2))
    manifests.push(readFileSync(join(node.directory, 'appendonlydir', 'appendonly.aof.manifest'), 'utf8'))
    await node.send('BGREWRITEAOF')
    await node.kill()
  }
  expect(logs[0]).toBe(logs[1])
  expect(logs[0]).toContain('SELECT')
  expect(manifests[0]).toBe(manifests[1])
})

// There is nothing to compare with without redis-server; CI must have it.
test.skipIf(!hasRedisServer)('INFO has the fields of redis-server, in its order', async () => {
  const names: string[][] = []
  for (const kind of ['ours', 'redis'] as const) {
    const node = await nodes.start(kind, logging)
    names.push(
      String(await node.send('INFO', 'persistence'))
        .split('\r\n')
        .map((line) => line.split(':')[0] as string),
    )
  }
  expect(names[0]).toEqual(names[1])
})

describe('redis-check-aof', () => {
  const run = (...words: string[]) => spawnSync('redis-check-aof', words, { encoding: 'utf8', input: 'y\n' })

  // Debian's redis-tools have it; CI must too.
  test.skipIf(!hasRedisServer).each(['yes', 'no'])(
    'accepts our files, and repairs them when they are cut (preamble %s)',
    async (preamble) => {
      const settings: NodeSettings = { ...logging, 'aof-use-rdb-preamble': preamble, 'aof-timestamp-enabled': 'yes' }
      const node = await nodes.start('ours', settings)
      await write(node)
      await node.send('BGREWRITEAOF')
      await rewritten(node)
      await node.send('SET', 'whole', 'command')
      const wanted = await digest(node)
      await node.kill()
      const manifest = join(node.directory, 'appendonlydir', 'appendonly.aof.manifest')
      expect(run(manifest).stdout).toContain('All AOF files and manifest are valid')
      appendFileSync(join(node.directory, 'appendonlydir', 'appendonly.aof.2.incr.aof'), '*3\r\n$3\r\nSET\r\n$4\r\nha')
      expect(run(manifest).stdout).toContain('is not valid')
      expect(run('--fix', manifest).stdout).toContain('Successfully truncated AOF')
      const again = await nodes.start('ours', { ...settings, dir: node.directory, 'aof-load-truncated': 'no' })
      expect(await digest(again)).toBe(wanted)
    },
  )
})

describe('a log of before Redis 7', () => {
  test.each([
    ['commands only', false],
    ['an RDB preamble and commands', true],
  ])('becomes the base of a new one: %s', async (_, hasPreamble) => {
    const directory = nodes.makeDirectory()
    let preamble = Buffer.alloc(0)
    if (hasPreamble) {
      const writer = await nodes.start('ours', { dir: directory })
      await writer.send('SET', 'from', 'preamble')
      await writer.send('SAVE')
      await writer.kill()
      preamble = readFileSync(join(directory, 'dump.rdb'))
    }
    const commands = [
      ['SELECT', '1'],
      ['SET', 'a', 'b'],
      ['RPUSH', 'l', '1', '2'],
    ].map((words) => encodeRequest(words))
    writeFileSync(join(directory, 'appendonly.aof'), Buffer.concat([preamble, ...commands]))
    const node = await nodes.start('ours', { ...logging, dir: directory })
    expect(await node.send('GET', 'from')).toBe(hasPreamble ? 'preamble' : null)
    await node.send('SELECT', '1')
    expect(await node.send('LLEN', 'l')).toBe(2)
    expect(node.log()).toContain(
      'Successfully migrated an old-style AOF configuration (appendonly.aof) into the AOF directory (appendonlydir).',
    )
    expect(existsSync(join(directory, 'appendonly.aof'))).toBe(false)
    expect(filesOf(directory)).toEqual(['appendonly.aof', 'appendonly.aof.1.incr.aof', 'appendonly.aof.manifest'])
  })
})

describe('turning the log on and off', () => {
  test('on: it holds the data set as of then, and what comes after', async () => {
    const node = await nodes.start('ours', { 'enable-debug-command': 'yes' })
    await node.send('SET', 'before', '1')
    expect(await node.send('CONFIG', 'SET', 'appendonly', 'yes')).toBe('OK')
    await node.send('INCR', 'before')
    await rewritten(node)
    await node.send('SET', 'after', '1')
    const wanted = await digest(node)
    await node.kill()
    const again = await nodes.start('ours', { ...logging, dir: node.directory })
    expect(await digest(again)).toBe(wanted)
  })

  test('off: what was there stays, and nothing is added', async () => {
    const node = await nodes.start('ours', logging)
    await node.send('SET', 'a', '1')
    const wanted = await digest(node)
    expect(await node.send('CONFIG', 'SET', 'appendonly', 'no')).toBe('OK')
    expect(await persistence(node, 'aof_enabled')).toBe('0')
    await node.send('SET', 'b', '1')
    await node.kill()
    const again = await nodes.start('ours', { ...logging, dir: node.directory })
    expect(await digest(again)).toBe(wanted)
  })

  test('inside a transaction both only schedule a rewrite', async () => {
    const node = await nodes.start('ours', logging)
    await node.send('MULTI')
    await node.send('BGREWRITEAOF')
    await node.send('BGSAVE')
    expect(await node.send('EXEC')).toEqual([
      'Background append only file rewriting scheduled',
      'Background saving scheduled',
    ])
    await until(async () => (await persistence(node, 'aof_rewrites')) === '1')
    await until(async () => (await persistence(node, 'rdb_saves')) === '1')
  })

  test('the log comes before the snapshot at the start', async () => {
    const node = await nodes.start('ours', logging)
    await node.send('SET', 'a', 'in both')
    await node.send('SAVE')
    await node.send('SET', 'a', 'in the log')
    await node.kill()
    const again = await nodes.start('ours', { ...logging, dir: node.directory })
    expect(await again.send('GET', 'a')).toBe('in the log')
  })

  test('a replica logs the stream it applies, and begins anew after a full resync', async () => {
    const primary = await nodes.start('ours', { 'enable-debug-command': 'yes' })
    await primary.send('SET', 'from', 'primary')
    const replica = await nodes.start('ours', logging)
    await replica.send('SET', 'own', 'data')
    await replica.send('REPLICAOF', '127.0.0.1', String(primary.port))
    await until(
      async () => (await replica.send('GET', 'from')) === 'primary',
      () => replica.log(),
    )
    await rewritten(replica)
    await primary.send('MULTI')
    await primary.send('SELECT', '3')
    await primary.send('INCR', 'counter')
    await primary.send('SET', 'a', 'b', 'EX', '1000')
    await primary.send('EXEC')
    await until(async () => (await digest(replica)) === (await digest(primary)))
    const wanted = await digest(replica)
    await replica.kill()
    const again = await nodes.start('ours', { ...logging, dir: replica.directory })
    expect(await digest(again)).toBe(wanted)
  })
})

describe('rewriting', () => {
  test('begins by itself when the log has grown enough', async () => {
    const node = await nodes.start('ours', { ...logging, 'auto-aof-rewrite-min-size': '20kb' })
    for (let i = 0; i < 30; i++) await node.send('SET', 'the same key', 'x'.repeat(1000))
    await until(async () => (await persistence(node, 'aof_rewrites')) === '1')
    await rewritten(node)
    expect(node.log()).toMatch(/Starting automatic rewriting of AOF on \d+% growth/)
    expect(Number(await persistence(node, 'aof_base_size'))).toBeLessThan(2000)
    expect(filesOf(node.directory)).toHaveLength(3)
  })

  test('waits after three failures in a row, and the log goes on', async () => {
    const node = await nodes.start('ours', logging)
    // A directory of that name, with something in it, cannot be replaced by a file.
    for (const number of [2, 3, 4])
      mkdirSync(join(node.directory, 'appendonlydir', `appendonly.aof.${number}.base.rdb`, 'x'), { recursive: true })
    for (const failures of ['1', '2', '3']) {
      await node.send('BGREWRITEAOF')
      await until(async () => (await persistence(node, 'aof_rewrites_consecutive_failures')) === failures)
    }
    expect(await persistence(node, 'aof_last_bgrewrite_status')).toBe('err')
    await node.send('CONFIG', 'SET', 'auto-aof-rewrite-min-size', '1', 'auto-aof-rewrite-percentage', '1')
    await node.send('SET', 'a', 'b')
    await until(async () => node.log().includes('triggered the limit, will retry in 1 minutes'))
    await node.kill()
    const again = await nodes.start('ours', { ...logging, dir: node.directory })
    expect(await again.send('GET', 'a')).toBe('b')
  })

  test('DEBUG LOADAOF replays what is there', async () => {
    const node = await nodes.start('ours', { ...logging, appendfsync: 'always' })
    await write(node)
    await node.send('BGREWRITEAOF')
    await rewritten(node)
    await node.send('SET', 'last', 'one')
    const wanted = await digest(node)
    expect(await node.send('DEBUG', 'LOADAOF')).toBe('OK')
    expect(await digest(node)).toBe(wanted)
    await node.send('SET', 'after', 'it')
    expect(incrementOf(node, 2)).toContain('after')
  })
})

const kinds: NodeKind[] = hasRedisServer ? ['ours', 'redis'] : ['ours']
test.each(kinds)('CONFIG SET aof-timestamp-enabled takes hold with the next command: %s', async (kind) => {
  const node = await nodes.start(kind, { ...logging, appendfsync: 'always' })
  const stamps = () => incrementOf(node, 1).split('#TS:').length - 1
  await node.send('SET', 'before', '1')
  expect(stamps()).toBe(0)
  await node.send('CONFIG', 'SET', 'aof-timestamp-enabled', 'yes')
  await node.send('SET', 'stamped', '1')
  expect(stamps()).toBe(1)
  await node.send('CONFIG', 'SET', 'aof-timestamp-enabled', 'no')
  await new Promise((resolve) => setTimeout(resolve, 1100))
  await node.send('SET', 'after', '1')
  expect(stamps()).toBe(1)
})

test('while loading, clients are told so, and INFO tells how far it is', async () => {
  const writer = await nodes.start('ours', logging)
  for (let i = 0; i < 2000; i++) await writer.send('SET', `key:${i}`, 'x'.repeat(100))
  await writer.kill()
  const io = createNodeIo()
  const config = createConfig(io.disk, {
    settings: { ...logging, 'key-load-delay': '20000', bind: '127.0.0.1', dir: writer.directory },
  })
  const server = createServer({ ...io, host: { ...io.host, print() {}, exit() {} } }, { config, port: 0 })
  const ready = new Promise<void>((resolve, reject) => server.start({ onReady: resolve, onFailure: reject }))
  await until(async () => server.port !== 0)
  const early = await PlainConnection.open(server.port)
  const answers: string[] = []
  let progress = ''
  for (let isLoading = true; isLoading; ) {
    const [get, info] = await Promise.all([early.send('GET', 'key:0'), early.send('INFO', 'persistence')])
    answers.push(String(get))
    isLoading = String(info).includes('loading:1')
    if (isLoading) progress = String(info)
    // Seen: the rest need not be slow.
    if (isLoading) expect(await early.send('CONFIG', 'SET', 'key-load-delay', '0')).toBe('OK')
  }
  expect(answers.some((answer) => answer.includes('LOADING Redis is loading the dataset in memory'))).toBe(true)
  expect(progress).toMatch(
    /loading_start_time:\d+\r\nloading_total_bytes:\d+\r\nloading_rdb_used_mem:\d+\r\nloading_loaded_bytes:\d+\r\nloading_loaded_perc:\d+\.\d\d\r\nloading_eta_seconds:\d+\r\n/,
  )
  const total = Number(/loading_total_bytes:(\d+)/.exec(progress)?.[1])
  expect(total).toBeGreaterThan(statSync(join(writer.directory, 'appendonlydir', 'appendonly.aof.1.incr.aof')).size)
  await ready
  expect(await early.send('DBSIZE')).toBe(2000)
  early.close()
  server.stop()
})
