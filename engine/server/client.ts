/**
 * One connected client as commands and subsystems see it. `server/connection.ts` makes them; replication turns some
 * into links to replicas, and one stands for the primary on a replica.
 */
import type { User } from '../acl/user.ts'
import type { Arguments } from '../commands/arguments.ts'
import type { Command } from '../commands/command.ts'
import type { Connection } from '../io.ts'
import type { RequestParser } from '../resp/parser.ts'
import type { Reply } from '../resp/reply.ts'
import type { TrackingState } from './tracking.ts'
import type { Watcher } from './watched-keys.ts'

export type ClientKind = 'normal' | 'replica' | 'primary' | 'pubsub'

export interface QueuedCommand {
  command: Command
  args: Arguments
}

/** CLIENT REPLY: `skipNext` becomes `skip` for one command, then `on`. */
export type ReplyMode = 'on' | 'off' | 'skipNext' | 'skip'

/** What a client listens to. Names are one character per byte. */
export interface Subscriptions {
  readonly channels: Set<string>
  readonly patterns: Set<string>
  readonly shardChannels: Set<string>
}

export interface Client extends Watcher {
  readonly id: number
  /** Undefined for the clients that have no socket (AOF loading, scripts). */
  readonly connection: Connection | undefined
  /** Writes to this client, in its protocol. Flushed once per turn. */
  readonly reply: Reply
  kind: ClientKind
  /** Number of the selected database. */
  databaseIndex: number
  name: string
  /** Whose permissions it has; undefined: it may do everything (streams of a primary, replayed logs). */
  user: User | undefined
  /** One character per byte. */
  readonly userName: string
  authenticated: boolean
  /** Inside MULTI: the queue, and the bytes of its arguments. */
  transaction: { commands: QueuedCommand[]; failed: boolean; bytes: number } | undefined
  /** Cluster: READONLY was said. */
  readOnlyMode: boolean
  /** Cluster: ASKING was said just before. */
  asking: boolean
  /** Replication offset after this client's last write, for WAIT. */
  lastWriteOffset: number
  readonly createdMs: number
  lastCommandMs: number
  /** Parked by a blocking command, or by CLIENT PAUSE. */
  readonly blocked: boolean
  /** Parked until a certain time at most. */
  readonly hasDeadline: boolean
  /** What the client is parked for: the `kind` given to `Context.block`. */
  readonly blockedFor: string | undefined
  readonly closed: boolean
  readonly subscriptions: Subscriptions
  /** Listens to something. Kept by the broker beside the sets, because every command asks. */
  subscribed: boolean
  /** In MONITOR mode. */
  monitoring: boolean
  replyMode: ReplyMode
  noEvict: boolean
  /** Has asked for the debugger of scripts, which there is not. */
  wantsDebugger: boolean
  /** Client-side caching; undefined: off. */
  tracking: TrackingState | undefined
  /** Set by internal clients and while a script or transaction runs: blocking commands must answer at once. */
  denyBlocking: boolean
  /** `ip:port` of the peer, or `path:0`. */
  readonly address: string
  readonly localAddress: string
  readonly parser: RequestParser
  /** Full name of the last command (`config|get`), or undefined. */
  readonly lastCommandName: string | undefined
  /** Bytes of replies not yet taken by the network. */
  readonly outputBytes: number
  /** Everything that is held for it, in bytes. */
  readonly memoryBytes: number
  readonly argumentBytes: number
  readonly replyBufferBytes: number
  /** Runs pending input as far as it goes; used by the server when a wait has ended. */
  resumeInput(): void

  /** HELLO: the version of the protocol that replies are written in. */
  setProtocol(protocol: 2 | 3): void
  /** Ends MULTI: the queue is gone, and so are the watched keys. */
  discardTransaction(): void
  /** Parks the client; see `Context.block`. */
  block(kind: string, deadlineMs: number, onTimeout: (client: Client, reply: Reply) => void, onEnd?: () => void): void
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
  /** Ends the wait as if its time were up (CLIENT UNBLOCK). */
  timeOut(): void
  /** Called once when the client is gone. */
  onClose(callback: () => void): void

  /** As if the bytes had come over the connection. For clients without one: a stream from a primary, a replayed log. */
  feedInput(chunk: Buffer): void
  /** After every command that `feedInput` has completed, with its raw bytes (valid during the call). */
  onApplied: ((command: Buffer) => void) | undefined
  /**
   * Takes the connection out of command processing: from now on `onData` gets the raw bytes. Undefined gives it back.
   */
  takeOver(onData: ((chunk: Buffer) => void) | undefined): void
}
