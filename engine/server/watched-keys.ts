/**
 * WATCH: which clients watch which keys, and who has to fail its EXEC.
 *
 * As in Redis 7.0, a key that was already expired when it was watched does not make EXEC fail merely because it is
 * removed later; a key that expires after WATCH does, whether or not anybody has removed it by then.
 */
import { type KeyspacePort, NO_ENTRY } from '../store/keyspace-port.ts'

/** Watching clients: what is kept with each. */
export interface Watcher {
  readonly watched: WatchedKey[]
  /** A watched key was changed: EXEC must answer nil. */
  watchBroken: boolean
}

export interface WatchedKey {
  readonly databaseIndex: number
  readonly key: Buffer
  readonly id: string
  /** Was there, but past its time, when WATCH was called. */
  expired: boolean
}

export class WatchedKeys {
  private readonly watchers = new Map<string, Set<Watcher>>()

  get isEmpty(): boolean {
    return this.watchers.size === 0
  }

  watch(watcher: Watcher, database: KeyspacePort, key: Buffer, expired: boolean): void {
    const id = identify(database.index, key)
    if (watcher.watched.some((watched) => watched.id === id)) return
    let clients = this.watchers.get(id)
    if (clients === undefined) {
      clients = new Set()
      this.watchers.set(id, clients)
    }
    clients.add(watcher)
    watcher.watched.push({ databaseIndex: database.index, key, id, expired })
  }

  unwatchAll(watcher: Watcher): void {
    for (const { id } of watcher.watched) {
      const clients = this.watchers.get(id)
      clients?.delete(watcher)
      if (clients?.size === 0) this.watchers.delete(id)
    }
    watcher.watched.length = 0
  }

  /** The key was changed in `database`. */
  touch(database: KeyspacePort, key: Buffer): void {
    const id = identify(database.index, key)
    const clients = this.watchers.get(id)
    if (clients === undefined) return
    for (const client of [...clients]) {
      const watched = client.watched.find((one) => one.id === id)
      if (watched?.expired && database.findKey(key) === NO_ENTRY) {
        watched.expired = false
        continue
      }
      this.break(client)
    }
  }

  /**
   * All keys of `database` go away, and those of `replacement`, if any, come in their place (FLUSHDB, SWAPDB). To be
   * called before it happens.
   */
  touchAll(database: KeyspacePort, replacement?: KeyspacePort): void {
    for (const [id, clients] of [...this.watchers]) {
      for (const client of [...clients]) {
        const watched = client.watched.find((one) => one.id === id)
        if (watched === undefined || watched.databaseIndex !== database.index) continue
        const exists = database.findKey(watched.key) !== NO_ENTRY
        const comes = replacement !== undefined && replacement.findKey(watched.key) !== NO_ENTRY
        if (watched.expired && !comes) watched.expired = false
        else if (exists || comes) this.break(client)
      }
    }
  }

  private break(client: Watcher): void {
    client.watchBroken = true
    this.unwatchAll(client)
  }
}

function identify(databaseIndex: number, key: Buffer): string {
  return `${databaseIndex}:${key.toString('latin1')}`
}
