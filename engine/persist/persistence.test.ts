import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { contents, infoField, type NodeKind, type TestNode, TestNodes, until } from '../testing/nodes.ts'
import { hasRedisServer } from '../testing/redis-server.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

const values: readonly string[] = [
  '',
  '0',
  '-1',
  '127',
  '128',
  '-32769',
  '2147483647',
  '-2147483649',
  '9223372036854775807',
  '012',
  'text',
  'abc'.repeat(7),
  'x'.repeat(70_000),
  'no repetition in here: 0123456789 abcdefghijklmnopqrstuvwxyz',
]

async function fill(node: TestNode): Promise<void> {
  for (const [index, value] of values.entries()) {
    await node.send('SELECT', String(index % 3))
    await node.send('SET', `key:${index}`, value)
    if (index % 4 === 0) await node.send('PEXPIRE', `key:${index}`, '1000000')
  }
  await node.send('SELECT', '0')
}

const databases = [0, 1, 2]
const kinds: [writer: NodeKind, reader: NodeKind][] = [
  ['ours', 'ours'],
  ['ours', 'redis'],
  ['redis', 'ours'],
]

describe.each(kinds)('a file written by %s and read by %s', (writerKind, readerKind) => {
  // Without redis-server there is no second kind; CI must have it.
  const check = test.skipIf((writerKind === 'redis' || readerKind === 'redis') && !hasRedisServer)

  check.each(['SAVE', 'BGSAVE'])('holds the same keys, values and expiries after %s', async (command) => {
    const directory = nodes.makeDirectory()
    const writer = await nodes.start(writerKind, { dir: directory })
    await fill(writer)
    const wanted = await contents(writer, databases)
    expect(wanted).toHaveLength(values.length)
    await writer.send(command)
    await until(async () => (await infoField(writer, 'persistence', 'rdb_bgsave_in_progress')) === '0')
    expect(await infoField(writer, 'persistence', 'rdb_changes_since_last_save')).toBe('0')
    expect(readdirSync(directory)).toEqual(['dump.rdb'])
    await writer.kill()
    const reader = await nodes.start(readerKind, { dir: directory })
    expect(await contents(reader, databases)).toEqual(wanted)
    expect(reader.log()).toContain(`Done loading RDB, keys loaded: ${values.length}, keys expired: 0.`)
  })
})

// Debian's redis-tools have it; CI must too.
test.skipIf(!hasRedisServer)('redis-check-rdb accepts our files', async () => {
  const node = await nodes.start('ours')
  await fill(node)
  await node.send('SAVE')
  const outcome = spawnSync('redis-check-rdb', [join(node.directory, 'dump.rdb')], { encoding: 'utf8' })
  expect(outcome.stdout).toContain('Checksum OK')
  expect(outcome.stdout).toContain('RDB looks OK!')
  expect(outcome.stdout).toContain(`${values.length} keys read`)
  expect(outcome.status).toBe(0)
})

test('a damaged file stops the start and the log has the offset', async () => {
  const node = await nodes.start('ours')
  await fill(node)
  await node.send('SAVE')
  const path = join(node.directory, 'dump.rdb')
  const file = readFileSync(path)
  const start = (bytes: Buffer) => {
    writeFileSync(path, bytes)
    return nodes.start('ours', { dir: node.directory })
  }
  await expect(start(file.subarray(0, 500))).rejects.toThrow('Unexpected end of file at offset 500')
  const flipped = Buffer.from(file)
  const at = file.indexOf('repetition in here')
  flipped[at] = (flipped[at] as number) ^ 1
  await expect(start(flipped)).rejects.toThrow(/Wrong RDB checksum expected: \(\w+\) but got \(\w+\) at offset \d+/)
  await expect(start(Buffer.concat([file.subarray(0, 9), Buffer.from([24])]))).rejects.toThrow(
    'Cannot load RDB type 24 (hash with field expiry) at offset 9',
  )
})

test('a background save holds what was there when it began, whatever is written meanwhile', async () => {
  const node = await nodes.start('ours')
  const before: string[] = []
  for (let i = 0; i < 2000; i++) before.push(`key:${i}`, `before ${i}`)
  await node.send('MSET', ...before)
  const wanted = await contents(node)
  // Three commands at once: the writes come before the walk's first slice and between its slices.
  const answers = await Promise.all([
    node.send('BGSAVE'),
    node.send('MSET', ...before.map((word, index) => (index % 2 === 1 ? 'after' : word))),
    node.send('DEL', 'key:1', 'key:2'),
    node.send('BGSAVE'),
  ])
  expect(answers.slice(0, 3)).toEqual(['Background saving started', 'OK', 2])
  expect(String(answers[3])).toContain('Background save already in progress')
  await until(async () => (await infoField(node, 'persistence', 'rdb_bgsave_in_progress')) === '0')
  expect(await infoField(node, 'persistence', 'rdb_changes_since_last_save')).toBe('2002')
  await node.kill()
  const reader = await nodes.start('ours', { dir: node.directory })
  expect(await contents(reader)).toEqual(wanted)
})

