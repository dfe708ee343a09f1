/** One replica as its primary sees it: what it said of itself, how far it is, and what it still has to get. */
import type { Client } from '../server/client.ts'
import type { Server } from '../server/server.ts'
import type { StreamCursor } from './backlog.ts'
import type { ReplicaDescription, ReplicaLink } from './replication-port.ts'

/**
 * `wait`: for a snapshot to begin. `snapshot`: for the snapshot to end (or it is being streamed). `bulk`: the file is
 * being sent. `online`: gets the stream.
 */
export type ReplicaPhase = 'wait' | 'snapshot' | 'bulk' | 'online'

export const undescribed: ReplicaDescription = {
  listeningPort: 0,
  announcedHost: '',
  endMark: false,
  changedId: false,
  snapshotOnly: false,
  wantsData: true,
  wantsFunctions: true,
}

export class ReplicaConnection implements ReplicaLink {
  readonly client: Client
  readonly description: ReplicaDescription
  phase: ReplicaPhase = 'wait'
  acknowledgedOffset = 0
  acknowledgedMs = 0
  /** When the network last took something while a snapshot was being streamed. */
  progressMs = 0
  readonly waitingSinceMs: number
  /** After a streamed snapshot: the stream waits for the first acknowledgement. */
  startsOnAcknowledge = false
  /** Said SYNC: an old replica (or a tool) that does not know PSYNC's answers. */
  readonly knowsPsync: boolean
  cursor: StreamCursor | undefined
  private readonly server: Server
  private overSoftLimitSinceMs = 0

  constructor(server: Server, client: Client, description: ReplicaDescription, knowsPsync: boolean) {
    this.server = server
    this.client = client
    this.description = description
    this.knowsPsync = knowsPsync
    this.waitingSinceMs = server.nowMs
    client.onDrain = () => this.send()
  }

  get host(): string {
    return this.description.announcedHost || (this.client.connection?.remoteHost ?? '')
  }

  get port(): number {
    return this.description.listeningPort
  }

  /** As the log calls it. */
  get name(): string {
    return nameOf(this.client, this.description)
  }

  get state(): ReplicaLink['state'] {
    if (this.phase === 'online') return 'online'
    return this.phase === 'bulk' ? 'sending' : 'waiting'
  }

  get lagSeconds(): number {
    if (this.phase !== 'online') return 0
    return Math.floor(this.server.nowMs / 1000) - Math.floor(this.acknowledgedMs / 1000)
  }

  /** Straight to the network, after what was answered before. False: it is behind. */
  write(bytes: Buffer): boolean {
    const { connection } = this.client
    if (connection === undefined) return true
    this.server.stats.replicationOutputBytes += bytes.length
    return connection.write(bytes)
  }

  /** Sends as much of the stream as the network takes. */
  send(): void {
    if (this.phase !== 'online' || this.startsOnAcknowledge || this.cursor === undefined) return
    const { connection } = this.client
    if (connection === undefined) return
    while (connection.bufferedBytes === 0) {
      const piece = this.cursor.take()
      if (piece === undefined) return
      this.write(piece)
    }
  }

  /** Bytes of the stream that the network has not taken yet. */
  get pendingBytes(): number {
    const unread = this.cursor === undefined ? 0 : this.server.replication.offset + 1 - this.cursor.nextOffset
    return unread + (this.phase === 'online' ? (this.client.connection?.bufferedBytes ?? 0) : 0)
  }

  /** Whether `client-output-buffer-limit replica` says that this one has to go. */
  exceedsOutputLimit(): boolean {
    const { values } = this.server.config
    const limit = values['client-output-buffer-limit'].replica
    const pending = this.pendingBytes
    // A limit below the backlog would only turn partial resyncs into full ones.
    const hardBytes = limit.hardBytes === 0 ? 0 : Math.max(limit.hardBytes, values['repl-backlog-size'])
    if (hardBytes > 0 && pending >= hardBytes) return true
    if (limit.softBytes === 0 || pending < limit.softBytes) {
      this.overSoftLimitSinceMs = 0
      return false
    }
    if (this.overSoftLimitSinceMs === 0) this.overSoftLimitSinceMs = this.server.nowMs
    return this.server.nowMs - this.overSoftLimitSinceMs > limit.softSeconds * 1000
  }
}

/** Whether one snapshot will do for both. */
export function wantSameParts(a: ReplicaDescription, b: ReplicaDescription): boolean {
  return a.wantsData === b.wantsData && a.wantsFunctions === b.wantsFunctions
}

export function wantsAll({ wantsData, wantsFunctions }: ReplicaDescription): boolean {
  return wantsData && wantsFunctions
}

/** `host:port` of a replica, with the port that it listens on. */
export function nameOf(client: Client, description: ReplicaDescription): string {
  const host = description.announcedHost || (client.connection?.remoteHost ?? '?')
  return `${host}:${description.listeningPort === 0 ? '<unknown-replica-port>' : description.listeningPort}`
}
