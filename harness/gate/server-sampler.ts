/**
 * Rounds on real servers. Every round starts both anew, so that what differs from process to process (addresses, what
 * the compiler decided) is part of the spread within a run and not a surprise between two nights.
 */

import type { BenchServer, Contender, Stand } from '../bench/stand.ts'
import { HarnessError, interrupted } from '../errors.ts'
import { runLoad } from '../load/load.ts'
import { defaultLoad, type LoadSpec } from '../load/load-spec.ts'
import { mainThreadNanosecondsOf } from '../process-usage.ts'
import { GATE_KEYS, type GateMetricSpec } from './gate-metrics.ts'
import { type Round, roundOfPasses } from './metric.ts'
import type { Sampler } from './rounds.ts'

export interface ServerSamplerOptions {
  stand: Stand
  /** Without redis-server only the engine is measured. */
  control: boolean
  metrics: readonly GateMetricSpec[]
  /** How long each server is measured per metric and pass, ms. */
  sampleMs: number
  signal: AbortSignal
}

/**
 * After the start, of each metric: V8 compiles the engine's code for what it meets. The first 150 ms of GET took 57 µs
 * of all threads and 16 µs of the main one for a request, where 9 µs are usual from the third on; ZADD needs five such
 * times. redis-server only has to touch its memory.
 */
const WARMUP_MS: Readonly<Record<Contender, number>> = { engine: 500, redis: 100 }
/**
 * Measured so often in a round, one metric after the other. Nearly all of a round's noise is that of its samples: the
 * ratio of two neighbouring ones scatters by 10 to 14 % on a quiet machine, by 20 % on a busy one, and one start of the
 * servers differs from the next by 0 to 4 %. A start with its warm-up takes as long as four passes.
 */
const PASSES = 12
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
    const passes = new Map(metrics.map(({ name }) => [name, [] as Round[]]))
    for (let pass = 0; pass < PASSES; pass++) {
      for (const [position, metric] of metrics.entries()) {
        // Who goes first alternates within a round too.
        const turn = (position + pass) % 2 === 0 ? servers : [...servers].reverse()
        passes.get(metric.name)?.push(await this.pass(turn, metric))
      }
    }
    return new Map([...passes].map(([name, own]) => [name, roundOfPasses(own)]))
  }

  private async pass(servers: readonly BenchServer[], metric: GateMetricSpec): Promise<Round> {
    const costs: Partial<Record<Contender, number>> = {}
    for (const server of servers) costs[server.name] = await this.sample(server, metric)
    return { engine: costs.engine as number, control: costs.redis ?? null }
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
    let before = 0
    const onStart = () => {
      before = mainThreadNanosecondsOf(server.pid)
    }
    const result = await runLoad({ ...loadOn(server, load), durationMs: sampleMs }, { signal, onStart })
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
