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

// Redis looks at its sockets from inside of Lua's hook; Node cannot. Such code is ended by an error after ten times the
// threshold, wherever it hides, and the script can be killed again.
test.each([
  'table.sort({1, 2, 3}, function() while true do end end)',
  'string.gsub("abc", "b", function() while true do end end)',
  'local t = setmetatable({}, {__index = function() while true do end end}) return t.x',
  'local t = setmetatable({}, {__lt = function() while true do end end}) return t < t',
  'for x in function() while true do end end do end',
  'load(function() while true do end end)',
  'pcall(table.sort, {1, 2, 3}, function() while true do end end)',
  'table.sort({1, 2}, function() while true do pcall(function() while true do end end) end end)',
  'table.sort({1, 2}, function() while true do xpcall(function() while true do end end, function() while true do end end) end end)',
  'table.sort({1, 2}, function() local c = coroutine.create(function() while true do end end) while true do coroutine.resume(c) c = coroutine.create(function() while true do end end) end end)',
  'table.sort({1, 2}, function() while true do pcall(coroutine.wrap(function() while true do end end)) end end)',
  'while true do pcall(table.sort, {1, 2, 3}, function() while true do end end) end',
  'xpcall(error, function() while true do end end)',
])('an endless %s does not hold the server for ever', async (script) => {
  const node = await nodes.start('ours', { 'busy-reply-threshold': '20' })
  const runner = await PlainConnection.open(node.port)
  connections.push(runner)
  let isOver = false
  const ended = runner.send('EVAL', /^while|return/.test(script) ? script : `${script} while true do end`, '0')
  void ended.then(() => {
    isOver = true
  })
  await until(async () => isOver || (await node.send('SCRIPT', 'KILL')) === 'OK')
  expect(text(await ended)).toMatch(/Script ran for too long where it cannot be interrupted|Script killed by user/)
  expect(text(await runner.send('EVAL', 'local t = {3, 1, 2} table.sort(t) return t', '0'))).toBe('1,2,3')
  expect(text(await node.send('SET', 'a', '1'))).toBe('OK')
})

test('an error says where a comparator ran for too long, and what it has written before stays', async () => {
  const node = await nodes.start('ours', { 'busy-reply-threshold': '20' })
  const script = 'redis.call("SET", "a", "1")\ntable.sort({1, 2, 3}, function() while true do end end)'
  expect(text(await node.send('EVAL', script, '0'))).toMatch(
    /^ERR Script ran for too long where .* script: [0-9a-f]{40}, on @user_script:2\.$/,
  )
  expect(await node.send('GET', 'a')).toBe('1')
  const library =
    "#!lua name=slow\nredis.register_function('slow', function() string.gsub('a', 'a', function() while true do end end) end)"
  await node.send('FUNCTION', 'LOAD', library)
  expect(text(await node.send('FCALL', 'slow', '0'))).toContain('Script ran for too long')
})

test('a long sort below the limit ends as it would in Redis', async () => {
  // Half a second to a second of work: above the threshold, and far from ten times that on a busy machine too.
  const node = await nodes.start('ours', { 'busy-reply-threshold': '500' })
  const script = `local t = {} for i = 1, 120000 do t[i] = i * 7919 % 20011 end
    table.sort(t, function(a, b) for i = 1, 20 do end return a < b end)
    for i = 2, #t do if t[i - 1] > t[i] then return i end end return 'sorted'`
  expect(await node.send('EVAL', script, '0')).toBe('sorted')
})
