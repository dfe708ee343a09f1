/**
 * A connection on the public interface of `net.Socket`.
 *
 * The socket allows half-open streams: what follows the peer's FIN is decided here, as the `Connection` contract says.
 * A write is "gone" when the kernel took all of it at once, which the socket shows by having nothing buffered after
 * the call; only then may the caller reuse the memory.
 */

import type net from 'node:net'
import type { Connection, ConnectionHandlers, IoError } from '../io.ts'
import { ioErrorFrom } from './errors.ts'

const noHandlers: ConnectionHandlers = { onData() {}, onClose() {} }

export class SocketConnection implements Connection {
  localHost = ''
  localPort = 0
  remoteHost: string
  remotePort: number
  readonly isUnixSocket: boolean
  protected readonly socket: net.Socket
  protected handlers: ConnectionHandlers = noHandlers
  /** Handshake done, handlers set. */
  protected established = false
  protected paused = false
  /** No callback but `onClose` any more. */
  protected dead = false
  /** A write returned false: `onDrain` is owed. */
  protected owesDrain = false
  protected ending = false
  private peerEnded = false
  private error: IoError | undefined
  private readonly onWritten: () => void

  /**
   * `path` is the Unix socket's path, or undefined over TCP; `host` and `port` are where an outgoing connection goes.
   */
  constructor(socket: net.Socket, path: string | undefined, host: string, port: number) {
    this.socket = socket
    this.isUnixSocket = path !== undefined
    this.remoteHost = path ?? host
    this.remotePort = path === undefined ? port : 0
    if (path !== undefined) this.localHost = path
    else if (!socket.connecting && socket.remoteAddress !== undefined) this.readAddresses()
    this.onWritten = () => this.drained()
    socket.on('connect', () => this.connected())
    socket.on('end', () => this.ended())
    socket.on('finish', () => this.closeWhenBothEnded())
    socket.on('error', (error) => {
      if (!this.dead) this.error = ioErrorFrom(error)
    })
    socket.on('close', () => this.closed())
  }

  /** Starts reading; for accepted connections, after their handlers have been set. */
  begin(): void {
    this.established = true
    this.attachReader()
    if (!this.paused && !this.dead) this.startReading()
  }

  setHandlers(handlers: ConnectionHandlers): void {
    this.handlers = handlers
  }

  write(bytes: Buffer): boolean {
    if (this.dead || this.ending || bytes.length === 0) return true
    this.socket.write(bytes, this.onWritten)
    if (this.socket.writableLength === 0) return true
    this.owesDrain = true
    return false
  }

  get bufferedBytes(): number {
    return this.dead ? 0 : this.socket.writableLength
  }

  pause(): void {
    if (this.paused) return
    this.paused = true
    if (this.established && !this.dead) this.stopReading()
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (this.established && !this.dead) this.startReading()
  }

  end(): void {
    if (this.dead || this.ending) return
    this.ending = true
    this.socket.end()
  }

  destroy(): void {
    if (this.dead) return
    this.dead = true
    this.socket.destroy()
  }

  setNoDelay(noDelay: boolean): void {
    if (!this.isUnixSocket) this.socket.setNoDelay(noDelay)
  }

  setKeepAlive(intervalSeconds: number): void {
    if (!this.isUnixSocket) this.socket.setKeepAlive(intervalSeconds > 0, intervalSeconds * 1000)
  }

  protected attachReader(): void {
    this.socket.on('data', (chunk: Buffer) => {
      if (!this.dead) this.handlers.onData(chunk)
    })
  }

  protected startReading(): void {
    this.socket.resume()
  }

  protected stopReading(): void {
    this.socket.pause()
  }

  protected drained(): void {
    if (!this.owesDrain || this.dead || this.bufferedBytes > 0) return
    this.owesDrain = false
    this.handlers.onDrain?.()
  }

  /** The peer's FIN has been read. */
  protected ended(): void {
    if (this.dead || this.peerEnded) return
    this.peerEnded = true
    if (this.handlers.onEnd === undefined) {
      this.destroy()
      return
    }
    this.handlers.onEnd()
    this.closeWhenBothEnded()
  }

  /** Reading or writing has failed. */
  protected fail(error: IoError): void {
    if (this.dead) return
    this.error = error
    this.dead = true
    this.socket.destroy()
  }

  private readAddresses(): void {
    this.localHost = this.socket.localAddress ?? ''
    this.localPort = this.socket.localPort ?? 0
    this.remoteHost = this.socket.remoteAddress ?? this.remoteHost
    this.remotePort = this.socket.remotePort ?? this.remotePort
  }

  private connected(): void {
    if (this.dead) return
    if (!this.isUnixSocket) this.readAddresses()
    this.handlers.onConnect?.()
    this.begin()
  }

  private closeWhenBothEnded(): void {
    if (this.peerEnded && this.socket.writableFinished && !this.dead) {
      this.dead = true
      this.socket.destroy()
    }
  }

  private closed(): void {
    this.dead = true
    const error = this.error
    this.handlers.onClose(error)
    this.handlers = noHandlers
  }
}
