/**
 * Clients that wait for a key to hold something for them (BLPOP and its kin): who waits for which key, in the order in
 * which they came, and which of these keys have changed.
 *
 * As in Redis 7.0, nobody is served while a command, a transaction or a script runs, but when the outermost one has
 * ended; then key by key in the order of their first change, and for each key the client first that has waited longest.
 * Serving may change further keys (BLMOVE): they come in the next round.
 */
import type { Context } from '../commands/context.ts'
import type { Reply } from '../resp/reply.ts'
import { type KeyspacePort, NO_ENTRY, type ValueType } from '../store/keyspace-port.ts'
import type { Client } from './client.ts'

/** What a command waits for, and how it goes on. */
export interface Wait {
  /** A key of another type does not end the wait. */
  readonly type: ValueType
  /** Unix time, 0: for ever. */
  readonly deadlineMs: number
  /** Whether the key, which is there and of the right type, holds something for this client. Must change nothing. */
  canServe(database: KeyspacePort, key: Buffer): boolean
  /** Takes it, answers and says what to propagate, in the client's context. */
  serve(context: Context, key: Buffer): void
  onTimeout(reply: Reply): void
  /** The key has gone, or holds another type now: ends the wait with an answer. Without it the wait goes on. */
  onGone?(reply: Reply): void
}

interface Waiter {
  readonly client: Client
  /** Whether the command that waits is a write. */
  readonly writes: boolean
  readonly wait: Wait
  readonly ids: readonly string[]
  /** Runs `body` as the command that waits, when the client has been unblocked. */
  readonly resume: (reply: Reply, body: (context: Context) => void) => void
}

interface ReadyKey {
  readonly database: KeyspacePort
  readonly key: Buffer
}

export class BlockedKeys {
  private readonly waiters = new Map<string, Set<Waiter>>()
  private ready = new Map<string, ReadyKey>()
  private serving = false

  get isEmpty(): boolean {
    return this.waiters.size === 0
  }

  get hasReady(): boolean {
    return this.ready.size > 0
  }

  /**
   * Parks the context's client until one of `keys` of its database can serve it. Not for clients with `denyBlocking`.
   */
  park(context: Context, keys: readonly Buffer[], wait: Wait): void {
    const { client, command, db } = context
    const writes = command.flags.includes('write')
    const ids = [...new Set(keys.map((key) => identify(db.index, key)))]
    const waiter: Waiter = { client, writes, wait, ids, resume: context.resumption() }
    for (const id of ids) {
      let waiters = this.waiters.get(id)
      if (waiters === undefined) {
        waiters = new Set()
        this.waiters.set(id, waiters)
      }
      waiters.add(waiter)
    }
    context.block(
      'keys',
      wait.deadlineMs,
      (_client, reply) => wait.onTimeout(reply),
      () => this.forget(waiter),
    )
  }

  private forget(waiter: Waiter): void {
    for (const id of waiter.ids) {
      const waiters = this.waiters.get(id)
      waiters?.delete(waiter)
      if (waiters?.size === 0) this.waiters.delete(id)
    }
  }

  /** The key was changed: those who wait for it are looked at when the outermost command has ended. */
  touch(database: KeyspacePort, key: Buffer): void {
    const id = identify(database.index, key)
    if (this.waiters.has(id) && !this.ready.has(id)) this.ready.set(id, { database, key: Buffer.from(key) })
  }

  /** The contents of the database were exchanged for others (SWAPDB). */
  touchAll(database: KeyspacePort): void {
    for (const id of this.waiters.keys()) {
      const separator = id.indexOf(':')
      if (Number(id.slice(0, separator)) !== database.index) continue
      this.touch(database, Buffer.from(id.slice(separator + 1), 'latin1'))
    }
  }

  /** Serves whoever can be served by keys that have changed. */
  serve(): void {
    if (this.serving) return
    this.serving = true
    while (this.ready.size > 0) {
      const ready = this.ready
      this.ready = new Map()
      for (const [id, { database, key }] of ready) this.serveKey(id, database, key)
    }
    this.serving = false
  }

  private serveKey(id: string, database: KeyspacePort, key: Buffer): void {
    for (const waiter of [...(this.waiters.get(id) ?? [])]) {
      const { client, wait } = waiter
      const entry = database.findKey(key)
      if (entry === NO_ENTRY || database.type(entry) !== wait.type) {
        const { onGone } = wait
        if (onGone !== undefined) client.unblock((reply) => onGone(reply))
        continue
      }
      if (!wait.canServe(database, key)) continue
      client.unblock((reply) => waiter.resume(reply, (context) => wait.serve(context, key)))
    }
  }

  /** Ends waits with the error that `refusal` gives for a client and its first key (all are in one slot). */
  redirect(refusal: (client: Client, key: Buffer, writes: boolean) => string | undefined): void {
    const waiters = new Set([...this.waiters.values()].flatMap((set) => [...set]))
    for (const { client, ids, writes } of waiters) {
      const id = ids[0] as string
      const message = refusal(client, Buffer.from(id.slice(id.indexOf(':') + 1), 'latin1'), writes)
      if (message !== undefined) client.unblock((reply) => reply.error(message))
    }
  }

  /** This server stops being a primary: what the clients wait for will come to another one. */
  giveUp(): void {
    const waiters = new Set([...this.waiters.values()].flatMap((set) => [...set]))
    for (const { client } of waiters) {
      client.unblock((reply) => reply.error(INSTANCE_CHANGED))
      client.closeAfterReply()
    }
  }
}

const INSTANCE_CHANGED = 'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)'

function identify(databaseIndex: number, key: Buffer): string {
  return `${databaseIndex}:${key.toString('latin1')}`
}
