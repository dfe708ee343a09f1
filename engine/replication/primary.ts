/**
 * A server as the source of a stream: its replicas, how they synchronise, what they have acknowledged. A replica has
 * this part too: it is the primary of the replicas chained to it, and passes its own primary's stream on to them.
 */
import type { Arguments } from '../commands/arguments.ts'
import { Arguments as Words } from '../commands/arguments.ts'
import type { Client } from '../server/client.ts'
import type { Server } from '../server/server.ts'
import { type ResyncOutcome, SavedSnapshot, StreamedSnapshot } from './full-resync.ts'
import { nameOf, ReplicaConnection, undescribed, wantSameParts, wantsAll } from './replica-link.ts'
import type { ReplicaDescription } from './replication-port.ts'
import type { ReplicationStream } from './stream.ts'
import { removeSyncFile } from './sync-file.ts'

export class Primary implements ResyncOutcome {
  links: ReplicaConnection[] = []
  /** Replicas that count for `min-replicas-to-write`. Refreshed once a second, as in Redis. */
  goodReplicas = 0
  private readonly server: Server
  private readonly stream: ReplicationStream
  private readonly descriptions = new Map<number, ReplicaDescription>()
  private readonly acknowledgeCallbacks: (() => void)[] = []
  private streamed: StreamedSnapshot | undefined
  private readonly sending = new Map<ReplicaConnection, SavedSnapshot>()
  private acknowledgementsWanted = false
  private cronLoops = 0
  /** A file was saved for replicas that may be removed once they all have it. */
  private syncFileMade = false
  private noReplicasSinceMs: number
  private readonly flush = (): void => this.flushStream()

  constructor(server: Server, stream: ReplicationStream) {
    this.server = server
    this.stream = stream
    this.noReplicasSinceMs = server.nowMs
    server.config.onChange('min-replicas-to-write', () => this.countGoodReplicas())
    server.config.onChange('min-replicas-max-lag', () => this.countGoodReplicas())
  }

  // The stream

  /** There is a replica or a backlog: commands are kept. */
  get isFed(): boolean {
    return this.stream.backlog !== undefined || this.links.length > 0
  }

  /** Appends a command of this server's own. */
  feed(databaseIndex: number, args: Arguments): void {
    if (!this.isFed) return
    this.stream.append(databaseIndex, args)
    this.grew()
  }

  /** The stream has grown: replicas get it at the end of the turn. */
  grew(): void {
    if (this.links.length > 0) this.server.sendBeforeReplies(this.flush)
    this.trim()
  }

  private trim(): void {
    let needed = Number.POSITIVE_INFINITY
    for (const { cursor } of this.links) if (cursor !== undefined) needed = Math.min(needed, cursor.nextOffset)
    this.stream.backlog?.trim(this.server.config.values['repl-backlog-size'], needed)
  }

  private flushStream(): void {
    if (this.acknowledgementsWanted && !this.server.pause.forFailover) {
      this.acknowledgementsWanted = false
      this.stream.append(-1, GETACK)
    }
    for (const link of this.links) link.send()
    this.enforceOutputLimits()
    this.trim()
  }

  private enforceOutputLimits(): void {
    for (const link of [...this.links]) {
      if (!link.exceedsOutputLimit()) continue
      this.server.log.warning(
        `Client id=${link.client.id} addr=${link.client.address} (replica ${link.name}) scheduled to be closed ASAP for overcoming of output buffer limits.`,
      )
      link.client.close()
    }
  }

  // Synchronising

  describe(client: Client, description: Partial<ReplicaDescription>): void {
    if (!this.descriptions.has(client.id)) client.onClose(() => this.descriptions.delete(client.id))
    this.descriptions.set(client.id, { ...this.descriptionOf(client), ...description })
    const link = this.linkOf(client)
    if (link !== undefined) Object.assign(link.description, description)
  }

  private descriptionOf(client: Client): ReplicaDescription {
    return this.descriptions.get(client.id) ?? undescribed
  }

  linkOf(client: Client): ReplicaConnection | undefined {
    return this.links.find((link) => link.client === client)
  }

