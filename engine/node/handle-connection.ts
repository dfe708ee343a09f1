/**
 * A connection that reads and writes on the stream handle, past the streams of Node.
 *
 *   reading:  libuv ──▶ one 64 KB buffer for all connections ──▶ onData (its view is valid during the call)
 *   writing:  bytes ──▶ write(2) at once ──▶ all taken? true, and the request object serves the next write
 *                                       └──▶ else libuv keeps the rest and the request: false, then onDrain
 *
 * The socket itself is still there for what happens once in a connection's life: connecting, addresses, options,
 * shutdown, closing. Bytes written before the handshake go through it too, and as long as it holds any, so do later
 * ones: the order is kept.
 */

import type net from 'node:net'
import { ioErrorFromNumber } from './errors.ts'
import { SocketConnection } from './socket-connection.ts'
import type { StreamBinding, StreamHandle, WriteRequest } from './stream-handle.ts'
import { handleOf, UV_EOF } from './stream-handle.ts'

const READ_BUFFER_BYTES = 64 * 1024
/**
 * Windows on the beginning of the read buffer are kept up to this length: making one costs more than a short command.
 */
const KEPT_WINDOWS = 4096

/** What all connections of a process share. */
export class HandleSharing {
  readonly binding: StreamBinding
  readonly readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)
  private readonly windows: (Buffer | undefined)[] = new Array<Buffer | undefined>(KEPT_WINDOWS).fill(undefined)
  /** For the next write; replaced when libuv keeps it. */
  request: WriteRequest

  constructor(binding: StreamBinding) {
    this.binding = binding
    this.request = new binding.WriteWrap()
  }

  /** The first `count` bytes that were read. */
  received(count: number): Buffer {
    if (count >= KEPT_WINDOWS) return this.readBuffer.subarray(0, count)
    let window = this.windows[count]
    if (window === undefined) {
      window = this.readBuffer.subarray(0, count)
      this.windows[count] = window
    }
    return window
  }
}

export class HandleConnection extends SocketConnection {
  private readonly sharing: HandleSharing
  private handle: StreamHandle | undefined
  /** The socket still holds bytes from before the handshake. */
  private throughSocket = true

  constructor(sharing: HandleSharing, socket: net.Socket, path: string | undefined, host: string, port: number) {
    super(socket, path, host, port)
    this.sharing = sharing
    // Accepted connections may be written to before they are read from.
    if (!socket.connecting) this.takeHandle()
  }

  override write(bytes: Buffer): boolean {
    const { handle } = this
    if (handle === undefined || this.throughSocket) return super.write(bytes)
    if (this.dead || this.ending || bytes.length === 0) return true
    const { sharing } = this
    const { request, binding } = sharing
    const error = handle.writeBuffer(request, bytes)
    if (error !== 0) {
      this.fail(ioErrorFromNumber(error, 'write'))
      return true
    }
    if (binding.streamBaseState[binding.kLastWriteWasAsync] === 0) return true
    sharing.request = new binding.WriteWrap()
    request.buffer = bytes
    request.oncomplete = (status) => this.written(status)
    this.owesDrain = true
    return false
  }

  override get bufferedBytes(): number {
    const { handle } = this
    if (handle === undefined || this.throughSocket || this.dead) return super.bufferedBytes
    return handle.writeQueueSize
  }

  protected override attachReader(): void {
    this.takeHandle()
    const { handle, sharing } = this
    if (handle === undefined) {
      super.attachReader()
      return
    }
    handle.onread = () => this.readable()
    handle.useUserBuffer(sharing.readBuffer)
  }

  protected override startReading(): void {
    const { handle } = this
    if (handle === undefined) {
      super.startReading()
      return
    }
    handle.reading = true
    const error = handle.readStart()
    if (error !== 0) this.fail(ioErrorFromNumber(error, 'read'))
  }

  protected override stopReading(): void {
    const { handle } = this
    if (handle === undefined) {
      super.stopReading()
      return
    }
    handle.reading = false
    handle.readStop()
  }

  protected override drained(): void {
    if (this.socket.writableLength === 0) this.throughSocket = false
    super.drained()
  }

  private takeHandle(): void {
    if (this.handle !== undefined || this.dead) return
    this.handle = handleOf(this.socket)
    this.throughSocket = this.socket.writableLength > 0
  }

  private readable(): void {
    if (this.dead) return
    const { binding } = this.sharing
    const count = binding.streamBaseState[binding.kReadBytesOrError]!
    if (count > 0) this.handlers.onData(this.sharing.received(count))
    else if (count === UV_EOF) this.ended()
    else if (count < 0) this.fail(ioErrorFromNumber(count, 'read'))
  }

  private written(status: number): void {
    if (this.dead) return
    if (status < 0) this.fail(ioErrorFromNumber(status, 'write'))
    else this.drained()
  }
}
