import { afterEach, describe, expect, test } from 'vitest'
import { contents, type NodeKind, type TestNode, TestNodes, until, untilInSync } from '../testing/nodes.ts'
import { hasRedisServer } from '../testing/redis-server.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

const LARGE = 'abcdefgh'.repeat(20_000)

const pairs: [primary: NodeKind, replica: NodeKind][] = [
  ['ours', 'ours'],
  ['redis', 'ours'],
  ['ours', 'redis'],
]

function needsRedis(...kinds: NodeKind[]): boolean {
  return kinds.includes('redis') && !hasRedisServer
}

async function write(node: TestNode, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i++) await node.send('SET', `key:${i % 50}`, `value ${i}`)
  await node.send('INCRBY', 'counter', String(count))
}

function logged(node: TestNode, text: string): number {
  return node.log().split(text).length - 1
}

describe.each(pairs)('primary %s, replica %s', (primaryKind, replicaKind) => {
  // Without redis-server there is no second kind; CI must have it.
  const check = test.skipIf(needsRedis(primaryKind, replicaKind))

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

  check('a replica that loads the stream as it arrives gets the same', async () => {
    const primary = await nodes.start(primaryKind)
    await write(primary, 0, 60)
    await primary.send('SET', 'large', LARGE)
    const replica = await nodes.start(replicaKind, {
      replicaof: `127.0.0.1 ${primary.port}`,
      'repl-diskless-load': 'on-empty-db',
    })
    await untilInSync(primary, replica)
    expect(replica.log()).toContain('with EOF to parser')
    await write(primary, 60, 10)
    await untilInSync(primary, replica)
    expect(await contents(replica)).toEqual(await contents(primary))
  })

  check('a cut link is resumed where it broke, in the right database', async () => {
    const primary = await nodes.start(primaryKind)
    const replica = await nodes.start(replicaKind, { replicaof: `127.0.0.1 ${primary.port}` })
    await untilInSync(primary, replica)
    await primary.send('SELECT', '5')
    for (let round = 0; round < 5; round++) {
      await write(primary, round * 20, 20)
      expect(await primary.send('CLIENT', 'KILL', 'TYPE', 'replica')).toBe(1)
      await write(primary, round * 20 + 10, 5)
      await untilInSync(primary, replica)
    }
    expect(await contents(replica, [0, 5])).toEqual(await contents(primary, [0, 5]))
    expect(logged(primary, 'Partial resynchronization request from')).toBe(5)
    expect(logged(replica, 'Full resync from master')).toBe(1)
  })

  check('with a password', async () => {
    const primary = await nodes.start(primaryKind, { requirepass: 'secret', masterauth: 'secret' })
    await write(primary, 0, 10)
    const stranger = await nodes.start(replicaKind, { replicaof: `127.0.0.1 ${primary.port}`, masterauth: 'wrong' })
    await until(async () => stranger.log().includes('Unable to AUTH to MASTER'))
    const replica = await nodes.start(replicaKind, {
      replicaof: `127.0.0.1 ${primary.port}`,
      masterauth: 'secret',
      masteruser: 'default',
    })
    await untilInSync(primary, replica)
    expect(await contents(replica)).toEqual(await contents(primary))
    expect(await contents(stranger)).toEqual([])
  })

  check('after a failover the old primary follows the new one without a full resync', async () => {
    const first = await nodes.start(primaryKind)
    const second = await nodes.start(replicaKind, { replicaof: `127.0.0.1 ${first.port}` })
    await untilInSync(first, second)
    await write(first, 0, 30)
    await untilInSync(first, second)
    await second.send('REPLICAOF', 'NO', 'ONE')
    await write(second, 30, 20)
    await first.send('REPLICAOF', '127.0.0.1', String(second.port))
    await untilInSync(second, first)
    await write(second, 50, 20)
    await untilInSync(second, first)
    expect(await contents(first)).toEqual(await contents(second))
    expect(logged(first, 'Successful partial resynchronization with master.')).toBe(1)
    expect(logged(first, 'Full resync from master')).toBe(0)
  })

  check('WAIT counts replicas that have acknowledged', async () => {
    const primary = await nodes.start(primaryKind)
    expect(await primary.send('WAIT', '0', '100')).toBe(0)
    const replica = await nodes.start(replicaKind, { replicaof: `127.0.0.1 ${primary.port}` })
    await untilInSync(primary, replica)
    for (let i = 0; i < 10; i++) {
      await primary.send('SET', 'key', String(i))
      expect(await primary.send('WAIT', '1', '5000')).toBe(1)
      expect(await replica.send('GET', 'key')).toBe(String(i))
    }
    expect(await primary.send('WAIT', '2', '50')).toBe(1)
    expect(await replica.send('WAIT', '1', '50')).toBeInstanceOf(Error)
  })

  check('a replica refuses writes, and leaves the removal of expired keys to its primary', async () => {
    const primary = await nodes.start(primaryKind)
    const replica = await nodes.start(replicaKind, { replicaof: `127.0.0.1 ${primary.port}` })
    await untilInSync(primary, replica)
    expect(String(await replica.send('SET', 'a', 'b'))).toContain(
      "READONLY You can't write against a read only replica.",
    )
    await primary.send('SET', 'short', 'lived', 'PX', '60')
    await untilInSync(primary, replica)
    await until(async () => (await replica.send('GET', 'short')) === null)
    expect(await primary.send('GET', 'short')).toBe(null)
    await untilInSync(primary, replica)
    expect(await replica.send('DBSIZE')).toBe(0)
  })
})

const chains: [NodeKind, NodeKind, NodeKind][] = [
  ['ours', 'ours', 'ours'],
  ['redis', 'ours', 'redis'],
  ['ours', 'redis', 'ours'],
]

describe.each(chains)('chain of %s, %s, %s', (...kinds) => {
  // Without redis-server there is no second kind; CI must have it.
  const check = test.skipIf(needsRedis(...kinds))

  check('all hold the same at the same offset, also when the middle one is promoted', async () => {
    const top = await nodes.start(kinds[0])
    await write(top, 0, 30)
    const middle = await nodes.start(kinds[1], { replicaof: `127.0.0.1 ${top.port}` })
    await untilInSync(top, middle)
    const last = await nodes.start(kinds[2], { replicaof: `127.0.0.1 ${middle.port}` })
    await untilInSync(middle, last)
    await top.send('SELECT', '2')
    await write(top, 30, 30)
    await untilInSync(top, middle)
    await untilInSync(top, last)
    expect(await contents(last, [0, 2])).toEqual(await contents(top, [0, 2]))

    await top.kill()
    await middle.send('REPLICAOF', 'NO', 'ONE')
    await middle.send('SELECT', '2')
    await write(middle, 60, 10)
    await untilInSync(middle, last)
    expect(await contents(last, [0, 2])).toEqual(await contents(middle, [0, 2]))
    expect(logged(last, 'Full resync from master')).toBe(1)
  })
})
