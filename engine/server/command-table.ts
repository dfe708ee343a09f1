/**
 * The commands of one server with their counters, found by name without making a string.
 *
 * Names are hashed in lower case straight from the received bytes into an open-addressing table that is never more
 * than a quarter full: almost every look-up compares one name.
 */
import type { PermittedCommands } from '../acl/selector.ts'
import type { Arguments } from '../commands/arguments.ts'
import type { Command, CommandFlag, CommandTrait } from '../commands/command.ts'
import { LatencyHistogram } from '../data/latency-histogram.ts'
import type { CommandLookup } from './server.ts'

/** Flags as bits, so that dispatch tests several at once. */
export const flagBits: Record<CommandFlag, number> = {
  write: 1 << 0,
  readonly: 1 << 1,
  denyoom: 1 << 2,
  admin: 1 << 3,
  pubsub: 1 << 4,
  noscript: 1 << 5,
  random: 1 << 6,
  blocking: 1 << 7,
  loading: 1 << 8,
  stale: 1 << 9,
  skip_monitor: 1 << 10,
  skip_slowlog: 1 << 11,
  asking: 1 << 12,
  fast: 1 << 13,
  no_auth: 1 << 14,
  no_async_loading: 1 << 16,
  no_multi: 1 << 17,
  no_mandatory_keys: 1 << 18,
  allow_busy: 1 << 19,
  movablekeys: 1 << 20,
  sort_for_script: 1 << 21,
}

/** Traits as bits, beside the flags. */
export const traitBits: Record<CommandTrait, number> = {
  runsInTransaction: 1 << 22,
  runsWhileSubscribed: 1 << 23,
  executesTransaction: 1 << 24,
  protected: 1 << 25,
  checksDisk: 1 << 26,
  mayReplicate: 1 << 15,
  keepsCaching: 1 << 27,
  runsScript: 1 << 27,
}

export class CommandRecord {
  readonly command: Command
  /** `config|get` for subcommands. */
  readonly fullName: string
  /** What clients call it, in lower case: another name after `rename-command`. */
  calledAs: string
  readonly parent: CommandRecord | undefined
  /** What the row runs, kept here because all records have one shape and rows do not. Undefined: a container. */
  readonly run: Command['run']
  readonly bits: number
  readonly arity: number
  readonly hasKeys: boolean
  readonly subcommands: Map<string, CommandRecord> | undefined
  calls = 0
  microseconds = 0
  rejectedCalls = 0
  failedCalls = 0
  /** How long calls took; made by the first one that is tracked. */
  histogram: LatencyHistogram | undefined = undefined

  constructor(command: Command, parent: CommandRecord | undefined) {
    this.command = command
    this.parent = parent
    this.fullName = parent === undefined ? command.name : `${parent.command.name}|${command.name}`
    this.calledAs = this.fullName
    this.arity = command.arity
    this.run = command.run
    let bits = 0
    for (const flag of command.flags) bits |= flagBits[flag]
    for (const trait of command.traits ?? []) bits |= traitBits[trait]
    this.bits = bits
    this.hasKeys = (command.keySpecs?.length ?? 0) > 0 || command.findKeys !== undefined
    this.subcommands =
      command.subcommands === undefined
        ? undefined
        : new Map(command.subcommands.map((row) => [row.name, new CommandRecord(row, this)]))
  }

  has(bits: number): boolean {
    return (this.bits & bits) !== 0
  }

  arityAllows(count: number): boolean {
    return this.arity >= 0 ? count === this.arity : count >= -this.arity
  }

  recordDuration(durationUs: number): void {
    this.histogram ??= new LatencyHistogram()
    this.histogram.record(durationUs)
  }

  resetStatistics(): void {
    this.histogram = undefined
    this.calls = 0
    this.microseconds = 0
    this.rejectedCalls = 0
    this.failedCalls = 0
    for (const record of this.subcommands?.values() ?? []) record.resetStatistics()
  }
}

