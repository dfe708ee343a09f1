/**
 * Snapshots for replicas that cannot go on from the backlog. One snapshot serves all replicas that wait when it begins.
 *
 * Streamed (`repl-diskless-sync yes`, all of them know the end mark): `$EOF:` and a mark of 40 characters, the RDB
 * bytes, the mark again. The replica's first acknowledgement then starts the stream. A snapshot without some of its
 * parts is always streamed: it must not take the place of the file.
 * From disk: a background save as for BGSAVE; then `$length` and the file; the stream follows at once.
 */
import { type File, IoError, type Timer } from '../io.ts'
import { Snapshot } from '../persist/snapshot.ts'
import type { Server } from '../server/server.ts'
import type { ReplicaConnection } from './replica-link.ts'

/** More than this waits for the network: the snapshot waits too. */
const UNSENT_BYTES_MAX = 1024 * 1024
const FILE_CHUNK_BYTES = 64 * 1024

export interface ResyncOutcome {
  /** The replica has everything that the snapshot holds. */
  complete(link: ReplicaConnection, streamed: boolean): void
  failed(link: ReplicaConnection, reason: string): void
}

/** Streams one snapshot to several replicas that want the same parts of it. */
export class StreamedSnapshot {
  private readonly server: Server
  private links: ReplicaConnection[]
  private readonly mark: Buffer
  private readonly snapshot: Snapshot

  constructor(server: Server, links: readonly ReplicaConnection[], outcome: ResyncOutcome, done: () => void) {
    this.server = server
    this.links = [...links]
    const random = Buffer.alloc(20)
    server.io.random.fill(random)
    this.mark = Buffer.from(random.toString('hex'))
    const parts = links[0]?.description
    this.snapshot = new Snapshot(server, {
      without: { data: parts?.wantsData === false, functions: parts?.wantsFunctions === false },
      sink: (chunk) => this.pass(Buffer.from(chunk)),
      replication: server.replication.position(),
      canTakeMore: () => this.links.every((link) => (link.client.connection?.bufferedBytes ?? 0) < UNSENT_BYTES_MAX),
    })
    this.pass(Buffer.concat([Buffer.from('$EOF:'), this.mark, Buffer.from('\r\n')]))
    this.snapshot.run((failure) => {
      if (failure === undefined) this.pass(this.mark)
      done()
      for (const link of this.links.splice(0)) {
        if (failure === undefined) outcome.complete(link, true)
        else outcome.failed(link, failure.message)
      }
    })
  }

  private pass(chunk: Buffer): void {
    for (const link of this.links) if (link.write(chunk)) link.progressMs = this.server.nowMs
  }

  /** True when nobody is left; then the snapshot has been given up. */
  drop(link: ReplicaConnection): boolean {
    this.links = this.links.filter((other) => other !== link)
    if (this.links.length > 0) return false
    this.snapshot.cancel()
    return true
  }
}

/** Sends a saved file to one replica. */
export class SavedSnapshot {
  private readonly link: ReplicaConnection
  private readonly server: Server
  private readonly outcome: ResyncOutcome
  private file: File | undefined
  private positionBytes = 0
  private timer: Timer | undefined

  constructor(server: Server, link: ReplicaConnection, outcome: ResyncOutcome) {
    this.server = server
    this.link = link
    this.outcome = outcome
    const { config, io } = server
    try {
      this.file = io.disk.open(config.pathOf(config.values.dbfilename), 'read')
      link.write(Buffer.from(`$${this.file.sizeBytes}\r\n`))
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      this.end(`SYNC failed. Can't open/stat DB after BGSAVE: ${error.message}`)
      return
    }
    this.timer = io.timers.after(0, () => this.step())
  }

  private step(): void {
    let failure: string | undefined
    try {
      if (!this.sendSome()) {
        this.timer = this.server.io.timers.after(POLL_MS, () => this.step())
        return
      }
    } catch (error) {
      if (!(error instanceof IoError)) throw error
      failure = `Read error sending DB to replica: ${error.message}`
    }
    this.end(failure)
  }

  /** True when the file has been sent. @throws IoError */
  private sendSome(): boolean {
    const { file } = this
    const { connection } = this.link.client
    if (file === undefined || connection === undefined) return true
    while (connection.bufferedBytes < UNSENT_BYTES_MAX) {
      const chunk = Buffer.allocUnsafeSlow(FILE_CHUNK_BYTES)
      const bytes = file.read(chunk, this.positionBytes)
      this.positionBytes += bytes
      if (bytes > 0) this.link.write(chunk.subarray(0, bytes))
      if (this.positionBytes === file.sizeBytes) return true
      if (bytes === 0) throw new IoError('EIO', 'premature EOF')
    }
    return false
  }

  private end(failure: string | undefined): void {
    this.cancel()
    if (failure === undefined) this.outcome.complete(this.link, false)
    else this.outcome.failed(this.link, failure)
  }

  cancel(): void {
    this.timer?.cancel()
    this.file?.close()
    this.file = undefined
  }
}

const POLL_MS = 5
