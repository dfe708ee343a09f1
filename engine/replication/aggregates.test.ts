/**
 * Lists, hashes, sets and sorted sets on their way to a replica: in the data set first, then as commands, between both
 * kinds of server.
 */
import { afterEach, describe, expect, test } from 'vitest'
import { type NodeKind, type TestNode, TestNodes, untilInSync } from '../testing/nodes.ts'
import { hasRedisServer } from '../testing/redis-server.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

const pairs: [primary: NodeKind, replica: NodeKind][] = [
  ['ours', 'ours'],
  ['redis', 'ours'],
  ['ours', 'redis'],
]
const keys = ['few', 'many', 'words', 'small', 'large']

async function contents(node: TestNode): Promise<unknown> {
  const found: unknown[] = []
  for (const key of keys) {
    const isSet = ['few', 'many', 'words'].includes(key)
    const members = await node.send(...(isSet ? ['SMEMBERS', key] : ['ZRANGE', key, '0', '-1', 'WITHSCORES']))
    const texts = (members as unknown[]).map(String)
    found.push([key, String(await node.send('OBJECT', 'ENCODING', key)), isSet ? texts.sort() : texts])
  }
  return found
}

describe.each(pairs)('primary %s, replica %s', (primaryKind, replicaKind) => {
  // Without redis-server there is no second kind; CI must have it.
  const check = test.skipIf([primaryKind, replicaKind].includes('redis') && !hasRedisServer)

  check('sets and sorted sets arrive as they are, and stay the same', async () => {
    const primary = await nodes.start(primaryKind)
    const range = (count: number) => Array.from({ length: count }, (_, i) => i)
    await primary.send('SADD', 'few', '1', '-70000', '9223372036854775807')
    await primary.send('SADD', 'many', ...range(1000).map(String))
    await primary.send('SADD', 'words', ...range(500).map((i) => `word ${i}`))
    await primary.send('ZADD', 'small', '1', 'a', '-0.5', 'b', 'inf', '12', '123456789012345678', 'ü')
    await primary.send('ZADD', 'large', ...range(1000).flatMap((i) => [String(i / 7), `member ${i}`]))
    const replica = await nodes.start(replicaKind, { replicaof: `127.0.0.1 ${primary.port}` })
    await untilInSync(primary, replica)
    expect(await contents(replica)).toEqual(await contents(primary))
    await primary.send('SPOP', 'many', '300')
    await primary.send('SPOP', 'words')
    await primary.send('SMOVE', 'words', 'few', 'word 7')
    await primary.send('ZINCRBY', 'large', '0.1', 'member 3')
    await primary.send('ZPOPMAX', 'large', '10')
    await primary.send('ZMPOP', '2', 'none', 'small', 'MIN')
    await primary.send('ZREMRANGEBYSCORE', 'large', '(3', '5')
    await untilInSync(primary, replica)
    expect(await contents(replica)).toEqual(await contents(primary))
  })

  check('lists and hashes arrive as they are, and stay the same', async () => {
    const primary = await nodes.start(primaryKind)
    const range = (count: number) => Array.from({ length: count }, (_, i) => i)
    await primary.send('RPUSH', 'list', '1', '-70000', '', 'x'.repeat(9000), ...range(3000).map((i) => `element ${i}`))
    await primary.send('HSET', 'small', 'a', '1', 'b', 'text')
    await primary.send('HSET', 'large', ...range(1500).map((i) => `word ${i}`))
    const replica = await nodes.start(replicaKind, { replicaof: `127.0.0.1 ${primary.port}` })
    const all = async (node: TestNode): Promise<unknown> => {
      const found: unknown[] = [String(await node.send('LRANGE', 'list', '0', '-1'))]
      found.push(String(await node.send('LRANGE', 'moved', '0', '-1')))
      for (const key of ['small', 'large']) {
        const fields = ((await node.send('HKEYS', key)) as unknown[]).map(String).sort()
        found.push(String(await node.send('OBJECT', 'ENCODING', key)), fields)
        found.push(String(await node.send('HMGET', key, ...fields)))
      }
      return found
    }
    await untilInSync(primary, replica)
    expect(await all(replica)).toEqual(await all(primary))
    await primary.send('LINSERT', 'list', 'BEFORE', 'element 1000', 'new')
    await primary.send('BLMOVE', 'list', 'moved', 'RIGHT', 'LEFT', '0')
    await primary.send('BLMPOP', '0', '1', 'list', 'LEFT', 'COUNT', '3')
    await primary.send('HINCRBYFLOAT', 'small', 'a', '0.1')
    await primary.send('HDEL', 'large', 'word 0', 'word 2')
    await untilInSync(primary, replica)
    expect(await all(replica)).toEqual(await all(primary))
  })
})
