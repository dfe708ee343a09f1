/**
 * A client: its socket (or none), parser, reply writer and state. What its commands do is `dispatch.ts`.
 *
 *     onData → parser → dispatch → writer → flush at the end of the chunk or turn
 *
 * While a client is parked by a blocking command its input is still read (so that its death is noticed), up to
 * `HELD_INPUT_MAX`; then reading pauses. A client that does not read its replies is served until `UNREAD_OUTPUT_MAX`
 * bytes wait for it; then its input waits too. Redis has no such bound for normal clients (its default limit is none)
 * and would grow until memory ends.
 */

import type { User } from '../acl/user.ts'
import type { Arguments } from '../commands/arguments.ts'
import type { Connection, IoError, Timer } from '../io.ts'
import { BROKEN, COMMAND, RequestParser } from '../resp/parser.ts'
import type { Reply } from '../resp/reply.ts'
import { ReplyWriter } from '../resp/writer.ts'
import type { Client, ClientKind, QueuedCommand, ReplyMode } from './client.ts'
import type { CommandRecord } from './command-table.ts'
import type { ClientMemoryKind } from './memory-account.ts'
import type { RunningServer } from './running-server.ts'
import type { TrackingState } from './tracking.ts'
import type { WatchedKey } from './watched-keys.ts'

/** Estimated bytes of a client that holds nothing, and of one name that it listens to or watches. */
const CLIENT_BYTES = 2048
const NAME_BYTES = 96
const HELD_INPUT_MAX = 256 * 1024
const UNREAD_OUTPUT_MAX = 64 * 1024 * 1024
/** Replies beyond this are written before the rest of the chunk runs. */
const FLUSH_ABOVE = 256 * 1024
/** In less there are no two commands worth looking at beforehand. */
const LOOK_AHEAD_BYTES = 48

interface Parked {
  kind: string
  timer: Timer | undefined
  onTimeout: (client: Client, reply: Reply) => void
  onEnd: (() => void) | undefined
}

export class ClientConnection implements Client {
  readonly id: number
  readonly connection: Connection | undefined
  readonly reply: ReplyWriter
  readonly parser: RequestParser
  kind: ClientKind
  databaseIndex = 0
  name = ''
  user: User | undefined
  authenticated: boolean
  transaction: { commands: QueuedCommand[]; failed: boolean; bytes: number } | undefined = undefined
  readOnlyMode = false
  asking = false
  lastWriteOffset = 0
  readonly createdMs: number
  lastCommandMs: number
  readonly watched: WatchedKey[] = []
  watchBroken = false
  readonly subscriptions = {
    channels: new Set<string>(),
    patterns: new Set<string>(),
    shardChannels: new Set<string>(),
  }
  subscribed = false
  monitoring = false
  replyMode: ReplyMode = 'on'
  noEvict = false
  wantsDebugger = false
  tracking: TrackingState | undefined = undefined
  denyBlocking: boolean
  lastRecord: CommandRecord | undefined = undefined
  onApplied: ((command: Buffer) => void) | undefined = undefined
  closed = false
  /** Answer what is pending, then close. No further command runs. */
  closing = false
  /** Unix ms since the output buffer is above its soft limit; 0: it is not. */
  overSoftLimitSinceMs = 0
  /** What `client-memory.ts` has counted of it. */
  readonly counted: { kind: ClientMemoryKind; bytes: number } = { kind: 'normal', bytes: 0 }
  private readonly server: RunningServer
  private readonly limits: { bulkLengthMax: number; unauthenticated: boolean }
  private parked: Parked | undefined = undefined
  /** CLIENT PAUSE caught this command before it ran. */
  private postponed: Arguments | undefined = undefined
  private waitsForDrain = false
  private readingPaused = false
  private processing = false
  private takenBy: ((chunk: Buffer) => void) | undefined = undefined
  private readonly closeCallbacks: (() => void)[] = []
  private readonly drainCallbacks: (() => void)[] = []

