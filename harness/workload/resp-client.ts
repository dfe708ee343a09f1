/**
 * A plain RESP client over the Io port: pipelined requests, replies in order by callback. Callbacks and not promises,
 * so that it runs in the simulator and costs nothing at high rates.
 */
import type { Connection, Io } from '../../engine/io.ts'
import { PushReply, ReplyParser, type ReplyValue } from '../../engine/resp/reply-parser.ts'
import { encodeRequest } from '../../engine/resp/request.ts'

export interface Address {
  host: string
  port: number
}

/** A request's end: the server's reply (errors are `ReplyError` values), or why there is none. */
export type ReplyCallback = (reply: ReplyValue | undefined, lost?: ConnectionLost) => void

export interface ConnectionLost {
  /** Whether the request can have reached the server. */
  sent: boolean
  reason: string
}

export class RespClient {
  /** Out-of-band messages (RESP3); without it they count as replies. */
  onPush: ((push: PushReply) => void) | undefined
  private readonly connection: Connection
  private readonly waiting: ReplyCallback[] = []
  private first = 0
  private connected = false
  private closed = false

  constructor(io: Io, address: Address, onClosed?: () => void) {
    const parser = new ReplyParser((reply) => {
      if (this.onPush !== undefined && reply instanceof PushReply) this.onPush(reply)
      else this.settleFirst(reply)
    })
    this.connection = io.network.connect(address, {
      onConnect: () => {
        this.connected = true
      },
      onData: (chunk) => {
        try {
          parser.feed(chunk)
        } catch {
          this.close('the peer does not speak RESP')
        }
      },
      onClose: (error) => {
        this.fail(error?.code ?? 'connection closed')
        onClosed?.()
      },
    })
    this.connection.setNoDelay(true)
  }

  get isOpen(): boolean {
    return !this.closed
  }

  /** Requests without an answer yet. */
  get pending(): number {
    return this.waiting.length - this.first
  }

  /** Sends one request. `callback` is called exactly once, never before `send` returned on an open connection. */
  send(words: readonly (string | Buffer)[], callback: ReplyCallback): void {
    if (this.closed) {
      callback(undefined, { sent: false, reason: 'connection closed' })
      return
    }
    this.waiting.push(callback)
    this.connection.write(encodeRequest(words))
  }

  /** Closes at once; requests without an answer end as lost. */
  close(reason = 'closed by the client'): void {
    this.connection.destroy()
    this.fail(reason)
  }

  private settleFirst(reply: ReplyValue): void {
    const callback = this.waiting[this.first]
    if (callback === undefined) return
    this.waiting[this.first] = noCallback
    this.first++
    if (this.first > 1024 && this.first * 2 > this.waiting.length) {
      this.waiting.splice(0, this.first)
      this.first = 0
    }
    callback(reply)
  }

  private fail(reason: string): void {
    if (this.closed) return
    this.closed = true
    const lost = this.waiting.splice(0).slice(this.first)
    this.first = 0
    for (const callback of lost) callback(undefined, { sent: this.connected, reason })
  }
}

function noCallback(): void {}
