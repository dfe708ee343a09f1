import { ioContract } from '../../../engine/io-contract/suite.ts'
import type { ContractWorld } from '../../../engine/io-contract/world.ts'
import { createSimulation } from './simulation.ts'

const PATIENCE_MS = 300_000
const QUIET_MS = 200

let worlds = 0

async function simWorld(): Promise<ContractWorld> {
  const simulation = createSimulation({ seed: `contract ${worlds++}` })
  const server = simulation.host('server', { addresses: ['10.0.0.1'] })
  const client = simulation.host('client', { addresses: ['10.0.0.2', '10.0.0.3'] })
  for (const host of [server, client]) host.disk.installDirectory('/data')
  const noProgram = (): void => {}
  return {
    client: client.start(noProgram),
    server: server.start(noProgram),
    serverHost: '10.0.0.1',
    clientHosts: ['10.0.0.2', '10.0.0.3'],
    directory: '/data',
    async until(condition) {
      const limitUs = simulation.nowUs + PATIENCE_MS * 1000
      while (!condition()) {
        if (simulation.nowUs > limitUs) throw new Error(`not within ${PATIENCE_MS} virtual ms: ${condition}`)
        await simulation.run(1)
      }
    },
    settle: () => simulation.run(QUIET_MS),
    turn: () => simulation.run(0.05),
    async dispose() {},
  }
}

ioContract('in the simulator', simWorld)
