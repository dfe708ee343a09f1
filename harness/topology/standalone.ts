/** One server called `server`, without replicas. */
import type { ReplyValue } from '../../engine/resp/reply-parser.ts'
import { AdminClient, replyText } from './admin-client.ts'
import { parseInfo } from './node-state.ts'
import type { NodeState, StartOptions, Topology } from './start.ts'

const POLL_MS = 20
/** Short: the trigger of a rewrite is seen within so much. */
const OBSERVE_INTERVAL_MS = 100

/** INFO fields that are kept with every observation, under the names that the result knows them by. */
const SAMPLED: Readonly<Record<string, string>> = {
  aof_current_size: 'aofBytes',
  aof_base_size: 'aofBaseBytes',
  aof_rewrite_in_progress: 'rewriting',
  aof_rewrites: 'rewrites',
  rdb_bgsave_in_progress: 'saving',
  used_memory: 'memoryBytes',
}

export async function startStandalone({ config, world, diskOf }: StartOptions): Promise<Topology> {
  const node = await world.startNode({ name: 'server', config, disk: diskOf('server') })
  const admin = new AdminClient(world, node)
  const isServing = async (): Promise<boolean> => replyText(await admin.tryCommand(['PING'], 1000)) === 'PONG'
  const settle = async (timeoutMs: number): Promise<boolean> => {
    const endMs = world.nowMs() + timeoutMs
    while (!(await isServing())) {
      if (world.nowMs() > endMs) return false
      await world.sleep(POLL_MS)
    }
    return true
  }
  await settle(60_000)
  const server = parseInfo(await admin.text(['INFO', 'server']))
  const address = `${node.host}:${node.port}`
  return {
    nodes: [node],
    admins: [admin],
    slotsOf: () => undefined,
    seeds: [{ host: node.host, port: node.port }],
    nodeName: (text) => (text === address ? node.name : text),
    version: server.get('redis_version') ?? 'unknown',
    questions: [
      ['INFO', 'replication'],
      ['INFO', 'persistence'],
      ['INFO', 'memory'],
    ],
    observeIntervalMs: OBSERVE_INTERVAL_MS,
    readState,
    settle,
    close: () => admin.close(),
  }
}

function readState(replies: readonly ReplyValue[]): NodeState | undefined {
  if (!replies.every((reply) => Buffer.isBuffer(reply))) return undefined
  const info = parseInfo(replies.map(replyText).join('\n'))
  const samples = Object.entries(SAMPLED).flatMap(([field, name]) => {
    const value = Number(info.get(field))
    return info.has(field) && Number.isFinite(value) ? [[name, value]] : []
  })
  return {
    role: info.get('loading') === '1' ? 'loading' : info.get('role') === 'slave' ? 'replica' : 'primary',
    follows: '',
    epoch: null,
    slots: [],
    clusterState: '',
    offsetBytes: Number(info.get('master_repl_offset') ?? '0'),
    samples: Object.fromEntries(samples),
  }
}
