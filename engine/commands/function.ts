/** Functions: FCALL, and FUNCTION, which looks after libraries. How they load and run is in `engine/scripting`. */
import { globMatch } from '../data/glob.ts'
import { RdbError } from '../persist/rdb-input.ts'
import { readLibraryPayload } from '../persist/rdb-reader.ts'
import { dumpLibraries } from '../persist/rdb-writer.ts'
import { type Library, LibraryError } from '../scripting/functions.ts'
import { flagNames } from '../scripting/script-run.ts'
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { replyHelp } from './help.ts'
import { keySpecs } from './script.ts'

function call(context: Context, args: Arguments, isReadOnly: boolean): void {
  context.server.functions.call(context, args, isReadOnly)
}

/** Does something with libraries, which may be refused. */
function change(context: Context, action: () => void): void {
  try {
    action()
    context.dirty(1)
  } catch (error) {
    if (!(error instanceof LibraryError)) throw error
    context.reply.error(`ERR ${error.message}`)
  }
}

function load(context: Context, args: Arguments): void {
  const { reply, server } = context
  for (let i = 2; i < args.count - 1; i++) {
    if (!args.is(i, 'replace')) {
      reply.error(`ERR Unknown option given: ${args.latin1(i)}`)
      return
    }
  }
  change(context, () => reply.latin1(server.functions.load(args.copy(args.count - 1), args.count > 3)))
}

function remove(context: Context, args: Arguments): void {
  const { reply, server } = context
  change(context, () => {
    if (!server.functions.remove(args.latin1(2))) throw new LibraryError('Library not found')
    reply.ok()
  })
}

function wrongSubcommand({ reply }: Context, args: Arguments): void {
  reply.error(`ERR unknown subcommand or wrong number of arguments for '${args.latin1(1)}'. Try FUNCTION HELP.`)
}

function flush(context: Context, args: Arguments): void {
  const { reply, server } = context
  if (args.count > 3) {
    wrongSubcommand(context, args)
    return
  }
  if (args.count === 3 && !args.is(2, 'sync') && !args.is(2, 'async')) {
    reply.error('ERR FUNCTION FLUSH only supports SYNC|ASYNC option')
    return
  }
  server.functions.flush()
  context.dirty(1)
  reply.ok()
}

function list({ reply, server }: Context, args: Arguments): void {
  let withCode = false
  let pattern: Buffer | undefined
  for (let i = 2; i < args.count; i++) {
    if (!withCode && args.is(i, 'withcode')) {
      withCode = true
    } else if (pattern === undefined && args.is(i, 'libraryname')) {
      if (i + 1 >= args.count) {
        reply.error('ERR library name argument was not given')
        return
      }
      pattern = Buffer.from(args.latin1(++i).toLowerCase(), 'latin1')
    } else {
      reply.error(`ERR Unknown argument ${args.latin1(i)}`)
      return
    }
  }
  const wanted = pattern
  const found = [...server.functions.libraries.values()].filter(
    ({ name }) => wanted === undefined || globMatch(wanted, Buffer.from(name.toLowerCase(), 'latin1')),
  )
  reply.array(found.length)
  for (const library of found) replyLibrary({ reply }, library, withCode)
}

function replyLibrary({ reply }: Pick<Context, 'reply'>, library: Library, withCode: boolean): void {
  reply.map(withCode ? 4 : 3)
  reply.text('library_name')
  reply.latin1(library.name)
  reply.text('engine')
  reply.text('LUA')
  reply.text('functions')
  reply.array(library.functions.size)
  for (const { name, description, flags } of library.functions.values()) {
    reply.map(3)
    reply.text('name')
    reply.latin1(name)
    reply.text('description')
    if (description === undefined) reply.nil()
    else reply.latin1(description)
    reply.text('flags')
    const words = flagNames.filter(([, flag]) => flags[flag])
    reply.set(words.length)
    for (const [word] of words) reply.simple(word)
  }
  if (!withCode) return
  reply.text('library_code')
  reply.bulk(library.source)
}

function dump({ reply, server }: Context): void {
  const sources = [...server.functions.libraries.values()].map(({ source }) => source)
  reply.bulk(dumpLibraries(sources, server.config.values.rdbcompression))
}

function restore(context: Context, args: Arguments): void {
  const { reply, server } = context
  if (args.count > 4) {
    wrongSubcommand(context, args)
    return
  }
  const policy =
    args.count === 3 ? 'append' : (['append', 'replace', 'flush'] as const).find((word) => args.is(3, word))
  if (policy === undefined) {
    reply.error('ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.')
    return
  }
  change(context, () => {
    server.functions.restore(sourcesOf(args.copy(2), !server.debug.skipsChecksums), policy)
    reply.ok()
  })
}

function sourcesOf(payload: Buffer, verifyChecksum: boolean): Buffer[] {
  try {
    const sources = readLibraryPayload(payload, verifyChecksum)
    if (sources !== undefined) return sources
  } catch (error) {
    if (error instanceof RdbError) throw new LibraryError('failed loading the given functions payload')
    throw error
  }
  throw new LibraryError('DUMP payload version or checksum are wrong')
}

