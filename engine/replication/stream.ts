/**
 * The replication stream of one server: its two names, how long it is, its history.
 *
 * A stream has a name (`id`) and a length (`offset`). A primary that takes over from another goes on with the other's
 * stream under a new name; then `secondId` is the old name, good for requests up to `secondIdEnd` (the first offset
 * that only exists under the new one). This is what makes partial resyncs after a failover possible.
 */
import type { Arguments } from '../commands/arguments.ts'
import { Arguments as Words } from '../commands/arguments.ts'
import type { Random } from '../io.ts'
import type { Log } from '../server/log.ts'
import { Backlog } from './backlog.ts'

export const NO_ID = '0'.repeat(40)

export class ReplicationStream {
  id: string
  secondId = NO_ID
  /** -1: there is no second id. */
  secondIdEnd = -1
  backlog: Backlog | undefined
  /** The database that the stream has selected; -1: the next command must be preceded by SELECT. */
  selectedDatabase = -1
  private idleOffset = 0
  private readonly random: Random
  private readonly log: Log

  constructor(random: Random, log: Log) {
    this.random = random
    this.log = log
    this.id = this.newId()
  }

  private newId(): string {
    const bytes = Buffer.alloc(20)
    this.random.fill(bytes)
    return bytes.toString('hex')
  }

  /** Offset of the last byte. */
  get offset(): number {
    return this.backlog?.endOffset ?? this.idleOffset
  }

  /** A stream that nobody has seen anything of: earlier names are void. */
  changeId(): void {
    this.id = this.newId()
    this.clearSecondId()
  }

  clearSecondId(): void {
    this.secondId = NO_ID
    this.secondIdEnd = -1
  }

  /** This server becomes the source: the name so far becomes the second. */
  shiftId(): void {
    this.renameTo(this.newId())
    this.log.warning(
      `Setting secondary replication ID to ${this.secondId}, valid up to offset: ${this.secondIdEnd}. New replication ID is ${this.id}`,
    )
  }

  /** The same stream goes on under another name. */
  renameTo(id: string): void {
    this.secondId = this.id
    this.secondIdEnd = this.offset + 1
    this.id = id
  }

  /** Takes over another stream at `offset`; there is no history yet. */
  adopt(id: string, offset: number): void {
    this.id = id
    this.clearSecondId()
    this.backlog = new Backlog(offset)
  }

  /** Keeps history from now on. */
  openBacklog(): Backlog {
    this.backlog ??= new Backlog(this.idleOffset)
    return this.backlog
  }

  dropBacklog(): void {
    this.idleOffset = this.offset
    this.backlog = undefined
  }

  /** Makes the stream begin (again) at `offset`, without history before it. */
  restartAt(offset: number): void {
    this.backlog = new Backlog(offset)
  }

  /** Appends a command, and SELECT before it when the database changes. -1: the command belongs to none. */
  append(databaseIndex: number, args: Arguments): void {
    const backlog = this.openBacklog()
    if (databaseIndex >= 0 && databaseIndex !== this.selectedDatabase) {
      this.selectedDatabase = databaseIndex
      backlog.appendCommand(Words.of(['SELECT', String(databaseIndex)]))
    }
    backlog.appendCommand(args)
  }

  /**
   * Whether a stream that was read up to `offset` (exclusive) under the name `id` can go on from this one's history:
   * undefined when it can, else the reason for the log.
   */
  refusalToContinue(id: string, offset: number, replicaName: string): string | undefined {
    const name = id.toLowerCase()
    if (name !== this.id && (name !== this.secondId || offset > this.secondIdEnd)) {
      if (id[0] === '?') return `Full resync requested by replica ${replicaName}`
      if (name !== this.secondId) {
        return `Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '${id}', my replication IDs are '${this.id}' and '${this.secondId}')`
      }
      return `Partial resynchronization not accepted: Requested offset for second ID was ${offset}, but I can reply up to ${this.secondIdEnd}`
    }
    if (this.backlog?.cursorAt(offset) !== undefined) return undefined
    return `Unable to partial resync with replica ${replicaName} for lack of backlog (Replica request was: ${offset}).`
  }
}
