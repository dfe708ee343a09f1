/**
 * Replication put together: the stream, this server as a primary of its replicas, and, while it is one, as a replica.
 * Behaviour, messages of the log and INFO fields are Redis 7.0's (replication.c).
 */
import type { Arguments } from '../commands/arguments.ts'
import type { Context } from '../commands/context.ts'
import { errors } from '../commands/errors.ts'
import type { Client } from '../server/client.ts'
import type { Server } from '../server/server.ts'
import { Failover } from './failover.ts'
import { replicationInfo } from './info.ts'
import { OwnExpiry } from './own-expiry.ts'
import { Primary } from './primary.ts'
import { Replica } from './replica.ts'
import type { PrimaryLink, ReplicaDescription, ReplicaLink, Replication, StreamPosition } from './replication-port.ts'
import { ReplicationStream } from './stream.ts'
import { AcknowledgementWaiters } from './wait.ts'

const CRON_MS = 1000

/** Does nothing before `start`; may be asked for its role at once. */
export function createReplication(server: Server): Replication {
  return new ServerReplication(server)
}

export class ServerReplication implements Replication {
  readonly stream: ReplicationStream
  readonly asPrimary: Primary
  readonly failover: Failover
  readonly ownExpiry: OwnExpiry
  asReplica: Replica | undefined
  private readonly server: Server
  private readonly waiters: AcknowledgementWaiters
  private readonly checkWaiters = (): void => this.waiters.check()
  /** From the file loaded at start, while this server was a primary. */
  private restored: StreamPosition | undefined
  private stopped = false
  /** `min-replicas-to-write`, 0 while it has no effect. Every write asks for it. */
  private replicasWanted = 0

  constructor(server: Server) {
    this.server = server
    for (const name of ['min-replicas-to-write', 'min-replicas-max-lag'] as const) {
      server.config.onChange(name, () => this.followConfig())
    }
    this.followConfig()
    this.stream = new ReplicationStream(server.io.random, server.log)
    this.asPrimary = new Primary(server, this.stream)
    this.ownExpiry = new OwnExpiry(server)
    this.waiters = new AcknowledgementWaiters((offset) => this.asPrimary.countAcknowledged(offset))
    this.asPrimary.onAcknowledge(() => server.beforeSleep(this.checkWaiters))
    this.failover = new Failover(server, {
      follow: (host, port) => this.replicaOf(host, port, true),
      lead: () => this.becomePrimary(),
    })
    this.asPrimary.onAcknowledge(() => this.failover.check())
    const address = server.config.values.replicaof
    if (address !== undefined) this.asReplica = this.newReplica(address, undefined)
    server.memory.count('replication.backlog', () => this.stream.backlog?.reservedBytes ?? 0)
    server.info.add('replication', () => replicationInfo(server, this))
  }

  private followConfig(): void {
    const { values } = this.server.config
    this.replicasWanted = values['min-replicas-max-lag'] === 0 ? 0 : values['min-replicas-to-write']
  }

  private newReplica(address: { host: string; port: number }, cached: StreamPosition | undefined): Replica {
    return new Replica(this.server, this.stream, this.asPrimary, { ...address, cached })
  }

  start(): void {
    this.server.every(CRON_MS, () => this.cron())
    this.asReplica?.connect()
  }

  stop(): void {
    this.stopped = true
    this.asReplica?.end()
    this.asPrimary.stop()
  }

  private cron(): void {
    if (this.stopped || (this.server.loading && this.asReplica?.state !== 'transfer')) return
    this.asReplica?.cron()
    this.asPrimary.cron(this.asReplica === undefined)
  }

  get role(): 'primary' | 'replica' {
    return this.asReplica === undefined ? 'primary' : 'replica'
  }

  get replicationId(): string {
    return this.stream.id
  }

  get offset(): number {
    return this.stream.offset
  }

  get replicas(): readonly ReplicaLink[] {
    return this.asPrimary.links
  }

  get primary(): PrimaryLink | undefined {
    return this.asReplica
  }

  get isFed(): boolean {
    if (this.asReplica === undefined) return this.asPrimary.isFed
    return !this.server.config.values['replica-read-only']
  }

  feed(databaseIndex: number, args: Arguments): void {
    if (this.asReplica === undefined) this.asPrimary.feed(databaseIndex, args)
    else this.ownExpiry.note(databaseIndex, args, this.asReplica.isApplying)
  }

  writeRefusal(): string | undefined {
    if (this.asReplica !== undefined)
      return this.server.config.values['replica-read-only'] ? errors.readOnly : undefined
    return this.asPrimary.goodReplicas >= this.replicasWanted ? undefined : errors.noReplicas
  }

