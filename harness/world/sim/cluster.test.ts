/**
 * The engine's cluster in the simulator: whole servers on simulated hosts, failovers and partitions in virtual time.
 */
import { describe, expect, test } from 'vitest'
import { viewOf } from '../../../engine/cluster/cluster.ts'
import type { ClusterView } from '../../../engine/cluster/view.ts'
import { encodeRequest } from '../../../engine/resp/request.ts'
import { type AssembledServer, createServer } from '../../../engine/server/assembly.ts'
import { createConfig } from '../../../engine/server/config.ts'
import { createSimulation, type Simulation } from './simulation.ts'

const T = 1000
const NODES = [0, 1, 2, 3, 4, 5]
/** One slot of each primary. */
const WATCHED_SLOTS = [0, 8000, 16000]

class SimulatedCluster {
  readonly simulation: Simulation
  private readonly servers: AssembledServer[] = []
  private readonly send: ((...words: string[]) => void)[] = []
  private readonly received: string[] = []

  constructor(seed: string) {
    this.simulation = createSimulation({ seed })
    for (const index of NODES) this.addNode(index)
    for (const index of NODES) this.addClient(index)
  }

  private addNode(index: number): void {
    const host = this.simulation.host(`node ${index}`, { addresses: [this.address(index)] })
    host.start((io) => {
      if (io.disk.status('/data') === undefined) {
        io.disk.makeDirectory('/data')
        io.disk.syncDirectory('/')
      }
      const config = createConfig(io.disk, {
        settings: {
          bind: '0.0.0.0',
          'protected-mode': 'no',
          save: '',
          dir: '/data',
          'bind-source-addr': this.address(index),
          'cluster-enabled': 'yes',
          'cluster-node-timeout': `${T}`,
          'repl-diskless-sync-delay': '0',
        },
      })
      const server = createServer(io, { config })
      server.start({ onReady() {}, onFailure() {} })
      this.servers[index] = server
    })
  }

  /** A client that lives on the node's side of every partition. */
  private addClient(index: number): void {
    const host = this.simulation.host(`client ${index}`, { addresses: [`10.0.1.${index + 1}`] })
    this.received[index] = ''
    host.start((io) => {
      const open = (): void => {
        const connection = io.network.connect(
          { host: this.address(index), port: 6379 },
          {
            onData: (chunk) => {
              this.received[index] += chunk.toString('latin1')
            },
            onClose: () => void io.timers.after(100, open),
          },
        )
        this.send[index] = (...words) => void connection.write(encodeRequest(words))
      }
      open()
    })
  }

  address(index: number): string {
    return `10.0.0.${index + 1}`
  }

  tell(index: number, ...words: string[]): void {
    this.send[index]?.(...words)
  }

  /** What the client of the node has been answered since it was last asked. */
  answers(index: number): string {
    const text = this.received[index] ?? ''
    this.received[index] = ''
    return text
  }

  view(index: number): ClusterView {
    return viewOf(this.servers[index]?.cluster) as ClusterView
  }

  keys(index: number): number {
    return this.servers[index]?.databases[0]?.size ?? 0
  }

  isPrimary(index: number): boolean {
    return this.view(index).myself.isPrimary
  }

  log(index: number): string {
    return (this.simulation.hosts.get(`node ${index}`)?.lines ?? []).map(({ line }) => line).join('\n')
  }

  /** Cuts the node with its client off from all others. Returns the undo. */
  isolate(index: number): () => void {
    const inside = [`node ${index}`, `client ${index}`]
    const outside = NODES.filter((it) => it !== index).flatMap((it) => [`node ${it}`, `client ${it}`])
    const undo = [
      this.simulation.cut({ from: inside, to: outside }),
      this.simulation.cut({ from: outside, to: inside }),
    ]
    return () => {
      for (const heal of undo) heal()
    }
  }

  /** No two nodes may claim one slot under one config epoch, at any moment. */
  expectUniqueClaims(): void {
    for (const slot of WATCHED_SLOTS) {
      const claimants = NODES.map((index) => this.view(index)).filter((view) => view.slots[slot] === view.myself)
      const epochs = claimants.map((view) => view.myself.configEpoch)
      if (new Set(epochs).size < epochs.length) throw new Error(`slot ${slot} is claimed twice in epochs ${epochs}`)
    }
  }

  /** Virtual ms until `condition`, looked at every 10 ms. */
  async until(condition: () => boolean, limitMs = 30_000): Promise<number> {
    for (let passedMs = 0; passedMs < limitMs; passedMs += 10) {
      if (condition()) return passedMs
      await this.simulation.run(10)
      this.expectUniqueClaims()
    }
    throw new Error(`did not happen within ${limitMs} ms`)
  }

