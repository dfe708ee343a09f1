/**
 * The workload `shop`: several instances of the shop on one server, as processes, each under the load of autocannon.
 * Real world only. The connections to the server are the instances' own, past the proxies.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type autocannon from 'autocannon'
import { HarnessError } from '../errors.ts'
import type { ShopEvent } from '../history/history.ts'
import { AdminClient, replyText } from '../topology/admin-client.ts'
import type { Generator, GeneratorOptions } from '../workload/generator.ts'
import type { ShopSpec } from '../workload/workload.ts'
import { shopBundle } from '../world/programs.ts'
import type { World } from '../world/world.ts'
import { LEDGER_KEY, STOCK_KEY } from './shop.ts'
import type { ShopProcessSettings } from './shop-process.ts'

/** Units on sale: more than any run sells, so that the end of the stock ends no run. */
const STOCK = 1_000_000
const START_LIMIT_MS = 30_000
/** An order waits for the lock and works; then the instance ends by itself. */
const STOP_LIMIT_MS = 15_000
const LEDGER_PAGE = 10_000

export function startShop(spec: ShopSpec, world: World, options: GeneratorOptions): Generator {
  if (world.kind !== 'real') throw new HarnessError('BAD_OPTION', 'The shop needs the real world.')
  const instances: Instance[] = []
  const admin = new AdminClient(world, options.node)
  let run: Promise<void> | undefined
  const open = async (): Promise<void> => {
    await admin.command(['SET', STOCK_KEY, String(STOCK)])
    const { adminHost: host, adminPort: port } = options.node
    for (let i = 1; i <= spec.instances; i++) {
      instances.push(new Instance({ ...spec, instance: `shop${i}`, redis: { host, port } }))
    }
    await Promise.all(instances.map((instance) => instance.port))
  }
  const ready = open()
  ready.catch(() => {})
  const load = async (): Promise<void> => {
    const seconds = options.durationMs / 1000
    const ports = await Promise.all(instances.map((instance) => instance.port))
    const results = await Promise.all(ports.map((port) => orders(port, spec.connections, seconds)))
    await Promise.all(instances.map((instance) => instance.stop()))
    const ledger = await readAll(admin)
    const stock = Number(replyText(await admin.command(['GET', STOCK_KEY])))
    await admin.command(['DEL', LEDGER_KEY, STOCK_KEY])
    options.recorder.record({
      type: 'shop',
      atMs: 0,
      soldByStock: STOCK - stock,
      ledger,
      http: await summary(results, seconds),
    })
  }
  return {
    ready,
    late: 0,
    start: () => {
      run = load()
      // Whoever stops the load sees a failure; until then nobody looks.
      run.catch(() => {})
    },
    stop: async () => run,
    close: () => {
      for (const instance of instances) instance.kill()
      admin.close()
    },
  }
}

/** Loaded when it is needed, because that takes a quarter of a second, and every program knows every workload. */
async function loadTester(): Promise<typeof autocannon> {
  return (await import('autocannon')).default
}

/** `skipAggregateResult` leaves the histogram, so that several can be added up; the types do not know it. */
type PartialResult = autocannon.Result

async function orders(port: number, connections: number, seconds: number): Promise<PartialResult> {
  const options = {
    url: `http://127.0.0.1:${port}/orders`,
    method: 'POST',
    connections,
    duration: seconds,
    timeout: 20,
  }
  const run = await loadTester()
  return run({ ...options, skipAggregateResult: true } as autocannon.Options)
}

async function summary(results: readonly PartialResult[], seconds: number): Promise<ShopEvent['http']> {
  const { aggregateResult } = (await loadTester()) as unknown as {
    aggregateResult(results: readonly PartialResult[], options: object): autocannon.Result
  }
  const all = aggregateResult(results, { url: 'http://127.0.0.1/orders', connections: results.length })
  return {
    answered: all['2xx'],
    refused: all.non2xx,
    errors: all.errors,
    perSecond: Math.round((all['2xx'] / seconds) * 10) / 10,
    p50Ms: all.latency.p50,
    p99Ms: all.latency.p99,
    maxMs: all.latency.max,
  }
}

async function readAll(admin: AdminClient): Promise<string[]> {
  const entries: string[] = []
  for (;;) {
    const page = await admin.command([
      'LRANGE',
      LEDGER_KEY,
      String(entries.length),
      String(entries.length + LEDGER_PAGE - 1),
    ])
    if (!Array.isArray(page) || page.length === 0) return entries
    entries.push(...page.map(replyText))
  }
}

class Instance {
  readonly port: Promise<number>
  private readonly child: ChildProcess
  private readonly ended: Promise<void>
  private errors = ''

  constructor(settings: ShopProcessSettings) {
    // In a process group of its own, so that a Ctrl-C on the terminal leaves it to us; it ends with its input anyway.
    this.child = spawn(process.execPath, [shopBundle(), JSON.stringify(settings)], { detached: true })
    this.child.stderr?.on('data', (chunk) => {
      this.errors = (this.errors + chunk).slice(-2000)
    })
    this.ended = new Promise((resolve) => this.child.once('close', () => resolve()))
    this.port = new Promise((resolve, reject) => {
      const fail = (reason: string): void =>
        reject(new HarnessError('NODE_START', `An instance of the shop ${reason}. ${this.errors}`))
      const timer = setTimeout(() => fail('did not start in time'), START_LIMIT_MS)
      this.child.once('error', (error) => fail(error.message))
      this.child.once('close', () => fail('ended'))
      this.child.stdout?.once('data', (line) => {
        clearTimeout(timer)
        resolve(Number(String(line).trim()))
      })
      this.child.once('close', () => clearTimeout(timer))
    })
    this.port.catch(() => {})
  }

  /** Resolves when it is gone, after its last order. */
  async stop(): Promise<void> {
    this.child.stdin?.end()
    const timer = setTimeout(() => this.kill(), STOP_LIMIT_MS)
    await this.ended
    clearTimeout(timer)
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }
}
