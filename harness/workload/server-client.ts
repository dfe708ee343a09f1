/**
 * A client of one server over the Io port, and what every client of a workload can do. It behaves as the common clients
 * do: an operation without an answer within the time-out closes the connection, and the next one connects anew.
 */
import type { Io, Timer } from '../../engine/io.ts'
import { ReplyError } from '../../engine/resp/reply-parser.ts'
import type { Outcome } from '../history/history.ts'
import { type Address, RespClient } from './resp-client.ts'

export interface WriteResult {
  outcome: Outcome
  /** `host:port` of the node that answered last; empty: none did. */
  node: string
  error: string
}

export interface WorkloadClient {
  /** Calls back when operations can be sent. */
  start(onReady: () => void): void
  /** Sends a command about `key`; `done` is called exactly once. */
  send(key: string, words: readonly string[], done: (result: WriteResult) => void): void
  close(): void
}

const RETRY_MS = 50

export class ServerClient implements WorkloadClient {
  private readonly io: Io
  private readonly address: Address
  private readonly timeoutMs: number
  private readonly node: string
  private client: RespClient | undefined
  private retry: Timer | undefined
  private closed = false

  constructor(io: Io, address: Address, timeoutMs: number) {
    this.io = io
    this.address = address
    this.timeoutMs = timeoutMs
    this.node = `${address.host}:${address.port}`
  }

  start(onReady: () => void): void {
    this.send('', ['PING'], ({ outcome }) => {
      if (this.closed) return
      if (outcome === 'ok') onReady()
      else this.retry = this.io.timers.after(RETRY_MS, () => this.start(onReady))
    })
  }

  send(_key: string, words: readonly string[], done: (result: WriteResult) => void): void {
    const client = this.connection()
    let isOver = false
    const finish = (outcome: Outcome, error: string): void => {
      if (isOver) return
      isOver = true
      timer.cancel()
      done({ outcome, node: this.node, error })
    }
    const timer = this.io.timers.after(this.timeoutMs, () => {
      const error = `no answer within ${this.timeoutMs} ms`
      // Before closing: what closing ends is not this operation.
      finish('unknown', error)
      client.close(error)
    })
    client.send(words, (reply, lost) => {
      if (lost !== undefined) finish(lost.sent ? 'unknown' : 'fail', lost.reason)
      else if (reply instanceof ReplyError) finish('fail', reply.message)
      else finish('ok', '')
    })
  }

  close(): void {
    this.closed = true
    this.retry?.cancel()
    this.client?.close()
  }

  private connection(): RespClient {
    if (this.client?.isOpen) return this.client
    this.client = new RespClient(this.io, this.address)
    return this.client
  }
}
