/**
 * MODULE: modules are native code, which this server cannot run, so that none is ever loaded. Loading is refused with
 * the reply of a redis-server that could not load the file, and the reason stands in the log.
 */
import type { Arguments } from './arguments.ts'
import type { Command } from './command.ts'
import type { Context } from './context.ts'
import { replyHelp } from './help.ts'

const failed = 'ERR Error loading the extension. Please check the server logs.'

function load({ reply, server }: Context, args: Arguments): void {
  server.log.warning(`Module ${args.latin1(2)} failed to load: native modules are not supported`)
  reply.error(failed)
}

/**
 * `LOADEX path [CONFIG name value]... [ARGS argument...]`: what is wrong with the words goes to the log, as in Redis.
 */
function loadWithSettings(context: Context, args: Arguments): void {
  const { reply, server } = context
  let at = 3
  for (; at < args.count && args.is(at, 'config'); at += 3) {
    if (at + 2 < args.count) continue
    server.log.notice('CONFIG specified without name value pair')
    reply.error(failed)
    return
  }
  if (at < args.count && !args.is(at, 'args')) {
    server.log.notice(`Syntax Error from arguments to loadex around ${args.latin1(at)}.`)
    reply.error(failed)
    return
  }
  load(context, args)
}

const helpLines = [
  'LIST',
  '    Return a list of loaded modules.',
  'LOAD <path> [<arg> ...]',
  '    Load a module library from <path>, passing to it any optional arguments.',
  'LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]',
  '    Load a module library from <path>, while passing it module configurations and optional arguments.',
  'UNLOAD <name>',
  '    Unload a module.',
]

const shared = { categories: [], group: 'server' }

export const moduleCommands: readonly Command[] = [
  {
    ...shared,
    name: 'module',
    arity: -2,
    flags: [],
    subcommands: [
      {
        ...shared,
        name: 'load',
        arity: -3,
        flags: ['admin', 'noscript', 'no_async_loading'],
        traits: ['protected'],
        run: load,
      },
      {
        ...shared,
        name: 'loadex',
        arity: -3,
        flags: ['admin', 'noscript', 'no_async_loading'],
        traits: ['protected'],
        run: loadWithSettings,
      },
      {
        ...shared,
        name: 'unload',
        arity: 3,
        flags: ['admin', 'noscript', 'no_async_loading'],
        traits: ['protected'],
        run: ({ reply }) => reply.error('ERR Error unloading module: no such module with that name'),
      },
      {
        ...shared,
        name: 'list',
        arity: 2,
        flags: ['admin', 'noscript'],
        tips: ['nondeterministic_output_order'],
        run: ({ reply }) => reply.array(0),
      },
      {
        ...shared,
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        run: ({ reply }) => replyHelp(reply, 'MODULE', helpLines),
      },
    ],
  },
]
