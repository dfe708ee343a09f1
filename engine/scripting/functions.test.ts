/** Functions answer as redis-server's do, and travel: by DUMP, in RDB files, to replicas of both kinds. */
import { afterEach, expect, test } from 'vitest'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'
import { type NodeKind, TestNodes, until } from '../testing/nodes.ts'
import { PlainConnection } from '../testing/redis-server.ts'

const library = `#!lua name=lib
local function add(keys, args) return redis.call('incrby', keys[1], args[1]) end
redis.register_function('add', add)
redis.register_function{function_name='peek', callback=function(keys) return redis.call('get', keys[1]) end,
  flags={'no-writes'}, description='looks'}`

const load = (code: string): Words => ['FUNCTION', 'LOAD', `#!lua name=tried\n${code}`]

againstRedis('functions', () => {
  const pair = usePair()

  test('libraries that are refused, each with its error', async () => {
    const heads = ['return 1', '#!lua\nx', '#!lua name=bad-name\nx', '#!js name=l\nx', '#!lua name=l foo=bar\nx', '']
    const more = [
      '#!lua name=l name=m\nx',
      '#!lua name=l\nx x',
      '#!lua name=l\nreturn 1',
      '#!lua name=\nx',
      '#!lua name=l',
    ]
    const bodies = [
      "error('boo')",
      "redis.call('ping')",
      'x=1',
      'local x = _G',
      'local x = redis.setresp',
      'redis.register_function()',
      "redis.register_function('a')",
      "redis.register_function('a',1)",
      "redis.register_function('a',1,2)",
      'redis.register_function({},function() end)',
      "redis.register_function('a-b',function() end)",
      "redis.register_function('a',function() end) redis.register_function('a',function() end)",
      "redis.register_function{function_name='f1'}",
      'redis.register_function{callback=function() end}',
      "redis.register_function{function_name='q',callback=function() end,flags={'bad'}}",
      "redis.register_function{function_name='q',callback=function() end,flags={5}}",
      "redis.register_function{function_name='q',callback=function() end,flags='x'}",
      "redis.register_function{function_name='q',callback=function() end,nope=5}",
      'redis.register_function{function_name={},callback=function() end}',
      "redis.register_function{function_name='q',callback=5}",
      'redis.register_function{5}',
      'redis.log(redis.LOG_NOTICE)',
      'while true do end',
    ]
    await pair().same([
      ['FUNCTION', 'FLUSH'],
      ...[...heads, ...more].map((text): Words => ['FUNCTION', 'LOAD', text]),
      ...bodies.map(load),
      ['FUNCTION', 'LOAD', 'foo', 'x'],
      ['FUNCTION', 'LOAD', 'REPLACE', 'x', 'y'],
      ['FUNCTION', 'LIST'],
    ])
  })

  test('libraries are loaded, listed, called, replaced and deleted', async () => {
    await pair().same([
      ['FUNCTION', 'FLUSH'],
      ['FUNCTION', 'LOAD', library],
      ['FUNCTION', 'LOAD', library],
      ['FUNCTION', 'LIST', 'LIBRARYNAME', 'none'],
      ['FUNCTION', 'LIST', 'LIBRARYNAME'],
      ['FUNCTION', 'LIST', 'NOPE'],
      ['FUNCTION', 'LIST', 'WITHCODE', 'WITHCODE'],
      ['FUNCTION', 'STATS'],
      ['FCALL', 'add', '1', 'k', '5'],
      ['FCALL', 'add', '1', 'k', 'x'],
      ['FCALL', 'peek', '1', 'k'],
      ['FCALL_RO', 'peek', '1', 'k'],
      ['FCALL_RO', 'add', '1', 'k', '5'],
      ['FCALL', 'nope', '0'],
      ['FCALL', 'add', 'x'],
      ['FCALL', 'add', '3', 'a'],
      ['FCALL', 'add', '-1'],
      ['EVAL', "return redis.call('fcall','add',1,'k',1)", '0'],
      ['FUNCTION', 'LOAD', "#!lua name=other\nredis.register_function('add',function() end)"],
      ['FUNCTION', 'LOAD', 'REPLACE', '#!lua name=lib\nbad bad'],
      ['FCALL', 'peek', '1', 'k'],
      ['FUNCTION', 'LOAD', 'REPLACE', "#!LUA name=lib\nredis.register_function(1,function() return {'new'} end)"],
      ['FUNCTION', 'LIST', 'LIBRARYNAME', 'L*', 'WITHCODE'],
      ['FCALL', '1', '0'],
      ['FCALL', 'peek', '1', 'k'],
      ['FUNCTION', 'DELETE', 'nope'],
      ['FUNCTION', 'DELETE', 'lib'],
      ['FUNCTION', 'LIST'],
      ['FUNCTION', 'KILL'],
      ['FUNCTION', 'FLUSH', 'NOW'],
      ['FUNCTION', 'FLUSH', 'SYNC', 'x'],
      ['FUNCTION', 'HELP'],
      ['COMMAND', 'INFO', 'fcall', 'fcall_ro'],
      ['COMMAND', 'DOCS', 'fcall', 'fcall_ro'],
      ['COMMAND', 'GETKEYS', 'FCALL', 'x', '1', 'a', 'b'],
    ])
  })

  test('what a function can see', async () => {
    const bodies = [
      "error('in')",
      'return redis.register_function',
      'return KEYS',
      'x = 1',
      'return redis.replicate_commands()',
      "return redis.call('nope')",
      'local t={} for k in pairs(redis) do t[#t+1]=k end table.sort(t) return t',
      'local t={} for k in pairs(_G) do t[#t+1]=k end table.sort(t) return t',
      "return rawget(_G,'redis') == nil",
      "return redis.register_function('uu',function() end)",
      'return {...}',
      'return pcall(error, 1)',
      'return cjson.encode({1})',
    ]
    const functions = bodies.map((body, i) => `redis.register_function('f${i}', function(...) ${body} end)`)
    await pair().same([
      ['FUNCTION', 'FLUSH'],
      ['FUNCTION', 'LOAD', `#!lua name=see\n${functions.join('\n')}`],
      ...bodies.map((_, i): Words => ['FCALL', `f${i}`, '0']),
    ])
  })

  test('a dump is the same bytes, and is restored by its policies', async () => {
    const both = await pair().session()
    try {
      for (const connection of [both.redis, both.engine]) {
        await connection.send('FUNCTION', 'FLUSH')
        await connection.send('FUNCTION', 'LOAD', library)
      }
      const ask = async (...words: string[]): Promise<string> => {
        const [redis, engine] = await Promise.all([both.redis.send(...words), both.engine.send(...words)])
        expect(engine).toBe(redis)
        return engine
      }
      const dumped = await ask('FUNCTION', 'DUMP')
      const payload = Buffer.from(dumped.slice(dumped.indexOf('\r\n') + 2, -2), 'latin1')
      const restore = async (...words: (string | Buffer)[]): Promise<string> => {
        const [redis, engine] = await Promise.all([
          both.redis.send('FUNCTION', 'RESTORE', ...words),
          both.engine.send('FUNCTION', 'RESTORE', ...words),
        ])
        expect(engine).toBe(redis)
        return engine
      }
      expect(await restore(payload)).toContain('already exists')
      await restore(payload, 'REPLACE')
      await restore(payload, 'FLUSH')
      await restore(payload, 'SOMETIMES')
      await restore(payload, 'FLUSH', 'x')
      await restore(payload.subarray(1))
      await restore('garbage')
      await ask('FUNCTION', 'FLUSH')
      expect(await restore(payload, 'APPEND')).toBe('+OK\r\n')
      await ask('FCALL', 'peek', '1', 'none')
      await ask('FUNCTION', 'LIST', 'LIBRARYNAME', 'none')
    } finally {
      both.redis.close()
      both.engine.close()
    }
  })
})

