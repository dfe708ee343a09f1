/** Replication as the rest of the server sees it. `replication.ts` implements it (Redis's replication.c). */

import type { Arguments } from '../commands/arguments.ts'
import type { Context } from '../commands/context.ts'
import type { Client } from '../server/client.ts'
import type { Failover } from './failover.ts'
import type { OwnExpiry } from './own-expiry.ts'

export type FailoverState = 'no-failover' | 'waiting-for-sync' | 'failover-in-progress'

export interface Replication {
  readonly role: 'primary' | 'replica'
  /** 40 hexadecimal digits. */
  readonly replicationId: string
  /** Bytes of the replication stream: produced (primary) or applied (replica). */
  readonly offset: number
  /** Connected replicas, online or synchronising. */
  readonly replicas: readonly ReplicaLink[]
  /** On a replica: where its primary is and how the link stands. */
  readonly primary: PrimaryLink | undefined

  /** Takes up `replicaof` of the configuration. Once, when the data set has been loaded. */
  start(): void
  /** Closes all links; nothing of replication runs afterwards. */
  stop(): void

  /**
   * Whether `feed` has somewhere to go: this is a primary with replicas or a backlog, or a replica that clients may
   * write to.
   */
  readonly isFed: boolean
  /**
   * Appends a write to the stream: backlog and all replicas. Called by dispatch after every write, in order;
   * `databaseIndex` yields SELECT when it changes. A replica has its primary's stream: it only notes which keys it has
   * to expire itself.
   */
  feed(databaseIndex: number, args: Arguments): void
  /**
   * Why this server refuses writes now (min-replicas, read-only replica, stale data), as a complete error, or
   * undefined. Checked before each write of a normal client.
   */
  writeRefusal(): string | undefined
  /** Why this server refuses reads now (`-MASTERDOWN` when replica-serve-stale-data is no), or undefined. */
  readRefusal(): string | undefined

  /** REPLICAOF host port. Idempotent. Keeps the replication id so that a partial resync can follow. */
  replicaOf(host: string, port: number): void
  /** REPLICAOF NO ONE: new id, the old one stays valid up to the current offset. */
  becomePrimary(): void

  /** From now on the stream has another name, and none that it had before (DEBUG CHANGE-REPL-ID). */
  changeId(): void

  /** Bytes of the stream that are kept for replicas that are behind, more than the backlog may hold. */
  readonly bytesBeyondBacklog: number

  /** Keys of a replica that its primary does not know. */
  readonly ownExpiry: OwnExpiry

  /** FAILOVER: hands the role over to a replica. */
  readonly failover: Failover

  /** How many online replicas have acknowledged `offset` (WAIT). */
  countAcknowledged(offset: number): number
  /** Called whenever a replica acknowledges or leaves. */
  onAcknowledge(callback: () => void): void
  /** Asks all replicas for an acknowledgement at the end of this turn (REPLCONF GETACK *). */
  requestAcknowledgements(): void

  /** Position in the stream that the data set corresponds to, for RDB files; undefined when there is none to keep. */
  position(): StreamPosition | undefined
  /** The data set was loaded at start from a file with this position: a partial resync may go on from it. */
  restorePosition(position: StreamPosition): void

  /** SYNC (`request` undefined) and PSYNC: makes the client a link to a replica, or answers why not. */
  synchronize(client: Client, request: { id: string; offset: number } | undefined): void
  /** What REPLCONF said about the replica on the other end of `client`. */
  describeReplica(client: Client, description: Partial<ReplicaDescription>): void
  /** REPLCONF ACK. Ignored unless the client is a replica. */
  acknowledge(client: Client, offset: number): void
  /**
   * WAIT: parks the client until so many replicas have acknowledged its last write. `deadlineMs` is Unix time, 0 for
   * ever.
   */
  parkUntilAcknowledged(context: Context, replicas: number, deadlineMs: number): void
  /** REPLCONF GETACK: tells the primary how far this replica is. */
  sendAcknowledgement(): void
}

/** A point in a replication stream, and the database that was selected in it there. */
export interface StreamPosition {
  id: string
  offset: number
  databaseIndex: number
}

/** What a replica says of itself before it synchronises. */
export interface ReplicaDescription {
  listeningPort: number
  /** Replaces the address that its connection comes from. */
  announcedHost: string
  /** Understands an RDB stream that ends with a mark (`$EOF:`). */
  endMark: boolean
  /** Understands `+CONTINUE id`. */
  changedId: boolean
  /** Wants a snapshot and no stream (`redis-cli --rdb`). */
  snapshotOnly: boolean
  /** What the snapshot is to hold (`redis-cli --functions-rdb` leaves the data out). */
  wantsData: boolean
  wantsFunctions: boolean
}

export interface ReplicaLink {
  readonly client: Client
  readonly host: string
  readonly port: number
  readonly state: 'waiting' | 'sending' | 'online'
  readonly acknowledgedOffset: number
  /** Seconds since the last acknowledgement. */
  readonly lagSeconds: number
}

export interface PrimaryLink {
  readonly host: string
  readonly port: number
  readonly state: 'connect' | 'connecting' | 'handshake' | 'transfer' | 'connected'
  /** Unix ms of the moment the link was lost; 0 while connected. Never connected: time of REPLICAOF. */
  readonly downSinceMs: number
  /** Unix ms of the last data from the primary. */
  readonly lastInteractionMs: number
}
