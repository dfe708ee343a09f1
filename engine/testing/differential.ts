/**
 * Differential testing against the real redis-server 7.0.15: the same bytes go to both, the replies must be the same
 * bytes. For every command family:
 *
 *     againstRedis('strings', () => {
 *       const pair = usePair()                                     // starts both once, stops both at the end
 *       test('SET answers as Redis does', async () => {
 *         await pair().same([['SET', 'k', 'v'], ['GET', 'k'], ['SET', 'k']])
 *       })
 *     })
 *
 * `same` runs the commands over RESP2 and again over RESP3, each time on a fresh connection after FLUSHALL, and
 * compares reply by reply, and at the end the digests of both data sets. Where a difference is right (a client's
 * number, a time), name it in `allow` with a reason.
 * `session` gives two open connections for tests that need several clients.
 *
 * Without redis-server these tests are skipped, unless CI=true, where they fail.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { createNodeIo } from '../node/io.ts'
import { encodeRequest } from '../resp/request.ts'
import { type AssembledServer, createServer } from '../server/assembly.ts'
import { createConfig } from '../server/config.ts'
import { hasRedisServer, type RunningRedis, startRedis } from './redis-server.ts'

export type Word = string | Buffer
export type Words = readonly Word[]

/** A `describe` whose tests need redis-server. */
export function againstRedis(name: string, tests: () => void): void {
  // Without redis-server there is nothing to compare with; CI must have it.
  describe.skipIf(!hasRedisServer)(name, tests)
}

/** A difference that is right. `replace` makes both sides equal. */
export interface AllowedDifference {
  /** Only replies to commands whose first words are these, in lower case: `client list`. Undefined: all. */
  command?: string
  pattern: RegExp
  replace: string | ((matched: string) => string)
  reason: string
}

/** One connection that sends words and collects whole replies as raw bytes. */
export class RawConnection {
  private readonly socket: net.Socket
  private readonly replies: Buffer[] = []
  private waiting: { count: number; resolve: (replies: Buffer[]) => void; reject: (error: Error) => void } | undefined
  private received = Buffer.alloc(0)
  closed = false

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (chunk) => this.take(chunk))
    socket.on('error', () => this.end())
    socket.on('close', () => this.end())
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawConnection(socket)
  }

  private take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk])
    for (;;) {
      const length = replyLength(this.received)
      if (length === undefined) break
      this.replies.push(this.received.subarray(0, length))
      this.received = this.received.subarray(length)
    }
    this.answer()
  }

  private end(): void {
    this.closed = true
    this.answer()
  }

  private answer(): void {
    const { waiting } = this
    if (waiting === undefined || (this.replies.length < waiting.count && !this.closed)) return
    this.waiting = undefined
    const replies = this.replies.splice(0, waiting.count)
    while (replies.length < waiting.count) replies.push(Buffer.from('(connection closed)'))
    waiting.resolve(replies)
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** The next `count` replies (pushes count as replies). After a close the rest is `(connection closed)`. */
  read(count: number): Promise<Buffer[]> {
    return new Promise((resolve, reject) => {
      this.waiting = { count, resolve, reject }
      this.answer()
    })
  }

  async send(...words: Word[]): Promise<string> {
    this.write(encodeRequest(words))
    const [reply] = await this.read(1)
    return (reply as Buffer).toString('latin1')
  }

  close(): void {
    this.socket.destroy()
  }
}

/** Length of the first complete reply in `bytes`. */
function replyLength(bytes: Buffer): number | undefined {
  let missing = 1
  let at = 0
  while (missing > 0) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1')
    if (lineEnd < 0) return undefined
    const type = String.fromCharCode(bytes[at] as number)
    const size = Number(bytes.toString('latin1', at + 1, lineEnd))
    at = lineEnd + 2
    missing--
    if ('$=!'.includes(type) && size >= 0) {
      at += size + 2
      if (at > bytes.length) return undefined
    } else if ('*~>'.includes(type) && size > 0) missing += size
    else if ('%|'.includes(type)) missing += size * 2 + (type === '|' ? 1 : 0)
  }
  return at
}

export interface PairOptions {
  /** Configuration for both servers. */
  settings?: Readonly<Record<string, string>>
}

/** The real server and ours. */
export class ServerPair {
  readonly redisPort: number
  readonly enginePort: number
  readonly engine: AssembledServer
  private readonly redis: RunningRedis

  private constructor(redis: RunningRedis, engine: AssembledServer) {
    this.redis = redis
    this.redisPort = redis.port
    this.engine = engine
    this.enginePort = engine.port
  }

