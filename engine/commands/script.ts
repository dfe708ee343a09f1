/** Scripts: EVAL and its kin, and SCRIPT, which looks after their cache. How they run is in `engine/scripting`. */
import type { Arguments } from './arguments.ts'
import type { Command, KeySpec } from './command.ts'
import type { Context } from './context.ts'
import { replyHelp } from './help.ts'

/** Keys of commands that say how many there are as their second argument. */
export function keySpecs(isReadOnly: boolean, hasNotes: boolean): readonly KeySpec[] {
  const assumed = isReadOnly ? 'RO and ACCESS' : 'RW and UPDATE'
  return [
    {
      flags: isReadOnly ? ['RO', 'access'] : ['RW', 'access', 'update'],
      ...(hasNotes ? { notes: `We cannot tell how the keys will be used so we assume the worst, ${assumed}` } : {}),
      begin: { index: 2 },
      find: { keyNumberIndex: 0, firstKey: 1, step: 1 },
    },
  ]
}

/** ASYNC or SYNC, or nothing; false after the error was answered. */
export function isFlushMode({ reply }: Context, args: Arguments, command: string): boolean {
  if (args.count === 2 || (args.count === 3 && (args.is(2, 'sync') || args.is(2, 'async')))) return true
  reply.error(`ERR ${command} only support SYNC|ASYNC option`)
  return false
}

function flush(context: Context, args: Arguments): void {
  if (!isFlushMode(context, args, 'SCRIPT FLUSH')) return
  context.server.scripting.flush()
  context.reply.ok()
}

function exists({ reply, server }: Context, args: Arguments): void {
  reply.array(args.count - 2)
  for (let i = 2; i < args.count; i++) reply.integer(server.scripting.has(args.latin1(i)) ? 1 : 0)
}

function load({ reply, server }: Context, args: Arguments): void {
  const loaded = server.scripting.load(args.copy(2))
  if ('error' in loaded) reply.error(loaded.error)
  else reply.latin1(loaded.sha)
}

function kill({ reply, server }: Context): void {
  const refused = server.scripting.kill('script')
  if (refused === undefined) reply.ok()
  else reply.error(refused)
}

const NO_DEBUGGER = 'ERR this server has no Lua debugger'

/** There is no debugger; what switches it off is allowed. */
function debug({ client, reply }: Context, args: Arguments): void {
  const isWanted = args.is(2, 'yes') || args.is(2, 'sync')
  if (!isWanted && !args.is(2, 'no')) {
    reply.error('ERR Use SCRIPT DEBUG YES/SYNC/NO')
    return
  }
  client.wantsDebugger = isWanted
  if (isWanted) reply.error(NO_DEBUGGER)
  else reply.ok()
}

/**
 * A client that was refused the debugger may not have looked at the answer (redis-cli does not): its script is refused
 * as well, because it counts on a session whose writes are rolled back at the end.
 */
function evaluate(context: Context, args: Arguments, isReadOnly: boolean): void {
  if (context.client.wantsDebugger) context.reply.error(`${NO_DEBUGGER}: the script was not run`)
  else context.server.scripting.evaluate(context, args, { bySha: false, isReadOnly })
}

function help({ reply }: Context): void {
  replyHelp(reply, 'SCRIPT', helpLines)
}

const helpLines = [
  'DEBUG (YES|SYNC|NO)',
  '    Set the debug mode for subsequent scripts executed.',
  'EXISTS <sha1> [<sha1> ...]',
  '    Return information about the existence of the scripts in the script cache.',
  'FLUSH [ASYNC|SYNC]',
  '    Flush the Lua scripts cache. Very dangerous on replicas.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the scripts cache.',
  '    * SYNC: Synchronously flush the scripts cache.',
  'KILL',
  '    Kill the currently executing Lua script.',
  'LOAD <script>',
  '    Load a script into the scripts cache without executing it.',
]

export const scriptCommands: readonly Command[] = [
  {
    name: 'eval',
    traits: ['mayReplicate', 'runsScript'],
    arity: -3,
    flags: ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'],
    categories: ['scripting'],
    keySpecs: keySpecs(false, true),
    group: 'scripting',
    run: (context, args) => evaluate(context, args, false),
  },
  {
    name: 'evalsha',
    traits: ['mayReplicate', 'runsScript'],
    arity: -3,
    flags: ['noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'],
    categories: ['scripting'],
    keySpecs: keySpecs(false, false),
    group: 'scripting',
    run: (context, args) => context.server.scripting.evaluate(context, args, { bySha: true, isReadOnly: false }),
  },
  {
    name: 'eval_ro',
    traits: ['runsScript'],
    arity: -3,
    flags: ['readonly', 'noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'],
    categories: ['scripting'],
    keySpecs: keySpecs(true, true),
    group: 'scripting',
    run: (context, args) => evaluate(context, args, true),
  },
  {
    name: 'evalsha_ro',
    traits: ['runsScript'],
    arity: -3,
    flags: ['readonly', 'noscript', 'stale', 'skip_monitor', 'no_mandatory_keys', 'movablekeys'],
    categories: ['scripting'],
    keySpecs: keySpecs(true, false),
    group: 'scripting',
    run: (context, args) => context.server.scripting.evaluate(context, args, { bySha: true, isReadOnly: true }),
  },
  {
    name: 'script',
    arity: -2,
    flags: [],
    categories: [],
    group: 'scripting',
    subcommands: [
      {
        name: 'flush',
        arity: -2,
        flags: ['noscript'],
        categories: ['scripting'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        group: 'scripting',
        run: flush,
      },
      {
        name: 'exists',
        arity: -3,
        flags: ['noscript'],
        categories: ['scripting'],
        tips: ['request_policy:all_shards', 'response_policy:agg_logical_and'],
        group: 'scripting',
        run: exists,
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
        name: 'help',
        arity: 2,
        flags: ['loading', 'stale'],
        categories: ['scripting'],
        group: 'scripting',
        run: help,
      },
      {
        name: 'load',
        arity: 3,
        flags: ['noscript', 'stale'],
        categories: ['scripting'],
        tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
        group: 'scripting',
        run: load,
      },
      {
        name: 'debug',
        arity: 3,
        flags: ['noscript'],
        categories: ['scripting'],
        group: 'scripting',
        run: debug,
      },
    ],
  },
]
