/** The driver in the simulator, against our engine on another simulated host: virtual time, the same in every run. */
import type { Io } from '../../../engine/io.ts'
import { createServer } from '../../../engine/server/assembly.ts'
import { createConfig } from '../../../engine/server/config.ts'
import type { LoadResult } from '../../../reports/load-result.ts'
import type { SimHost } from '../../world/sim/host.ts'
import { createSimulation, type Simulation } from '../../world/sim/simulation.ts'
import { Driver } from '../driver.ts'
import { defaultLoad, type LoadSpec } from '../load-spec.ts'
import { summarize } from '../summary.ts'

export interface SimulatedLoad {
  simulation: Simulation
  server: SimHost
  driverHost: SimHost
  driver: Driver
  spec: LoadSpec
  /** Lets virtual time pass until the run is over, and sums it up. */
  finish(): Promise<LoadResult>
}

/** The load has begun when this resolves. */
export async function simulateLoad(part: Partial<LoadSpec>, seed = 'load'): Promise<SimulatedLoad> {
  const simulation = createSimulation({ seed })
  const server = simulation.host('server', { addresses: ['10.0.0.1'] })
  server.start((io) => startEngine(io))
  await simulation.run(100)
  const spec: LoadSpec = {
    ...defaultLoad,
    target: { kind: 'server', host: '10.0.0.1', port: 6379 },
    connections: 4,
    ...part,
  }
  let driver: Driver | undefined
  let isOver = false
  const driverHost = simulation.host('driver', { addresses: ['10.0.0.2'], timerLatenessUsMax: 10 })
  driverHost.start((io) => {
    const created = new Driver({ io, spec, part: { index: 0, of: 1 }, spins: false })
    driver = created
    created.prepare(() =>
      created.start(() => {
        isOver = true
      }),
    )
  })
  await simulation.run(20)
  const running = driver as Driver | undefined
  if (running === undefined) throw new Error('the driver has not been started')
  const finish = async (): Promise<LoadResult> => {
    for (let i = 0; i < 6000 && !isOver; i++) await simulation.run(50)
    if (!isOver) throw new Error('the run does not end')
    running.close()
    await simulation.run(10)
    const { measuredMs, interrupted, tally } = running
    const facts = { spec, startedAt: '', elapsedMs: measuredMs, measuredMs, cpu: 0, interrupted }
    return summarize([{ tally, received: running.received, busy: null }], facts)
  }
  return { simulation, server, driverHost, driver: running, spec, finish }
}

function startEngine(io: Io): void {
  if (io.disk.status('/data') === undefined) io.disk.makeDirectory('/data')
  const settings = { bind: '0.0.0.0', 'protected-mode': 'no', save: '', dir: '/data' }
  const server = createServer(io, { config: createConfig(io.disk, { settings }), port: 6379 })
  server.start({ onReady() {}, onFailure() {} })
}
