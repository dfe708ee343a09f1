/** The `Io` of a real process. This folder is the only place in the engine that knows Node. */

import type { Io } from '../io.ts'
import { createNodeClock } from './clock.ts'
import { createNodeDisk } from './disk.ts'
import { createNodeHost } from './host.ts'
import type { NodeNetworkOptions } from './network.ts'
import { createNodeNetwork } from './network.ts'
import { createNodeRandom } from './random.ts'
import { createNodeTimers } from './timers.ts'

export function createNodeIo(options: NodeNetworkOptions = {}): Io {
  const clock = createNodeClock()
  return {
    clock,
    timers: createNodeTimers(clock),
    network: createNodeNetwork(options),
    disk: createNodeDisk(),
    random: createNodeRandom(),
    host: createNodeHost(),
  }
}
