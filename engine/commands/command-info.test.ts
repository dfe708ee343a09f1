import { test } from 'vitest'
import { againstRedis, usePair } from '../testing/differential.ts'

againstRedis('COMMAND describes commands as redis-server 7.0 does', () => {
  const pair = usePair()

  test('COMMAND GETKEYS, GETKEYSANDFLAGS, LIST and errors', async () => {
    await pair().same([
      ['COMMAND', 'GETKEYS', 'GET', 'a'],
      ['COMMAND', 'GETKEYS', 'MSET', 'a', '1', 'b', '2'],
      ['COMMAND', 'GETKEYS', 'PING', 'x'],
      ['COMMAND', 'GETKEYS', 'nosuch', 'x'],
      ['COMMAND', 'GETKEYS', 'GET', 'a', 'b'],
      ['COMMAND', 'GETKEYS', 'GET'],
      ['COMMAND', 'GETKEYSANDFLAGS', 'GETSET', 'a', 'b'],
      ['COMMAND', 'GETKEYSANDFLAGS', 'DEL', 'a', 'b'],
      ['COMMAND', 'GETKEYS', 'CLIENT', 'nosuch', 'x'],
      ['COMMAND', 'LIST', 'FILTERBY', 'MODULE', 'x'],
      ['COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', 'nosuch'],
      ['COMMAND', 'LIST', 'FILTERBY', 'PATTERN', 'GETD*'],
      ['COMMAND', 'LIST', 'FILTERBY', 'nosuch', 'x'],
      ['COMMAND', 'LIST', 'x'],
      ['COMMAND', 'INFO', 'nosuch'],
      ['COMMAND', 'INFO', 'client|id', 'nosuch'],
      ['COMMAND', 'DOCS', 'nosuch'],
      ['COMMAND', 'COUNT', 'x'],
      ['COMMAND', 'nosuch'],
      ['COMMAND', 'HELP'],
    ])
  })
})
