/**
 * Who may do what: the users, and the one place that dispatch, scripts, AUTH and HELLO ask.
 *
 * A client refers to its user by object, so that a change of its rules acts at once; a user that is deleted takes its
 * clients along. The password of the user `default` and `requirepass` are one: setting the parameter changes the user.
 */
import type { Arguments } from '../commands/arguments.ts'
import type { Command } from '../commands/command.ts'
import { errors } from '../commands/errors.ts'
import type { Disk } from '../io.ts'
import type { Client } from '../server/client.ts'
import { type CommandRecord, flagBits } from '../server/command-table.ts'
import type { Config } from '../server/config.ts'
import { ConfigError } from '../server/config-file.ts'
import { AclLog } from './acl-log.ts'
import { type Denial, hasSpaces, type PermittedCommands } from './selector.ts'
import { User } from './user.ts'
import { loadUserLine, readUserFile } from './user-file.ts'

export interface AccessSettings {
  table: PermittedCommands
  channelsByDefault(): boolean
  /** `acllog-max-len` */
  logLengthMax(): number
  nowMs(): number
  clients(): Iterable<Client>
  /** The line of CLIENT LIST. */
  describe(client: Client): string
}

/** Why a set of users was refused: the position of the rule, from 0. */
export interface RuleError {
  index: number
  message: string
}

const usersTwice =
  'Configuring Redis with users defined in redis.conf and at the same setting an ACL file path is invalid. This setup is very likely to lead to configuration errors and security holes, please define either an ACL file or declare users directly in your redis.conf, but not both.'

export const duplicateUser = 'Duplicate user found. A user can only be defined once in config files'

export class Access {
  readonly log: AclLog
  private readonly settings: AccessSettings
  private users = new Map<string, User>()
  /** The same object for ever. */
  readonly defaultUser: User

  constructor(settings: AccessSettings) {
    this.settings = settings
    this.log = new AclLog(() => settings.logLengthMax())
    this.defaultUser = this.freshDefault()
    this.users.set('default', this.defaultUser)
  }

  // ---- users

