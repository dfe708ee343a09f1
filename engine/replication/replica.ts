/**
 * A server as the replica of another: it connects, synchronises, and runs its primary's stream.
 *
 *     connect ─► connecting ─► handshake ─┬─► transfer ─► connected
 *        ▲                                └─────────────────┘  │
 *        └──────────────────── the link is lost ◄──────────────┘
 *
 * The stream is applied through an internal client. What has been applied, and nothing else, is appended to this
 * server's own history, byte for byte: so its offset is exact, replicas chained to it get the top primary's stream, and
 * a partial resync goes on at the right byte. The commands of a transaction count when it is executed.
 */
import type { Connection, IoError } from '../io.ts'
import { encodeRequest } from '../resp/request.ts'
import type { Client } from '../server/client.ts'
import type { Server } from '../server/server.ts'
import { Handshake, type HandshakeResult } from './handshake.ts'
import type { Primary } from './primary.ts'
import type { PrimaryLink, StreamPosition } from './replication-port.ts'
import { NO_ID, type ReplicationStream } from './stream.ts'
import { SnapshotTransfer } from './transfer.ts'

const LINE_BYTES_MAX = 1024

export class Replica implements PrimaryLink {
  readonly host: string
  readonly port: number
  state: PrimaryLink['state'] = 'connect'
  downSinceMs: number
  lastInteractionMs: number
  /** Unix ms of the moment a link that had stood was lost; 0: none was. */
  lostMs = 0
  transfer: SnapshotTransfer | undefined
  /** Where a partial resync would go on. Undefined while connected, and when there is no such place. */
  cached: StreamPosition | undefined
  /** A command of the primary is being run. */
  isApplying = false
  /** Bytes of the stream received, applied or not. */
  readOffset = 0
  /** Set: the other server is to take over from this one, and this is told whether it has. */
  onTakeOver: ((accepted: boolean) => void) | undefined
  private readonly server: Server
  private readonly stream: ReplicationStream
  private readonly primary: Primary
  private connection: Connection | undefined
  private handshake: Handshake | undefined
  private line = ''
  private client: Client | undefined
  private held: Buffer[] = []
  /** The stream that the transfer belongs to. */
  private target = { id: NO_ID, offset: -1 }

  constructor(
    server: Server,
    stream: ReplicationStream,
    primary: Primary,
    address: { host: string; port: number; cached: StreamPosition | undefined },
  ) {
    this.server = server
    this.stream = stream
    this.primary = primary
    this.host = address.host
    this.port = address.port
    this.cached = address.cached
    this.downSinceMs = server.nowMs
    this.lastInteractionMs = server.nowMs
  }

  /** The database that is selected in the stream. */
  get databaseIndex(): number | undefined {
    return this.client?.databaseIndex ?? this.cached?.databaseIndex
  }

  // The connection

  connect(): void {
    const { server } = this
    server.log.notice(`Connecting to MASTER ${this.host}:${this.port}`)
    this.open()
  }

  private open(): void {
    const { server } = this
    const sourceHost = server.config.values['bind-source-addr']
    this.state = 'connecting'
    this.lastInteractionMs = server.io.clock.wallMs()
    this.line = ''
    const connection = server.io.network.connect(
      { host: this.host, port: this.port, ...(sourceHost === '' ? {} : { sourceHost }) },
      {
        onConnect: () => this.whenCurrent(connection, () => this.connected()),
        onData: (chunk) => this.whenCurrent(connection, () => this.receive(chunk)),
        onClose: (error) => this.whenCurrent(connection, () => this.closed(error)),
      },
    )
    this.connection = connection
    server.log.notice('MASTER <-> REPLICA sync started')
  }

  /** What happens to a connection that was given up is nobody's business. */
  private whenCurrent(connection: Connection, task: () => void): void {
    if (this.connection !== connection) return
    this.server.refreshClock()
    task()
  }

