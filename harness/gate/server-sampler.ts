/**
 * Rounds on real servers. Every round starts both anew, so that what differs from process to process (addresses, what
 * the compiler decided) is part of the spread within a run and not a surprise between two nights.
 */

import { cpuNanosecondsOf } from '../bench/process-usage.ts'
import type { BenchServer, Contender, Stand } from '../bench/stand.ts'
import { runLoad } from '../load/load.ts'
import { defaultLoad } from '../load/load-spec.ts'
import { GATE_KEYS, type GateMetricSpec } from './gate-metrics.ts'
import type { Round } from './metric.ts'
import type { Sampler } from './rounds.ts'

export interface ServerSamplerOptions {
  stand: Stand
  /** Without redis-server only the engine is measured. */
  control: boolean
  metrics: readonly GateMetricSpec[]
  /** How long each server is measured per metric and round. */
  sampleMs: number
  signal: AbortSignal
}

/** After the start, with all commands mixed: until then the engine's code is being compiled. */
const WARMUP_MS = 1000
/** Before a sample, as a share of it: connections are open, caches hold what this command needs. */
const WARMUP_SHARE = 0.35
const LIST_LENGTH = 200

export class ServerSampler implements Sampler {
  private readonly options: ServerSamplerOptions
  private rounds = 0

  constructor(options: ServerSamplerOptions) {
    this.options = options
  }

  async round(): Promise<ReadonlyMap<string, Round>> {
    const { stand, control, metrics } = this.options
    const order: Contender[] = control ? ['redis', 'engine'] : ['engine']
    if (this.rounds++ % 2 === 1) order.reverse()
    await stand.stopAll()
    const servers: BenchServer[] = []
    for (const contender of order) {
      const server = await stand.start(contender, {})
      await fill(server)
      await this.warmUp(server)
      servers.push(server)
    }
    const found = new Map<string, Round>()
    for (const [position, metric] of metrics.entries()) {
      const costs: Partial<Record<Contender, number>> = {}
      // Who goes first alternates within a round too.
      for (const server of position % 2 === 0 ? servers : [...servers].reverse()) {
        costs[server.name] = await this.sample(server, metric)
      }
      const { engine, redis } = costs
      if (engine !== undefined) found.set(metric.name, { engine, control: redis ?? null })
    }
    return found
  }

  private async warmUp(server: BenchServer): Promise<void> {
    const { metrics, signal } = this.options
    const target = { kind: 'server', host: server.host, port: server.port } as const
    const commands = metrics.flatMap(({ load }) => load.commands)
    const mix = { ...defaultLoad, target, commands, pipeline: 16, keys: { ...defaultLoad.keys, count: GATE_KEYS } }
    await runLoad({ ...mix, requests: null, durationMs: WARMUP_MS }, { signal })
  }

  /** CPU microseconds of the server for one request. */
  private async sample(server: BenchServer, { load }: GateMetricSpec): Promise<number> {
    const { sampleMs, signal } = this.options
    const target = { kind: 'server', host: server.host, port: server.port } as const
    const common = { ...defaultLoad, ...load, target, requests: null }
    await runLoad({ ...common, durationMs: sampleMs * WARMUP_SHARE }, { signal })
    const before = cpuNanosecondsOf(server.pid)
    const result = await runLoad({ ...common, durationMs: sampleMs }, { signal })
    const spentNs = cpuNanosecondsOf(server.pid) - before
    const { ok, sent } = result.counts
    if (ok === 0 || ok < sent * 0.999) {
      throw new Error(
        `${server.name} answered ${ok} of ${sent} requests without an error: ${result.errors[0]?.text ?? 'time-outs'}`,
      )
    }
    return spentNs / 1000 / ok
  }
}

/** All keys of the load, and the list that LRANGE reads. */
async function fill(server: BenchServer): Promise<void> {
  const SLICE = 1000
  for (let first = 0; first < GATE_KEYS; first += SLICE) {
    const words = ['MSET']
    for (let id = first; id < first + SLICE; id++) words.push(`key:${String(id).padStart(12, '0')}`, 'abc')
    await server.command(...words)
  }
  await server.command('RPUSH', 'mylist', ...Array.from({ length: LIST_LENGTH }, (_, i) => `element:${i}`))
}
