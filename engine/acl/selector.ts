/**
 * One set of permissions: commands, key patterns and channels that are allowed together. Every user has a root
 * selector, and may have more; a command is allowed when one of them allows all of it (Redis's acl.c, aclSelector).
 *
 * Which rules on commands were given is not kept. ACL LIST prints rules that give the same set: categories first, those
 * that fit best, then single commands (`command-rules.ts`).
 */
import type { Arguments } from '../commands/arguments.ts'
import { categoryNames } from '../commands/categories.ts'
import type { Command } from '../commands/command.ts'
import { findKeysWithFlags } from '../commands/key-positions.ts'
import { globMatch } from '../data/glob.ts'
import { flagBits } from '../server/command-table.ts'
import { describeCommands, inCategory } from './command-rules.ts'

/** A command or subcommand as permissions see it. */
export interface PermittedCommand {
  readonly command: Command
  readonly fullName: string
  readonly parent: PermittedCommand | undefined
  readonly subcommands: ReadonlyMap<string, PermittedCommand> | undefined
  readonly hasKeys: boolean
  has(bits: number): boolean
}

/** All commands of the server, whatever clients call them (`rename-command`). */
export interface PermittedCommands {
  /** By full name in lower case: `get`, `config|get`. */
  find(fullName: string): PermittedCommand | undefined
  rowOf(command: Command): PermittedCommand
  /** Commands without subcommands' rows. */
  readonly commands: readonly PermittedCommand[]
}

/** Why a command is not allowed: what kind of thing, and which one (one character per byte). */
export interface Denial {
  reason: 'command' | 'key' | 'channel'
  object: string
  /** Position among the arguments: of two selectors' denials the later is told. */
  index: number
}

const READ = 1
const WRITE = 2

interface KeyPattern {
  access: number
  pattern: Buffer
}

export const syntaxError = 'Syntax error'
const unknownCommand = 'Unknown command or category name in ACL'
const keysAfterAll =
  "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns"
const channelsAfterAll =
  "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels"
const firstArgumentOfSubcommand = 'Allowing first-arg of a subcommand is not supported'

export class Selector {
  private readonly table: PermittedCommands
  private allCommands = false
  private allKeys = false
  private allChannels: boolean
  private allowed = new Set<PermittedCommand>()
  /** First arguments that are allowed of a command that is not. */
  private firstArguments = new Map<PermittedCommand, string[]>()
  private keyPatterns: KeyPattern[] = []
  private channelPatterns: Buffer[] = []
  /** `+@all` was said and not taken back: what is added to the server later is allowed too. */
  private startsFromAll = false

  constructor(table: PermittedCommands, allChannels: boolean) {
    this.table = table
    this.allChannels = allChannels
  }

  copy(): Selector {
    const copy = new Selector(this.table, this.allChannels)
    copy.allCommands = this.allCommands
    copy.allKeys = this.allKeys
    copy.allowed = new Set(this.allowed)
    copy.firstArguments = new Map([...this.firstArguments].map(([command, words]) => [command, [...words]]))
    copy.keyPatterns = this.keyPatterns.map((one) => ({ ...one }))
    copy.channelPatterns = [...this.channelPatterns]
    copy.startsFromAll = this.startsFromAll
    return copy
  }

  /** Everything is allowed: nothing has to be asked. */
  get isUnrestricted(): boolean {
    return this.allCommands && this.allKeys && this.allChannels
  }

  // ---- rules

