/**
 * A server in this process whose time stands still: no socket, no timer that fires by itself. A test says commands, and
 * between them lets a snapshot take one slice, so that every interleaving of writes and slices can be made on purpose.
 */
import { createHash } from 'node:crypto'
import type { Connection, ConnectionHandlers, Io } from '../../io.ts'
import { createNodeIo } from '../../node/io.ts'
import { encodeRequest } from '../../resp/request.ts'
import { accept } from '../../server/accepting.ts'
import { createServer } from '../../server/assembly.ts'
import { createConfig } from '../../server/config.ts'
import type { RunningServer } from '../../server/running-server.ts'
import { type KeyspacePort, ValueType } from '../../store/keyspace-port.ts'
import { RdbLoad } from '../rdb-load.ts'
import { dumpPayload } from '../rdb-writer.ts'
import { Snapshot, type SnapshotWriter } from '../snapshot.ts'

export class HeldServer {
  readonly server: RunningServer
  wallMs = 1_700_000_000_000
  private monotonicUs = 0
  private readonly timers: (() => void)[] = []
  private readonly deferred: (() => void)[] = []
  private handlers: ConnectionHandlers | undefined
  private received = ''

  constructor(settings: Readonly<Record<string, string>> = {}) {
    const config = createConfig(createNodeIo().disk, {
      settings: { save: '', loglevel: 'warning', 'enable-debug-command': 'yes', ...settings },
      workingDirectory: '/nowhere',
    })
    const assembled = createServer(this.io(), { config, port: 0 })
    this.server = assembled as unknown as RunningServer
    accept(this.server, this.connection())
  }

  private io(): Io {
    const node = createNodeIo()
    return {
      ...node,
      clock: {
        wallMs: () => this.wallMs,
        wallUs: () => this.wallMs * 1000,
        // Each look at the clock is a slice later.
        monotonicUs: () => {
          this.monotonicUs += 1000
          return this.monotonicUs
        },
      },
      timers: {
        after: (_delayMs, callback) => {
          this.timers.push(callback)
          return {
            cancel: () => {
              const place = this.timers.indexOf(callback)
              if (place >= 0) this.timers.splice(place, 1)
            },
          }
        },
        defer: (callback) => this.deferred.push(callback),
      },
      host: { ...node.host, print() {}, exit() {} },
    }
  }

  private connection(): Connection {
    return {
      localHost: '127.0.0.1',
      localPort: 1,
      remoteHost: '127.0.0.1',
      remotePort: 2,
      isUnixSocket: false,
      bufferedBytes: 0,
      setHandlers: (handlers) => {
        this.handlers = handlers
      },
      write: (bytes) => {
        this.received += bytes.toString('latin1')
        return true
      },
      pause() {},
      resume() {},
      end() {},
      destroy() {},
      setNoDelay() {},
      setKeepAlive() {},
    }
  }

  /** Says one command and returns the bytes of the answer. */
  send(...words: readonly (string | Buffer)[]): string {
    return this.sendBytes(encodeRequest(words))
  }

  /** The same for commands that are bytes already, any number of them. */
  sendBytes(bytes: Buffer): string {
    this.received = ''
    this.handlers?.onData(bytes)
    this.settle()
    return this.received
  }

  private settle(): void {
    for (let task = this.deferred.shift(); task !== undefined; task = this.deferred.shift()) task()
  }

  /** Begins a snapshot. Nothing of it is written before the first slice, unless a write asks for it. */
  snapshot(writer?: (sink: (chunk: Buffer) => void) => SnapshotWriter): HeldSnapshot {
    return new HeldSnapshot(
      this,
      () => {
        this.timers.shift()?.()
        this.settle()
      },
      writer,
    )
  }

  /** Reads a file into the databases, what has expired included. */
  load(file: Buffer): void {
    const { reader } = new RdbLoad(this.server, { dropExpired: false })
    reader.feed(file)
    while (reader.advance(1000) !== 'end');
  }

  /** Every key with the digest of its DUMP and its time, read past all that reading would change. */
  contents(): Record<string, string> {
    const contents: Record<string, string> = {}
    for (const database of this.server.databases) addContents(database, contents)
    return contents
  }

  stop(): void {
    ;(this.server as unknown as { stop(): void }).stop()
  }
}

function addContents(database: KeyspacePort, contents: Record<string, string>): void {
  let cursor = 0n
  do {
    cursor = database.scan(cursor, 100, (entry) => {
      const isText = database.type(entry) === ValueType.string
      const payload = isText
        ? dumpPayload(database.text(entry), undefined, false)
        : dumpPayload(undefined, database.aggregate(entry), false)
      const name = `${database.index} ${database.key(entry).toString('latin1')}`
      const digest = createHash('sha1').update(payload).digest('hex')
      contents[name] = `${database.encoding(entry)} ${digest} expires ${database.expireAtMs(entry)}`
    })
  } while (cursor !== 0n)
}

class HeldSnapshot {
  private readonly slice: () => void
  private readonly chunks: Buffer[] = []
  private state: 'running' | 'done' | Error = 'running'

  constructor(held: HeldServer, slice: () => void, writer?: (sink: (chunk: Buffer) => void) => SnapshotWriter) {
    this.slice = slice
    const snapshot = new Snapshot(held.server, {
      sink: (chunk) => this.chunks.push(Buffer.from(chunk)),
      replication: undefined,
      ...(writer === undefined ? {} : { writer }),
    })
    snapshot.run((failure) => {
      this.state = failure ?? 'done'
    })
  }

  /** One slice. True when the snapshot is complete. */
  step(): boolean {
    if (this.state === 'running') this.slice()
    if (this.state instanceof Error) throw this.state
    return this.state === 'done'
  }

  /** The complete file. */
  finish(): Buffer {
    while (!this.step());
    return Buffer.concat(this.chunks)
  }
}
