/**
 * World `real`: server processes on loopback addresses of their own, a proxy in front of every node and plane, clients
 * with source addresses of their own (see addresses.ts for the plan). Faults on links are toxics of the proxies, set
 * through Toxiproxy's API.
 */
import { mkdirSync } from 'node:fs'
import { type Proxy as ToxicProxy, Toxiproxy } from 'toxiproxy-node-client'
import type { Io } from '../../../engine/io.ts'
import { createNodeIo } from '../../../engine/node/io.ts'
import { HarnessError, interrupted } from '../../errors.ts'
import { processorWaitOf } from '../../process-usage.ts'
import { RespClient } from '../../workload/resp-client.ts'
import { createDeferred, type Deferred } from '../deferred.ts'
import type { ServerProgram } from '../programs.ts'
import type { ActiveFault, Capability, DirectedLink, DiskFault, NodeSpec, World, WorldNode } from '../world.ts'
import { type AddressPlan, allocateAddresses } from './addresses.ts'
import { cutLinks, PLANES, proxyName } from './cuts.ts'
import { healInterrupted, Journal } from './journal.ts'
import { ProxyServer } from './proxy/proxy-server.ts'
import { RealNode } from './real-node.ts'

/** Nodes have addresses of their own, so they all take the same port; not Redis's, which may be taken on 0.0.0.0. */
const PORT = 7379
/** Redis adds this to the port for the cluster bus. */
const BUS_PORT_OFFSET = 10_000
const START_TIMEOUT_MS = 20_000
const READY_POLL_MS = 20

export interface RealWorldOptions {
  program: ServerProgram
  nodes: number
  clients: readonly string[]
  /** Everything of the run lies below: data, logs. */
  directory: string
  /** Where journals of running harnesses lie. */
  journalFolder: string
  /** Leave data and logs. */
  keep: boolean
}

export class RealWorld implements World {
  readonly kind = 'real'
  readonly capabilities: ReadonlySet<Capability>
  readonly adminIo: Io = createNodeIo()
  private readonly options: RealWorldOptions
  private readonly addresses: AddressPlan
  private readonly journal: Journal
  private readonly proxyServer: ProxyServer
  private readonly toxiproxy: Toxiproxy
  private readonly proxies = new Map<string, ToxicProxy>()
  private readonly nodeNames: string[] = []
  private readonly nodes = new Map<string, RealNode>()
  private readonly faults = new Set<ActiveFault>()
  private readonly zeroMs = performance.now()
  private readonly closing = new AbortController()
  private closed: Promise<void> | undefined

  private constructor(options: RealWorldOptions, addresses: AddressPlan, journal: Journal, proxyServer: ProxyServer) {
    this.options = options
    this.capabilities = capabilitiesOf(options.program)
    this.addresses = addresses
    this.journal = journal
    this.proxyServer = proxyServer
    this.toxiproxy = new Toxiproxy(proxyServer.url)
  }

  /** Heals what interrupted runs left, takes an address block, starts proxy and reaper. */
  static async create(options: RealWorldOptions): Promise<RealWorld> {
    healInterrupted(options.journalFolder)
    const addresses = await allocateAddresses({ nodes: options.nodes, clients: options.clients.length })
    let proxyServer: ProxyServer | undefined
    try {
      proxyServer = await ProxyServer.start()
      mkdirSync(options.directory, { recursive: true })
      const journal = new Journal(options.journalFolder)
      if (!options.keep) journal.addDirectory(options.directory)
      return new RealWorld(options, addresses, journal, proxyServer)
    } catch (error) {
      await proxyServer?.close()
      await addresses.release()
      throw error
    }
  }

  nowMs(): number {
    return performance.now() - this.zeroMs
  }

