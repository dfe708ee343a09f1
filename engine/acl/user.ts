/** A user: whether it may log in, its passwords as SHA-256, and its selectors. Rules are those of ACL SETUSER. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Arguments } from '../commands/arguments.ts'
import { type Denial, type PermittedCommand, type PermittedCommands, Selector, syntaxError } from './selector.ts'

const noSuchPassword = 'The password you are trying to remove from the user does not exist'
const badHash = 'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters'

export interface UserSettings {
  table: PermittedCommands
  /** `acl-pubsub-default` is `allchannels`. */
  channelsByDefault: () => boolean
}

export class User {
  readonly name: string
  private readonly settings: UserSettings
  enabled = false
  noPassword = false
  /** ACL LIST prints what was said explicitly. */
  sanitizesPayload: boolean | undefined = undefined
  /** Lower-case hexadecimal. */
  private hashes: string[] = []
  private root: Selector
  private others: Selector[] = []
  /** The root selector allows everything: asked for every command. */
  isUnrestricted = false

  /** Off, without password and permissions. `name`: one character per byte. */
  constructor(name: string, settings: UserSettings) {
    this.name = name
    this.settings = settings
    this.root = new Selector(settings.table, settings.channelsByDefault())
  }

  get passwordHashes(): readonly string[] {
    return this.hashes
  }

  /** The root selector first. */
  get selectors(): readonly Selector[] {
    return [this.root, ...this.others]
  }

  copy(): User {
    const copy = new User(this.name, this.settings)
    copy.become(this)
    return copy
  }

  /** Takes over everything but the name. */
  become(other: User): void {
    this.enabled = other.enabled
    this.noPassword = other.noPassword
    this.sanitizesPayload = other.sanitizesPayload
    this.hashes = [...other.hashes]
    this.root = other.root.copy()
    this.others = other.others.map((one) => one.copy())
    this.isUnrestricted = this.root.isUnrestricted
  }

  /** Applies one rule, a selector in parentheses included. Returns what is wrong with it. */
  apply(rule: string): string | undefined {
    const failure = this.applyUserRule(rule)
    const wrong = failure === 'no user rule' ? this.root.apply(rule) : failure
    this.isUnrestricted = this.root.isUnrestricted
    return wrong
  }

  private applyUserRule(rule: string): string | undefined {
    switch (rule.toLowerCase()) {
      case '':
        return undefined
      case 'on':
        this.enabled = true
        return undefined
      case 'off':
        this.enabled = false
        return undefined
      case 'nopass':
        this.noPassword = true
        this.hashes = []
        return undefined
      case 'resetpass':
        this.noPassword = false
        this.hashes = []
        return undefined
      case 'sanitize-payload':
        this.sanitizesPayload = true
        return undefined
      case 'skip-sanitize-payload':
        this.sanitizesPayload = false
        return undefined
      case 'clearselectors':
        this.others = []
        return undefined
      case 'reset':
        this.reset()
        return undefined
    }
    if (rule.startsWith('(')) return this.addSelector(rule)
    if ('><#!'.includes(rule[0] ?? ' ')) return this.applyPassword(rule)
    return 'no user rule'
  }

  private reset(): void {
    this.become(new User(this.name, this.settings))
    this.sanitizesPayload = true
  }

  private addSelector(rule: string): string | undefined {
    if (!rule.endsWith(')')) return syntaxError
    const selector = new Selector(this.settings.table, this.settings.channelsByDefault())
    for (const part of rule.slice(1, -1).split(' ')) {
      if (part === '') continue
      const wrong = selector.apply(part)
      if (wrong !== undefined) return wrong
    }
    this.others.push(selector)
    return undefined
  }

  private applyPassword(rule: string): string | undefined {
    const isHash = rule.startsWith('#') || rule.startsWith('!')
    const text = rule.slice(1)
    if (isHash && !/^[0-9a-f]{64}$/.test(text)) return badHash
    const hash = isHash ? text : hashOf(Buffer.from(text, 'latin1'))
    if (rule.startsWith('>') || rule.startsWith('#')) {
      if (!this.hashes.includes(hash)) this.hashes.push(hash)
      this.noPassword = false
      return undefined
    }
    if (!this.hashes.includes(hash)) return noSuchPassword
    this.hashes = this.hashes.filter((one) => one !== hash)
    return undefined
  }

  /** Takes the same time for every wrong password. */
  accepts(password: Buffer): boolean {
    if (!this.enabled) return false
    if (this.noPassword) return true
    const hash = Buffer.from(hashOf(password))
    return this.hashes.reduce((found, one) => timingSafeEqual(hash, Buffer.from(one)) || found, false)
  }

  /**
   * Why the command is not allowed by any selector; undefined when one allows it. Of several reasons the one that got
   * furthest is told: a key is further than the command, a later key than an earlier one.
   */
  denial(command: PermittedCommand, args: Arguments): Denial | undefined {
    if (this.isUnrestricted) return undefined
    let furthest: Denial | undefined
    for (const selector of this.selectors) {
      const denial = selector.denial(command, args)
      if (denial === undefined) return undefined
      if (furthest === undefined || isFurther(denial, furthest)) furthest = denial
    }
    return furthest
  }

  /** Whether one selector allows the command and every key to read: SORT finds keys that no argument names. */
  allowsReadingEveryKey(command: PermittedCommand, args: Arguments): boolean {
    return this.selectors.some((one) => one.readsEveryKey && one.denial(command, args) === undefined)
  }

  allowsChannel(name: Uint8Array, isPattern: boolean): boolean {
    return this.selectors.some((selector) => selector.allowsChannel(name, isPattern))
  }

  /** As ACL LIST prints it, without `user` and the name. */
  describe(): string {
    const { selectors } = this
    const words = [...this.flags(), ...this.hashes.map((hash) => `#${hash}`)]
    return [...words, ...selectors.map((one, i) => (i === 0 ? one.describe() : `(${one.describe()})`))].join(' ')
  }

  flags(): string[] {
    const flags = [this.enabled ? 'on' : 'off']
    if (this.noPassword) flags.push('nopass')
    if (this.sanitizesPayload !== undefined) {
      flags.push(this.sanitizesPayload ? 'sanitize-payload' : 'skip-sanitize-payload')
    }
    return flags
  }
}

const order = ['command', 'key', 'channel'] as const

function isFurther(one: Denial, other: Denial): boolean {
  const ranks = [order.indexOf(one.reason), order.indexOf(other.reason)] as const
  return ranks[0] > ranks[1] || (ranks[0] === ranks[1] && one.index > other.index)
}

function hashOf(password: Buffer): string {
  return createHash('sha256').update(password).digest('hex')
}
