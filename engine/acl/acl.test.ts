/** ACL against redis-server: rules and their texts, permissions in every place that asks, the log, files. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { againstRedis, type RawConnection, usePair, type Words } from '../testing/differential.ts'

const hash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

/** Redis prints single commands in the order of its hash table, which differs from process to process. */
const anyOrder = {
  command: 'acl',
  pattern: /(?:\$\d+\r\n(?:user )?[^\r]*|)[-+]@all[^()\r\n]*/g,
  replace: (rules: string) =>
    rules
      .replace(/^\$\d+/, '$')
      .split(' ')
      .filter((rule) => rule !== '')
      .sort()
      .join(' '),
  reason: 'order of single commands',
}

/** Parts of the log that are each server's own. */
const clientLines = [
  { command: 'acl log', pattern: /\$\d+\r\nid=[^\r]*\r\n/g, replace: '(client)', reason: 'numbers, ports and sizes' },
  {
    command: 'acl log',
    pattern: /age-seconds\r\n(?:\$\d+\r\n|,)[\d.e-]+\r\n/g,
    replace: '(age)',
    reason: 'time passes',
  },
]

againstRedis('ACL answers as redis-server 7.0 does', () => {
  const pair = usePair()

  test('rules, their texts and their mistakes', async () => {
    const rules: Words[] = [
      ['+get', '-@all', '+set', '+@read', '-get'],
      ['+@all', '-get', '+config|get', '~x*', '%R~y', '&c', '(+get ~z)', '>pw', 'on'],
      ['-config'],
      ['+select|0', '+get|x', '+GET|Y'],
      ['+config|get', '+config|set', '-config|set', '+config'],
      ['+config|foo'],
      ['+config|get|x'],
      ['-get|x'],
      ['+get|'],
      ['+'],
      ['-'],
      ['+@foo'],
      ['+@'],
      ['foo'],
      [''],
      ['(foo)'],
      ['(+get', '~a)'],
      ['(+get'],
      ['(+get', ')'],
      ['clearselectors', '(+get)', '(~x', '+set)'],
      ['%W'],
      ['%'],
      ['%X~a'],
      ['%~a'],
      ['%RR~a'],
      ['%rw~a', '%W~b', '%R~b', '%RW~*'],
      ['~a b'],
      ['allkeys', '~x'],
      ['resetkeys', '~x', '~x', '~y'],
      ['allchannels', '&x'],
      ['resetchannels', '&x', '&x'],
      ['>a', '>a', '>b', '<a'],
      ['<nosuch'],
      [`#${hash}`],
      [`!${hash}`],
      [`!${hash}`],
      ['#foo'],
      [`#${hash.toUpperCase()}`],
      ['nopass'],
      ['resetpass'],
      ['ON', 'NOPASS', 'ALLKEYS', 'AllCommands'],
      ['NoCommands', 'off'],
      ['skip-sanitize-payload'],
      ['sanitize-payload'],
      ['+@all', '-@dangerous', '+@fast', '-@slow'],
      ['reset'],
    ]
    const commands = rules.flatMap((words): Words[] => [
      ['ACL', 'SETUSER', 'u', ...words],
      ['ACL', 'GETUSER', 'u'],
      ['ACL', 'LIST'],
    ])
    await pair().same([['ACL', 'DELUSER', 'u'], ...commands], [anyOrder])
  })

  test('names, passwords, categories and dry runs', async () => {
    const categories = ['read', 'write', 'scripting', 'pubsub', 'dangerous', 'connection', 'nosuch']
    await pair().same([
      ['ACL', 'DELUSER', 'u', 'v'],
      ['ACL', 'WHOAMI'],
      ['ACL', 'USERS'],
      ['ACL', 'SETUSER', 'a b'],
      ['ACL', 'SETUSER', 'v\0'],
      ['ACL', 'SETUSER'],
      ['ACL', 'GETUSER', 'nosuch'],
      ['ACL', 'DELUSER', 'default'],
      ['ACL', 'DELUSER', 'nosuch'],
      ['ACL', 'CAT'],
      ['ACL', 'CAT', 'nosuch'],
      ['ACL', 'GENPASS', 'x'],
      ['ACL', 'GENPASS', '0'],
      ['ACL', 'GENPASS', '4097'],
      ['ACL', 'SAVE'],
      ['ACL', 'LOAD'],
      ['ACL', 'nosuch'],
      ['ACL', 'LOG', 'x'],
      [
        'ACL',
        'SETUSER',
        'u',
        'on',
        '+get',
        '+mset',
        '~x',
        '%R~r',
        '%W~w',
        '+subscribe',
        '+psubscribe',
        '&c*',
        '(+set ~s)',
      ],
      ['ACL', 'DRYRUN', 'nosuch', 'get', 'x'],
      ['ACL', 'DRYRUN', 'u', 'nosuch'],
      ['ACL', 'DRYRUN', 'u', 'get'],
      ['ACL', 'DRYRUN', 'u', 'get', 'x'],
      ['ACL', 'DRYRUN', 'u', 'get', 'y'],
      ['ACL', 'DRYRUN', 'u', 'get', 'r'],
      ['ACL', 'DRYRUN', 'u', 'get', 'w'],
      ['ACL', 'DRYRUN', 'u', 'set', 'w', '1'],
      ['ACL', 'DRYRUN', 'u', 'set', 's', '1'],
      ['ACL', 'DRYRUN', 'u', 'set', 's', '1', 'GET'],
      ['ACL', 'DRYRUN', 'u', 'mset', 'x', '1', 'r', '2'],
      ['ACL', 'DRYRUN', 'u', 'mset', 'x', '1', 'w', '2'],
      ['ACL', 'DRYRUN', 'u', 'subscribe', 'c', 'd'],
      ['ACL', 'DRYRUN', 'u', 'psubscribe', 'c*'],
      ['ACL', 'DRYRUN', 'u', 'psubscribe', 'c'],
      ['ACL', 'DRYRUN', 'u', 'config|get', 'x'],
      ['ACL', 'DRYRUN', 'u', 'config', 'get', 'x'],
      ['ACL', 'DRYRUN', 'u', 'acl', 'nosuch'],
      ['ACL', 'DELUSER', 'u', 'nosuch'],
    ])
    const both = await pair().session()
    try {
      for (const category of categories.slice(0, -1)) {
        const sorted = async (connection: RawConnection) =>
          (await connection.send('ACL', 'CAT', category)).match(/^(?!function|module|fcall|failover)[a-z].*$/gm)?.sort()
        expect(await sorted(both.engine), category).toEqual(await sorted(both.redis))
      }
      expect(await both.engine.send('ACL', 'GENPASS', '5')).toMatch(/^\$2\r\n[0-9a-f]{2}\r\n$/)
      expect(await both.engine.send('ACL', 'GENPASS')).toMatch(/^\$64\r\n[0-9a-f]{64}\r\n$/)
    } finally {
      both.redis.close()
      both.engine.close()
    }
  })

  test('any sequence of rules gives the same texts and the same permissions', async () => {
    const word = fc.constantFrom(
      ...['+get', '-get', '+set', '+@read', '-@read', '+@all', '-@all', '+config', '-config', '+config|get'],
      ...['-config|get', '+@slow', '-@admin', '+@write', '~a*', '%R~b*', '%W~c*', '~*', 'resetkeys', '&n*', '&*'],
      ...[
        'resetchannels',
        '(+get ~d)',
        '(+@write %W~b* +publish &m)',
        'clearselectors',
        '+eval',
        '+client|id',
        '-client',
      ],
    )
    const probes: Words[] = [
      ...['a', 'b', 'c', 'd'].flatMap((key): Words[] => [
        ['get', key],
        ['set', key, '1'],
        ['getex', key],
        ['lmove', key, 'b', 'left', 'left'],
        ['sort', key, 'store', 'c'],
      ]),
      ['config', 'get', 'x'],
      ['config', 'set', 'x', 'y'],
      ['client', 'id'],
      ['client', 'kill', 'x'],
      ['subscribe', 'n1'],
      ['publish', 'm', 'x'],
      ['psubscribe', 'n*'],
      ['eval', 'x', '1', 'a'],
      ['auth', 'x'],
      ['debug', 'sleep', '0'],
    ]
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 8 }), async (words) => {
        await pair().same(
          [
            ['ACL', 'DELUSER', 'p'],
            ['ACL', 'SETUSER', 'p', 'on', ...words],
            ['ACL', 'GETUSER', 'p'],
            ['ACL', 'LIST'],
            ...probes.map((probe): Words => ['ACL', 'DRYRUN', 'p', ...probe]),
          ],
          [anyOrder],
        )
      }),
      { numRuns: 25 },
    )
  })

  test('permissions are asked for commands, queued commands and scripts, and refusals are logged', async () => {
    await pair().same(
      [
        ['ACL', 'LOG', 'RESET'],
        ['ACL', 'DELUSER', 'u'],
        [
          'ACL',
          'SETUSER',
          'u',
          'on',
          '>pw',
          '~x',
          '&c',
          '+get',
          '+multi',
          '+exec',
          '+eval',
          '+acl',
          '+publish',
          '+hello',
        ],
        ['AUTH', 'u', 'bad'],
        ['AUTH', 'nosuch', 'bad'],
        ['AUTH', 'bad'],
        ['AUTH', 'u', 'pw'],
        ['ACL', 'WHOAMI'],
        ['GET', 'x'],
        ['GET', 'y'],
        ['SET', 'x', '1'],
        ['SET', 'x', '2'],
        ['PUBLISH', 'd', 'x'],
        ['CONFIG', 'GET', 'port'],
        ['PING'],
        ['MULTI'],
        ['GET', 'x'],
        ['SET', 'x', '1'],
        ['EXEC'],
        ['MULTI'],
        ['GET', 'x'],
        ['ACL', 'SETUSER', 'u', '-get'],
        ['EXEC'],
        ['GET', 'x'],
        ['MULTI'],
        ['ACL', 'SETUSER', 'u', '+get'],
        ['EXEC'],
        ['EVAL', "return redis.call('set','x','y')", '0'],
        ['EVAL', "return redis.pcall('get','y').err", '0'],
        ['EVAL', "return redis.call('publish','y','z')", '0'],
        ['EVAL', "return redis.acl_check_cmd('set','x','y')", '0'],
        ['EVAL', "return redis.acl_check_cmd('get','x')", '0'],
        ['ACL', 'LOG'],
        ['ACL', 'LOG', '2'],
        ['ACL', 'LOG', '-1'],
        ['ACL', 'LOG', 'RESET'],
        ['ACL', 'LOG'],
        ['AUTH', 'default', ''],
        ['ACL', 'SETUSER', 'u', 'off'],
        ['AUTH', 'u', 'pw'],
      ],
      clientLines,
    )
  })

  test('a change between queueing and EXEC refuses what is not allowed any more, with the reason', async () => {
    const both = await pair().session()
    const other = await pair().session()
    const onBoth = async (connections: typeof both, ...words: string[]) => {
      const [redis, engine] = await Promise.all([connections.redis.send(...words), connections.engine.send(...words)])
      expect(`${words} → ${engine}`).toBe(`${words} → ${redis}`)
    }
    try {
      await onBoth(other, 'ACL', 'SETUSER', 'q', 'reset', 'on', 'nopass', '~*', '&*', '+@all')
      await onBoth(both, 'AUTH', 'q', 'x')
      for (const change of ['-get', 'resetkeys', 'resetchannels']) {
        await onBoth(both, 'MULTI')
        await onBoth(both, 'GET', 'x')
        await onBoth(both, 'PUBLISH', 'c', 'x')
        await onBoth(other, 'ACL', 'SETUSER', 'q', change)
        await onBoth(both, 'EXEC')
        await onBoth(other, 'ACL', 'SETUSER', 'q', 'allkeys', 'allchannels', '+@all')
      }
    } finally {
      for (const one of [both, other]) for (const connection of Object.values(one)) connection.close()
    }
  })

  test('a deleted user takes its clients along, and subscribers lose what they may not hear', async () => {
    const admin = await pair().session()
    for (const server of ['redis', 'engine'] as const) {
      const send = (...words: string[]) => admin[server].send(...words)
      await send('ACL', 'SETUSER', 's', 'reset', 'on', 'nopass', '+@all', '&c*', '~*')
      const [listener, kept, plain] = await Promise.all([pair().session(), pair().session(), pair().session()])
      for (const client of [listener, kept, plain]) await client[server].send('AUTH', 's', 'x')
      await listener[server].send('SUBSCRIBE', 'c1')
      await kept[server].send('SUBSCRIBE', 'c2')
      await send('ACL', 'SETUSER', 's', 'resetchannels', '&c2')
      await listener[server].read(1)
      expect(listener[server].closed, server).toBe(true)
      expect(kept[server].closed, server).toBe(false)
      expect(await plain[server].send('PING')).toBe('+PONG\r\n')
      expect(await send('CLIENT', 'KILL', 'USER', 's', 'ID', '1')).toBe(':0\r\n')
      expect(await send('ACL', 'DELUSER', 's')).toBe(':1\r\n')
      await Promise.all([kept[server].read(1), plain[server].read(1)])
      expect([kept[server].closed, plain[server].closed], server).toEqual([true, true])
      for (const client of [listener, kept, plain]) for (const one of Object.values(client)) one.close()
    }
    for (const one of Object.values(admin)) one.close()
  })

  test('requirepass and the password of the default user are one', async () => {
    await pair().same(
      [
        ['CONFIG', 'SET', 'requirepass', 'secret'],
        ['ACL', 'LIST'],
        ['CONFIG', 'GET', 'requirepass'],
        ['AUTH', 'wrong'],
        ['AUTH', 'secret'],
        ['CONFIG', 'SET', 'requirepass', ''],
        ['ACL', 'LIST'],
        ['AUTH', 'secret'],
        ['ACL', 'DELUSER', 'p', 'q', 'u'],
      ],
      [anyOrder],
    )
  })
})