  /** Applies one rule (`+get`, `~key*`, `allchannels` …). Returns what is wrong with it. */
  apply(rule: string): string | undefined {
    const word = rule.toLowerCase()
    if (word === 'allkeys' || rule === '~*') this.setKeys(true)
    else if (word === 'resetkeys') this.setKeys(false)
    else if (word === 'allchannels' || rule === '&*') this.setChannels(true)
    else if (word === 'resetchannels') this.setChannels(false)
    else if (word === 'allcommands' || word === '+@all') this.setAllCommands(true)
    else if (word === 'nocommands' || word === '-@all') this.setAllCommands(false)
    else if (rule.startsWith('~') || rule.startsWith('%')) return this.addKeyPattern(rule)
    else if (rule.startsWith('&')) return this.addChannel(rule.slice(1))
    else if (word.startsWith('+@') || word.startsWith('-@')) return this.applyCategory(word)
    else if (word.startsWith('+')) return this.allow(word.slice(1), rule.slice(1))
    else if (word.startsWith('-')) return this.deny(word.slice(1))
    else return syntaxError
    return undefined
  }

  private setKeys(all: boolean): void {
    this.allKeys = all
    this.keyPatterns = []
  }

  private setChannels(all: boolean): void {
    this.allChannels = all
    this.channelPatterns = []
  }

  private setAllCommands(all: boolean): void {
    this.allCommands = all
    this.allowed.clear()
    this.firstArguments.clear()
    if (all) for (const command of this.table.commands) this.setAllowed(command, true)
    this.startsFromAll = all
  }

  private addKeyPattern(rule: string): string | undefined {
    if (this.allKeys) return keysAfterAll
    let access = 0
    let at = 0
    if (rule.startsWith('%')) {
      for (at = 1; at < rule.length && rule[at] !== '~'; at++) {
        const letter = rule[at]?.toUpperCase()
        const bit = letter === 'R' ? READ : letter === 'W' ? WRITE : 0
        if (bit === 0 || (access & bit) !== 0) return syntaxError
        access |= bit
      }
      if (access === 0) return syntaxError
    } else {
      access = READ | WRITE
    }
    const pattern = Buffer.from(rule.slice(at + 1), 'latin1')
    if (hasSpaces(pattern)) return syntaxError
    const known = this.keyPatterns.find((one) => one.pattern.equals(pattern))
    if (known === undefined) this.keyPatterns.push({ access, pattern })
    else known.access |= access
    return undefined
  }

  private addChannel(text: string): string | undefined {
    if (this.allChannels) return channelsAfterAll
    const pattern = Buffer.from(text, 'latin1')
    if (hasSpaces(pattern)) return syntaxError
    if (!this.channelPatterns.some((one) => one.equals(pattern))) this.channelPatterns.push(pattern)
    return undefined
  }

  /** `+@read`, `-@dangerous`. */
  private applyCategory(word: string): string | undefined {
    const category = word.slice(2)
    if (!categoryNames.includes(category)) return unknownCommand
    for (const command of inCategory(this.table, category)) this.setAllowed(command, word.startsWith('+'))
    return undefined
  }

  private allow(name: string, written: string): string | undefined {
    const at = name.lastIndexOf('|')
    if (at < 0) {
      const command = this.table.find(name)
      if (command === undefined) return unknownCommand
      this.setAllowed(command, true)
    } else {
      const command = this.table.find(name.slice(0, at))
      if (command === undefined) return unknownCommand
      if (command.parent !== undefined) return firstArgumentOfSubcommand
      if (at === name.length - 1) return syntaxError
      if (command.subcommands === undefined) this.addFirstArgument(command, written.slice(at + 1))
      else {
        const sub = this.table.find(name)
        if (sub === undefined) return unknownCommand
        this.setAllowed(sub, true)
      }
    }
    return undefined
  }

  private deny(name: string): string | undefined {
    const command = this.table.find(name)
    if (command === undefined) return unknownCommand
    this.setAllowed(command, false)
    return undefined
  }

  private addFirstArgument(command: PermittedCommand, word: string): void {
    const words = this.firstArguments.get(command) ?? []
    if (!words.some((one) => one.toLowerCase() === word.toLowerCase())) words.push(word)
    this.firstArguments.set(command, words)
  }

  private setAllowed(command: PermittedCommand, allowed: boolean): void {
    if (allowed) this.allowed.add(command)
    else {
      this.allowed.delete(command)
      this.allCommands = false
    }
    this.firstArguments.delete(command)
    for (const sub of command.subcommands?.values() ?? []) this.setAllowed(sub, allowed)
  }

