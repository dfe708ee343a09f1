/** One execution of a script or function: who runs it, with which rights, and what it has done so far. */
import type { Arguments } from '../commands/arguments.ts'
import type { CommandRecord } from '../server/command-table.ts'
import type { ClientConnection } from '../server/connection.ts'
import type { LuaMachine } from './lua-machine.ts'

/** What a script declares behind `#!lua flags=`; `compatible` is a script without such a line. */
export interface ScriptFlags {
  readonly compatible: boolean
  readonly noWrites: boolean
  readonly allowOom: boolean
  readonly allowStale: boolean
  readonly noCluster: boolean
  readonly allowCrossSlot: boolean
}

export const compatibleFlags: ScriptFlags = {
  compatible: true,
  noWrites: false,
  allowOom: false,
  allowStale: false,
  noCluster: false,
  allowCrossSlot: false,
}

export const flagNames: readonly (readonly [word: string, flag: Exclude<keyof ScriptFlags, 'compatible'>])[] = [
  ['no-writes', 'noWrites'],
  ['allow-oom', 'allowOom'],
  ['allow-stale', 'allowStale'],
  ['no-cluster', 'noCluster'],
  ['allow-cross-slot-keys', 'allowCrossSlot'],
]

/** Flags by their words; undefined when one is unknown (`unknown` is told). */
export function parseFlags(words: readonly string[], unknown: (word: string) => void): ScriptFlags | undefined {
  const flags: Record<string, boolean> = { ...compatibleFlags, compatible: false }
  for (const word of words) {
    const flag = flagNames.find(([name]) => name === word)?.[1]
    if (flag === undefined) {
      unknown(word)
      return undefined
    }
    flags[flag] = true
  }
  return flags as unknown as ScriptFlags
}

/** `redis.set_repl`: bits. */
export const Replicate = { none: 0, appendOnlyFile: 1, replicas: 2, all: 3 } as const

export interface ScriptRun {
  readonly kind: 'script' | 'function'
  /** What error messages and FUNCTION STATS call it: the script's SHA1, the function's name. */
  readonly name: string
  readonly machine: LuaMachine
  readonly flags: ScriptFlags
  readonly isReadOnly: boolean
  readonly caller: ClientConnection
  /** The command that runs it. */
  readonly record: CommandRecord
  args: Arguments
  /** A client of its own: with a selected database, without a connection. */
  readonly client: ClientConnection
  readonly startedUs: number
  /** The time that all its commands see. */
  readonly nowMs: number
  /** It has called a command that writes: it cannot be refused or killed any more. */
  hasWritten: boolean
  replicates: number
  protocol: 2 | 3
  /** Cluster: the hash slot of all keys so far. */
  slot: number | undefined
}
