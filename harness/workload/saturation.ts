/**
 * The workload `saturation`: as many operations as the server takes (closed loop), by the load driver. It needs real
 * time and speaks to the server directly, past the proxies, which would be the slowest part.
 */
import { HarnessError } from '../errors.ts'
import { AdminClient } from '../topology/admin-client.ts'
import { parseInfo } from '../topology/node-state.ts'
import type { World } from '../world/world.ts'
import { DATA_PREFIX } from './data-set.ts'
import type { Generator, GeneratorOptions } from './generator.ts'
import type { SaturationSpec } from './workload.ts'

/** Before measuring begins: connections, code and caches become warm. */
const WARMUP_MS = 1000

/** On a machine that others use, so many requests may take long. */
const WARMUP_MOST_MS = 6000

export function startSaturation(spec: SaturationSpec, world: World, options: GeneratorOptions): Generator {
  if (world.kind !== 'real') throw new HarnessError('BAD_OPTION', 'A saturating load needs the real world.')
  const interrupt = new AbortController()
  let run: Promise<void> | undefined
  const load = async (): Promise<void> => {
    const { defaultLoad } = await import('../load/load-spec.ts')
    const { runLoad } = await import('../load/load.ts')
    const { adminHost: host, adminPort: port } = options.node
    const common = {
      ...defaultLoad,
      target: { kind: 'server' as const, host, port },
      connections: spec.connections,
      pipeline: spec.pipeline,
      commands: [{ name: spec.words[0] ?? '', words: spec.words, weight: 1 }],
      keys: { prefix: DATA_PREFIX, count: spec.keys, distribution: { kind: 'uniform' as const } },
      valueBytes: { kind: 'fixed' as const, value: spec.valueBytes },
    }
    const { signal } = interrupt
    if (spec.warmupRequests !== undefined) {
      const either = AbortSignal.any([signal, AbortSignal.timeout(WARMUP_MOST_MS)])
      await runLoad({ ...common, durationMs: null, requests: spec.warmupRequests }, { signal: either })
    }
    const atMs = Math.round(world.nowMs() - options.zeroMs()) + WARMUP_MS
    const serverCpu = measureCpu(world, options)
    const result = await runLoad({ ...common, durationMs: options.durationMs, warmupMs: WARMUP_MS }, { signal })
    options.recorder.record({ type: 'load', atMs, serverCpuMs: await serverCpu(), result })
  }
  return {
    ready: Promise.resolve(),
    late: 0,
    start: () => {
      run = load()
      // Whoever stops the load sees a failure; until then nobody looks.
      run.catch(() => {})
    },
    stop: async () => run,
    close: () => interrupt.abort(),
  }
}

/** From the end of the warm-up on; the function returned says how much CPU time the server has used since. */
function measureCpu(world: World, { node }: GeneratorOptions): () => Promise<number> {
  const read = async (): Promise<number> => {
    const admin = new AdminClient(world, node)
    try {
      const info = parseInfo(await admin.text(['INFO', 'cpu']))
      return 1000 * (Number(info.get('used_cpu_user')) + Number(info.get('used_cpu_sys')))
    } finally {
      admin.close()
    }
  }
  const before = world.sleep(WARMUP_MS).then(read)
  before.catch(() => {})
  return async () => {
    const after = await read()
    return Math.round(after - (await before))
  }
}