  /** In the order of their names' bytes. Names are one character per byte. */
  list(): User[] {
    return [...this.users.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  find(name: string): User | undefined {
    return this.users.get(name)
  }

  /** A user that is not on the list yet. */
  newUser(name: string): User {
    const { table, channelsByDefault } = this.settings
    return new User(name, { table, channelsByDefault })
  }

  /** `default` as it is before anybody has said anything: everything, without a password. */
  private freshDefault(): User {
    const user = this.newUser('default')
    for (const rule of everything) user.apply(rule)
    return user
  }

  /**
   * Applies rules to a user, who is made when there is none of the name; all of them or none. Selectors are merged
   * already.
   */
  setUser(name: string, rules: readonly string[]): RuleError | undefined {
    const user = this.users.get(name)
    const changed = user?.copy() ?? this.newUser(name)
    for (const [index, rule] of rules.entries()) {
      const message = changed.apply(rule)
      if (message !== undefined) return { index, message }
    }
    if (user === undefined) this.users.set(name, changed)
    else {
      user.become(changed)
      this.closeSubscribers(user)
    }
    return undefined
  }

  /** Deletes a user and closes its clients; the one that asked gets its answer first. False: there is none. */
  deleteUser(name: string, asking: Client): boolean {
    const user = this.users.get(name)
    if (user === undefined) return false
    this.users.delete(name)
    this.closeClientsOf(user, asking)
    return true
  }

  /** Puts other users in the place of all (ACL LOAD). `default` stays the same object. */
  replaceUsers(users: ReadonlyMap<string, User>, asking: Client | undefined): void {
    const old = this.users
    this.defaultUser.become(users.get('default') ?? this.freshDefault())
    this.users = new Map([...users, ['default', this.defaultUser]])
    for (const user of old.values()) if (user !== this.defaultUser) this.closeClientsOf(user, asking)
  }

  private closeClientsOf(user: User, asking: Client | undefined): void {
    for (const client of [...this.settings.clients()]) {
      if (client.user !== user) continue
      if (client === asking) client.closeAfterReply()
      else client.close()
    }
  }

  /** Subscribers who may not listen any more to what they listen to. */
  private closeSubscribers(user: User): void {
    for (const client of [...this.settings.clients()]) {
      if (client.user !== user) continue
      const { channels, patterns, shardChannels } = client.subscriptions
      const allows = (names: Iterable<string>, isPattern: boolean) =>
        [...names].every((name) => user.allowsChannel(Buffer.from(name, 'latin1'), isPattern))
      if (!allows(channels, false) || !allows(shardChannels, false) || !allows(patterns, true)) client.close()
    }
  }

  /**
   * Takes up users and password of the configuration, and follows both.
   * @throws {ConfigError} a user is not right; with the line
   */
  followConfig(config: Config): void {
    const seen = new Set<string>()
    for (const { words, line } of config.directives.users) {
      const message = loadUserLine(this, words, seen)
      if (message !== undefined) throw new ConfigError(message, line)
    }
    const password = () => this.setDefaultPassword(config.values.requirepass)
    if (config.values.requirepass !== '') password()
    config.onChange('requirepass', password)
    config.describeUsers = () =>
      this.list().map((user) => Buffer.from(`${user.name} ${user.describe()}`, 'latin1').toString())
  }

  /** Reads the file of users at start. Returns why the server cannot start. */
  loadFile(config: Config, disk: Disk): string | undefined {
    const { aclfile } = config.values
    if (aclfile === '') return undefined
    if (config.directives.users.length > 0) return usersTwice
    const users = readUserFile(this, disk, config.pathOf(aclfile))
    if (typeof users === 'string') return `Aborting Redis startup because of ACL errors: ${users}`
    this.replaceUsers(users, undefined)
    return undefined
  }

  /** `requirepass` was set: it is the password of `default`. */
  private setDefaultPassword(password: string): void {
    this.defaultUser.apply('resetpass')
    this.defaultUser.apply(password === '' ? 'nopass' : `>${password}`)
  }

  // ---- questions

  /** A client that has not logged in may do nothing. */
  get passwordRequired(): boolean {
    return !this.defaultUser.noPassword || !this.defaultUser.enabled
  }

  /** The user of these credentials; undefined when they are wrong, which is logged. */
  authenticate(client: Client, name: string, password: Buffer): User | undefined {
    const user = this.users.get(name)
    if (user?.accepts(password)) return user
    this.note(client, { reason: 'auth', object: client.lastCommandName ?? 'auth', index: 0 }, 'toplevel', name)
    return undefined
  }

  /** Why this client may not run the command: a complete error; undefined when it may. */
  refusal(client: Client, record: CommandRecord, args: Arguments): string | undefined {
    const { user } = client
    if (user === undefined) return undefined
    if (!client.authenticated && this.passwordRequired && !record.has(flagBits.no_auth)) return errors.noAuth
    if (user.isUnrestricted) return undefined
    const denial = user.denial(record, args)
    if (denial === undefined) return undefined
    this.note(client, denial, client.transaction === undefined ? 'toplevel' : 'multi', user.name)
    return `NOPERM this user has no permissions to ${denialText(denial)}`
  }

  /** Whether the client's user may run the command; asking leaves no trace. */
  allows({ user }: Client, record: CommandRecord, args: Arguments): boolean {
    return user === undefined || user.denial(record, args) === undefined
  }

  /** Whether the client's user may run the command and read all keys there are. */
  allowsReadingEveryKey({ user }: Client, command: Command, args: Arguments): boolean {
    return user === undefined || user.allowsReadingEveryKey(this.settings.table.rowOf(command), args)
  }

  /** Why a queued or scripted command is not allowed (any more), noted in the log. */
  denialInside(client: Client, command: Command, args: Arguments, context: 'multi' | 'lua'): Denial | undefined {
    const { user } = client
    if (user === undefined || user.isUnrestricted) return undefined
    const denial = user.denial(this.settings.table.rowOf(command), args)
    if (denial !== undefined) this.note(client, denial, context, client.userName)
    return denial
  }

  private note(
    client: Client,
    { reason, object }: Omit<Denial, 'reason'> & { reason: Denial['reason'] | 'auth' },
    context: 'toplevel' | 'multi' | 'lua',
    userName: string,
  ): void {
    const { describe, nowMs } = this.settings
    this.log.add({ reason, context, object, userName, client: describe(client) }, nowMs())
  }
}

const everything = ['on', 'nopass', '~*', '&*', '+@all']

/** `run the 'get' command`: what a user has no permissions to. */
export function denialText({ reason, object }: Denial): string {
  if (reason === 'command') return `run the '${object}' command`
  return `access one of the ${reason}s used as arguments`
}

/** Undefined when the name can be one. */
export function userNameRefusal(name: string): string | undefined {
  return hasSpaces(Buffer.from(name, 'latin1')) ? "Usernames can't contain spaces or null characters" : undefined
}

/**
 * Puts together what a selector in parentheses was split into: `(+get`, `~a)` becomes `(+get ~a)`. A number is the
 * position of one that is never closed.
 */
export function mergeSelectors(words: readonly string[]): string[] | number {
  const merged: string[] = []
  let open: { at: number; parts: string[] } | undefined
  for (const [at, word] of words.entries()) {
    if (open === undefined && (!word.startsWith('(') || word.endsWith(')'))) {
      merged.push(word)
      continue
    }
    open ??= { at, parts: [] }
    open.parts.push(word)
    if (word.endsWith(')')) {
      merged.push(open.parts.join(' '))
      open = undefined
    }
  }
  return open === undefined ? merged : open.at
}
