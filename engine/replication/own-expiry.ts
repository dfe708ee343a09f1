/**
 * Keys with an expiry that clients have written to a replica that may be written to (`replica-read-only no`). The
 * primary knows nothing of them and will never send their DEL, so the replica removes them itself: Redis's
 * `expireSlaveKeys`.
 *
 * What sets an expiry is known from the commands that a primary would propagate; a key that has lost its expiry in the
 * meantime is forgotten when its turn comes.
 */
import type { Arguments } from '../commands/arguments.ts'
import type { Server } from '../server/server.ts'
import { NO_ENTRY } from '../store/keyspace-port.ts'

/** A round ends after so many keys whose time has not come. */
const WAITING_PER_ROUND = 20
const ROUND_KEYS_MAX = 1000

/** Position of the key that may have an expiry afterwards, by the command's name as it is propagated. */
const keyPositions = new Map([
  ['pexpireat', 1],
  ['set', 1],
  ['restore', 1],
  ['copy', 2],
  ['rename', 2],
  ['renamenx', 2],
])

export class OwnExpiry {
  private readonly server: Server
  /** Indices of databases by the key's name; the one that waits longest comes first. */
  private readonly keys = new Map<string, Set<number>>()

  constructor(server: Server) {
    this.server = server
  }

  /** How many names of keys are kept. */
  get size(): number {
    return this.keys.size
  }

  /** A client, or the primary, has run this command. */
  note(databaseIndex: number, args: Arguments, isOfPrimary: boolean): void {
    const name = args.latin1(0).toLowerCase()
    if (name === 'flushall') this.clear()
    const position = isOfPrimary ? undefined : keyPositions.get(name)
    if (position === undefined || (name === 'set' && !hasTime(args))) return
    const key = args.latin1(position)
    if (!this.hasExpiry(databaseIndex, key)) return
    const databases = this.keys.get(key)
    if (databases === undefined) this.keys.set(key, new Set([databaseIndex]))
    else databases.add(databaseIndex)
  }

  private hasExpiry(databaseIndex: number, key: string): boolean {
    const database = this.server.databases[databaseIndex]
    const entry = database?.findKey(Buffer.from(key, 'latin1')) ?? NO_ENTRY
    return database !== undefined && entry !== NO_ENTRY && database.expireAtMs(entry) >= 0
  }

  clear(): void {
    this.keys.clear()
  }

  /** Removes keys whose time has come, and forgets those that have none any more. */
  cycle(): void {
    let waiting = 0
    let seen = 0
    for (const [key, databases] of this.keys) {
      if (++seen > Math.min(ROUND_KEYS_MAX, this.keys.size)) return
      this.keys.delete(key)
      for (const index of databases) if (!this.hasExpiry(index, key) || this.expire(index, key)) databases.delete(index)
      if (databases.size === 0) continue
      this.keys.set(key, databases)
      if (++waiting === WAITING_PER_ROUND) return
    }
  }

  /** False: its time has not come. */
  private expire(databaseIndex: number, key: string): boolean {
    const { server } = this
    const database = server.databases[databaseIndex]
    const entry = database?.findKey(Buffer.from(key, 'latin1')) ?? NO_ENTRY
    if (database === undefined || database.expireAtMs(entry) >= server.nowMs) return false
    server.removeExpired(database, entry)
    return true
  }
}

/** `SET key value PXAT time`. */
function hasTime(args: Arguments): boolean {
  for (let i = 3; i < args.count; i++) if (args.is(i, 'pxat')) return true
  return false
}
