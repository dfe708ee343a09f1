/** Servers as processes in tests, the real redis-server as an oracle and the engine: starting, talking, stopping. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseCommandLine } from '../server/command-line.ts'

/** Whether the program is installed. In CI it must be: then this is always true and tests fail without it. */
export const hasRedisServer =
  process.env.CI === 'true' || spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0

/** A reply as plain data; an error is its message in an Error. */
export type PlainReply = string | number | null | Error | PlainReply[]

const PORT_FIRST = 12_000
const PORT_SLICES = 16
const SLICE_PORTS = 625
let nextInSlice = Math.floor(Math.random() * SLICE_PORTS)

/**
 * A TCP port of 127.0.0.1 that is free now, outside the range from which systems draw the ports of outgoing
 * connections (Linux: from 32768), together with the bus port 10000 above it: no other test takes it by chance
 * between this look and its use. For the same reason every test process that runs at a time (VITEST_POOL_ID) has ports
 * of its own, and takes one after the other.
 */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const port = PORT_FIRST + (Number(process.env.VITEST_POOL_ID ?? 0) % PORT_SLICES) * SLICE_PORTS + nextInSlice
    nextInSlice = (nextInSlice + 1) % SLICE_PORTS
    const server = createServer()
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(freePort())
      else reject(error)
    })
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)))
  })
}

/** One connection that sends a command and waits for its reply (RESP2). */
export class PlainConnection {
  private readonly socket: Socket
  private buffered: Buffer = Buffer.alloc(0)
  private readonly waiting: { resolve: (reply: PlainReply) => void; reject: (error: Error) => void }[] = []

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => this.take(chunk))
    socket.on('close', () => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error('connection closed'))
    })
    socket.on('error', () => socket.destroy())
  }

  static open(port: number): Promise<PlainConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new PlainConnection(socket))
      })
    })
  }

  send(...words: string[]): Promise<PlainReply> {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      this.socket.write(`*${words.length}\r\n${parts.join('')}`)
    })
  }

  close(): void {
    this.socket.destroy()
  }

  private take(chunk: Buffer): void {
    this.buffered = Buffer.concat([this.buffered, chunk])
    for (;;) {
      const parsed = parseReply(this.buffered, 0)
      if (parsed === undefined) return
      this.buffered = this.buffered.subarray(parsed.end)
      this.waiting.shift()?.resolve(parsed.reply)
    }
  }
}

function parseReply(bytes: Buffer, start: number): { reply: PlainReply; end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', start)
  if (lineEnd < 0) return undefined
  const type = bytes.toString('latin1', start, start + 1)
  const line = bytes.toString('utf8', start + 1, lineEnd)
  const end = lineEnd + 2
  if (type === '+') return { reply: line, end }
  if (type === '-') return { reply: new Error(line), end }
  if (type === ':') return { reply: Number(line), end }
  const length = Number(line)
  if (length < 0) return { reply: null, end }
  if (type === '$') {
    if (bytes.length < end + length + 2) return undefined
    return { reply: bytes.toString('utf8', end, end + length), end: end + length + 2 }
  }
  const items: PlainReply[] = []
  let at = end
  for (let i = 0; i < length; i++) {
    const item = parseReply(bytes, at)
    if (item === undefined) return undefined
    items.push(item.reply)
    at = item.end
  }
  return { reply: items, end: at }
}

export interface FinishedProgram {
  status: number | null
  signal: NodeJS.Signals | null
  output: string
  errors: string
}

/** A program that serves: its output so far, and how it ended. */
export class ServerProgram {
  output = ''
  errors = ''
  readonly finished: Promise<FinishedProgram>
  private readonly child: ChildProcess

  constructor(
    program: string,
    words: readonly string[],
    options: { directory?: string; input?: string; environment?: Readonly<Record<string, string>> } = {},
  ) {
    this.child = spawn(program, words, {
      cwd: options.directory,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, TZ: 'UTC', ...options.environment },
    })
    this.child.stdin?.on('error', () => {})
    this.child.stdin?.end(options.input ?? '')
    this.child.stdout?.on('data', (chunk) => {
      this.output += chunk
    })
    this.child.stderr?.on('data', (chunk) => {
      this.errors += chunk
    })
    this.finished = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (status, signal) => {
        resolve({ status, signal, output: this.output, errors: this.errors })
      })
    })
  }

  get processId(): number {
    return this.child.pid as number
  }

  /** Waits until the output contains `text`. Rejects when the program ends before. */
  async says(text: string): Promise<void> {
    const ended = this.finished.then(() => true)
    while (!this.output.includes(text)) {
      const over = await Promise.race([
        ended,
        new Promise<false>((resolve) => this.child.stdout?.once('data', () => resolve(false))),
      ])
      if (over && !this.output.includes(text)) {
        throw new Error(`ended before it said ${JSON.stringify(text)}:\n${this.output}${this.errors}`)
      }
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Kills the program when it still runs, and waits for its end. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL')
    await this.finished.catch(() => {})
  }
}

/** A redis-server on a free port of 127.0.0.1, in a directory of its own, that answers. */
export interface RunningRedis {
  port: number
  directory: string
  program: ServerProgram
  connection: PlainConnection
  /** What the command line appended to the configuration file. */
  options: string
  stop(): Promise<void>
}

/**
 * The real server.
 * @param words further options, as on the command line
 * @param files put into its directory before; `redis.conf` is its configuration
 */
export function startRedis(
  words: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<RunningRedis> {
  return startServerProgram(['redis-server'], words, files)
}

/** The command that runs the engine as a process, built when need be. */
export const engineCommand: readonly string[] = [
  process.execPath,
  join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bin', 'engine.js'),
]

/** The engine as a process; otherwise as `startRedis`. */
export function startEngine(
  words: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<RunningRedis> {
  return startServerProgram(engineCommand, words, files)
}

async function startServerProgram(
  [command = '', ...before]: readonly string[],
  words: readonly string[],
  files: Readonly<Record<string, string>>,
): Promise<RunningRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'faultline-redis-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  const port = await freePort()
  const optionWords = ['--port', String(port), '--bind', '127.0.0.1', ...words]
  const fileWords = files['redis.conf'] === undefined ? [] : ['redis.conf']
  const program = new ServerProgram(command, [...before, ...fileWords, ...optionWords], { directory })
  let connection: PlainConnection | undefined
  const stop = async () => {
    connection?.close()
    await program.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await program.says('Ready to accept connections')
    connection = await PlainConnection.open(port)
    const line = parseCommandLine(optionWords)
    const options = line.action === 'start' ? (line.options ?? '') : ''
    return { port, directory, program, connection, options, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