  synchronize(client: Client, request: { id: string; offset: number } | undefined): void {
    const { log, stats } = this.server
    const description = { ...this.descriptionOf(client) }
    if (!wantsAll(description) && !description.endMark) {
      client.reply.error('ERR Filtered replica requires EOF capability')
      return
    }
    const name = nameOf(client, description)
    log.notice(`Replica ${name} asks for synchronization`)
    if (request !== undefined) {
      if (this.tryContinue(client, description, request)) {
        stats.syncPartialOk++
        return
      }
      if (request.id[0] !== '?') stats.syncPartialErr++
    }
    stats.syncFull++
    const link = this.attach(client, description, request !== undefined)
    if (this.links.length === 1 && this.stream.backlog === undefined) {
      this.stream.changeId()
      this.stream.openBacklog()
      log.notice(
        `Replication backlog created, my new replication IDs are '${this.stream.id}' and '${this.stream.secondId}'`,
      )
    }
    this.scheduleSnapshot(link)
  }

  private attach(client: Client, description: ReplicaDescription, knowsPsync: boolean): ReplicaConnection {
    client.flush()
    const link = new ReplicaConnection(this.server, client, description, knowsPsync)
    client.kind = 'replica'
    if (this.server.config.values['repl-disable-tcp-nodelay']) client.connection?.setNoDelay(false)
    this.links.push(link)
    client.onClose(() => this.detach(link))
    return link
  }

  private detach(link: ReplicaConnection): void {
    const { log } = this.server
    this.links = this.links.filter((other) => other !== link)
    log.notice(`Connection with replica ${link.name} lost.`)
    this.sending.get(link)?.cancel()
    this.sending.delete(link)
    if (this.streamed?.drop(link)) {
      log.warning('Diskless rdb transfer, last replica dropped, killing fork child.')
      this.streamed = undefined
    }
    if (this.links.length === 0) this.noReplicasSinceMs = this.server.nowMs
    this.countGoodReplicas()
    this.acknowledged()
  }

  private tryContinue(client: Client, description: ReplicaDescription, request: { id: string; offset: number }) {
    const { log } = this.server
    const name = nameOf(client, description)
    const refusal = this.stream.refusalToContinue(request.id, request.offset, name)
    if (refusal !== undefined) {
      log.notice(refusal)
      if (refusal.startsWith('Unable') && request.offset > this.stream.offset) {
        log.warning(
          `Warning: replica ${name} tried to PSYNC with an offset that is greater than the master replication offset.`,
        )
      }
      return false
    }
    const link = this.attach(client, description, true)
    link.phase = 'online'
    link.acknowledgedMs = this.server.nowMs
    link.write(Buffer.from(description.changedId ? `+CONTINUE ${this.stream.id}\r\n` : '+CONTINUE\r\n'))
    link.cursor = this.stream.backlog?.cursorAt(request.offset)
    const bytes = this.stream.offset + 1 - request.offset
    log.notice(
      `Partial resynchronization request from ${name} accepted. Sending ${bytes} bytes of backlog starting from offset ${request.offset}.`,
    )
    this.countGoodReplicas()
    this.grew()
    return true
  }

  private scheduleSnapshot(link: ReplicaConnection): void {
    const { log, config, persistence } = this.server
    if (this.streamed !== undefined) {
      log.notice('Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC')
    } else if (persistence.savingInBackground) {
      if (!this.attachToRunningSave(link)) {
        log.notice("Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC")
      }
    } else if (
      config.values['repl-diskless-sync'] &&
      link.description.endMark &&
      config.values['repl-diskless-sync-delay'] > 0
    ) {
      log.notice('Delay next BGSAVE for diskless SYNC')
    } else this.startSnapshot()
  }

  /** A save that began for another replica will do for this one too, if that one's stream can be copied. */
  private attachToRunningSave(link: ReplicaConnection): boolean {
    const other = this.links.find(({ phase, cursor, description }) => {
      return phase === 'snapshot' && cursor !== undefined && wantSameParts(link.description, description)
    })
    if (other?.cursor === undefined) return false
    this.beginFullResync(link, other.cursor.nextOffset - 1)
    this.server.log.notice('Waiting for end of BGSAVE for SYNC')
    return true
  }

