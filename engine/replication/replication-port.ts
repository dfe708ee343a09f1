/** Replication as the rest of the server sees it. `replication.ts` implements it (Redis's replication.c). */

import type { Arguments } from '../commands/arguments.ts'
import type { Client } from '../server/client.ts'

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

  /** Appends a write to the stream: backlog and all replicas. Called by dispatch after every write, in order; `databaseIndex` yields SELECT when it changes. */
  feed(databaseIndex: number, args: Arguments): void
  /** Why this server refuses writes now (min-replicas, read-only replica, stale data), as a complete error, or undefined. Checked before each write of a normal client. */
  writeRefusal(): string | undefined
  /** Why this server refuses reads now (`-MASTERDOWN` when replica-serve-stale-data is no), or undefined. */
  readRefusal(): string | undefined

  /** REPLICAOF host port. Idempotent. Keeps the replication id so that a partial resync can follow. */
  replicaOf(host: string, port: number): void
  /** REPLICAOF NO ONE: new id, the old one stays valid up to the current offset. */
  becomePrimary(): void

  /** How many online replicas have acknowledged `offset` (WAIT). */
  countAcknowledged(offset: number): number
  /** Called whenever a replica acknowledges or leaves. */
  onAcknowledge(callback: () => void): void
  /** Asks all replicas for an acknowledgement at the end of this turn (REPLCONF GETACK *). */
  requestAcknowledgements(): void
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
