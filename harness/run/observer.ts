/**
 * Watches the nodes while the experiment runs: asks each for its role, epoch, slots, state and offset about five times a
 * second on the management plane, and records what it says.
 */
import { ReplyError } from '../../engine/resp/reply-parser.ts'
import type { NodeEvent, Recorder } from '../history/history.ts'
import { type AdminClient, replyText } from '../topology/admin-client.ts'
import type { Topology } from '../topology/cluster.ts'
import { parseInfo, parseOwnState } from '../topology/node-state.ts'
import type { World } from '../world/world.ts'

const OBSERVE_INTERVAL_MS = 200
/** A node that does not answer for so long counts as down. */
const ANSWER_TIMEOUT_MS = 1000

const QUESTIONS = [
  ['CLUSTER', 'NODES'],
  ['CLUSTER', 'INFO'],
  ['INFO', 'replication'],
]

export class Observer {
  private readonly world: World
  private readonly topology: Topology
  private readonly recorder: Recorder
  private readonly zeroMs: number
  private stopped = false
  private loops: Promise<void>[] = []

  constructor(world: World, topology: Topology, recorder: Recorder, zeroMs: number) {
    this.world = world
    this.topology = topology
    this.recorder = recorder
    this.zeroMs = zeroMs
  }

  start(): void {
    this.loops = this.topology.admins.map((admin) => this.watch(admin))
    // When the run is interrupted nobody awaits them any more; `stop` still sees a failure.
    for (const loop of this.loops) loop.catch(() => {})
  }

  /** Resolves when the last question is answered. */
  async stop(): Promise<void> {
    this.stopped = true
    await Promise.all(this.loops)
  }

  private async watch(admin: AdminClient): Promise<void> {
    while (!this.stopped) {
      const askedMs = this.world.nowMs()
      this.recorder.record(await this.ask(admin))
      await this.world.sleep(Math.max(1, askedMs + OBSERVE_INTERVAL_MS - this.world.nowMs()))
    }
  }

  private async ask(admin: AdminClient): Promise<NodeEvent> {
    const [nodes, info, replication] = (await admin.tryPipeline(QUESTIONS, ANSWER_TIMEOUT_MS)) ?? []
    const atMs = Math.round((this.world.nowMs() - this.zeroMs) * 1000) / 1000
    const node = admin.node.name
    if (!Buffer.isBuffer(nodes) || !Buffer.isBuffer(info) || !Buffer.isBuffer(replication)) {
      const role = nodes instanceof ReplyError ? ('loading' as const) : ('down' as const)
      return {
        type: 'node',
        atMs,
        node,
        role,
        follows: '',
        epoch: null,
        slots: [],
        clusterState: '',
        offsetBytes: 0,
      }
    }
    const own = parseOwnState(replyText(nodes), this.topology.nodeName)
    const offsetField = own.role === 'primary' ? 'master_repl_offset' : 'slave_repl_offset'
    return {
      type: 'node',
      atMs,
      node,
      ...own,
      clusterState: parseInfo(replyText(info)).get('cluster_state') ?? '',
      offsetBytes: Number(parseInfo(replyText(replication)).get(offsetField) ?? '0'),
    }
  }
}
