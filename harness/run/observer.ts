/**
 * Watches the nodes while the experiment runs: asks each for its state several times a second on the management plane,
 * and records what it says.
 */
import { ReplyError } from '../../engine/resp/reply-parser.ts'
import type { NodeEvent, Recorder } from '../history/history.ts'
import type { AdminClient } from '../topology/admin-client.ts'
import type { Topology } from '../topology/start.ts'
import type { World } from '../world/world.ts'

/** A node that does not answer for so long counts as down. */
const ANSWER_TIMEOUT_MS = 1000

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
      await this.world.sleep(Math.max(1, askedMs + this.topology.observeIntervalMs - this.world.nowMs()))
    }
  }

  private async ask(admin: AdminClient): Promise<NodeEvent> {
    const replies = (await admin.tryPipeline(this.topology.questions, ANSWER_TIMEOUT_MS)) ?? []
    const atMs = Math.round((this.world.nowMs() - this.zeroMs) * 1000) / 1000
    const node = admin.node.name
    const state = replies.length === 0 ? undefined : this.topology.readState(replies)
    if (state !== undefined) return { type: 'node', atMs, node, ...state }
    const role = replies[0] instanceof ReplyError ? ('loading' as const) : ('down' as const)
    return { type: 'node', atMs, node, role, follows: '', epoch: null, slots: [], clusterState: '', offsetBytes: 0 }
  }
}
