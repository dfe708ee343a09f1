/** Slow scripts: others are told BUSY, KILL ends what has not written, and effects go out as one. */
import { afterEach, expect, test } from 'vitest'
import { againstRedis } from '../testing/differential.ts'
import { type NodeKind, TestNodes, until } from '../testing/nodes.ts'
import { PlainConnection } from '../testing/redis-server.ts'

const nodes = new TestNodes()
const connections: PlainConnection[] = []
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close()
  await nodes.stopAll()
})

async function startBusy(kind: NodeKind) {
  const node = await nodes.start(kind, { 'busy-reply-threshold': '50' })
  const runner = await PlainConnection.open(node.port)
  connections.push(runner)
  const isBusy = async () => String(await node.send('GET', 'k')).includes('BUSY')
  return { node, runner, untilBusy: () => until(isBusy, () => 'nobody was told BUSY') }
}

const text = (reply: unknown) => (reply instanceof Error ? reply.message : String(reply))

/** What a client sees around an endless script, replies only. */
async function kill(kind: NodeKind, script: string): Promise<string[]> {
  const { node, runner, untilBusy } = await startBusy(kind)
  const ended = runner.send('EVAL', script, '0')
  await untilBusy()
  const seen = [
    text(await node.send('PING')),
    text(await node.send('SET', 'a', '1')),
    text(await node.send('FUNCTION', 'STATS')),
    text(await node.send('FUNCTION', 'KILL')),
    text(await node.send('SHUTDOWN', 'SAVE')),
    text(await node.send('MULTI')),
    text(await node.send('DISCARD')),
    text(await node.send('SCRIPT', 'KILL')),
    text(await ended),
    text(await node.send('PING')),
    text(await node.send('SCRIPT', 'KILL')),
    text(await runner.send('EVAL', 'return 7', '0')),
  ]
  return seen
}

againstRedis('slow scripts, beside redis-server', () => {
  test.each([
    'while true do end',
    'while true do pcall(function() while true do end end) end',
    'local co = coroutine.wrap(function() while true do end end) co()',
    'while true do redis.pcall("get", "x") end',
  ])('%s is killed', async (script) => {
    expect(await kill('ours', script)).toEqual(await kill('redis', script))
  })

  test('a function is killed by FUNCTION KILL only', async () => {
    const seen: string[][] = []
    for (const kind of ['ours', 'redis'] as const) {
      const { node, runner, untilBusy } = await startBusy(kind)
      const library = "#!lua name=slow\nredis.register_function('slow', function() while true do end end)"
      await node.send('FUNCTION', 'LOAD', library)
      const ended = runner.send('FCALL', 'slow', '0')
      await untilBusy()
      const stats = text(await node.send('FUNCTION', 'STATS')).replace(/duration_ms,\d+/, 'duration_ms')
      seen.push([
        stats,
        text(await node.send('PING')),
        text(await node.send('SCRIPT', 'KILL')),
        text(await node.send('FUNCTION', 'KILL')),
        text(await ended),
      ])
    }
    expect(seen[0]).toEqual(seen[1])
  })
})

test('a slow script that has written cannot be killed, and reaches replicas as one transaction', async () => {
  const { node, runner, untilBusy } = await startBusy('ours')
  const replica = await nodes.start('ours')
  await replica.send('REPLICAOF', '127.0.0.1', String(node.port))
  await until(async () => text(await replica.send('INFO', 'replication')).includes('master_link_status:up'))
  const script =
    "redis.call('set','a','1') local n = 0 while n < 6e7 do n = n + 1 end redis.call('set','b','2') return n"
  const ended = runner.send('EVAL', script, '0')
  await untilBusy()
  expect(text(await node.send('SCRIPT', 'KILL'))).toContain('UNKILLABLE')
  expect(await replica.send('GET', 'a')).toBe(null)
  expect(await ended).toBe(60_000_000)
  await until(async () => (await replica.send('GET', 'b')) === '2')
  expect(await replica.send('GET', 'a')).toBe('1')
})

test('a slow script inside MULTI: the rest of the transaction runs after it, and waiting clients after both', async () => {
  const { node, runner, untilBusy } = await startBusy('ours')
  const waiter = await PlainConnection.open(node.port)
  connections.push(waiter)
  const popped = waiter.send('BLPOP', 'list', '0')
  await runner.send('MULTI')
  await runner.send('RPUSH', 'list', 'x')
  await runner.send('EVAL', 'local n = 0 while n < 6e7 do n = n + 1 end return n', '0')
  await runner.send('RPUSH', 'list', 'y')
  const executed = runner.send('EXEC')
  await untilBusy()
  expect(await executed).toEqual([1, 60_000_000, 2])
  expect(await popped).toEqual(['list', 'x'])
  expect(await runner.send('LRANGE', 'list', '0', '-1')).toEqual(['y'])
})
