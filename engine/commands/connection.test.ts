import { test } from 'vitest'
import { againstRedis, usePair } from '../testing/differential.ts'

againstRedis('connection commands answer as redis-server 7.0 does', () => {
  const pair = usePair()
  const identity = {
    pattern: /(\$2\r\nid\r\n):\d+/,
    replace: '$1:0',
    reason: 'clients are numbered by each server',
  }

  test('PING, ECHO, SELECT', async () => {
    await pair().same([
      ['PING'],
      ['ping', 'hello'],
      ['PING', 'a', 'b'],
      ['ECHO', 'x'.repeat(1000)],
      ['ECHO'],
      ['SELECT', '1'],
      ['SELECT', '16'],
      ['SELECT', '-1'],
      ['SELECT', 'x'],
      ['SELECT', '01'],
    ])
  })

  test('HELLO', async () => {
    await pair().same(
      [
        ['HELLO'],
        ['HELLO', '3'],
        ['HELLO', '2', 'SETNAME', 'me'],
        ['CLIENT', 'GETNAME'],
        ['HELLO', '4'],
        ['HELLO', 'x'],
        ['HELLO', '3', 'foo'],
        ['HELLO', '3', 'SETNAME', 'a b'],
        ['HELLO', '3', 'SETNAME'],
        ['HELLO', '3', 'AUTH', 'default', 'x'],
        ['HELLO', '2', 'AUTH', 'nobody', 'x'],
        ['HELLO', '2', 'AUTH', 'default'],
      ],
      [identity],
    )
  })

  test('AUTH without a password in the configuration', async () => {
    await pair().same([
      ['AUTH', 'x'],
      ['AUTH', 'default', 'x'],
      ['AUTH', 'nobody', 'x'],
      ['AUTH', 'a', 'b', 'c'],
      ['AUTH'],
    ])
  })

  test('RESET and QUIT', async () => {
    await pair().same([
      ['CLIENT', 'SETNAME', 'me'],
      ['SELECT', '3'],
      ['RESET'],
      ['CLIENT', 'GETNAME'],
      ['RESET', 'x'],
      ['QUIT'],
      ['PING'],
    ])
  })

  test('unknown commands and subcommands', async () => {
    await pair().same([
      ['nosuch'],
      ['NoSuch', 'a', 'b c', 'd\r\ne'],
      ['nosuch', 'x'.repeat(200), 'y'],
      ['nosuch', ...Array.from({ length: 40 }, (_, i) => `argument${i}`)],
      ['x'.repeat(300)],
      ['nosuch', 'a\0b', 'c'],
      [''],
      ['CLIENT'],
      ['CLIENT', 'nosuch'],
      ['client', 'x'.repeat(300)],
      ['CLIENT', 'KILL'],
      ['CLIENT', 'HELP'],
      ['CLIENT', 'HELP', 'x'],
    ])
  })
})

againstRedis('with requirepass', () => {
  const pair = usePair({ settings: { requirepass: 'secret' } })

  test('only few commands run before AUTH', async () => {
    const commands = [
      ['PING'],
      ['ECHO', 'x'],
      ['nosuch'],
      ['CLIENT', 'ID'],
      ['HELLO'],
      ['HELLO', '3'],
      ['AUTH', 'wrong'],
      ['AUTH', 'default', 'wrong'],
      ['RESET'],
      ['HELLO', '2', 'AUTH', 'default', 'wrong'],
      ['AUTH', 'secret'],
      ['PING'],
      ['RESET'],
      ['PING'],
      ['AUTH', 'default', 'secret'],
      ['PING'],
      ['QUIT'],
    ]
    await pair().sameBytes(Buffer.from(commands.map((words) => `${words.join(' ')}\r\n`).join('')))
  })

  test('a client that has not logged in may send small commands only', async () => {
    await pair().sameBytes(Buffer.from('*11\r\n$4\r\nPING\r\n'))
    await pair().sameBytes(Buffer.from('*2\r\n$4\r\nAUTH\r\n$16385\r\n'))
  })
})