  async run(durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 100) {
      await this.simulation.run(100)
      this.expectUniqueClaims()
    }
  }

  /** Three primaries and a replica of each (node 3 of node 0, …), formed by commands as redis-cli does. */
  async form(): Promise<void> {
    await this.simulation.run(500)
    for (const index of NODES) this.tell(index, 'CLUSTER', 'SET-CONFIG-EPOCH', `${index + 1}`)
    for (const index of [0, 1, 2]) {
      this.tell(index, 'CLUSTER', 'ADDSLOTSRANGE', `${index * 5462}`, `${Math.min(index * 5462 + 5461, 16383)}`)
    }
    await this.simulation.run(100)
    for (const index of NODES.slice(1)) this.tell(0, 'CLUSTER', 'MEET', this.address(index), '6379')
    const acquainted = (view: ClusterView) => view.nodes.length === 6 && view.nodes.every((node) => !node.inHandshake)
    await this.until(() => NODES.every((index) => acquainted(this.view(index)) && this.view(index).state === 'ok'))
    for (const index of [3, 4, 5]) this.tell(index, 'CLUSTER', 'REPLICATE', this.view(index - 3).myself.name)
    const settled = (view: ClusterView) => view.nodes.filter((node) => node.primary !== undefined).length === 3
    await this.until(() => NODES.every((index) => settled(this.view(index))))
    for (let i = 0; i < 50; i++) for (const index of [0, 1, 2]) this.tell(index, 'SET', `key:${i}`, `${i}`)
    await this.until(() =>
      [0, 1, 2].every((index) => this.keys(index) > 0 && this.keys(index) === this.keys(index + 3)),
    )
    await this.run(2000)
    for (const index of NODES) this.answers(index)
  }
}

async function formed(seed: string): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster(seed)
  await cluster.form()
  return cluster
}

describe('a simulated cluster', { timeout: 60_000 }, () => {
  test('forms by commands, spreads its keys and replicates them', async () => {
    const cluster = await formed('forms')
    expect([0, 1, 2].reduce((sum, index) => sum + cluster.keys(index), 0)).toBe(50)
    for (const index of NODES) expect(cluster.view(index).size).toBe(3)
    cluster.tell(4, 'SET', 'key:1', 'x')
    await cluster.run(100)
    expect(cluster.answers(4)).toMatch(/^-MOVED \d+ 10\.0\.0\.[123]:6379\r\n$/)
  })

  test.each([1, 2, 3])('replaces a primary that is killed, with its keys (seed %i)', async (seed) => {
    const cluster = await formed(`kill ${seed}`)
    const keys = cluster.keys(0)
    cluster.simulation.hosts.get('node 0')?.kill()
    const failedMs = await cluster.until(() => cluster.view(1).lookup(cluster.view(0).myself.name)?.isFailed === true)
    expect(failedMs).toBeGreaterThan(T * 0.5)
    expect(failedMs).toBeLessThan(T * 2.2)
    const electedMs = await cluster.until(() => cluster.isPrimary(3))
    expect(electedMs).toBeGreaterThanOrEqual(480)
    expect(electedMs).toBeLessThan(1400)
    expect(cluster.keys(3)).toBe(keys)
    expect(cluster.log(3)).toContain("Failover election won: I'm the new master.")
  })

  const seeds = Array.from({ length: 30 }, (_, i) => i + 1)
  test.each(seeds)('a primary cut off refuses, is replaced, and follows its successor (seed %i)', async (seed) => {
    const cluster = await formed(`partition ${seed}`)
    await cluster.run(100 * cluster.simulation.random('phase').below(10))
    const heal = cluster.isolate(0)
    const refusesMs = await cluster.until(() => cluster.view(0).state === 'fail')
    expect(refusesMs).toBeGreaterThan(T * 0.5)
    expect(refusesMs).toBeLessThanOrEqual(T * 1.5 + 400)
    cluster.tell(0, 'GET', 'key:1')
    await cluster.run(100)
    expect(cluster.answers(0)).toBe('-CLUSTERDOWN The cluster is down\r\n')
    await cluster.until(() => cluster.isPrimary(3))
    await cluster.run(1000)
    expect(cluster.isPrimary(0)).toBe(true)
    heal()
    await cluster.until(() => !cluster.isPrimary(0))
    await cluster.until(() => NODES.every((index) => cluster.view(index).state === 'ok'))
    await cluster.run(2000)
    expect(cluster.view(0).myself.primary?.name).toBe(cluster.view(3).myself.name)
    const owners = NODES.map((index) => cluster.view(index).slots[0]?.name)
    expect(new Set(owners)).toEqual(new Set([cluster.view(3).myself.name]))
    expect(cluster.keys(0)).toBe(cluster.keys(3))
  })

  test('a manual failover loses nothing and needs no FAIL', async () => {
    const cluster = await formed('manual')
    const keys = cluster.keys(0)
    cluster.tell(3, 'CLUSTER', 'FAILOVER')
    const tookMs = await cluster.until(() => cluster.isPrimary(3))
    expect(tookMs).toBeLessThan(1000)
    await cluster.until(() => !cluster.isPrimary(0))
    await cluster.run(2000)
    expect([cluster.keys(3), cluster.keys(0)]).toEqual([keys, keys])
    expect(NODES.some((index) => cluster.log(index).includes('as failing'))).toBe(false)
  })

  test('remembers itself over a power cut', async () => {
    const cluster = await formed('power')
    const { name } = cluster.view(4).myself
    const host = cluster.simulation.hosts.get('node 4')
    host?.powerCut()
    await cluster.simulation.run(200)
    host?.restart()
    await cluster.simulation.run(500)
    expect(cluster.view(4).myself.name).toBe(name)
    await cluster.until(() => cluster.view(4).state === 'ok')
    expect(cluster.view(4).myself.primary?.name).toBe(cluster.view(1).myself.name)
    await cluster.until(() => cluster.keys(4) === cluster.keys(1))
  })

  test('runs the same way again from the same seed', async () => {
    const hashes: string[] = []
    for (let i = 0; i < 2; i++) {
      const cluster = await formed('again')
      cluster.isolate(1)
      await cluster.run(4000)
      hashes.push(cluster.simulation.traceHash())
    }
    expect(hashes[0]).toBe(hashes[1])
  })
})
