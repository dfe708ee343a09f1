/**
 * The stand: our engine and redis-server side by side, each on a loopback address of its own, with the same
 * configuration, as real processes. Whatever happens to the bench, both end: they are in the journal that the reaper
 * reads (see `world/real/journal.ts`).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Io } from '../../engine/io.ts'
import { createNodeIo } from '../../engine/node/io.ts'
import { ReplyError, type ReplyValue } from '../../engine/resp/reply-parser.ts'
import { HarnessError, interrupted } from '../errors.ts'
import { RespClient } from '../workload/resp-client.ts'
import type { ServerProgram } from '../world/programs.ts'
import { type AddressPlan, allocateAddresses } from '../world/real/addresses.ts'
import { healInterrupted, Journal } from '../world/real/journal.ts'
import { prepareServerDirectory, ServerProcess } from '../world/real/server-process.ts'

export type Contender = 'engine' | 'redis'

const PORT = 6379
const JOURNAL_FOLDER = '.faultline/journal'
/** Loading a million keys takes seconds, on a busy machine many. */
const START_LIMIT_MS = 120_000
const LOOK_EVERY_MS = 10

/** A started server. */
export class BenchServer {
  readonly name: Contender
  readonly host: string
  readonly port = PORT
  readonly io: Io
  private readonly process: ServerProcess
  private client: RespClient | undefined

  constructor(name: Contender, host: string, io: Io, process: ServerProcess) {
    this.name = name
    this.host = host
    this.io = io
    this.process = process
  }

  get pid(): number {
    const { pid, endedWith } = this.process
    if (pid === undefined || endedWith !== undefined) {
      throw new HarnessError('NODE_START', `${this.name} has ended (${endedWith}): ${this.logTail()}`)
    }
    return pid
  }

  logTail(): string {
    return this.process.logTail(5).join('\n')
  }

  logLines(count: number): string[] {
    return this.process.logTail(count)
  }

  /** Rejects on an error reply and on a lost connection. */
  command(...words: (string | Buffer)[]): Promise<ReplyValue> {
    if (this.client?.isOpen !== true) this.client = this.connect()
    const { client } = this
    return new Promise((resolve, reject) => {
      client.send(words, (reply, lost) => {
        if (reply === undefined) reject(new HarnessError('NODE_START', `${this.name}: ${lost?.reason}`))
        else if (reply instanceof ReplyError) reject(new Error(`${this.name} answers ${words[0]}: ${reply.message}`))
        else resolve(reply)
      })
    })
  }

  /** A connection of its own. */
  connect(): RespClient {
    return new RespClient(this.io, { host: this.host, port: PORT })
  }

  async stop(): Promise<void> {
    this.client?.close()
    await this.process.kill()
  }
}

export interface StandOptions {
  programs: Readonly<Record<Contender, ServerProgram>>
  /** Aborted: nothing is started any more, and what waits ends. */
  signal: AbortSignal
}

export class Stand {
  private readonly options: StandOptions
  private readonly addresses: AddressPlan
  private readonly journal: Journal
  private readonly directory: string
  private readonly io = createNodeIo()
  private readonly servers = new Map<Contender, BenchServer>()

  private constructor(options: StandOptions, addresses: AddressPlan) {
    this.options = options
    this.addresses = addresses
    this.journal = new Journal(JOURNAL_FOLDER)
    this.directory = mkdtempSync(join(tmpdir(), 'faultline-bench-'))
    this.journal.addDirectory(this.directory)
  }

  static async open(options: StandOptions): Promise<Stand> {
    healInterrupted(JOURNAL_FOLDER)
    return new Stand(options, await allocateAddresses({ nodes: 2, clients: 0 }))
  }

  /**
   * Starts a server that begins with nothing; resolves when it answers. One of this name that has been started must
   * have been ended by `stopAll` before.
   */
  async start(name: Contender, config: Readonly<Record<string, string>>): Promise<BenchServer> {
    if (this.servers.has(name)) throw new Error(`${name} has been started: startAnew keeps its data and configuration`)
    prepareServerDirectory(join(this.directory, name), {
      bind: this.hostOf(name),
      port: String(PORT),
      'protected-mode': 'no',
      save: '',
      ...config,
    })
    return this.launch(name)
  }

  /** Resolves when it answers and has loaded its data. */
  private async launch(name: Contender): Promise<BenchServer> {
    if (this.options.signal.aborted) throw interrupted()
    const host = this.hostOf(name)
    const process = new ServerProcess(this.options.programs[name], join(this.directory, name))
    const server = new BenchServer(name, host, this.io, process)
    this.servers.set(name, server)
    if (process.pid !== undefined) this.journal.addProcess(process.pid)
    await this.untilReady(server)
    return server
  }

  private hostOf(name: Contender): string {
    return this.addresses.node(name === 'engine' ? 1 : 2)
  }

  private async untilReady(server: BenchServer): Promise<void> {
    const deadlineMs = performance.now() + START_LIMIT_MS
    for (;;) {
      if (this.options.signal.aborted) throw interrupted()
      try {
        await server.command('PING')
        return
      } catch (error) {
        if (server.pid > 0 && performance.now() > deadlineMs) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
  }

  /** The server of this name that was started last. */
  server(name: Contender): BenchServer {
    const server = this.servers.get(name)
    if (server === undefined) throw new Error(`${name} has not been started`)
    return server
  }

  /**
   * A new process in place of the one that runs, with the data and the configuration file that are on disk; resolves
   * when it has loaded the data.
   */
  async startAnew(name: Contender): Promise<BenchServer> {
    await this.server(name).stop()
    return this.launch(name)
  }

  /** Ends the servers and removes their data and configuration: what starts next begins with nothing. */
  async stopAll(): Promise<void> {
    for (const [name, server] of this.servers) {
      await server.stop()
      rmSync(join(this.directory, name), { recursive: true, force: true })
    }
    this.servers.clear()
  }

  /** Ends everything and removes the data. */
  async close(): Promise<void> {
    await this.stopAll()
    this.journal.close()
    await this.addresses.release()
  }
}