  private connected(): void {
    this.server.log.notice('Non blocking connect for SYNC fired the event.')
    this.state = 'handshake'
    this.connection?.setNoDelay(true)
    this.handshake = new Handshake(
      this.server,
      this.cached,
      (request) => this.connection?.write(request),
      this.onTakeOver !== undefined,
    )
  }

  private receive(chunk: Buffer): void {
    this.lastInteractionMs = this.server.nowMs
    this.server.stats.replicationInputBytes += chunk.length
    if (this.state === 'handshake') this.readLines(chunk)
    else if (this.state === 'transfer') this.transfer?.feed(chunk)
    else if (this.state === 'connected') this.apply(chunk)
  }

  private readLines(chunk: Buffer): void {
    let from = 0
    while (this.state === 'handshake') {
      const end = chunk.indexOf(10, from)
      this.line += chunk.toString('latin1', from, end < 0 ? chunk.length : end)
      if (end < 0) {
        if (this.line.length > LINE_BYTES_MAX) this.abandon('Error condition on socket for SYNC: line too long')
        return
      }
      const text = this.line.replace(/\r$/, '')
      this.line = ''
      from = end + 1
      const result = this.handshake?.line(text)
      if (result !== undefined) this.endHandshake(result)
    }
    if (from < chunk.length) this.receiveRest(chunk.subarray(from))
  }

  private receiveRest(rest: Buffer): void {
    if (this.state === 'transfer') this.transfer?.feed(rest)
    else if (this.state === 'connected') this.apply(rest)
  }

  private endHandshake(result: HandshakeResult): void {
    this.handshake = undefined
    const { onTakeOver } = this
    this.onTakeOver = undefined
    onTakeOver?.(result.kind !== 'failed')
    // Refused: this server is a primary again.
    if (onTakeOver !== undefined && result.kind === 'failed') return
    if (result.kind === 'failed') this.abandon()
    else if (result.kind === 'continue') this.resume(result.id)
    else this.startTransfer(result)
  }

  /** Gives the attempt up; the next one comes with the cron. */
  private abandon(message?: string): void {
    if (message !== undefined) this.server.log.warning(message)
    this.dropConnection()
    this.state = 'connect'
  }

  /** Gives the attempt up and tries again at once. */
  private restart(): void {
    this.abandon()
    this.server.log.notice(`Reconnecting to MASTER ${this.host}:${this.port} after failure`)
    this.open()
  }

  private dropConnection(): void {
    const { connection } = this
    this.connection = undefined
    this.handshake = undefined
    this.transfer?.cancel()
    this.transfer = undefined
    connection?.destroy()
  }

  private closed(error: IoError | undefined): void {
    const reason = error === undefined ? 'connection lost' : error.message
    if (this.state === 'connected') this.lose()
    else if (this.transfer?.isReceived) this.connection = undefined
    else if (this.state === 'transfer') {
      this.server.log.warning(`I/O error trying to sync with MASTER: ${reason}`)
      this.restart()
    } else this.abandon(`Error condition on socket for SYNC: ${reason}`)
  }

  // Full resync

  private startTransfer(target: { id: string; offset: number }): void {
    this.discardCached()
    this.target = target
    this.state = 'transfer'
    this.transfer = new SnapshotTransfer(this.server, {
      replacing: () => {
        // Whoever follows us follows another stream from now on.
        this.primary.disconnectAll()
        this.stream.dropBacklog()
      },
      loaded: (databaseIndex, rest) => this.transferred(databaseIndex, rest),
      failed: () => this.restart(),
      pause: (paused) => {
        if (paused) this.connection?.pause()
        else this.connection?.resume()
      },
    })
  }

  private transferred(databaseIndex: number, rest: Buffer): void {
    const { target } = this
    this.transfer = undefined
    // A primary that only knows SYNC has no stream to come back to.
    this.stream.adopt(target.offset < 0 ? this.stream.id : target.id, Math.max(0, target.offset))
    this.follow(databaseIndex)
    this.sendAcknowledgement()
    if (rest.length > 0) this.apply(rest)
    // Lost while the snapshot was being loaded from disk: all of it counts nevertheless.
    if (this.connection === undefined && this.state === 'connected') this.lose()
  }

