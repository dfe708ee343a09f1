/** FAILOVER and SHUTDOWN: a primary that leaves its role without losing anything, among servers of both kinds. */
import { afterEach, describe, expect, test } from 'vitest'
import { againstRedis, usePair } from '../testing/differential.ts'
import { infoField, type NodeKind, type TestNode, TestNodes, until, untilInSync } from '../testing/nodes.ts'
import { PlainConnection } from '../testing/redis-server.ts'

const nodes = new TestNodes()
afterEach(() => nodes.stopAll())

const pairs: [primary: NodeKind, replica: NodeKind][] = [
  ['ours', 'ours'],
  ['redis', 'ours'],
  ['ours', 'redis'],
]

async function replicated(
  primaryKind: NodeKind,
  replicaKind: NodeKind,
): Promise<{ primary: TestNode; replica: TestNode }> {
  const primary = await nodes.start(primaryKind, { 'enable-debug-command': 'yes' })
  const replica = await nodes.start(replicaKind, {
    replicaof: `127.0.0.1 ${primary.port}`,
    'enable-debug-command': 'yes',
  })
  await primary.send('SET', 'a', '1')
  await untilInSync(primary, replica)
  // In sync by what it serves; to its primary it is online from its first acknowledgement on.
  await until(async () => (await infoField(primary, 'replication', 'slave0'))?.includes('state=online') === true)
  return { primary, replica }
}

const state = (node: TestNode) => infoField(node, 'replication', 'master_failover_state')

/** Nothing answers on this replica for a while, so that it falls behind. */
async function stall(replica: TestNode, seconds: number): Promise<void> {
  void replica.send('DEBUG', 'SLEEP', String(seconds)).catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, 50))
}

againstRedis('FAILOVER', () => {
  describe.each(pairs)('from %s to %s', (primaryKind, replicaKind) => {
    test('exchanges the roles, with a partial resync, and clients that waited are sent on', async () => {
      const { primary, replica } = await replicated(primaryKind, replicaKind)
      expect(await primary.send('FAILOVER', 'TO', '127.0.0.1', String(replica.port), 'TIMEOUT', '10000')).toBe('OK')
      await until(
        async () =>
          (await infoField(primary, 'replication', 'role')) === 'slave' && (await state(primary)) === 'no-failover',
        () => `${primary.log()}\n---\n${replica.log()}`,
      )
      expect(await infoField(replica, 'replication', 'role')).toBe('master')
      await replica.send('SET', 'b', '2')
      await untilInSync(replica, primary)
      expect(await primary.send('MGET', 'a', 'b')).toEqual(['1', '2'])
      expect(await infoField(replica, 'stats', 'sync_partial_ok')).toBe('1')
      expect(String(await primary.send('SET', 'c', '3'))).toContain('READONLY')
    })
  })

  const kinds: NodeKind[] = ['ours', 'redis']
  test.each(kinds)('of %s waits for the replica, refuses a second one, and can be aborted', async (kind) => {
    const { primary, replica } = await replicated(kind, 'redis')
    await stall(replica, 2)
    await primary.send('SET', 'b', '2')
    expect(await primary.send('FAILOVER')).toBe('OK')
    expect(await state(primary)).toBe('waiting-for-sync')
    expect(String(await primary.send('FAILOVER'))).toContain('FAILOVER already in progress.')
    expect(String(await primary.send('REPLICAOF', 'localhost', '1'))).toContain(
      'REPLICAOF not allowed while failing over.',
    )
    expect(await primary.send('FAILOVER', 'ABORT')).toBe('OK')
    expect(await state(primary)).toBe('no-failover')
    expect(await primary.send('SET', 'c', '3')).toBe('OK')
    await untilInSync(primary, replica)
  })

  test.each(kinds)('of %s gives up when its time is up, or goes on with FORCE', async (kind) => {
    const { primary, replica } = await replicated(kind, 'redis')
    await stall(replica, 1)
    await primary.send('SET', 'b', '2')
    expect(await primary.send('FAILOVER', 'TIMEOUT', '200')).toBe('OK')
    await until(async () => (await state(primary)) === 'no-failover')
    expect(await infoField(primary, 'replication', 'role')).toBe('master')
    expect(primary.log()).toContain('Replica never caught up before timeout')
    await untilInSync(primary, replica)
    await stall(replica, 1)
    await primary.send('SET', 'c', '3')
    const to = ['TO', '127.0.0.1', String(replica.port)]
    expect(await primary.send('FAILOVER', ...to, 'TIMEOUT', '200', 'FORCE')).toBe('OK')
    await until(async () => (await infoField(replica, 'replication', 'role')) === 'master')
    await untilInSync(replica, primary)
    expect(await primary.send('GET', 'c')).toBe(await replica.send('GET', 'c'))
  })

  test.each(kinds)('SHUTDOWN of %s waits for lagging replicas, and can be aborted', async (kind) => {
    const { primary, replica } = await replicated(kind, 'redis')
    await stall(replica, 2)
    await primary.send('SET', 'b', '2')
    const other = await PlainConnection.open(primary.port)
    const asked = other.send('SHUTDOWN')
    await until(async () => primary.log().includes('Waiting for replicas before shutting down.'))
    expect(Number(await infoField(primary, 'server', 'shutdown_in_milliseconds'))).toBeGreaterThan(0)
    expect(await primary.send('SHUTDOWN', 'ABORT')).toBe('OK')
    expect(String(await asked)).toContain('Errors trying to SHUTDOWN. Check logs.')
    expect(await primary.send('SET', 'c', '3')).toBe('OK')
    expect(String(await primary.send('SHUTDOWN', 'ABORT'))).toContain('No shutdown in progress.')
    await untilInSync(primary, replica)
    void primary.send('SHUTDOWN', 'NOSAVE').catch(() => {})
    await until(
      async () => primary.log().includes('ready to exit, bye bye'),
      () => primary.log(),
    )
    expect(primary.log()).toContain('1 of 1 replicas are in sync when shutting down.')
    other.close()
    await primary.kill()
    expect(await replica.send('GET', 'c')).toBe('3')
  })

  const pair = usePair()
  test('and SHUTDOWN refuse as redis-server does', async () => {
    await pair().same([
      ['FAILOVER'],
      ['FAILOVER', 'ABORT'],
      ['FAILOVER', 'FOO'],
      ['FAILOVER', 'TIMEOUT'],
      ['FAILOVER', 'TIMEOUT', '0'],
      ['FAILOVER', 'TIMEOUT', 'x'],
      ['FAILOVER', 'TO', 'a'],
      ['FAILOVER', 'TO', 'a', 'x'],
      ['FAILOVER', 'TO', 'a', '1', 'TO', 'b', '2'],
      ['FAILOVER', 'FORCE'],
      ['FAILOVER', 'FORCE', 'FORCE'],
      ['PSYNC', '0'.repeat(40), '1', 'FAILOVER'],
      ['SHUTDOWN', 'FOO'],
      ['SHUTDOWN', 'SAVE', 'NOSAVE'],
      ['SHUTDOWN', 'ABORT'],
      ['SHUTDOWN', 'ABORT', 'NOW'],
    ])
  })
})
