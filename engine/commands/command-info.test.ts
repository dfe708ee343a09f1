import { expect, test } from 'vitest'
import { MapReply, ReplyParser, type ReplyValue, SetReply } from '../resp/reply-parser.ts'
import { againstRedis, usePair, type Words } from '../testing/differential.ts'
import { clientCommands } from './client.ts'
import type { Command } from './command.ts'
import { commandCommands } from './command-info.ts'
import { connectionCommands } from './connection.ts'
import { debugCommands } from './debug.ts'
import { pubsubCommands } from './pubsub.ts'
import { commandFamilies } from './registry.ts'
import { serverCommands } from './server.ts'
import { streamCommands } from './stream.ts'
import { streamGroupCommands } from './stream-group.ts'
import { streamInfoCommands } from './stream-info.ts'
import { streamPendingCommands } from './stream-pending.ts'
import { streamReadCommands } from './stream-read.ts'
import { transactionCommands } from './transaction.ts'

const names = (families: readonly (readonly Command[])[]): string[] => families.flat().map((command) => command.name)

/** Families whose rows are documented down to the last argument. */
const documentedFamilies = [
  connectionCommands,
  clientCommands,
  commandCommands,
  serverCommands,
  debugCommands,
  transactionCommands,
  pubsubCommands,
  streamCommands,
  streamReadCommands,
  streamGroupCommands,
  streamPendingCommands,
  streamInfoCommands,
]

/** Plain data; sets and the order of their members do not matter, nor does the order of subcommands. */
function plain(value: ReplyValue): unknown {
  if (Buffer.isBuffer(value)) return value.toString()
  if (value instanceof SetReply) return value.values.map(plain).sort(byText)
  if (value instanceof MapReply) {
    // Summaries and histories are prose, and ours.
    const entries = value.entries.filter(([key]) => !['summary', 'history'].includes(String(key)))
    return Object.fromEntries(entries.map(([key, inner]) => [String(key), plain(inner)]))
  }
  if (Array.isArray(value)) {
    const values = value.map(plain)
    return values.every((one) => Array.isArray(one)) ? values.sort(byText) : values
  }
  return value
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

function parse(bytes: Buffer | undefined): ReplyValue {
  let result: ReplyValue = null
  new ReplyParser((value) => {
    result = value
  }).feed(bytes ?? Buffer.alloc(0))
  return result
}

againstRedis('COMMAND describes commands as redis-server 7.0 does', () => {
  const pair = usePair()

  const ask = async (words: Words): Promise<[redis: unknown, engine: unknown]> => {
    const [redis, engine] = await pair().replies([words], '3')
    return [plain(parse(redis[0])), plain(parse(engine[0]))]
  }

  test.each(names(commandFamilies))('COMMAND INFO %s', async (name) => {
    const [redis, engine] = await ask(['COMMAND', 'INFO', name])
    expect(engine).toEqual(redis)
  })

  test.each(names(documentedFamilies))('COMMAND DOCS %s', async (name) => {
    const [redis, engine] = await ask(['COMMAND', 'DOCS', name])
    expect(engine).toEqual(redis)
  })

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