  /** Called each second: starts the snapshot that was delayed, or could not be made before. */
  private startDelayedSnapshot(): void {
    const { config, persistence, nowMs } = this.server
    const waiting = this.links.filter((link) => link.phase === 'wait')
    if (waiting.length === 0 || this.streamed !== undefined || persistence.savingInBackground) return
    const { values } = config
    const enough = values['repl-diskless-sync-max-replicas']
    const waitedSeconds = Math.max(
      ...waiting.map((link) => Math.floor(nowMs / 1000) - Math.floor(link.waitingSinceMs / 1000)),
    )
    const delayed =
      values['repl-diskless-sync'] &&
      !(enough > 0 && waiting.length >= enough) &&
      waitedSeconds < values['repl-diskless-sync-delay']
    if (!delayed) this.startSnapshot()
  }

  private startSnapshot(): void {
    const { server } = this
    const first = this.links.find((link) => link.phase === 'wait')
    if (first === undefined) return
    const parts = first.description
    const waiting = this.links.filter((link) => link.phase === 'wait' && wantSameParts(link.description, parts))
    const mayStream = server.config.values['repl-diskless-sync'] || !wantsAll(parts)
    const streams = mayStream && waiting.every((link) => link.description.endMark)
    server.log.notice(`Starting BGSAVE for SYNC with target: ${streams ? 'replicas sockets' : 'disk'}`)
    if (streams) {
      for (const link of waiting) this.beginFullResync(link, this.stream.offset)
      server.log.notice(`Background RDB transfer started by pid ${server.io.host.processId}`)
      this.streamed = new StreamedSnapshot(server, waiting, this, () => {
        server.log.notice('Background RDB transfer terminated with success')
        this.streamed = undefined
      })
      return
    }
    const refusal = server.persistence.saveInBackground((failure) => this.saved(failure))
    if (refusal === undefined) {
      for (const link of waiting) this.beginFullResync(link, this.stream.offset)
      return
    }
    server.log.warning('BGSAVE for replication failed')
    for (const link of waiting) {
      link.client.reply.error("ERR BGSAVE failed, replication can't continue")
      link.client.closeAfterReply()
    }
  }

  /** From `offset` on the replica will get the stream, once it has the snapshot that begins now. */
  private beginFullResync(link: ReplicaConnection, offset: number): void {
    link.phase = 'snapshot'
    link.progressMs = this.server.nowMs
    link.cursor = this.stream.openBacklog().cursorAt(offset + 1)
    this.stream.selectedDatabase = -1
    if (link.knowsPsync) link.write(Buffer.from(`+FULLRESYNC ${this.stream.id} ${offset}\r\n`))
  }

  private saved(failure: Error | undefined): void {
    this.syncFileMade = true
    for (const link of this.links.filter((candidate) => candidate.phase === 'snapshot')) {
      if (failure !== undefined) {
        this.failed(link, 'SYNC failed. BGSAVE child returned an error')
        continue
      }
      link.phase = 'bulk'
      this.sending.set(link, new SavedSnapshot(this.server, link, this))
    }
  }

  complete(link: ReplicaConnection, streamed: boolean): void {
    const { log, nowMs } = this.server
    this.sending.delete(link)
    if (streamed) {
      log.notice(
        `Streamed RDB transfer with replica ${link.name} succeeded (socket). Waiting for REPLCONF ACK from slave to enable streaming`,
      )
    }
    if (link.description.snapshotOnly) {
      log.notice(`RDB transfer completed, rdb only replica (${link.name}) should be disconnected asap`)
      link.client.closeAfterReply()
      return
    }
    link.phase = 'online'
    link.startsOnAcknowledge = streamed
    link.acknowledgedMs = nowMs
    this.countGoodReplicas()
    log.notice(`Synchronization with replica ${link.name} succeeded`)
    this.server.sendBeforeReplies(this.flush)
  }

  failed(link: ReplicaConnection, reason: string): void {
    this.server.log.warning(reason)
    link.client.close()
  }

  /** All replicas must come again: the stream has changed its name, or is another one. */
  disconnectAll(): void {
    for (const link of [...this.links]) link.client.close()
  }

