/**
 * Which node answers what: a primary with replicas, a primary found through Sentinel, a cluster. All ask the servers
 * themselves, again when something points to a change (an error, a lost connection, a Sentinel's announcement), and at
 * most so often.
 */
import { SLOT_COUNT } from '../../engine/data/crc16.ts'
import type { Io, Timer } from '../../engine/io.ts'
import { type PushReply, ReplyError, type ReplyValue } from '../../engine/resp/reply-parser.ts'
import { type Address, RespClient } from '../workload/resp-client.ts'
import type { LoadSpec, ReadsFrom, TargetSpec } from './load-spec.ts'

const REFRESH_INTERVAL_MS = 100
const ANSWER_MS = 1000
/** Where replicas answer reads, new ones are looked for so often. */
const REPLICAS_INTERVAL_MS = 1000

export interface Topology {
  /** `host:port` for a slot (undefined: any), or undefined when nobody is known. `turn` spreads reads. */
  nodeFor(slot: number | undefined, isRead: boolean, turn: number): string | undefined
  /** Everybody that clients may talk to. */
  nodes(): readonly string[]
  /** A node said that a slot is elsewhere. */
  moved(slot: number, node: string): void
  /** Something failed: what is known may be old. */
  doubt(): void
}

/** What the questions of a topology need. */
export interface TopologySetup {
  io: Io
  spec: LoadSpec
  /** The nodes have changed; clients drop connections to those that `nodes` does not list any more. */
  onChange(): void
}

export type RoutedTarget = Extract<TargetSpec, { kind: 'replicas' | 'sentinel' | 'cluster' }>

export interface RunningTopology extends Topology {
  /** `done` is called once: with why nothing is known, or nothing. */
  start(done: (failure?: string) => void): void
  close(): void
}

export function createTopology(target: RoutedTarget, setup: TopologySetup): RunningTopology {
  switch (target.kind) {
    case 'replicas':
      return new ReplicatedTopology(setup, new KnownPrimary(target), 'replicas')
    case 'sentinel':
      return new ReplicatedTopology(setup, new SentinelWatch(setup, target), target.reads)
    case 'cluster':
      return new ClusterTopology(setup, target)
  }
}

/** Asks one server one question on a connection of its own. `done` gets undefined when there is no answer. */
function ask(
  { io, spec }: TopologySetup,
  address: Address,
  words: readonly string[],
  authenticated: boolean,
  done: (reply: ReplyValue | undefined, failure: string) => void,
): void {
  const client = new RespClient(io, address)
  const timer = io.timers.after(ANSWER_MS, () => client.close('no answer'))
  const { credentials } = spec
  if (authenticated && credentials !== null) {
    const { user, password } = credentials
    client.send(user === null ? ['AUTH', password] : ['AUTH', user, password], () => {})
  }
  client.send(words, (reply, lost) => {
    timer.cancel()
    client.close()
    if (reply instanceof ReplyError) done(undefined, reply.message)
    else done(reply, lost?.reason ?? '')
  })
}

/** Runs `look` again after a doubt, not more often than the interval, until it succeeds. */
class Refresher {
  private readonly io: Io
  private readonly look: (done: (failure?: string) => void) => void
  private readonly looksRegularly: boolean
  private timer: Timer | undefined
  private isLooking = false
  /** It was asked to look soon. */
  private isPressing = false
  private isClosed = false

  constructor({ io }: TopologySetup, reads: ReadsFrom, look: (done: (failure?: string) => void) => void) {
    this.io = io
    this.looksRegularly = reads === 'replicas'
    this.look = look
  }

  start(done: (failure?: string) => void): void {
    this.run(done)
  }

  doubt(): void {
    if (this.isPressing) return
    this.isPressing = true
    this.timer?.cancel()
    this.lookAfter(REFRESH_INTERVAL_MS)
  }

  private lookAfter(delayMs: number): void {
    if (this.isClosed || this.isLooking) return
    this.timer = this.io.timers.after(delayMs, () => {
      this.isPressing = false
      this.run(() => {})
    })
  }

  close(): void {
    this.isClosed = true
    this.timer?.cancel()
  }

