/**
 * The stream handle under a `net.Socket`: libuv's stream as Node wraps it.
 *
 * This is private to Node (`socket._handle`, and `process.binding('stream_wrap')` for its requests). It is used for
 * speed only: reading into one buffer shared by all connections and writing without a stream's bookkeeping take about
 * 0.65 of the CPU per request of 'data' events and 0.9 of `onread`. `loadStreamBinding` says whether everything that
 * is used is there with the shape that is expected; without it, `socket-connection.ts` does the same through the
 * public interface. Both pass the contract suite.
 */

import type net from 'node:net'

export interface WriteRequest {
  /** Called when a write that libuv could not do at once is done; not called otherwise. */
  oncomplete: ((status: number) => void) | undefined
  /** Keeps the memory alive. */
  buffer: Buffer | undefined
}

export interface StreamHandle {
  onread: () => void
  reading: boolean
  readonly writeQueueSize: number
  useUserBuffer(buffer: Uint8Array): void
  /** These return 0 or a negative error number. */
  readStart(): number
  readStop(): number
  writeBuffer(request: WriteRequest, bytes: Buffer): number
}

export interface StreamBinding {
  WriteWrap: new () => WriteRequest
  /** The outcome of the latest call into a stream; the next two are places in it. */
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kLastWriteWasAsync: number
}

/** libuv's number for the end of a stream. */
export const UV_EOF = -4095

/** Undefined when this Node does not have it. */
export function loadStreamBinding(): StreamBinding | undefined {
  try {
    const load = (process as unknown as { binding(name: string): unknown }).binding
    const binding = load('stream_wrap') as Partial<StreamBinding>
    const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding
    if (typeof WriteWrap !== 'function' || !(streamBaseState instanceof Int32Array)) return undefined
    if (typeof kReadBytesOrError !== 'number' || typeof kLastWriteWasAsync !== 'number') return undefined
    return { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync }
  } catch {
    return undefined
  }
}

/** The handle of an open socket, undefined when it is not what is expected. */
export function handleOf(socket: net.Socket): StreamHandle | undefined {
  const handle = (socket as unknown as { _handle?: Partial<StreamHandle> | null })._handle
  if (handle === undefined || handle === null) return undefined
  const { useUserBuffer, readStart, readStop, writeBuffer, writeQueueSize } = handle
  const methods = [useUserBuffer, readStart, readStop, writeBuffer]
  const isComplete = methods.every((method) => typeof method === 'function') && typeof writeQueueSize === 'number'
  return isComplete ? (handle as StreamHandle) : undefined
}
