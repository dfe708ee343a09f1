/**
 * The workload `transactions`: the same five writes as five calls, one pipeline, one MULTI or one script, one
 * transaction after the other on every connection. Afterwards the list that all share says which of them were torn.
 */
import { createHash } from 'node:crypto'
import { ReplyError } from '../../engine/resp/reply-parser.ts'
import { AdminClient, replyText } from '../topology/admin-client.ts'
import type { World } from '../world/world.ts'
import { DATA_PREFIX } from './data-set.ts'
import type { Generator, GeneratorOptions } from './generator.ts'
import { type Address, RespClient } from './resp-client.ts'
import { clientNames, type TransactionsSpec } from './workload.ts'

const WRITES = 5
const LIST = `${DATA_PREFIX}transactions`
const SCRIPT = `for i = 1, ${WRITES} do redis.call('RPUSH', KEYS[1], ARGV[1]) end`
const DIGEST = createHash('sha1').update(SCRIPT).digest('hex')

export class TransactionGenerator implements Generator {
  readonly ready: Promise<void>
  readonly late = 0
  private readonly spec: TransactionsSpec
  private readonly world: World
  private readonly options: GeneratorOptions
  private readonly clients: RespClient[]
  private readonly tookMs: number[] = []
  private count = 0
  private running = 0
  private isStopping = false
  private onIdle: () => void = () => {}
  private failure: Error | undefined

  constructor(spec: TransactionsSpec, world: World, options: GeneratorOptions) {
    this.spec = spec
    this.world = world
    this.options = options
    this.clients = clientNames(spec).map((name) => new RespClient(world.clientIo(name), options.seeds[0] as Address))
    const { promise, resolve, reject } = world.deferred<void>()
    this.ready = promise
    let missing = this.clients.length
    for (const client of this.clients) {
      client.send(['SCRIPT', 'LOAD', SCRIPT], (reply, lost) => {
        if (reply === undefined || reply instanceof ReplyError)
          reject(new Error(`no script: ${lost?.reason ?? 'refused'}`))
        else if (--missing === 0) resolve()
      })
    }
  }

  start(): void {
    for (const client of this.clients) {
      this.running++
      this.next(client)
    }
  }

  /** Resolves when every transaction has ended and the list has been read. */
  async stop(): Promise<void> {
    this.isStopping = true
    const { promise, resolve } = this.world.deferred<void>()
    this.onIdle = () => resolve()
    if (this.running === 0) resolve()
    await promise
    if (this.failure !== undefined) throw this.failure
    const admin = new AdminClient(this.world, this.options.node)
    try {
      const reply = await admin.command(['LRANGE', LIST, '0', '-1'])
      const list = Array.isArray(reply) ? reply.map((element) => Number(replyText(element))) : []
      this.options.recorder.record({ type: 'transactions', atMs: 0, tookMs: this.tookMs, list })
    } finally {
      admin.close()
    }
  }

  close(): void {
    this.isStopping = true
    for (const client of this.clients) client.close()
  }

  private next(client: RespClient): void {
    if (this.isStopping || this.failure !== undefined) {
      if (--this.running === 0) this.onIdle()
      return
    }
    const startMs = this.world.nowMs()
    const rounds = roundsOf(this.spec.mode, String(++this.count))
    const round = (number: number): void => {
      const requests = rounds[number]
      if (requests === undefined) {
        this.tookMs.push(Math.round((this.world.nowMs() - startMs) * 1000) / 1000)
        this.next(client)
        return
      }
      let missing = requests.length
      for (const words of requests) {
        client.send(words, (reply, lost) => {
          if (reply === undefined || reply instanceof ReplyError) {
            this.failure ??= new Error(`${words[0]} failed: ${reply?.message ?? lost?.reason}`)
          }
          if (--missing === 0) round(this.failure === undefined ? number + 1 : rounds.length)
        })
      }
    }
    round(0)
  }
}

/** What goes out together, one round trip each. */
function roundsOf(mode: TransactionsSpec['mode'], id: string): string[][][] {
  const writes = Array.from({ length: WRITES }, () => ['RPUSH', LIST, id])
  switch (mode) {
    case 'calls':
      return writes.map((write) => [write])
    case 'pipeline':
      return [writes]
    case 'multi':
      return [[['MULTI'], ...writes, ['EXEC']]]
    case 'script':
      return [[['EVALSHA', DIGEST, '1', LIST, id]]]
  }
}
