/** COMMAND: the table of commands, told to clients. */
import { globMatch } from '../data/glob.ts'
import type { CommandRecord } from '../server/command-table.ts'
import { Arguments } from './arguments.ts'
import { aclCategories } from './categories.ts'
import type { Command } from './command.ts'
import { replyCommandDocs, replyCommandInfo } from './command-reply.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { replyHelp } from './help.ts'
import { findKeysWithFlags } from './key-positions.ts'

function command({ reply, server }: Context): void {
  reply.array(server.commands.records.length)
  for (const record of server.commands.records) replyCommandInfo(reply, record)
}

function commandCount({ reply, server }: Context): void {
  reply.integer(server.commands.records.length)
}

function commandInfo(context: Context, args: Arguments): void {
  const { reply, server } = context
  if (args.count === 2) {
    command(context)
    return
  }
  reply.array(args.count - 2)
  for (let i = 2; i < args.count; i++) {
    const record = server.commands.record(args.latin1(i).toLowerCase())
    if (record === undefined) reply.nil()
    else replyCommandInfo(reply, record)
  }
}

function commandDocs({ reply, server }: Context, args: Arguments): void {
  const records: (CommandRecord | undefined)[] =
    args.count === 2
      ? [...server.commands.records]
      : Array.from({ length: args.count - 2 }, (_, i) => server.commands.record(args.latin1(i + 2).toLowerCase()))
  const known = records.filter((record) => record !== undefined)
  reply.map(known.length)
  for (const record of known) replyCommandDocs(reply, record)
}

function commandList({ reply, server }: Context, args: Arguments): void {
  let keep = (_record: CommandRecord): boolean => true
  if (args.count === 5 && args.is(2, 'filterby')) {
    const word = args.latin1(4)
    if (args.is(3, 'module')) {
      keep = () => false
    } else if (args.is(3, 'aclcat')) {
      keep = (record) => aclCategories(record.command).includes(word.toLowerCase())
    } else if (args.is(3, 'pattern')) {
      const pattern = Buffer.from(word.toLowerCase(), 'latin1')
      keep = (record) => globMatch(pattern, Buffer.from(record.fullName))
    } else {
      reply.error(errors.syntax)
      return
    }
  } else if (args.count !== 2) {
    reply.error(errors.syntax)
    return
  }
  const names = [...server.commands.everyRecord()].filter(keep).map((record) => record.fullName)
  reply.array(names.length)
  for (const name of names) reply.text(name)
}

/** Shard channels have a hash slot like keys, and are none. */
function mayHaveKeys({ keySpecs = [], findKeys }: Command): boolean {
  return findKeys !== undefined || keySpecs.some(({ flags }) => !flags.includes('not_key'))
}

/** The keys of the command that follows the subcommand, or undefined after the error was answered. */
function keysOfInner({ reply, server }: Context, args: Arguments) {
  const inner = Arguments.of(Array.from({ length: args.count - 2 }, (_, i) => args.copy(i + 2)))
  const record = server.commands.findFor(inner)
  if (record === undefined) {
    reply.error('ERR Invalid command specified')
  } else if (!mayHaveKeys(record.command)) {
    reply.error('ERR The command has no key arguments')
  } else if (!record.arityAllows(inner.count)) {
    reply.error('ERR Invalid number of arguments specified for command')
  } else {
    const keys = findKeysWithFlags(record.command, inner) ?? []
    if (keys.length > 0 || record.command.flags.includes('no_mandatory_keys')) {
      return { inner, keys }
    }
    reply.error('ERR Invalid arguments specified for command')
  }
  return undefined
}

function commandGetkeys(context: Context, args: Arguments): void {
  const found = keysOfInner(context, args)
  if (found === undefined) return
  context.reply.array(found.keys.length)
  for (const { index } of found.keys) context.reply.bulk(found.inner.view(index))
}

function commandGetkeysandflags(context: Context, args: Arguments): void {
  const found = keysOfInner(context, args)
  if (found === undefined) return
  const { reply } = context
  reply.array(found.keys.length)
  for (const { index, flags } of found.keys) {
    reply.array(2)
    reply.bulk(found.inner.view(index))
    reply.set(flags.length)
    for (const flag of flags) reply.simple(flag)
  }
}

function commandHelp({ reply }: Context): void {
  replyHelp(reply, 'COMMAND', helpLines)
}

const helpLines = [
  '(no subcommand)',
  '    Return details about all Redis commands.',
  'COUNT',
  '    Return the total number of commands in this Redis server.',
  'LIST',
  '    Return a list of all commands in this Redis server.',
  'INFO [<command-name> ...]',
  '    Return details about multiple Redis commands.',
  '    If no command names are given, documentation details for all',
  '    commands are returned.',
  'DOCS [<command-name> ...]',
  '    Return documentation details about multiple Redis commands.',
  '    If no command names are given, documentation details for all',
  '    commands are returned.',
  'GETKEYS <full-command>',
  '    Return the keys from a full Redis command.',
  'GETKEYSANDFLAGS <full-command>',
  '    Return the keys and the access flags from a full Redis command.',
]

export const commandCommands: readonly Command[] = [
  {
    name: 'command',
    arity: -1,
    flags: ['loading', 'stale'],
    categories: ['connection'],
    group: 'server',
    tips: ['nondeterministic_output_order'],
    run: command,
    subcommands: [
      {
        name: 'docs',
        arity: -2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        group: 'server',
        tips: ['nondeterministic_output_order'],
        run: commandDocs,
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        group: 'server',
        run: commandHelp,
      },
      {
        name: 'list',
        arity: -2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        group: 'server',
        tips: ['nondeterministic_output_order'],
        run: commandList,
      },
      {
        name: 'getkeysandflags',
        arity: -4,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        group: 'server',
        run: commandGetkeysandflags,
      },
      {
        name: 'info',
        arity: -2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        group: 'server',
        tips: ['nondeterministic_output_order'],
        run: commandInfo,
      },
      {
        name: 'count',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        group: 'server',
        run: commandCount,
      },
      {
        name: 'getkeys',
        arity: -4,
        flags: ['loading', 'stale'],
        categories: ['connection'],
        group: 'server',
        run: commandGetkeys,
      },
    ],
  },
]
