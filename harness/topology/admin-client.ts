/** Commands to nodes on the management plane, as promises of the World. */
import { ReplyError, type ReplyValue } from '../../engine/resp/reply-parser.ts'
import { RespClient } from '../workload/resp-client.ts'
import type { World, WorldNode } from '../world/world.ts'

export class AdminClient {
  readonly node: WorldNode
  private readonly world: World
  private readonly password: string
  private client: RespClient | undefined

  constructor(world: World, node: WorldNode) {
    this.world = world
    this.node = node
    this.password = node.configuration.requirepass ?? ''
  }

  /** The reply; rejects with a sentence on an error reply, a lost connection or no answer in time. */
  async command(words: readonly string[], timeoutMs = 10_000): Promise<ReplyValue> {
    const reply = await this.tryCommand(words, timeoutMs)
    if (reply instanceof ReplyError)
      throw new Error(`${this.node.name} answers ${words.join(' ')} with: ${reply.message}`)
    if (reply === undefined) throw new Error(`${this.node.name} does not answer ${words.join(' ')}`)
    return reply
  }

  /** The reply as text. */
  async text(words: readonly string[], timeoutMs = 10_000): Promise<string> {
    return replyText(await this.command(words, timeoutMs))
  }

  /** The reply, an error reply as a value; undefined when there is no answer in time. */
  tryCommand(words: readonly string[], timeoutMs: number): Promise<ReplyValue | undefined> {
    const { promise, resolve } = this.world.deferred<ReplyValue | undefined>()
    const client = this.connection()
    const timer = this.world.adminIo.timers.after(timeoutMs, () => client.close('no answer in time'))
    client.send(words, (reply) => {
      timer.cancel()
      resolve(reply)
    })
    return promise
  }

  /** Many requests at once; the replies in order, error replies as values. Rejects when one is not answered in time. */
  async pipeline(requests: readonly (readonly string[])[], timeoutMs = 10_000): Promise<ReplyValue[]> {
    const replies = await this.tryPipeline(requests, timeoutMs)
    if (replies === undefined) throw new Error(`${this.node.name} does not answer ${requests.length} requests`)
    return replies
  }

  /** The same; undefined when one is not answered in time. */
  async tryPipeline(requests: readonly (readonly string[])[], timeoutMs: number): Promise<ReplyValue[] | undefined> {
    if (requests.length === 0) return []
    const { promise, resolve } = this.world.deferred<ReplyValue[] | undefined>()
    const client = this.connection()
    const timer = this.world.adminIo.timers.after(timeoutMs, () => client.close('no answer in time'))
    const replies: ReplyValue[] = []
    for (const words of requests) {
      client.send(words, (reply) => {
        if (reply === undefined) {
          timer.cancel()
          resolve(undefined)
          return
        }
        replies.push(reply)
        if (replies.length < requests.length) return
        timer.cancel()
        resolve(replies)
      })
    }
    return promise
  }

  close(): void {
    this.client?.close()
    this.client = undefined
  }

  private connection(): RespClient {
    if (this.client?.isOpen) return this.client
    const { adminHost: host, adminPort: port } = this.node
    const client = new RespClient(this.world.adminIo, { host, port })
    if (this.password !== '') client.send(['AUTH', this.password], () => {})
    this.client = client
    return client
  }
}

/** Bulk and simple strings as text. */
export function replyText(reply: ReplyValue | undefined): string {
  if (reply instanceof ReplyError) return reply.message
  return Buffer.isBuffer(reply) ? reply.toString() : String(reply)
}