/** The commands as ACL rules name them: as they were before `rename-command`. */
export function permittedCommands(table: CommandTable): PermittedCommands {
  const records = [...table.everyRecord()]
  const byName = new Map(records.map((record) => [record.fullName, record]))
  return {
    find: (fullName) => byName.get(fullName),
    rowOf: (command) => table.recordOf(command),
    commands: table.records,
  }
}

export class CommandTable implements CommandLookup {
  /** In the order of the registry. */
  readonly records: readonly CommandRecord[]
  private readonly slots: (CommandRecord | undefined)[]
  private readonly mask: number
  private readonly byName = new Map<string, CommandRecord>()
  private readonly byRow = new Map<Command, CommandRecord>()

  /** @param renamed old and new names in order (`rename-command`); an empty new name takes the command away */
  constructor(commands: readonly Command[], renamed: readonly (readonly [from: string, to: string])[] = []) {
    const records = commands.map((command) => new CommandRecord(command, undefined))
    const called = new Map(records.map((record) => [record.fullName, record]))
    for (const [from, to] of renamed) {
      const record = called.get(from)
      if (record === undefined) throw new Error(`no command is named ${from}`)
      called.delete(from)
      record.calledAs = to.toLowerCase()
      if (to !== '') called.set(record.calledAs, record)
    }
    this.records = records.filter(({ calledAs }) => calledAs !== '')
    for (const record of records) this.indexRows(record)
    let size = 64
    while (size < commands.length * 4) size *= 2
    this.mask = size - 1
    this.slots = new Array<CommandRecord | undefined>(size).fill(undefined)
    for (const record of this.records) this.insert(record)
  }

  private insert(record: CommandRecord): void {
    if (this.byName.has(record.calledAs)) throw new Error(`two commands are named ${record.calledAs}`)
    this.byName.set(record.calledAs, record)
    for (const sub of record.subcommands?.values() ?? []) this.byName.set(sub.fullName, sub)
    const name = Buffer.from(record.calledAs, 'latin1')
    let slot = hashName(name, 0, name.length) & this.mask
    while (this.slots[slot] !== undefined) slot = (slot + 1) & this.mask
    this.slots[slot] = record
  }

  private indexRows(record: CommandRecord): void {
    this.byRow.set(record.command, record)
    for (const sub of record.subcommands?.values() ?? []) this.indexRows(sub)
  }

  /** The record of the command whose name is memory[start…end), in any case. */
  findName(memory: Uint8Array, start: number, end: number): CommandRecord | undefined {
    let slot = hashName(memory, start, end) & this.mask
    for (;;) {
      const record = this.slots[slot]
      if (record === undefined || sameName(record.calledAs, memory, start, end)) return record
      slot = (slot + 1) & this.mask
    }
  }

  /** The record that these arguments run: of a subcommand where there are any. Undefined: unknown. */
  findFor(args: Arguments): CommandRecord | undefined {
    const record = this.findName(args.memory, args.start(0), args.end(0))
    if (record === undefined || record.subcommands === undefined || args.count === 1) return record
    return record.subcommands.get(args.latin1(1).toLowerCase())
  }

  /** By full name (`get`, `config|get`) in lower case. */
  record(fullName: string): CommandRecord | undefined {
    return this.byName.get(fullName)
  }

  recordOf(command: Command): CommandRecord {
    const record = this.byRow.get(command)
    if (record === undefined) throw new Error(`command ${command.name} is not registered`)
    return record
  }

  find(name: string): Command | undefined {
    return this.byName.get(name.toLowerCase())?.command
  }

  all(): readonly Command[] {
    return this.records.map((record) => record.command)
  }

  /** Records of all commands and subcommands. */
  *everyRecord(): Generator<CommandRecord> {
    for (const record of this.records) {
      yield record
      yield* record.subcommands?.values() ?? []
    }
  }
}

function hashName(memory: Uint8Array, start: number, end: number): number {
  let hash = end - start
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + ((memory[i] as number) | 32)) | 0
  return hash ^ (hash >>> 15)
}

function sameName(name: string, memory: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) {
    let byte = memory[start + i] as number
    if (byte >= 65 && byte <= 90) byte |= 32
    if (byte !== name.charCodeAt(i)) return false
  }
  return true
}
