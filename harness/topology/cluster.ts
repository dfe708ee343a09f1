/**
 * Builds a cluster from nodes that serve: slots, configuration epochs, MEET, REPLICATE, as `redis-cli --cluster create`
 * does it, and waits on conditions until every node agrees.
 */
import type { ReplyValue } from '../../engine/resp/reply-parser.ts'
import { HarnessError } from '../errors.ts'
import type { World, WorldNode } from '../world/world.ts'
import { AdminClient, replyText } from './admin-client.ts'
import { parseClusterNodes, parseInfo, parseOwnState } from './node-state.ts'
import type { NodeState, StartOptions, Topology } from './start.ts'
import { type ClusterSpec, clusterNodeNames } from './topology.ts'

const SLOTS = 16384
const POLL_MS = 100

const QUESTIONS = [
  ['CLUSTER', 'NODES'],
  ['CLUSTER', 'INFO'],
  ['INFO', 'replication'],
]
const OBSERVE_INTERVAL_MS = 200

/**
 * Starts all nodes and forms the cluster. Rejects with TOPOLOGY and what is missing when that takes over `timeoutMs`.
 */
export async function startCluster(
  spec: ClusterSpec,
  { config, world, diskOf }: StartOptions,
  timeoutMs = 60_000,
): Promise<Topology> {
  const names = clusterNodeNames(spec)
  const all = [...names.primaries, ...names.replicas.map((replica) => replica.name)]
  const nodes = await Promise.all(
    all.map((name) => world.startNode({ name, config: { 'cluster-enabled': 'yes', ...config }, disk: diskOf(name) })),
  )
  const admins = new Map(nodes.map((node) => [node.name, new AdminClient(world, node)]))
  const admin = (name: string): AdminClient => admins.get(name) as AdminClient
  const deadlineMs = world.nowMs() + timeoutMs
  const slots = splitSlots(names.primaries)

  for (const [i, name] of names.primaries.entries()) {
    const [from, to] = slots.get(name) as [number, number]
    await admin(name).command(['CLUSTER', 'ADDSLOTSRANGE', String(from), String(to)])
    await admin(name).command(['CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1)])
  }
  const [first, ...others] = nodes as [WorldNode, ...WorldNode[]]
  for (const { host, port, busPort } of others) {
    await admin(first.name).command(['CLUSTER', 'MEET', host, String(port), String(busPort)])
  }
  await until(world, deadlineMs, 'all nodes know each other', () => everyoneKnows([...admins.values()]))
  for (const { name, of } of names.replicas) {
    await admin(name).command(['CLUSTER', 'REPLICATE', await admin(of).text(['CLUSTER', 'MYID'])])
  }
  const goodReplicas = Number(config['min-replicas-to-write'] ?? '0')
  await until(world, deadlineMs, 'the cluster agrees and its replicas follow', () => disagreement([...admins.values()]))
  await until(world, deadlineMs, 'every primary counts enough good replicas', () =>
    missingGoodReplicas(names.primaries.map(admin), goodReplicas),
  )
  const nameByAddress = new Map(nodes.map((node) => [`${node.host}:${node.port}`, node.name]))
  const nodeName = (address: string): string => nameByAddress.get(address) ?? address
  const server = parseInfo(await admin(first.name).text(['INFO', 'server']))
  return {
    nodes,
    admins: [...admins.values()],
    slotsOf: (name) => (name === undefined ? [[0, SLOTS - 1]] : [slots.get(name) ?? unknownPrimary(name)]),
    seeds: nodes.map(({ host, port }) => ({ host, port })),
    nodeName,
    questions: QUESTIONS,
    observeIntervalMs: OBSERVE_INTERVAL_MS,
    readState: (replies) => readState(replies, nodeName),
    version: server.get('redis_version') ?? 'unknown',
    settle: async (settleMs) => {
      const endMs = world.nowMs() + settleMs
      while ((await asText(() => disagreement([...admins.values()]))) !== '') {
        if (world.nowMs() > endMs) return false
        await world.sleep(POLL_MS)
      }
      return true
    },
    close: () => {
      for (const client of admins.values()) client.close()
    },
  }
}

function readState(
  [nodes, info, replication]: readonly ReplyValue[],
  nodeName: (address: string) => string,
): NodeState | undefined {
  if (!Buffer.isBuffer(nodes) || !Buffer.isBuffer(info) || !Buffer.isBuffer(replication)) return undefined
  const own = parseOwnState(replyText(nodes), nodeName)
  const offsetField = own.role === 'primary' ? 'master_repl_offset' : 'slave_repl_offset'
  return {
    ...own,
    clusterState: parseInfo(replyText(info)).get('cluster_state') ?? '',
    offsetBytes: Number(parseInfo(replyText(replication)).get(offsetField) ?? '0'),
  }
}

/** Nearly equal, contiguous ranges, as redis-cli cuts them. */
function splitSlots(primaries: readonly string[]): Map<string, [number, number]> {
  const share = SLOTS / primaries.length
  return new Map(
    primaries.map((name, i) => [name, [Math.round(i * share), Math.round((i + 1) * share) - 1] as [number, number]]),
  )
}

function unknownPrimary(name: string): never {
  throw new Error(`the workload names the shard of '${name}', which is no primary of the topology`)
}

/** Polls until `problem` is empty. */
async function until(world: World, deadlineMs: number, goal: string, problem: () => Promise<string>): Promise<void> {
  for (;;) {
    const missing = await asText(problem)
    if (missing === '') return
    if (world.nowMs() > deadlineMs) {
      throw new HarnessError(
        'TOPOLOGY',
        `gave up waiting until ${goal}: ${missing}. Look at the nodes' logs with --keep --verbose.`,
      )
    }
    await world.sleep(POLL_MS)
  }
}

/** A node that is loading its data set or does not answer is a problem that may pass, as any other. */
async function asText(problem: () => Promise<string>): Promise<string> {
  try {
    return await problem()
  } catch (error) {
    if (error instanceof HarnessError) throw error
    return (error as Error).message
  }
}

async function everyoneKnows(admins: readonly AdminClient[]): Promise<string> {
  for (const admin of admins) {
    const lines = parseClusterNodes(await admin.text(['CLUSTER', 'NODES']))
    const known = lines.filter((line) => !line.flags.includes('handshake') && !line.flags.includes('noaddr'))
    if (known.length !== admins.length || lines.length !== admins.length) {
      return `${admin.node.name} knows ${known.length} of ${admins.length} nodes`
    }
  }
  return ''
}

/** Empty when all nodes have the same view, are ok, and replicas are linked to their primaries. */
async function disagreement(admins: readonly AdminClient[]): Promise<string> {
  let view: string | undefined
  for (const admin of admins) {
    const info = parseInfo(await admin.text(['CLUSTER', 'INFO']))
    if (info.get('cluster_state') !== 'ok') return `${admin.node.name} says cluster_state:${info.get('cluster_state')}`
    const lines = parseClusterNodes(await admin.text(['CLUSTER', 'NODES']))
    const bad = lines.find((line) => line.flags.some((flag) => /^(fail\??|handshake|noaddr)$/.test(flag)))
    if (bad !== undefined) return `${admin.node.name} sees ${bad.host}:${bad.port} as ${bad.flags.join(',')}`
    const mine = lines
      .map((line) => `${line.id} ${line.primaryId} ${line.slots.join(' ')}`)
      .sort()
      .join('\n')
    if (view !== undefined && view !== mine) return `${admin.node.name} has another view than ${admins[0]?.node.name}`
    view = mine
    const replication = parseInfo(await admin.text(['INFO', 'replication']))
    if (replication.get('role') === 'slave' && replication.get('master_link_status') !== 'up') {
      return `${admin.node.name} is not linked to its primary`
    }
  }
  return ''
}

async function missingGoodReplicas(primaries: readonly AdminClient[], needed: number): Promise<string> {
  if (needed === 0) return ''
  for (const admin of primaries) {
    const replication = parseInfo(await admin.text(['INFO', 'replication']))
    const good = Number(replication.get('min_slaves_good_slaves') ?? '0')
    if (good < needed) return `${admin.node.name} counts ${good} of ${needed} good replicas`
  }
  return ''
}
