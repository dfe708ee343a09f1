/**
 * MIGRATE: hands keys over to another server (RESTORE there, then DEL here).
 *
 * Redis stops the whole server while the keys travel. Here the calling client is parked and writes of all clients are
 * held back meanwhile: nothing can change between the copy and the deletion, and reads go on. Because of that MIGRATE
 * cannot be part of a transaction. Every call makes a connection of its own; Redis keeps them for ten seconds.
 */

import type { Timer } from '../io.ts'
import { dumpPayload } from '../persist/rdb-writer.ts'
import type { Client } from '../server/client.ts'
import type { Server } from '../server/server.ts'
import { type Entry, type KeyspacePort, NO_ENTRY, ValueType } from '../store/keyspace-port.ts'
import { Arguments } from './arguments.ts'
import type { Command, KeyPosition } from './command.ts'
import type { Context } from './context.ts'
import { errors } from './errors.ts'
import { numberArgument } from './number-argument.ts'

const DEFAULT_TIMEOUT_MS = 1000
const FIRST_OPTION = 6
const LINE_END = '\r\n'

interface Request {
  host: string
  port: number
  databaseIndex: number
  timeoutMs: number
  copy: boolean
  replace: boolean
  /** AUTH or AUTH2: one or two words. */
  credentials: Buffer[]
  /** Where they are. */
  credentialIndexes: number[]
  /** Positions of the keys. */
  keys: number[]
}

type Options = Pick<Request, 'copy' | 'replace' | 'credentials' | 'credentialIndexes' | 'keys'>

/** The options; a text is the error. */
function readOptions(args: Arguments): Options | string {
  const options: Options = { copy: false, replace: false, credentials: [], credentialIndexes: [], keys: [3] }
  const takeCredentials = (...indexes: number[]): void => {
    options.credentials = indexes.map((index) => args.copy(index))
    options.credentialIndexes.push(...indexes)
  }
  for (let i = FIRST_OPTION; i < args.count; i++) {
    const left = args.count - 1 - i
    if (args.is(i, 'copy')) options.copy = true
    else if (args.is(i, 'replace')) options.replace = true
    else if (args.is(i, 'auth') && left >= 1) takeCredentials(++i)
    else if (args.is(i, 'auth2') && left >= 2) takeCredentials(++i, ++i)
    else if (args.is(i, 'keys')) {
      if (args.length(3) !== 0) {
        return 'ERR When using MIGRATE KEYS option, the key argument must be set to the empty string'
      }
      options.keys = Array.from({ length: left }, (_, n) => i + 1 + n)
      break
    } else return errors.syntax
  }
  return options
}

function migrationSecrets(args: Arguments): number[] {
  const options = readOptions(args)
  return typeof options === 'string' ? [] : options.credentialIndexes
}

/** Where the keys of a MIGRATE are; also for commands that have other mistakes. */
function migratedKeys(args: Arguments): KeyPosition[] {
  return keyIndexes(args).map((index) => ({ index, flags: ['RW', 'access', 'delete'] }))
}

/** One key, or those behind KEYS; none when both are given. */
function keyIndexes(args: Arguments): number[] {
  for (let i = FIRST_OPTION; i < args.count - 1; i++) {
    if (args.is(i, 'auth')) i++
    else if (args.is(i, 'auth2')) i += 2
    else if (args.is(i, 'keys')) {
      return args.length(3) > 0 ? [] : Array.from({ length: args.count - 1 - i }, (_, n) => i + 1 + n)
    }
  }
  return [3]
}

function readRequest(context: Context, args: Arguments): Request | undefined {
  const options = readOptions(args)
  if (typeof options === 'string') {
    context.reply.error(options)
    return undefined
  }
  const timeoutMs = numberArgument(context, args, 5)
  if (Number.isNaN(timeoutMs)) return undefined
  const databaseIndex = numberArgument(context, args, 4)
  if (Number.isNaN(databaseIndex)) return undefined
  return {
    host: args.latin1(1),
    port: Number.parseInt(args.latin1(2), 10) || 0,
    databaseIndex,
    timeoutMs: timeoutMs <= 0 ? DEFAULT_TIMEOUT_MS : timeoutMs,
    ...options,
  }
}

function migrate(context: Context, args: Arguments): void {
  const { server, client, db, reply } = context
  if (client.transaction !== undefined || client.connection === undefined) {
    reply.error('ERR MIGRATE is not allowed inside a transaction or a script')
    return
  }
  const request = readRequest(context, args)
  if (request === undefined) return
  const present = request.keys
    .map((index) => ({ key: args.copy(index), entry: context.lookupRead(index) }))
    .filter(({ entry }) => entry !== NO_ENTRY)
  if (present.length === 0) {
    reply.simple('NOKEY')
    return
  }
  const words = present.map(({ key, entry }) => restoreWords(server, db, request, key, entry, context.nowMs))
  const transfer = new Transfer(
    server,
    client,
    request,
    present.map(({ key }) => key),
    words,
  )
  context.preventPropagation()
  context.block('migrate', 0, () => undefined)
  transfer.begin()
}

