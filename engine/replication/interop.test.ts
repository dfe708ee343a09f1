import { afterEach, describe, expect, test } from 'vitest'
import { contents, type NodeKind, TestNodes, untilInSync } from '../testing/nodes.ts'
import { hasRedisServer } from '../testing/redis-server.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

const LARGE = 'abcdefgh'.repeat(20_000)

const pairs: [primary: NodeKind, replica: NodeKind][] = [
  ['ours', 'ours'],
  ['redis', 'ours'],
  ['ours', 'redis'],
]

describe.each(pairs)('primary %s, replica %s', (primaryKind, replicaKind) => {
  const needed = primaryKind === 'redis' || replicaKind === 'redis'
  // Without redis-server there is no second kind; CI must have it.
  const check = test.skipIf(needed && !hasRedisServer)

  check.each(['yes', 'no'])('full resync with repl-diskless-sync %s, then the stream', async (diskless) => {
    const primary = await nodes.start(primaryKind, { 'repl-diskless-sync': diskless })
    await primary.send('SET', 'before', 'value')
    await primary.send('SET', 'number', '12345')
    await primary.send('SET', 'large', LARGE)
    await primary.send('SET', 'leaving', 'soon', 'PX', '100000')
    await primary.send('SELECT', '3')
    await primary.send('SET', 'elsewhere', 'yes')
    const replica = await nodes.start(replicaKind, { replicaof: `127.0.0.1 ${primary.port}` })
    await untilInSync(primary, replica)
    await primary.send('SET', 'in-three', 'after')
    await primary.send('SELECT', '0')
    await primary.send('INCR', 'counter')
    await primary.send('DEL', 'before')
    await primary.send('MULTI')
    await primary.send('SET', 'a', '1')
    await primary.send('SET', 'b', LARGE)
    await primary.send('EXEC')
    await untilInSync(primary, replica)
    expect(await contents(replica, [0, 3])).toEqual(await contents(primary, [0, 3]))
    expect(await contents(replica, [0, 3])).toHaveLength(8)
  })
})