againstRedis('a file of users', () => {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-acl-'))
  const file = join(folder, 'users.acl')
  writeFileSync(file, `user default on nopass ~* &* +@all\nuser bob on #${hash} ~a* +get (+set ~b)\n`)
  const pair = usePair({ settings: { aclfile: file } })

  test('is read at start, written and read again; its mistakes are told whole and change nothing', async () => {
    await pair().same([
      ['ACL', 'LIST'],
      ['ACL', 'SETUSER', 'eve', 'on', 'nopass', 'skip-sanitize-payload'],
      ['ACL', 'SAVE'],
      ['ACL', 'DELUSER', 'eve'],
      ['ACL', 'LOAD'],
      ['ACL', 'LIST'],
      ['ACL', 'DELUSER', 'eve'],
      ['ACL', 'SAVE'],
    ])
    const bad = [
      'user bob foo\nuser bob on\nbla\nuser x (+get\nuser "a b"\nuser y +@all extra\nuser default off\n\n# c\nuser z >p <p <p',
      'user bob on "',
      'user bob  on  nopass',
      'user bob on\t+get',
      'user bob +nosuch +alsonot foo bar',
      'user',
    ]
    for (const text of bad) {
      writeFileSync(file, text)
      await pair().same([
        ['ACL', 'LOAD'],
        ['ACL', 'LIST'],
      ])
    }
    writeFileSync(file, 'user bob off\n')
    await pair().same([
      ['ACL', 'LOAD'],
      ['ACL', 'LIST'],
    ])
    expect(readFileSync(file, 'utf8')).toBe('user bob off\n')
    rmSync(folder, { recursive: true })
  })
})
