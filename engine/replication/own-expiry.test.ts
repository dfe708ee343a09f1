/**
 * A replica that may be written to: keys that its primary does not know expire, and errors that nobody expects count.
 */
import { afterEach, expect, test } from 'vitest'
import { againstRedis } from '../testing/differential.ts'
import { infoField, type NodeKind, TestNodes, until } from '../testing/nodes.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

async function startReplica(kind: NodeKind) {
  const primary = await nodes.start('ours')
  const replica = await nodes.start(kind, { 'replica-read-only': 'no', 'enable-debug-command': 'yes' })
  await replica.send('REPLICAOF', '127.0.0.1', String(primary.port))
  await until(async () => (await infoField(replica, 'replication', 'master_link_status')) === 'up')
  return { primary, replica }
}

againstRedis('a writable replica', () => {
  test('expires its own keys and leaves those of its primary', async () => {
    const seen: unknown[] = []
    for (const kind of ['redis', 'ours'] as const) {
      const { primary, replica } = await startReplica(kind)
      const tracked = () => infoField(replica, 'stats', 'slave_expires_tracked_keys')
      const counts: unknown[] = []
      await replica.send('DEBUG', 'SET-ACTIVE-EXPIRE', '0')
      for (const words of [
        ['SET', 'plain', '1'],
        ['SET', 'set', '1', 'PX', '200'],
        ['SET', 'set', '2', 'KEEPTTL'],
        ['SETEX', 'setex', '1000', 'x'],
        ['EXPIRE', 'plain', '1000'],
        ['EXPIRE', 'none', '1000'],
        ['RENAME', 'setex', 'renamed'],
        ['COPY', 'renamed', 'copied'],
        ['PERSIST', 'copied'],
        ['SELECT', '3'],
        ['SET', 'plain', '1', 'PX', '200'],
        ['GETEX', 'plain', 'PX', '300'],
        ['EVAL', "return redis.call('PSETEX', 'scripted', 200, 'x')", '0'],
        ['HSET', 'hash', 'f', 'v'],
        ['PEXPIRE', 'hash', '200'],
        ['SELECT', '0'],
      ]) {
        await replica.send(...words)
        counts.push([words, await tracked()])
      }
      await primary.send('SET', 'of primary', '1', 'PX', '100000')
      await until(async () => (await replica.send('DBSIZE')) === 5)
      counts.push(await tracked())
      await replica.send('DEBUG', 'SET-ACTIVE-EXPIRE', '1')
      // Three in database 3, one in database 0.
      await until(async () => (await infoField(replica, 'stats', 'expired_keys')) === '4')
      await until(async () => (await replica.send('DBSIZE')) === 4)
      await until(async () => (await tracked()) === '2')
      counts.push(await replica.send('INFO', 'keyspace').then((text) => String(text).match(/keys=\d+,expires=\d+/g)))
      await primary.send('FLUSHALL')
      await until(async () => (await replica.send('DBSIZE')) === 0)
      counts.push(await tracked())
      seen.push(counts)
    }
    expect(seen[1]).toEqual(seen[0])
  })

  test('counts errors that its primary’s commands run into', async () => {
    const seen: unknown[] = []
    for (const kind of ['redis', 'ours'] as const) {
      const { primary, replica } = await startReplica(kind)
      const counts: unknown[] = []
      await replica.send('SET', 'list', 'no list')
      for (const words of [
        ['RPUSH', 'list', '1'],
        ['EVAL', "redis.call('RPUSH', 'list', '1') return redis.call('INCR', 'n')", '0'],
        ['INCR', 'end'],
      ]) {
        await primary.send(...words)
        const last = words[0] === 'INCR' ? 'end' : undefined
        if (last !== undefined) await until(async () => (await replica.send('EXISTS', last)) === 1)
        else
          await until(async () =>
            infoField(replica, 'stats', 'total_error_replies').then((count) => Number(count) > counts.length),
          )
        counts.push(await infoField(replica, 'stats', 'unexpected_error_replies'))
      }
      seen.push(counts)
    }
    expect(seen[1]).toEqual(seen[0])
    expect(seen[1]).toEqual(['1', '2', '2'])
  })
})
