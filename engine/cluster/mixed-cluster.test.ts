/** Real processes: the engine alone, and together with redis-server, under redis-cli and under failures. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort, hasRedisServer, type RunningRedis, startEngine, startRedis } from '../testing/redis-server.ts'

interface Node extends RunningRedis {
  busPort: number
}

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()))
})

const TIMEOUT_MS = 2000
const options = (busPort: number, ...more: string[]): string[] => [
  ...['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`, '--cluster-node-timeout', `${TIMEOUT_MS}`],
  ...['--save', '', '--repl-diskless-sync-delay', '0', ...more],
]

async function startNode(kind: 'engine' | 'redis', ...more: string[]): Promise<Node> {
  const busPort = await freePort()
  const start = kind === 'engine' ? startEngine : startRedis
  const node = { ...(await start(options(busPort, ...more))), busPort }
  running.push(node)
  return node
}

async function until(what: string, condition: () => Promise<boolean>, limitMs = 40_000): Promise<void> {
  const endMs = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited in vain for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const cluster = async (node: Node, ...words: string[]) => `${await node.connection.send('CLUSTER', ...words)}`
const isOk = async (node: Node) => (await cluster(node, 'INFO')).includes('cluster_state:ok')
const isPrimary = async (node: Node) => (await cluster(node, 'NODES')).includes('myself,master')
const linkIsUp = async (node: Node) => `${await node.connection.send('ROLE')}`.split(',')[3] === 'connected'

function redisCli(...words: string[]): string {
  const { stdout, stderr, status } = spawnSync('redis-cli', words, { encoding: 'utf8', timeout: 60_000 })
  if (status !== 0) throw new Error(`redis-cli ${words.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}

/** `redis-cli --cluster create` with one replica each; the first half become primaries. */
async function create(nodes: readonly Node[]): Promise<void> {
  const addresses = nodes.map((node) => `127.0.0.1:${node.port}@${node.busPort}`)
  const said = redisCli('--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes')
  expect(said).toContain('[OK] All 16384 slots covered.')
  await until('all nodes are ok', async () => (await Promise.all(nodes.map(isOk))).every(Boolean))
}

function check(node: Node): void {
  const said = redisCli('--cluster', 'check', `127.0.0.1:${node.port}`)
  expect(said).toContain('[OK] All nodes agree about slots configuration.')
  expect(said).toContain('[OK] All 16384 slots covered.')
}

/** Waits until all nodes have the same idea of who replicates whom, each of three primaries having one replica. */
async function agreement(nodes: readonly Node[]): Promise<void> {
  await until('all agree about the roles', async () => {
    const views = await Promise.all(nodes.map((node) => cluster(node, 'NODES')))
    const roles = views.map((view) =>
      [...view.matchAll(/^(\S+) \S+ \S*slave (\S+)/gm)].map((match) => match.slice(1).join()),
    )
    const all = new Set(roles.map((pairs) => pairs.sort().join('\n')))
    return all.size === 1 && new Set(views[0]?.match(/slave [0-9a-f]{40}/g)).size === 3
  })
}

/** Moves a hundred slots with their keys; afterwards every key is where its slot is. */
async function reshard(from: Node, to: Node): Promise<void> {
  const [fromId, toId] = [await cluster(from, 'MYID'), await cluster(to, 'MYID')]
  const keys: string[] = []
  for (let i = 0; keys.length < 200; i++) {
    const key = `moving:${i}`
    const reply = await from.connection.send('SET', key, `${i}`, 'EX', '1000')
    if (reply === 'OK') keys.push(key)
  }
  const slots = ['--cluster-from', fromId, '--cluster-to', toId, '--cluster-slots', '300', '--cluster-yes']
  redisCli('--cluster', 'reshard', `127.0.0.1:${from.port}`, ...slots)
  let moved = 0
  for (const key of keys) {
    const there = await to.connection.send('GET', key)
    const here = await from.connection.send('GET', key)
    const value = key.slice('moving:'.length)
    expect([`${there}`, `${here}`].sort((a, b) => a.length - b.length)).toEqual([
      value,
      expect.stringContaining('MOVED'),
    ])
    if (there !== value) continue
    moved++
    expect(await to.connection.send('TTL', key)).toBeGreaterThan(0)
  }
  expect(moved).toBeGreaterThan(0)
  expect(await from.connection.send('DBSIZE')).toBe(keys.length - moved)
  check(to)
}

/** Makes `replica` follow `primary` and waits for its data. */
async function follow(replica: Node, primary: Node): Promise<void> {
  const id = await cluster(primary, 'MYID')
  expect(await cluster(replica, 'REPLICATE', id)).toBe('OK')
  await until('the replica follows', async () => {
    const role = await replica.connection.send('ROLE')
    return Array.isArray(role) && role[2] === primary.port && role[3] === 'connected'
  })
}

