/** ACL LOG: what was refused, newest first. Equal refusals within a minute count in one entry, as in Redis. */

export interface Refusal {
  reason: 'auth' | 'command' | 'key' | 'channel'
  context: 'toplevel' | 'multi' | 'lua' | 'module'
  /** The command, key or channel, one character per byte. */
  object: string
  userName: string
  /** The client's line of CLIENT LIST. */
  client: string
}

export interface LogEntry extends Refusal {
  count: number
  atMs: number
}

/** Within this time an equal refusal is counted in the old entry. */
const GROUPED_MS = 60_000
/** So many entries are looked at for an equal one. */
const LOOKED_AT = 10

export class AclLog {
  private readonly maxLength: () => number
  private list: LogEntry[] = []

  /** @param maxLength `acllog-max-len` */
  constructor(maxLength: () => number) {
    this.maxLength = maxLength
  }

  /** Newest first. */
  get entries(): readonly LogEntry[] {
    return this.list
  }

  add(refusal: Refusal, atMs: number): void {
    const same = this.list.slice(0, LOOKED_AT).find((one) => isSame(one, refusal) && atMs - one.atMs <= GROUPED_MS)
    if (same === undefined) {
      this.list.unshift({ ...refusal, count: 1, atMs })
      this.list.length = Math.min(this.list.length, this.maxLength())
      return
    }
    same.count++
    same.atMs = atMs
    same.client = refusal.client
    this.list = [same, ...this.list.filter((one) => one !== same)]
  }

  reset(): void {
    this.list = []
  }
}

function isSame(one: Refusal, other: Refusal): boolean {
  return (
    one.reason === other.reason &&
    one.context === other.context &&
    one.object === other.object &&
    one.userName === other.userName
  )
}
