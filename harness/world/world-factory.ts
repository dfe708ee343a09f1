/** Makes the worlds of a run, by kind. */
import { join, resolve } from 'node:path'
import type { Scenario } from '../scenario.ts'
import { clusterNodeNames } from '../topology/topology.ts'
import { clientsByGroup } from '../workload/workload.ts'
import { engineProgram, redisProgram } from './real/programs.ts'
import { RealWorld } from './real/real-world.ts'
import { SimWorld } from './sim/sim-world.ts'
import type { World } from './world.ts'

/** Journals of running harnesses: one place for all runs of a user's checkout, so that the next start finds them. */
const JOURNAL_FOLDER = '.faultline/journal'

export interface RealWorldSettings {
  target: 'engine' | 'redis'
  binary?: string | undefined
  keep: boolean
}

/** Makes the world of an arm in the run's directory. Throws MISSING_BINARY at once when the target is not there. */
export function realWorldFactory(
  scenario: Scenario,
  { target, binary, keep }: RealWorldSettings,
): (arm: string, runDirectory: string) => Promise<World> {
  const { primaries, replicas } = clusterNodeNames(scenario.topology)
  const program = target === 'engine' ? engineProgram() : redisProgram(binary)
  return (arm, runDirectory) =>
    RealWorld.create({
      program,
      nodes: primaries.length + replicas.length,
      clients: clientNames(scenario),
      directory: join(runDirectory, `nodes-${arm}`),
      journalFolder: resolve(JOURNAL_FOLDER),
      keep,
    })
}

/** Arms of one seed differ in their randomness too: they are independent experiments. */
export function createSimWorld(scenario: Scenario, arm: string, seed: number): World {
  return new SimWorld({ seed: `${seed}/${scenario.name}/${arm}`, clients: clientNames(scenario) })
}

function clientNames(scenario: Scenario): string[] {
  return Object.values(clientsByGroup(scenario.workload)).flat()
}
