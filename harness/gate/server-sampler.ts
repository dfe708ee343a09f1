/**
 * Rounds on real servers. Every round starts both anew, so that what differs from process to process (addresses, what
 * the compiler decided) is part of the spread within a run and not a surprise between two nights.
 */

import { mainThreadNanosecondsOf } from '../bench/process-usage.ts'
import type { BenchServer, Contender, Stand } from '../bench/stand.ts'
import { HarnessError, interrupted } from '../errors.ts'
import { runLoad } from '../load/load.ts'
import { defaultLoad, type LoadSpec } from '../load/load-spec.ts'
import { GATE_KEYS, type GateMetricSpec } from './gate-metrics.ts'
import type { Round } from './metric.ts'
import type { Sampler } from './rounds.ts'

export interface ServerSamplerOptions {
  stand: Stand
  /** Without redis-server only the engine is measured. */
  control: boolean
  metrics: readonly GateMetricSpec[]
  /** How long each server is measured per metric and pass. */
  sampleMs: number
  signal: AbortSignal
}

/**
 * After the start, of each metric: V8 compiles the engine's code for what it meets. The first 150 ms of GET took 57 µs
 * of all threads and 16 µs of the main one for a request, where 9 µs are usual from the third on; ZADD needs five such
 * times. redis-server only has to touch its memory.
 */
const WARMUP_MS: Readonly<Record<Contender, number>> = { engine: 500, redis: 100 }
/** Measured so often in a round, one metric after the other: more samples for the price of one start. */
const PASSES = 2
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
    const costs = new Map<string, Record<Contender, number[]>>()
    for (let pass = 0; pass < PASSES; pass++) {
      for (const [position, metric] of metrics.entries()) {
        const own = costs.get(metric.name) ?? { engine: [], redis: [] }
        costs.set(metric.name, own)
        // Who goes first alternates within a round too.
        for (const server of (position + pass) % 2 === 0 ? servers : [...servers].reverse()) {
          own[server.name].push(await this.sample(server, metric))
        }
      }
    }
    return new Map(
      [...costs].map(([name, { engine, redis }]): [string, Round] => [
        name,
        { engine: geometricMean(engine), control: control ? geometricMean(redis) : null },
      ]),
    )
  }

  private async warmUp(server: BenchServer): Promise<void> {
    const { metrics, signal } = this.options
    for (const { load } of metrics) {
      await runLoad({ ...loadOn(server, load), durationMs: WARMUP_MS[server.name] }, { signal })
    }
  }

  /** CPU microseconds of the server's main thread for one request. */
  private async sample(server: BenchServer, { load }: GateMetricSpec): Promise<number> {
    const { sampleMs, signal } = this.options
    const before = mainThreadNanosecondsOf(server.pid)
    const result = await runLoad({ ...loadOn(server, load), durationMs: sampleMs }, { signal })
    const spentNs = mainThreadNanosecondsOf(server.pid) - before
    const { ok, sent } = result.counts
    if (signal.aborted) throw interrupted()
    if (ok === 0 || ok < sent * 0.999) {
      const problem = result.errors[0]?.text ?? 'time-outs'
      throw new HarnessError(
        'LOAD_TARGET',
        `${server.name} answered ${ok} of ${sent} requests without an error: ${problem}. Nothing was judged: mend that first.`,
      )
    }
    return spentNs / 1000 / ok
  }
}

function loadOn({ host, port }: BenchServer, load: GateMetricSpec['load']): LoadSpec {
  return { ...defaultLoad, ...load, target: { kind: 'server', host, port }, requests: null }
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
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