function restoreWords(
  server: Server,
  db: KeyspacePort,
  request: Request,
  key: Buffer,
  entry: Entry,
  nowMs: number,
): (string | Buffer)[] {
  const isText = db.type(entry) === ValueType.string
  const compression = server.config.values.rdbcompression
  const payload = dumpPayload(
    isText ? db.text(entry) : undefined,
    isText ? undefined : db.aggregate(entry),
    compression,
  )
  const expireAtMs = db.expireAtMs(entry)
  const ttlMs = expireAtMs < 0 ? 0 : Math.max(expireAtMs - nowMs, 1)
  const name = server.cluster === undefined ? 'RESTORE' : 'RESTORE-ASKING'
  return [name, key, `${ttlMs}`, payload, ...(request.replace ? ['REPLACE'] : [])]
}

function encode(words: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${words.length}${LINE_END}`)]
  for (const word of words) {
    const bytes = Buffer.from(word)
    parts.push(Buffer.from(`$${bytes.length}${LINE_END}`), bytes, Buffer.from(LINE_END))
  }
  return Buffer.concat(parts)
}

/** One hand-over: connects, sends everything, reads one line for each command, deletes what has arrived. */
class Transfer {
  private readonly server: Server
  private readonly client: Client
  private readonly request: Request
  private readonly keys: readonly Buffer[]
  private readonly commands: (readonly (string | Buffer)[])[] = []
  /** Commands before the first RESTORE. */
  private readonly preambles: number
  private readonly reason: string
  private timer: Timer | undefined
  private connected = false
  private finished = false
  private clientGone = false
  /** AUTH and SELECT have succeeded so far. */
  private welcome = true
  private answers = 0
  private rest = ''
  private refusal: string | undefined
  private disconnect: () => void = () => undefined

  constructor(
    server: Server,
    client: Client,
    request: Request,
    keys: readonly Buffer[],
    restores: readonly (readonly (string | Buffer)[])[],
  ) {
    this.server = server
    this.client = client
    this.request = request
    this.keys = keys
    if (request.credentials.length > 0) this.commands.push(['AUTH', ...request.credentials])
    this.commands.push(['SELECT', `${request.databaseIndex}`])
    this.preambles = this.commands.length
    this.commands.push(...restores)
    this.reason = `migrate ${client.id}`
    client.onClose(() => {
      this.clientGone = true
    })
  }

  begin(): void {
    const { server, request } = this
    server.pause.begin(this.reason, server.nowMs + 1000 * request.timeoutMs, 'write', server.nowMs)
    this.expectProgress()
    const connection = server.io.network.connect(
      { host: request.host, port: request.port },
      {
        onConnect: () => {
          this.connected = true
          this.expectProgress()
        },
        onData: (chunk) => this.read(chunk),
        onClose: () => this.fail('closed'),
      },
    )
    connection.setNoDelay(true)
    this.disconnect = () => connection.destroy()
    connection.write(Buffer.concat(this.commands.map(encode)))
  }

  /** Within the time-out something must happen. */
  private expectProgress(): void {
    this.timer?.cancel()
    this.timer = this.server.io.timers.after(this.request.timeoutMs, () => this.fail('timeout'))
  }

  private read(chunk: Buffer): void {
    if (this.finished) return
    this.expectProgress()
    const lines = (this.rest + chunk.toString('latin1')).split(LINE_END)
    this.rest = lines.pop() as string
    for (const line of lines) {
      if (!this.finished) this.take(line)
    }
  }

  private take(line: string): void {
    const index = this.answers++
    const failed = line.startsWith('-')
    if (failed) this.refusal ??= `ERR Target instance replied with error: ${line.slice(1)}`
    if (index < this.preambles) this.welcome &&= !failed
    else if (this.welcome && !failed && !this.request.copy) this.forget(this.keys[index - this.preambles] as Buffer)
    if (this.answers === this.commands.length) this.finish(this.refusal)
  }

  /** The key lives at the target now. */
  private forget(key: Buffer): void {
    const executor = this.server.createInternalClient('primary')
    executor.databaseIndex = this.client.databaseIndex
    this.server.execute(executor, Arguments.of(['DEL', key]))
    executor.close()
  }

  /** A refused connection shows in Redis when it is first written to. */
  private fail(when: 'timeout' | 'closed'): void {
    if (this.finished) return
    const what = this.connected ? 'reading' : 'writing'
    if (!this.connected && when === 'timeout') this.finish('IOERR error or timeout connecting to the client')
    else this.finish(this.refusal ?? `IOERR error or timeout ${what} to target instance`)
  }

  private finish(error: string | undefined): void {
    this.finished = true
    this.timer?.cancel()
    this.disconnect()
    this.server.pause.end(this.reason)
    if (this.clientGone) return
    this.client.unblock((reply) => {
      if (error === undefined) reply.ok()
      else reply.error(error)
    })
  }
}

export const migrateCommands: readonly Command[] = [
  {
    name: 'migrate',
    arity: -6,
    flags: ['write', 'movablekeys'],
    categories: ['keyspace', 'dangerous'],
    keySpecs: [
      {
        flags: ['RW', 'access', 'delete'],
        begin: {
          index: 3,
        },
        find: {
          lastKey: 0,
          step: 1,
          limit: 0,
        },
      },
      {
        flags: ['RW', 'access', 'delete', 'incomplete'],
        begin: {
          keyword: 'KEYS',
          startFrom: -2,
        },
        find: {
          lastKey: -1,
          step: 1,
          limit: 0,
        },
      },
    ],
    findKeys: migratedKeys,
    secretArguments: migrationSecrets,
    group: 'generic',
    tips: ['nondeterministic_output'],
    run: migrate,
  },
]