  constructor(server: RunningServer, id: number, kind: ClientKind, connection: Connection | undefined) {
    this.server = server
    this.id = id
    this.kind = kind
    this.connection = connection
    this.createdMs = server.nowMs
    this.lastCommandMs = server.nowMs
    this.user = connection === undefined ? undefined : server.access.defaultUser
    this.authenticated = connection === undefined || !server.access.passwordRequired
    this.denyBlocking = connection === undefined
    this.limits = {
      bulkLengthMax: kind === 'primary' ? Number.MAX_SAFE_INTEGER : server.protocolBulkMax,
      unauthenticated: !this.authenticated,
    }
    this.parser = new RequestParser(this.limits)
    this.reply = new ReplyWriter(server.buffers, this)
    connection?.setHandlers({
      onData: (chunk) => this.onData(chunk),
      onDrain: () => this.drained(),
      onEnd: () => this.peerEnded(),
      onClose: (error) => this.connectionClosed(error),
    })
  }

  get blocked(): boolean {
    return this.parked !== undefined || this.postponed !== undefined
  }

  get hasDeadline(): boolean {
    return this.parked?.timer !== undefined
  }

  get blockedFor(): string | undefined {
    return this.postponed !== undefined ? 'postpone' : this.parked?.kind
  }

  get userName(): string {
    return this.user?.name ?? '(superuser)'
  }

  get lastCommandName(): string | undefined {
    return this.lastRecord?.fullName
  }

  get outputBytes(): number {
    return this.reply.length + (this.connection?.bufferedBytes ?? 0)
  }

  /** Everything that is held for this client. */
  get memoryBytes(): number {
    const {
      parser,
      reply,
      transaction,
      postponed,
      subscriptions: { channels, patterns, shardChannels },
    } = this
    const names = channels.size + patterns.size + shardChannels.size
    return (
      CLIENT_BYTES +
      parser.queryCapacity +
      reply.buffer.length +
      (this.connection?.bufferedBytes ?? 0) +
      (transaction?.bytes ?? 0) +
      (postponed?.memory.length ?? 0) +
      (names + this.watched.length) * NAME_BYTES
    )
  }

  get replyBufferBytes(): number {
    return this.reply.buffer.length
  }

  /** Of a command that has been read and not run yet. */
  get argumentBytes(): number {
    return this.postponed?.memory.length ?? this.server.dispatcher.argumentBytesOf(this)
  }

  get address(): string {
    return describe(this.connection, this.connection?.remoteHost, this.connection?.remotePort)
  }

  get localAddress(): string {
    return describe(this.connection, this.connection?.localHost, this.connection?.localPort)
  }

  setProtocol(protocol: 2 | 3): void {
    this.reply.protocol = protocol
  }

  /** Ends MULTI: the queue is gone, and so are the watched keys. */
  discardTransaction(): void {
    this.transaction = undefined
    this.watchBroken = false
    this.server.watchedKeys.unwatchAll(this)
  }

  // ---- input

  private onData(chunk: Buffer): void {
    const { server } = this
    if (this.closed) return
    const nowUs = server.io.clock.monotonicUs()
    server.refreshClockAt(nowUs)
    server.dispatcher.beginBatch(nowUs)
    server.stats.reads++
    if (this.kind === 'primary') server.stats.replicationInputBytes += chunk.length
    else server.stats.inputBytes += chunk.length
    if (this.takenBy !== undefined) this.takenBy(chunk)
    else if (!this.closing) this.feedInput(chunk)
    server.dispatcher.endBatch()
    server.turn.endOfInput(this)
    if (server.clientMemory.isPrecise) server.clientMemory.noteInput(this)
  }

  feedInput(chunk: Buffer): void {
    this.lastCommandMs = this.server.nowMs
    this.limits.unauthenticated = !this.authenticated && this.server.access.passwordRequired
    this.limits.bulkLengthMax = this.kind === 'primary' ? Number.MAX_SAFE_INTEGER : this.server.protocolBulkMax
    this.parser.begin(chunk)
    this.processInput()
    this.checkQueryBuffer()
  }

