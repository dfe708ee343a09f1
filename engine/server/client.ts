/**
 * One connected client as commands and subsystems see it. `server/connection.ts` makes them; replication turns some
 * into links to replicas, and one stands for the primary on a replica.
 */
import type { Arguments } from '../commands/arguments.ts'
import type { Command } from '../commands/command.ts'
import type { Connection } from '../io.ts'
import type { Reply } from '../resp/reply.ts'

export type ClientKind = 'normal' | 'replica' | 'primary' | 'pubsub'

export interface QueuedCommand {
  command: Command
  args: Arguments
}

export interface Client {
  readonly id: number
  /** Undefined for the clients that have no socket (AOF loading, scripts). */
  readonly connection: Connection | undefined
  /** Writes to this client, in its protocol. Flushed once per turn. */
  readonly reply: Reply
  kind: ClientKind
  /** Number of the selected database. */
  databaseIndex: number
  name: string
  userName: string
  authenticated: boolean
  /** Inside MULTI: the queue. */
  transaction: { commands: QueuedCommand[]; failed: boolean } | undefined
  /** Cluster: READONLY was said. */
  readOnlyMode: boolean
  /** Cluster: ASKING was said just before. */
  asking: boolean
  /** Replication offset after this client's last write, for WAIT. */
  lastWriteOffset: number
  readonly createdMs: number
  lastCommandMs: number
  /** Parked by a blocking command. */
  readonly blocked: boolean

  /** Ends a `Context.block` with an answer; queued input of the client runs afterwards. */
  unblock(answer: (reply: Reply) => void): void
  /** Hands pending replies to the connection now, so that what is written to the connection itself comes after them. */
  flush(): void
  /** Called each time when all that was written to the connection has been handed to the network after a `false`. */
  onDrain(callback: () => void): void
  /** Answers what is pending, then closes. */
  closeAfterReply(): void
  /** Closes now; frees everything that belongs to the client. Safe to call twice. */
  close(reason?: string): void
  /** Called once when the client is gone. */
  onClose(callback: () => void): void

  /**
   * Takes the connection out of command processing: from now on `onData` gets the raw bytes (a replica link during
   * PSYNC on the primary's side keeps its parser; a primary link on the replica's side uses this).
   */
  takeOver?(onData: (chunk: Buffer) => void): void
}