  // Partial resync

  private resume(id: string | undefined): void {
    const { cached, stream, server } = this
    const position = cached as StreamPosition
    if (stream.id !== position.id) {
      stream.id = position.id
      stream.clearSecondId()
    }
    if (id !== undefined && id !== position.id) {
      stream.renameTo(id)
      server.log.warning(`Master replication ID changed to ${id}`)
      this.primary.disconnectAll()
    }
    stream.openBacklog()
    this.cached = undefined
    this.follow(position.databaseIndex)
    server.log.notice('MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.')
  }

  discardCached(): void {
    if (this.cached === undefined) return
    this.cached = undefined
    this.server.log.notice('Discarding previously cached master state.')
  }

  // The stream

  private follow(databaseIndex: number): void {
    const client = this.server.createInternalClient('primary')
    client.databaseIndex = databaseIndex
    client.onApplied = (command) => this.applied(client, command)
    this.client = client
    this.readOffset = this.stream.offset
    this.state = 'connected'
    this.downSinceMs = 0
    this.held = []
  }

  private apply(chunk: Buffer): void {
    const { client } = this
    if (client === undefined) return
    this.readOffset += chunk.length
    this.isApplying = true
    client.feedInput(chunk)
    this.isApplying = false
    this.primary.grew()
    if (!client.closed || this.client !== client) return
    // The stream could not be understood: going on from here would be wrong.
    this.lose(false)
  }

  private applied(client: Client, command: Buffer): void {
    if (client.transaction !== undefined) {
      this.held.push(Buffer.from(command))
      return
    }
    const backlog = this.stream.openBacklog()
    for (const part of this.held.splice(0)) backlog.append(part)
    backlog.append(command)
  }

  /** The link with the primary is gone. The place in the stream is kept, unless `keep` is false. */
  private lose(keep = true): void {
    const { server } = this
    server.log.warning('Connection with master lost.')
    if (keep) {
      server.log.notice('Caching the disconnected master state.')
      this.cached = this.place()
    }
    this.leave()
    this.downSinceMs = server.nowMs
    this.lostMs = server.nowMs
    server.log.notice(`Reconnecting to MASTER ${this.host}:${this.port}`)
    this.open()
  }

  private place(): StreamPosition {
    return { id: this.stream.id, offset: this.stream.offset, databaseIndex: this.client?.databaseIndex ?? 0 }
  }

  private leave(): void {
    const { client } = this
    this.client = undefined
    this.dropConnection()
    client?.close()
  }

  sendAcknowledgement(): void {
    if (this.state !== 'connected') return
    this.connection?.write(encodeRequest(['REPLCONF', 'ACK', String(this.stream.offset)]))
  }

  /** Stops being a replica of this primary. Returns where a partial resync with the same stream could go on. */
  end(): StreamPosition | undefined {
    if (this.state === 'connected') {
      this.server.log.warning('Connection with master lost.')
      this.server.log.notice('Caching the disconnected master state.')
      this.cached = this.place()
    }
    this.leave()
    this.state = 'connect'
    return this.cached
  }

  /** Once a second. */
  cron(): void {
    const { server } = this
    const silent = server.nowMs - this.lastInteractionMs > server.config.values['repl-timeout'] * 1000
    if (silent && (this.state === 'connecting' || this.state === 'handshake')) {
      server.log.warning('Timeout connecting to the MASTER...')
      this.restart()
    } else if (silent && this.state === 'transfer' && !server.loading) {
      server.log.warning(
        "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter in redis.conf to a larger value.",
      )
      this.restart()
    } else if (silent && this.state === 'connected') {
      server.log.warning('MASTER timeout: no data nor PING received...')
      this.lose()
    }
    if (this.state === 'connect') this.connect()
    if (this.state === 'transfer' && server.loading) this.connection?.write(NEWLINE)
    this.sendAcknowledgement()
  }
}

const NEWLINE = Buffer.from('\n')
