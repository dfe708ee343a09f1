/** Makes the worlds of a run, by kind. */
import { join, resolve } from 'node:path'
import type { Scenario } from '../scenario.ts'
import { clusterNodeNames } from '../topology/topology.ts'
import { clientsByGroup } from '../workload/workload.ts'
import { engineProgram, redisProgram } from './real/programs.ts'
import { RealWorld } from './real/real-world.ts'
import { SimWorld } from './sim/sim-world.ts'
import type { World, WorldKind } from './world.ts'

/** Journals of running harnesses: one place for all runs of a user's checkout, so that the next start finds them. */
const JOURNAL_FOLDER = '.faultline/journal'

export interface WorldOptions {
  world: WorldKind
  target: 'engine' | 'redis'
  binary?: string | undefined
  keep: boolean
  /** Nodes' data and logs of the real world go below. */
  runDirectory: string
}

/** Throws MISSING_BINARY at once when the target is not there. */
export function worldFactory(scenario: Scenario, options: WorldOptions): (arm: string, seed: number) => Promise<World> {
  const { primaries, replicas } = clusterNodeNames(scenario.topology)
  const clients = Object.values(clientsByGroup(scenario.workload)).flat()
  if (options.world === 'sim') {
    return async (arm, seed) => new SimWorld({ seed: `${seed}/${scenario.name}/${arm}`, clients })
  }
  const program = options.target === 'engine' ? engineProgram() : redisProgram(options.binary)
  return (arm) =>
    RealWorld.create({
      program,
      nodes: primaries.length + replicas.length,
      clients,
      directory: join(options.runDirectory, 'nodes', arm),
      journalFolder: resolve(JOURNAL_FOLDER),
      keep: options.keep,
    })
}
