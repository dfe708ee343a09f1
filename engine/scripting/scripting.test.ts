/** Scripts answer as redis-server's do: conversions in both protocols, errors with their places, sandbox, libraries. */
import { expect, test } from 'vitest'
import { type AllowedDifference, againstRedis, usePair, type Words } from '../testing/differential.ts'
import { coroutinesAndErrors, languageAndConversions, redisLibrary, sandbox } from './testing/scripts.ts'

const addresses: AllowedDifference = { pattern: /0x[0-9a-f]+/g, replace: '0x', reason: 'addresses in memory differ' }

function evals(table: string): Words[] {
  const scripts = table.split('\n').filter((line) => line !== '')
  return scripts.map((script) => ['EVAL', script.replaceAll('\\n', '\n'), '0'])
}

againstRedis('scripts', () => {
  const pair = usePair({ settings: { 'busy-reply-threshold': '60000' } })

  test('the language, its errors and the conversion of results', async () => {
    await pair().same(evals(languageAndConversions), [addresses])
  })

  test('the sandbox: what can be seen and changed', async () => {
    await pair().same(evals(sandbox), [addresses])
  })

  test('the redis library: calls, conversions of replies, errors', async () => {
    await pair().same(evals(redisLibrary), [addresses])
  })

  test('pcall, xpcall and coroutines, which are not those of Lua here', async () => {
    await pair().same(evals(coroutinesAndErrors), [addresses])
  })

  test('keys and arguments arrive, binary ones too', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    await pair().same([
      ['EVAL', 'return {KEYS[1],KEYS[2],ARGV[1],#ARGV}', '2', 'a', 'b', 'c', 'd'],
      ['EVAL', 'redis.call("set",KEYS[1],ARGV[1]) return redis.call("get",KEYS[1])', '1', bytes, bytes],
      ['EVAL', 'return 1', 'x'],
      ['EVAL', 'return 1', '-1'],
      ['EVAL', 'return 1', '2', 'a'],
      ['EVAL', 'return 1', '99999999999999999999'],
      ['EVAL', 'return 1'],
      ['EVALSHA', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '0'],
      ['EVAL', 'return 1', '0'],
      ['EVALSHA', 'E0E1F9FABFC9D4800C877A703B823AC0578FF8DB', '0'],
      ['EVALSHA_RO', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db', '0'],
      ['EVALSHA', 'short', '0'],
      ['EVAL_RO', 'return redis.call("set","a","b")', '0'],
      ['EVAL_RO', 'return redis.call("publish","a","b")', '0'],
      ['EVAL_RO', 'return redis.call("get","a")', '0'],
    ])
  })

  test('what a script says about itself in its first line', async () => {
    const bodies = [
      '#!lua\nreturn 1',
      '#!lua flags=no-writes\nreturn redis.call("set","a",1)',
      '#!lua flags=no-writes,allow-oom\nreturn 1',
      '#!lua flags=no-writes flags=allow-oom\nreturn 1',
      '#!lua flags=\nreturn 1',
      '#!lua flags=foo\nreturn 1',
      '#!lua flags=no-writes,\nreturn 1',
      '#!lua bar\nreturn 1',
      '#!lua name=foo\nreturn 1',
      '#!foo\nreturn 1',
      '#!\nreturn 1',
      '#!lua',
      '#!lua "x\nreturn 1',
      "#!lua\nerror('x')",
      '#!lua flags=allow-cross-slot-keys,no-cluster,allow-stale\nreturn redis.call("set","a",1)',
    ]
    await pair().same(
      bodies.flatMap((body) => [
        ['EVAL', body, '0'],
        ['EVAL_RO', body, '0'],
      ]),
    )
  })

  test('SCRIPT keeps, finds and forgets scripts', async () => {
    await pair().same([
      ['SCRIPT', 'FLUSH'],
      ['SCRIPT', 'LOAD', 'return 42'],
      ['SCRIPT', 'EXISTS', '1fa00e76656cc152ad327c13fe365858fd7be306', 'nope'],
      ['EVALSHA', '1fa00e76656cc152ad327c13fe365858fd7be306', '0'],
      ['SCRIPT', 'LOAD', 'not Lua'],
      ['SCRIPT', 'LOAD', '\x1bLua'],
      ['SCRIPT', 'FLUSH', 'ASYNC'],
      ['SCRIPT', 'FLUSH', 'SYNC'],
      ['SCRIPT', 'FLUSH', 'NOW'],
      ['SCRIPT', 'FLUSH', 'SYNC', 'x'],
      ['EVALSHA', '1fa00e76656cc152ad327c13fe365858fd7be306', '0'],
      ['SCRIPT', 'KILL'],
      ['SCRIPT', 'HELP'],
      ['SCRIPT', 'NOPE'],
      ['COMMAND', 'INFO', 'eval', 'evalsha', 'eval_ro', 'evalsha_ro'],
      ['COMMAND', 'DOCS', 'eval', 'evalsha', 'eval_ro', 'evalsha_ro'],
      ['COMMAND', 'GETKEYS', 'EVAL', 'return 1', '2', 'a', 'b', 'c'],
      ['COMMAND', 'GETKEYS', 'EVAL', 'return 1', '0', 'c'],
    ])
  })

  test('errors are counted once, as those of the command that failed', async () => {
    const script = `
      redis.pcall('incr', 'text')
      redis.pcall('nope')
      redis.pcall('set', 'x')
      redis.pcall('eval', 'x', 0)
      redis.call('get', 'text')
      return redis.call('lpush', 'text', 1)`
    const [redis, engine] = await pair().replies(
      [
        ['SET', 'text', 'x'],
        ['CONFIG', 'RESETSTAT'],
        ['EVAL', script, '0'],
        ['EVAL', 'error("mine")', '0'],
        ['EVAL', 'return {err="OWN error"}', '0'],
        ['INFO', 'errorstats'],
        ['INFO', 'commandstats'],
      ],
      '2',
    )
    const level = (replies: Buffer[]) =>
      replies
        .map((reply) => reply.toString('latin1').replace(/usec=\d+,usec_per_call=[\d.]+/g, ''))
        .map((text) =>
          text
            .split('\r\n')
            .filter((line) => !/^(\$|cmdstat_(info|config))/.test(line))
            .sort(),
        )
    expect(level(engine)).toEqual(level(redis))
  })
})