  private run(done: (failure?: string) => void): void {
    this.isLooking = true
    this.look((failure) => {
      this.isLooking = false
      if (this.isClosed) return
      done(failure)
      // A doubt that came up meanwhile is about what has just been answered, too.
      if (failure !== undefined || this.isPressing) this.lookAfter(REFRESH_INTERVAL_MS)
      else if (this.looksRegularly) this.lookAfter(REPLICAS_INTERVAL_MS)
    })
  }
}

interface PrimarySource {
  find(setup: TopologySetup, done: (address: Address | undefined, failure: string) => void): void
  /** Calls back when the primary may have changed. */
  watch(onNews: () => void): void
  close(): void
}

class KnownPrimary implements PrimarySource {
  private readonly address: Address

  constructor({ host, port }: Address) {
    this.address = { host, port }
  }

  find(_setup: TopologySetup, done: (address: Address | undefined, failure: string) => void): void {
    done(this.address, '')
  }

  watch(): void {}

  close(): void {}
}

/** One primary that takes everything, and replicas that may take reads. */
class ReplicatedTopology implements RunningTopology {
  private readonly setup: TopologySetup
  private readonly source: PrimarySource
  private readonly reads: ReadsFrom
  private readonly refresher: Refresher
  private primary: string | undefined
  private replicas: readonly string[] = []

  constructor(setup: TopologySetup, source: PrimarySource, reads: ReadsFrom) {
    this.setup = setup
    this.source = source
    this.reads = reads
    this.refresher = new Refresher(setup, reads, (done) => this.look(done))
  }

  start(done: (failure?: string) => void): void {
    this.source.watch(() => this.refresher.doubt())
    this.refresher.start(done)
  }

  nodeFor(_slot: number | undefined, isRead: boolean, turn: number): string | undefined {
    const { replicas } = this
    return isRead && this.reads === 'replicas' && replicas.length > 0 ? replicas[turn % replicas.length] : this.primary
  }

  nodes(): readonly string[] {
    const replicas = this.reads === 'replicas' ? this.replicas : []
    return this.primary === undefined ? replicas : [this.primary, ...replicas]
  }

  moved(): void {}

  doubt(): void {
    this.refresher.doubt()
  }

  close(): void {
    this.refresher.close()
    this.source.close()
  }

  private look(done: (failure?: string) => void): void {
    this.source.find(this.setup, (address, failure) => {
      if (address === undefined) {
        done(failure)
        return
      }
      ask(this.setup, address, ['ROLE'], true, (reply, reason) => {
        if (!Array.isArray(reply) || String(reply[0]) !== 'master') {
          done(reply === undefined ? reason : `${nameOf(address)} is no primary`)
          return
        }
        const listed = Array.isArray(reply[2]) ? reply[2] : []
        this.apply(
          nameOf(address),
          listed.flatMap((entry) => (Array.isArray(entry) ? [`${String(entry[0])}:${String(entry[1])}`] : [])),
        )
        done()
      })
    })
  }

  private apply(primary: string, replicas: readonly string[]): void {
    const before = this.nodes().join()
    this.primary = primary
    this.replicas = replicas
    if (this.nodes().join() !== before) this.setup.onChange()
  }
}

/** Sentinels are asked in turn; one of them announces changes. */
class SentinelWatch implements PrimarySource {
  private readonly setup: TopologySetup
  private readonly target: Extract<TargetSpec, { kind: 'sentinel' }>
  private turn = 0
  private subscription: RespClient | undefined
  private retry: Timer | undefined
  private isClosed = false

  constructor(setup: TopologySetup, target: Extract<TargetSpec, { kind: 'sentinel' }>) {
    this.setup = setup
    this.target = target
  }

