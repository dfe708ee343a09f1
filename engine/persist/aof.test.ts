import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { contents, infoField, type NodeKind, type TestNode, TestNodes, until } from '../testing/nodes.ts'
import { hasRedisServer } from '../testing/redis-server.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

const databases = [0, 1, 2]
const rewritten = (node: TestNode) =>
  until(
    async () => (await infoField(node, 'persistence', 'aof_rewrite_in_progress')) === '0',
    () => node.log(),
  )

/** Writes of every kind that has to be translated, or put together, on its way into the log. */
async function write(node: TestNode): Promise<void> {
  for (let i = 0; i < 40; i++) {
    await node.send('SELECT', String(i % 3))
    await node.send('SET', `key:${i}`, `value ${'x'.repeat(i * 7)}`)
  }
  await node.send('SELECT', '0')
  await node.send('SET', 'expires', 'later', 'EX', '1000')
  await node.send('GETEX', 'expires', 'EX', '2000')
  await node.send('SET', 'gone', 'soon', 'PX', '1')
  await node.send('INCRBYFLOAT', 'float', '1.5')
  await node.send('MULTI')
  await node.send('SET', 'one', '1')
  await node.send('SELECT', '2')
  await node.send('INCR', 'counter')
  await node.send('EXEC')
  await node.send('DEL', 'key:2')
  await node.send('SELECT', '0')
}

describe.each<[NodeKind, NodeKind]>([
  ['ours', 'ours'],
  ['ours', 'redis'],
  ['redis', 'ours'],
])('an append-only log written by %s and read by %s', (writerKind, readerKind) => {
  // Without redis-server there is no second kind; CI must have it.
  const check = test.skipIf((writerKind === 'redis' || readerKind === 'redis') && !hasRedisServer)

  check.each(['always', 'everysec', 'no'])(
    'has every write, with appendfsync %s and a rewrite between',
    async (appendfsync) => {
      const dir = nodes.makeDirectory()
      const settings = { dir, appendonly: 'yes', appendfsync }
      const writer = await nodes.start(writerKind, settings)
      await write(writer)
      expect(await writer.send('BGREWRITEAOF')).toBe('Background append only file rewriting started')
      await rewritten(writer)
      await writer.send('SELECT', '1')
      await writer.send('SET', 'after', 'the rewrite')
      const wanted = await contents(writer, databases)
      expect(readdirSync(join(dir, 'appendonlydir'))).toEqual([
        'appendonly.aof.2.base.rdb',
        'appendonly.aof.2.incr.aof',
        'appendonly.aof.manifest',
      ])
      await writer.kill()
      const reader = await nodes.start(readerKind, settings)
      expect(await contents(reader, databases)).toEqual(wanted)
      expect(reader.log()).toContain('DB loaded from incr file appendonly.aof.2.incr.aof')
    },
  )
})