function stats(context: Context): void {
  const { reply, server } = context
  const { running } = server.scripting
  if (running !== undefined && running.kind === 'script') {
    reply.error(server.scripting.busyText as string)
    return
  }
  reply.map(2)
  reply.text('running_script')
  if (running === undefined) {
    reply.nil()
  } else {
    reply.map(3)
    reply.text('name')
    reply.latin1(running.name)
    reply.text('command')
    reply.array(running.args.count)
    for (let i = 0; i < running.args.count; i++) reply.bulk(running.args.view(i))
    reply.text('duration_ms')
    reply.integer(Math.floor((server.io.clock.monotonicUs() - running.startedUs) / 1000))
  }
  reply.text('engines')
  reply.map(1)
  reply.text('LUA')
  reply.map(2)
  reply.text('libraries_count')
  reply.integer(server.functions.libraries.size)
  reply.text('functions_count')
  reply.integer(server.functions.functionCount)
}

function kill({ reply, server }: Context): void {
  const refused = server.scripting.kill('function')
  if (refused === undefined) reply.ok()
  else reply.error(refused)
}

function help({ reply }: Context): void {
  replyHelp(reply, 'FUNCTION', helpLines)
}

const helpLines = [
  'LOAD [REPLACE] <FUNCTION CODE>',
  '    Create a new library with the given library name and code.',
  'DELETE <LIBRARY NAME>',
  '    Delete the given library.',
  'LIST [LIBRARYNAME PATTERN] [WITHCODE]',
  '    Return general information on all the libraries:',
  '    * Library name',
  '    * The engine used to run the Library',
  '    * Library description',
  '    * Functions list',
  '    * Library code (if WITHCODE is given)',
  '    It also possible to get only function that matches a pattern using LIBRARYNAME argument.',
  'STATS',
  '    Return information about the current function running:',
  '    * Function name',
  '    * Command used to run the function',
  '    * Duration in MS that the function is running',
  '    If no function is running, return nil',
  '    In addition, returns a list of available engines.',
  'KILL',
  '    Kill the current running function.',
  'FLUSH [ASYNC|SYNC]',
  '    Delete all the libraries.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the libraries.',
  '    * SYNC: Synchronously flush the libraries.',
  'DUMP',
  '    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command',
  'RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]',
  '    Restore the libraries represented by the given payload, it is possible to give a restore policy to',
  '    control how to handle existing libraries (default APPEND):',
  '    * FLUSH: delete all existing libraries.',
  '    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.',
  '    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old',
  '      libraries with the new libraries (notice that even on this option there is a chance of failure',
  '      in case of functions name collision with another library).',
]

export const functionCommands: readonly Command[] = [
  {
    name: 'fcall',
    traits: ['mayReplicate', 'runsScript'],
    arity: -3,
    flags: ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'],
    categories: ['scripting'],
    keySpecs: keySpecs(false, true),
    group: 'scripting',
    run: (context, args) => call(context, args, false),
  },
  {
    name: 'fcall_ro',
    traits: ['runsScript'],
    arity: -3,
    flags: ['readonly', 'noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'],
    categories: ['scripting'],
    keySpecs: keySpecs(true, true),
    group: 'scripting',
    run: (context, args) => call(context, args, true),
  },
  {
    name: 'function',
    arity: -2,
    flags: [],
    categories: [],
    group: 'scripting',
    subcommands: [
      {
        name: 'delete',
        arity: 3,
        flags: ['write', 'noscript'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        group: 'scripting',
        run: remove,
      },
      {
        name: 'kill',
        arity: 2,
        flags: ['noscript', 'allow_busy'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:one_succeeded'],
        group: 'scripting',
        run: kill,
      },
      {
        name: 'load',
        arity: -3,
        flags: ['write', 'denyoom', 'noscript'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        group: 'scripting',
        run: load,
      },
      {
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['scripting'],
        group: 'scripting',
        run: help,
      },
      {
        name: 'restore',
        arity: -3,
        flags: ['write', 'denyoom', 'noscript'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        group: 'scripting',
        run: restore,
      },
      {
        name: 'dump',
        arity: 2,
        flags: ['noscript'],
        categories: ['scripting'],
        group: 'scripting',
        run: dump,
      },
      {
        name: 'flush',
        arity: -2,
        flags: ['write', 'noscript'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
        group: 'scripting',
        run: flush,
      },
      {
        name: 'list',
        arity: -2,
        flags: ['noscript'],
        categories: ['scripting'],
        tips: ['nondeterministic_output_order'],
        group: 'scripting',
        run: list,
      },
      {
        name: 'stats',
        arity: 2,
        flags: ['noscript', 'allow_busy'],
        categories: ['scripting'],
        tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
        group: 'scripting',
        run: stats,
      },
    ],
  },
]
