/**
 * The context of running commands: the rules that every command shares. One object serves all commands of a server;
 * a command inside another one (EXEC, scripts) saves and restores its fields around the inner run.
 *
 * Expiry on access, as Redis 7.0 has it: on a primary an expired key is removed, and the removal propagated, before
 * the command sees the database. A replica never removes by itself: its clients see the key as missing, its primary's
 * stream sees it as it is, since the primary decides.
 */
import { Arguments } from '../commands/arguments.ts'
import type { Command } from '../commands/command.ts'
import type { Context, EventClass } from '../commands/context.ts'
import type { Reply } from '../resp/reply.ts'
import { lfuTouched } from '../store/access-clock.ts'
import { type Entry, type KeyspacePort, NO_ENTRY } from '../store/keyspace-port.ts'
import type { Client } from './client.ts'
import type { CommandRecord } from './command-table.ts'
import type { ClientConnection } from './connection.ts'
import type { RunningServer } from './running-server.ts'

/** What a command leaves for propagation, and which one it was. Saved around nested commands. */
export interface Frame {
  client: Client
  record: CommandRecord
  args: Arguments
  reply: Reply
  db: KeyspacePort
  changes: number
  replacement: Arguments | undefined
  additions: Arguments[] | undefined
  prevented: boolean
  forced: 'everywhere' | 'replicas' | undefined
}

export class CommandContext implements Context {
  readonly server: RunningServer
  client!: Client
  record!: CommandRecord
  args!: Arguments
  reply!: Reply
  db!: KeyspacePort
  nowMs = 0
  changes = 0
  replacement: Arguments | undefined = undefined
  additions: Arguments[] | undefined = undefined
  prevented = false
  forced: 'everywhere' | 'replicas' | undefined = undefined

  constructor(server: RunningServer) {
    this.server = server
  }

  get command(): Command {
    return this.record.command
  }

  begin(client: Client, record: CommandRecord, args: Arguments, reply: Reply): void {
    this.client = client
    this.record = record
    this.args = args
    this.reply = reply
    this.db = this.server.databases[client.databaseIndex] as KeyspacePort
    this.nowMs = this.server.nowMs
    this.changes = 0
    this.replacement = undefined
    this.additions = undefined
    this.prevented = false
    this.forced = undefined
  }

  save(): Frame {
    const { client, record, args, reply, db, changes, replacement, additions, prevented, forced } = this
    return { client, record, args, reply, db, changes, replacement, additions, prevented, forced }
  }

  /** Field by field: Object.assign calls into the runtime, for each command of a script. */
  restore(frame: Frame): void {
    this.client = frame.client
    this.record = frame.record
    this.args = frame.args
    this.reply = frame.reply
    this.db = frame.db
    this.changes = frame.changes
    this.replacement = frame.replacement
    this.additions = frame.additions
    this.prevented = frame.prevented
    this.forced = frame.forced
  }

  lookupRead(keyIndex: number): Entry {
    const { args } = this
    const entry = this.present(this.db.find(args.memory, args.start(keyIndex), args.end(keyIndex)))
    if (entry === NO_ENTRY) this.missed(keyIndex)
    else this.server.stats.keyspaceHits++
    return entry
  }

  lookupWrite(keyIndex: number): Entry {
    const { args } = this
    return this.present(this.db.find(args.memory, args.start(keyIndex), args.end(keyIndex)))
  }

  lookupKey(key: Buffer, forWrite: boolean, db = this.db): Entry {
    const entry = this.present(db.findKey(key), db)
    if (forWrite) return entry
    if (entry !== NO_ENTRY) this.server.stats.keyspaceHits++
    else {
      this.server.stats.keyspaceMisses++
      this.notify('keyMiss', 'keymiss', key, db)
    }
    return entry
  }

  private missed(keyIndex: number): void {
    this.server.stats.keyspaceMisses++
    if (this.server.events.flags !== 0) this.notify('keyMiss', 'keymiss', this.args.copy(keyIndex))
  }

  /** The entry, unless its time has come. */
  private present(entry: Entry, db = this.db): Entry {
    if (entry === NO_ENTRY) return NO_ENTRY
    const expireAtMs = db.expireAtMs(entry)
    if (expireAtMs >= 0 && this.nowMs > expireAtMs) return this.expired(entry, db)
    if (this.server.countsUses) this.countUse(entry, db)
    else db.setAccessed(entry, db.accessClock)
    return entry
  }

  private countUse(entry: Entry, db: KeyspacePort): void {
    const { config, io } = this.server
    const { 'lfu-decay-time': decayMinutes, 'lfu-log-factor': logFactor } = config.values
    const fraction = io.random.fraction()
    db.setAccessed(entry, lfuTouched(db.accessed(entry), this.nowMs, decayMinutes, logFactor, fraction))
  }

  private expired(entry: Entry, db: KeyspacePort): Entry {
    const { server } = this
    if (server.loading || this.client.kind === 'primary') return entry
    if (server.replication.role === 'primary' && !server.pause.active) server.removeExpired(db, entry)
    return NO_ENTRY
  }

  changed(keyIndex: number, eventClass: EventClass, event: string): void {
    this.changes++
    if (this.server.keyChangesMatter) this.changedSlowly(this.args.copy(keyIndex), eventClass, event)
  }

  changedKey(key: Buffer, eventClass: EventClass, event: string, db = this.db): void {
    this.changes++
    if (this.server.keyChangesMatter) this.changedSlowly(key, eventClass, event, db)
  }

  private changedSlowly(key: Buffer, eventClass: EventClass, event: string, db = this.db): void {
    this.server.keyTouched(db, key)
    this.server.blockedKeys.touch(db, key)
    this.notify(eventClass, event, key, db)
  }

  touched(keyIndex: number): void {
    this.changes++
    this.server.keyTouched(this.db, this.args.copy(keyIndex))
  }

  created(keyIndex: number): void {
    if (this.server.events.flags !== 0) this.notify('new', 'new', this.args.copy(keyIndex))
  }

  notify(eventClass: EventClass, event: string, key: Buffer, db = this.db): void {
    if (this.server.events.flags !== 0) this.server.events.notify(eventClass, event, key, db.index)
  }

  dirty(changes: number): void {
    this.changes += changes
  }

  get isPropagated(): boolean {
    return this.server.propagation.isListening
  }

  propagateAs(words: readonly (string | Buffer)[] | Arguments): void {
    if (this.isPropagated) this.replacement = words instanceof Arguments ? words : Arguments.of(words)
  }

  alsoPropagate(words: readonly (string | Buffer)[]): void {
    if (!this.isPropagated) return
    this.additions ??= []
    this.additions.push(Arguments.of(words))
  }

  preventPropagation(): void {
    this.prevented = true
  }

  forcePropagation(to: 'everywhere' | 'replicas'): void {
    this.forced = to
  }

  runInside(command: Command, args: Arguments): void {
    const { dispatcher, commands } = this.server
    dispatcher.call(this.client as ClientConnection, commands.recordOf(command), args, this.reply)
  }

  block(kind: string, deadlineMs: number, onTimeout: (client: Client, reply: Reply) => void, onEnd?: () => void): void {
    this.client.block(kind, deadlineMs, onTimeout, onEnd)
  }

  resumption(): (reply: Reply, body: (context: Context) => void) => void {
    const { client, record, server } = this
    const args = this.args.clone()
    return (reply, body) => server.dispatcher.resume(client as ClientConnection, record, args, reply, body)
  }
}