/** A key of the node's own slots. */
async function ownKey(node: Node): Promise<string> {
  for (let i = 0; ; i++) {
    const reply = await node.connection.send('SET', `key:${i}`, `value:${i}`)
    if (reply === 'OK') return `key:${i}`
  }
}

/** Kills the primary; the replica must take over its slots and data. */
async function failOver(dying: Node, successor: Node, others: readonly Node[]): Promise<void> {
  const key = await ownKey(dying)
  expect(await dying.connection.send('WAIT', '1', '5000')).toBe(1)
  dying.program.signal('SIGKILL')
  await until('the replica is promoted', () => isPrimary(successor))
  await until('the others are ok again', async () =>
    (await Promise.all([successor, ...others].map(isOk))).every(Boolean),
  )
  expect(await successor.connection.send('GET', key)).toBe(key.replace('key', 'value'))
}

// These tests are about meeting redis-server and redis-cli; CI must have them.
describe.skipIf(!hasRedisServer)('a cluster of processes', { timeout: 120_000 }, () => {
  it('of the engine alone is created and checked by redis-cli, and survives a crash', async () => {
    const nodes = await Promise.all(Array.from({ length: 6 }, () => startNode('engine')))
    await create(nodes)
    check(nodes[0]!)
    const [primary] = nodes as [Node]
    await agreement(nodes)
    await reshard(nodes[1]!, primary)
    const id = await cluster(primary, 'MYID')
    const lines = (await cluster(primary, 'NODES')).split('\n')
    const line = lines.find((it) => it.includes(` slave ${id} `)) ?? ''
    const replica = nodes.find((node) => line.includes(`:${node.port}@`))!
    await until('the replica has its data', () => linkIsUp(replica))
    await failOver(
      primary,
      replica,
      nodes.filter((node) => node !== primary && node !== replica),
    )
  })

  it('of engine and redis-server fails over in both directions, by crash and by hand', async () => {
    const kinds = ['engine', 'redis', 'engine', 'redis', 'engine', 'redis'] as const
    const nodes = await Promise.all(kinds.map((kind) => startNode(kind)))
    await create(nodes)
    const [engineA, redisB, engineC, redisA, engineB, redisC] = nodes as [Node, Node, Node, Node, Node, Node]
    // Each shard has one node of either kind.
    await follow(redisA, engineA)
    await follow(engineB, redisB)
    await follow(redisC, engineC)
    await agreement(nodes)
    check(redisB)
    for (const [replica, primary] of [
      [redisC, engineC],
      [engineC, redisC],
    ] as const) {
      await until('the replica has its data', () => linkIsUp(replica))
      expect(await cluster(replica, 'FAILOVER')).toBe('OK')
      await until('the roles are swapped', async () => (await isPrimary(replica)) && !(await isPrimary(primary)))
      // Who has not heard of the change would refuse the next candidate its vote: "it is a master node".
      await agreement(nodes)
    }
    await failOver(engineA, redisA, [redisB, engineC, engineB, redisC])
    await failOver(redisB, engineB, [engineC, redisA, redisC])
    check(engineB)
  })

  it('starts from the other one’s nodes.conf', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-nodes-'))
    running.push({ stop: async () => rmSync(directory, { recursive: true, force: true }) })
    const path = join(directory, 'nodes.conf')
    let before: string | undefined
    for (const kind of ['engine', 'redis', 'engine'] as const) {
      const node = await startNode(kind, '--dir', directory)
      const id = await cluster(node, 'MYID')
      if (before === undefined) {
        expect(await cluster(node, 'ADDSLOTSRANGE', '0', '99', '200', '200')).toBe('OK')
        expect(await cluster(node, 'BUMPEPOCH')).toBe('BUMPED 1')
        expect(await cluster(node, 'SAVECONFIG')).toBe('OK')
      } else {
        expect(id).toBe(before)
      }
      expect(await cluster(node, 'NODES')).toMatch(/ myself,master - 0 0 1 connected 0-99 200\n$/)
      expect(readFileSync(path, 'utf8')).toMatch(/ 0-99 200\nvars currentEpoch 1 lastVoteEpoch 0\n$/)
      before = id
      await running.pop()?.stop()
    }
  })

  it('does not start from a damaged nodes.conf', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'faultline-nodes-'))
    running.push({ stop: async () => rmSync(directory, { recursive: true, force: true }) })
    writeFileSync(join(directory, 'nodes.conf'), 'no node at all\n')
    for (const kind of ['engine', 'redis'] as const) {
      const refused = startNode(kind, '--dir', directory)
      await expect(refused).rejects.toThrow('Unrecoverable error: corrupted cluster config file.')
    }
  })
})