  static async start({ settings = {} }: PairOptions = {}): Promise<ServerPair> {
    const shared = { save: '', 'enable-debug-command': 'yes', ...settings }
    const redis = await startRedis(Object.entries(shared).flatMap(([name, value]) => [`--${name}`, value]))
    try {
      return new ServerPair(redis, await startEngine(shared))
    } catch (error) {
      await redis.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.engine.stop()
    await this.redis.stop()
  }

  /** Runs the commands on both, over RESP2 and RESP3, and expects the same replies. */
  async same(commands: readonly Words[], allow: readonly AllowedDifference[] = []): Promise<void> {
    for (const protocol of ['2', '3'] as const) {
      const [redis, engine] = await this.replies(commands, protocol)
      compare(commands, redis, engine, `RESP${protocol}`, allow)
      await this.sameData()
    }
  }

  /** Expects that both hold the same data, and that it stays the same when each saves and loads it if `reload`. */
  async sameData({ reload = false } = {}): Promise<void> {
    const both = await this.session()
    try {
      const send = (...words: Word[]) => Promise.all([both.redis.send(...words), both.engine.send(...words)])
      const [redis, engine] = await send('DEBUG', 'DIGEST')
      expect(engine, 'DEBUG DIGEST').toBe(redis)
      if (!reload) return
      expect(await send('DEBUG', 'RELOAD')).toEqual(['+OK\r\n', '+OK\r\n'])
      expect(await send('DEBUG', 'DIGEST')).toEqual([redis, redis])
    } finally {
      both.redis.close()
      both.engine.close()
    }
  }

  /** Replies of redis-server and of ours. */
  async replies(commands: readonly Words[], protocol: '2' | '3'): Promise<[Buffer[], Buffer[]]> {
    const both = await this.session()
    try {
      const run = async (connection: RawConnection): Promise<Buffer[]> => {
        connection.write(Buffer.concat([encodeRequest(['HELLO', protocol]), encodeRequest(['FLUSHALL'])]))
        await connection.read(2)
        connection.write(Buffer.concat(commands.map(encodeRequest)))
        return connection.read(commands.length)
      }
      return await Promise.all([run(both.redis), run(both.engine)])
    } finally {
      both.redis.close()
      both.engine.close()
    }
  }

  /** What both answer to raw bytes, up to the close of the connection or `ECHO` of a mark behind them. */
  async sameBytes(bytes: Uint8Array): Promise<void> {
    const [redis, engine] = await Promise.all([exchange(this.redisPort, bytes), exchange(this.enginePort, bytes)])
    expect({ bytes: Buffer.from(bytes).toString('latin1'), reply: engine }).toEqual({
      bytes: Buffer.from(bytes).toString('latin1'),
      reply: redis,
    })
  }

  /** A connection to each. The caller closes them. */
  async session(): Promise<{ redis: RawConnection; engine: RawConnection }> {
    const redis = await RawConnection.open(this.redisPort)
    try {
      return { redis, engine: await RawConnection.open(this.enginePort) }
    } catch (error) {
      redis.close()
      throw error
    }
  }
}

/** Compares reply by reply; the message names the command. */
export function compare(
  commands: readonly Words[],
  redis: readonly Buffer[],
  engine: readonly Buffer[],
  label: string,
  allow: readonly AllowedDifference[],
): void {
  commands.forEach((words, index) => {
    const command = words.map((word) => word.toString('latin1')).join(' ')
    const level = (reply: Buffer | undefined): string =>
      levelled(command, (reply ?? Buffer.alloc(0)).toString('latin1'), allow)
    const [wanted, got] = [level(redis[index]), level(engine[index])]
    expect(`${label} ${index} ${command} → ${got}`).toBe(`${label} ${index} ${command} → ${wanted}`)
  })
}

function levelled(command: string, reply: string, allow: readonly AllowedDifference[]): string {
  let text = reply
  for (const { command: prefix, pattern, replace } of allow) {
    if (prefix === undefined || command.toLowerCase().startsWith(prefix))
      text = typeof replace === 'string' ? text.replace(pattern, replace) : text.replace(pattern, replace)
  }
  return text
}

/** Sends bytes, half-closes, and gives everything that came back. */
export function exchange(port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port, allowHalfOpen: true })
    let reply = ''
    socket.on('data', (chunk) => {
      reply += chunk.toString('latin1')
    })
    socket.on('end', () => socket.destroy())
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    socket.on('close', () => resolve(reply))
    socket.end(bytes)
  })
}

/** Starts a pair before the tests of the file and stops it after them. */
export function usePair(options: PairOptions = {}): () => ServerPair {
  let pair: ServerPair | undefined
  beforeAll(async () => {
    pair = await ServerPair.start(options)
  })
  afterAll(async () => {
    await pair?.stop()
  })
  return () => {
    if (pair === undefined) throw new Error('the servers are not running: use the pair inside of a test')
    return pair
  }
}

/** Our server in this process, on a port of the system's choice, in a directory of its own that goes when it stops. */
export async function startEngine(settings: Readonly<Record<string, string>> = {}): Promise<AssembledServer> {
  const io = createNodeIo()
  const quiet = { ...io, host: { ...io.host, print() {}, exit() {} } }
  const directory = mkdtempSync(join(tmpdir(), 'faultline-engine-'))
  const config = createConfig(io.disk, {
    settings: { bind: '127.0.0.1', loglevel: 'warning', ...settings },
    workingDirectory: directory,
  })
  const server = createServer(quiet, { config, port: 0 })
  const stop = server.stop.bind(server)
  server.stop = () => {
    stop()
    rmSync(directory, { recursive: true, force: true })
  }
  await new Promise<void>((resolve, reject) => {
    server.start({ onReady: resolve, onFailure: (message) => reject(new Error(message)) })
  })
  return server
}
