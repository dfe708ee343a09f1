/**
 * A stage for the rules of the cluster: views that talk over imitated links on virtual time, without server, sockets
 * or data. What the simulator does for whole servers, this does for the cluster's state machines alone: fast enough for
 * a property over many seeds. Links stall while a path is cut and deliver afterwards, as TCP does.
 */
import { randomFromText } from '../../data/random.ts'
import type { Random } from '../../io.ts'
import { type ConfigValues, configTable } from '../../server/config-table.ts'
import { CRON_PERIOD_MS, clusterCron, runScheduled } from '../cron.ts'
import { announcedPorts, type ClusterEnvironment } from '../environment.ts'
import type { Link } from '../link.ts'
import { MessageType } from '../message.ts'
import { type ClusterNode, NodeFlag } from '../node.ts'
import { receive } from '../receiving.ts'
import { sendPing } from '../sending.ts'
import { ClusterView } from '../view.ts'

const LATENCY_MS = 1
const STALL_MS = 20

class StageLink implements Link {
  node: ClusterNode | undefined
  readonly inbound: boolean
  readonly createdMs: number
  bufferedBytes = 0
  open = true
  connected = false
  peer: StageLink | undefined
  readonly owner: Member
  readonly other: Member | undefined
  private readonly outbox: Buffer[] = []

  constructor(owner: Member, other: Member | undefined, node: ClusterNode | undefined) {
    this.owner = owner
    this.other = other
    this.node = node
    this.inbound = node === undefined
    this.createdMs = owner.stage.nowMs
  }

  get localHost(): string {
    return this.owner.ip
  }

  get remoteHost(): string {
    return this.other?.ip ?? '0.0.0.0'
  }

  send(bytes: Buffer): void {
    if (!this.open) return
    this.outbox.push(bytes)
    this.bufferedBytes += bytes.length
    this.owner.stage.after(LATENCY_MS, () => this.flush())
  }

  flush(): void {
    const { stage } = this.owner
    if (!this.open || this.outbox.length === 0 || !this.connected) return
    if (this.other === undefined || stage.isCut(this.owner, this.other)) {
      stage.after(STALL_MS, () => this.flush())
      return
    }
    const batch = this.outbox.splice(0)
    this.bufferedBytes = 0
    for (const bytes of batch) this.peer?.take(bytes)
  }

  take(bytes: Buffer): void {
    const { view, alive } = this.owner
    if (this.open && alive && view !== undefined) receive(view, this, bytes)
  }

  close(): void {
    if (!this.open) return
    this.open = false
    if (this.node?.link === this) this.node.link = undefined
    if (this.node?.inboundLink === this) this.node.inboundLink = undefined
    const { peer, owner } = this
    if (peer !== undefined) owner.stage.whenReachable(owner, peer.owner, () => peer.close())
  }
}

/** One imitated server. Its data is a number of writes; a replica copies its primary's every 100 ms. */
export class Member implements ClusterEnvironment {
  readonly stage: Stage
  readonly index: number
  readonly config: ConfigValues
  readonly random: Random
  readonly log
  readonly logged: string[] = []
  readonly ip: string
  readonly keys = new Map<number, number>()
  readonly delivered: { channel: string; message: string; sharded: boolean }[] = []
  view: ClusterView
  alive = true
  saves = 0
  offset = 0
  pausedUntilMs = 0
  private primaryAddress: string | undefined
  private heardMs = 0
  private willSleep = false

  constructor(stage: Stage, index: number, settings: Partial<ConfigValues>) {
    this.stage = stage
    this.index = index
    this.ip = `10.0.0.${index + 1}`
    const initial = Object.entries(configTable).map(([name, parameter]) => [name, parameter.initial])
    this.config = { ...Object.fromEntries(initial), 'cluster-node-timeout': 1000, ...settings }
    this.random = randomFromText(`${stage.seed}/${index}`)
    const write = (message: string) => this.logged.push(message)
    this.log = { debug: () => undefined, verbose: write, notice: write, warning: write }
    this.view = new ClusterView(this, undefined)
    this.view.myself.flags |= NodeFlag.primary
    Object.assign(this.view.myself, announcedPorts(this.config))
    this.view.myself.ip = this.ip
    // Crons of different servers do not beat in time.
    stage.after(this.random.below(CRON_PERIOD_MS), () => this.beat())
  }

  private beat(): void {
    if (!this.alive) return
    this.copyPrimary()
    clusterCron(this.view)
    this.stage.after(CRON_PERIOD_MS, () => this.beat())
  }

  private copyPrimary(): void {
    const primary = this.stage.members.find((it) => `${it.ip}:${it.config.port}` === this.primaryAddress)
    if (primary === undefined || !primary.alive || this.stage.isCut(primary, this)) return
    this.offset = primary.offset
    this.heardMs = this.stage.nowMs
  }

  nowMs(): number {
    return this.stage.nowMs
  }

  connect(node: ClusterNode): Link {
    const target = this.stage.members.find((it) => it.ip === node.ip)
    const link = new StageLink(this, target, node)
    if (target === undefined) return link
    this.stage.whenReachable(this, target, () => {
      if (!link.open) return
      if (!target.alive) {
        link.close()
        return
      }
      const accepted = new StageLink(target, this, undefined)
      accepted.peer = link
      link.peer = accepted
      link.connected = true
      accepted.connected = true
      const { pingSentMs } = node
      sendPing(this.view, link, node.has(NodeFlag.meet) ? MessageType.meet : MessageType.ping)
      if (pingSentMs !== 0) node.pingSentMs = pingSentMs
      node.flags &= ~NodeFlag.meet
    })
    return link
  }