againstRedis('functions on their way', () => {
  const nodes = new TestNodes()
  afterEach(() => nodes.stopAll())

  const kinds: readonly (readonly [NodeKind, NodeKind])[] = [
    ['ours', 'ours'],
    ['ours', 'redis'],
    ['redis', 'ours'],
  ]
  test.each(kinds)('functions and effects of scripts go from %s to a replica that is %s', async (from, to) => {
    const primary = await nodes.start(from)
    await primary.send('FUNCTION', 'LOAD', library)
    const replica = await nodes.start(to)
    await replica.send('REPLICAOF', '127.0.0.1', String(primary.port))
    const calls = async () => String(await replica.send('FUNCTION', 'LIST')).includes('peek')
    await until(calls, () => 'the library never came with the full resynchronisation')
    await primary.send('FUNCTION', 'LOAD', "#!lua name=late\nredis.register_function('late', function() return 7 end)")
    await primary.send('EVAL', "redis.call('set','a',1) redis.call('select',3) return redis.call('incr','b')", '0')
    await primary.send('FCALL', 'add', '1', 'n', '5')
    await until(async () => (await replica.send('GET', 'n')) === '5')
    expect(await replica.send('GET', 'a')).toBe('1')
    expect(await replica.send('FCALL', 'peek', '1', 'n')).toBe('5')
    const refused = await replica.send('FCALL', 'late', '0')
    expect(refused).toEqual(new Error("READONLY You can't write against a read only replica."))
    const connection = await PlainConnection.open(replica.port)
    await connection.send('SELECT', '3')
    expect(await connection.send('GET', 'b')).toBe('1')
    connection.close()
    const script = '#!lua\nreturn 1'
    expect(String(await replica.send('EVAL', script, '0'))).toContain("READONLY You can't write")
    expect(String(await replica.send('EVAL', "return redis.call('set','a',2)", '0'))).toContain('READONLY You can')
  })

  test('an RDB file keeps functions, from us to redis-server and back', async () => {
    const ours = await nodes.start('ours', { dbfilename: 'f.rdb' })
    await ours.send('FUNCTION', 'LOAD', library)
    await ours.send('SAVE')
    const { directory } = ours
    await ours.kill()
    const redis = await nodes.start('redis', { dir: directory, dbfilename: 'f.rdb' })
    expect(await redis.send('FCALL', 'add', '1', 'n', '5')).toBe(5)
    await redis.send('SAVE')
    await redis.kill()
    const again = await nodes.start('ours', { dir: directory, dbfilename: 'f.rdb' })
    expect(await again.send('FCALL', 'peek', '1', 'n')).toBe('5')
  })
})