  // ---- texts, one character per byte

  get commandsText(): string {
    return describeCommands(this.table, this.startsFromAll, this.allowed, this.firstArguments)
  }

  get keysText(): string {
    if (this.allKeys) return '~*'
    return this.keyPatterns.map(keyPatternText).join(' ')
  }

  get channelsText(): string {
    if (this.allChannels) return '&*'
    return this.channelPatterns.map((pattern) => `&${pattern.toString('latin1')}`).join(' ')
  }

  /** As ACL LIST prints it. */
  describe(): string {
    const channels = this.allChannels ? '&*' : `resetchannels ${this.channelsText}`.trimEnd()
    return [this.keysText, channels, this.commandsText].filter((part) => part !== '').join(' ')
  }

  // ---- questions

  /** Why the command is not allowed; undefined when it is. */
  denial(command: PermittedCommand, args: Arguments): Denial | undefined {
    if (!this.allCommands && !command.has(flagBits.no_auth) && !this.allowsCommand(command, args)) {
      return { reason: 'command', object: command.fullName, index: 0 }
    }
    return this.keyDenial(command, args) ?? this.channelDenial(command, args)
  }

  private allowsCommand(command: PermittedCommand, args: Arguments): boolean {
    if (this.allowed.has(command)) return true
    const at = command.parent === undefined ? 1 : 2
    const words = this.firstArguments.get(command)
    return words !== undefined && args.count > at && words.some((word) => args.is(at, word.toLowerCase()))
  }

  private keyDenial(command: PermittedCommand, args: Arguments): Denial | undefined {
    if (this.allKeys || !command.hasKeys) return undefined
    for (const { index, flags } of findKeysWithFlags(command.command, args) ?? []) {
      const key = args.copy(index)
      if (!this.allowsKey(key, accessOf(flags))) return { reason: 'key', object: key.toString('latin1'), index }
    }
    return undefined
  }

  private allowsKey(key: Uint8Array, access: number): boolean {
    return (
      this.allKeys || this.keyPatterns.some((one) => (one.access & access) === access && globMatch(one.pattern, key))
    )
  }

  /** Whether it is allowed to read whatever key there is. */
  get readsEveryKey(): boolean {
    return this.allKeys || this.keyPatterns.some((one) => (one.access & READ) !== 0 && one.pattern.equals(anyKey))
  }

  private channelDenial({ command }: PermittedCommand, args: Arguments): Denial | undefined {
    const { channels } = command
    if (this.allChannels || channels === undefined) return undefined
    const last = channels === 'first' ? 1 : args.count - 1
    for (let index = 1; index <= last; index++) {
      const name = args.copy(index)
      if (!this.allowsChannel(name, channels === 'patterns')) {
        return { reason: 'channel', object: name.toString('latin1'), index }
      }
    }
    return undefined
  }

  /** A pattern that a client subscribes to must be one of the patterns themselves. */
  allowsChannel(name: Uint8Array, isPattern: boolean): boolean {
    return this.allChannels || this.channelPatterns.some((one) => (isPattern ? one.equals(name) : globMatch(one, name)))
  }
}

const anyKey = Buffer.from('*')

/** The access that a key spec's flags stand for. */
function accessOf(flags: readonly string[]): number {
  const reads = flags.includes('access') ? READ : 0
  const writes = flags.some((flag) => flag === 'insert' || flag === 'delete' || flag === 'update') ? WRITE : 0
  return reads | writes
}

function keyPatternText({ access, pattern }: KeyPattern): string {
  const prefix = access === READ ? '%R~' : access === WRITE ? '%W~' : '~'
  return prefix + pattern.toString('latin1')
}

/** White space or a zero byte. */
export function hasSpaces(text: Uint8Array): boolean {
  return text.some((byte) => byte === 0 || byte === 32 || (byte >= 9 && byte <= 13))
}