  find(setup: TopologySetup, done: (address: Address | undefined, failure: string) => void): void {
    const { sentinels, name } = this.target
    const next = (left: number, failure: string): void => {
      if (left === 0) {
        done(undefined, failure)
        return
      }
      const sentinel = sentinels[this.turn % sentinels.length] as Address
      ask(setup, sentinel, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name], false, (reply, reason) => {
        if (Array.isArray(reply) && reply.length === 2) {
          done({ host: String(reply[0]), port: Number(String(reply[1])) }, '')
          return
        }
        this.turn++
        next(left - 1, reply === null ? `${nameOf(sentinel)} knows no primary of the name ${name}` : reason)
      })
    }
    next(sentinels.length, 'no Sentinel')
  }

  watch(onNews: () => void): void {
    const { sentinels } = this.target
    if (this.isClosed) return
    const again = (): void => {
      if (this.isClosed) return
      this.retry = this.setup.io.timers.after(REFRESH_INTERVAL_MS, () => this.watch(onNews))
    }
    const client = new RespClient(this.setup.io, sentinels[this.turn % sentinels.length] as Address, again)
    this.subscription = client
    client.send(['HELLO', '3'], () => {})
    client.onPush = ({ values }: PushReply) => {
      if (String(values[0]) === 'message') onNews()
    }
    client.send(['SUBSCRIBE', '+switch-master'], () => {})
  }

  close(): void {
    this.isClosed = true
    this.retry?.cancel()
    this.subscription?.close()
  }
}

class ClusterTopology implements RunningTopology {
  private readonly setup: TopologySetup
  private readonly target: Extract<TargetSpec, { kind: 'cluster' }>
  private readonly refresher: Refresher
  /** Primary of every slot. */
  private readonly owners = new Array<string | undefined>(SLOT_COUNT)
  private replicas = new Map<string, readonly string[]>()
  private primaries: readonly string[] = []
  private turn = 0

  constructor(setup: TopologySetup, target: Extract<TargetSpec, { kind: 'cluster' }>) {
    this.setup = setup
    this.target = target
    this.refresher = new Refresher(setup, target.reads, (done) => this.look(done))
  }

  start(done: (failure?: string) => void): void {
    this.refresher.start(done)
  }

  nodeFor(slot: number | undefined, isRead: boolean, turn: number): string | undefined {
    const owner = slot === undefined ? this.primaries[turn % this.primaries.length] : this.owners[slot]
    if (!isRead || this.target.reads === 'primary' || owner === undefined) return owner
    const replicas = this.replicas.get(owner) ?? []
    return replicas.length === 0 ? owner : replicas[turn % replicas.length]
  }

  nodes(): readonly string[] {
    const reading = this.target.reads === 'replicas' ? [...this.replicas.values()].flat() : []
    return [...this.primaries, ...reading]
  }

  moved(slot: number, node: string): void {
    if (slot >= 0 && slot < SLOT_COUNT) this.owners[slot] = node
    this.refresher.doubt()
  }

  doubt(): void {
    this.refresher.doubt()
  }

  close(): void {
    this.refresher.close()
  }

  /** Nodes that are known are asked as well as the seeds: these may be the ones that are gone. */
  private look(done: (failure?: string) => void): void {
    const { seeds } = this.target
    const known = this.primaries.map(addressOf)
    const all = [...seeds, ...known]
    const next = (left: number, failure: string): void => {
      if (left === 0) {
        done(failure)
        return
      }
      const node = all[this.turn % all.length] as Address
      ask(this.setup, node, ['CLUSTER', 'SLOTS'], true, (reply, reason) => {
        if (Array.isArray(reply) && reply.length > 0) {
          this.apply(reply, node)
          done()
          return
        }
        this.turn++
        next(left - 1, reply === undefined ? reason : `${nameOf(node)} has no slots`)
      })
    }
    next(all.length, 'no node')
  }

  private apply(ranges: readonly ReplyValue[], from: Address): void {
    const before = this.nodes().join()
    const replicas = new Map<string, readonly string[]>()
    this.owners.fill(undefined)
    for (const range of ranges) {
      if (!Array.isArray(range)) continue
      const [first, last, ...nodes] = range
      const [owner, ...others] = nodes.flatMap((node) => {
        if (!Array.isArray(node)) return []
        const host = node[0] === null || String(node[0]) === '' ? from.host : String(node[0])
        return [`${host}:${String(node[1])}`]
      })
      if (owner === undefined) continue
      this.owners.fill(owner, Number(first), Number(last) + 1)
      replicas.set(owner, others)
    }
    this.replicas = replicas
    this.primaries = [...replicas.keys()]
    if (this.nodes().join() !== before) this.setup.onChange()
  }
}

export function addressOf(node: string): Address {
  const colon = node.lastIndexOf(':')
  return { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) }
}

function nameOf({ host, port }: Address): string {
  return `${host}:${port}`
}