  beforeSleep(): void {
    if (this.willSleep) return
    this.willSleep = true
    this.stage.after(0, () => {
      this.willSleep = false
      if (this.alive) runScheduled(this.view)
    })
  }

  soon(): void {
    this.stage.after(CRON_PERIOD_MS / 10, () => this.beforeSleep())
  }

  trySaveConfig(): string | undefined {
    return undefined
  }

  saveConfig(): void {
    this.saves++
  }

  replicationOffset(): number {
    return this.offset
  }

  isReplicating(): boolean {
    return this.primaryAddress !== undefined
  }

  dataAgeMs(): number {
    return this.stage.nowMs - this.heardMs
  }

  replicaOf(host: string, port: number): void {
    this.primaryAddress = `${host}:${port}`
    this.heardMs = this.stage.nowMs
  }

  becomePrimary(): void {
    this.primaryAddress = undefined
  }

  keyCount(): number {
    return [...this.keys.values()].reduce((sum, count) => sum + count, 0)
  }

  keyCountInSlot(slot: number): number {
    return this.keys.get(slot) ?? 0
  }

  deleteKeysInSlot(slot: number): void {
    this.keys.delete(slot)
  }

  emptyData(): void {
    this.keys.clear()
  }

  pauseWrites(untilMs: number): void {
    this.pausedUntilMs = untilMs
  }

  resumeWrites(): void {
    this.pausedUntilMs = 0
  }

  deliver(channel: Buffer, message: Buffer, sharded: boolean): void {
    this.delivered.push({ channel: channel.toString(), message: message.toString(), sharded })
  }

  dropShardChannels(): void {}

  /** The process dies: its connections break at once. */
  kill(): void {
    this.alive = false
    for (const node of this.view.nodes) {
      node.link?.close()
      node.inboundLink?.close()
    }
  }

  /** CLUSTER MEET. */
  meet(other: Member): void {
    const node = this.view.createNode(undefined, NodeFlag.handshake | NodeFlag.meet)
    Object.assign(node, announcedPorts(other.config), { ip: other.ip })
    this.view.addNode(node)
  }

  addSlots(start: number, end: number): void {
    for (let slot = start; slot <= end; slot++) this.view.addSlot(this.view.myself, slot)
  }

  /** This member as `other` sees it. */
  asSeenBy(other: Member): ClusterNode {
    const node = other.view.lookup(this.view.myself.name)
    if (node === undefined) throw new Error(`member ${other.index} does not know member ${this.index}`)
    return node
  }
}

export class Stage {
  readonly seed: string
  readonly random: Random
  nowMs = 1_700_000_000_000
  readonly members: Member[] = []
  private side = new Map<Member, number>()
  private readonly events: { atMs: number; order: number; run: () => void }[] = []
  private order = 0

  constructor(seed: string | number) {
    this.seed = `${seed}`
    this.random = randomFromText(this.seed)
  }

  add(settings: Partial<ConfigValues> = {}): Member {
    const member = new Member(this, this.members.length, settings)
    this.members.push(member)
    return member
  }

  after(delayMs: number, run: () => void): void {
    const event = { atMs: this.nowMs + delayMs, order: this.order++, run }
    let low = 0
    let high = this.events.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.events[middle] as typeof event
      if (other.atMs > event.atMs) high = middle
      else low = middle + 1
    }
    this.events.splice(low, 0, event)
  }

  /** Lets time pass; `watch` is called after every event. */
  run(durationMs: number, watch: () => void = () => undefined): void {
    const endMs = this.nowMs + durationMs
    for (let next = this.events[0]; next !== undefined && next.atMs <= endMs; next = this.events[0]) {
      this.events.shift()
      this.nowMs = next.atMs
      next.run()
      watch()
    }
    this.nowMs = endMs
  }

  /** Lets time pass until `condition`; returns how long that took. */
  runUntil(condition: () => boolean, limitMs = 60_000, watch?: () => void): number {
    const startMs = this.nowMs
    while (!condition()) {
      if (this.nowMs - startMs >= limitMs) throw new Error(`did not happen within ${limitMs} ms`)
      this.run(10, watch)
    }
    return this.nowMs - startMs
  }

  /** Cuts the members into groups that do not reach each other; who is not named stays together. */
  partition(...groups: Member[][]): void {
    this.side = new Map(groups.flatMap((group, index) => group.map((member) => [member, index + 1] as const)))
  }

  heal(): void {
    this.side = new Map()
  }

  isCut(a: Member, b: Member): boolean {
    return (this.side.get(a) ?? 0) !== (this.side.get(b) ?? 0)
  }

  whenReachable(a: Member, b: Member, run: () => void): void {
    this.after(LATENCY_MS, () => {
      if (this.isCut(a, b)) this.after(STALL_MS, () => this.whenReachable(a, b, run))
      else run()
    })
  }

  /** `primaries` of equal shares of slots, each with `replicas`; formed as redis-cli does. Primaries come first. */
  form(primaries: number, replicas: number, settings: Partial<ConfigValues> = {}): Member[] {
    const count = primaries * (replicas + 1)
    for (let i = 0; i < count; i++) {
      const member = this.add(settings)
      member.view.myself.configEpoch = i + 1
      member.view.currentEpoch = i + 1
    }
    const share = Math.ceil(16384 / primaries)
    for (const member of this.members.slice(0, primaries)) {
      member.addSlots(member.index * share, Math.min((member.index + 1) * share, 16384) - 1)
    }
    for (const member of this.members.slice(1)) this.members[0]?.meet(member)
    const everybodyKnown = () =>
      this.members.every((it) => it.view.nodes.length === count && it.view.nodes.every((node) => !node.inHandshake))
    this.runUntil(everybodyKnown)
    return this.members
  }
}