test('save points save by themselves, and keys that have expired are not loaded', async () => {
  const node = await nodes.start('ours', { save: '1 2' })
  await node.send('SET', 'stays', '1')
  await node.send('SET', 'leaves', '1', 'PX', '2500')
  await until(async () => existsSync(join(node.directory, 'dump.rdb')))
  expect(node.log()).toContain('2 changes in 1 seconds. Saving...')
  await until(async () => (await node.send('GET', 'leaves')) === null)
  await node.kill()
  const reader = await nodes.start('ours', { dir: node.directory })
  expect(await reader.send('DBSIZE')).toBe(1)
  expect(reader.log()).toContain('keys loaded: 1, keys expired: 1.')
})

test('SHUTDOWN saves when there are save points or it is told to', async () => {
  for (const [settings, words, saves] of [
    [{ save: '1000 1' }, ['SHUTDOWN'], true],
    [{ save: '1000 1' }, ['SHUTDOWN', 'NOSAVE'], false],
    [{}, ['SHUTDOWN'], false],
    [{}, ['SHUTDOWN', 'SAVE'], true],
  ] as const) {
    const node = await nodes.start('ours', settings)
    await node.send('SET', 'a', 'b')
    await node.send(...words).catch(() => undefined)
    await until(async () => node.log().includes('ready to exit'))
    expect(existsSync(join(node.directory, 'dump.rdb')), words.join(' ')).toBe(saves)
  }
})

test('a disk that cannot be written to is reported, and refuses writes after a background save', async () => {
  const node = await nodes.start('ours', { save: '10000 10000', dbfilename: 'dump.rdb' })
  await node.send('SET', 'a', 'b')
  // A directory of that name cannot be replaced by a file.
  mkdirSync(join(node.directory, 'dump.rdb', 'full'), { recursive: true })
  expect(await node.send('SAVE')).toBeInstanceOf(Error)
  await node.send('BGSAVE')
  await until(async () => (await infoField(node, 'persistence', 'rdb_last_bgsave_status')) === 'err')
  expect(String(await node.send('SET', 'a', 'c'))).toContain('MISCONF Redis is configured to save RDB snapshots')
  expect(readdirSync(node.directory)).toEqual(['dump.rdb'])
})

test('after a restart from its file a primary lets its replica go on', async () => {
  const primary = await nodes.start('ours')
  const port = String(primary.port)
  const replica = await nodes.start('ours', { replicaof: `127.0.0.1 ${port}` })
  await until(async () => replica.log().includes('Finished with success'))
  await primary.send('SET', 'a', 'b')
  await until(async () => (await replica.send('GET', 'a')) === 'b')
  await primary.send('SAVE')
  await primary.kill()
  const again = await nodes.start('ours', { dir: primary.directory, port })
  await replica.send('REPLICAOF', '127.0.0.1', String(again.port))
  await until(async () => replica.log().includes('Successful partial resynchronization with master.'))
})

test('a node that restarts from its file and is then told its primary goes on where it was', async () => {
  const primary = await nodes.start('ours')
  const replica = await nodes.start('ours', { replicaof: `127.0.0.1 ${primary.port}` })
  await until(async () => replica.log().includes('Finished with success'))
  await primary.send('SELECT', '3')
  await primary.send('SET', 'a', 'b')
  await replica.send('SELECT', '3')
  await until(async () => (await replica.send('GET', 'a')) === 'b')
  await replica.send('SAVE')
  await replica.kill()
  await primary.send('SET', 'c', 'd')
  const again = await nodes.start('ours', { dir: replica.directory })
  await again.send('REPLICAOF', '127.0.0.1', String(primary.port))
  await until(async () => again.log().includes('Successful partial resynchronization with master.'))
  await again.send('SELECT', '3')
  await until(async () => (await again.send('GET', 'c')) === 'd')
  expect(await infoField(again, 'replication', 'master_replid')).toBe(
    await infoField(primary, 'replication', 'master_replid'),
  )
})

test('with rdb-del-sync-files a full resync leaves no file on servers that keep nothing', async () => {
  const settings = { 'rdb-del-sync-files': 'yes', 'repl-diskless-sync': 'no' }
  const primary = await nodes.start('ours', settings)
  await primary.send('SET', 'a', 'b')
  const replica = await nodes.start('ours', { ...settings, replicaof: `127.0.0.1 ${primary.port}` })
  const keeper = await nodes.start('ours', { ...settings, save: '10000 1', replicaof: `127.0.0.1 ${primary.port}` })
  await until(async () => (await replica.send('GET', 'a')) === 'b' && (await keeper.send('GET', 'a')) === 'b')
  await until(async () => primary.log().includes('Removing the RDB file used to feed replicas'))
  for (const [node, files] of [
    [primary, []],
    [replica, []],
    [keeper, ['dump.rdb']],
  ] as const) {
    expect(readdirSync(node.directory)).toEqual(files)
  }
})
