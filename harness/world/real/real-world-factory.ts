/** Makes the real worlds of a run, one for each arm. */
import { join, resolve } from 'node:path'
import { clientsOf } from '../../run/arm-plan.ts'
import type { Scenario } from '../../scenario.ts'
import { nodeNames } from '../../topology/topology.ts'
import { engineProgram, redisProgram } from '../programs.ts'
import type { Capability, World } from '../world.ts'
import { capabilitiesOf, RealWorld } from './real-world.ts'

/** Journals of running harnesses: one place for all runs of a user's checkout, so that the next start finds them. */
const JOURNAL_FOLDER = '.faultline/journal'

export interface RealWorldSettings {
  target: 'engine' | 'redis'
  binary?: string | undefined
  keep: boolean
}

/** Of one target. */
export interface RealWorldFactory {
  /** Of every world that it makes. */
  readonly capabilities: ReadonlySet<Capability>
  /** Makes the world of an arm in the run's directory. */
  create(arm: string, runDirectory: string): Promise<World>
}

/** Throws MISSING_BINARY at once when the target is not there. */
export function realWorldFactory(scenario: Scenario, { target, binary, keep }: RealWorldSettings): RealWorldFactory {
  const program = target === 'engine' ? engineProgram() : redisProgram(binary)
  return {
    capabilities: capabilitiesOf(program),
    create: (arm, runDirectory) =>
      RealWorld.create({
        program,
        nodes: nodeNames(scenario.topology).length,
        clients: clientsOf(scenario),
        directory: join(runDirectory, `nodes-${arm}`),
        journalFolder: resolve(JOURNAL_FOLDER),
        keep,
      }),
  }
}
