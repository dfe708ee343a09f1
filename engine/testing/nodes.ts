/** Servers of both kinds, ours and redis-server, behind one face: for tests of what they do together. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNodeIo } from '../node/io.ts'
import { createServer } from '../server/assembly.ts'
import { createConfig } from '../server/config.ts'
import { PlainConnection, type PlainReply, startRedis } from './redis-server.ts'

export type NodeKind = 'ours' | 'redis'

export interface TestNode {
  readonly kind: NodeKind
  readonly port: number
  readonly directory: string
  /** Everything it has logged. */
  log(): string
  send(...words: string[]): Promise<PlainReply>
  /** Dies at once, without saving or saying good-bye. */
  kill(): Promise<void>
}

export type NodeSettings = Readonly<Record<string, string>>

/** Starts nodes and stops those that are left, with their directories. */
export class TestNodes {
  private readonly running = new Set<TestNode>()
  private readonly directories: string[] = []

  async start(kind: NodeKind, settings: NodeSettings = {}): Promise<TestNode> {
    const node = kind === 'ours' ? await this.startOurs(settings) : await this.startRedis(settings)
    this.running.add(node)
    return node
  }

  private async startRedis(settings: NodeSettings): Promise<TestNode> {
    const options = Object.entries({ save: '', 'repl-diskless-sync-delay': '0', ...settings })
    const redis = await startRedis(options.flatMap(([name, value]) => [`--${name}`, value]))
    if (settings.requirepass !== undefined) await redis.connection.send('AUTH', settings.requirepass)
    const node: TestNode = {
      kind: 'redis',
      port: redis.port,
      directory: settings.dir ?? redis.directory,
      log: () => redis.program.output,
      send: (...words) => redis.connection.send(...words),
      kill: async () => {
        this.running.delete(node)
        await redis.stop()
      },
    }
    return node
  }

  /** A directory that is removed at the end. */
  makeDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-node-'))
    this.directories.push(directory)
    return directory
  }

  private async startOurs(settings: NodeSettings): Promise<TestNode> {
    const directory = settings.dir ?? this.makeDirectory()
    const io = createNodeIo()
    const lines: string[] = []
    const host = { ...io.host, print: (line: string) => void lines.push(line), exit() {} }
    const config = createConfig(io.disk, {
      settings: { bind: '127.0.0.1', save: '', 'repl-diskless-sync-delay': '0', dir: directory, ...settings },
    })
    const server = createServer({ ...io, host }, { config, port: 0 })
    await new Promise<void>((resolve, reject) => {
      server.start({ onReady: resolve, onFailure: (message) => reject(new Error(`${message}\n${lines.join('\n')}`)) })
    })
    const connection = await PlainConnection.open(server.port)
    if (settings.requirepass !== undefined) await connection.send('AUTH', settings.requirepass)
    const node: TestNode = {
      kind: 'ours',
      port: server.port,
      directory,
      log: () => lines.join('\n'),
      send: (...words) => connection.send(...words),
      kill: async () => {
        this.running.delete(node)
        connection.close()
        server.stop()
      },
    }
    return node
  }

  async stopAll(): Promise<void> {
    for (const node of [...this.running]) await node.kill()
    for (const directory of this.directories.splice(0)) rmSync(directory, { recursive: true, force: true })
  }
}

/** A field of INFO, or undefined. */
export async function infoField(node: TestNode, section: string, name: string): Promise<string | undefined> {
  const text = String(await node.send('INFO', section))
  return text
    .split('\r\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1)
}

/** Waits until `condition` holds; after `limitMs` it fails with what `describe` says. */
export async function until(
  condition: () => Promise<boolean>,
  describe: () => string = () => 'the condition never came true',
  limitMs = 20_000,
): Promise<void> {
  const endMs = Date.now() + limitMs
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(describe())
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Until the replica's link is up and it has applied all that the primary has produced. */
export async function untilInSync(primary: TestNode, replica: TestNode): Promise<void> {
  await until(
    async () => {
      const [, , , state, applied] = (await replica.send('ROLE')) as PlainReply[]
      if (state !== 'connected') return false
      const [role, second, , , fifth] = (await primary.send('ROLE')) as PlainReply[]
      return applied === (role === 'master' ? second : fifth)
    },
    () => `no sync\n--- primary\n${primary.log()}\n--- replica\n${replica.log()}`,
  )
}

/** Every string key of some databases with its value and expiry, as text, sorted. */
export async function contents(node: TestNode, databases: readonly number[] = [0]): Promise<string[]> {
  const lines: string[] = []
  for (const database of databases) {
    await node.send('SELECT', String(database))
    for (const key of (await node.send('KEYS', '*')) as string[]) {
      lines.push(`${database} ${key} = ${await node.send('GET', key)} @ ${await node.send('PEXPIRETIME', key)}`)
    }
  }
  await node.send('SELECT', '0')
  return lines.sort()
}
