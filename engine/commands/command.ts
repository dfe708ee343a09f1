/**
 * The table's type: one row per command, beside its implementation.
 *
 * `COMMAND`, ACL, cluster routing, MULTI's queueing rules, propagation and the documentation derive
 * from the row; dispatch never names a command. A family file exports `readonly Command[]`; `registry.ts` lists
 * families.
 */
import type { Arguments } from './arguments.ts'
import type { Context } from './context.ts'

/** Flags as `COMMAND INFO` prints them in Redis 7.0. */
export type CommandFlag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'admin'
  | 'pubsub'
  | 'noscript'
  | 'random'
  | 'blocking'
  | 'loading'
  | 'stale'
  | 'skip_monitor'
  | 'skip_slowlog'
  | 'asking'
  | 'fast'
  | 'no_auth'
  | 'no_async_loading'
  | 'no_multi'
  | 'no_mandatory_keys'
  | 'allow_busy'
  | 'movablekeys'
  | 'sort_for_script'

/**
 * What dispatch has to know about a command and no client is told.
 *
 * - `runsInTransaction`: inside MULTI it runs at once instead of being queued (EXEC, WATCH, …).
 * - `runsWhileSubscribed`: allowed to a RESP2 client that has subscriptions.
 * - `executesTransaction`: EXEC, which is a write when its queue holds one, and which a refusal turns into EXECABORT.
 * - `protected`: needs `enable-debug-command` and the like.
 * - `runsScript`: EVAL, FCALL …: a script that declares its flags replaces the command's (write, denyoom, stale).
 * - `keepsCaching`: what CLIENT CACHING said still holds for the command after this one (a container's subcommands).
 * - `mayReplicate`: counts as a write for CLIENT PAUSE and read-only scripts, though not flagged as one (PUBLISH,
 *   EVAL).
 * - `checksDisk`: refused like a write when the disk fails (PING, so that monitoring sees it).
 */
export type CommandTrait =
  | 'runsInTransaction'
  | 'runsWhileSubscribed'
  | 'executesTransaction'
  | 'protected'
  | 'checksDisk'
  | 'mayReplicate'
  | 'keepsCaching'
  | 'runsScript'

/** How `COMMAND INFO` describes where keys are; the flag words are Redis's. */
export interface KeySpec {
  /** `RO`, `RW`, `OW`, `RM`, `access`, `update`, `insert`, `delete`, `not_key`, `incomplete`, `variable_flags`. */
  flags: readonly string[]
  notes?: string
  begin: { index: number } | { keyword: string; startFrom: number } | 'unknown'
  find:
    | { lastKey: number; step: number; limit: number }
    | { keyNumberIndex: number; firstKey: number; step: number }
    | 'unknown'
}

/** Where a key is among the arguments, with the flags of a key spec. */
export interface KeyPosition {
  index: number
  /** `RO`, `access` … */
  flags: readonly string[]
}

export interface Command {
  /** Lower case. Subcommands have the second word only (`get` of `config|get`). */
  name: string
  /** Number of arguments with the name (for subcommands: with both words); negative: at least so many. */
  arity: number
  flags: readonly CommandFlag[]
  traits?: readonly CommandTrait[]
  /** ACL categories beyond those that follow from the flags, without `@`. */
  categories: readonly string[]
  keySpecs?: readonly KeySpec[]
  /** For commands whose keys no key spec can find: the keys in order. Undefined: the arguments make no sense. */
  findKeys?(args: Arguments): KeyPosition[] | undefined
  /** What these arguments really do with the keys, where the key spec says `variable_flags`. */
  keyFlags?(args: Arguments): readonly string[]
  /** Which arguments are channels that one may need permission for: all, as names or as patterns; or the first. */
  channels?: 'names' | 'patterns' | 'first'
  /** Positions of arguments that logs and MONITOR must not show. `isSecret` knows secret configuration parameters. */
  secretArguments?(args: Arguments, isSecret: (parameter: string) => boolean): number[]
  /** Also where the documentation is: `docs/`. */
  group: string
  complexity?: string
  tips?: readonly string[]
  subcommands?: readonly Command[]
  /** Absent only on containers, which have subcommands. Synchronous; answers through `context.reply`. */
  run?(context: Context, args: Arguments): void
}

/** The key spec of commands with one key at index 1: nearly all of them. */
export function oneKey(...flags: string[]): readonly KeySpec[] {
  return [{ flags, begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } }]
}

/** Keys from `first` to the `last` one (negative: counted from the end), every `step`. */
export function keyRange(first: number, last: number, step: number, ...flags: string[]): readonly KeySpec[] {
  return [{ flags, begin: { index: first }, find: { lastKey: last < 0 ? last : last - first, step, limit: 0 } }]
}