  private processInput(): void {
    const { parser, server } = this
    const args = server.takeArguments()
    const outer = server.serving
    server.serving = this
    this.processing = true
    let aheadTo = 0
    while (this.parked === undefined && this.postponed === undefined && !this.closing && !this.closed) {
      if (parser.unreadBytes >= LOOK_AHEAD_BYTES && parser.place >= aheadTo) aheadTo = server.hints.give(this, parser)
      const status = parser.next(args)
      if (status === COMMAND) {
        if (args.count > 0) server.dispatcher.process(this, args)
        if (this.onApplied !== undefined) this.onApplied(parser.rawCommand())
        if (this.takenBy !== undefined) break
        if (this.reply.length > FLUSH_ABOVE && !this.flushEarly()) break
      } else {
        if (status === BROKEN) this.protocolError()
        break
      }
    }
    server.hints.end()
    this.processing = false
    server.serving = outer
    server.giveArguments(args)
    if (this.takenBy !== undefined) this.handOver()
    else if (!this.closed) parser.keep()
    this.adjustReading()
  }

  /** What follows the command that took the connection over belongs to the one who took it. */
  private handOver(): void {
    const rest = this.parser.takeRest()
    if (rest.length > 0) this.takenBy?.(rest)
  }

  /** False when processing has to wait for the peer to read. */
  private flushEarly(): boolean {
    if (this.connection === undefined || this.server.turn.holdsReplies) return true
    this.flush()
    this.server.dispatcher.endBatch()
    if (this.kind !== 'normal' || (this.connection?.bufferedBytes ?? 0) < UNREAD_OUTPUT_MAX) return true
    this.waitsForDrain = true
    return false
  }

  /** Goes on with input that was received while the client could not run commands. */
  resumeInput(): void {
    if (this.closed || this.blocked || this.processing || this.waitsForDrain || this.takenBy !== undefined) return
    this.parser.begin(NOTHING)
    this.processInput()
    if (this.reply.length > 0) this.server.turn.flushLater(this)
  }

  private adjustReading(): void {
    if (this.connection === undefined || this.closed) return
    const pause = this.waitsForDrain || (this.blocked && this.parser.pendingBytes > HELD_INPUT_MAX)
    if (pause === this.readingPaused) return
    this.readingPaused = pause
    if (pause) this.connection.pause()
    else this.connection.resume()
  }

  private protocolError(): void {
    const { error } = this.parser
    this.server.log.verbose(`Protocol error (${error}) from client: ${this.server.clients.describe(this)}.`)
    this.reply.error(`ERR ${error}`)
    this.closeAfterReply()
  }

  private checkQueryBuffer(): void {
    if (this.parser.pendingBytes === 0 || this.kind === 'primary' || this.closed) return
    if (this.parser.pendingBytes <= this.server.config.values['client-query-buffer-limit']) return
    this.server.log.warning(
      `Closing client that reached max query buffer length: ${this.server.clients.describe(this)}`,
    )
    this.close('query buffer limit')
  }

  takeOver(onData: ((chunk: Buffer) => void) | undefined): void {
    this.takenBy = onData
  }

  // ---- waiting

  block(kind: string, deadlineMs: number, onTimeout: (client: Client, reply: Reply) => void, onEnd?: () => void): void {
    const { server } = this
    const timer =
      deadlineMs === 0
        ? undefined
        : server.io.timers.after(Math.max(0, deadlineMs - server.io.clock.wallMs()), () => this.timeOut())
    this.parked = { kind, timer, onTimeout, onEnd }
    server.clients.blockedCount++
  }

  unblock(answer: (reply: Reply) => void): void {
    if (this.parked === undefined) return
    this.unpark()
    answer(this.reply)
    this.server.resumeLater(this)
  }

  timeOut(): void {
    const parked = this.parked
    if (parked !== undefined) this.unblock((reply) => parked.onTimeout(this, reply))
  }

