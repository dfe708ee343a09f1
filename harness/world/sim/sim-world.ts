/**
 * World `sim`: our engine on simulated machines. One machine a node, one a client, one for management; only the
 * latter's links are beyond every fault.
 */

import type { Io } from '../../../engine/io.ts'
import { createServer } from '../../../engine/server/assembly.ts'
import { createConfig } from '../../../engine/server/config.ts'
import { HarnessError } from '../../errors.ts'
import { createDeferred, type Deferred } from '../deferred.ts'
import type { ActiveFault, Capability, DirectedLink, DiskFault, NodeSpec, World, WorldNode } from '../world.ts'
import type { SimHost } from './host.ts'
import type { LinkFault } from './link.ts'
import { createSimulation, type Simulation } from './simulation.ts'

const PORT = 6379
const BUS_PORT_OFFSET = 10_000
/** Nodes start within so much of each other. */
const START_SPREAD_MS = 1000
/** A run that takes longer than this in virtual time hangs. */
const LIMIT_MS = 24 * 3600 * 1000

/** What every simulated world offers. */
export const SIMULATED: ReadonlySet<Capability> = new Set<Capability>(['network', 'process', 'power', 'disk'])

export interface SimWorldOptions {
  seed: string
  /** Names of the client machines. */
  clients: readonly string[]
}

export class SimWorld implements World {
  readonly kind = 'sim'
  readonly capabilities = SIMULATED
  readonly adminIo: Io
  private readonly simulation: Simulation
  private readonly clientIos: Map<string, Io>
  private readonly nodes = new Map<string, { host: SimHost; configuration: Record<string, string> }>()
  private closed = false

  constructor({ seed, clients }: SimWorldOptions) {
    this.simulation = createSimulation({ seed })
    this.adminIo = this.simulation.host('admin', { addresses: ['10.0.0.1'] }).start(() => {})
    this.clientIos = new Map(
      clients.map((name, i) => [name, this.simulation.host(name, { addresses: [`10.0.3.${i + 1}`] }).start(() => {})]),
    )
  }

  nowMs(): number {
    return this.simulation.nowUs / 1000
  }

  sleep(delayMs: number): Promise<void> {
    return this.simulation.sleep(delayMs)
  }

  deferred<T>(): Deferred<T> {
    const { promise, resolve, reject } = createDeferred<T>()
    const { scheduler } = this.simulation
    return {
      promise,
      resolve: (value) => scheduler.wake(() => resolve(value)),
      reject: (error) => scheduler.wake(() => reject(error)),
    }
  }

  drive<T>(run: Promise<T>): Promise<T> {
    return this.simulation.complete(run, LIMIT_MS)
  }

  async startNode({ name, config }: NodeSpec): Promise<WorldNode> {
    const address = `10.0.1.${this.nodes.size + 1}`
    const host = this.simulation.host(name, { addresses: [address] })
    const configuration = nodeConfiguration(address, config)
    this.nodes.set(name, { host, configuration })
    // Machines do not start in step: the phases of their once-a-second tasks decide how long a replica looks alive.
    await this.sleep(this.simulation.random(`start/${name}`).below(START_SPREAD_MS))
    await this.startProcess(host, configuration)
    return {
      name,
      host: address,
      port: PORT,
      busPort: PORT + BUS_PORT_OFFSET,
      adminHost: address,
      adminPort: PORT,
      configuration,
      logTail: (lines) => logTail(host, lines),
    }
  }

  clientIo(name: string): Io {
    const io = this.clientIos.get(name)
    if (io === undefined) throw new Error(`no machine is called '${name}'`)
    return io
  }

  async cut(links: readonly DirectedLink[]): Promise<ActiveFault> {
    const fault: LinkFault = { cut: true, packetsLost: 0 }
    const undos = links.map((link) => this.simulation.network.impair(link, fault))
    return {
      tookHold: async () => (fault.packetsLost ? `${fault.packetsLost.toLocaleString('en-US')} packets lost` : ''),
      undo: async () => {
        for (const undo of undos.splice(0)) undo()
      },
    }
  }

  async delay(name: string, delayMs: number): Promise<ActiveFault> {
    const from = [...this.simulation.hosts.keys()].filter((other) => other !== name && other !== 'admin')
    const undo = this.simulation.network.impair({ from, to: name }, { latencyUs: delayMs * 1000 })
    return once(`${delayMs} ms are added on ${from.length} links`, async () => undo())
  }

  async kill(name: string): Promise<ActiveFault> {
    const { host, configuration } = this.node(name)
    host.kill()
    return once('the process was killed', () => this.startProcess(host, configuration))
  }

  async pause(name: string): Promise<ActiveFault> {
    const { host } = this.node(name)
    host.pause()
    return once('the process was stopped', async () => host.resume())
  }

  async powerCut(name: string): Promise<ActiveFault> {
    const { host, configuration } = this.node(name)
    host.powerCut()
    return once('the machine lost its power', () => this.startProcess(host, configuration))
  }

  async impairDisk(name: string, { syncDelayMs, full, failing }: DiskFault): Promise<ActiveFault> {
    const { host } = this.node(name)
    const mend = host.disk.impair({
      ...(syncDelayMs !== undefined && { syncDelayUs: syncDelayMs * 1000 }),
      ...(full !== undefined && { full }),
      ...(failing !== undefined && { failing }),
    })
    return once('the disk was told to be so', async () => mend())
  }

  async fileBytes(name: string, path: string): Promise<number> {
    return this.node(name).host.disk.bytesBelow(`/${path}`)
  }

  processorWait(): null {
    return null
  }

  traceHash(): string {
    return this.simulation.traceHash()
  }

  private node(name: string): { host: SimHost; configuration: Record<string, string> } {
    const node = this.nodes.get(name)
    if (node === undefined) throw new Error(`no node is called '${name}'`)
    return node
  }

  private async startProcess(host: SimHost, configuration: Record<string, string>): Promise<void> {
    const ready = this.deferred<void>()
    const { name } = host
    host.start((io, machine) => {
      const server = createServer(io, { config: createConfig(io.disk, { settings: configuration }) })
      machine.cpuMeter = () => server.stats.commandsProcessed
      server.start({
        onReady: () => ready.resolve(),
        onFailure: (message) =>
          ready.reject(
            new HarnessError('NODE_START', `${name} did not start: ${message}\n${logTail(host, 10).join('\n')}`),
          ),
      })
    })
    await ready.promise
  }

  /** Nothing outlives a simulation. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    for (const host of this.simulation.hosts.values()) host.kill()
  }
}

/** A fault that shows at once, undone once. */
function once(tookHold: string, undo: () => Promise<void>): ActiveFault {
  let undone: Promise<void> | undefined
  return {
    tookHold: async () => tookHold,
    undo: () => {
      undone ??= undo()
      return undone
    },
  }
}

function logTail(host: SimHost, lines: number): string[] {
  return host.lines.slice(-lines).map(({ line }) => line)
}

function nodeConfiguration(address: string, config: NodeSpec['config']): Record<string, string> {
  return {
    save: '',
    ...config,
    port: String(PORT),
    bind: address,
    'protected-mode': 'no',
  }
}