  // Acknowledgements

  acknowledge(client: Client, offset: number): void {
    const link = this.linkOf(client)
    if (link === undefined) return
    if (offset > link.acknowledgedOffset) link.acknowledgedOffset = offset
    link.acknowledgedMs = this.server.nowMs
    if (link.startsOnAcknowledge && link.phase === 'online') {
      link.startsOnAcknowledge = false
      link.send()
    }
    this.acknowledged()
  }

  private acknowledged(): void {
    for (const callback of this.acknowledgeCallbacks) callback()
  }

  onAcknowledge(callback: () => void): void {
    this.acknowledgeCallbacks.push(callback)
  }

  countAcknowledged(offset: number): number {
    let count = 0
    for (const link of this.links) if (link.phase === 'online' && link.acknowledgedOffset >= offset) count++
    return count
  }

  requestAcknowledgements(): void {
    if (this.links.length === 0) return
    this.acknowledgementsWanted = true
    this.server.sendBeforeReplies(this.flush)
  }

  countGoodReplicas(): void {
    const { values } = this.server.config
    const maxLag = values['min-replicas-max-lag']
    this.goodReplicas =
      values['min-replicas-to-write'] === 0 || maxLag === 0
        ? 0
        : this.links.filter((link) => link.phase === 'online' && link.lagSeconds <= maxLag).length
  }

  // Once a second

  cron(isPrimary: boolean): void {
    const { values } = this.server.config
    const period = values['repl-ping-replica-period']
    if (isPrimary && this.links.length > 0 && this.cronLoops % period === 0 && !this.server.pause.forFailover) {
      this.stream.append(-1, PING)
      this.grew()
    }
    this.cronLoops++
    this.keepWaitingReplicasAlive()
    this.dropSilentReplicas()
    this.enforceOutputLimits()
    if (isPrimary) this.dropIdleBacklog()
    this.startDelayedSnapshot()
    this.removeSyncFile()
    this.countGoodReplicas()
  }

  private removeSyncFile(): void {
    if (!this.syncFileMade || this.links.some(({ phase }) => phase !== 'online')) return
    this.syncFileMade = false
    removeSyncFile(this.server, 'Removing the RDB file used to feed replicas in a persistence-less instance')
  }

  private keepWaitingReplicasAlive(): void {
    for (const link of this.links) {
      if (link.phase === 'wait' || (link.phase === 'snapshot' && this.streamed === undefined)) link.write(NEWLINE)
    }
  }

  private dropSilentReplicas(): void {
    const { nowMs, config, log } = this.server
    const limitMs = config.values['repl-timeout'] * 1000
    for (const link of [...this.links]) {
      if (link.phase === 'online') {
        if (!link.knowsPsync || nowMs - link.acknowledgedMs <= limitMs) continue
        log.warning(`Disconnecting timedout replica (streaming sync): ${link.name}`)
      } else if (link.phase === 'snapshot' && this.streamed !== undefined) {
        if (nowMs - link.progressMs <= limitMs) continue
        log.warning(`Disconnecting timedout replica (full sync): ${link.name}`)
      } else continue
      link.client.close()
    }
  }

  private dropIdleBacklog(): void {
    const ttlSeconds = this.server.config.values['repl-backlog-ttl']
    if (this.links.length > 0 || ttlSeconds === 0 || this.stream.backlog === undefined) return
    if (this.server.nowMs - this.noReplicasSinceMs <= ttlSeconds * 1000) return
    this.stream.changeId()
    this.stream.dropBacklog()
    this.server.log.notice(`Replication backlog freed after ${ttlSeconds} seconds without connected replicas.`)
  }

  /** The idle time of the backlog starts anew (a role change). */
  noReplicasSinceNow(): void {
    this.noReplicasSinceMs = this.server.nowMs
  }

  stop(): void {
    for (const link of this.links.splice(0)) {
      this.sending.get(link)?.cancel()
      this.streamed?.drop(link)
    }
  }
}

const PING = Words.of(['PING'])
const GETACK = Words.of(['REPLCONF', 'GETACK', '*'])
const NEWLINE = Buffer.from('\n')