  readRefusal(): string | undefined {
    if (this.asReplica === undefined || this.asReplica.state === 'connected') return undefined
    return this.server.config.values['replica-serve-stale-data'] ? undefined : errors.masterDown
  }

  // Roles

  /** `takesOver`: the other one is a replica of this server, and is to become its primary. */
  replicaOf(host: string, port: number, takesOver = false): void {
    const { server } = this
    if (this.asReplica?.host === host && this.asReplica.port === port) return
    let cached: StreamPosition | undefined
    if (this.asReplica === undefined) {
      cached = this.ownPlace()
      this.waiters.giveUp()
      this.server.blockedKeys.giveUp()
    } else cached = this.asReplica.end()
    this.asReplica = this.newReplica({ host, port }, cached)
    if (takesOver) this.asReplica.onTakeOver = (accepted) => this.failover.answered(accepted)
    server.config.note('replicaof', [host, String(port)])
    this.asReplica.connect()
  }

  /** As a primary we know our own stream best: whoever took over from us may let us go on where we parted. */
  private ownPlace(): StreamPosition {
    this.server.log.notice(
      'Before turning into a replica, using my own master parameters to synthesize a cached master: I may be able to synchronize with the new master with just a partial transfer.',
    )
    this.stream.openBacklog()
    // Restarted and not written to since (a cluster's replica learns of its primary only then): still the old stream.
    if (this.restored?.offset === this.stream.offset) return this.restored
    return { id: this.stream.id, offset: this.stream.offset, databaseIndex: 0 }
  }

  becomePrimary(): void {
    const { asReplica } = this
    if (asReplica === undefined) return
    this.asReplica = undefined
    asReplica.end()
    asReplica.discardCached()
    this.stream.shiftId()
    // Replicas learn the new name by coming again; they need not be sent everything for it.
    this.asPrimary.disconnectAll()
    this.stream.selectedDatabase = -1
    this.asPrimary.noReplicasSinceNow()
    this.server.config.note('replicaof', ['no', 'one'])
    // A resync that did not come to its end has turned the log off.
    if (!this.server.loading) this.server.persistence.resumeLog()
  }

  get bytesBeyondBacklog(): number {
    const held = this.stream.backlog?.reservedBytes ?? 0
    return Math.max(0, held - this.server.config.values['repl-backlog-size'])
  }

  changeId(): void {
    this.stream.changeId()
  }

  // Acknowledgements

  countAcknowledged(offset: number): number {
    return this.asPrimary.countAcknowledged(offset)
  }

  onAcknowledge(callback: () => void): void {
    this.asPrimary.onAcknowledge(callback)
  }

  requestAcknowledgements(): void {
    this.asPrimary.requestAcknowledgements()
  }

  parkUntilAcknowledged(context: Context, replicas: number, deadlineMs: number): void {
    this.waiters.park(context, replicas, deadlineMs)
    this.requestAcknowledgements()
  }

  // RDB files

  position(): StreamPosition | undefined {
    const { stream, asReplica } = this
    if (asReplica === undefined) {
      if (stream.backlog === undefined) return undefined
      return { id: stream.id, offset: stream.offset, databaseIndex: Math.max(0, stream.selectedDatabase) }
    }
    const databaseIndex = asReplica.databaseIndex
    return databaseIndex === undefined ? undefined : { id: stream.id, offset: stream.offset, databaseIndex }
  }

  restorePosition(position: StreamPosition): void {
    const { stream, asReplica } = this
    stream.restartAt(position.offset)
    if (asReplica === undefined) {
      // We have a new name since the restart; under the old one we can serve nobody who is ahead of the file.
      stream.secondId = position.id
      stream.secondIdEnd = position.offset + 1
      this.asPrimary.noReplicasSinceNow()
      this.restored = position
    } else {
      stream.id = position.id
      asReplica.cached = position
    }
  }

  // Commands

  synchronize(client: Client, request: { id: string; offset: number } | undefined): void {
    if (this.asPrimary.linkOf(client) !== undefined) return
    if (this.asReplica !== undefined && this.asReplica.state !== 'connected') {
      client.reply.error("NOMASTERLINK Can't SYNC while not connected with my master")
    } else if (this.failover.state !== 'no-failover') {
      client.reply.error("NOMASTERLINK Can't SYNC while failing over")
    } else this.asPrimary.synchronize(client, request)
  }

  describeReplica(client: Client, description: Partial<ReplicaDescription>): void {
    this.asPrimary.describe(client, description)
  }

  acknowledge(client: Client, offset: number): void {
    this.asPrimary.acknowledge(client, offset)
  }

  sendAcknowledgement(): void {
    this.asReplica?.sendAcknowledgement()
  }
}
