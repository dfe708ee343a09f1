/**
 * Who may do what: the one place that dispatch asks, and that AUTH and HELLO use. Until there are ACLs there is one
 * user, `default`, whose password is `requirepass`.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { errors } from '../commands/errors.ts'
import type { Client } from './client.ts'
import { type CommandRecord, flagBits } from './command-table.ts'

export class Access {
  private readonly password: () => string

  constructor(password: () => string) {
    this.password = password
  }

  /** The default user has a password. */
  get passwordRequired(): boolean {
    return this.password() !== ''
  }

  /** Whether these are good credentials. Takes the same time for every wrong password. */
  authenticate(userName: string, password: Buffer): boolean {
    if (userName !== 'default') return false
    if (!this.passwordRequired) return true
    return timingSafeEqual(digest(password), digest(Buffer.from(this.password(), 'latin1')))
  }

  /** Why this client may not run the command: a complete error; undefined when it may. */
  refusal(client: Client, record: CommandRecord): string | undefined {
    if (client.authenticated || client.kind === 'primary') return undefined
    if (!this.passwordRequired || record.has(flagBits.no_auth)) return undefined
    return errors.noAuth
  }
}

function digest(text: Buffer): Buffer {
  return createHash('sha256').update(text).digest()
}
