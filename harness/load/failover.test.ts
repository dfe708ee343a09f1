/** Load on several real servers: reads spread over replicas, redirects followed, and failovers lived through. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { keyHashSlot } from '../../engine/data/crc16.ts'
import {
  freePort,
  hasRedisServer,
  PlainConnection,
  type RunningRedis,
  ServerProgram,
  startRedis,
} from '../../engine/testing/redis-server.ts'
import type { LoadResult } from '../../reports/load-result.ts'
import { type LoadProgress, runLoad } from './load.ts'
import { defaultLoad, type LoadSpec } from './load-spec.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 })

const opened: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.stop()
})

async function start(words: readonly string[]): Promise<RunningRedis> {
  const server = await startRedis(['--save', '', ...words])
  opened.push(server)
  return server
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50))
}

const mixed: LoadSpec['commands'] = [
  { name: 'GET', words: ['GET', '__key__'], weight: 1 },
  { name: 'SET', words: ['SET', '__key__', '__data__'], weight: 1 },
]

const base = {
  ...defaultLoad,
  connections: 8,
  commands: mixed,
  timeoutMs: 1000,
  durationMs: null,
  keys: { ...defaultLoad.keys, count: 5000 },
}

/**
 * Runs the load, disturbs it in its second second, and ends it when `calm` seconds in a row have had operations and no
 * failure after a failure was seen (or, with `failures: false`, after the disturbance).
 */
async function disturb(spec: LoadSpec, disturbance: () => Promise<unknown>, failures = true): Promise<LoadResult> {
  const stop = new AbortController()
  let calm = 0
  let failed = !failures
  const onProgress = ({ second, ok, failed: bad }: LoadProgress): void => {
    if (second === 0) void disturbance().catch((error) => stop.abort(error))
    if (bad > 0) failed = true
    calm = second > 0 && failed && bad === 0 && ok > 0 ? calm + 1 : 0
    if (calm >= 2) stop.abort()
  }
  const result = await runLoad(spec, { signal: stop.signal, onProgress })
  const { counts } = result
  expect(counts.ok + counts.errors + counts.timeouts).toBe(counts.sent)
  return result
}