  /** Rejects when the world is closed meanwhile, so that an interrupted run ends. */
  sleep(delayMs: number): Promise<void> {
    const { promise, resolve, reject } = createDeferred<void>()
    const { signal } = this.closing
    const onClose = (): void => {
      clearTimeout(timer)
      reject(interrupted())
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onClose)
      resolve()
    }, delayMs)
    if (signal.aborted) onClose()
    else signal.addEventListener('abort', onClose)
    return promise
  }

  deferred<T>(): Deferred<T> {
    return createDeferred<T>()
  }

  drive<T>(run: Promise<T>): Promise<T> {
    return run
  }

  async startNode(spec: NodeSpec): Promise<WorldNode> {
    const { name } = spec
    this.nodeNames.push(name)
    const number = this.nodeNames.length
    const bindHost = this.addresses.node(number)
    const host = this.addresses.proxy(number)
    await this.createProxies(name, bindHost, host)
    if (this.closing.signal.aborted) throw interrupted()
    const configuration = nodeConfiguration(bindHost, host, spec.config)
    const { program, directory } = this.options
    const journal = (pid: number): void => this.journal.addProcess(pid)
    const node = new RealNode({ name, program, directory, configuration, disk: spec.disk ?? 'plain', journal })
    this.nodes.set(name, node)
    await this.startProcess(node)
    return {
      name,
      host,
      port: PORT,
      busPort: PORT + BUS_PORT_OFFSET,
      adminHost: bindHost,
      adminPort: PORT,
      configuration,
      logTail: (lines) => node.logTail(lines),
    }
  }

  clientIo(name: string): Io {
    const io = createNodeIo()
    const sourceHost = this.addressOf(name)
    const network: Io['network'] = {
      listen: (options, handlers) => io.network.listen(options, handlers),
      connect: (options, handlers) => io.network.connect({ ...options, sourceHost }, handlers),
    }
    return { ...io, network }
  }

  async cut(links: readonly DirectedLink[]): Promise<ActiveFault> {
    const fault = await cutLinks(links, {
      toxiproxy: this.toxiproxy,
      url: this.proxyServer.url,
      proxies: this.proxies,
      isNode: (name) => this.nodeNames.includes(name),
      addressOf: (name) => this.addressOf(name),
    })
    return this.track(fault)
  }

  async delay(name: string, delayMs: number): Promise<ActiveFault> {
    const proxy = this.proxies.get(proxyName(name, 'data')) as ToxicProxy
    const toxic = await proxy.addToxic({
      name: 'delay',
      type: 'latency',
      stream: 'upstream',
      toxicity: 1,
      attributes: { latency: delayMs, jitter: 0 },
    } as never)
    return this.track({
      tookHold: async () => `the proxy of ${name} holds back what it passes on for ${delayMs} ms`,
      undo: async () => void (await toxic.remove()),
    })
  }

  async kill(name: string): Promise<ActiveFault> {
    const node = this.node(name)
    const pid = node.pid
    await node.kill()
    return this.track({
      tookHold: async () => `process ${pid} ended by SIGKILL`,
      undo: () => this.restart(node),
    })
  }

  async pause(name: string): Promise<ActiveFault> {
    const node = this.node(name)
    node.signal('SIGSTOP')
    return this.track({
      tookHold: async () => (node.isStopped() ? `process ${node.pid} stopped by SIGSTOP` : ''),
      undo: async () => node.signal('SIGCONT'),
    })
  }

  /** Links first, so that nobody hears the dead machine's kernel close its connections. */
  async powerCut(name: string): Promise<ActiveFault> {
    const node = this.node(name)
    if (node.disk !== 'held-back') throw new Error(`${name} was not started with a disk that can lose its power`)
    const others = [...this.nodeNames, ...this.options.clients].filter((other) => other !== name)
    const cut = await this.cut(
      others.flatMap((other) => [
        { from: other, to: name },
        { from: name, to: other },
      ]),
    )
    const pid = node.pid
    await node.kill()
    return this.track({
      tookHold: async () => `process ${pid} ended together with all that its disk had not synced`,
      undo: async () => {
        await cut.undo()
        await this.restart(node)
      },
    })
  }

  async impairDisk(name: string, fault: DiskFault): Promise<ActiveFault> {
    const node = this.node(name)
    if (node.disk === 'plain') throw new Error(`${name} was not started with a disk that can have faults`)
    node.impairDisk(fault)
    return this.track({
      tookHold: async () => `the disk of process ${node.pid} is told to be so`,
      undo: async () => node.impairDisk(undefined),
    })
  }

  async fileBytes(name: string, path: string): Promise<number> {
    return this.node(name).fileBytes(path)
  }

  processorWait(): number | null {
    const living = [...this.nodes.values()].filter(({ endedWith }) => endedWith === undefined)
    return processorWaitOf(living.flatMap(({ pid }) => (pid === undefined ? [] : [pid])))
  }

  traceHash(): null {
    return null
  }

  close(): Promise<void> {
    this.closed ??= this.closeAll()
    return this.closed
  }

  private async closeAll(): Promise<void> {
    this.closing.abort()
    try {
      await Promise.all([...this.faults].map((fault) => fault.undo()))
      await Promise.all([...this.nodes.values()].map((node) => node.kill()))
    } finally {
      await this.proxyServer.close()
      this.journal.close()
      await this.addresses.release()
    }
  }

  private async createProxies(name: string, bindHost: string, host: string): Promise<void> {
    const created = await Promise.all(
      PLANES.map((plane) => {
        const port = plane === 'bus' ? PORT + BUS_PORT_OFFSET : PORT
        return this.toxiproxy.createProxy({
          name: proxyName(name, plane),
          listen: `${host}:${port}`,
          upstream: `${bindHost}:${port}`,
        })
      }),
    )
    for (const proxy of created) this.proxies.set(proxy.name, proxy)
  }

  private addressOf(name: string): string {
    const node = this.nodeNames.indexOf(name)
    if (node >= 0) return this.addresses.node(node + 1)
    const client = this.options.clients.indexOf(name)
    if (client < 0) throw new Error(`no machine is called '${name}'`)
    return this.addresses.client(client + 1)
  }

  private node(name: string): RealNode {
    const node = this.nodes.get(name)
    if (node === undefined) throw new Error(`no node is called '${name}'`)
    return node
  }

  /** Undone once, at the latest when the world closes. */
  private track(fault: ActiveFault): ActiveFault {
    let undone: Promise<void> | undefined
    const tracked: ActiveFault = {
      tookHold: () => fault.tookHold(),
      undo: () => {
        this.faults.delete(tracked)
        undone ??= fault.undo()
        return undone
      },
    }
    this.faults.add(tracked)
    return tracked
  }

  /** A world that closes starts nothing any more. */
  private async restart(node: RealNode): Promise<void> {
    if (!this.closing.signal.aborted) await this.startProcess(node)
  }

  /** Starts the node's process and asks until it answers PING, whatever the answer. */
  private async startProcess(node: RealNode): Promise<void> {
    node.start()
    const host = node.configuration.bind as string
    const deadlineMs = this.nowMs() + START_TIMEOUT_MS
    while (!(await this.answers(host))) {
      const ended = node.endedWith
      const problem =
        ended !== undefined
          ? `ended at once (${ended})`
          : this.nowMs() > deadlineMs
            ? `did not answer within ${START_TIMEOUT_MS / 1000} s`
            : undefined
      if (problem !== undefined) {
        const log = node.logTail(10).join('\n')
        throw new HarnessError('NODE_START', `${node.name} ${problem}. Its log ends with:\n${log}`)
      }
      await this.sleep(READY_POLL_MS)
    }
  }

  private answers(host: string): Promise<boolean> {
    return new Promise((resolve) => {
      const client = new RespClient(this.adminIo, { host, port: PORT })
      client.send(['PING'], (reply) => {
        client.close()
        resolve(reply !== undefined)
      })
    })
  }
}

/** Only our own engine can be told what its disk is like. */
export function capabilitiesOf(program: ServerProgram): ReadonlySet<Capability> {
  return new Set<Capability>(['network', 'process', ...(program.hasOwnDisk ? (['power', 'disk'] as const) : [])])
}

/** The server's own configuration, addresses and all; the scenario's parameters win where they do not concern these. */
function nodeConfiguration(bindHost: string, host: string, config: NodeSpec['config']): Record<string, string> {
  const isCluster = config['cluster-enabled'] === 'yes'
  return {
    save: '',
    ...config,
    port: String(PORT),
    bind: bindHost,
    'bind-source-addr': bindHost,
    // Only 127.0.0.1 counts as local to protected mode; the addresses are loopback all the same.
    'protected-mode': 'no',
    daemonize: 'no',
    'replica-announce-ip': host,
    'replica-announce-port': String(PORT),
    ...(isCluster && {
      'cluster-announce-ip': host,
      'cluster-announce-port': String(PORT),
      'cluster-announce-bus-port': String(PORT + BUS_PORT_OFFSET),
    }),
  }
}