  /** No command runs until `release`: the client's script is slow, or its stream must wait for one. */
  hold(): void {
    this.parked ??= HELD
  }

  release(): void {
    if (this.parked !== HELD) return
    this.parked = undefined
    this.server.resumeLater(this)
  }

  private unpark(): void {
    const { parked } = this
    if (parked === undefined) return
    parked.timer?.cancel()
    this.parked = undefined
    if (parked !== HELD) this.server.clients.blockedCount--
    parked.onEnd?.()
  }

  /** CLIENT PAUSE: the command runs when the pause ends. */
  postpone(args: Arguments): void {
    this.postponed = args.clone()
    this.server.clients.blockedCount++
  }

  endPostponement(): void {
    const args = this.postponed
    if (args === undefined) return
    this.postponed = undefined
    this.server.clients.blockedCount--
    if (this.closed) return
    const outer = this.server.serving
    this.server.serving = this
    this.server.dispatcher.process(this, args)
    this.server.serving = outer
    this.server.resumeLater(this)
  }

  // ---- output

  /** WriterOwner: see `resp/writer.ts`. */
  onFirstByte(): void {
    if (this.connection === undefined) return
    const { turn, serving } = this.server
    turn.flushLater(this)
    if (serving !== this) turn.schedule()
  }

  onError(message: string): void {
    this.server.countError(this, message)
  }

  flush(): void {
    const { reply, connection } = this
    if (reply.length === 0 || connection === undefined || this.closed) {
      reply.release(true)
    } else {
      this.server.stats.writes++
      if (this.kind === 'replica') this.server.stats.replicationOutputBytes += reply.length
      else this.server.stats.outputBytes += reply.length
      const gone = connection.write(reply.written())
      reply.release(gone)
      if (!gone) {
        this.server.clientMemory.update(this)
        this.server.limitOutput(this)
      }
    }
    if (this.closing && !this.closed && (connection === undefined || connection.bufferedBytes === 0)) this.close()
  }

  private drained(): void {
    if (this.closed) return
    this.overSoftLimitSinceMs = 0
    if (this.closing) {
      this.close()
      return
    }
    if (this.waitsForDrain) {
      this.waitsForDrain = false
      this.server.refreshClock()
      this.resumeInput()
      this.adjustReading()
      this.server.turn.schedule()
    }
    for (const callback of this.drainCallbacks) callback()
  }

  // ---- end

  closeAfterReply(): void {
    if (this.closing || this.closed) return
    this.closing = true
    this.server.turn.flushLater(this)
    if (this.server.serving !== this) this.server.turn.schedule()
  }

  /** The peer will send nothing more: it gets the answers to what it has sent, unless it waits for something. */
  private peerEnded(): void {
    if (this.blocked || this.takenBy !== undefined) this.close()
    else this.closeAfterReply()
  }

  private connectionClosed(error: IoError | undefined): void {
    if (error !== undefined && !this.closed) this.server.log.verbose(`Reading from client: ${error.message}`)
    this.close()
  }

  close(reason?: string): void {
    if (this.closed) return
    this.closed = true
    if (reason !== undefined) this.server.log.verbose(`Client ${this.server.clients.describe(this)} closed: ${reason}`)
    this.unpark()
    if (this.postponed !== undefined) {
      this.postponed = undefined
      this.server.clients.blockedCount--
    }
    this.server.forgetClient(this)
    this.connection?.destroy()
    this.reply.release(true)
    for (const callback of this.closeCallbacks.splice(0)) callback()
  }

  onDrain(callback: () => void): void {
    this.drainCallbacks.push(callback)
  }

  onClose(callback: () => void): void {
    this.closeCallbacks.push(callback)
  }
}

function describe(connection: Connection | undefined, host = '', port = 0): string {
  if (connection === undefined) return ':0'
  if (host.includes(':')) return `[${host}]:${port}`
  return `${host}:${port}`
}

const HELD: Parked = { kind: 'script', timer: undefined, onTimeout: () => {}, onEnd: undefined }
const NOTHING = Buffer.alloc(0)