async function startCluster(primaries: number, replicas: number): Promise<RunningRedis[]> {
  const words = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0']
  const nodes: RunningRedis[] = []
  for (let i = 0; i < primaries + replicas; i++) nodes.push(await start(words))
  const share = Math.ceil(16384 / primaries)
  for (let i = 0; i < primaries; i++) {
    const last = Math.min(16383, (i + 1) * share - 1)
    await nodes[i]!.connection.send('CLUSTER', 'ADDSLOTSRANGE', String(i * share), String(last))
    await nodes[i]!.connection.send('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
  }
  for (const node of nodes.slice(1)) {
    await node.connection.send('CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]!.port))
  }
  for (let i = 0; i < replicas; i++) {
    const id = String(await nodes[i]!.connection.send('CLUSTER', 'MYID'))
    const { connection } = nodes[primaries + i]!
    await until(async () => (await connection.send('CLUSTER', 'REPLICATE', id)) === 'OK')
    await until(async () => String(await connection.send('INFO', 'replication')).includes('master_link_status:up'))
  }
  for (const { connection } of nodes) {
    await until(async () => String(await connection.send('CLUSTER', 'INFO')).includes('cluster_state:ok'))
    // Everybody has to know the replica before it can be elected.
    await until(async () => String(await connection.send('CLUSTER', 'NODES')).split('slave').length > replicas)
  }
  return nodes
}

const clusterTarget = (nodes: readonly RunningRedis[], reads: 'primary' | 'replicas' = 'primary') =>
  ({ kind: 'cluster', seeds: nodes.map(({ port }) => ({ host: '127.0.0.1', port })), reads }) as const

/** Calls of a command, as the server counts them. */
async function calls({ port }: RunningRedis, command: string): Promise<number> {
  // A failover closes the connections of clients: this one is new.
  const connection = await PlainConnection.open(port)
  const info = String(await connection.send('INFO', 'commandstats'))
  connection.close()
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0)
}

// Real servers are what these tests are about.
describe.runIf(hasRedisServer)('a cluster', () => {
  it('is loaded on every node, and survives the loss of a primary with every outage known', async () => {
    const nodes = await startCluster(3, 1)
    const result = await disturb({ ...base, target: clusterTarget(nodes) }, async () => {
      for (const node of nodes.slice(0, 3)) expect(await calls(node, 'set')).toBeGreaterThan(0)
      nodes[0]!.program.signal('SIGKILL')
    })
    expect(result.counts.errors).toBeGreaterThan(0)
    expect(result.outages.length).toBeGreaterThanOrEqual(8)
    for (const { toMs } of result.outages) expect(toMs).not.toBeNull()
    expect(await calls(nodes[3]!, 'get')).toBeGreaterThan(0)
  })

  it('moves a slot without one failed operation: ASK and MOVED are followed', async () => {
    const nodes = await startCluster(2, 0)
    const [from, to] = nodes as [RunningRedis, RunningRedis]
    // The slot of a key that the load uses, owned by the first node.
    const key = Array.from({ length: 5000 }, (_, id) => `key:${String(id).padStart(12, '0')}`).find(
      (name) => keyHashSlot(Buffer.from(name)) < 8192,
    ) as string
    const slot = String(keyHashSlot(Buffer.from(key)))
    const [fromId, toId] = await Promise.all(
      [from, to].map(async (node) => String(await node.connection.send('CLUSTER', 'MYID'))),
    )
    const move = async (): Promise<void> => {
      await to.connection.send('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!)
      await from.connection.send('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!)
      for (let round = 0; round < 20; round++) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        const keys = (await from.connection.send('CLUSTER', 'GETKEYSINSLOT', slot, '100')) as string[]
        for (const name of keys) {
          await from.connection.send('MIGRATE', '127.0.0.1', String(to.port), name, '0', '1000')
        }
      }
      await to.connection.send('CLUSTER', 'SETSLOT', slot, 'NODE', toId!)
      await from.connection.send('CLUSTER', 'SETSLOT', slot, 'NODE', toId!)
    }
    let moved: Promise<void> = Promise.resolve()
    const spec = { ...base, target: clusterTarget([from]), keys: { ...base.keys, count: 200 } }
    const result = await disturb(
      spec,
      () => {
        moved = move()
        return moved
      },
      false,
    )
    await moved
    expect(result.errors).toEqual([])
    expect(await calls(to, 'asking')).toBeGreaterThan(0)
  })

  it('answers reads from replicas where asked to', async () => {
    const nodes = await startCluster(1, 1)
    // A replica is listed when its offset is known.
    await nodes[0]!.connection.send('SET', 'key:000000000000', 'x')
    await until(async () => {
      const [range] = (await nodes[0]!.connection.send('CLUSTER', 'SLOTS')) as unknown[][]
      return range!.length === 4
    })
    const before = await calls(nodes[0]!, 'set')
    const result = await runLoad({ ...base, target: clusterTarget(nodes, 'replicas'), durationMs: 500 })
    expect(result.errors).toEqual([])
    expect(await calls(nodes[1]!, 'get')).toBe(result.commands[0]!.sent)
    expect(await calls(nodes[0]!, 'get')).toBe(0)
    expect((await calls(nodes[0]!, 'set')) - before).toBe(result.commands[1]!.sent)
  })
})

// Real servers are what these tests are about.
describe.runIf(hasRedisServer)('a primary with replicas', () => {
  const startReplicated = async (count: number): Promise<[RunningRedis, ...RunningRedis[]]> => {
    const primary = await start(['--repl-diskless-sync-delay', '0'])
    const replicas: RunningRedis[] = []
    for (let i = 0; i < count; i++) replicas.push(await start(['--replicaof', '127.0.0.1', String(primary.port)]))
    for (const { connection } of replicas) {
      await until(async () => String(await connection.send('INFO', 'replication')).includes('master_link_status:up'))
    }
    await until(async () => {
      const [, , online] = (await primary.connection.send('ROLE')) as [string, number, unknown[]]
      return online.length === count
    })
    return [primary, ...replicas]
  }

  it('spreads reads over the replicas; writes wait for them', async () => {
    const [primary, ...replicas] = await startReplicated(2)
    const commands = mixed.map((command) =>
      command.name === 'SET' ? { ...command, wait: { replicas: 2, timeoutMs: 2000 } } : command,
    )
    const target = { kind: 'replicas', host: '127.0.0.1', port: primary.port } as const
    const result = await runLoad({ ...base, commands, target, durationMs: null, requests: 2000 })
    expect(result.errors).toEqual([])
    const reads = await Promise.all(replicas.map((replica) => calls(replica, 'get')))
    expect(reads[0]! + reads[1]!).toBe(result.commands[0]!.sent)
    for (const count of reads) expect(count).toBeGreaterThan(result.commands[0]!.sent / 4)
    expect(await calls(primary, 'wait')).toBe(result.commands[1]!.sent)
  })

  it('is followed through a failover of Sentinel', async () => {
    const [primary, replica] = await startReplicated(1)
    const port = await freePort()
    const directory = mkdtempSync(join(tmpdir(), 'faultline-sentinel-'))
    writeFileSync(
      join(directory, 'sentinel.conf'),
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `sentinel monitor prime 127.0.0.1 ${primary.port} 1`,
        'sentinel down-after-milliseconds prime 500',
        'sentinel failover-timeout prime 3000',
      ].join('\n'),
    )
    const sentinel = new ServerProgram('redis-server', ['sentinel.conf', '--sentinel'], { directory })
    opened.push({
      stop: async () => {
        await sentinel.stop()
        rmSync(directory, { recursive: true, force: true })
      },
    })
    await sentinel.says('+monitor master prime')
    const connection = await PlainConnection.open(port)
    await until(async () =>
      String(await connection.send('SENTINEL', 'REPLICAS', 'prime')).includes(String(replica!.port)),
    )
    connection.close()
    const target = {
      kind: 'sentinel',
      sentinels: [{ host: '127.0.0.1', port }],
      name: 'prime',
      reads: 'primary',
    } as const
    const result = await disturb({ ...base, target }, async () => primary.program.signal('SIGKILL'))
    expect(result.counts.errors).toBeGreaterThan(0)
    for (const { toMs } of result.outages) expect(toMs).not.toBeNull()
    expect(result.outages.length).toBeGreaterThanOrEqual(8)
    expect(await calls(replica!, 'set')).toBeGreaterThan(0)
  })
})
